//! A run as a file: what was searched and what came out, for programs to read and for another run to be held against.

use crate::explore::cost::{Cost, Event, EventCost};
use crate::report::diff::{Outcome, Side};
use crate::report::matrix::{PolicyCost, cost_row, event_name, reductions_words, stopped_word};
use crate::run::{Cell, Verdict};
use crate::scenario::{Expect, Model, arrival_name, property_name};
use crate::{story, trace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `--format json` and `matrix.json` hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Record {
    /// The version of this format: 1.
    pub format: u32,
    /// The version of Overhear that wrote it.
    pub version: String,
    /// The reductions that the searches used.
    pub reductions: Vec<String>,
    /// Each search and what it came to, in the order of the run.
    pub cells: Vec<CellRecord>,
    /// What each policy asks of people; empty where nobody asked.
    pub costs: Vec<CostRecord>,
}

/// One model in one scenario, against an adversary that arrives at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CellRecord {
    /// The scenario's name.
    pub scenario: String,
    /// The model's name.
    pub model: String,
    /// When the adversary arrives; null in a control without one.
    pub arrives: Option<String>,
    /// States that were found.
    pub states: usize,
    /// Steps between them.
    pub transitions: usize,
    /// Steps to the farthest of them.
    pub depth: usize,
    /// Whether the search ended by itself.
    pub complete: bool,
    /// Each property of the scenario and what it comes to.
    pub verdicts: Vec<VerdictRecord>,
}

/// What one property comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VerdictRecord {
    /// The property's name.
    pub property: String,
    /// What it comes to.
    pub verdict: Word,
    /// The axis and value that leave the adversary no move, where the property holds for that reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_move: Option<String>,
    /// The length of the shortest attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// The actions of the least of the shortest attacks; empty if the property is a possibility that nothing shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Vec<String>>,
    /// What cut the search short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// What empties the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the scenario claims; null if it claims nothing.
    pub expected: Option<Word>,
}

/// A verdict in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// The search was complete, and nothing violates the property.
    Holds,
    /// A trace violates it.
    Violated,
    /// The search was cut short before it could tell.
    Unknown,
    /// The question is empty.
    Vacuous,
}

impl From<&Verdict> for Word {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Holds { .. } => Self::Holds,
            Verdict::Violated { .. } => Self::Violated,
            Verdict::Unknown { .. } => Self::Unknown,
            Verdict::Vacuous { .. } => Self::Vacuous,
        }
    }
}

impl Word {
    /// The word as files spell it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated => "violated",
            Self::Unknown => "unknown",
            Self::Vacuous => "vacuous",
        }
    }

    /// The verdict in a table, without colour: with the length of the attack, and whether the adversary has no move.
    pub fn sign(self, length: usize, no_move: bool) -> String {
        match self {
            Self::Violated => format!("FALLS {length}"),
            Self::Holds if no_move => "no move".to_string(),
            word => word.text().to_string(),
        }
    }
}

/// What one policy asks of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CostRecord {
    /// The model's name.
    pub model: String,
    /// Two careful people with two devices each set up everything; null if some device then never reads.
    pub set_up: Option<Asked>,
    /// The same for people who may click through any prompt.
    pub set_up_hurried: Option<Asked>,
    /// What happens (`new-device`, `re-login`, `reset`), and what it asks of careful people.
    pub events: BTreeMap<String, Option<AskedOfWhom>>,
}

/// What people are asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Asked {
    /// How many comparisons they make.
    pub ceremonies: u32,
    /// How many questions they answer.
    pub prompts: u32,
}

/// What an event asks of whom.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AskedOfWhom {
    /// Of the person whose device or identity it is.
    pub owner: Asked,
    /// Of everybody else.
    pub others: Asked,
}

/// What a claim expects.
pub fn expected_word(expect: Expect) -> Word {
    match expect {
        Expect::Holds => Word::Holds,
        Expect::Violated => Word::Violated,
    }
}

impl From<Cost> for Asked {
    fn from(Cost { ceremonies, prompts }: Cost) -> Self {
        Self { ceremonies, prompts }
    }
}
impl From<Asked> for Cost {
    fn from(Asked { ceremonies, prompts }: Asked) -> Self {
        Self { ceremonies, prompts }
    }
}

impl Record {
    /// The record of a run, with what each of `models` costs.
    pub fn of(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> Self {
        Self {
            format: 1,
            version: env!("CARGO_PKG_VERSION").to_string(),
            reductions: reductions_words(cells).into_iter().map(str::to_string).collect(),
            cells: cells.iter().map(cell_record).collect(),
            costs: models.iter().zip(costs).map(|(m, c)| cost_record(&m.name, c)).collect(),
        }
    }

    /// The models that were searched, in the order of the run.
    pub fn models(&self) -> Vec<&str> {
        self.cells.iter().fold(Vec::new(), |mut all, cell| {
            if !all.contains(&cell.model.as_str()) {
                all.push(&cell.model);
            }
            all
        })
    }

    /// What the run says of one model, as one side of a comparison in which the run is called `name`.
    pub fn side(&self, name: &str, model: &str) -> Side {
        let cells = self.cells.iter().filter(|cell| cell.model == model);
        let costs = self.costs.iter().find(|cost| cost.model == model);
        Side {
            name: name.to_string(),
            word: model.to_string(),
            axes: Vec::new(),
            outcomes: cells.flat_map(|cell| cell.verdicts.iter().map(|v| outcome(cell, v))).collect(),
            costs: costs.map_or(Vec::new(), |cost| cost_row(&policy_cost(cost))),
        }
    }
}

fn cell_record(cell: &Cell) -> CellRecord {
    CellRecord {
        scenario: cell.scenario.file.name.clone(),
        model: cell.model.name.clone(),
        arrives: cell.arrives.map(|a| arrival_name(a).to_string()),
        states: cell.findings.states,
        transitions: cell.findings.transitions,
        depth: cell.findings.depth,
        complete: cell.complete(),
        verdicts: (0..cell.verdicts.len()).map(|i| verdict_record(cell, i)).collect(),
    }
}

fn verdict_record(cell: &Cell, index: usize) -> VerdictRecord {
    let (property, verdict) = &cell.verdicts[index];
    let word = |verdict| VerdictRecord {
        property: property_name(*property).to_string(),
        verdict,
        no_move: None,
        length: None,
        trace: None,
        stopped_by: None,
        why: None,
        expected: cell.claims[index].map(|claim| expected_word(claim.expect)),
    };
    match verdict {
        Verdict::Holds { no_move } => VerdictRecord { no_move: no_move.clone(), ..word(Word::Holds) },
        Verdict::Violated { trace: actions } => {
            let texts = actions.iter().map(|&a| trace::text(&cell.world, &cell.names, a)).collect();
            VerdictRecord { length: Some(actions.len()), trace: Some(texts), ..word(Word::Violated) }
        }
        Verdict::Unknown { stopped } => {
            VerdictRecord { stopped_by: Some(stopped_word(*stopped).to_string()), ..word(Word::Unknown) }
        }
        Verdict::Vacuous { why } => VerdictRecord { why: Some(why.clone()), ..word(Word::Vacuous) },
    }
}

fn cost_record(model: &str, cost: &PolicyCost) -> CostRecord {
    let of_whom = |c: EventCost| AskedOfWhom { owner: c.owner.into(), others: c.peers.into() };
    CostRecord {
        model: model.to_string(),
        set_up: cost.careful.map(Asked::from),
        set_up_hurried: cost.hurried.map(Asked::from),
        events: cost.events.iter().map(|&(e, c)| (event_name(e).to_string(), c.map(of_whom))).collect(),
    }
}

fn policy_cost(record: &CostRecord) -> PolicyCost {
    let of_whom = |c: AskedOfWhom| EventCost { owner: c.owner.into(), peers: c.others.into(), notices: 0 };
    let event = |e: Event| Some((e, record.events.get(event_name(e))?.map(of_whom)));
    PolicyCost {
        careful: record.set_up.map(Cost::from),
        hurried: record.set_up_hurried.map(Cost::from),
        events: Event::ALL.into_iter().filter_map(event).collect(),
    }
}

fn outcome(cell: &CellRecord, verdict: &VerdictRecord) -> Outcome {
    let says = match (verdict.verdict, &verdict.no_move, &verdict.stopped_by, &verdict.why) {
        (Word::Holds, Some(axis), ..) => format!("`{axis}` leaves the adversary no move."),
        (Word::Unknown, _, Some(stopped), _) => format!("Stopped by {stopped}."),
        (Word::Vacuous, .., Some(why)) => story::capital(why) + ".",
        _ => String::new(),
    };
    Outcome {
        scenario: cell.scenario.clone(),
        word: cell.scenario.clone(),
        arrives: cell.arrives.clone(),
        property: verdict.property.clone(),
        verdict: verdict.verdict.text(),
        sign: verdict.verdict.sign(verdict.length.unwrap_or_default(), verdict.no_move.is_some()),
        attack: verdict.trace.clone().unwrap_or_default(),
        says,
    }
}
