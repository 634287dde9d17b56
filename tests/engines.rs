//! Three engines agree: on the number of states and on every verdict, for every bundled cell.

use overhear::bundle;
use overhear::explore::{Limits, exact, naive, second};
use overhear::model::{Arrival, Property, Reductions, World};
use overhear::scenario::{Size, compile, read_scenario};
use rayon::prelude::*;

/// Above this many states stateright is not asked.
const STATES_MAX: usize = 200_000;

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
fn agree(cell: &Cell) -> usize {
    let reductions = Reductions { decided_properties: false, ..Reductions::ALL };
    let limits = Limits { reductions: Some(reductions), ..Limits::default() };
    let ours = exact::search(&cell.world, &cell.properties, Limits::default(), &());
    assert_eq!(ours.stopped, None, "{}", cell.name);
    let (falls, holds): (Vec<_>, Vec<_>) = cell.properties.iter().partition(|p| ours.trace(**p).is_some());
    let found = (&falls, vec![true; falls.len()]);
    let naive_falls = naive::search(&cell.world, &falls, reductions, false).1;
    assert_eq!((&falls, naive_falls), found, "naive: {}", cell.name);
    let second_falls = second::search(&cell.world, &falls, reductions, false).1;
    assert_eq!((&falls, second_falls), found, "stateright: {}", cell.name);
    if holds.is_empty() {
        return 0;
    }
    let states = exact::search(&cell.world, &holds, limits, &()).states;
    let expected = (states, vec![false; holds.len()]);
    assert_eq!(naive::search(&cell.world, &holds, reductions, true), expected, "naive: {}", cell.name);
    if states <= STATES_MAX {
        assert_eq!(second::search(&cell.world, &holds, reductions, true), expected, "stateright: {}", cell.name);
    }
    states
}

#[test]
fn engines_agree_on_states_and_verdicts_of_every_bundled_cell() {
    let all = cells(Size::Base);
    let states: Vec<usize> = all.par_iter().map(agree).collect();
    let large = states.iter().filter(|&&s| s > STATES_MAX).count();
    eprintln!("{} cells, {} states; {large} too large for stateright", all.len(), states.iter().sum::<usize>());
    assert!(large * 50 <= all.len(), "{large} of {} cells are too large to compare with stateright", all.len());
}
