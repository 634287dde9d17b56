//! Walks without rates: they are walks by the plain rules, each action is as likely as another, and what is kept of
//! states changes nothing.

mod drawn;
mod output;

use drawn::{is_the_same_at_any_number_of_threads, overhear, read_back};
use output::{code, err, out};
use overhear::bundle;
use overhear::explore::Limits;
use overhear::input::Source;
use overhear::model::{Arrival, Property, Reduced, Reductions, State, World, property};
use overhear::report::simulation::walks::WalksRecord;
use overhear::run::simulation::{Cast, Checked, Play, Prepared, SimulationPlan, prepare};
use overhear::run::walks::{walk, walk_case};
use overhear::run::{Plan, RunError, Scenario};
use overhear::scenario::{Model, Size, read_scenario};
use overhear::schema;
use overhear::simulate::interval::proportion;
use overhear::simulate::uniform::{Drawn, Fell, Ways, all, one};
use overhear::trace;
use std::collections::HashMap;
use std::num::NonZero;

fn scenarios(wanted: impl Fn(&Scenario) -> bool) -> Vec<Scenario> {
    let read = |source: Source| Scenario { file: read_scenario(&source).expect("a bundled scenario"), source };
    bundle::scenarios().iter().map(|s| read(s.source())).filter(wanted).collect()
}

/// Does something with the cells of one scenario under one model.
fn with_cells(scenario: Scenario, model: &Model, states_max: usize, does: impl FnOnce(Vec<Prepared>)) {
    let (models, known, people) = ([model.clone()], bundle::models(), bundle::people());
    let plan = SimulationPlan {
        cells: Plan {
            scenarios: &[scenario],
            models: &models,
            known: &known,
            named: false,
            large: true,
            limits: Limits { states_max: Some(states_max), ..Limits::default() },
            kept: None,
            may_be_vacuous: false,
        },
        cast: Cast { known: &people, chosen: Vec::new() },
        play: Play::Opportunist(1.0),
        arrives: None,
        runs: 100,
        days: 1.0,
        seed: 1,
        exact: None,
        rare: false,
    };
    does(prepare(&plan, &()).expect("bundled files are right"));
}

fn with_cell(scenario: &str, model: &str, does: impl FnOnce(Prepared)) {
    let models = bundle::models();
    let model = models.iter().find(|m| m.name == model).expect("a bundled model");
    let scenario = scenarios(|s| s.file.name == scenario).pop().expect("a bundled scenario");
    with_cells(scenario, model, 100_000, |cells| {
        does(cells.into_iter().find(|c| c.arrives == Some(Arrival::FromStart)).expect("it arrives so"));
    });
}

/// A walk is one by the plain rules, and a property falls in it where its condition first says so.
fn is_a_walk(cell: &Prepared, drawn: Drawn, number: u64) {
    let name = format!("{}, {}, {:?}, walk {number}", cell.scenario.file.name, cell.model.name, cell.arrives);
    let (walk, actions) = walk_case(drawn, cell, number).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let w = &cell.setting.world;
    let states = trace::replay(w, &actions).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(actions.len(), walk.steps as usize, "{name}");
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "{name}: each step changes the state");
    for (i, &p) in cell.setting.properties.iter().enumerate() {
        let first = states.iter().position(|s| !property::condition(w, *s, p)).map(|n| n as u32);
        assert_eq!(walk.fell[i], first, "{name}: {p:?}");
        if let (Some(first), Checked::Falls(shortest)) = (first, cell.checked[i]) {
            assert!(first as usize >= shortest, "{name}: {p:?} falls sooner than in a shortest attack");
        }
    }
    let every = cell.setting.properties.len() == walk.fell.iter().flatten().count();
    assert!(walk.stuck || every || walk.steps == drawn.steps, "{name}: it goes on as long as it can");
}

#[test]
fn every_walk_is_one_by_the_plain_rules() {
    let models = bundle::models();
    for (i, scenario) in scenarios(|s| s.file.size == Size::Base).into_iter().enumerate() {
        // Every scenario, each under another model.
        let about: Vec<&Model> = models.iter().filter(|m| scenario.file.is_about(m)).collect();
        with_cells(scenario, about[i % about.len()], 4000, |cells| {
            for cell in cells {
                (0..3).for_each(|number| is_a_walk(&cell, Drawn { steps: 60, seed: 5 }, number));
            }
        });
    }
}

/// For each property the probability that it falls within so many steps, and that a walk has ended before; by trying
/// every action in every state.
fn by_hand(world: &World, properties: &[Property], steps: u32) -> (Vec<f64>, f64) {
    let reduced = Reduced::new(world, properties, Reductions::ALL);
    let falls = |s: &State| -> Vec<bool> { properties.iter().map(|p| !property::condition(world, *s, *p)).collect() };
    let or = |a: &[bool], b: &[bool]| -> Vec<bool> { a.iter().zip(b).map(|(a, b)| *a || *b).collect() };
    let first = reduced.initial();
    let mut now: HashMap<(State, Vec<bool>), f64> = HashMap::from([((first, falls(&first)), 1.0)]);
    let mut stuck: HashMap<(State, Vec<bool>), f64> = HashMap::new();
    for _ in 0..steps {
        let mut next = HashMap::new();
        for ((s, fallen), p) in now {
            let leads = reduced.actions.iter().filter_map(|&a| reduced.step(&s, a)).filter(|t| *t != s);
            let leads: Vec<State> = leads.collect();
            let to = if leads.is_empty() { &mut stuck } else { &mut next };
            if leads.is_empty() {
                *to.entry((s, fallen.clone())).or_insert(0.0) += p;
            }
            for t in &leads {
                *to.entry((*t, or(&fallen, &falls(t)))).or_insert(0.0) += p / leads.len() as f64;
            }
        }
        now = next;
    }
    let ended = stuck.values().sum();
    let all = || now.iter().chain(&stuck);
    let fell = |i: usize| all().filter(|((_, fallen), _)| fallen[i]).map(|(_, p)| p).sum();
    ((0..properties.len()).map(fell).collect(), ended)
}

#[test]
fn each_action_that_changes_the_state_is_as_likely_as_another() {
    let mut told = 0;
    for (scenario, model, steps) in [
        ("password-thief", "matrix-tofu", 10),
        ("server-of-recipient", "signal", 12),
        ("tls-breaker-one-client", "matrix-tofu", 7),
        ("password-thief-hurried", "matrix-riot-2019", 7),
    ] {
        with_cell(scenario, model, |cell| {
            let (w, properties) = (&cell.setting.world, cell.setting.properties.clone());
            let (expected, ended) = by_hand(w, &properties, steps);
            let (ways, walks) = (Ways::new(w, properties.clone()), 20_000);
            let made = all(&ways, Drawn { steps, seed: 3 }, walks, NonZero::<usize>::MIN, &()).expect("nobody ends it");
            let near = |what: &str, counted: u64, expected: f64| {
                let share = counted as f64 / walks as f64;
                let spread = 4.5 * (expected * (1.0 - expected) / walks as f64).sqrt() + 1e-9;
                assert!((share - expected).abs() <= spread, "{scenario}, {model}, {what}: {share} for {expected}");
            };
            for ((p, fell), expected) in properties.iter().zip(&made.fell).zip(&expected) {
                near(&format!("{p:?}"), fell.walks, *expected);
                told += usize::from((0.001..0.999).contains(expected));
            }
            near("ended", made.stuck, ended);
        });
    }
    assert!(told > 9, "{told} probabilities were neither next to nothing nor next to certain");
}

#[test]
fn what_is_kept_of_states_changes_nothing() {
    with_cell("tls-breaker-one-client", "matrix-cross-signing-tofu", |cell| {
        let ways = Ways::new(&cell.setting.world, cell.setting.properties.clone());
        let drawn = Drawn { steps: 40, seed: 9 };
        let threads = |n| NonZero::new(n).expect("some");
        let made = all(&ways, drawn, 300, threads(1), &()).expect("nobody ends it");
        assert_eq!(all(&ways, drawn, 300, threads(3), &()), Some(made.clone()));
        // One by one nothing is known of any state.
        let alone: Vec<_> = (0..300).map(|n| one(&ways, drawn, n).0).collect();
        assert_eq!(made.steps, alone.iter().map(|walk| u64::from(walk.steps)).sum::<u64>());
        for (i, fell) in made.fell.iter().enumerate() {
            let times = (0..).zip(&alone).filter_map(|(n, walk)| Some((walk.fell[i]?, n)));
            assert_eq!(*fell, Fell { walks: times.clone().count() as u64, soonest: times.min() });
        }
    });
}

#[test]
fn a_walk_that_contradicts_the_checker_is_told() {
    with_cell("password-thief", "matrix-tofu", |mut cell| {
        cell.checked.iter_mut().for_each(|checked| *checked = Checked::Holds);
        let Err(RunError::Untrue(says)) = walk(Drawn { steps: 40, seed: 1 }, 50, vec![cell], &()) else {
            panic!("something falls in fifty walks");
        };
        assert!(says.starts_with("no-rogue-key holds in password-thief under matrix-tofu, and falls in"), "{says}");
    });
}

const ASKED: [&str; 5] = ["simulate", "password-thief", "--uniform", "--models", "matrix-tofu,signal"];

#[test]
fn the_same_seed_gives_the_same_bytes_at_any_number_of_threads() {
    is_the_same_at_any_number_of_threads(&[&ASKED[..], &["--runs", "700"]].concat());
}

/// As `the_same_question_has_the_same_answer_as_before` of the runs with rates.
#[test]
fn the_same_walks_are_walked_as_before() {
    let asked = ["password-thief", "server-of-recipient", "--models", "matrix-riot-2019", "--runs", "300"];
    let told = overhear(&[&["simulate", "--uniform", "--format", "csv"], &asked[..]].concat());
    assert_eq!(code(&told), 0, "{}", err(&told));
    insta::assert_snapshot!("walks", out(&told));
}

#[test]
fn results_are_as_the_schema_says_and_read_back_as_they_were() {
    let told = overhear(&[&ASKED[..], &["--runs", "300", "--steps", "25", "--format", "json"]].concat());
    let record: WalksRecord = read_back(&told, &schema::walks());
    assert!(record.says.contains("no likelihood of anything real"));
    let leak = &record.cells[0].properties[0];
    let share = proportion(leak.fell, 300);
    assert!(leak.property == "no-rogue-key" && leak.fell > 0 && (leak.share.value - share.value).abs() < 1e-6);
    assert!(leak.fewest_steps >= leak.shortest.map(|n| n as u32) && leak.case.is_some(), "{leak:?}");
}

#[test]
fn tables_have_the_numbers_of_the_results() {
    let asked = [&ASKED[..], &["--runs", "300", "--steps", "25"]].concat();
    let record: WalksRecord = read_back(&overhear(&[&asked[..], &["--format", "json"]].concat()), &schema::walks());
    let text = out(&overhear(&asked));
    let rows = text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut rows = rows.filter(|row| row.starts_with("matrix-tofu ") || row.starts_with("signal† "));
    for cell in &record.cells {
        let mut row = rows.next().unwrap_or_else(|| panic!("no row for {} in\n{text}", cell.model));
        assert!(row.starts_with(&cell.model) && row.ends_with(&format!(" {:.1}", cell.steps_a_walk)), "{row}");
        for steps in cell.properties.iter().filter_map(|p| p.fewest_steps) {
            let (_, rest) = row.split_once(&format!(" in {steps} ")).unwrap_or_else(|| panic!("no {steps} in {row}"));
            row = format!(" {rest}");
        }
        assert!(!row.contains(" in "), "{row}");
    }
    assert!(rows.next().is_none() && text.contains("password-thief: A thief has the password"), "{text}");
    // As many steps as the walks have together.
    with_cell("password-thief", "matrix-tofu", |cell| {
        let drawn = Drawn { steps: 25, seed: 1 };
        let steps: u32 = (0..300)
            .map(|n| one(&Ways::new(&cell.setting.world, cell.setting.properties.clone()), drawn, n).0.steps)
            .sum();
        let mean = f64::from(steps) / 300.0;
        let told = record.cells.iter().find(|c| c.model == "matrix-tofu" && c.arrives.as_deref() == Some("from-start"));
        assert!((told.expect("the cell").steps_a_walk - mean).abs() < 1e-3, "{mean}");
    });
}

#[test]
fn a_walk_is_told_as_a_story() {
    let cell = ["simulate", "password-thief", "--uniform", "--models", "matrix-tofu", "--arrives", "from-start"];
    let told = out(&overhear(&[&cell[..], &["--format", "json"]].concat()));
    let record: WalksRecord = serde_json::from_str(&told).expect("results");
    let leak = &record.cells[0].properties[0];
    let (steps, case) = (leak.fewest_steps.expect("it falls"), leak.case.expect("it falls").to_string());
    let story = out(&overhear(&[&cell[..], &["--case", &case]].concat()));
    assert!(story.contains(&format!("Walk {case}\n")), "{story}");
    assert!(story.contains(&format!("no-rogue-key            falls in step {steps}\n")), "{story}");
    let text = out(&overhear(&cell)).replace("\n  ", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("no likelihood of anything real"), "{text}");
    assert!(text.contains(&format!("{:.1} steps a walk; ", record.cells[0].steps_a_walk)), "{text}");
    assert!(text.contains(&format!("soonest in walk {case}, after {steps} steps; a shortest attack has 4")), "{text}");
    let several = overhear(&[&ASKED[..], &["--case", "1"]].concat());
    assert!(code(&several) == 2 && err(&several).contains("`--case` tells a walk through one cell"), "{several:?}");
}

#[test]
fn what_walks_know_nothing_of_is_refused() {
    for more in [
        &["--people", "typical"][..],
        &["--days", "3"],
        &["--strategy", "best"],
        &["--pace", "2"],
        &["--property", "no-rogue-key"],
        &["--sweep"],
        &["--exact"],
        &["--rare"],
        &["--out", "nowhere"],
        &["--steps", "0"],
        &["--steps", "10001"],
        &["--runs", "0"],
    ] {
        let told = overhear(&[&ASKED[..], more].concat());
        assert_eq!(code(&told), 2, "{more:?}: {}", out(&told));
    }
    let told = overhear(&["simulate", "password-thief", "--steps", "3"]);
    assert!(code(&told) == 2 && err(&told).contains("--uniform"), "{}", err(&told));
}
