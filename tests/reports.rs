//! The committed reports are what `compare` writes today, and every bundled expectation is met.

use overhear::command::{Exit, exit_of};
use overhear::explore::Limits;
use overhear::report::{self, matrix};
use overhear::run::{Plan, Scenario, run};
use overhear::scenario::read_scenario;
use overhear::{bundle, model::Property};
use rayon::prelude::*;
use std::path::Path;

fn scenarios() -> Vec<Scenario> {
    let sources = bundle::scenarios().into_iter().map(|s| s.source());
    sources.map(|source| Scenario { file: read_scenario(&source).expect("a bundled scenario"), source }).collect()
}

#[test]
fn reports_are_current_and_every_expectation_is_met() {
    let (scenarios, models) = (scenarios(), bundle::models());
    let plan = Plan {
        scenarios: &scenarios,
        models: &models,
        known: &models,
        named: false,
        large: false,
        limits: Limits::default(),
        may_be_vacuous: true,
    };
    let cells = run(&plan, &()).expect("bundled files run");
    assert_eq!(exit_of(&cells), Exit::Fine, "{}", report::terminal::unmet(&cells));
    let costs: Vec<_> = models.par_iter().map(matrix::policy_cost).collect();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
    for (name, text) in report::all(&cells, &models, &costs) {
        let path = dir.join(name);
        if std::env::var_os("OVERHEAR_BLESS").is_some() {
            report::write_whole(&path, &text).expect("reports/ can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let stale = committed.lines().zip(text.lines()).position(|(a, b)| a != b);
        assert!(committed == text, "reports/{name} is stale from line {stale:?}; run with OVERHEAR_BLESS=1");
    }
}

#[test]
fn every_property_is_asked_somewhere_and_falls_somewhere_by_expectation() {
    let scenarios = scenarios();
    for property in Property::ALL {
        let claims = || scenarios.iter().flat_map(|s| &s.file.expectations);
        let about = || claims().filter(|c| c.property.0.iter().any(|p| p.0 == property));
        let falls = about().any(|c| c.expect == overhear::scenario::Expect::Violated);
        assert!(about().next().is_some(), "{property:?} is asked nowhere");
        assert!(falls || !property.is_safety(), "{property:?} falls nowhere");
    }
}
