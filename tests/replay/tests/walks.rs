//! Random walks of the model on the real client. `WALKS` and `SEED` in the environment change how many and which.

use overhear::model::Action;
use overhear::trace;
use overhear_real::machine::run;
use overhear_real::walk::{Tally, cells, seeded};
use serde::Deserialize;
use std::fmt::Write;

const STEPS: usize = 20;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |n| n.parse().unwrap_or_else(|_| panic!("{name} is no number: {n}")))
}

#[test]
fn the_client_goes_wherever_the_model_goes() {
    let (walks, first) = (number("WALKS", 500), number("SEED", 0));
    let cells = cells();
    let (mut tally, mut failures) = (Tally::default(), String::new());
    for seed in first..first + walks {
        let (cell, actions) = seeded(&cells, seed, STEPS);
        let course = run(cell.replay(&actions)).expect("a runtime");
        tally.add(cell, &actions, &course);
        let Some(stop) = course.stop else { continue };
        let (kept, last) = run(cell.minimise(&actions, &stop)).expect("a runtime");
        let repeat = format!("WALKS=1 SEED={seed} cargo test -p overhear-real --test walks");
        writeln!(failures, "{repeat}\n  {}\n  {}", cell.text(&kept), last.unwrap_or(stop)).expect("a string");
    }
    println!("{tally}");
    assert!(failures.is_empty(), "\n{failures}");
}

/// A walk that model and client once disagreed on.
#[derive(Deserialize)]
struct Walk {
    /// What it showed.
    why: String,
    scenario: String,
    model: String,
    arrives: String,
    r#do: Vec<String>,
}

#[test]
fn walks_that_once_disagreed_agree() {
    let walks: Vec<Walk> = serde_json::from_str(include_str!("walks.json")).expect("walks");
    let cells = cells();
    for Walk { why, scenario, model, arrives, r#do } in walks {
        let same = |c: &&overhear_real::walk::Cell| c.scenario == scenario && c.model == model && c.arrives == arrives;
        let cell = cells.iter().find(same).expect("a bundled cell");
        let parse = |line: &String| trace::parse(&cell.world, &cell.names, line).expect("an action");
        let actions: Vec<Action> = r#do.iter().map(parse).collect();
        let happens = |s, a: &Action| overhear_real::compare::successor(&cell.world, s, *a).map(|next| next.0);
        // Where a rule was wrong, the last step may be one that the model blocks now.
        let possible =
            (0..=actions.len()).rev().find(|&n| actions[..n].iter().try_fold(cell.world.initial(), happens).is_ok());
        let possible = possible.expect("no step is possible");
        assert!(possible + 1 >= actions.len(), "{why}: only {possible} steps can happen");
        let course = run(cell.replay(&actions[..possible])).expect("a runtime");
        if let Some(stop) = course.stop {
            panic!("{why}\n{}\n{stop}", cell.text(&actions));
        }
    }
}
