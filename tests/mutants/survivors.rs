//! What nothing shows, as it is listed in tests/mutants/survivors.json, and why.

use crate::{guards, moves};
use overhear::policy::Policy;
use overhear::scenario::{Model, axes};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The whole list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub guards: Vec<Guards>,
    pub moves: Vec<Moves>,
}

/// Why nothing can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nothing could: the rules are the same with it and without.
    Same,
    /// No bundled policy, or no power, makes a difference; others might.
    Unused,
    /// A scenario or a claim is missing that would.
    Gap,
}

/// Guards that nothing shows to be gone, for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    pub guards: Vec<String>,
    pub kind: Kind,
    pub why: String,
}

/// Moves on one axis that nothing shows, for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moves {
    pub axis: String,
    /// From which value to which others.
    pub moves: BTreeMap<String, Vec<String>>,
    /// Values of other axes that the models have; every model with them is meant.
    #[serde(default)]
    pub r#where: BTreeMap<String, Vec<String>>,
    /// The models that are meant; if it is empty, all of them.
    #[serde(default)]
    pub models: Vec<String>,
    /// The models that are not meant.
    #[serde(default)]
    pub except: Vec<String>,
    pub kind: Kind,
    pub why: String,
}

/// The list as committed.
pub fn listed() -> Listed {
    serde_json::from_str(include_str!("survivors.json")).expect("tests/mutants/survivors.json is a list of survivors")
}

/// Whether a guard counts as surviving: no verdict, no length, no cost and no move shows that it is gone.
pub fn survives(outcome: &guards::Outcome) -> bool {
    outcome.shown > guards::Shown::Moves
}

impl Moves {
    /// Whether the entry speaks of this move.
    pub fn covers(&self, outcome: &moves::Outcome, policy: &Policy) -> bool {
        let values: BTreeMap<String, String> = axes(policy).into_iter().collect();
        self.axis == outcome.axis
            && self.moves.get(&outcome.from).is_some_and(|to| to.contains(&outcome.to))
            && (self.models.is_empty() || self.models.contains(&outcome.model))
            && !self.except.contains(&outcome.model)
            && self.r#where.iter().all(|(axis, any)| values.get(axis).is_some_and(|v| any.contains(v)))
    }
}

/// What is wrong with the list of guards.
pub fn wrong_guards(listed: &Listed, outcomes: &[guards::Outcome]) -> Vec<String> {
    let survivors: BTreeSet<&str> = outcomes.iter().filter(|o| survives(o)).map(|o| o.guard.as_str()).collect();
    let entries: Vec<&str> = listed.guards.iter().flat_map(|e| e.guards.iter().map(String::as_str)).collect();
    let named: BTreeSet<&str> = entries.iter().copied().collect();
    let unlisted = outcomes.iter().filter(|o| survives(o) && !named.contains(o.guard.as_str()));
    let mut wrong: Vec<String> =
        unlisted.map(|o| format!("survives and is not listed: {:?} ({:?}; {})", o.guard, o.shown, o.how)).collect();
    wrong.extend(named.difference(&survivors).map(|g| format!("is listed, and is gone or does not survive: {g:?}")));
    if named.len() < entries.len() {
        wrong.push("a guard is listed twice".to_string());
    }
    wrong
}

/// What is wrong with the list of moves.
pub fn wrong_moves(listed: &Listed, outcomes: &[moves::Outcome], models: &[Model]) -> Vec<String> {
    let policies: BTreeMap<&str, &Policy> = models.iter().map(|m| (m.name.as_str(), &m.policy)).collect();
    let mut wrong = Vec::new();
    let mut used = vec![false; listed.moves.len()];
    for o in outcomes {
        let covering: Vec<usize> =
            (0..listed.moves.len()).filter(|&i| listed.moves[i].covers(o, policies[o.model.as_str()])).collect();
        covering.iter().for_each(|&i| used[i] = true);
        let survives = o.shown == moves::Shown::Nothing;
        let says = format!("{}: {} → {} of {}", o.axis, o.from, o.to, o.model);
        match (survives, covering.len()) {
            (true, 0) => wrong.push(format!("survives and is not listed: {says}")),
            (false, 1..) => wrong.push(format!("is listed, and {:?} {} shows it: {says}", o.shown, o.place)),
            (true, 2..) => wrong.push(format!("is listed twice: {says}")),
            _ => {}
        }
    }
    let idle = used.iter().zip(&listed.moves).filter(|(used, _)| !**used);
    wrong.extend(
        idle.map(|(_, entry)| format!("is listed, and no such move is made: {} {:?}", entry.axis, entry.moves)),
    );
    wrong
}
