//! `overhear diff`: what a second trust model changes against a first one.

use super::{Exit, Failure, Format, LimitOptions, Selection, Watcher, load, nothing_selected, pretty, print};
use crate::report::diff::{self, Change, Side};
use crate::report::matrix;
use crate::run::{self, Cell, Scenario};
use rayon::prelude::*;

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
    let difference = diff::difference(&a, &b);
    match format {
        Format::Json => print(&(pretty(&diff::json(&difference)) + "\n"))?,
        _ => print(&diff::text(&difference))?,
    };
    let lost = if difference.count(Change::Lost) > 0 { Exit::Unmet } else { Exit::Fine };
    let missing = a.outcomes.iter().chain(&b.outcomes).map(|o| match o.verdict {
        "vacuous" => Exit::NothingSelected,
        "unknown" => Exit::Inconclusive,
        _ => Exit::Fine,
    });
    Ok(missing.chain([lost]).min().unwrap_or(Exit::Fine))
}
