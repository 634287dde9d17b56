//! The bundled cells, the cheapest first, each with what its search comes to.

use overhear::bundle;
use overhear::explore::{Findings, Limits, exact};
use overhear::input::Source;
use overhear::model::{Action, Arrival, Property, World};
use overhear::scenario::{Model, ScenarioFile, Size, arrival_name, compile, read_scenario};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

/// One bundled model in one bundled scenario, against an adversary that arrives at one time.
pub struct Cell {
    pub scenario: String,
    pub model: String,
    pub arrives: Option<Arrival>,
    pub world: World,
    /// The states that a search of it keeps.
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
    /// The cell with what its search comes to, if that keeps at most `states_max` states.
    fn searched(self, states_max: usize) -> Option<Self> {
        let found = search(&self.world, &self.properties, states_max);
        let outcome = Outcome::of(&found);
        found.stopped.is_none().then(|| Self {
            states: found.states,
            outcome,
            traces: found.traces.into_iter().map(|t| t.1).collect(),
            ..self
        })
    }
    fn order(&self) -> (usize, &str, &str, Option<Arrival>) {
        (self.states, &self.scenario, &self.model, self.arrives)
    }
}

/// A search of `w`, broken off beyond `states_max`.
pub fn search(w: &World, properties: &[Property], states_max: usize) -> Findings {
    let limits = Limits { states_max: Some(states_max), ..Limits::default() };
    exact::search(w, properties, limits, &())
}

impl Outcome {
    /// What the search came to, as far as it got.
    pub fn of(found: &Findings) -> Self {
        let lengths = found.traces.iter().map(|(_, trace)| trace.as_ref().map(Vec::len)).collect();
        Self { lengths, moves: found.adversary_moved }
    }
}

/// The states of each cell as reports/states.csv has them: what is known to be too large need not be searched.
fn known_states() -> BTreeMap<[String; 3], usize> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/states.csv");
    let text = fs::read_to_string(path).expect("a report");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        Some(([0, 1, 2].map(|i| fields[i].to_string()), fields[3].parse().ok()?))
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// Every scenario file that is compiled in, by name.
pub static SCENARIOS: LazyLock<BTreeMap<String, (Source, ScenarioFile)>> = LazyLock::new(|| {
    let read = |bundled: bundle::Bundled| {
        let source = bundled.source();
        let file = read_scenario(&source).expect("a bundled scenario is right");
        (file.name.clone(), (source, file))
    };
    bundle::scenarios().into_iter().map(read).collect()
});

/// Every bundled cell of at most `states_max` states, those of fewer states first; large scenarios are left out.
pub fn cells(models: &[Model], states_max: usize) -> Vec<Cell> {
    let known = known_states();
    let mut cells = Vec::new();
    for (source, file) in SCENARIOS.values().filter(|s| s.1.size == Size::Base) {
        let about = models.iter().filter(|m| file.is_about(m));
        for (model, arrives) in about.flat_map(|m| file.arrivals().into_iter().map(move |a| (m, a))) {
            let arrival = arrives.map_or(String::new(), |a| arrival_name(a).into());
            if known.get(&[file.name.clone(), model.name.clone(), arrival]).is_some_and(|&states| states > states_max) {
                continue;
            }
            let at = arrives.unwrap_or(Arrival::FromStart);
            let (world, _) = compile(file, source, model, models, at).expect("a bundled scenario compiles");
            let (scenario, model) = (file.name.clone(), model.name.clone());
            let outcome = Outcome { lengths: Vec::new(), moves: false };
            let properties = file.properties().collect();
            cells.push(Cell { scenario, model, arrives, world, states: 0, properties, outcome, traces: Vec::new() });
        }
    }
    let searched = cells.into_par_iter().with_max_len(1).filter_map(|cell| cell.searched(states_max));
    let mut cells: Vec<Cell> = searched.collect();
    cells.sort_by(|a, b| a.order().cmp(&b.order()));
    cells
}
