//! `overhear diff`: what a second trust model changes against a first one, or a second run against an earlier one.

use super::{Exit, Failure, Format, LimitOptions, Selection, Watcher, load, nothing_selected, pretty, print, read_run};
use crate::report::diff::{self, Change, Runs, Side};
use crate::report::matrix;
use crate::report::record::{CellRecord, Record};
use crate::run::{self, Cell, Scenario};
use rayon::prelude::*;
use std::collections::HashSet;

/// What `overhear diff` is asked.
pub struct Models {
    /// Bundled names or paths of two model files.
    pub models: Vec<String>,
    /// Bundled names or paths of scenario files; all bundled ones if there are none.
    pub scenarios: Vec<String>,
    /// Whether large scenarios are searched that are not named.
    pub large: bool,
    /// Where the searches must stop.
    pub limits: LimitOptions,
    /// How the answer is written: as JSON, or else as text.
    pub format: Format,
}

/// Compares two models over some scenarios.
pub fn diff(asked: Models) -> Result<Exit, Failure> {
    let Models { models: words, scenarios, large, limits, format } = asked;
    if words.len() != 2 {
        let message = format!("`diff` compares two models, not {}: {}", words.len(), words.join(", "));
        return Err(Failure::Message(message + "\nusage: overhear diff [SCENARIO…] --models A B"));
    }
    let selection = Selection { scenarios: scenarios.clone(), models: words.clone(), large, limits, resume: None };
    let mut loaded = load(&selection)?;
    // What one model loses against another is no matter of what was expected of either.
    loaded.scenarios.iter_mut().for_each(|scenario| scenario.file.expectations.clear());
    let watcher = Watcher::new()?;
    // A scenario in which neither model leaves the adversary a move is one in which they do not differ.
    let cells = run::run(&loaded.plan(false), &watcher)?;
    if cells.is_empty() {
        return nothing_selected();
    }
    if let Some(exit) = watcher.interrupted(&cells) {
        return Ok(exit);
    }
    let costs: Vec<_> = loaded.models.par_iter().map(matrix::policy_cost).collect();
    let place = |s: &Scenario| loaded.scenarios.iter().position(|other| std::ptr::eq(s, other));
    let word_of = |s: &Scenario| place(s).and_then(|i| scenarios.get(i)).unwrap_or(&s.file.name).clone();
    // Two versions of one model may have the same name.
    let same_name = loaded.models[0].name == loaded.models[1].name;
    let side = |i: usize| -> Side {
        let (model, word) = (&loaded.models[i], words[i].as_str());
        let own: Vec<&Cell> = cells.iter().filter(|c| std::ptr::eq(c.model, model)).collect();
        let name = if same_name { word } else { &model.name };
        diff::side((name, word), model, &own, &costs[i], &word_of)
    };
    let (a, b) = (side(0), side(1));
    let difference = diff::difference(&a, &b, false);
    match format {
        Format::Json => print(&(pretty(&diff::json(&difference)) + "\n"))?,
        _ => print(&diff::text(&difference))?,
    };
    Ok(exit_of(difference.count(Change::Lost), &[&a, &b]))
}

/// Lost properties count first, then verdicts that are missing.
fn exit_of(lost: usize, sides: &[&Side]) -> Exit {
    let missing = sides.iter().flat_map(|side| &side.outcomes).map(|o| match o.verdict {
        "vacuous" => Exit::NothingSelected,
        "unknown" => Exit::Inconclusive,
        _ => Exit::Fine,
    });
    let lost = if lost > 0 { Exit::Unmet } else { Exit::Fine };
    missing.chain([lost]).min().unwrap_or(Exit::Fine)
}

/// Compares two files of results, as `--format json` writes them.
pub fn of_runs(words: &[String], format: Format) -> Result<Exit, Failure> {
    let [a, b] = words else {
        let message = "`diff` compares two models, or two files of results";
        let usage = "usage: overhear diff [SCENARIO…] --models A B\n       overhear diff RUN_A RUN_B";
        return Err(Failure::Message(format!("{message}\n{usage}")));
    };
    let paths = [a.as_str(), b.as_str()];
    let [a, b] = [read_run(paths[0])?, read_run(paths[1])?];
    let models: Vec<&str> = a.models().into_iter().filter(|m| b.models().contains(m)).collect();
    let sides: Vec<[Side; 2]> = models.iter().map(|m| [a.side(paths[0], m), b.side(paths[1], m)]).collect();
    let key = |c: &CellRecord| (c.scenario.clone(), c.model.clone(), c.arrives.clone());
    let alone = |one: &Record, other: &Record| -> Vec<String> {
        let known: HashSet<_> = other.cells.iter().map(key).collect();
        let name = |c: &CellRecord| [Some(&c.scenario), Some(&c.model), c.arrives.as_ref()].map(|w| w.cloned());
        let names = one.cells.iter().filter(|c| !known.contains(&key(c))).map(name);
        names.map(|words| words.into_iter().flatten().collect::<Vec<_>>().join(", ")).collect()
    };
    let runs = Runs {
        names: paths,
        models: models.into_iter().zip(&sides).map(|(m, [a, b])| (m, diff::difference(a, b, true))).collect(),
        alone: [alone(&a, &b), alone(&b, &a)],
    };
    if runs.models.iter().all(|(_, d)| d.compared == 0) {
        return nothing_selected();
    }
    match format {
        Format::Json => print(&(pretty(&diff::runs_json(&runs)) + "\n"))?,
        _ => print(&diff::runs_text(&runs))?,
    };
    Ok(exit_of(runs.count(Change::Lost), &sides.iter().flatten().collect::<Vec<_>>()))
}
