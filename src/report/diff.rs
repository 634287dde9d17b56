//! What changes from one trust model to another over the same scenarios: axes, verdicts, attacks, and what it asks.
//!
//! A [`Side`] is made of words and numbers, without worlds and searches: whatever can be read from a file of results
//! can be compared as well as what was searched just now.

use crate::model::property::culprits;
use crate::model::{Action, Person, Property, Set, State};
use crate::report::explain::command_of;
use crate::report::matrix::{self, PolicyCost};
use crate::report::terminal::wrapped;
use crate::run::{Cell, Scenario, Verdict};
use crate::scenario::{Model, arrival_name, axis_values, property_name};
use crate::story::consequence;
use crate::trace;
use serde_json::{Value, json};

/// One model with everything that is compared of it.
pub struct Side {
    /// What tables and sentences call it.
    pub name: String,
    /// The word by which a command finds it: a bundled name or a path.
    pub word: String,
    /// Its axes, in the order of declaration.
    pub axes: Vec<Axis>,
    /// What the searches found, in the order of the plan.
    pub outcomes: Vec<Outcome>,
    /// What it asks of people: what happens, and the cost as text.
    pub costs: Vec<(&'static str, String)>,
}

/// A value on an axis, and where it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Axis {
    /// The axis' name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Its source; none where the axis is unused.
    pub source: Option<String>,
}

/// What one property comes to in one scenario.
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// The word by which a command finds the scenario: a bundled name or a path.
    pub word: String,
    /// The arrival's name; none in a control.
    pub arrives: Option<String>,
    /// The property's name.
    pub property: String,
    /// `holds`, `violated`, `unknown` or `vacuous`.
    pub verdict: &'static str,
    /// The verdict as tables write it.
    pub sign: String,
    /// The actions of a shortest attack; empty if there is none.
    pub attack: Vec<String>,
    /// What the attack comes to, as a sentence; why, where there is no attack to tell.
    pub says: String,
    /// Whether the property holds because the adversary has no move.
    pub no_move: bool,
    /// Whether the attack's only warning is the question to which the owner of the account says yes. Never so where
    /// the outcome was read from a record, which has no states.
    pub only_asked: bool,
}

/// The side of `model` in the cells that were searched under it.
pub fn side(
    (name, word): (&str, &str),
    model: &Model,
    cells: &[&Cell],
    cost: &PolicyCost,
    scenario_word: &dyn Fn(&Scenario) -> String,
) -> Side {
    let outcomes = cells.iter().flat_map(|c| (0..c.verdicts.len()).map(|i| outcome(c, i, scenario_word(c.scenario))));
    let value = |axis: &str| crate::scenario::axes(&model.policy).into_iter().find(|a| a.0 == axis).map(|a| a.1);
    let axis = |name: String| Axis {
        value: value(&name).expect("a policy has every axis"),
        source: model.source(&name).map(str::to_string),
        name,
    };
    Side {
        name: name.to_string(),
        word: word.to_string(),
        axes: axis_values().into_iter().map(|(name, _)| axis(name)).collect(),
        outcomes: outcomes.collect(),
        costs: matrix::cost_row(cost),
    }
}

fn outcome(cell: &Cell, index: usize, word: String) -> Outcome {
    let (property, verdict) = &cell.verdicts[index];
    let (attack, says) = match verdict {
        Verdict::Violated { trace: actions } if !actions.is_empty() => {
            let texts = actions.iter().map(|&a| trace::text(&cell.world, &cell.names, a)).collect();
            (texts, consequence(&cell.world, &cell.names, cell.end(actions), *property))
        }
        Verdict::Violated { .. } => (Vec::new(), "In no reachable state is it so.".to_string()),
        Verdict::Holds { no_move: Some(axes) } => (Vec::new(), format!("The adversary has no move with `{axes}`.")),
        Verdict::Holds { no_move: None } => (Vec::new(), String::new()),
        Verdict::Unknown { stopped } => (Vec::new(), format!("Stopped by {}.", matrix::stopped_word(*stopped))),
        Verdict::Vacuous { why } => (Vec::new(), crate::story::capital(why) + "."),
    };
    Outcome {
        scenario: cell.scenario.file.name.clone(),
        word,
        arrives: cell.arrives.map(|a| arrival_name(a).to_string()),
        property: property_name(*property).to_string(),
        verdict: matrix::verdict_word(verdict),
        sign: matrix::sign(verdict),
        attack,
        says,
        no_move: matches!(verdict, Verdict::Holds { no_move: Some(_) }),
        only_asked: matches!(verdict, Verdict::Violated { trace } if only_asked(cell, *property, trace)),
    }
}

/// Whether the first warning of those who fall to an attack is the question to which they say yes, and no other person
/// is warned of them by the end.
fn only_asked(cell: &Cell, property: Property, attack: &[Action]) -> bool {
    let w = &cell.world;
    let states = trace::replay(w, attack).expect("traces were replayed before they were kept");
    let end = states[states.len() - 1];
    let victims: Set<Person> = culprits(w, end, property).iter().map(|d| w.owner(d)).collect();
    let somebody_warned = |s: &State| victims.iter().any(|p| w.all_people().any(|q| s.warned.has(q, p)));
    let others = |p: Person| w.all_people().filter(move |&q| q != p);
    let first = attack.iter().zip(&states[1..]).find(|(_, after)| somebody_warned(after));
    first.is_some_and(|(action, _)| matches!(action, Action::PhishLink(..)))
        && !victims.iter().any(|p| others(p).any(|q| end.warned.has(q, p)))
}

/// How an outcome of one side differs from that of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The property holds under the first model and falls under the second.
    Lost,
    /// The property falls under the first model and holds under the second.
    Won,
    /// It falls under both, with a shorter attack under the second.
    Sooner,
    /// It falls under both, with a longer attack under the second.
    Later,
    /// It falls under both, with another attack of the same length.
    Otherwise,
    /// It holds under both, and only one of them gives the adversary nothing to act on.
    Moves,
    /// A verdict is missing on one side at least.
    Undecided,
}

impl Change {
    /// The change as JSON spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Won => "won",
            Self::Sooner => "shorter-attack",
            Self::Later => "longer-attack",
            Self::Otherwise => "other-attack",
            Self::Moves => "moves",
            Self::Undecided => "undecided",
        }
    }
}

/// What differs between two sides.
pub struct Difference<'a> {
    /// The first model.
    pub a: &'a Side,
    /// The second model.
    pub b: &'a Side,
    /// Axes with another value or another source.
    pub axes: Vec<(&'a Axis, &'a Axis)>,
    /// Outcomes that differ, and how.
    pub outcomes: Vec<(Change, &'a Outcome, &'a Outcome)>,
    /// Outcomes that both sides have.
    pub compared: usize,
    /// What costs something else: what happens, and the two costs.
    pub costs: Vec<(&'static str, &'a str, &'a str)>,
}

/// Compares two sides, as far as both have the same scenarios; if so asked, `attacks` of the same length too.
pub fn difference<'a>(a: &'a Side, b: &'a Side, attacks: bool) -> Difference<'a> {
    let other = |x: &Outcome| {
        let same = |y: &&Outcome| (&y.scenario, &y.arrives, &y.property) == (&x.scenario, &x.arrives, &x.property);
        b.outcomes.iter().find(same)
    };
    let pairs: Vec<_> = a.outcomes.iter().filter_map(|x| Some((x, other(x)?))).collect();
    let changed = pairs.iter().filter_map(|&(x, y)| Some((change(x, y, attacks)?, x, y)));
    let axes = a.axes.iter().filter_map(|x| Some((x, b.axes.iter().find(|y| y.name == x.name)?)));
    let costs = a.costs.iter().filter_map(|x| Some((x, b.costs.iter().find(|y| y.0 == x.0)?)));
    Difference {
        a,
        b,
        axes: axes.filter(|(x, y)| x != y).collect(),
        outcomes: changed.collect(),
        compared: pairs.len(),
        costs: costs.filter(|(x, y)| x.1 != y.1).map(|(x, y)| (x.0, x.1.as_str(), y.1.as_str())).collect(),
    }
}

fn change(a: &Outcome, b: &Outcome, attacks: bool) -> Option<Change> {
    match (a.verdict, b.verdict) {
        ("holds", "violated") => Some(Change::Lost),
        ("violated", "holds") => Some(Change::Won),
        ("violated", "violated") if b.attack.len() < a.attack.len() => Some(Change::Sooner),
        ("violated", "violated") if b.attack.len() > a.attack.len() => Some(Change::Later),
        ("violated", "violated") if attacks && a.attack != b.attack => Some(Change::Otherwise),
        ("holds", "holds") if a.sign != b.sign => Some(Change::Moves),
        ("holds" | "violated", "holds" | "violated") => None,
        _ => Some(Change::Undecided),
    }
}

impl Difference<'_> {
    /// How many outcomes differ in this way.
    pub fn count(&self, change: Change) -> usize {
        self.outcomes.iter().filter(|o| o.0 == change).count()
    }
}

/// The difference for a person.
pub fn text(d: &Difference) -> String {
    let mut out = format!("{} → {}\n\n{}", d.a.name, d.b.name, axes_text(d)) + &outcomes_text(d) + &costs_text(d);
    let same = d.compared - d.outcomes.len();
    let changes = [Change::Lost, Change::Won, Change::Sooner, Change::Later, Change::Moves, Change::Undecided];
    let [lost, won, sooner, later, moves, undecided] = changes.map(|change| d.count(change));
    out += &format!(
        "{} verdicts: {lost} lost, {won} won, {sooner} with shorter attacks, {later} with longer ones,\n\
         {moves} with other reasons to hold, {undecided} not conclusive, {same} the same\n",
        d.compared
    );
    out
}

/// The outcomes that differ, by how they do.
fn outcomes_text(d: &Difference) -> String {
    let (a, b) = (&d.a.name, &d.b.name);
    let sections = [
        (Change::Lost, format!("What {b} loses: attacks that {a} withstands")),
        (Change::Won, format!("What {b} keeps: attacks of {a} that are gone")),
        (Change::Sooner, "Shorter attacks".to_string()),
        (Change::Later, "Longer attacks".to_string()),
        (Change::Otherwise, "Other attacks of the same length".to_string()),
        (Change::Moves, "Holds under both, where one leaves the adversary no move".to_string()),
        (Change::Undecided, "Not conclusive".to_string()),
    ];
    let mut out = String::new();
    for (change, title) in sections {
        let rows: String = grouped(d, change).iter().map(|group| group_text(d, change, group)).collect();
        if !rows.is_empty() {
            out += &format!("{title}\n{rows}\n");
        }
    }
    out
}

fn axes_text(d: &Difference) -> String {
    let mut out = String::new();
    for (x, y) in d.axes.iter().filter(|(x, y)| x.value != y.value) {
        out += &format!("  {}: {} → {}\n", x.name, x.value, y.value);
        for (side, axis) in [(d.a, x), (d.b, y)] {
            let source = axis.source.iter().map(|source| wrapped("      ", 8, &format!("{}: {source}", side.name)));
            out += &source.collect::<String>();
        }
    }
    let read: Vec<&str> = d.axes.iter().filter(|(x, y)| x.value == y.value).map(|(x, _)| x.name.as_str()).collect();
    let values = if out.is_empty() { "No axis has another value.\n".to_string() } else { format!("Axes\n{out}") };
    let read = match read.is_empty() {
        true => String::new(),
        false => wrapped("", 2, &format!("The same value from another source: {}.", read.join(", "))),
    };
    format!("{values}{read}\n")
}

/// The two outcomes of one cell.
type Pair<'a> = (&'a Outcome, &'a Outcome);

/// The outcomes that change so, those that a person reads as one together: one property of a scenario, whenever the
/// adversary arrives; where nothing falls, all of a scenario for the same reasons.
fn grouped<'a>(d: &Difference<'a>, change: Change) -> Vec<Vec<Pair<'a>>> {
    let attacks = !matches!(change, Change::Moves | Change::Undecided);
    let alike = |(x, y): Pair, (u, v): Pair| match attacks {
        true => (&x.scenario, &x.property) == (&u.scenario, &u.property),
        false => (&x.scenario, &x.sign, &x.says, &y.sign, &y.says) == (&u.scenario, &u.sign, &u.says, &v.sign, &v.says),
    };
    let mut groups: Vec<Vec<Pair>> = Vec::new();
    for &(of, x, y) in &d.outcomes {
        match groups.iter_mut().find(|group| alike(group[0], (x, y))) {
            _ if of != change => {}
            Some(group) => group.push((x, y)),
            None => groups.push(vec![(x, y)]),
        }
    }
    groups
}

fn group_text(d: &Difference, change: Change, group: &[Pair]) -> String {
    let (x, y) = group[0];
    let told = match change {
        Change::Lost => (d.b, y),
        Change::Won => (d.a, x),
        Change::Sooner | Change::Later | Change::Otherwise => return attack_text(group),
        Change::Moves | Change::Undecided => return silent_text(d, group),
    };
    let says = if told.1.says.is_empty() { String::new() } else { wrapped("      ", 6, &told.1.says) };
    attack_text(group) + &says + &format!("      {}\n", explain(told.0, told.1))
}

/// One property of a scenario, with both signs for each arrival.
fn attack_text(group: &[Pair]) -> String {
    let signs = |(x, y): &Pair| {
        let arrives = x.arrives.as_ref().map_or(String::new(), |a| format!("{a} "));
        format!("{arrives}{} → {}", x.sign, y.sign)
    };
    let signs: Vec<String> = group.iter().map(signs).collect();
    format!("  {}: {}\n      {}\n", group[0].0.scenario, group[0].0.property, signs.join(", "))
}

/// The properties of a scenario for which the two sides have the same reasons.
fn silent_text(d: &Difference, group: &[Pair]) -> String {
    let (x, y) = group[0];
    let mut properties: Vec<&str> = Vec::new();
    for (x, _) in group {
        if !properties.contains(&x.property.as_str()) {
            properties.push(&x.property);
        }
    }
    let head = format!("{}: {} → {}: {}", x.scenario, x.sign, y.sign, properties.join(", "));
    let reasons = [(d.a, x), (d.b, y)].into_iter().filter(|(_, o)| !o.says.is_empty());
    let reasons = reasons.map(|(side, o)| wrapped("      ", 6, &format!("{}: {}", side.name, o.says)));
    wrapped("  ", 6, &head) + &reasons.collect::<String>()
}

/// The command that tells an attack.
fn explain(side: &Side, outcome: &Outcome) -> String {
    command_of([&outcome.word, &side.word], &outcome.property, outcome.arrives.as_deref())
}

fn costs_text(d: &Difference) -> String {
    if d.costs.is_empty() {
        return String::new();
    }
    let line = |(what, x, y): &(&str, &str, &str)| format!("  {what:<10}  {x} → {y}\n");
    let lines: String = d.costs.iter().map(line).collect();
    format!("What it asks of people, in ceremonies (c) and prompts (p), of an event's owner + of others\n{lines}\n")
}

/// The difference as JSON.
pub fn json(d: &Difference) -> Value {
    let axis = |x: &Axis| json!({ "value": x.value, "source": x.source });
    let axes = d.axes.iter().map(|(x, y)| json!({ "axis": x.name, "a": axis(x), "b": axis(y) }));
    json!({
        "format": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "a": { "model": d.a.name, "asked-for": d.a.word },
        "b": { "model": d.b.name, "asked-for": d.b.word },
        "axes": axes.collect::<Vec<_>>(),
        "verdicts": verdicts_json(d),
        "costs": costs_json(d),
        "compared": d.compared,
    })
}

fn costs_json(d: &Difference) -> Vec<Value> {
    d.costs.iter().map(|(what, x, y)| json!({ "what": what, "a": x, "b": y })).collect()
}

fn verdicts_json(d: &Difference) -> Vec<Value> {
    let outcome = |side: &Side, o: &Outcome| {
        let mut of_side = json!({ "verdict": o.verdict });
        if !o.says.is_empty() {
            of_side["says"] = json!(o.says);
        }
        if !o.attack.is_empty() {
            of_side["length"] = json!(o.attack.len());
            of_side["trace"] = json!(o.attack);
            of_side["explain"] = json!(explain(side, o));
        }
        of_side
    };
    let verdicts = d.outcomes.iter().map(|(change, x, y)| {
        json!({
            "scenario": x.scenario, "arrives": x.arrives, "property": x.property, "change": change.word(),
            "a": outcome(d.a, x), "b": outcome(d.b, y),
        })
    });
    verdicts.collect()
}

/// Two runs: what differs of each model that both searched, and which searches only one of them has.
pub struct Runs<'a> {
    /// What the runs are called: their files.
    pub names: [&'a str; 2],
    /// Each model that both searched, by name, and what differs.
    pub models: Vec<(&'a str, Difference<'a>)>,
    /// The searches that only the first run has, and those that only the second has.
    pub alone: [Vec<String>; 2],
}

impl Runs<'_> {
    /// How many outcomes differ in this way, of all models.
    pub fn count(&self, change: Change) -> usize {
        self.models.iter().map(|(_, d)| d.count(change)).sum()
    }
}

/// So many searches are named that only one run has.
const NAMED: usize = 10;

/// The difference of two runs for a person.
pub fn runs_text(runs: &Runs) -> String {
    let [a, b] = runs.names;
    let mut out = format!("{a} → {b}\n\n");
    for (model, d) in &runs.models {
        let changed = outcomes_text(d) + &costs_text(d);
        out += &if changed.is_empty() { String::new() } else { format!("Model {model}\n\n{changed}") };
    }
    for (name, alone) in runs.names.iter().zip(&runs.alone).filter(|(_, alone)| !alone.is_empty()) {
        let more = if alone.len() > NAMED { format!(" and {} more", alone.len() - NAMED) } else { String::new() };
        let named = alone[..alone.len().min(NAMED)].join("; ");
        out += &(wrapped("", 2, &format!("Only in {name}: {named}{more}.")) + "\n");
    }
    let all = |of: fn(&Difference) -> usize| runs.models.iter().map(|(_, d)| of(d)).sum::<usize>();
    let (compared, changed, costs) = (all(|d| d.compared), all(|d| d.outcomes.len()), all(|d| d.costs.len()));
    let changes = [Change::Lost, Change::Won, Change::Sooner, Change::Later, Change::Otherwise, Change::Moves];
    let [lost, won, sooner, later, otherwise, moves] = changes.map(|change| runs.count(change));
    out + &format!(
        "{compared} verdicts of {} models: {lost} lost, {won} won,\n\
         {sooner} with shorter attacks, {later} with longer, {otherwise} with others,\n\
         {moves} with other reasons to hold, {} not conclusive, {} the same\n\
         costs changed: {costs}\n",
        runs.models.len(),
        runs.count(Change::Undecided),
        compared - changed,
    )
}

/// The difference of two runs as JSON.
pub fn runs_json(runs: &Runs) -> Value {
    let model = |(model, d): &(&str, Difference)| {
        let (verdicts, costs) = (verdicts_json(d), costs_json(d));
        json!({ "model": model, "verdicts": verdicts, "costs": costs, "compared": d.compared })
    };
    json!({
        "format": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "a": { "run": runs.names[0], "alone": runs.alone[0] },
        "b": { "run": runs.names[1], "alone": runs.alone[1] },
        "models": runs.models.iter().map(model).collect::<Vec<_>>(),
    })
}
