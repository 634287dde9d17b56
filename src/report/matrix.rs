//! The matrix policy × adversary × property, as text, JSON, CSV and Markdown.

use crate::explore::cost::{Cost, Event, cast, cheapest, event};
use crate::explore::{Findings, Stopped};
use crate::input::visible;
use crate::model::{Arrival, Property, Reductions};
use crate::report::record::{Word, expected_word};
use crate::report::{csv, markdown};
use crate::run::{Cell, Verdict};
use crate::scenario::{Model, arrival_name, property_name};
use comfy_table::{CellAlignment, Table, presets};

/// One word for a verdict, as files and JSON spell it.
pub fn verdict_word(verdict: &Verdict) -> &'static str {
    Word::from(verdict).text()
}

/// Why a search was cut short.
pub fn stopped_word(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::States => "the limit on states",
        Stopped::Depth => "the limit on steps",
        Stopped::Time => "the time limit",
        Stopped::Memory => "the memory limit",
        Stopped::Interrupted => "an interruption",
    }
}

/// The reductions that all these cells were searched with, as words.
pub fn reductions_words(cells: &[Cell]) -> Vec<&'static str> {
    let Some(Reductions { dominated_answers, unread_fields, decided_properties, symmetry }) =
        cells.first().map(|cell| cell.findings.reductions)
    else {
        return Vec::new();
    };
    let all = [
        (dominated_answers, "dominated answers"),
        (unread_fields, "unread fields"),
        (decided_properties, "decided properties"),
        (symmetry, "symmetry"),
    ];
    all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
}

/// A verdict in a table: a sign that needs no colour, and the length of the shortest attack.
pub fn sign(verdict: &Verdict) -> String {
    let length = if let Verdict::Violated { trace } = verdict { trace.len() } else { 0 };
    Word::from(verdict).sign(length, matches!(verdict, Verdict::Holds { no_move: Some(_) }))
}

/// Arrival as a table writes it.
pub(super) fn arrival_text(arrives: Option<Arrival>) -> &'static str {
    match arrives {
        None => "-",
        Some(Arrival::FromStart) => "start",
        Some(Arrival::AfterFirstContact) => "later",
        Some(Arrival::AfterVerification) => "verified",
    }
}

/// A number with its thousands set apart, so that columns can be read.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap_or("")).collect();
    groups.join(" ")
}

/// The scenarios of some cells, each with its cells, in order.
pub fn by_scenario<'c, 'a>(cells: &'c [Cell<'a>]) -> Vec<(&'a str, Vec<&'c Cell<'a>>)> {
    let mut groups: Vec<(&str, Vec<&Cell>)> = Vec::new();
    for cell in cells {
        let name = cell.scenario.file.name.as_str();
        match groups.last_mut() {
            Some(group) if group.0 == name => group.1.push(cell),
            _ => groups.push((name, vec![cell])),
        }
    }
    groups
}

/// A letter for each property, so that tables fit a terminal, and what it says of a cell where the property fails.
const LETTERS: [(Property, char, &str); 13] = [
    (Property::NoInvisibleListener, 'I', "invisible listener"),
    (Property::NoHiddenKey, 'H', "hidden reader"),
    (Property::NoUnnoticedLeak, 'N', "reader nobody notices"),
    (Property::NoSilentLeak, 'S', "reader, nobody warned"),
    (Property::NoRogueKey, 'K', "rogue reader"),
    (Property::PastStaysPrivate, 'P', "reads past messages"),
    (Property::RemovalEndsAccess, 'A', "reads after removal"),
    (Property::NeverShownAsVerified, 'V', "rogue shown as verified"),
    (Property::NoUninvitedReader, 'U', "uninvited member reads"),
    (Property::NoUnseenReader, 'G', "unseen member reads"),
    (Property::NoBlockedRoom, 'B', "blocked for everybody"),
    (Property::NoLockOut, 'L', "honest device locked out"),
    (Property::EverybodyReads, 'E', "not everybody can read"),
];

/// Each property with its letter and what it rules out, the worst first.
pub fn letters() -> impl Iterator<Item = (Property, char, &'static str)> {
    LETTERS.into_iter()
}

pub(super) fn letter(property: Property) -> char {
    LETTERS.iter().find(|l| l.0 == property).expect("every property has a letter").1
}

/// What a property rules out.
pub fn evil(property: Property) -> &'static str {
    LETTERS.iter().find(|l| l.0 == property).expect("every property has a letter").2
}

/// A property's letter, and what the property rules out.
pub fn ruled_out(property: Property) -> String {
    LETTERS.iter().find(|l| l.0 == property).map_or(String::new(), |l| format!("{} {}", l.1, l.2))
}

/// What the letters mean, three on a line.
pub(super) fn letters_legend() -> String {
    let cell = |l: &(Property, char, &str)| format!("{} {:<25}", l.1, l.2);
    let line = |row: &[(Property, char, &str)]| format!("  {}", row.iter().map(cell).collect::<String>());
    LETTERS.chunks(3).map(|row| line(row).trim_end().to_string() + "\n").collect()
}

/// A table as text, without the blanks that fill its last column.
pub(super) fn text(table: &Table) -> String {
    table.to_string().lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

/// An empty table with narrow columns.
pub(super) fn narrow() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

pub(super) fn narrow_columns(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
}

/// The place of the worst that an adversary reaches in a cell, if anything falls.
pub fn worst(cell: &Cell) -> Option<usize> {
    let place = |p: Property| cell.verdicts.iter().position(|v| v.0 == p);
    let falls = |i: &usize| matches!(cell.verdicts[*i].1, Verdict::Violated { .. });
    Property::ALL.into_iter().filter(|p| p.is_safety()).filter_map(place).find(falls)
}

/// The letter for the worst that an adversary reaches in a cell.
pub fn worst_sign(cell: &Cell) -> String {
    let idle = cell.verdicts.iter().all(|v| matches!(v.1, Verdict::Holds { no_move: Some(_) }));
    let undecided = cell.verdicts.iter().any(|v| matches!(v.1, Verdict::Unknown { .. } | Verdict::Vacuous { .. }));
    match worst(cell) {
        Some(place) => letter(cell.verdicts[place].0).to_string(),
        None if undecided => "?".to_string(),
        None if idle => "-".to_string(),
        None => ".".to_string(),
    }
}

/// The matrix at a glance: the worst of each scenario under each model, both arrivals.
pub fn overview(cells: &[Cell], models: &[Model]) -> String {
    let mut table = narrow();
    let numbers = (1..=models.len()).map(|i| i.to_string());
    table.set_header(["scenario".to_string()].into_iter().chain(numbers));
    for (name, group) in by_scenario(cells) {
        let worst_of = |m: &Model| {
            let signs: Vec<String> = group.iter().filter(|c| c.model.name == m.name).map(|c| worst_sign(c)).collect();
            signs.join("/")
        };
        table.add_row([name.to_string()].into_iter().chain(models.iter().map(worst_of)));
    }
    narrow_columns(&mut table);
    let legend =
        models.iter().enumerate().map(|(i, m)| format!("  {:>2} {}\n", i + 1, m.marked_name())).collect::<String>();
    format!(
        "The worst that happens: adversary from the start / after first contact\n{}\n{legend}\n{}  . none of these \
         within these bounds  - no move  ? not conclusive\n  † some values of the model are unverified; \
         `overhear list` says how many\n",
        text(&table),
        letters_legend()
    )
}

/// One table for each scenario: policy × arrival, a column for each property.
pub fn tables(cells: &[Cell]) -> String {
    let tables: String = by_scenario(cells).iter().map(|(name, group)| scenario_table(name, group)).collect();
    format!(
        "A column for each property, by what it rules out:\n{}\n  \
         FALLS n  violated; a shortest attack has n steps   !        not as expected\n  \
         holds    no attack within these bounds             no move  nothing to act on\n\n{tables}",
        letters_legend()
    )
}

fn scenario_table(name: &str, group: &[&Cell]) -> String {
    let mut table = narrow();
    let properties: Vec<Property> = group[0].verdicts.iter().map(|v| v.0).collect();
    let columns = properties.iter().map(|&p| letter(p).to_string());
    table.set_header(
        ["model".to_string(), "arrives".to_string()].into_iter().chain(columns).chain(["states".to_string()]),
    );
    for cell in group {
        let unexpected = |i: usize| if cell.met(i) == Some(false) { "!" } else { "" };
        let signs = cell.verdicts.iter().enumerate().map(|(i, v)| sign(&v.1) + unexpected(i));
        let row = [cell.model.marked_name(), arrival_text(cell.arrives).to_string()].into_iter().chain(signs);
        table.add_row(row.chain([thousands(cell.findings.states)]));
    }
    narrow_columns(&mut table);
    if let Some(column) = table.column_mut(properties.len() + 2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let title = &group[0].scenario.file.title;
    format!("{name}: {}\n{}\n", visible(title), text(&table))
}

/// What a policy costs: setting up, and what single honest events ask of whom.
pub struct PolicyCost {
    /// Two people, two devices each, careful; then the same, hurried.
    pub careful: Option<Cost>,
    /// What it costs people who may click through any prompt; `None` if some device then never reads.
    pub hurried: Option<Cost>,
    /// For careful people: what the owner and what everybody else is asked.
    pub events: Vec<(Event, Option<crate::explore::cost::EventCost>)>,
}

/// Searches for the costs of `model`.
pub fn policy_cost(model: &Model) -> PolicyCost {
    let set_up = |hurried| {
        let w = cast(&model.policy, &[2, 2], hurried, [false; 5]);
        cheapest(&w, w.initial(), w.honest).map(|c| c.cost)
    };
    PolicyCost {
        careful: set_up(false),
        hurried: set_up(true),
        events: Event::ALL.map(|e| (e, event(&model.policy, false, e))).to_vec(),
    }
}

/// A cost in a table: ceremonies and prompts, or a dash for what cannot happen.
pub fn cost_text(cost: Option<Cost>) -> String {
    cost.map_or("-".to_string(), |c| match (c.ceremonies, c.prompts) {
        (0, 0) => "0".to_string(),
        (ceremonies, 0) => format!("{ceremonies}c"),
        (0, prompts) => format!("{prompts}p"),
        (ceremonies, prompts) => format!("{ceremonies}c {prompts}p"),
    })
}

/// An event as files spell it.
pub fn event_name(event: Event) -> &'static str {
    match event {
        Event::NewDevice => "new-device",
        Event::ReLogin => "re-login",
        Event::Reset => "reset",
    }
}

/// The costs of one model as a row of a table: what happens, and what it asks.
pub fn cost_row(cost: &PolicyCost) -> Vec<(&'static str, String)> {
    let event = |(e, c): &(Event, Option<crate::explore::cost::EventCost>)| {
        let both = |c: &crate::explore::cost::EventCost| {
            format!("{} + {}", cost_text(Some(c.owner)), cost_text(Some(c.peers)))
        };
        let what = match e {
            Event::NewDevice => "new device",
            Event::ReLogin => "re-login",
            Event::Reset => "reset",
        };
        (what, c.as_ref().map_or("-".to_string(), both))
    };
    let set_up = [("set up", cost_text(cost.careful)), ("hurried", cost_text(cost.hurried))];
    set_up.into_iter().chain(cost.events.iter().map(event)).collect()
}

/// The costs of all models as a table.
pub fn costs(models: &[Model], costs: &[PolicyCost]) -> String {
    let mut table = narrow();
    let rows: Vec<_> = costs.iter().map(cost_row).collect();
    let columns = rows.first().into_iter().flatten().map(|(what, _)| *what);
    table.set_header(["model"].into_iter().chain(columns));
    for (model, row) in models.iter().zip(&rows) {
        table.add_row([model.marked_name()].into_iter().chain(row.iter().map(|(_, cost)| cost.clone())));
    }
    narrow_columns(&mut table);
    format!(
        "What it asks of people, in ceremonies (c) and prompts (p)\n  \
         set up   two careful people with two devices each, until everybody reads\n  \
         hurried  the same, with two hurried people\n  \
         the rest what one event of one person asks of that person + of the others;\n           \
         - where it cannot happen, or nobody recovers from it\n{}",
        text(&table)
    )
}

/// A row for each verdict.
pub fn csv(cells: &[Cell]) -> String {
    let columns = "scenario,model,arrives,property,verdict,length,states,transitions,depth,expected";
    let mut out = csv::row(columns.split(','));
    for cell in cells {
        for (i, (p, v)) in cell.verdicts.iter().enumerate() {
            let length = if let Verdict::Violated { trace } = v { trace.len().to_string() } else { String::new() };
            let fields = [
                cell.scenario.file.name.clone(),
                cell.model.name.clone(),
                cell.arrives.map_or("", arrival_name).to_string(),
                property_name(*p).to_string(),
                verdict_word(v).to_string(),
                length,
                cell.findings.states.to_string(),
                cell.findings.transitions.to_string(),
                cell.findings.depth.to_string(),
                cell.claims[i].map_or("", |c| expected_word(c.expect).text()).to_string(),
            ];
            out += &csv::row(fields);
        }
    }
    out
}

/// The matrix as Markdown.
pub fn markdown(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> String {
    let mut out = "# The matrix\n\nEvery bundled policy against every bundled adversary. A verdict is `holds` (every \
                   reachable state was searched and none violates the property), `FALLS n` (with a shortest attack of \
                   n steps) or `no move` (this policy gives the adversary nothing to act on). Generated by `overhear \
                   compare --out reports`.\n\n"
        .to_string();
    out += &format!(
        "```text\n{}```\n\n## What it asks of people\n\n```text\n{}```\n",
        overview(cells, models),
        self::costs(models, costs)
    );
    for (name, group) in by_scenario(cells) {
        let properties: Vec<&str> = group[0].verdicts.iter().map(|v| property_name(v.0)).collect();
        out += &format!("\n## {name}\n\n{}\n\n", markdown::text(&group[0].scenario.file.title));
        out += &format!("| model | arrives | {} | states |\n", properties.join(" | "));
        out += &format!("|{}\n", " --- |".repeat(properties.len() + 3));
        for cell in group {
            let signs: Vec<String> = cell.verdicts.iter().map(|v| sign(&v.1)).collect();
            let arrives = arrival_text(cell.arrives);
            let states = thousands(cell.findings.states);
            out += &format!("| {} | {arrives} | {} | {states} |\n", cell.model.marked_name(), signs.join(" | "));
        }
    }
    out
}

/// The manifest of state counts: a row for each search.
pub fn states(cells: &[Cell]) -> String {
    let row = |c: &Cell| {
        let arrives = c.arrives.map_or("", arrival_name);
        let Findings { states, transitions, depth, .. } = c.findings;
        let numbers = [states, transitions, depth].map(|n| n.to_string());
        csv::row([&c.scenario.file.name, &c.model.name, arrives].into_iter().chain(numbers.iter().map(String::as_str)))
    };
    "scenario,model,arrives,states,transitions,depth\n".to_string() + &cells.iter().map(row).collect::<String>()
}
