//! Random walks of the model, and what becomes of them in reality.

use crate::compare::successor;
use crate::drive::strategy;
use crate::known::Known;
use crate::replay::{Course, Stop, replay};
use matrix_sdk_crypto::CollectStrategy;
use overhear::bundle;
use overhear::model::action::possible;
use overhear::model::{Action, Arrival, World};
use overhear::scenario::{arrival_name, compile, read_scenario};
use overhear::trace::{self, Names};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::fmt;
use std::mem::discriminant;

/// A scenario under a model that the real client implements.
pub struct Cell {
    /// The scenario's name.
    pub scenario: String,
    /// The model's name.
    pub model: String,
    /// When the adversary arrives, as text.
    pub arrives: &'static str,
    /// The compiled scenario.
    pub world: World,
    /// What those in it are called.
    pub names: Names,
    /// What the real client is told to do.
    pub strategy: CollectStrategy,
}

/// Every bundled scenario under every bundled model that the client implements.
///
/// Left out is a scenario in which somebody's policy is one that the client does not implement, or a device of the
/// adversary poses as a dehydrated one.
pub fn cells() -> Vec<Cell> {
    let models = bundle::models();
    let mut cells = Vec::new();
    for file in bundle::scenarios() {
        let source = file.source();
        let scenario = read_scenario(&source).unwrap_or_else(|e| panic!("a bundled scenario is wrong: {e}"));
        for model in models.iter().filter(|m| scenario.is_about(m)) {
            let Some(strategy) = strategy(&model.name) else { continue };
            for arrives in scenario.arrivals() {
                let at = arrives.unwrap_or(Arrival::FromStart);
                let compiled = compile(&scenario, &source, model, &models, at);
                let (world, names) = compiled.unwrap_or_else(|e| panic!("a bundled scenario does not compile: {e}"));
                if world.dehydrated.is_empty() && world.all_people().all(|p| *world.policy(p) == model.policy) {
                    let (scenario, model) = (file.name.to_string(), model.name.clone());
                    let (arrives, strategy) = (arrival_name(at), strategy.clone());
                    cells.push(Cell { scenario, model, arrives, world, names, strategy });
                }
            }
        }
    }
    cells
}

impl Cell {
    /// The cell and `actions` as text, so that somebody can repeat them.
    pub fn text(&self, actions: &[Action]) -> String {
        let lines = actions.iter().map(|&a| format!("\n    {}", trace::text(&self.world, &self.names, a)));
        format!("{} under {}, {}:{}", self.scenario, self.model, self.arrives, lines.collect::<String>())
    }
    /// What becomes of `actions` in reality.
    pub async fn replay(&self, actions: &[Action]) -> Course {
        replay(&self.world, &self.names, self.strategy.clone(), actions).await
    }
    /// The actions of a walk that does not agree, without those that its disagreement does not need.
    pub async fn minimise(&self, actions: &[Action], stop: &Stop) -> (Vec<Action>, Option<Stop>) {
        let mut kept = actions[..stop.step].to_vec();
        let (mut i, mut last) = (0, None);
        while i < kept.len() {
            let mut shorter = kept.clone();
            shorter.remove(i);
            match self.replay(&shorter).await.stop {
                Some(other) if other.topics() == stop.topics() => {
                    kept = shorter;
                    kept.truncate(other.step);
                    last = Some(other);
                    i = 0;
                }
                _ => i += 1,
            }
        }
        (kept, last)
    }
}

/// What was replayed, counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Walks.
    pub walks: usize,
    /// Steps taken on both sides.
    pub steps: usize,
    /// Walks that came to something new.
    pub stopped: usize,
    /// Walks that ended where the two sides part ways for a known reason.
    pub parted: usize,
    /// Walks at whose end a device of the adversary's decrypted what the model says it cannot.
    pub beyond: usize,
    /// Those of them in which a session that was forwarded to the device lived on.
    pub beyond_by_forwarding: usize,
    /// How many walks had which known difference.
    pub known: BTreeMap<Known, usize>,
    /// How often each kind of action was taken.
    pub actions: BTreeMap<String, usize>,
    /// How often each kind of tampered answer was given.
    pub lies: BTreeMap<String, usize>,
}

impl Tally {
    /// Counts a walk.
    pub fn add(&mut self, cell: &Cell, actions: &[Action], course: &Course) {
        self.walks += 1;
        self.steps += course.steps;
        self.stopped += usize::from(course.stop.is_some());
        self.parted += usize::from(course.stop.is_none() && course.known.iter().any(|k| k.parts_ways()));
        self.beyond += usize::from(!course.beyond.is_empty());
        self.beyond_by_forwarding += usize::from(course.is_beyond_by_forwarding());
        course.known.iter().for_each(|k| *self.known.entry(*k).or_default() += 1);
        for &action in &actions[..course.steps] {
            let text = trace::text(&cell.world, &cell.names, action);
            let mut words = text.split(' ');
            *self.actions.entry(words.next().unwrap_or_default().to_string()).or_default() += 1;
            for lie in words.filter_map(|word| word.split_once('=')) {
                let shown = lie.1.split(['~', '+']).next().unwrap_or_default();
                let marks = [('~', " left out"), ('+', " added")];
                let marks = marks.iter().filter(|m| lie.1.contains(m.0)).map(|m| m.1);
                *self.lies.entry(format!("{shown}{}", marks.collect::<String>())).or_default() += 1;
            }
            for how in ["replaced", "joined"] {
                if text.contains(&format!(" {how} ")) {
                    *self.lies.entry(format!("publication {how}")).or_default() += 1;
                }
            }
        }
    }
}

impl Tally {
    /// Adds what another tally has counted.
    pub fn join(&mut self, other: &Self) {
        self.walks += other.walks;
        self.steps += other.steps;
        self.stopped += other.stopped;
        self.parted += other.parted;
        self.beyond += other.beyond;
        self.beyond_by_forwarding += other.beyond_by_forwarding;
        other.known.iter().for_each(|(k, n)| *self.known.entry(*k).or_default() += n);
        for (mine, theirs) in [(&mut self.actions, &other.actions), (&mut self.lies, &other.lies)] {
            theirs.iter().for_each(|(k, n)| *mine.entry(k.clone()).or_default() += n);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { walks, steps, stopped, parted, .. } = self;
        writeln!(f, "{walks} walks, {steps} steps compared; {stopped} new differences, {parted} ended at a known one")?;
        let counts = |all: &BTreeMap<String, usize>| all.iter().map(|(k, n)| format!("{k} {n}")).collect::<Vec<_>>();
        let known = self.known.iter().map(|(k, n)| format!("{k:?} {n}")).collect::<Vec<_>>();
        writeln!(f, "known differences: {}", known.join(", "))?;
        writeln!(f, "actions: {}", counts(&self.actions).join(", "))?;
        writeln!(f, "lies: {}", counts(&self.lies).join(", "))
    }
}

/// The walk that `seed` stands for: half of them push the adversary on.
pub fn seeded(cells: &[Cell], seed: u64, steps: usize) -> (&Cell, Vec<Action>) {
    let cell = &cells[seed as usize % cells.len()];
    let pushy = (seed as usize / cells.len()).is_multiple_of(2);
    (cell, walk(&cell.world, &mut StdRng::seed_from_u64(seed), &[], steps, pushy))
}

/// A walk of at most `steps` actions after those in `prefix`, as far as these can happen.
///
/// First a kind of action is drawn, then one of that kind: there are more lies than anything else. With `pushy`, every
/// second step is the adversary's if it has any.
pub fn walk(w: &World, rng: &mut impl Rng, prefix: &[Action], steps: usize, pushy: bool) -> Vec<Action> {
    let all = possible(w);
    let mut s = w.initial();
    let happens = |a: &&Action| successor(w, s, **a).map(|next| s = next.0).is_ok();
    let mut taken: Vec<Action> = prefix.iter().take_while(happens).copied().collect();
    for _ in 0..steps {
        let mut open: Vec<Action> = all.iter().copied().filter(|&a| successor(w, s, a).is_ok()).collect();
        let hostile: Vec<Action> = open.iter().copied().filter(|a| a.is_adversarial()).collect();
        if pushy && !hostile.is_empty() && rng.random_bool(0.5) {
            open = hostile;
        }
        let mut kinds: BTreeMap<String, Vec<Action>> = BTreeMap::new();
        for a in open {
            let kind = format!("{:?}{}", discriminant(&a), a.is_adversarial());
            kinds.entry(kind).or_default().push(a);
        }
        let kinds: Vec<Vec<Action>> = kinds.into_values().collect();
        let Some(&action) = kinds.choose(rng).and_then(|of_kind| of_kind.choose(rng)) else { break };
        let Ok((after, _)) = successor(w, s, action) else { break };
        s = after;
        taken.push(action);
    }
    taken
}
