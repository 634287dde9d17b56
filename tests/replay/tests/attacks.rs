//! The attacks written by hand, on the real client: every run under a model that the client implements.

use overhear::model::{Action, Arrival};
use overhear::scenario::{arrival_by_name, compile, read_scenario};
use overhear::{bundle, trace};
use overhear_real::compare::successor;
use overhear_real::drive::strategy;
use overhear_real::machine::run as run_alone;
use overhear_real::replay::replay;
use serde::Deserialize;
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
struct Attack {
    scenario: String,
    arrives: String,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    model: String,
    r#do: Vec<String>,
}

/// Replays one run; `None` if the client implements no such model.
async fn wrong(attack: &Attack, run: &Run) -> Option<String> {
    let strategy = strategy(&run.model)?;
    let models = bundle::models();
    let model = models.iter().find(|m| m.name == run.model).expect("a bundled model");
    let source = bundle::find_scenario(&attack.scenario).expect("a bundled scenario");
    let file = read_scenario(&source).expect("a readable scenario");
    let arrives = arrival_by_name(&attack.arrives).unwrap_or(Arrival::FromStart);
    let (w, names) = compile(&file, &source, model, &models, arrives).expect("a world");
    let actions: Vec<Action> = run.r#do.iter().map(|l| trace::parse(&w, &names, l).expect("an action")).collect();
    // What the model blocks is no step; a refused send is one, in reality.
    let mut s = w.initial();
    let possible = actions.iter().take_while(|a| successor(&w, s, **a).map(|next| s = next.0).is_ok()).count();
    let course = replay(&w, &names, strategy, &actions[..possible]).await;
    println!("{} {} {:?} {}/{}", attack.scenario, run.model, course.known, course.steps, possible);
    Some(course.stop.map_or(String::new(), |stop| stop.to_string()))
}

#[test]
fn attacks_written_by_hand_end_so_on_the_real_client() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../attacks");
    let mut files: Vec<_> = fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    let (mut replayed, mut failures) = (0, String::new());
    for path in files {
        let attack: Attack = serde_json::from_str(&fs::read_to_string(&path).expect("UTF-8")).expect("an attack");
        for run in &attack.runs {
            let Some(message) = run_alone(wrong(&attack, run)).expect("a runtime") else { continue };
            replayed += 1;
            if !message.is_empty() {
                failures += &format!("{}, {}: {message}\n", path.file_name().unwrap_or_default().display(), run.model);
            }
        }
    }
    println!("{replayed} runs replayed");
    assert!(failures.is_empty(), "\n{failures}");
    assert!(replayed >= 20, "few attacks have a run under a model of the real client");
}
