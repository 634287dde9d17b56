//! Every guard switched off, one at a time: what shows that it is gone.

use crate::actions::widest;
use crate::attacks::blocked_runs;
use crate::cells::Cell;
use crate::costs::asked;
use crate::search::{Bounds, Idle, Seen, examine};
use crate::source::guards;
use overhear::model::action::alphabet;
use overhear::model::mutants::{self, Guard};
use overhear::model::{Action, Reductions, World};
use overhear::scenario::{Model, property_name};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Cells of at most so many states are searched further than others.
pub const NEAR_MAX: usize = 6_000;
/// Every action of the alphabet, by the reduced search.
pub const NEAR: Bounds = Bounds { with_all: 6_000, without_one: 3_000, stopped: 1_000, reductions: Reductions::ALL };
/// Cells of more states are not searched.
pub const FAR_MAX: usize = 30_000;
/// The same, in cells that are not near.
pub const FAR: Bounds = Bounds { with_all: 1_500, without_one: 1_000, stopped: 300, reductions: Reductions::ALL };
/// Cells of more states are not searched with every action that can be written down.
pub const WIDE_MAX: usize = 300;
/// Every action that can be written down, by no reduction.
pub const WIDE: Bounds = Bounds { with_all: 1_000, without_one: 3_000, stopped: 1_000, reductions: Reductions::NONE };
/// States of each cell in which every guard is evaluated before the first is switched off.
const STATES_ONCE: usize = 2_000;
/// So many times guards may fail in the search for what a policy costs.
const FUEL_MAX: u64 = 20_000_000;

/// What shows best that a guard is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// A property of a cell is decided otherwise.
    Verdict,
    /// A property of a cell is decided in fewer steps.
    Length,
    /// The same, once the search tries what the alphabet leaves out as well.
    BeyondAlphabet,
    /// A policy costs something else.
    Cost,
    /// An adversary that had no move has one.
    Moves,
    /// Nothing but an attack written by hand that says where it is blocked.
    BlockedStep,
    /// Nothing. There are other states without it.
    Differs,
    /// Nothing. Whatever it stops changes nothing, or is stopped by another guard too.
    Blocks,
    /// Nothing. It stops nothing.
    Never,
}

/// A guard, and what shows that it is gone.
pub struct Outcome {
    pub guard: String,
    pub shown: Shown,
    /// The scenario, the model or the attack where it shows.
    pub place: String,
    /// How it shows there.
    pub how: String,
}

/// What is known of one guard so far.
struct Known {
    shown: Shown,
    place: String,
    how: String,
    idle: BTreeSet<Idle>,
}

impl Known {
    fn nothing() -> Self {
        Self { shown: Shown::Never, place: String::new(), how: String::new(), idle: BTreeSet::new() }
    }
    fn take(&mut self, shown: Shown, place: &str, how: impl FnOnce() -> String) {
        if shown < self.shown {
            (self.shown, self.place, self.how) = (shown, place.to_string(), how());
        }
    }
}

type Named = (String, &'static Guard);

/// The guards that were evaluated, with their names; panics if the text has others, or calls them otherwise.
fn addressed() -> Vec<Named> {
    let place = |g: &&'static Guard| (g.file.replace('\\', "/"), g.line, g.column);
    let met: BTreeMap<_, _> = mutants::met().into_iter().map(|g| (place(&g), g)).collect();
    let written = guards();
    let missing: Vec<_> = written.iter().filter(|g| !met.contains_key(&g.place)).map(|g| &g.name).collect();
    assert!(missing.is_empty(), "guards that no bundled cell ever evaluates: {missing:#?}");
    assert_eq!(met.len(), written.len(), "the text has as many guards as were evaluated");
    let named = written.into_iter().map(|g| {
        let guard = met[&g.place];
        assert_eq!(guard.holds.split_whitespace().collect::<String>(), g.holds, "{}", g.name);
        (g.name, guard)
    });
    named.collect()
}

/// How many cells are examined side by side before those guards are left out that are done.
fn batches(cells: &[Cell]) -> Vec<&[Cell]> {
    let (mut batches, mut rest, mut size) = (Vec::new(), cells, 8);
    while !rest.is_empty() {
        let (batch, others) = rest.split_at(size.min(rest.len()));
        batches.push(batch);
        (rest, size) = (others, 32.min(size * 2));
    }
    batches
}

/// Examines cell after cell until each guard is seen to be gone, or all cells are done.
fn examine_all(
    cells: &[Cell],
    guards: &[Named],
    bounds: Bounds,
    actions: fn(&World) -> Vec<Action>,
    known: &mut [Known],
) {
    for batch in batches(cells) {
        let open: Vec<usize> = (0..guards.len()).filter(|&i| known[i].shown > Shown::BeyondAlphabet).collect();
        let asked: Vec<&'static Guard> = open.iter().map(|&i| guards[i].1).collect();
        let look = |cell: &Cell| examine(cell, &actions(&cell.world), bounds, &asked);
        let seen: Vec<_> = batch.par_iter().with_max_len(1).map(look).collect();
        for (cell, seen) in batch.iter().zip(seen) {
            seen.into_iter().for_each(|(i, seen)| note(cell, seen, bounds, &mut known[open[i]]));
        }
    }
}

fn note(cell: &Cell, seen: Seen, bounds: Bounds, known: &mut Known) {
    match seen {
        Seen::Decided(p, length) => {
            let at = cell.properties.iter().position(|q| *q == p).expect("a property of the cell");
            let before = cell.outcome.lengths[at];
            let shown = match before {
                _ if bounds.reductions == Reductions::NONE => Shown::BeyondAlphabet,
                None => Shown::Verdict,
                Some(_) => Shown::Length,
            };
            let how = || {
                let before = before.map_or("never".to_string(), |n| n.to_string());
                format!("{}: {} in {length} steps, was {before}", cell.about_in_scenario(), property_name(p))
            };
            known.take(shown, &cell.scenario, how);
        }
        Seen::Moves => known.take(Shown::Moves, &cell.scenario, || cell.about_in_scenario()),
        Seen::Differs => known.take(Shown::Differs, &cell.scenario, || cell.about_in_scenario()),
        Seen::Blocks(idle) => {
            known.take(Shown::Blocks, "", String::new);
            known.idle.extend(idle);
        }
    }
}

/// What shows that each guard is gone, in the order of the text.
pub fn outcomes(models: &[Model], cells: &[Cell]) -> Vec<Outcome> {
    let up_to = |states_max| cells.partition_point(|c| c.states <= states_max);
    let (near, far) = (up_to(NEAR_MAX), up_to(FAR_MAX));
    let once = Bounds { with_all: STATES_ONCE, ..NEAR };
    cells[..near].par_iter().for_each(|cell| drop(examine(cell, &alphabet(&cell.world), once, &[])));
    let costs: Vec<_> = models.iter().map(|m| asked(&m.policy)).collect();
    let runs = blocked_runs(models);
    let guards = addressed();
    let mut known: Vec<Known> = guards.iter().map(|_| Known::nothing()).collect();
    examine_all(&cells[..near], &guards, NEAR, alphabet, &mut known);
    examine_all(&cells[..up_to(WIDE_MAX)], &guards, WIDE, widest, &mut known);
    examine_all(&cells[near..far], &guards, FAR, alphabet, &mut known);
    known.par_iter_mut().zip(&guards).with_max_len(1).for_each(|(known, (_, guard))| {
        if known.shown > Shown::Cost {
            let dearer = dearer(models, &costs, guard);
            dearer.into_iter().for_each(|model| known.take(Shown::Cost, &model, String::new));
        }
    });
    for (file, guard) in runs {
        let i = guards.iter().position(|g| std::ptr::eq(g.1, guard)).expect("a guard of the text");
        known[i].take(Shown::BlockedStep, &file, String::new);
    }
    guards.into_iter().zip(known).map(|((guard, _), known)| outcome(guard, known)).collect()
}

/// The first model whose policy costs something else without the guard.
fn dearer(models: &[Model], costs: &[crate::costs::Asked], guard: &'static Guard) -> Option<String> {
    let without = |m: &Model| mutants::without(guard, FUEL_MAX, || asked(&m.policy));
    let other = models.iter().zip(costs).find(|(m, before)| without(m).as_ref() != Some(before));
    other.map(|(m, _)| m.name.clone())
}

fn outcome(guard: String, known: Known) -> Outcome {
    let Known { shown, place, how, idle } = known;
    let text = |i: &Idle| match i {
        Idle::NoChange => "it changes nothing".to_string(),
        Idle::Known => "it leads to known states".to_string(),
        Idle::Stopped(blocked) => format!("{blocked:?} stops it too"),
    };
    let idle = idle.iter().map(text).collect::<Vec<_>>().join(", ");
    Outcome { guard, shown, place, how: if shown == Shown::Blocks { idle } else { how } }
}
