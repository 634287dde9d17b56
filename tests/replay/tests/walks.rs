//! Random walks of the model on the real client. `WALKS` and `SEED` in the environment change how many and which.

use overhear_real::machine::run;
use overhear_real::walk::{Tally, cells, seeded};
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
