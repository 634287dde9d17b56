//! `overhear lint`: what is wrong, without effect or undecided in files, before anything is searched for attacks.

use super::{Exit, Failure, Format, LimitOptions, Watcher, pretty, print, search_limits};
use crate::bundle::{self, Kind};
use crate::explore::{Limits, Stopped};
use crate::input::{Diagnostic, Place, Source, quoted, shown};
use crate::model::Arrival;
use crate::report::ci::annotation;
use crate::report::matrix;
use crate::run::{self, CellProgress, Scenario};
use crate::scenario::{self, Model};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

/// What `overhear lint` is asked.
pub struct Files {
    /// Bundled names or paths of model and scenario files, and of files about people.
    pub files: Vec<String>,
    /// The models that the scenarios are meant for, besides those in `files`: bundled names or paths; all bundled ones
    /// if there are none.
    pub models: Vec<String>,
    /// Whether a warning counts as an expectation that is not met.
    pub strict: bool,
    /// Where the honest runs must stop.
    pub limits: LimitOptions,
    /// How the findings are written.
    pub format: Format,
}

/// What was found, file by file.
#[derive(Default)]
struct Findings {
    all: Vec<Diagnostic>,
    unfinished: Vec<Unfinished>,
}

/// An honest run that something stopped before it could tell.
struct Unfinished {
    scenario: String,
    model: String,
    stopped: Stopped,
}

/// Looks at files, and says everything that it finds.
pub fn lint(asked: &Files) -> Result<Exit, Failure> {
    let known = bundle::models();
    let mut selected = match asked.models.is_empty() {
        true => known.clone(),
        false => {
            asked.models.iter().map(|m| scenario::read_model(&bundle::find_model(m)?)).collect::<Result<_, _>>()?
        }
    };
    let (mut found, mut scenarios) = (Findings::default(), Vec::new());
    for word in &asked.files {
        match read(word, &known, &mut selected, &mut found) {
            Ok(file) => scenarios.extend(file),
            Err(refusal) => found.all.push(*refusal),
        }
    }
    let watcher = Watcher::new()?;
    let limits = search_limits(&asked.limits);
    for scenario in &scenarios {
        let Scenario { file, source } = scenario;
        // A bundled scenario speaks of bundled models; it need not have foreseen any other.
        let judged = if bundle::is_bundled(source) { &known } else { &selected };
        let all = !asked.models.is_empty() || bundle::is_bundled(source) && file.models.is_none();
        let meant = |m: &&Model| all || file.is_about(m);
        let [judged, run] = [judged, &selected].map(|models| models.iter().filter(meant).cloned().collect::<Vec<_>>());
        found.all.extend(scenario::lint_scenario(file, source, bundle::is_bundled(source), (&judged, &known)));
        honest_runs(scenario, &run, &known, limits, &watcher, &mut found)?;
    }
    if let Some(exit) = watcher.interrupted(&[]) {
        return Ok(exit);
    }
    match asked.format {
        Format::Json => print(&(pretty(&as_json(asked, &selected, &found)) + "\n"))?,
        Format::Github => print(&found.all.iter().map(as_annotation).collect::<String>())?,
        Format::Text | Format::Csv => print(&as_text(asked, &found))?,
    };
    Ok(exit_of(&found, asked.strict))
}

/// Reads one file and checks what can be checked of it alone: a model joins those selected, a scenario is returned, and
/// of people there is nothing more to say.
fn read(
    word: &str,
    known: &[Model],
    selected: &mut Vec<Model>,
    found: &mut Findings,
) -> Result<Option<Scenario>, Box<Diagnostic>> {
    let (kind, source) = bundle::find_either(word)?;
    // A bundled file's path leads nowhere on the user's disk.
    found.all.extend(Some(&source).filter(|s| s.path == word).and_then(without_schema));
    let model = match kind {
        Kind::Model => scenario::read_model(&source)?,
        Kind::People => {
            found.all.extend(scenario::lint_people(&source, &scenario::read_people(&source)?));
            return Ok(None);
        }
        Kind::Scenario => {
            let file = scenario::read_scenario(&source)?;
            scenario::check(&file, &source, known)?;
            return Ok(Some(Scenario { file, source }));
        }
    };
    found.all.extend(scenario::lint_model(&source, &model));
    let namesake = selected.iter().chain(known).find(|other| other.name == model.name && **other != model);
    found.all.extend(namesake.map(|other| *taken(&source, other)));
    if !selected.contains(&model) {
        selected.push(model);
    }
    Ok(None)
}

/// A reference to a schema that is not there, so that an editor cannot complete from it. One on the network is not
/// asked for.
fn without_schema(source: &Source) -> Option<Diagnostic> {
    let file: Value = serde_json::from_str(&source.text).ok()?;
    let schema = file.get("$schema")?.as_str()?;
    if schema.contains("://") || Path::new(&source.path).parent()?.join(schema).is_file() {
        return None;
    }
    let message = format!("no schema is at {}, so editors cannot complete from it", quoted(schema));
    let help = "`overhear init` writes those of models and scenarios, `overhear schema` prints any";
    Some(*source.error("W212", source.at(&Place::root().key("$schema")), message).help(help))
}

/// A model that tables could not tell from another one.
fn taken(source: &Source, other: &Model) -> Box<Diagnostic> {
    let message = format!("there is another model of the name {}: {}", quoted(&other.name), shown(&other.title));
    source.error("W211", source.at(&Place::root().key("name")), message).help("tables tell models apart by their names")
}

/// Finds the models under which a scenario is vacuous, since nobody could reach everybody even if nobody attacked.
fn honest_runs(
    scenario: &Scenario,
    selected: &[Model],
    known: &[Model],
    limits: Limits,
    watcher: &Watcher,
    found: &mut Findings,
) -> Result<(), Failure> {
    let Scenario { file, source } = scenario;
    let run = |model: &Model| -> Result<_, Box<Diagnostic>> {
        let (world, _) = scenario::compile(file, source, model, known, Arrival::FromStart)?;
        Ok(run::honest_run(&world, limits, watcher.search()))
    };
    let runs: Vec<_> = selected.par_iter().map(run).collect::<Result<_, _>>()?;
    let mut failing: Vec<&str> = Vec::new();
    for (model, run) in selected.iter().zip(runs) {
        match run {
            Ok(true) => {}
            Ok(false) => failing.push(&model.name),
            Err(stopped) => {
                let (scenario, model) = (file.name.clone(), model.name.clone());
                found.unfinished.push(Unfinished { scenario, model, stopped });
            }
        }
    }
    if let Some(first) = selected.iter().find(|model| failing.first() == Some(&model.name.as_str())) {
        let (world, _) = scenario::compile(file, source, first, known, Arrival::FromStart)?;
        let heard_with = run::heard_with(&world, &first.policy, limits, watcher.search());
        found.all.push(scenario::lint_honest_run(source, &failing, &heard_with));
    }
    Ok(())
}

fn exit_of(found: &Findings, strict: bool) -> Exit {
    let one = |d: &Diagnostic| match (d.severity(), d.code) {
        // The file is read and checked, but says nothing: as in a run.
        (_, "E150") => Exit::NothingSelected,
        ("warning", _) if strict => Exit::Unmet,
        ("warning", _) => Exit::Fine,
        _ => Exit::BadInput,
    };
    let unfinished = found.unfinished.iter().map(|_| Exit::Inconclusive);
    found.all.iter().map(one).chain(unfinished).min().unwrap_or(Exit::Fine)
}

fn count(found: &Findings, severity: &str) -> usize {
    found.all.iter().filter(|d| d.severity() == severity).count()
}

fn as_text(asked: &Files, found: &Findings) -> String {
    let coloured = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    let mut out: String = found.all.iter().map(|d| d.render(coloured).trim_end().to_string() + "\n\n").collect();
    for Unfinished { scenario, model, stopped } in &found.unfinished {
        let by = matrix::stopped_word(*stopped);
        out += &format!("unknown: whether the honest run of {scenario} completes under {model}: stopped by {by}\n");
    }
    let numbered = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let [errors, warnings] = ["error", "warning"].map(|severity| numbered(count(found, severity), severity));
    out + &format!("{}: {errors}, {warnings}\n", numbered(asked.files.len(), "file"))
}

fn as_annotation(d: &Diagnostic) -> String {
    let nearest = d.nearest.as_ref().map_or(String::new(), |name| format!("; did you mean {}?", quoted(name)));
    annotation(d.severity(), &d.path, (d.line, d.column), d.code, &format!("{}{nearest}", d.message))
}

fn as_json(asked: &Files, selected: &[Model], found: &Findings) -> Value {
    let finding = |d: &Diagnostic| {
        json!({
            "code": d.code, "severity": d.severity(), "path": d.path, "line": d.line, "column": d.column,
            "message": d.message, "expected": d.expected, "nearest": d.nearest, "help": d.help,
        })
    };
    let unknown = |u: &Unfinished| {
        let by = matrix::stopped_word(u.stopped);
        json!({ "scenario": u.scenario, "model": u.model, "stopped-by": by })
    };
    json!({
        "format": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "files": asked.files,
        "models": selected.iter().map(|m| &m.name).collect::<Vec<_>>(),
        "findings": found.all.iter().map(finding).collect::<Vec<_>>(),
        "honest-runs-unknown": found.unfinished.iter().map(unknown).collect::<Vec<_>>(),
    })
}
