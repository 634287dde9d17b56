//! `overhear report`: the report for people, made from the results of a run.

use super::{Exit, Failure, nothing_selected, read_run};
use crate::bundle;
use crate::input::{Diagnostic, Source};
use crate::report::itf::input_hash;
use crate::report::matrix::policy_cost as search_cost;
use crate::report::record::{CellRecord, InputFile, policy_cost, reductions_of};
use crate::report::{for_people, write_files};
use crate::run::{Cell, Scenario};
use crate::scenario::{Model, read_model, read_scenario};
use rayon::prelude::*;
use std::path::Path;

/// Writes the report of the results in the file `run` into the folder `out`.
pub fn report(run: &str, out: &Path) -> Result<Exit, Failure> {
    let wrong = |message: String| Failure::Message(format!("{run}: {message}"));
    let record = read_run(run)?;
    if record.cells.is_empty() {
        return nothing_selected();
    }
    // Refused now rather than after the work.
    std::fs::create_dir_all(out).map_err(|e| Failure::Message(format!("{}: {e}", out.display())))?;
    let scenario = |source: Source| Ok(Scenario { file: read_scenario(&source)?, source });
    let scenarios = unchanged(run, &record.scenario_files, bundle::find_scenario)?.into_iter().map(scenario);
    let scenarios: Vec<Scenario> = scenarios.collect::<Result<_, Box<Diagnostic>>>()?;
    let models = unchanged(run, &record.model_files, bundle::find_model)?;
    let mut models: Vec<Model> = models.iter().map(read_model).collect::<Result<_, _>>()?;
    // The files are kept as they were met, the costs in the order of the run.
    models.sort_by_key(|m| record.costs.iter().position(|cost| cost.model == m.name));
    let known = bundle::models();
    let reductions = reductions_of(&record.reductions);
    let again = |cell: &CellRecord| -> Result<Cell<'_>, String> {
        let missing = |kind: &str, name: &str| format!("the {kind} `{name}` is searched, and no file is named for it");
        let scenario = scenarios.iter().find(|s| s.file.name == cell.scenario);
        let model = models.iter().find(|m| m.name == cell.model);
        let scenario = scenario.ok_or_else(|| missing("scenario", &cell.scenario))?;
        cell.cell(scenario, model.ok_or_else(|| missing("model", &cell.model))?, &known, reductions)
    };
    let cells: Vec<Cell> = record.cells.par_iter().map(again).collect::<Result<_, String>>().map_err(wrong)?;
    let cost = |m: &Model| record.costs.iter().find(|c| c.model == m.name).map_or_else(|| search_cost(m), policy_cost);
    let costs: Vec<_> = models.par_iter().map(cost).collect();
    let written = write_files(out, &for_people(&cells, &models, &costs, None));
    written.map_err(|e| Failure::Message(format!("{}: {e}", out.display())))?;
    anstream::eprintln!("wrote {}", out.join("index.html").display());
    Ok(Exit::Fine)
}

/// The files of a run, if they still are what they were.
fn unchanged(
    run: &str,
    files: &[InputFile],
    find: impl Fn(&str) -> Result<Source, Box<Diagnostic>>,
) -> Result<Vec<Source>, Failure> {
    let read = |file: &InputFile| {
        let source = find(&file.file)?;
        if input_hash(&[&source.text]) == file.hash {
            return Ok(source);
        }
        let message = format!("{} has changed since {run} was written; search it again for new results", source.path);
        Err(Failure::Message(message))
    };
    files.iter().map(read).collect()
}
