//! The attacks written by hand that say where they are blocked.

use overhear::bundle;
use overhear::model::Arrival;
use overhear::model::mutants::{Guard, blocked_by, without};
use overhear::scenario::{Model, arrival_by_name, compile, read_scenario};
use overhear::trace;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Each attack file's name with the guard that blocks one of its runs, if without that guard the run goes on, or is
/// blocked by another name or elsewhere.
pub fn blocked_runs(models: &[Model]) -> Vec<(String, &'static Guard)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
    let mut files: Vec<_> = fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let attack: Value = serde_json::from_str(&fs::read_to_string(&file).expect("UTF-8")).expect("JSON");
        let name = file.file_stem().and_then(|s| s.to_str()).expect("a name").to_string();
        let runs = attack["runs"].as_array().expect("runs").iter().filter(|run| run["blocked"].is_object());
        found.extend(runs.filter_map(|run| Some((name.clone(), blocks(models, &attack, run)?))));
    }
    found
}

fn blocks(models: &[Model], attack: &Value, run: &Value) -> Option<&'static Guard> {
    let text = |value: &Value| value.as_str().expect("a text").to_string();
    let model = models.iter().find(|m| m.name == text(&run["model"])).expect("a bundled model");
    let source = bundle::find_scenario(&text(&attack["scenario"])).expect("a bundled scenario");
    let file = read_scenario(&source).expect("a bundled scenario is right");
    let arrives = arrival_by_name(&text(&attack["arrives"])).unwrap_or(Arrival::FromStart);
    let (w, names) = compile(&file, &source, model, models, arrives).expect("a bundled scenario compiles");
    let lines = run["do"].as_array().expect("actions").iter().map(text);
    let actions: Vec<_> = lines.map(|line| trace::parse(&w, &names, &line).expect("an action")).collect();
    let stop = || trace::replay(&w, &actions).err().map(|e| (e.step, e.blocked));
    let (before, guard) = blocked_by(stop);
    let guard = guard?;
    (without(guard, u64::MAX, stop) != Some(before)).then_some(guard)
}
