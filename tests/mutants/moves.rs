//! Every axis of every bundled model moved to each other value, one at a time: what shows it.

use crate::cells::{Cell, outcome, scenarios};
use crate::costs::asked;
use overhear::input::Source;
use overhear::model::action::possible;
use overhear::model::{Arrival, State, World, property, step};
use overhear::scenario::{Model, ScenarioFile, axes, axis_values, compile, read_model};
use overhear::trace;
use rayon::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

/// Cells of at most so many states are searched for every move that nothing has shown yet.
pub const NEAR_MAX: usize = 10_000;
/// Cells of at most so many states are searched if something differs on the way of one of their shortest traces.
pub const FAR_MAX: usize = 100_000;
/// A moved cell is given up beyond so many states for each that it had, and so many besides.
const STATES_TIMES: usize = 4;
const STATES_BESIDES: usize = 2_000;

/// What shows best that an axis was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// A property of a cell is decided in one and not in the other.
    Verdict,
    /// A property of a cell is decided in another number of steps.
    Length,
    /// The policy costs something else.
    Cost,
    /// The adversary has a move in one and none in the other.
    Moves,
    /// Nothing.
    Nothing,
}

/// One axis of one bundled model moved to another value.
pub struct Outcome {
    pub axis: String,
    pub from: String,
    pub to: String,
    pub model: String,
    pub shown: Shown,
    /// The scenario where it shows.
    pub place: String,
}

/// The moves that make a policy, and how many do not.
pub struct Moves {
    pub outcomes: Vec<Outcome>,
    pub invalid: usize,
}

/// A bundled model with another value on one axis.
struct Move<'a> {
    axis: String,
    from: String,
    to: String,
    model: &'a Model,
    moved: Model,
}

/// The model with another value on one axis; none if the reader of model files refuses it.
fn with_value(model: &Model, axis: &str, value: &str) -> Option<Model> {
    let choice = |(name, old): (String, String)| {
        let new = if name == axis { value } else { old.as_str() };
        let source = if new == "unused" { serde_json::Value::Null } else { "moved".into() };
        (name, json!({ "value": new, "source": source }))
    };
    let axes: serde_json::Map<_, _> = axes(&model.policy).into_iter().map(choice).collect();
    let file = json!({ "format": 1, "name": model.name, "title": model.title, "about": model.about, "axes": axes });
    read_model(&Source::new("moved.json", file.to_string())).ok()
}

/// Every move that makes a policy, and how many do not.
fn all_moves(models: &[Model]) -> (Vec<Move<'_>>, usize) {
    let (mut all, mut invalid) = (Vec::new(), 0);
    for (model, (axis, values)) in models.iter().flat_map(|m| axis_values().into_iter().map(move |a| (m, a))) {
        let from = axes(&model.policy).into_iter().find(|a| a.0 == axis).expect("a policy has every axis").1;
        for to in values.into_iter().filter(|v| *v != from) {
            match with_value(model, &axis, &to) {
                Some(moved) => all.push(Move { axis: axis.clone(), from: from.clone(), to, model, moved }),
                None => invalid += 1,
            }
        }
    }
    (all, invalid)
}

/// What shows each move: by the cells that are near, and by those far where something differs on the way of a shortest
/// trace.
pub fn outcomes(models: &[Model], cells: &[Cell]) -> Moves {
    let (near, far) = cells.split_at(cells.partition_point(|c| c.states <= NEAR_MAX));
    let files: BTreeMap<String, (Source, ScenarioFile)> =
        scenarios().into_iter().map(|s| (s.1.name.clone(), s)).collect();
    let (moves, invalid) = all_moves(models);
    let look = |m: &Move| {
        let world = |cell: &Cell| -> World {
            let (source, file) = &files[&cell.scenario];
            let at = cell.arrives.unwrap_or(Arrival::FromStart);
            compile(file, source, &m.moved, models, at).expect("a bundled scenario compiles").0
        };
        let of_model = |c: &&Cell| c.model == m.model.name;
        let near = near.iter().filter(of_model).map(|c| (c, world(c)));
        let far = far.iter().filter(of_model).map(|c| (c, world(c))).filter(|(c, moved)| differs_on_the_way(c, moved));
        let (shown, place) = shown(m, near.chain(far));
        let Move { axis, from, to, model, .. } = m;
        Outcome { axis: axis.clone(), from: from.clone(), to: to.clone(), model: model.name.clone(), shown, place }
    };
    Moves { outcomes: moves.par_iter().with_max_len(1).map(look).collect(), invalid }
}

/// Whether something is otherwise in the world `moved` on the way of a trace that decides a property of the cell.
fn differs_on_the_way(cell: &Cell, moved: &World) -> bool {
    let w = &cell.world;
    let actions = possible(w);
    let mut seen: HashSet<State> = HashSet::new();
    let states = cell.traces.iter().flatten().flat_map(|t| trace::replay(w, t).expect("a trace of a search replays"));
    let mut states = states.filter(|s| seen.insert(*s));
    states.any(|s| {
        let judged = cell.properties.iter().any(|&p| property::condition(w, s, p) != property::condition(moved, s, p));
        judged || actions.iter().any(|&a| step(w, s, a).ok() != step(moved, s, a).ok())
    })
}

fn shown<'a>(m: &Move, cells: impl Iterator<Item = (&'a Cell, World)>) -> (Shown, String) {
    let mut best = (Shown::Nothing, String::new());
    for (cell, moved) in cells {
        let found = difference(cell, &moved).unwrap_or(Shown::Nothing);
        if found < best.0 {
            best = (found, cell.scenario.clone());
        }
        if best.0 <= Shown::Length {
            return best;
        }
    }
    if asked(&m.moved.policy) == asked(&m.model.policy) {
        return best;
    }
    (Shown::Cost, String::new())
}

/// What of `cell` is different in the world `moved`.
fn difference(cell: &Cell, moved: &World) -> Option<Shown> {
    let after = outcome(moved, &cell.properties, cell.states * STATES_TIMES + STATES_BESIDES)?;
    let (before, lengths) = (&cell.outcome.lengths, &after.lengths);
    let verdict = before.iter().zip(lengths).any(|(before, after)| before.is_some() != after.is_some());
    match () {
        () if verdict => Some(Shown::Verdict),
        () if before != lengths => Some(Shown::Length),
        () => (after.moves != cell.outcome.moves).then_some(Shown::Moves),
    }
}
