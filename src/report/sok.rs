//! The trust-establishment columns of Unger and others, "SoK: Secure Messaging" (2015), as far as a search decides
//! them.
//!
//! Each column says what decides it and what `partly` means in it. The paper's own table was made by hand; this one
//! only says what the model comes to.

use crate::explore::cost::{Cost, Event, EventCost, between_own, cast, cheapest, of};
use crate::model::action::possible;
use crate::model::people::Publication;
use crate::model::{Action, Arrival, Person, Property, step};
use crate::policy::{Policy, Transparency};
use crate::report::markdown::MARK;
use crate::report::matrix::{PolicyCost, verdict_word};
use crate::run::Cell;
use crate::scenario::Model;
use serde_json::{Value, json};

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
    level: fn(&Row) -> Level,
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
        level: |r| r.holds(Property::NoRogueKey, NETWORK),
    },
    Column {
        name: "operator MitM prevention",
        by: "no-rogue-key in [server-of-recipient], [server-of-sender]",
        partly: FIRST,
        level: |r| r.holds(Property::NoRogueKey, OPERATOR),
    },
    Column {
        name: "operator MitM detection",
        by: "no-unnoticed-leak in [server-of-recipient], [server-of-sender] and, under the policies that it is about, \
             [split-view]",
        partly: FIRST,
        level: |r| r.holds(Property::NoUnnoticedLeak, FOUND_OUT),
    },
    Column {
        name: "operator accountability",
        by: "a log (axis transparency), and no-unnoticed-leak in [server-of-recipient] and, under the policies that it \
             is about, [split-view]",
        partly: "there is a log, and not all is found out",
        level: accountability,
    },
    Column {
        name: "key revocation possible",
        by: "removal-ends-access in [stolen-device], and everybody reads again after a reset (a new device, where \
             nobody has an identity)",
        partly: FIRST,
        level: |r| match r.renewal() {
            Some(_) => r.holds(Property::RemovalEndsAccess, &["stolen-device"]),
            None => Level::No,
        },
    },
    Column {
        name: "automatic key initialization",
        by: "a person alone comes to be signed in, with an identity if there are any, and is asked nothing",
        partly: "",
        level: |r| yes(initializes_itself(&r.model.policy)),
    },
    Column {
        name: "low key maintenance",
        by: "a new device and one that signs in again ask nothing",
        partly: "nothing of others",
        level: low_maintenance,
    },
    Column {
        name: "easy key discovery",
        by: "the first message between strangers asks nothing",
        partly: "",
        level: |r| yes(set_up(&r.model.policy, &[1, 1]).is_some_and(|c| c == [Cost::default(); 2])),
    },
    Column {
        name: "in-band",
        by: "no comparison between people, neither for the first message nor after a new device, a re-login or a reset",
        partly: "none for the first message",
        level: in_band,
    },
    Column {
        name: "alert-less key renewal",
        by: "a reset (a new device, where nobody has an identity) neither asks others anything nor is told to them",
        partly: "it is told to them and asks nothing",
        level: alert_less,
    },
    Column {
        name: "immediate enrollment",
        by: "after a new device, and after a reset, the next message is read without a comparison between people",
        partly: "after one of the two",
        level: immediate,
    },
    Column {
        name: "inattentive user resistant",
        by: "where no-rogue-key holds for careful people in [password-thief], [server-of-recipient] or \
             [verified-contact], it does for hurried ones in [password-thief-hurried], [server-of-recipient-hurried] \
             or [verified-contact-hurried], and for one who compares badly in [server-of-recipient-inattentive]; – \
             where it holds in none of the three",
        partly: FIRST,
        level: inattentive,
    },
    Column {
        name: "multiple key support",
        by: "two people with two devices each are asked no more than with one",
        partly: "but for approvals of one's own devices",
        level: multiple,
    },
    Column {
        name: "asynchronous",
        by: "nobody has to be met for the first message",
        partly: "",
        level: |r| yes(set_up(&r.model.policy, &[1, 1]).is_some_and(|[_, between]| between.ceremonies == 0)),
    },
];

fn yes(is: bool) -> Level {
    if is { Level::Yes } else { Level::No }
}

impl Row<'_> {
    /// The verdicts on a property in a scenario, each with the arrival.
    fn found(&self, property: Property, scenario: &str) -> Vec<(Option<Arrival>, &'static str)> {
        let of_row = |c: &&Cell| c.model.name == self.model.name && c.scenario.file.name == scenario;
        let verdict = |c: &Cell| Some((c.arrives, verdict_word(&c.verdicts.iter().find(|v| v.0 == property)?.1)));
        self.cells.iter().filter(of_row).filter_map(verdict).collect()
    }

    /// Whether a property holds in those of the scenarios that there are for the policy.
    fn holds(&self, property: Property, scenarios: &[&str]) -> Level {
        let found: Vec<_> = scenarios.iter().flat_map(|s| self.found(property, s)).collect();
        if found.is_empty() { Level::Unknown } else { level(&found) }
    }

    fn event(&self, wanted: Event) -> Option<EventCost> {
        self.cost.events.iter().find(|(e, _)| *e == wanted).and_then(|(_, cost)| *cost)
    }

    /// What it costs to have new keys: a new identity, or a new device where there is none. None if nobody recovers.
    fn renewal(&self) -> Option<EventCost> {
        self.event(if self.model.policy.has_identity() { Event::Reset } else { Event::NewDevice })
    }
}

/// What verdicts come to: all hold, all hold that an adversary faces who comes late, or neither.
fn level(found: &[(Option<Arrival>, &str)]) -> Level {
    let all = |wanted: &dyn Fn(Option<Arrival>) -> bool| found.iter().filter(|f| wanted(f.0)).all(|f| f.1 == "holds");
    let late = |arrives: Option<Arrival>| arrives != Some(Arrival::FromStart);
    match () {
        () if found.iter().any(|f| matches!(f.1, "unknown" | "vacuous")) => Level::Unknown,
        () if all(&|_| true) => Level::Yes,
        () if all(&late) && found.iter().any(|f| late(f.0)) => Level::Partly,
        () => Level::No,
    }
}

fn accountability(r: &Row) -> Level {
    if r.model.policy.transparency == Transparency::None {
        return Level::No;
    }
    match r.holds(Property::NoUnnoticedLeak, LOGGED) {
        Level::No => Level::Partly,
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

fn inattentive(r: &Row) -> Level {
    let mut found = Vec::new();
    for (careful, careless) in TWINS {
        let careless = r.found(Property::NoRogueKey, careless);
        let kept = r.found(Property::NoRogueKey, careful).into_iter().filter(|(_, verdict)| *verdict != "violated");
        found.extend(kept.flat_map(|(at, verdict)| {
            let same = careless.iter().filter(move |h| h.0 == at);
            same.map(move |h| if verdict == "holds" { *h } else { (at, "unknown") })
        }));
    }
    if found.is_empty() { Level::Idle } else { level(&found) }
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

/// The rows of the table: each policy that is no variant.
fn rows<'r>(cells: &'r [Cell<'r>], models: &'r [Model], costs: &'r [PolicyCost]) -> impl Iterator<Item = Row<'r>> {
    let own = models.iter().zip(costs).filter(|(m, _)| m.variant_of.is_none());
    own.map(|(model, cost)| Row { cells, model, cost })
}

/// The table as Markdown: a row for each policy that is no variant.
pub fn markdown(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> String {
    let mut out = "# Columns of the SoK, decided by search\n\nTrust establishment in the words of Unger and others, \
                   \"SoK: Secure Messaging\" (2015), for every bundled policy, as far as a search can decide a column. \
                   The paper rated schemes by hand; these are the model's verdicts. People are careful unless it is \
                   said that they are hurried or compare badly. Generated by `overhear compare --out reports`.\n\n\
                   | column | yes | partly |\n| --- | --- | --- |\n"
        .to_string();
    COLUMNS.iter().for_each(|c| out += &format!("| {} | {} | {} |\n", c.name, linked(c.by), c.partly));
    let names: Vec<&str> = COLUMNS.iter().map(|c| c.name).collect();
    out += &format!("\n| policy | {} |\n|{}\n", names.join(" | "), " --- |".repeat(names.len() + 1));
    for row in rows(cells, models, costs) {
        let levels: Vec<&str> = COLUMNS.iter().map(|c| (c.level)(&row).word()).collect();
        out += &format!("| {} | {} |\n", row.model.marked_name(), levels.join(" | "));
    }
    out + "\n"
        + MARK
        + "\n\nA log's columns are those of clients that keep what they \
           were shown; what signing out undoes is in [split-view-forgotten](../scenarios/split-view-forgotten.json). \
           That a log's evidence convinces others is not searched for, nor how long it takes until an entry is in it. \
           Left out, because they are not questions of reachability or of what people are asked: privacy preserving, \
           no shared secrets, and all of adoption but multiple keys and asynchronous. Easy key recovery asks for \
           people who have lost all their devices, whom the searches for costs do not have.\n"
}

/// The table as JSON.
pub fn json(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> Value {
    let row = |row: Row| {
        let columns = COLUMNS.iter().map(|c| (c.name.to_string(), (c.level)(&row).word().into()));
        json!({ "model": row.model.name, "columns": columns.collect::<serde_json::Map<String, Value>>() })
    };
    json!({ "format": 1, "policies": rows(cells, models, costs).map(row).collect::<Vec<_>>() })
}
