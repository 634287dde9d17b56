//! Traces as ITF files (Apalache ADR-015): every state in the scenario's names, every action by name and as text.

use crate::bundle;
use crate::model::bits::{Index, Pair};
use crate::model::state::{Among, OfDevices, OfPeople};
use crate::model::{Action, Device, Identity, Person, Property, Set, State, World};
use crate::run::Cell;
use crate::scenario::{arrival_name, property_name};
use crate::trace::{self, Names, ReplayError};
use serde_json::{Map, Value, json};

/// What a trace file says of itself, besides its states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The scenario, by its bundled name or the path of its file.
    pub scenario: String,
    /// The model, by its bundled name or the path of its file.
    pub model: String,
    /// `from-start`, `after-first-contact` or `after-verification`.
    pub arrives: String,
    /// The name of the property that the trace is about.
    pub property: String,
    /// Of the texts of scenario and model.
    pub input_hash: String,
}

/// What stands between two actions in a file. No name can contain it.
const ACTIONS_BETWEEN: &str = "; ";

/// A trace read back from a file: what it says of itself, and its actions as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFile {
    /// What the file says of itself.
    pub meta: Meta,
    /// Each action as the line of words that [`trace::parse`] reads.
    pub actions: Vec<String>,
}

/// A hash of input texts that changes when they do: FNV-1a, 64 bits, in hexadecimal.
pub fn input_hash(texts: &[&str]) -> String {
    let bytes = texts.iter().flat_map(|t| t.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// What the trace file of a cell says of itself.
pub fn meta(cell: &Cell, property: Property) -> Meta {
    let (scenario, model) = (&cell.scenario.source, &cell.model.file);
    Meta {
        scenario: bundle::word(scenario).to_string(),
        model: bundle::word(model).to_string(),
        arrives: cell.arrives.map_or("", arrival_name).to_string(),
        property: property_name(property).to_string(),
        input_hash: input_hash(&[&scenario.text, &model.text]),
    }
}

/// The trace file of an attack on a cell.
pub fn of_cell(cell: &Cell, property: Property, actions: &[Action]) -> Result<Value, ReplayError> {
    let states = trace::replay(&cell.world, actions)?;
    Ok(write(&cell.world, &cell.names, &meta(cell, property), actions, &states))
}

/// Writes a trace, given its states as [`trace::replay`] returns them.
pub fn write(w: &World, names: &Names, meta: &Meta, actions: &[Action], states: &[State]) -> Value {
    let texts: Vec<String> = actions.iter().map(|&a| trace::text(w, names, a)).collect();
    let vars: Vec<String> = vars(w, names, &w.initial()).into_iter().map(|(name, _)| name.to_string()).collect();
    let all_vars = vars.into_iter().chain(["mbt::actionTaken".to_string(), "mbt::nondetPicks".to_string()]);
    let rows = states.iter().enumerate().map(|(i, s)| {
        let mut row = Map::from_iter([("#meta".to_string(), json!({ "index": i }))]);
        row.extend(vars_owned(w, names, s));
        let text = i.checked_sub(1).map_or("init", |at| texts[at].as_str());
        let (verb, objects) = text.split_once(' ').unwrap_or((text, ""));
        row.insert("mbt::actionTaken".to_string(), json!(verb));
        row.insert(
            "mbt::nondetPicks".to_string(),
            json!({ "objects": objects.split_whitespace().collect::<Vec<_>>() }),
        );
        Value::Object(row)
    });
    json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "overhear": "1",
            "scenario": meta.scenario,
            "model": meta.model,
            "arrives": meta.arrives,
            "property": meta.property,
            "input-hash": meta.input_hash,
            // Readers of ITF take only strings here.
            "actions": texts.join(ACTIONS_BETWEEN),
        },
        "vars": all_vars.collect::<Vec<_>>(),
        "states": rows.collect::<Vec<_>>(),
    })
}

/// Reads what [`write()`] wrote. The error says what is missing.
pub fn read(text: &str) -> Result<TraceFile, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    let meta = value.get("#meta").ok_or("no `#meta`: not an ITF trace")?;
    let word = |key: &str| {
        let found = meta.get(key).and_then(Value::as_str).map(str::to_string);
        found.ok_or_else(|| format!("`#meta` has no string `{key}`: not a trace that overhear wrote"))
    };
    let actions = word("actions")?;
    Ok(TraceFile {
        meta: Meta {
            scenario: word("scenario")?,
            model: word("model")?,
            arrives: word("arrives")?,
            property: word("property")?,
            input_hash: word("input-hash")?,
        },
        actions: actions.split(ACTIONS_BETWEEN).map(str::to_string).filter(|a| !a.is_empty()).collect(),
    })
}

fn set<I: Index>(members: Set<I>, name: impl Fn(I) -> String) -> Value {
    json!({ "#set": members.iter().map(name).collect::<Vec<_>>() })
}

fn vars_owned(w: &World, names: &Names, s: &State) -> impl Iterator<Item = (String, Value)> {
    vars(w, names, s).into_iter().map(|(name, value)| (name.to_string(), value))
}

/// Every field of a state by its name in the model.
fn vars(w: &World, names: &Names, s: &State) -> Vec<(&'static str, Value)> {
    let d = |x: Device| names.device(x).to_string();
    let p = |x: Person| names.person(x).to_string();
    let viewers: Vec<Device> = w.honest.iter().collect();
    let pair = |(k, v): (String, Value)| json!([k, v]);
    let map = |pairs: Vec<(String, Value)>| json!({ "#map": pairs.into_iter().map(pair).collect::<Vec<Value>>() });
    let of_people = |r: OfPeople| map(viewers.iter().map(|&v| (d(v), set(r.row(v), p))).collect());
    let of_devices = |r: OfDevices| map(viewers.iter().map(|&v| (d(v), set(r.row(v), d))).collect());
    let among = |r: Among| map(w.all_people().map(|q| (p(q), set(r.row(q), p))).collect());
    let forged = s.vouched_forged.iter().fold(Among::default(), |all, Pair(p, q)| all.with(p, q));
    let identities = |i: crate::model::bits::Identities| {
        let of = |v: Device| {
            let known = w.all_people().filter(|&q| i.get(v, q) != Identity::None);
            map(known.map(|q| (p(q), json!(format!("{:?}", i.get(v, q)).to_lowercase()))).collect())
        };
        map(viewers.iter().map(|&v| (d(v), of(v))).collect())
    };
    vec![
        ("registered", set(s.registered, d)),
        ("primary", set(s.primary, d)),
        ("removed", set(s.removed, d)),
        ("signed", set(s.signed, d)),
        ("signed_old", set(s.signed_old, d)),
        ("born", set(s.born, p)),
        ("published", set(s.published, p)),
        ("replaced", set(s.replaced, p)),
        ("stealthy", set(s.stealthy, p)),
        ("has_old", set(s.has_old, p)),
        ("members", set(s.members, p)),
        ("active", json!(s.active.on())),
        ("passwords", set(s.passwords, p)),
        ("passwords_stolen", set(s.passwords_stolen, p)),
        ("secrets", set(s.secrets, p)),
        ("recovery", set(s.recovery, p)),
        ("stolen", set(s.stolen, d)),
        ("existed", set(s.existed, d)),
        ("backed_past", set(s.backed_past, p)),
        ("backed_current", set(s.backed_current, p)),
        ("signed_in", set(s.signed_in, d)),
        ("evicted", set(s.evicted, d)),
        ("renamed", set(s.renamed, d)),
        ("contacted", set(s.contacted, d)),
        ("shown", set(s.shown, d)),
        ("shown_verified", set(s.shown_verified, d)),
        ("warned", among(s.warned)),
        ("vouched", among(s.vouched)),
        ("vouched_old", among(s.vouched_old)),
        ("vouched_forged", among(forged)),
        ("pinned", identities(s.pinned)),
        ("offered", identities(s.offered)),
        ("verified", of_people(s.verified)),
        ("latched", of_people(s.latched)),
        ("seen", of_devices(s.seen)),
        ("accepted", of_devices(s.accepted)),
        ("trusted", of_devices(s.trusted)),
        ("blocked", of_devices(s.blocked)),
        ("given", of_devices(s.given)),
        ("stored", of_devices(s.stored)),
        ("stored_signed", of_devices(s.stored_signed)),
        ("looked", of_devices(s.looked)),
        ("forked", of_people(s.forked)),
        ("entered", set(s.entered, p)),
        ("past", set(s.past, d)),
        ("current", set(s.current, d)),
        ("after", set(s.after, d)),
        ("overheard", set(s.overheard, d)),
        ("ghosts", set(s.ghosts, d)),
        ("all_read", json!(s.all_read.on())),
    ]
}
