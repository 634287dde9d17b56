//! Replays a trace on the real client, or walks at random, and tells what each machine did, saw and could read.
//!
//! Exit codes: 0 model and client agree, 1 they do not, 2 there is nothing to compare.

use clap::Parser;
use overhear::model::{Action, World};
use overhear::report::itf;
use overhear::scenario::{Model, arrival_by_name, compile, read_model, read_scenario};
use overhear::trace::{self, Names};
use overhear::{bundle, story};
use overhear_real::drive::strategy;
use overhear_real::failure::Failure;
use overhear_real::record::Record;
use overhear_real::replay::Replay;
use overhear_real::validate::{self, Walks};
use overhear_real::walk::{Tally, cells, seeded};
use overhear_real::{machine, tell};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Replays traces of overhear on the Matrix client crypto that Element uses.
#[derive(Parser)]
struct Args {
    /// A trace that `overhear explain --itf` wrote.
    #[arg(required_unless_present_any = ["walk", "validate"])]
    trace: Option<PathBuf>,
    /// Walk the bundled scenarios at random, so many times.
    #[arg(long, conflicts_with = "trace")]
    walk: Option<u64>,
    /// Walk this scenario only.
    #[arg(long, value_name = "NAME", requires = "walk")]
    scenario: Option<String>,
    /// The seed of the first walk; each further walk has the next.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The most steps that a walk has.
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// Confirm every violation, walk in every cell, and write the record of it to this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["trace", "walk"], requires = "date")]
    validate: Option<PathBuf>,
    /// How many walks each cell is given with --validate.
    #[arg(long, default_value_t = 100)]
    each: u64,
    /// The minutes after which --validate begins no further walk.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// The states at which --validate ends the search of a large scenario.
    #[arg(long, default_value_t = 200_000)]
    large_states: usize,
    /// The date that the record bears.
    #[arg(long)]
    date: Option<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match (&args.trace, args.walk, &args.validate) {
        (Some(path), ..) => replay(path),
        (None, Some(walks), _) => walk(&args, walks),
        (None, None, Some(file)) => validate(&args, file),
        (None, None, None) => Err("a trace, --walk or --validate is needed".to_string()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("overhear-real: {message}");
            ExitCode::from(2)
        }
    }
}

/// Replays one trace file; whether the two sides agree.
fn replay(path: &PathBuf) -> Result<bool, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let file = itf::read(&text)?;
    let strategy = strategy(&file.meta.model)
        .ok_or_else(|| format!("{} is no policy that the client implements: n/a", file.meta.model))?;
    let models = bundle::models();
    let source = bundle::find_model(&file.meta.model).map_err(|e| e.to_string())?;
    let model: Model = read_model(&source).map_err(|e| e.to_string())?;
    let source = bundle::find_scenario(&file.meta.scenario).map_err(|e| e.to_string())?;
    let scenario = read_scenario(&source).map_err(|e| e.to_string())?;
    let arrives = arrival_by_name(&file.meta.arrives).ok_or("the trace does not say when the adversary arrives")?;
    let (w, names) = compile(&scenario, &source, &model, &models, arrives).map_err(|e| e.to_string())?;
    let parse = |line: &String| trace::parse(&w, &names, line).map_err(|e| format!("`{line}`: {e}"));
    let actions = file.actions.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    if let Some(i) = trace::foreign(&w, &actions) {
        return Err(format!("`{}`: in {} nobody can do that", file.actions[i], file.meta.scenario));
    }
    let run = async {
        let both = Replay::new(&w, &names, strategy).await.map_err(|e| e.to_string())?;
        tell_all(&w, &names, both, &actions).await
    };
    machine::run(run).map_err(|e| e.to_string())?
}

async fn tell_all(w: &World, names: &Names, mut both: Replay<'_>, actions: &[Action]) -> Result<bool, String> {
    for (i, &action) in actions.iter().enumerate() {
        let before = both.state;
        let outcome = both.step(action).await.map_err(|e: Failure| format!("step {}: {e}", i + 1))?;
        println!("{:>3}. {}", i + 1, story::sentence(w, names, before, both.state, action));
        for line in tell::step(&both.cast, &outcome).await.map_err(|e| e.to_string())? {
            println!("       {line}");
        }
        for (difference, known) in &outcome.differences {
            let mark = known.map_or("NEW".to_string(), |k| format!("known, {k:?}"));
            println!("     ! {difference} ({mark})");
        }
        if outcome.differences.iter().any(|d| d.1.is_none_or(|k| k.parts_ways())) {
            println!("Model and client part ways in step {}.", i + 1);
            return Ok(false);
        }
    }
    println!("Model and client agree.");
    Ok(true)
}

/// Walks `walks` times; whether nothing new came up.
fn walk(args: &Args, walks: u64) -> Result<bool, String> {
    let Args { scenario, seed, steps, .. } = args;
    let mut cells = cells();
    cells.retain(|cell| scenario.as_ref().is_none_or(|name| cell.scenario == *name));
    if cells.is_empty() {
        return Err("no such scenario is one that the client can play".to_string());
    }
    let (mut tally, mut agreed) = (Tally::default(), true);
    for seed in *seed..seed + walks {
        let (cell, actions) = seeded(&cells, seed, *steps);
        let course = machine::run(cell.replay(&actions)).map_err(|e| e.to_string())?;
        tally.add(cell, &actions, &course);
        if let Some(stop) = course.stop {
            let shorter = machine::run(cell.minimise(&actions, &stop)).map_err(|e| e.to_string())?;
            println!("seed {seed}, {}\n  {}", cell.text(&shorter.0), shorter.1.unwrap_or(stop));
            if walks == 1 {
                let told = async {
                    let both = Replay::new(&cell.world, &cell.names, cell.strategy.clone()).await;
                    tell_all(&cell.world, &cell.names, both.map_err(|e| e.to_string())?, &shorter.0).await
                };
                machine::run(told).map_err(|e| e.to_string())??;
            }
            agreed = false;
        }
    }
    print!("{tally}");
    Ok(agreed)
}

/// Confirms every violation and walks in every cell; whether everything came out as the model says.
fn validate(args: &Args, file: &Path) -> Result<bool, String> {
    let until = Instant::now() + Duration::from_secs(60 * args.minutes);
    let mut rows = validate::cells(args.large_states)?;
    eprintln!("{} cells searched, their violations replayed", rows.len());
    validate::walk_all(&mut rows, Walks { each: args.each, until, steps: args.steps })?;
    let date = args.date.as_deref().unwrap_or_default();
    let Args { each, steps, minutes, large_states, .. } = *args;
    let record = Record { rows: &rows, date, each, steps, minutes, large_states };
    std::fs::write(file, record.to_string()).map_err(|e| format!("{}: {e}", file.display()))?;
    let wrong = record.wrong();
    wrong.iter().for_each(|line| println!("{line}"));
    Ok(wrong.is_empty())
}
