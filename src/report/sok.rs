//! The trust-establishment columns of Unger and others, "SoK: Secure Messaging" (2015), as far as a search decides
//! them.
//!
//! Each column says what decides it and what `partly` means in it, and each cell which verdicts made it what it is. The
//! paper's own table was made by hand; this one only says what the model comes to.

use crate::explore::cost::{Cost, Event, EventCost, between_own, cast, cheapest, of};
use crate::model::action::possible;
use crate::model::people::Publication;
use crate::model::{Action, Arrival, Person, Property, Reduced, Reductions, State, World, step};
use crate::policy::{Policy, Transparency};
use crate::report::markdown::MARK;
use crate::report::matrix::{PolicyCost, verdict_word};
use crate::run::Cell;
use crate::scenario::{Model, arrival_name, property_name};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::{HashSet, VecDeque};

/// How far a policy provides a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Yes,
    Partly,
    No,
    /// There is nothing to provide it for.
    Idle,
    /// A search was cut short, or there was none.
    Unknown,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "no",
            Self::Idle => "–",
            Self::Unknown => "?",
        }
    }
}

/// A verdict among those that decide a cell.
#[derive(Clone, PartialEq, Eq)]
struct Found {
    property: Property,
    scenario: String,
    arrives: Option<Arrival>,
    verdict: &'static str,
}

/// How far a policy provides a column, and the verdicts that make it so; none where no search for attacks decides.
struct Decided {
    level: Level,
    by: Vec<Found>,
}

impl From<Level> for Decided {
    fn from(level: Level) -> Self {
        Self { level, by: Vec::new() }
    }
}

/// A policy with all that decides its row.
struct Row<'r> {
    cells: &'r [Cell<'r>],
    model: &'r Model,
    cost: &'r PolicyCost,
}

/// One column of the table.
struct Column {
    /// Its name in the paper.
    name: &'static str,
    /// What decides it; scenarios are in brackets.
    by: &'static str,
    /// What `partly` means here; nothing if it never comes to that.
    partly: &'static str,
    decide: fn(&Row) -> Decided,
}

const FIRST: &str = "once the first contact was made";
const NETWORK: &[&str] = &["tls-breaker-one-client", "tls-breaker-reverse-proxy", "tls-breaker-at-sender"];
const OPERATOR: &[&str] = &["server-of-recipient", "server-of-sender"];
const FOUND_OUT: &[&str] = &["server-of-recipient", "server-of-sender", "split-view"];
const LOGGED: &[&str] = &["server-of-recipient", "split-view"];
/// Scenarios with careful people, and the same with hurried or inattentive ones.
const TWINS: &[(&str, &str)] = &[
    ("password-thief", "password-thief-hurried"),
    ("server-of-recipient", "server-of-recipient-hurried"),
    ("server-of-recipient", "server-of-recipient-inattentive"),
    ("verified-contact", "verified-contact-hurried"),
];

const COLUMNS: &[Column] = &[
    Column {
        name: "network MitM prevention",
        by: "no-rogue-key in [tls-breaker-one-client], [tls-breaker-reverse-proxy], [tls-breaker-at-sender]",
        partly: FIRST,
        decide: |r| r.holds(Property::NoRogueKey, NETWORK),
    },
    Column {
        name: "operator MitM prevention",
        by: "no-rogue-key in [server-of-recipient], [server-of-sender]",
        partly: FIRST,
        decide: |r| r.holds(Property::NoRogueKey, OPERATOR),
    },
    Column {
        name: "operator MitM detection",
        by: "no-unnoticed-leak in [server-of-recipient], [server-of-sender] and, under the policies that it is about, \
             [split-view]",
        partly: FIRST,
        decide: |r| r.holds(Property::NoUnnoticedLeak, FOUND_OUT),
    },
    Column {
        name: "operator accountability",
        by: "a log (axis transparency), and no-unnoticed-leak in [server-of-recipient] and, under the policies that it \
             is about, [split-view]",
        partly: "there is a log, and not all is found out",
        decide: accountability,
    },
    Column {
        name: "key revocation possible",
        by: "removal-ends-access in [stolen-device], and everybody reads again after a reset (a new device, where \
             nobody has an identity)",
        partly: FIRST,
        decide: |r| match r.renewal() {
            Some(_) => r.holds(Property::RemovalEndsAccess, &["stolen-device"]),
            None => Level::No.into(),
        },
    },
    Column {
        name: "automatic key initialization",
        by: "a person alone comes to be signed in, with an identity if there are any, and is asked nothing",
        partly: "",
        decide: |r| yes(initializes_itself(&r.model.policy)).into(),
    },
    Column {
        name: "low key maintenance",
        by: "a new device and one that signs in again ask nothing",
        partly: "nothing of others",
        decide: |r| low_maintenance(r).into(),
    },
    Column {
        name: "easy key discovery",
        by: "the first message between strangers asks nothing",
        partly: "",
        decide: |r| yes(set_up(&r.model.policy, &[1, 1]).is_some_and(|c| c == [Cost::default(); 2])).into(),
    },
    Column {
        name: "in-band",
        by: "no comparison between people, neither for the first message nor after a new device, a re-login or a reset",
        partly: "none for the first message",
        decide: |r| in_band(r).into(),
    },
    Column {
        name: "alert-less key renewal",
        by: "a reset (a new device, where nobody has an identity) neither asks others anything nor is told to them",
        partly: "it is told to them and asks nothing",
        decide: |r| alert_less(r).into(),
    },
    Column {
        name: "immediate enrollment",
        by: "after a new device, and after a reset, the next message is read without a comparison between people",
        partly: "after one of the two",
        decide: |r| immediate(r).into(),
    },
    Column {
        name: "inattentive user resistant",
        by: "where no-rogue-key holds for careful people in [password-thief], [server-of-recipient] or \
             [verified-contact], it does for hurried ones in [password-thief-hurried], [server-of-recipient-hurried] \
             or [verified-contact-hurried], and for one who compares badly in [server-of-recipient-inattentive]; an \
             adversary that can do nothing, or no more than take a password, shows nothing; – where none shows \
             anything",
        partly: FIRST,
        decide: inattentive,
    },
    Column {
        name: "multiple key support",
        by: "two people with two devices each are asked no more than with one",
        partly: "but for approvals of one's own devices",
        decide: |r| multiple(r).into(),
    },
    Column {
        name: "asynchronous",
        by: "nobody has to be met for the first message",
        partly: "",
        decide: |r| yes(set_up(&r.model.policy, &[1, 1]).is_some_and(|[_, between]| between.ceremonies == 0)).into(),
    },
];

fn yes(is: bool) -> Level {
    if is { Level::Yes } else { Level::No }
}

impl Row<'_> {
    /// The cells of the policy in a scenario.
    fn cells_in(&self, scenario: &str) -> impl Iterator<Item = &Cell<'_>> {
        self.cells.iter().filter(move |c| c.model.name == self.model.name && c.scenario.file.name == scenario)
    }

    /// Whether a property holds in those of the scenarios that there are for the policy.
    fn holds(&self, property: Property, scenarios: &[&str]) -> Decided {
        decide(scenarios.iter().flat_map(|s| self.cells_in(s)).filter_map(|c| found(c, property)).collect())
    }

    fn event(&self, wanted: Event) -> Option<EventCost> {
        self.cost.events.iter().find(|(e, _)| *e == wanted).and_then(|(_, cost)| *cost)
    }

    /// What it costs to have new keys: a new identity, or a new device where there is none. None if nobody recovers.
    fn renewal(&self) -> Option<EventCost> {
        self.event(if self.model.policy.has_identity() { Event::Reset } else { Event::NewDevice })
    }
}

/// The verdict on a property in a cell, if it is asked there.
fn found(cell: &Cell, property: Property) -> Option<Found> {
    let verdict = verdict_word(&cell.verdicts.iter().find(|v| v.0 == property)?.1);
    Some(Found { property, scenario: cell.scenario.file.name.clone(), arrives: cell.arrives, verdict })
}

/// What verdicts come to: all hold, all hold that an adversary faces who comes late, or neither. What decides are those
/// that fall: late ones, if any do.
fn decide(found: Vec<Found>) -> Decided {
    let late = |f: &Found| f.arrives != Some(Arrival::FromStart);
    let open = |f: &Found| matches!(f.verdict, "unknown" | "vacuous");
    let falls = |f: &Found| f.verdict != "holds";
    let falls_late = found.iter().any(|f| late(f) && falls(f));
    let level = match () {
        () if found.is_empty() || found.iter().any(open) => Level::Unknown,
        () if !found.iter().any(falls) => Level::Yes,
        () if !falls_late && found.iter().any(late) => Level::Partly,
        () => Level::No,
    };
    let decides = |f: &Found| match level {
        Level::Unknown => open(f),
        Level::Yes => true,
        _ => falls(f) && late(f) == falls_late,
    };
    Decided { level, by: found.into_iter().filter(decides).collect() }
}

fn accountability(r: &Row) -> Decided {
    if r.model.policy.transparency == Transparency::None {
        return Level::No.into();
    }
    match r.holds(Property::NoUnnoticedLeak, LOGGED) {
        Decided { level: Level::No, by } => Decided { level: Level::Partly, by },
        searched => searched,
    }
}

/// What `devices` of two people are asked until everybody reads: between devices of one, and between people.
fn set_up(policy: &Policy, devices: &[usize]) -> Option<[Cost; 2]> {
    let w = cast(policy, devices, false, [false; 5]);
    let found = cheapest(&w, w.initial(), w.honest)?;
    let sum = |own: bool| found.actions.iter().filter(|a| between_own(&w, **a).is_some() == own).map(|&a| of(a)).sum();
    Some([sum(true), sum(false)])
}

fn initializes_itself(policy: &Policy) -> bool {
    let w = cast(policy, &[1], false, [false; 5]);
    let Some(found) = cheapest(&w, w.initial(), w.honest) else { return false };
    let publishes = |a: &Action| matches!(a, Action::PublishIdentity(_, Publication::Intact));
    let can_publish = || possible(&w).into_iter().filter(publishes).any(|a| step(&w, found.end, a).is_ok());
    let has_identity = !policy.has_identity() || found.end.published.has(Person(0)) || can_publish();
    found.cost == Cost::default() && has_identity
}

fn low_maintenance(r: &Row) -> Level {
    let [Some(new), Some(again)] = [Event::NewDevice, Event::ReLogin].map(|e| r.event(e)) else { return Level::No };
    match (new.owner + again.owner, new.peers + again.peers) {
        (_, peers) if peers != Cost::default() => Level::No,
        (owner, _) if owner != Cost::default() => Level::Partly,
        _ => Level::Yes,
    }
}

fn in_band(r: &Row) -> Level {
    let Some([_, first]) = set_up(&r.model.policy, &[1, 1]) else { return Level::No };
    let later = r.cost.events.iter().filter_map(|(_, cost)| cost.as_ref());
    match () {
        () if first.ceremonies > 0 => Level::No,
        () if later.into_iter().any(|cost| cost.peers.ceremonies > 0) => Level::Partly,
        () => Level::Yes,
    }
}

fn alert_less(r: &Row) -> Level {
    match r.renewal() {
        Some(cost) if cost.peers == Cost::default() && cost.notices == 0 => Level::Yes,
        Some(cost) if cost.peers == Cost::default() => Level::Partly,
        _ => Level::No,
    }
}

fn immediate(r: &Row) -> Level {
    let at_once = [r.event(Event::NewDevice), r.renewal()].map(|e| e.is_some_and(|cost| cost.peers.ceremonies == 0));
    match at_once {
        [true, true] => Level::Yes,
        [false, false] => Level::No,
        _ => Level::Partly,
    }
}

fn inattentive(r: &Row) -> Decided {
    let mut all = Vec::new();
    for (careful, careless) in TWINS {
        for cell in r.cells_in(careless).filter(|c| acts(&c.world)) {
            let before = r.cells_in(careful).find(|c| c.arrives == cell.arrives);
            let before = before.and_then(|c| found(c, Property::NoRogueKey));
            let Some(now) = found(cell, Property::NoRogueKey) else { continue };
            match before.map(|found| found.verdict) {
                None | Some("violated") => {}
                Some("holds") => all.push(now),
                Some(_) => all.push(Found { verdict: "unknown", ..now }),
            }
        }
    }
    if all.is_empty() { Level::Idle.into() } else { decide(all) }
}

/// Whether there is a state in which the adversary does more than take a password or a recovery key.
fn acts(w: &World) -> bool {
    let takes = |a: &Action| matches!(a, Action::Arrive | Action::StealPassword(_) | Action::StealRecovery(_));
    let reduced = Reduced::new(w, &[Property::NoRogueKey], Reductions::ALL);
    let mut seen: HashSet<State> = HashSet::from([reduced.initial()]);
    let mut queue = VecDeque::from([reduced.initial()]);
    while let Some(s) = queue.pop_front() {
        for a in &reduced.actions {
            let Some(next) = reduced.step(&s, *a).filter(|next| *next != s) else { continue };
            if a.is_adversarial() && !takes(a) {
                return true;
            }
            if seen.insert(next) {
                queue.push_back(next);
            }
        }
    }
    false
}

fn multiple(r: &Row) -> Level {
    let [Some([_, one]), Some([own, two])] = [[1, 1], [2, 2]].map(|d| set_up(&r.model.policy, &d)) else {
        return Level::No;
    };
    match () {
        () if one != two => Level::No,
        () if own != Cost::default() => Level::Partly,
        () => Level::Yes,
    }
}

/// A text with links in the place of the scenarios in brackets.
fn linked(text: &str) -> String {
    let mut parts = text.split('[');
    let first = parts.next().unwrap_or_default().to_string();
    let link = |(name, rest): (&str, &str)| format!("[{name}](../scenarios/{name}.json){rest}");
    first + &parts.filter_map(|part| part.split_once(']')).map(link).collect::<String>()
}

/// How far each policy provides each column, decided.
pub struct Table<'r> {
    /// Policies that are no version of another, in order, and for each what was decided of each column.
    rows: Vec<(&'r Model, Vec<Decided>)>,
    /// Versions, which are searched only in scenarios that name them, so that they have no row.
    versions: Vec<&'r Model>,
}

/// The table of a run. Some columns have searches of their own, which take seconds over everything bundled.
pub fn table<'r>(cells: &'r [Cell<'r>], models: &'r [Model], costs: &'r [PolicyCost]) -> Table<'r> {
    let (own, versions): (Vec<_>, Vec<_>) = models.iter().zip(costs).partition(|(m, _)| m.variant_of.is_none());
    let decide = |(model, cost): (&'r Model, &'r PolicyCost)| {
        let row = Row { cells, model, cost };
        (model, COLUMNS.iter().map(|c| (c.decide)(&row)).collect())
    };
    Table { rows: own.into_par_iter().map(decide).collect(), versions: versions.into_iter().map(|(m, _)| m).collect() }
}

/// The first verdict that makes a cell `no` or `partly`, where a search does.
fn against(decided: &Decided) -> Option<&Found> {
    decided.by.first().filter(|_| matches!(decided.level, Level::No | Level::Partly))
}

/// The table as Markdown, with a note for each verdict that makes a cell `no` or `partly`.
pub fn markdown(table: &Table) -> String {
    let mut out = format!("{HEAD}\n\n| column | yes | partly |\n| --- | --- | --- |\n");
    COLUMNS.iter().for_each(|c| out += &format!("| {} | {} | {} |\n", c.name, linked(c.by), c.partly));
    let mut notes: Vec<&Found> = Vec::new();
    let by_column = (0..COLUMNS.len()).flat_map(|column| table.rows.iter().map(move |(_, row)| &row[column]));
    for found in by_column.filter_map(against) {
        if !notes.contains(&found) {
            notes.push(found);
        }
    }
    let names: Vec<&str> = COLUMNS.iter().map(|c| c.name).collect();
    out += &format!("\n| policy | {} |\n|{}\n", names.join(" | "), " --- |".repeat(names.len() + 1));
    for (model, row) in &table.rows {
        let text = |decided: &Decided| match against(decided).and_then(|f| notes.iter().position(|note| *note == f)) {
            Some(n) => format!("{} [{}](../scenarios/{}.json)", decided.level.word(), n + 1, notes[n].scenario),
            None => decided.level.word().to_string(),
        };
        out += &format!("| {} | {} |\n", model.marked_name(), row.iter().map(text).collect::<Vec<_>>().join(" | "));
    }
    out += &format!("\n{MARK}\n\n{NUMBERS}\n\n");
    for (n, Found { property, scenario, arrives, .. }) in notes.iter().enumerate() {
        let arrives = arrives.map_or("no adversary", arrival_name);
        let property = property_name(*property);
        out += &linked(&format!("{}. {property} falls in [{scenario}], {arrives}\n", n + 1));
    }
    let versions: Vec<String> = table.versions.iter().map(|m| m.marked_name()).collect();
    if !versions.is_empty() {
        out += &format!("\n{VERSIONS} {}.\n", versions.join(", "));
    }
    out + TAIL
}

const HEAD: &str = "# Columns of the SoK, decided by search\n\nTrust establishment in the words of Unger and others, \
    \"SoK: Secure Messaging\" (2015), for every bundled policy that is no version of another, as far as a search can \
    decide a column. The paper rated schemes by hand; these are the model's verdicts. People are careful unless it is \
    said that they are hurried or compare badly. Generated by `overhear compare --out reports`.";

const NUMBERS: &str = "The number at a *no* or *partly* stands for a verdict that makes it so, the first of several; \
    [sok.json](../reports/sok.json) has them all. One without a number is decided by an axis or by what people are \
    asked, not by an adversary.";

const VERSIONS: &str = "Without a row, being versions of other policies, which are searched only in scenarios that \
    name them:";

const TAIL: &str = "\nA log's columns are those of clients that keep what they were shown; what signing out undoes is \
    in [split-view-forgotten](../scenarios/split-view-forgotten.json). That a log's evidence convinces others is not \
    searched for, nor how long it takes until an entry is in it. Left out, because they are not questions of \
    reachability or of what people are asked: privacy preserving, no shared secrets, and all of adoption but multiple \
    keys and asynchronous. Easy key recovery asks for people who have lost all their devices, whom the searches for \
    costs do not have.\n";

/// The table as JSON: for each cell its level and, where a search decides it, the verdicts that make it so.
pub fn json(table: &Table) -> Value {
    let row = |(model, row): &(&Model, Vec<Decided>)| {
        let verdict = |Found { property, scenario, arrives, verdict }: &Found| {
            json!({
                "scenario": scenario, "model": model.name, "arrives": arrives.map(arrival_name),
                "property": property_name(*property), "verdict": verdict,
            })
        };
        let cell = |Decided { level, by }: &Decided| {
            let by: Vec<Value> = by.iter().map(verdict).collect();
            json!({ "level": level.word(), "decided-by": by })
        };
        let columns = COLUMNS.iter().zip(row).map(|(c, decided)| (c.name.to_string(), cell(decided)));
        json!({ "model": model.name, "columns": columns.collect::<serde_json::Map<String, Value>>() })
    };
    json!({ "format": 1, "policies": table.rows.iter().map(row).collect::<Vec<_>>() })
}
