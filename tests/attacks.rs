//! Attacks written by hand, before any search ran: under this model it succeeds, under that one a guard stops it.

use overhear::explore::exact;
use overhear::model::{Arrival, Property, World, property};
use overhear::run::with_axis;
use overhear::scenario::{arrival_by_name, compile, property_by_name, read_scenario};
use overhear::{bundle, trace};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// One attack, under several models.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    title: String,
    source: String,
    scenario: String,
    arrives: String,
    runs: Vec<Run>,
}

/// What people and the adversary do under one model, and how it ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    model: String,
    r#do: Vec<String>,
    #[serde(default)]
    violates: Vec<String>,
    #[serde(default)]
    keeps: Vec<String>,
    blocked: Option<Stop>,
}

/// The step at which a run is stopped, and by which guard.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    step: usize,
    by: String,
}

fn files() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
    let mut files: Vec<_> = fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Attack {
    let text = fs::read_to_string(path).expect("UTF-8");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn named(name: &str) -> Property {
    property_by_name(name).unwrap_or_else(|| panic!("no property {name}"))
}

/// What is wrong with a run, if anything is.
fn wrong(attack: &Attack, run: &Run) -> Result<(), String> {
    let models = bundle::models();
    let model = models.iter().find(|m| m.name == run.model).ok_or(format!("no model {}", run.model))?;
    let source = bundle::find_scenario(&attack.scenario).map_err(|d| d.to_string())?;
    let file = read_scenario(&source).map_err(|d| d.to_string())?;
    let arrives = arrival_by_name(&attack.arrives).unwrap_or(Arrival::FromStart);
    let (w, names) = compile(&file, &source, model, &models, arrives).map_err(|d| d.to_string())?;
    let parse = |line: &String| trace::parse(&w, &names, line).map_err(|e| format!("`{line}`: {e}"));
    let actions = run.r#do.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    match (trace::replay(&w, &actions), &run.blocked) {
        (Err(e), None) => Err(format!("step {} `{}` is blocked by {:?}", e.step, run.r#do[e.step - 1], e.blocked)),
        (Ok(_), Some(stop)) => Err(format!("step {} was to be blocked by {}, and is not", stop.step, stop.by)),
        (Err(e), Some(stop)) if e.step == stop.step && format!("{:?}", e.blocked) == stop.by => Ok(()),
        (Err(e), Some(stop)) => Err(format!(
            "was to be blocked at step {} by {}, is at step {} `{}` by {:?}",
            stop.step,
            stop.by,
            e.step,
            run.r#do[e.step - 1],
            e.blocked
        )),
        (Ok(states), None) => {
            let last = states[states.len() - 1];
            let holds = |name: &String| property::condition(&w, last, named(name));
            let kept: Vec<_> = run.violates.iter().filter(|n| holds(n)).collect();
            let lost: Vec<_> = run.keeps.iter().filter(|n| !holds(n)).collect();
            match kept.is_empty() && lost.is_empty() {
                true => Ok(()),
                false => Err(format!("does not violate {kept:?}, does not keep {lost:?}")),
            }
        }
    }
}

#[test]
fn attacks_written_by_hand_end_as_written() {
    let mut failures = String::new();
    for path in files() {
        let attack = read(&path);
        assert!(!attack.title.is_empty() && !attack.source.is_empty(), "{}: no title or source", path.display());
        for run in &attack.runs {
            if let Err(message) = wrong(&attack, run) {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                failures += &format!("{file}, {}: {message}\n", run.model);
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn every_attack_succeeds_somewhere_and_fails_elsewhere() {
    assert!(files().len() >= 25, "at least 25 attacks");
    for path in files() {
        let attack = read(&path);
        let succeeds = attack.runs.iter().any(|r| !r.violates.is_empty());
        let fails = attack.runs.iter().any(|r| r.blocked.is_some() || (r.violates.is_empty() && !r.keeps.is_empty()));
        assert!(succeeds && fails, "{} succeeds: {succeeds}, fails: {fails}", path.display());
    }
}

/// A thief publishes the first identity of the account, or replaces the one that is there: MSC3967 is about the first
/// way alone. That the first device brings the identity along closes that way and leaves the other; that a password
/// replaces nothing closes the other and leaves the first.
#[test]
fn who_has_the_password_plants_an_identity_unless_both_ways_are_closed() {
    let models = bundle::models();
    let model = models.iter().find(|m| m.name == "matrix-cross-signing-tofu").expect("a bundled model");
    let source = bundle::find_scenario("password-thief").expect("a bundled scenario");
    let file = read_scenario(&source).expect("a readable scenario");
    let (w, _) = compile(&file, &source, model, &models, Arrival::FromStart).expect("a world");
    for (first, replaced_by, falls) in [
        ("any-session-later", "password", true),
        ("with-first-device", "password", true),
        ("any-session-later", "impossible", true),
        ("with-first-device", "impossible", false),
    ] {
        let policy = with_axis(&model.policy, "first-identity", first).expect("a value");
        let policy = with_axis(&policy, "identity-replaced-by", replaced_by).expect("a value");
        let w = World { policy: w.policy.map(|_| policy), ..w };
        assert_eq!(exact::first(&w, Property::NoSilentLeak).is_some(), falls, "{first}, {replaced_by}");
    }
}
