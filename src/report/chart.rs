//! The message sequence chart of a trace: who takes part, and what passes between them in each step.
//!
//! [`chart`] says what is drawn, [`svg`] and [`mermaid`] draw it. Labels are short; the full sentences are the story's.
//!
//! **Invariant:** a label holds no name as a scenario spells it: each has gone through `text::name`.

mod text;
mod rows;
mod sights;
mod svg;
mod mermaid;

pub use mermaid::mermaid;
pub use svg::svg;

use crate::model::bits::Index;
use crate::model::{Action, Device, Person, Set, World};
use crate::story::{capital, list};
use crate::trace::{Names, ReplayError, replay};
use rows::{Draft, Part, Scene};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who takes part in a trace, and what happens between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Chart {
    /// Those who take part, from left to right.
    pub lanes: Vec<Lane>,
    /// What happens, from top to bottom.
    pub rows: Vec<Row>,
}

/// Somebody, or something, that takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lane {
    /// What the lane is called.
    pub name: String,
    /// Whose it is, in a few words; empty if the name says so.
    pub about: String,
    /// What it stands for.
    pub kind: LaneKind,
    /// Whether it is the adversary, or in the adversary's hands from the first.
    pub adversary: bool,
    /// The step in which the adversary takes the device, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stolen_in: Option<usize>,
}

/// What a lane stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LaneKind {
    /// A human being.
    Person,
    /// A client with its own keys.
    Device,
    /// A homeserver.
    Server,
    /// What is between somebody's clients and their server, where the adversary sits there.
    Link,
    /// The adversary itself.
    Adversary,
}

/// One thing that happens within a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Row {
    /// The step that it is part of, counted from 1.
    pub step: usize,
    /// Where it begins: the place of a lane, counted from 0.
    pub from: usize,
    /// Where it ends; the same lane for what happens at one place.
    pub to: usize,
    /// What it is.
    pub kind: RowKind,
    /// What it says; names of devices that the adversary has are marked with ▲.
    pub label: String,
    /// What an honest server would say in its place, or what was sent in truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<String>,
    /// Whether the adversary does it, gains by it, or gets what passes.
    pub adversary: bool,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RowKind {
    /// Something passes from one lane to another.
    Message,
    /// The key of messages passes from one lane to another.
    Key,
    /// Two compare what they know, where no adversary passes.
    Ceremony,
    /// Something happens in one lane.
    Event,
    /// Somebody sees, is asked or decides something.
    Sight,
    /// Somebody is warned of the adversary's doing.
    Warning,
    /// A time begins, for everybody.
    Phase,
}

/// The chart of a trace. Fails if it does not replay.
pub fn chart(w: &World, names: &Names, actions: &[Action]) -> Result<Chart, ReplayError> {
    let states = replay(w, actions)?;
    let short = Names {
        people: names.people.iter().map(|n| text::name(n, text::NAME_MAX)).collect(),
        devices: names.devices.iter().map(|n| text::name(n, text::NAME_MAX)).collect(),
        servers: names.servers.iter().map(|n| text::name(n, text::NAME_MAX)).collect(),
    };
    let mut drafts: Vec<(usize, Draft)> = Vec::new();
    for (i, (&action, pair)) in actions.iter().zip(states.windows(2)).enumerate() {
        let scene = Scene { w, names: &short, before: &pair[0], after: &pair[1] };
        let mut rows = rows::of(&scene, action);
        // Whoever gives a key or an answer has heard and shown everything before.
        let heard = rows.iter().position(|row| matches!(row.kind, RowKind::Key | RowKind::Sight));
        let heard = heard.unwrap_or(rows.len());
        rows.splice(heard..heard, sights::of(&scene, action));
        if i + 1 == actions.len() {
            rows.extend(rows::outlook(&scene));
        }
        drafts.extend(rows.into_iter().map(|row| (i + 1, row)));
    }
    leave_out_listeners(&mut drafts);
    let parts = parts(w, &drafts);
    let stolen = |d| actions.iter().position(|&a| a == Action::StealDevice(d)).map(|i| i + 1);
    let lanes = parts.iter().map(|&part| lane(w, names, &short, part, &stolen)).collect();
    let place = |part| parts.iter().position(|&p| p == part).expect("whoever is in a row has a lane");
    let row = |(step, d): (usize, Draft)| {
        let (from, to) = if d.kind == RowKind::Phase { (0, parts.len() - 1) } else { (place(d.from), place(d.to)) };
        Row { step, from, to, kind: d.kind, label: d.label, truth: d.truth, adversary: d.adversary }
    };
    Ok(Chart { lanes, rows: drafts.into_iter().map(row).collect() })
}

/// Leaves out servers that do nothing but listen: what they are told happens at the client then.
fn leave_out_listeners(drafts: &mut [(usize, Draft)]) {
    let is_server = |part: Part| matches!(part, Part::Server(_));
    let is_active = |row: &&Draft| row.adversary || !matches!(row.from, Part::Device(_));
    let act = drafts.iter().map(|(_, row)| row).filter(is_active);
    let active: Vec<Part> = act.flat_map(|row| [row.from, row.to]).collect();
    for (_, row) in drafts {
        if is_server(row.to) && !active.contains(&row.to) {
            (row.to, row.kind) = (row.from, RowKind::Event);
        }
    }
}

/// Those who take part, in the order of lanes: the first person's side, the adversary, everybody else's.
fn parts(w: &World, drafts: &[(usize, Draft)]) -> Vec<Part> {
    let server = |p: Person| Part::Server(w.server[p.index()]);
    let devices = |all: Set<Device>| all.iter().map(Part::Device).collect::<Vec<_>>();
    let hers = |p: Person| devices(w.of(p).and(w.honest));
    let mut all = Vec::new();
    for (i, p) in w.all_people().filter(|&p| !w.uninvited.has(p)).enumerate() {
        if i == 0 {
            all.push(Part::Person(p));
            all.extend(hers(p));
            all.extend([Part::Link(p), server(p)]);
            all.extend(devices(w.rogue.and(w.of(p))));
            all.push(Part::Adversary);
            all.extend(devices(w.rogue.minus(w.of(p)).union(w.uninvited_devices)));
            all.extend(w.uninvited.iter().map(server));
        } else {
            all.extend([server(p), Part::Link(p)]);
            all.extend(hers(p));
            all.push(Part::Person(p));
        }
    }
    let in_rows = drafts.iter().filter(|(_, row)| row.kind != RowKind::Phase).flat_map(|(_, row)| [row.from, row.to]);
    let used: Vec<Part> = in_rows.collect();
    // A time that begins for everybody begins for the adversary at least.
    let alone = used.is_empty() && !drafts.is_empty();
    let mut lanes: Vec<Part> = Vec::new();
    for part in all {
        if !lanes.contains(&part) && (used.contains(&part) || alone && part == Part::Adversary) {
            lanes.push(part);
        }
    }
    lanes
}

/// How one who takes part is introduced.
fn lane(w: &World, names: &Names, short: &Names, part: Part, stolen: &dyn Fn(Device) -> Option<usize>) -> Lane {
    let person = |p: Person| capital(short.person(p));
    let new = |name: String, about: String, kind, adversary| Lane { name, about, kind, adversary, stolen_in: None };
    match part {
        Part::Person(p) => new(capital(&text::visible(names.person(p))), String::new(), LaneKind::Person, false),
        Part::Device(d) => {
            let (name, owner) = (text::visible(names.device(d)), person(w.owner(d)));
            let pose = match (w.reuses(d), w.dehydrated.has(d)) {
                (Some(h), _) => format!(", under the id of {}", short.device(h)),
                (None, true) => ", dehydrated".to_string(),
                (None, false) => String::new(),
            };
            let about = match () {
                () if w.rogue.has(d) => format!("the adversary's, passed off as {owner}'s{pose}"),
                () if w.uninvited_devices.has(d) => format!("of {owner}, the adversary's account"),
                () => stolen(d).map_or(format!("{owner}'s"), |step| format!("{owner}'s, stolen in step {step}")),
            };
            Lane { stolen_in: stolen(d), ..new(name, about, LaneKind::Device, !w.honest.has(d)) }
        }
        Part::Server(s) => {
            let whose: Vec<Person> = w.all_people().filter(|p| w.server[p.index()] == s).collect();
            let people: Vec<String> = whose.iter().map(|&p| person(p)).collect();
            let held = whose.iter().any(|&p| w.controls(p));
            let about = if held { "held by the adversary" } else { "" };
            let name = if let [one] = &people[..] {
                format!("{one}'s server")
            } else {
                format!("server of {}", list(&people))
            };
            new(name, about.to_string(), LaneKind::Server, held)
        }
        Part::Link(p) => {
            let broken = w.powers.break_tls.and(w.of(p));
            let clients: Vec<String> = broken.iter().map(|d| short.device(d).to_string()).collect();
            new("adversary".to_string(), format!("on the link of {}", list(&clients)), LaneKind::Link, true)
        }
        Part::Adversary => new("adversary".to_string(), String::new(), LaneKind::Adversary, true),
    }
}
