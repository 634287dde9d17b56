//! Three engines agree: on the number of states and on every verdict, for every bundled cell that is not too large.
//!
//! `OVERHEAR_STATES=100000` in the environment lets larger ones be compared as well, and `OVERHEAR_STATES_OVER=6000`
//! those alone that are larger than that; `.ci/run` does so, in minutes. `OVERHEAR_STATES_NAIVE=200000` lets the naive
//! search go as far as that too, for hours; each cell is named on stderr when its searches agree.

use overhear::bundle;
use overhear::explore::{Limits, exact, naive, second};
use overhear::model::{Arrival, Property, Reductions, World};
use overhear::scenario::{Size, compile, read_scenario};
use rayon::prelude::*;

/// Above so many states stateright is not asked, if the environment does not say otherwise.
const STATES_MAX: usize = 10_000;
/// The same for the naive search, which takes longer.
const STATES_NAIVE_MAX: usize = 6_000;
/// However far the others are asked to go, if the environment does not say otherwise: above so many it takes hours.
const STATES_NAIVE_LAST: usize = 60_000;

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

fn states_max(otherwise: usize) -> usize {
    number("OVERHEAR_STATES", otherwise)
}

/// One bundled cell.
struct Cell {
    name: String,
    world: World,
    properties: Vec<Property>,
}

fn cells(size: Size) -> Vec<Cell> {
    let models = bundle::models();
    let mut cells = Vec::new();
    for source in bundle::scenarios().iter().map(|s| s.source()) {
        let file = read_scenario(&source).expect("a bundled scenario");
        for model in models.iter().filter(|m| file.size == size && file.is_about(m)) {
            for arrives in file.arrivals() {
                let at = arrives.unwrap_or(Arrival::FromStart);
                let (world, _) = compile(&file, &source, model, &models, at).expect("a bundled scenario");
                let name = format!("{}, {}, {arrives:?}", file.name, model.name);
                cells.push(Cell { name, world, properties: file.properties().collect() });
            }
        }
    }
    cells
}

/// The searches of one cell agree, or say where they do not. Returns the states that were counted.
///
/// What holds has to be searched to the end, and its states are counted. What falls is looked for until it is found.
/// None if the cell is too large; none of its states if it is too small.
fn agree(cell: &Cell) -> Option<usize> {
    let reductions = Reductions { decided_properties: false, ..Reductions::ALL };
    let limits = Limits { reductions: Some(reductions), ..Limits::default() };
    let at_most = Limits { states_max: Some(states_max(STATES_MAX)), ..Limits::default() };
    let ours = exact::search(&cell.world, &cell.properties, at_most, &());
    if ours.stopped.is_some() {
        return None;
    }
    if ours.states <= number("OVERHEAR_STATES_OVER", 0) {
        return Some(0);
    }
    let naive_last = number("OVERHEAR_STATES_NAIVE", STATES_NAIVE_LAST);
    let naive_too = ours.states <= states_max(STATES_NAIVE_MAX).min(naive_last);
    let (falls, holds): (Vec<_>, Vec<_>) = cell.properties.iter().partition(|p| ours.trace(**p).is_some());
    let found = (&falls, vec![true; falls.len()]);
    if naive_too {
        let naive_falls = naive::search(&cell.world, &falls, reductions, false).1;
        assert_eq!((&falls, naive_falls), found, "naive: {}", cell.name);
    }
    let second_falls = second::search(&cell.world, &falls, reductions, false).1;
    assert_eq!((&falls, second_falls), found, "stateright: {}", cell.name);
    if holds.is_empty() {
        eprintln!("{}: everything falls in every engine", cell.name);
        return Some(0);
    }
    let states = exact::search(&cell.world, &holds, limits, &()).states;
    let expected = (states, vec![false; holds.len()]);
    if naive_too {
        assert_eq!(naive::search(&cell.world, &holds, reductions, true), expected, "naive: {}", cell.name);
    }
    assert_eq!(second::search(&cell.world, &holds, reductions, true), expected, "stateright: {}", cell.name);
    eprintln!("{}: {states} states in every engine{}", cell.name, if naive_too { "" } else { " but the naive one" });
    Some(states)
}

#[test]
#[ignore = "takes minutes: `.ci/run` runs it"]
fn engines_agree_on_large_cells() {
    let all = cells(Size::Large);
    let states: Vec<Option<usize>> = all.par_iter().map(agree).collect();
    let compared: usize = states.iter().flatten().sum();
    eprintln!("{} of {} large cells, {compared} states", states.iter().flatten().count(), all.len());
    assert!(states.iter().flatten().count() * 3 > all.len(), "a third of the large cells can be compared");
}

#[test]
fn engines_agree_on_states_and_verdicts_of_every_bundled_cell() {
    let all = cells(Size::Base);
    let states: Vec<Option<usize>> = all.par_iter().map(agree).collect();
    let large = states.iter().filter(|s| s.is_none()).count();
    let compared: usize = states.iter().flatten().sum();
    eprintln!("{} cells, {compared} states; {large} cells are too large", all.len());
    // Where the environment has all compared that stateright is asked about, hardly any may be left.
    let share = if states_max(STATES_MAX) > STATES_MAX { 40 } else { 5 };
    assert!(large * share <= all.len(), "{large} of {} cells are too large to be compared", all.len());
}
