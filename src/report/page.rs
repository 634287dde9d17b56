//! A run as people read it: the matrix at a glance, each attack told once, what was assumed and what it costs.
//!
//! [`Page`] is what `report.json` holds and all that the HTML and the Markdown show: both are templates over it.

mod render;
mod stories;

pub(super) use render::{PARTS, is_part};
pub use render::{html, markdown};
pub use stories::{Decided, Ending, Step, StopsIt, Story};

use crate::model::Arrival;
use crate::report::matrix::{self, PolicyCost, by_scenario, cost_row};
use crate::report::plots::Plot;
use crate::report::record::{Word, expected_word};
use crate::run::{Cell, Verdict};
use crate::scenario::{
    Care, Expectation, InRoom, Model, ScenarioFile, Several, arrival_name, axes, option_name, property_name,
};
use crate::story::{capital, list};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stories::Told;

/// Everything that the report of a run shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Page {
    /// The version of this format: 1.
    pub format: u32,
    /// The version of Overhear that wrote it.
    pub version: String,
    /// What the letters of the matrix mean, the worst first.
    pub letters: Vec<Letter>,
    /// A row for each policy, a column for each scenario.
    pub matrix: Vec<Row>,
    /// Each scenario, in the order of the run.
    pub scenarios: Vec<Scenario>,
    /// Each attack that was found, told once.
    pub stories: Vec<Story>,
    /// Pictures of the run as a whole, with their data.
    pub plots: Vec<Plot>,
    /// Each policy that was searched.
    pub policies: Vec<Policy>,
    /// The reductions that the searches used.
    pub reductions: Vec<String>,
    /// States of all searches together.
    pub states: usize,
    /// Searches that ended by themselves.
    pub complete: usize,
}

/// What a letter stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Letter {
    /// The letter.
    pub letter: char,
    /// The property.
    pub property: String,
    /// What the property rules out.
    pub rules_out: String,
}

/// One policy against every scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Row {
    /// The model's name.
    pub model: String,
    /// Whether some value of it rests on something that nobody read.
    pub unverified: bool,
    /// What it asks of two careful people with two devices each, in words.
    pub cost: String,
    /// For each scenario of the page, in order, the worst that happens for each arrival; empty if not searched.
    pub worst: Vec<Vec<Glance>>,
}

/// The worst that happens in one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Glance {
    /// When the adversary arrives; null in a control without one.
    pub arrives: Option<String>,
    /// What it comes to: that of the worst property that falls, else whether all was searched.
    pub verdict: Word,
    /// Whether the policy leaves the adversary no move.
    pub no_move: bool,
    /// In a table: a letter and the length of the attack, or a sign.
    pub sign: String,
    /// What the sign says, in words.
    pub says: String,
    /// The story that shows it.
    pub story: Option<String>,
}

/// A scenario and all its verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What happens in it and what it is for.
    pub about: String,
    /// Who takes part, a line each, and what the adversary can do: nothing else was searched.
    pub cast: Vec<String>,
    /// The properties, in the order of the file.
    pub properties: Vec<String>,
    /// The verdicts, a row for each model and arrival.
    pub rows: Vec<VerdictRow>,
    /// The stories that are told first here.
    pub stories: Vec<String>,
    /// What the scenario expects, and why.
    pub claims: Vec<Claim>,
}

/// What a scenario expects of some cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Claim {
    /// The verdict that is expected.
    pub expect: Word,
    /// The properties it is about.
    pub properties: Vec<String>,
    /// The arrival it is about; null for every one.
    pub arrives: Option<String>,
    /// The axis values that a model has to have; none for every model.
    pub models_with: Vec<String>,
    /// Why.
    pub why: String,
    /// How many verdicts of the run are as expected.
    pub met: usize,
    /// How many are not, inconclusive ones left out.
    pub unmet: usize,
}

/// One search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VerdictRow {
    /// The model's name.
    pub model: String,
    /// When the adversary arrives; null in a control without one.
    pub arrives: Option<String>,
    /// States that were found.
    pub states: usize,
    /// A verdict for each property of the scenario, in order.
    pub verdicts: Vec<VerdictCell>,
}

/// What one property comes to in one search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VerdictCell {
    /// The verdict.
    pub verdict: Word,
    /// As a table shows it.
    pub sign: String,
    /// Why, if a line can say it: what leaves no move, what cut the search short, what empties the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The story that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<String>,
    /// What the scenario expects, if that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Word>,
}

/// A policy, its sources and its cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Policy {
    /// The model's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Whose behaviour it is, at which version, and what is left out.
    pub about: String,
    /// How many of its values rest on something that nobody read.
    pub unverified: usize,
    /// Each axis that it uses, its value and where that is known from.
    pub axes: Vec<AxisValue>,
    /// What it asks of people: a heading and a value each.
    pub costs: Vec<(String, String)>,
}

/// The value of a policy on one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AxisValue {
    /// The axis.
    pub axis: String,
    /// The value.
    pub value: String,
    /// Its original source.
    pub source: Option<String>,
}

/// The page of a run, and the trace files that it speaks of: name and content.
pub fn page(cells: &[Cell], models: &[Model], costs: &[PolicyCost], plots: Vec<Plot>) -> (Page, Vec<(String, String)>) {
    let told = Told::of(cells);
    let searched = |m: &Model| cells.iter().any(|c| c.model.name == m.name);
    let policies = || models.iter().zip(costs).filter(|(m, _)| searched(m));
    let groups = by_scenario(cells);
    let page = Page {
        format: 1,
        version: env!("CARGO_PKG_VERSION").to_string(),
        letters: matrix::letters().map(|(p, letter, evil)| letter_of(property_name(p), letter, evil)).collect(),
        matrix: policies().map(|(m, c)| row(m, c, &groups, &told)).collect(),
        scenarios: groups.iter().map(|(_, group)| scenario(group, &told)).collect(),
        plots,
        policies: policies().map(|(m, c)| policy(m, c)).collect(),
        reductions: matrix::reductions_words(cells).into_iter().map(str::to_string).collect(),
        states: cells.iter().map(|c| c.findings.states).sum(),
        complete: cells.iter().filter(|c| c.complete()).count(),
        stories: told.stories,
    };
    (page, told.traces)
}

fn letter_of(property: &str, letter: char, evil: &str) -> Letter {
    Letter { letter, property: property.to_string(), rules_out: evil.to_string() }
}

fn arrives(arrival: Option<Arrival>) -> Option<String> {
    arrival.map(|a| arrival_name(a).to_string())
}

fn row(model: &Model, cost: &PolicyCost, groups: &[(&str, Vec<&Cell>)], told: &Told) -> Row {
    let cells = |group: &[&Cell]| -> Vec<Glance> {
        group.iter().filter(|c| c.model.name == model.name).map(|c| glance(c, told)).collect()
    };
    let cost = matrix::cost_text(cost.careful);
    Row {
        model: model.name.clone(),
        unverified: model.unverified() > 0,
        cost,
        worst: groups.iter().map(|(_, group)| cells(group)).collect(),
    }
}

fn glance(cell: &Cell, told: &Told) -> Glance {
    let open = |v: &&(_, Verdict)| matches!(v.1, Verdict::Unknown { .. } | Verdict::Vacuous { .. });
    let worst = matrix::worst(cell);
    let (property, verdict) = match worst {
        Some(i) => &cell.verdicts[i],
        None => cell.verdicts.iter().find(open).unwrap_or(&cell.verdicts[0]),
    };
    let length = if let Verdict::Violated { trace } = verdict { trace.len() } else { 0 };
    let sign = match matrix::worst_sign(cell).as_str() {
        "." => "·".to_string(),
        "-" => "–".to_string(),
        sign if length > 0 => format!("{sign}{length}"),
        sign => sign.to_string(),
    };
    let no_move = sign == "–";
    let says = match verdict {
        Verdict::Violated { .. } => format!("{}, in {length} steps", matrix::evil(*property)),
        Verdict::Holds { no_move: Some(axes) } if no_move => format!("the adversary has no move with {axes}"),
        Verdict::Holds { .. } => "no attack within these bounds".to_string(),
        Verdict::Unknown { stopped } => format!("cut short by {}", matrix::stopped_word(*stopped)),
        Verdict::Vacuous { why } => why.clone(),
    };
    let story = worst.and_then(|i| told.story(cell, i));
    Glance { arrives: arrives(cell.arrives), verdict: verdict.into(), no_move, sign, says, story }
}

fn scenario(group: &[&Cell], told: &Told) -> Scenario {
    let file = &group[0].scenario.file;
    Scenario {
        name: file.name.clone(),
        title: file.title.clone(),
        about: file.about.clone(),
        cast: cast(file),
        properties: file.properties().map(|p| property_name(p).to_string()).collect(),
        rows: group.iter().map(|cell| verdict_row(cell, told)).collect(),
        stories: told.stories.iter().filter(|s| s.scenario == file.name).map(|s| s.id.clone()).collect(),
        claims: file.expectations.iter().map(|c| claim(c, group)).filter(|c| c.met + c.unmet > 0).collect(),
    }
}

/// Who takes part, and what the adversary can do, a line each.
fn cast(file: &ScenarioFile) -> Vec<String> {
    let person = |p: &crate::scenario::PersonEntry| {
        let care = match p.care {
            Care::Careful => "careful",
            Care::Hurried => "hurried",
            Care::Inattentive => "inattentive",
        };
        let model = p.model.as_ref().map_or(String::new(), |m| format!(", always under {m}"));
        let later = if p.in_room == InRoom::WhenInvited { ", in the room once invited" } else { "" };
        let senders: Vec<String> = p.devices.iter().filter(|d| file.senders.contains(d)).cloned().collect();
        let sends = if senders.is_empty() { String::new() } else { format!("; sends from {}", list(&senders)) };
        format!("{} ({care}{model}{later}) on {}, with {}{sends}", capital(&p.name), list(&p.devices), p.server)
    };
    let mut lines: Vec<String> = file.people.iter().map(person).collect();
    if !file.options.is_empty() {
        let options: Vec<String> = file.options.iter().map(|o| option_name(o.0).to_string()).collect();
        lines.push(format!("Honest people may also: {}", list(&options)));
    }
    let Some(adversary) = &file.adversary else {
        return lines.into_iter().chain(["No adversary".to_string()]).collect();
    };
    let powers: Vec<String> = adversary.powers.iter().map(|p| format!("{} {}", p.power.name(), p.of)).collect();
    lines.push(format!("The adversary: {}", list(&powers)));
    let device = |d: &crate::scenario::RogueDevice| {
        let id = d.reuses_id_of.as_ref().map_or(String::new(), |h| format!(", under the id of {h}"));
        let pose = if d.poses_as.is_some() { ", posing as a dehydrated device" } else { "" };
        format!("{}, a device that is claimed to be {}'s{id}{pose}", capital(&d.name), capital(&d.claims))
    };
    let account = |a: &crate::scenario::Account| {
        format!("{}, an account of the adversary's on {}, with {}", capital(&a.name), list(&a.devices), a.server)
    };
    lines.extend(adversary.devices.iter().map(device).chain(adversary.accounts.iter().map(account)));
    lines
}

fn claim(claim: &Expectation, group: &[&Cell]) -> Claim {
    let decides = |cell: &&&Cell, i: usize| cell.claims[i].is_some_and(|c| std::ptr::eq(c, claim));
    let verdicts = group.iter().flat_map(|cell| (0..cell.verdicts.len()).map(move |i| (cell, i)));
    let met: Vec<bool> = verdicts.filter(|(c, i)| decides(c, *i)).filter_map(|(c, i)| c.met(i)).collect();
    let with = |(axis, values): (&String, &Several<String>)| format!("{axis}: {}", values.0.join(" or "));
    Claim {
        expect: expected_word(claim.expect),
        properties: claim.property.0.iter().map(|p| property_name(p.0).to_string()).collect(),
        arrives: arrives(claim.arrives.as_ref().map(|a| a.0)),
        models_with: claim.r#where.iter().map(with).collect(),
        why: claim.why.clone(),
        met: met.iter().filter(|met| **met).count(),
        unmet: met.iter().filter(|met| !**met).count(),
    }
}

fn verdict_row(cell: &Cell, told: &Told) -> VerdictRow {
    VerdictRow {
        model: cell.model.name.clone(),
        arrives: arrives(cell.arrives),
        states: cell.findings.states,
        verdicts: (0..cell.verdicts.len()).map(|i| verdict_cell(cell, i, told)).collect(),
    }
}

fn verdict_cell(cell: &Cell, index: usize, told: &Told) -> VerdictCell {
    let verdict = &cell.verdicts[index].1;
    let why = match verdict {
        Verdict::Holds { no_move } => no_move.clone(),
        Verdict::Violated { .. } => None,
        Verdict::Unknown { stopped } => Some(matrix::stopped_word(*stopped).to_string()),
        Verdict::Vacuous { why } => Some(why.clone()),
    };
    let expected = (cell.met(index) == Some(false)).then(|| cell.claims[index].map(|c| expected_word(c.expect)));
    VerdictCell {
        verdict: verdict.into(),
        sign: matrix::sign(verdict),
        why,
        story: told.story(cell, index),
        expected: expected.flatten(),
    }
}

fn policy(model: &Model, cost: &PolicyCost) -> Policy {
    let axis =
        |(axis, value): (String, String)| AxisValue { source: model.source(&axis).map(str::to_string), axis, value };
    Policy {
        name: model.name.clone(),
        title: model.title.clone(),
        about: model.about.clone(),
        unverified: model.unverified(),
        axes: axes(&model.policy).into_iter().filter(|(_, value)| value != "unused").map(axis).collect(),
        costs: cost_row(cost).into_iter().map(|(what, asks)| (what.to_string(), asks)).collect(),
    }
}
