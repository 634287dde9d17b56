//! A run as a file: what was searched and what came out, for programs to read and for another run to be held against.

use crate::bundle;
use crate::explore::cost::{Cost, Event, EventCost};
use crate::explore::{Findings, Stopped};
use crate::input::Source;
use crate::model::{Action, Arrival, Property, Reductions, World};
use crate::report::diff::{Outcome, Side};
use crate::report::itf::input_hash;
use crate::report::matrix::{PolicyCost, cost_row, event_name, reductions_words, stopped_word};
use crate::run::{Cell, Scenario, Verdict, expectation};
use crate::scenario::{Expect, Model, arrival_by_name, arrival_name, compile, property_by_name, property_name};
use crate::story;
use crate::trace::{self, Names};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

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
    /// The scenarios that were searched.
    pub scenario_files: Vec<InputFile>,
    /// The models that were searched.
    pub model_files: Vec<InputFile>,
    /// Each search and what it came to, in the order of the run.
    pub cells: Vec<CellRecord>,
    /// What each policy asks of people; empty where nobody asked.
    pub costs: Vec<CostRecord>,
}

/// A file that a run has read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InputFile {
    /// The name of the scenario or model.
    pub name: String,
    /// The word by which commands find it: its name again if it is bundled, else the path of its file.
    pub file: String,
    /// A hash of its text.
    pub hash: String,
}

impl InputFile {
    /// What a run keeps of the file of `name`.
    pub fn of(name: &str, source: &Source) -> Self {
        let file = bundle::word(source).to_string();
        Self { name: name.to_string(), file, hash: input_hash(&[&source.text]) }
    }
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
    /// The axes and values that leave the adversary no move, where the property holds for that reason.
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
            scenario_files: files(cells, |c| InputFile::of(&c.scenario.file.name, &c.scenario.source)),
            model_files: files(cells, |c| InputFile::of(&c.model.name, &c.model.file)),
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
            word: word(&self.model_files, model),
            axes: Vec::new(),
            outcomes: cells.flat_map(|cell| cell.verdicts.iter().map(|v| self.outcome(cell, v))).collect(),
            costs: costs.map_or(Vec::new(), |cost| cost_row(&policy_cost(cost))),
        }
    }

    fn outcome(&self, cell: &CellRecord, verdict: &VerdictRecord) -> Outcome {
        let says = match (verdict.verdict, &verdict.no_move, &verdict.stopped_by, &verdict.why) {
            (Word::Holds, Some(axes), ..) => format!("The adversary has no move with `{axes}`."),
            (Word::Unknown, _, Some(stopped), _) => format!("Stopped by {stopped}."),
            (Word::Vacuous, .., Some(why)) => story::capital(why) + ".",
            _ => String::new(),
        };
        Outcome {
            scenario: cell.scenario.clone(),
            word: word(&self.scenario_files, &cell.scenario),
            arrives: cell.arrives.clone(),
            property: verdict.property.clone(),
            verdict: verdict.verdict.text(),
            sign: verdict.verdict.sign(verdict.length.unwrap_or_default(), verdict.no_move.is_some()),
            attack: verdict.trace.clone().unwrap_or_default(),
            says,
            no_move: verdict.no_move.is_some(),
            only_asked: false,
        }
    }
}

/// The word by which commands find what is called `name` in these files.
fn word(files: &[InputFile], name: &str) -> String {
    files.iter().find(|file| file.name == name).map_or(name, |file| &file.file).to_string()
}

/// The files of some cells, each once, in order.
fn files(cells: &[Cell], of: impl Fn(&Cell) -> InputFile) -> Vec<InputFile> {
    cells.iter().map(of).fold(Vec::new(), |mut all, file| {
        if !all.contains(&file) {
            all.push(file);
        }
        all
    })
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

/// What a policy costs, from what is recorded of it.
pub fn policy_cost(record: &CostRecord) -> PolicyCost {
    let of_whom = |c: AskedOfWhom| EventCost { owner: c.owner.into(), peers: c.others.into(), notices: 0 };
    let event = |e: Event| Some((e, record.events.get(event_name(e))?.map(of_whom)));
    PolicyCost {
        careful: record.set_up.map(Cost::from),
        hurried: record.set_up_hurried.map(Cost::from),
        events: Event::ALL.into_iter().filter_map(event).collect(),
    }
}

impl CellRecord {
    /// The cell again, from what is recorded of it: its traces are replayed by the plain rules, and refused if they do
    /// not end where they should. The error says which.
    pub fn cell<'a>(
        &self,
        scenario: &'a Scenario,
        model: &'a Model,
        known: &'a [Model],
        reductions: Reductions,
    ) -> Result<Cell<'a>, String> {
        let at = [&self.scenario, &self.model].map(String::as_str).join(", ");
        let arrives = match &self.arrives {
            None => None,
            Some(name) => Some(arrival_by_name(name).ok_or_else(|| format!("{at}: no arrival is called `{name}`"))?),
        };
        if !scenario.file.arrivals().contains(&arrives) {
            return Err(format!("{at}: the scenario has no such arrival"));
        }
        let asked: Vec<&str> = scenario.file.properties().map(property_name).collect();
        if !self.verdicts.iter().map(|v| v.property.as_str()).eq(asked.iter().copied()) {
            return Err(format!("{at}: the scenario asks about {}, in this order", asked.join(", ")));
        }
        let when = arrives.unwrap_or(Arrival::FromStart);
        let compiled = compile(&scenario.file, &scenario.source, model, known, when);
        let (world, names) = compiled.map_err(|e| e.to_string())?;
        let mut verdicts = Vec::new();
        let mut claims = Vec::new();
        for v in &self.verdicts {
            let at = format!("{at}: {}", v.property);
            let property = property_by_name(&v.property).ok_or_else(|| format!("{at}: there is no such property"))?;
            let verdict = v.verdict(&world, &names, property).map_err(|e| format!("{at}: {e}"))?;
            claims.push(expectation(known, scenario, model, arrives, property).map_err(|e| e.to_string())?);
            verdicts.push((property, verdict));
        }
        let cut =
            verdicts.iter().find_map(|(_, v)| if let Verdict::Unknown { stopped } = v { Some(*stopped) } else { None });
        let trace = |(p, v): &(Property, Verdict)| match v {
            Verdict::Violated { trace } if p.is_safety() => (*p, Some(trace.clone())),
            _ => (*p, None),
        };
        let findings = Findings {
            states: self.states,
            transitions: self.transitions,
            adversary_moved: true,
            adversary_arrived: true,
            depth: self.depth,
            stopped: if self.complete { None } else { cut.or(Some(Stopped::Interrupted)) },
            traces: verdicts.iter().map(trace).collect(),
            took: Duration::ZERO,
            bytes: 0,
            reductions,
        };
        Ok(Cell { scenario, model, arrives, world, names, findings, verdicts, claims })
    }
}

impl VerdictRecord {
    fn verdict(&self, w: &World, names: &Names, property: Property) -> Result<Verdict, String> {
        Ok(match self.verdict {
            Word::Holds => Verdict::Holds { no_move: self.no_move.clone() },
            Word::Vacuous => Verdict::Vacuous { why: self.why.clone().unwrap_or_default() },
            Word::Unknown => {
                let word = self.stopped_by.as_deref().unwrap_or_default();
                let stopped = Stopped::ALL.into_iter().find(|s| stopped_word(*s) == word);
                Verdict::Unknown { stopped: stopped.ok_or_else(|| format!("nothing stops a search called `{word}`"))? }
            }
            Word::Violated => {
                let texts = self.trace.as_deref().unwrap_or_default();
                let parse = |text: &String| trace::parse(w, names, text).map_err(|e| format!("`{text}`: {e}"));
                let actions: Vec<Action> = texts.iter().map(parse).collect::<Result<_, _>>()?;
                if let Some(i) = trace::foreign(w, &actions) {
                    return Err(format!("`{}`: in this scenario nobody can do that", texts[i]));
                }
                if property.is_safety() && !trace::ends_with(w, &actions, property, false) {
                    return Err("the trace does not replay to a violation".to_string());
                }
                Verdict::Violated { trace: actions }
            }
        })
    }
}

/// The reductions that words name.
pub fn reductions_of(words: &[String]) -> Reductions {
    let has = |word: &str| words.iter().any(|w| w == word);
    Reductions {
        dominated_answers: has("dominated answers"),
        unread_fields: has("unread fields"),
        decided_properties: has("decided properties"),
        symmetry: has("symmetry"),
    }
}
