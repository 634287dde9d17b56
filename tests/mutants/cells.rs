//! The bundled cells, the cheapest first, each with what its search comes to.

use overhear::bundle;
use overhear::explore::{Findings, Limits, exact};
use overhear::model::{Action, Arrival, Property, World};
use overhear::scenario::{Model, ScenarioFile, Size, arrival_name, compile, read_scenario};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;

/// One bundled model in one bundled scenario, against an adversary that arrives at one time.
pub struct Cell {
    pub scenario: String,
    pub model: String,
    pub arrives: Option<Arrival>,
    pub world: World,
    /// Its states, as reports/states.csv has them.
    pub states: usize,
    pub properties: Vec<Property>,
    pub outcome: Outcome,
    /// For each property, the least of the shortest traces that decide it.
    pub traces: Vec<Option<Vec<Action>>>,
}

/// What a search of a cell comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For each property, the length of the shortest trace that decides it.
    pub lengths: Vec<Option<usize>>,
    /// Whether the adversary finds anything to do.
    pub moves: bool,
}

impl Cell {
    /// Which cell of its scenario it is.
    pub fn about_in_scenario(&self) -> String {
        format!("{}, {}", self.model, self.arrives.map_or("no adversary", arrival_name))
    }
}

/// A search of `w`, if it ends within `states_max`.
fn search(w: &World, properties: &[Property], states_max: usize) -> Option<Findings> {
    let limits = Limits { states_max: Some(states_max), ..Limits::default() };
    Some(exact::search(w, properties, limits, &())).filter(|found| found.stopped.is_none())
}

impl Outcome {
    fn of(found: &Findings) -> Self {
        let lengths = found.traces.iter().map(|(_, trace)| trace.as_ref().map(Vec::len)).collect();
        Self { lengths, moves: found.adversary_moved }
    }
}

/// What a search of `w` comes to, if it ends within `states_max`.
pub fn outcome(w: &World, properties: &[Property], states_max: usize) -> Option<Outcome> {
    search(w, properties, states_max).map(|found| Outcome::of(&found))
}

/// What reports/states.csv says of each cell.
fn known_states() -> BTreeMap<[String; 3], usize> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/states.csv");
    let text = fs::read_to_string(path).expect("a report");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        Some(([0, 1, 2].map(|i| fields[i].to_string()), fields[3].parse().ok()?))
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// Every scenario file that is compiled in.
pub fn scenarios() -> Vec<(overhear::input::Source, ScenarioFile)> {
    let read = |bundled: bundle::Bundled| {
        let source = bundled.source();
        let file = read_scenario(&source).expect("a bundled scenario is right");
        (source, file)
    };
    bundle::scenarios().into_iter().map(read).collect()
}

/// Every bundled cell of at most `states_max` states, those of fewer states first; large scenarios are left out.
pub fn cells(models: &[Model], states_max: usize) -> Vec<Cell> {
    let known = known_states();
    let mut found = Vec::new();
    for (source, file) in scenarios().iter().filter(|s| s.1.size == Size::Base) {
        for (model, arrives) in models.iter().flat_map(|m| file.arrivals().into_iter().map(move |a| (m, a))) {
            let key =
                [file.name.clone(), model.name.clone(), arrives.map_or(String::new(), |a| arrival_name(a).into())];
            // A cell that the report does not know is as large as any.
            let states = known.get(&key).copied().unwrap_or(states_max);
            if states > states_max {
                continue;
            }
            let at = arrives.unwrap_or(Arrival::FromStart);
            let (world, _) = compile(file, source, model, models, at).expect("a bundled scenario compiles");
            let properties: Vec<Property> = file.properties().collect();
            let [scenario, model, _] = key.clone();
            let outcome = Outcome { lengths: Vec::new(), moves: false };
            found.push((
                states,
                key,
                Cell { scenario, model, arrives, world, states, properties, outcome, traces: Vec::new() },
            ));
        }
    }
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut cells: Vec<Cell> = found.into_iter().map(|c| c.2).collect();
    cells.par_iter_mut().with_max_len(1).for_each(|cell| {
        let found = search(&cell.world, &cell.properties, usize::MAX).expect("a search without limits ends");
        cell.outcome = Outcome::of(&found);
        cell.traces = found.traces.into_iter().map(|(_, trace)| trace).collect();
    });
    cells
}
