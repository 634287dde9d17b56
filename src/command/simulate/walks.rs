//! `overhear simulate --uniform`: walks without rates and without time.

use super::{Simulation, Watcher, more_than_one};
use crate::command::{Exit, Failure, Format, nothing_selected, pretty, print};
use crate::report::simulation::walks::{WalksRecord, story, table, tables};
use crate::run::simulation::{CellWatch, SimulationPlan, prepare};
use crate::run::walks::{walk, walk_case};
use crate::simulate::uniform::Drawn;
use serde_json::json;

/// Walks through every cell, or tells one walk through the only one.
pub fn run(plan: &SimulationPlan, steps: u32, asked: &Simulation) -> Result<Exit, Failure> {
    let drawn = Drawn { steps, seed: plan.seed };
    let watcher = Watcher::new(plan.runs, ["walks", "steps"])?;
    let cells = prepare(plan, &watcher)?;
    if cells.is_empty() {
        return nothing_selected();
    }
    if let Some(case) = asked.case {
        watcher.bar.finish_and_clear();
        let [cell] = cells.as_slice() else { return Err(more_than_one("--case", "tells a walk through", cells.len())) };
        let (walk, happened) = walk_case(drawn, cell, case)?;
        return print(&story(cell, case, &walk, &happened));
    }
    let walked = if watcher.goes_on() { walk(drawn, plan.runs, cells, &watcher)? } else { None };
    watcher.bar.finish_and_clear();
    let Some(cells) = walked else { return Ok(watcher.interrupted()) };
    match asked.format {
        Format::Json => print(&(pretty(&json!(WalksRecord::of(drawn, plan.runs, &cells))) + "\n")),
        Format::Csv => print(&table(&WalksRecord::of(drawn, plan.runs, &cells))),
        Format::Text | Format::Github => print(&tables(drawn, plan.runs, &cells)),
    }
}
