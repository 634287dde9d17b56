//! One engine on one state space, as one process: what `benches/peers` runs side by side.
//!
//! Prints the engine, the space, its states, seconds of CPU and on the clock, and the most memory held, in KiB.

mod two_phase;

use overhear::bundle;
use overhear::explore::breadth::{Graph, Until};
use overhear::explore::{Limits, exact, second};
use overhear::model::{Arrival, Property, Reductions, World};
use overhear::scenario::{compile, read_scenario};
use stateright::{Checker, Model};
use std::num::NonZero;
use std::time::Instant;
use two_phase::TwoPhase;

fn main() {
    // What `cargo bench` adds is not ours.
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let started = Instant::now();
    let (engine, space, states) = match args[..] {
        ["two-phase", engine, managers, threads] => {
            let model = TwoPhase { managers: managers.parse().expect("a number of managers") };
            (engine, format!("two-phase-{managers}"), two_phase(engine, model, threads.parse().expect("a number")))
        }
        ["cell", engine, scenario, model, threads] => {
            let (world, properties) = cell(scenario, model);
            let threads = threads.parse().expect("a number of threads");
            (engine, format!("{scenario}/{model}"), search(engine, &world, &properties, threads))
        }
        // Run by `cargo test --benches` or `cargo bench` as a whole: nothing to compare.
        _ => return println!("two-phase|cell ours|stateright|flat …: see benches/peers"),
    };
    let took = started.elapsed().as_secs_f64();
    println!("{engine} {space} {states} {:.2} {took:.2} {}", cpu_seconds(), peak_kib());
}

fn two_phase(engine: &str, model: TwoPhase, threads: usize) -> usize {
    match engine {
        "ours" => {
            let mut graph = Graph::new(&model, threads);
            graph.run(&model, &Until { limits: Limits::default(), marks: 0, progress: &(), keep: None });
            assert_eq!(graph.marked[0], None, "it is consistent");
            graph.states
        }
        "stateright" => {
            let checker = model.checker().threads(threads).spawn_bfs().join();
            checker.assert_properties();
            checker.unique_state_count()
        }
        "flat" => flat(model),
        _ => panic!("no such engine: {engine}"),
    }
}

/// The ceiling: states in the order of their discovery and a flat table of them, no way back to the first.
fn flat(model: TwoPhase) -> usize {
    let (mut states, mut table) = (vec![0u64], vec![0u64; 1 << 16]);
    let slot = |s: u64, len: usize| {
        let product = u128::from(s ^ 0x9e37_79b9_7f4a_7c15) * 0xa076_1d64_78bd_642f_u128;
        ((product as u64) ^ (product >> 64) as u64) as usize & (len - 1)
    };
    let insert = |table: &mut [u64], s: u64| {
        let mut at = slot(s, table.len());
        // No state is all ones, so one more than a state is never empty.
        while table[at] != 0 && table[at] != s + 1 {
            at = (at + 1) & (table.len() - 1);
        }
        let new = table[at] == 0;
        table[at] = s + 1;
        new
    };
    insert(&mut table, 0);
    let mut next = 0;
    while next < states.len() {
        let s = states[next];
        next += 1;
        model.enabled(s, |action| {
            let t = model.follow(s, action);
            if insert(&mut table, t) {
                states.push(t);
                assert!(!model.torn(t), "it is consistent");
            }
        });
        if states.len() * 2 > table.len() {
            let larger = table.len() * 2;
            table = vec![0; larger];
            for &s in &states {
                insert(&mut table, s);
            }
        }
    }
    states.len()
}

/// The bundled scenario under the bundled model, its adversary there from the start.
fn cell(scenario: &str, model: &str) -> (World, Vec<Property>) {
    let source = bundle::find_scenario(scenario).expect("a bundled scenario");
    let scenario = read_scenario(&source).expect("a scenario");
    let known = bundle::models();
    let model = known.iter().find(|m| m.name == model).expect("a bundled model");
    let (world, _) = compile(&scenario, &source, model, &known, Arrival::FromStart).expect("a world");
    (world, scenario.properties().collect())
}

/// Counts every state that is left with the reductions that both engines know, or with those that are named.
fn search(engine: &str, world: &World, properties: &[Property], threads: usize) -> usize {
    let reductions = Reductions { decided_properties: false, ..Reductions::ALL };
    let ours = |reductions| {
        let limits = Limits { reductions: Some(reductions), threads: NonZero::new(threads), ..Limits::default() };
        exact::search(world, properties, limits, &()).states
    };
    match engine {
        "ours" => ours(reductions),
        "none" => ours(Reductions::NONE),
        "dominated-answers" => ours(Reductions { dominated_answers: true, ..Reductions::NONE }),
        "unread-fields" => ours(Reductions { unread_fields: true, ..Reductions::NONE }),
        "decided-properties" => ours(Reductions { decided_properties: true, ..Reductions::NONE }),
        "symmetry" => ours(Reductions { symmetry: true, ..Reductions::NONE }),
        "default" => ours(Reductions::ALL),
        "all" => ours(Reductions::WITH_SYMMETRY),
        "stateright" => {
            let model = second::Second::new(world, properties, reductions, true);
            model.checker().threads(threads).spawn_bfs().join().unique_state_count()
        }
        _ => panic!("no such engine: {engine}"),
    }
}

/// Seconds of CPU that this process has used, on all threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().expect("ticks") + fields[12].parse::<f64>().expect("ticks");
    ticks / 100.0
}

/// The most memory that this process ever held, in KiB.
fn peak_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}
