//! Every axis of every bundled model moved to each other value, one at a time: what shows it.

use crate::cells::{self, Cell, search};
use crate::costs::{Asked, asked};
use overhear::input::Source;
use overhear::model::action::possible;
use overhear::model::{Action, State, World, property, step};
use overhear::scenario::{Model, axes, axis_values, decide_cell, read_model};
use overhear::trace;
use rayon::prelude::*;
use serde_json::json;
use std::collections::{BTreeSet, HashSet};

/// Cells of at most so many states are searched for every move that nothing has shown yet.
pub const NEAR_MAX: usize = 9_000;
/// Cells of at most so many states are searched if something differs on the way of one of their shortest traces, or if
/// their scenario claims something else of the moved model.
pub const FAR_MAX: usize = 90_000;
/// A moved cell is given up beyond so many states for each that it had, and so many besides.
const STATES_TIMES: usize = 4;
const STATES_BESIDES: usize = 5_000;

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
    /// What the model costs.
    asked: &'a Asked,
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

/// Every move that makes a policy, and how many do not. A version of another model is moved on the axes only in which
/// it differs from that one.
fn all_moves<'a>(models: &'a [Model], costs: &'a [Asked]) -> (Vec<Move<'a>>, usize) {
    let (mut all, mut invalid) = (Vec::new(), 0);
    for (model, asked) in models.iter().zip(costs) {
        let base = models.iter().find(|base| model.variant_of.as_ref() == Some(&base.name));
        let differs = |axis: &str| base.is_none_or(|base| value(base, axis) != value(model, axis));
        for (axis, values) in axis_values().into_iter().filter(|(axis, _)| differs(axis)) {
            let from = value(model, &axis);
            for to in values.into_iter().filter(|v| *v != from) {
                match with_value(model, &axis, &to) {
                    Some(moved) => all.push(Move { axis: axis.clone(), from: from.clone(), to, model, asked, moved }),
                    None => invalid += 1,
                }
            }
        }
    }
    (all, invalid)
}

/// The value that the model has on the axis.
fn value(model: &Model, axis: &str) -> String {
    axes(&model.policy).into_iter().find(|a| a.0 == axis).expect("a policy has every axis").1
}

/// What shows each move: by the cells that are near, and by those far where something differs on the way of a shortest
/// trace or in what is claimed. Cells in which a shortest trace fails come first.
pub fn outcomes(models: &[Model], cells: &[Cell]) -> Moves {
    let (near, far) = cells.split_at(cells.partition_point(|c| c.states <= NEAR_MAX));
    let costs: Vec<Asked> = models.par_iter().with_max_len(1).map(|m| asked(&m.policy)).collect();
    let (moves, invalid) = all_moves(models, &costs);
    let look = |m: &Move| {
        let of_model = |c: &&Cell| c.model == m.model.name;
        let mut near: Vec<_> = near.iter().filter(of_model).map(|c| (c, m.world(c))).collect();
        near.sort_by_cached_key(|(c, moved)| !some_trace_fails(c, moved));
        let far = far.iter().filter(of_model).map(|c| (c, m.world(c)));
        let far = far.filter(|(c, moved)| {
            m.is_claimed_to_differ(c) || some_trace_fails(c, moved) || differs_on_the_way(c, moved)
        });
        let (shown, place) = shown(m, near.into_iter().chain(far));
        let Move { axis, from, to, model, .. } = m;
        Outcome { axis: axis.clone(), from: from.clone(), to: to.clone(), model: model.name.clone(), shown, place }
    };
    Moves { outcomes: moves.par_iter().with_max_len(1).map(look).collect(), invalid }
}

impl Move<'_> {
    /// The cell's world with the moved policy for everybody who has the model's.
    fn world(&self, cell: &Cell) -> World {
        let own = self.model.policy;
        World { policy: cell.world.policy.map(|p| if p == own { self.moved.policy } else { p }), ..cell.world }
    }
    /// Whether the cell's scenario claims something else of the moved model than of the model.
    fn is_claimed_to_differ(&self, cell: &Cell) -> bool {
        let (source, file) = &cells::SCENARIOS[&cell.scenario];
        let claimed = |model, p| decide_cell(file, source, model, cell.arrives, p).ok().map(|claim| claim.expect);
        cell.properties.iter().any(|&p| claimed(&self.moved, p).is_some_and(|of| Some(of) != claimed(self.model, p)))
    }
}

/// Whether a trace that decides a property of the cell does not decide it in the world `moved`.
fn some_trace_fails(cell: &Cell, moved: &World) -> bool {
    let mut traces = cell.properties.iter().zip(&cell.traces).filter_map(|(p, t)| Some((*p, t.as_ref()?)));
    traces.any(|(p, trace)| !trace::ends_with(moved, trace, p, !p.is_safety()))
}

/// Whether something is otherwise in the world `moved` on the way of a trace that decides a property of the cell.
fn differs_on_the_way(cell: &Cell, moved: &World) -> bool {
    let w = &cell.world;
    let actions: BTreeSet<Action> = [possible(w), possible(moved)].into_iter().flatten().collect();
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
    if asked(&m.moved.policy) == *m.asked {
        return best;
    }
    (Shown::Cost, String::new())
}

/// What of `cell` is different in the world `moved`, as far as that is searched.
fn difference(cell: &Cell, moved: &World) -> Option<Shown> {
    let found = search(moved, &cell.properties, cell.states * STATES_TIMES + STATES_BESIDES);
    let after = cells::Outcome::of(&found);
    let ended = found.stopped.is_none();
    let of_property = |(before, after): (&Option<usize>, &Option<usize>)| match (before, after) {
        (Some(before), Some(after)) if before != after => Some(Shown::Length),
        (None, Some(_)) => Some(Shown::Verdict),
        (Some(_), None) if ended => Some(Shown::Verdict),
        // Whether it is decided later or not at all is not known.
        (Some(before), None) if *before <= found.depth => Some(Shown::Length),
        _ => None,
    };
    let by_property = cell.outcome.lengths.iter().zip(&after.lengths).filter_map(of_property).min();
    let moves_otherwise = ended && after.moves != cell.outcome.moves;
    by_property.or_else(|| moves_otherwise.then_some(Shown::Moves))
}
