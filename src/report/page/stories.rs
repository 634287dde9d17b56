//! Attacks, each told once, with all the verdicts that it decides.

use crate::explore::recovery::recovery;
use crate::model::Property;
use crate::report::chart::{Chart, chart};
use crate::report::{explain, itf, results};
use crate::run::{Cell, Verdict, stopped_by};
use crate::scenario::{arrival_name, property_name};
use crate::story::{Gist, capital, consequence, gist, tell, told_from};
use crate::trace;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Story {
    /// What the page calls it: `s1`, `s2`, …
    pub id: String,
    /// The attack in one sentence.
    pub sentence: String,
    /// The scenario in which it is told.
    pub scenario: String,
    /// The model under which it is told.
    pub model: String,
    /// When the adversary arrives; null in a control without one.
    pub arrives: Option<String>,
    /// The worst property that it violates there.
    pub property: String,
    /// The numbered steps.
    pub steps: Vec<Step>,
    /// What has come of it, as a sentence.
    pub consequence: String,
    /// Who tells whom what, as a picture.
    pub chart: Chart,
    /// What would have stopped these very steps: other values of the model, axis by axis.
    pub stopped_by: Vec<StopsIt>,
    /// The fewest honest steps after which nobody is locked out, if somebody is; empty if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_out: Option<Vec<String>>,
    /// What else comes of the same deed, under this model or another.
    pub endings: Vec<Ending>,
    /// All verdicts that it decides; elsewhere other honest steps may have to come before.
    pub decides: Vec<Decided>,
    /// The trace, beside the page.
    pub trace: String,
    /// The command that finds it again.
    pub command: String,
}

/// One step of an attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// The action, as traces write it.
    pub action: String,
    /// What happens.
    pub sentence: String,
    /// What is different afterwards.
    pub changes: Vec<String>,
    /// Whether the adversary has a hand in it.
    pub by_adversary: bool,
}

/// Other values on one axis with which the same steps fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StopsIt {
    /// The axis.
    pub axis: String,
    /// The value of the model, which let it happen.
    pub value: String,
    /// The original source of that value.
    pub source: Option<String>,
    /// The values that stop it.
    pub others: Vec<String>,
}

/// What comes of a deed for one property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ending {
    /// The property.
    pub property: String,
    /// What comes of it, as a sentence.
    pub ending: String,
}

/// Verdicts that one story decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Decided {
    /// The scenario.
    pub scenario: String,
    /// The property.
    pub property: String,
    /// The models, each with when the adversary arrives and how many steps it takes.
    pub models: Vec<String>,
}

/// A verdict's place: that of its cell in the run, and its own there.
type Spot = (usize, usize);

/// The stories of a run, and which verdict each decides.
pub(super) struct Told {
    pub stories: Vec<Story>,
    pub traces: Vec<(String, String)>,
    of: HashMap<(String, String, Option<&'static str>, Property), String>,
}

impl Told {
    /// Tells the attacks of a run: those in which the same is done are one story.
    pub fn of(cells: &[Cell]) -> Self {
        let found = |c: usize| (0..cells[c].verdicts.len()).map(move |i| (c, i));
        let attacks = (0..cells.len()).flat_map(found).filter(|&(c, i)| !attack(&cells[c], i).is_empty());
        let mut groups: Vec<Vec<Spot>> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (c, i) in attacks {
            let place = *places.entry(gist_of(&cells[c], i).deed).or_insert(groups.len());
            groups.resize_with(groups.len().max(place + 1), Vec::new);
            groups[place].push((c, i));
        }
        let both: Vec<_> = groups.par_iter().enumerate().map(|(n, group)| story(cells, n + 1, group)).collect();
        let id = |n: usize| format!("s{}", n + 1);
        let keyed = groups.iter().enumerate().flat_map(|(n, group)| group.iter().map(move |spot| (spot, id(n))));
        let of = keyed.map(|(&(c, i), id)| (key(&cells[c], i), id)).collect();
        let (stories, traces) = both.into_iter().unzip();
        Self { stories, traces, of }
    }

    /// The story that decides a verdict.
    pub fn story(&self, cell: &Cell, index: usize) -> Option<String> {
        self.of.get(&key(cell, index)).cloned()
    }
}

fn key(cell: &Cell, index: usize) -> (String, String, Option<&'static str>, Property) {
    let arrives = cell.arrives.map(arrival_name);
    (cell.scenario.file.name.clone(), cell.model.name.clone(), arrives, cell.verdicts[index].0)
}

/// The actions of the attack behind a verdict; none if it is no violation, or one that no state shows.
fn attack<'c>(cell: &'c Cell, index: usize) -> &'c [crate::model::Action] {
    match &cell.verdicts[index].1 {
        Verdict::Violated { trace } => trace,
        _ => &[],
    }
}

fn gist_of(cell: &Cell, index: usize) -> Gist {
    let told = gist(&cell.world, &cell.names, attack(cell, index), cell.verdicts[index].0);
    told.expect("traces were replayed before they were kept")
}

fn badness(property: Property) -> usize {
    Property::ALL.iter().position(|p| *p == property).expect("all are listed")
}

/// The story that some verdicts share, told under the first of those with the worst property, and the fewest steps.
fn story(cells: &[Cell], number: usize, group: &[Spot]) -> (Story, (String, String)) {
    let worst = |&&(c, i): &&Spot| (badness(cells[c].verdicts[i].0), attack(&cells[c], i).len());
    let &(c, i) = group.iter().min_by_key(worst).expect("a group is not empty");
    let (cell, property) = (&cells[c], cells[c].verdicts[i].0);
    let (w, names, actions) = (&cell.world, &cell.names, attack(cell, i));
    let end = cell.end(actions);
    let replayed = "traces were replayed before they were kept";
    let steps = tell(w, names, actions).expect(replayed).into_iter().map(|told| Step {
        action: trace::text(w, names, told.action),
        sentence: told.sentence,
        changes: told.changes,
        by_adversary: told.by_adversary,
    });
    let stops = |(axis, value, others): (String, String, Vec<String>)| {
        let source = cell.model.source(&axis).map(str::to_string);
        StopsIt { axis, value, source, others }
    };
    let way_out = || told_from(w, names, end, &recovery(w, end).unwrap_or_default());
    let trace = results::trace_name(&itf::meta(cell, property));
    let value = itf::of_cell(cell, property, actions).expect(replayed);
    let story = Story {
        id: format!("s{number}"),
        sentence: gist_of(cell, i).to_string(),
        scenario: cell.scenario.file.name.clone(),
        model: cell.model.name.clone(),
        arrives: cell.arrives.map(|a| arrival_name(a).to_string()),
        property: property_name(property).to_string(),
        steps: steps.collect(),
        consequence: consequence(w, names, end, property),
        chart: chart(w, names, actions).expect(replayed),
        stopped_by: stopped_by(cell, property, actions).into_iter().map(stops).collect(),
        way_out: property.is_of_true_answers().then(way_out),
        endings: endings(cells, group, property),
        decides: decides(cells, group),
        trace: trace.clone(),
        command: explain::command(cell, property),
    };
    (story, (trace, value.to_string() + "\n"))
}

/// What comes of the deed for each other property that falls by it somewhere, the worst first.
fn endings(cells: &[Cell], group: &[Spot], told: Property) -> Vec<Ending> {
    let mut seen = vec![told];
    let mut endings = Vec::new();
    for &(c, i) in group {
        let (cell, property) = (&cells[c], cells[c].verdicts[i].0);
        if seen.contains(&property) {
            continue;
        }
        seen.push(property);
        let ending = gist_of(cell, i).ending;
        let ending = ending.trim_start_matches([',', ';', ' ']);
        let ending = capital(ending.strip_prefix("and ").unwrap_or(ending));
        endings.push((badness(property), Ending { property: property_name(property).to_string(), ending }));
    }
    endings.sort_by_key(|(badness, _)| *badness);
    endings.into_iter().map(|(_, ending)| ending).collect()
}

fn decides(cells: &[Cell], group: &[Spot]) -> Vec<Decided> {
    let mut all: Vec<Decided> = Vec::new();
    for &(c, i) in group {
        let (cell, property) = (&cells[c], property_name(cells[c].verdicts[i].0));
        let arrives = cell.arrives.map_or(String::new(), |a| format!("{}, ", arrival_name(a)));
        let model = format!("{} ({arrives}{})", cell.model.name, attack(cell, i).len());
        let scenario = &cell.scenario.file.name;
        match all.iter_mut().find(|d| d.scenario == *scenario && d.property == property) {
            Some(decided) => decided.models.push(model),
            None => {
                all.push(Decided { scenario: scenario.clone(), property: property.to_string(), models: vec![model] })
            }
        }
    }
    all
}
