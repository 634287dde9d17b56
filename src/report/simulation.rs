//! What simulated cells come to: estimates with intervals, for programs and for people.

mod text;
pub mod walks;
pub use text::{story, sweep, tables};

use super::csv;
use super::record::InputFile;
use crate::bundle;
use crate::run::simulation::{Checked, Simulated, SimulationPlan, Swept};
use crate::scenario::{Per, Profile, arrival_name, habit_name, property_name};
use crate::simulate::Strategy;
use crate::simulate::interval::{CONFIDENCE, Estimate, mean, proportion};
use crate::simulate::runs::Outcome;
use crate::simulate::tally::Counted;
use crate::trace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days in a year, for whatever is told by the year.
const YEAR: f64 = 365.25;
/// How many points a survival curve has, besides its beginning.
const POINTS: usize = 20;
/// How many digits of a number are kept: the others would differ from machine to machine.
const DIGITS: i32 = 6;

/// What `overhear simulate --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SimulationRecord {
    /// The version of this format: 1.
    pub format: u32,
    /// The version of Overhear that wrote it.
    pub version: String,
    /// How many runs each cell was given.
    pub runs: u64,
    /// How long each run lasts, in days.
    pub days: f64,
    /// What all randomness was made from.
    pub seed: u64,
    /// How often an interval holds what it is about.
    pub confidence: f64,
    /// The files about people.
    pub people_files: Vec<InputFile>,
    /// Each cell, in the order of the run.
    pub cells: Vec<SimulatedCell>,
    /// What the assumed numbers do to one cell, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepRecord>,
}

/// What the assumed numbers do to one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SweepRecord {
    /// Which cell it is, counted from 0.
    pub cell: usize,
    /// Each assumed number.
    pub numbers: Vec<SweptRecord>,
}

/// An assumed number, and what comes of it at both ends of its range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SweptRecord {
    /// The file about people that it is in.
    pub people: String,
    /// Which number.
    pub habit: String,
    /// The time in which a rate counts; absent for a probability.
    pub per: Option<Per>,
    /// The low end: so often in that time, or a probability.
    pub low: f64,
    /// The high end, likewise.
    pub high: f64,
    /// What each property comes to.
    pub properties: Vec<SweptProperty>,
}

/// The probability that a property falls, at both ends of a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SweptProperty {
    /// The property.
    pub property: String,
    /// At the low end.
    pub at_low: Interval,
    /// At the high end.
    pub at_high: Interval,
}

/// One model in one scenario, against an adversary that arrives at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SimulatedCell {
    /// The scenario's name.
    pub scenario: String,
    /// The model's name.
    pub model: String,
    /// When the adversary arrives; absent in a control without one.
    pub arrives: Option<String>,
    /// Who each person of the scenario is.
    pub people: BTreeMap<String, String>,
    /// How the adversary plays.
    pub strategy: StrategyRecord,
    /// What each property comes to.
    pub properties: Vec<PropertyRecord>,
    /// What else was counted.
    pub measures: Vec<MeasureRecord>,
    /// The nodes of the chain that was solved exactly; absent if none was.
    pub nodes: Option<usize>,
}

/// How the adversary plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "name")]
pub enum StrategyRecord {
    /// It follows a shortest attack that the checker found.
    Attack {
        /// The property that the attack is on.
        property: String,
        /// What the adversary does in it, in order.
        moves: Vec<String>,
    },
    /// It makes any of its moves at random.
    Opportunist {
        /// How many moves a day.
        #[serde(rename = "moves-a-day")]
        moves_a_day: f64,
    },
    /// It does whatever makes it most likely that a property falls in time, by value iteration.
    Best {
        /// The property.
        property: String,
        /// Among how many states.
        states: usize,
    },
    /// There is none.
    Nobody,
}

impl StrategyRecord {
    /// The strategy's name, as commands take it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Attack { .. } => "attack",
            Self::Opportunist { .. } => "opportunist",
            Self::Best { .. } => "best",
            Self::Nobody => "nobody",
        }
    }
}

/// What one property comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PropertyRecord {
    /// The property.
    pub property: String,
    /// What the checker says of it in this world: `holds`, `falls` or `unknown`.
    pub checked: String,
    /// In how many runs it fell.
    pub fell: u64,
    /// The probability that it falls within the days of a run.
    pub probability: Interval,
    /// The exact probability, where the chain was solved.
    pub exact: Option<f64>,
    /// The probability by splitting, if that was asked for and the checker does not say that it holds.
    pub split: Option<Interval>,
    /// The day by which it has fallen in half of all runs; absent if it falls in fewer.
    pub median_day: Option<f64>,
    /// The probability that it has not fallen by some days; empty if it fell in no run.
    pub survival: Vec<Point>,
}

/// An estimate and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Where the interval begins; absent if nothing can be said.
    pub low: Option<f64>,
    /// Where the interval ends; absent if nothing can be said.
    pub high: Option<f64>,
}

/// A point of a survival curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Point {
    /// The day.
    pub day: f64,
    /// The probability.
    pub probability: Interval,
}

/// Something that was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MeasureRecord {
    /// Its name.
    pub measure: String,
    /// What one of it is.
    pub unit: String,
    /// The mean over runs.
    pub mean: Interval,
}

/// Something that is told of each cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// What is counted.
    pub counted: Counted,
    /// Its name in files.
    pub name: &'static str,
    /// What is said of it to people.
    pub words: &'static str,
    /// What it is counted in.
    pub unit: Unit,
}

/// What something is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Shares of all messages.
    OfMessages,
    /// Messages a run.
    ARun,
    /// Times a person a year.
    APersonAYear,
}

impl Unit {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::OfMessages => "of all messages",
            Self::ARun => "a run",
            Self::APersonAYear => "a person a year",
        }
    }
}

/// Everything that is told of each cell besides its properties.
pub const MEASURES: [Measure; 11] = {
    use Counted::*;
    use Unit::*;
    const fn measure(counted: Counted, name: &'static str, words: &'static str, unit: Unit) -> Measure {
        Measure { counted, name, words, unit }
    }
    [
        measure(Exposed, "messages-exposed", "messages whose key went to a rogue device", OfMessages),
        measure(PastExposed, "past-messages-exposed", "earlier messages that a rogue device came to read", ARun),
        measure(Refused, "messages-refused", "messages that the client refused to send", OfMessages),
        measure(Missed, "messages-missed", "messages that some honest device could not read", OfMessages),
        measure(Ceremonies, "ceremonies", "ceremonies", APersonAYear),
        measure(Questions, "questions", "questions that stopped somebody", APersonAYear),
        measure(FalseAlarms, "false-alarms", "questions about what was honest", APersonAYear),
        measure(ClickedThrough, "clicked-through", "questions clicked through", APersonAYear),
        measure(Warnings, "warnings", "warnings of what was the adversary's", ARun),
        measure(Heeded, "heeded", "devices of the adversary's refused or taken off", ARun),
        measure(Ignored, "ignored", "yes to what was the adversary's, uncompared", ARun),
    ]
};

/// The mean of a measure over the runs of a cell.
pub fn measured(cell: &Simulated, measure: Measure, days: f64) -> Estimate {
    let honest = cell.of.people.iter().flatten().count() as f64;
    let of = |run: &Outcome| {
        let counted = run.tally[measure.counted];
        match measure.unit {
            Unit::ARun => counted,
            Unit::APersonAYear => counted / (honest * days / YEAR),
            Unit::OfMessages if run.tally[Counted::Messages] == 0.0 => 0.0,
            Unit::OfMessages => counted / run.tally[Counted::Messages],
        }
    };
    mean(&cell.outcomes.iter().map(of).collect::<Vec<_>>())
}

/// The cell whose worst property that falls does so in the share of runs that is nearest to a half: there numbers about
/// people matter most. None if nothing fell anywhere.
pub fn most_open(cells: &[Simulated]) -> Option<usize> {
    let worst = |cell: &Simulated| {
        let all = (0..cell.of.checked.len()).map(|i| fell(cell, i).value).find(|share| *share > 0.0)?;
        Some((all - 0.5).abs())
    };
    let all = cells.iter().enumerate().filter_map(|(i, cell)| Some((i, worst(cell)?)));
    all.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(i, _)| i)
}

/// In how many runs of a cell the property at `index` had fallen by `day`.
fn fallen_by(cell: &Simulated, index: usize, day: f64) -> u64 {
    cell.outcomes.iter().filter(|run| run.fell[index].is_some_and(|fell| fell <= day)).count() as u64
}

/// The probability that the property at `index` falls in a run.
pub fn fell(cell: &Simulated, index: usize) -> Estimate {
    proportion(fallen_by(cell, index, f64::INFINITY), cell.outcomes.len() as u64)
}

/// The day by which the property at `index` has fallen in half of all runs.
pub fn median_day(cell: &Simulated, index: usize) -> Option<f64> {
    let mut days: Vec<f64> = cell.outcomes.iter().filter_map(|run| run.fell[index]).collect();
    days.sort_by(f64::total_cmp);
    days.get((cell.outcomes.len() - 1) / 2).copied()
}

/// The number as it is written: to so many digits.
fn rounded(number: f64) -> f64 {
    // Through text, as multiplying would not give the nearest number with so many digits.
    let digits = DIGITS as usize - 1;
    format!("{number:.digits$e}").parse().expect("a number was just written")
}

impl Interval {
    fn of(Estimate { value, low, high }: Estimate) -> Self {
        let end = |end: f64| end.is_finite().then(|| rounded(end));
        Self { value: rounded(value), low: end(low), high: end(high) }
    }
}

impl SimulationRecord {
    /// What is kept of simulated cells, and of the assumed numbers of one of them.
    pub fn of(plan: &SimulationPlan, cells: &[Simulated], swept: Option<(usize, &[Swept])>) -> Self {
        let everybody = cells.iter().flat_map(|cell| cell.of.people.iter().flatten());
        let mut files: Vec<InputFile> = everybody.map(|who| InputFile::of(&who.name, &who.file)).collect();
        files.sort_by(|a, b| a.file.cmp(&b.file));
        files.dedup();
        Self {
            format: 1,
            version: env!("CARGO_PKG_VERSION").to_string(),
            runs: plan.runs,
            days: plan.days,
            seed: plan.seed,
            confidence: CONFIDENCE,
            people_files: files,
            cells: cells.iter().map(|cell| cell_record(cell, plan.days)).collect(),
            sweep: swept.map(|(cell, all)| {
                let numbers = all.iter().map(|swept| swept_record(&cells[cell], swept)).collect();
                SweepRecord { cell, numbers }
            }),
        }
    }
}

fn swept_record(cell: &Simulated, swept: &Swept) -> SweptRecord {
    let [low, high] = &swept.ends;
    let properties = cell.of.setting.properties.iter().zip(low.iter().zip(high));
    SweptRecord {
        people: swept.people.clone(),
        habit: habit_name(swept.habit).to_string(),
        per: swept.number.per,
        low: swept.number.low.unwrap_or(swept.number.value),
        high: swept.number.high.unwrap_or(swept.number.value),
        properties: properties
            .map(|(p, (low, high))| SweptProperty {
                property: property_name(*p).to_string(),
                at_low: Interval::of(*low),
                at_high: Interval::of(*high),
            })
            .collect(),
    }
}

fn cell_record(cell: &Simulated, days: f64) -> SimulatedCell {
    let of = &cell.of;
    let measure = |m: Measure| MeasureRecord {
        measure: m.name.to_string(),
        unit: m.unit.name().to_string(),
        mean: Interval::of(measured(cell, m, days)),
    };
    SimulatedCell {
        scenario: of.scenario.file.name.clone(),
        model: of.model.name.clone(),
        arrives: of.arrives.map(|a| arrival_name(a).to_string()),
        people: people(of.names.people.iter(), &of.people),
        strategy: strategy_record(cell),
        properties: (0..of.setting.properties.len()).map(|i| property_record(cell, i, days)).collect(),
        measures: MEASURES.into_iter().map(measure).collect(),
        nodes: cell.exact.as_ref().map(|(_, nodes)| *nodes),
    }
}

/// Who each person is, by the words by which commands find them.
fn people<'a>(names: impl Iterator<Item = &'a String>, who: &[Option<&Profile>]) -> BTreeMap<String, String> {
    let word = |who: &Option<&Profile>| who.map(|who| bundle::word(&who.file).to_string());
    names.zip(who).filter_map(|(name, who)| Some((name.clone(), word(who)?))).collect()
}

fn strategy_record(cell: &Simulated) -> StrategyRecord {
    let of = &cell.of;
    match &of.setting.strategy {
        _ if of.arrives.is_none() => StrategyRecord::Nobody,
        Strategy::Attack(property, moves) => StrategyRecord::Attack {
            property: property_name(*property).to_string(),
            moves: moves.iter().map(|&action| trace::text(&of.setting.world, &of.names, action)).collect(),
        },
        Strategy::Opportunist(pace) => StrategyRecord::Opportunist { moves_a_day: *pace },
        Strategy::Best(property, table) => {
            StrategyRecord::Best { property: property_name(*property).to_string(), states: table.len() }
        }
    }
}

/// What the checker says, as a word.
pub fn checked_word(checked: Checked) -> &'static str {
    match checked {
        Checked::Holds => "holds",
        Checked::Falls(_) => "falls",
        Checked::Unknown => "unknown",
    }
}

fn property_record(cell: &Simulated, i: usize, days: f64) -> PropertyRecord {
    let fallen = fallen_by(cell, i, f64::INFINITY);
    let all = cell.outcomes.len() as u64;
    // Closer to each other at the beginning, where most happens.
    let point = |n: usize| {
        let day = days * (n as f64 / POINTS as f64).powi(2);
        Point { day: rounded(day), probability: Interval::of(proportion(all - fallen_by(cell, i, day), all)) }
    };
    PropertyRecord {
        property: property_name(cell.of.setting.properties[i]).to_string(),
        checked: checked_word(cell.of.checked[i]).to_string(),
        fell: fallen,
        probability: Interval::of(fell(cell, i)),
        exact: cell.exact.as_ref().map(|(all, _)| rounded(all[i])),
        split: cell.split[i].map(Interval::of),
        median_day: median_day(cell, i).map(rounded),
        survival: if fallen == 0 { Vec::new() } else { (0..=POINTS).map(point).collect() },
    }
}

/// What the files of results are called.
pub const RESULTS: [&str; 2] = ["simulation.json", "simulation.csv"];

/// Results as files: their names, and their texts.
pub fn results(record: &SimulationRecord) -> Vec<(String, String)> {
    let json = serde_json::to_string_pretty(record).expect("results are JSON") + "\n";
    RESULTS.map(str::to_string).into_iter().zip([json, table(record)]).collect()
}

/// Every estimate of every cell, one a line.
pub fn table(record: &SimulationRecord) -> String {
    let header = ["scenario", "model", "arrives", "strategy", "what", "unit", "value", "low", "high", "exact", "split"];
    let header = header.into_iter().chain(["split-low", "split-high"]);
    let end = |end: Option<f64>| end.map_or(String::new(), |end| end.to_string());
    let mut out = csv::row(header);
    for cell in &record.cells {
        let row = |what: &str, unit: &str, i: Interval, exact: Option<f64>, split: Option<Interval>| {
            let of = [&cell.scenario, &cell.model, cell.arrives.as_deref().unwrap_or(""), cell.strategy.name()];
            let split = [split.map(|s| s.value), split.and_then(|s| s.low), split.and_then(|s| s.high)].map(end);
            let numbers = [i.value.to_string(), end(i.low), end(i.high), end(exact)].into_iter().chain(split);
            csv::row(of.into_iter().chain([what, unit]).map(str::to_string).chain(numbers))
        };
        for p in &cell.properties {
            out += &row(&p.property, "probability of falling", p.probability, p.exact, p.split);
        }
        for m in &cell.measures {
            out += &row(&m.measure, &m.unit, m.mean, None, None);
        }
    }
    out
}
