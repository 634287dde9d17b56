//! What the real client's own tests expect decides the model: every row of `conformance.json`, but for a closed list.

use overhear::bundle;
use overhear::input::Source;
use overhear::model::decide::{Code, Contact, Decision, LocalTrust, Own, Situation, Why, decide};
use overhear::model::directory::{contact, truth};
use overhear::model::people::holds_identity;
use overhear::model::{Arrival, Device, Person, Set, State, World, step};
use overhear::policy::Policy;
use overhear::scenario::{Model, compile, read_scenario};
use overhear::trace::{self, Names};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Rows that are outside the model, each with the reason.
const OUTSIDE: [(&str, &str); 5] = [
    ("C084", "the model has no wire format: a property that nobody knows is neither taken nor refused in it"),
    ("C136", "a key once given is never ungiven in the model, so the device that was given it has nothing to ask for"),
    ("C137", "the model has no sessions: what a sender gave in an era, it gave for all messages of that era"),
    ("C144", "the model has no message index: whoever holds the key of a message holds it from its beginning"),
    ("C146", "whether to ask for old keys is the asker's own choice, and nobody is made to in the model either"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    #[expect(dead_code, reason = "for readers of the file")]
    note: Vec<String>,
    world: Value,
    rows: Vec<Row>,
}

/// What one test of the client expects in one place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    kind: String,
    file: String,
    line: usize,
    test: String,
    given: Option<String>,
    expect: String,
    send: Option<Send>,
    run: Option<Run>,
}

/// A message that is to be sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    model: String,
    own: String,
    to: Vec<Recipient>,
}

/// A device in the room, and how its owner stands with the sender.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipient {
    identity: String,
    signed: bool,
    trust: String,
    dehydrated: bool,
}

/// What happens, step by step, and what is the case at the end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    /// Why this is what the row speaks of, where that is not plain.
    #[expect(dead_code, reason = "for readers of the file")]
    why: Option<String>,
    model: String,
    r#do: Vec<String>,
    /// The guard that stops the last step.
    blocked: Option<String>,
    /// The client and the person that the end is about.
    who: Option<(String, String)>,
    #[serde(default)]
    then: Map<String, Value>,
}

fn file() -> File {
    serde_json::from_str(include_str!("conformance.json")).unwrap_or_else(|e| panic!("conformance.json: {e}"))
}

fn named<'m>(models: &'m [Model], name: &str) -> &'m Model {
    models.iter().find(|m| m.name == name).unwrap_or_else(|| panic!("no model {name}"))
}

impl Send {
    fn situation(&self, policy: Policy, to: &Recipient) -> Situation {
        let own = match self.own.as_str() {
            "verified" => Own::Verified,
            other => panic!("no standing of one's own identity: {other}"),
        };
        let contact = match to.identity.as_str() {
            "none" => Contact::NoIdentity,
            "pinned" => Contact::Pinned,
            "verified" => Contact::Verified,
            "pin-violation" => Contact::Changed,
            "verification-violation" => Contact::VerifiedThenChanged,
            other => panic!("no standing of a contact: {other}"),
        };
        let trust = match to.trust.as_str() {
            "Unset" => LocalTrust::Unset,
            "BlackListed" => LocalTrust::Blocked,
            other => panic!("no local trust: {other}"),
        };
        Situation { policy, own, contact, signed: to.signed, trust, dehydrated: to.dehydrated }
    }
    /// What becomes of the message, in the client's words: an error, the one device's lot, or no error.
    fn outcome(&self, models: &[Model]) -> String {
        let policy = named(models, &self.model).policy;
        let decisions: Vec<_> = self.to.iter().map(|to| decide(&self.situation(policy, to))).collect();
        let refused = decisions.iter().find(|d| matches!(d, Decision::RefuseRoom(_)));
        let outcome = match (refused, decisions.as_slice()) {
            (Some(Decision::RefuseRoom(Why::ContactChanged)), _) => "error:VerifiedUserChangedIdentity",
            (Some(Decision::RefuseRoom(Why::UnsignedDevice)), _) => "error:VerifiedUserHasUnsignedDevice",
            (Some(other), _) => return format!("{other:?}"),
            (None, [Decision::Share]) => "share",
            (None, [Decision::Withhold(Code::Blocked)]) => "withheld:m.blacklisted",
            (None, [Decision::Withhold(_)]) => "withheld:m.unverified",
            (None, _) => "ok",
        };
        outcome.to_string()
    }
}

impl Run {
    /// What the model says against this run, if anything.
    fn wrong(&self, world: &Value, models: &[Model]) -> Result<(), String> {
        let source = Source::new("conformance.json", world.to_string());
        let scenario = read_scenario(&source).map_err(|d| d.to_string())?;
        let model = named(models, &self.model);
        let (w, names) = compile(&scenario, &source, model, models, Arrival::FromStart).map_err(|d| d.to_string())?;
        let mut s = w.initial();
        for (n, line) in self.r#do.iter().enumerate() {
            let action = trace::parse(&w, &names, line).map_err(|e| format!("`{line}`: {e}"))?;
            let stop = self.blocked.as_ref().filter(|_| n + 1 == self.r#do.len());
            match (step(&w, s, action), stop) {
                (Ok(next), None) => s = next,
                (Ok(_), Some(stop)) => return Err(format!("`{line}` was to be blocked by {stop}, and is not")),
                (Err(by), Some(stop)) if format!("{by:?}") == *stop => {}
                (Err(by), _) => return Err(format!("`{line}` is blocked by {by:?}")),
            }
        }
        let (v, p) = match &self.who {
            Some((v, p)) => (names.device_named(v).expect("a device"), names.person_named(p).expect("a person")),
            None => (Device(0), Person(0)),
        };
        let facts = facts(&w, &names, s, v, p);
        match self.then.iter().find(|(key, value)| facts[key.as_str()] != **value) {
            Some((key, value)) => Err(format!("{key} is {}, not {value}", facts[key.as_str()])),
            None => Ok(()),
        }
    }
}

/// What is the case in `s`: how the person `p` stands with the client `v`, and who can read what.
fn facts(w: &World, names: &Names, s: State, v: Device, p: Person) -> Value {
    let text = |devices: Set<Device>| devices.iter().map(|d| names.device(d)).collect::<Vec<_>>();
    let view = truth(w, &s, p);
    json!({
        "standing": format!("{:?}", contact(w, &s, v, p, view)),
        "pinned": format!("{:?}", s.pinned.get(v, p)),
        "latched": s.latched.has(v, p),
        "holds-secret": holds_identity(w, s, v),
        "signed": text(view.signed),
        "past": text(s.past),
        "current": text(s.current),
    })
}

#[test]
fn every_row_decides_the_model_or_is_listed_with_a_reason() {
    let (file, models) = (file(), bundle::models());
    assert!(file.source.contains("matrix-sdk-crypto 0.18.0"));
    let (mut decided, mut failures) = (0, String::new());
    for row in &file.rows {
        let outside = OUTSIDE.iter().any(|(id, _)| *id == row.id);
        let verdict = match (&row.send, &row.run, outside) {
            (Some(send), None, false) => match send.outcome(&models) {
                outcome if outcome == row.expect => Ok(()),
                outcome => Err(format!("the model says {outcome}")),
            },
            (None, Some(run), false) => run.wrong(&file.world, &models),
            (None, None, true) => continue,
            _ => Err("is neither in the model nor listed as outside, or is both".to_string()),
        };
        decided += 1;
        if let Err(message) = verdict {
            let (given, expect) = (row.given.as_deref().unwrap_or(""), &row.expect);
            failures += &format!("{} {}:{} {}: {given}: {expect}: ", row.id, row.file, row.line, row.test);
            failures += &format!("{message}\n");
        }
    }
    println!("{decided} rows decide the model, {} are outside", OUTSIDE.len());
    assert!(failures.is_empty(), "\n{failures}");
    assert_eq!(decided + OUTSIDE.len(), file.rows.len());
}

#[test]
fn the_rows_are_of_the_kinds_that_the_model_can_speak_of_each_once() {
    let rows = file().rows;
    let of = |kind: &str| rows.iter().filter(|r| r.kind == kind).count();
    assert_eq!([of("share"), of("share-error"), of("forward"), of("identity")], [21, 6, 13, 10]);
    assert!(rows.iter().filter_map(|r| r.run.as_ref()).all(|run| run.blocked.is_some() || !run.then.is_empty()));
    let mut ids: Vec<&str> = rows.iter().map(|r| r.id.as_str()).collect();
    assert!(OUTSIDE.iter().all(|(id, reason)| ids.contains(id) && !reason.is_empty()));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), rows.len());
}
