//! Cells that are walked through without rates and without time.

use super::RunError;
use super::simulation::{CellWatch, Prepared};
use crate::model::Action;
use crate::simulate::uniform::{self, Drawn, Walk, Walks, Ways};
use rayon::prelude::*;
use std::num::NonZero;

/// A cell that was walked through.
pub struct Walked<'a> {
    /// What was walked through.
    pub of: Prepared<'a>,
    /// What the walks came to.
    pub walks: Walks,
}

/// Walks through prepared cells, in their order, so many times each; none if whoever watches did not let them go on.
///
/// Where there are fewer cells than threads, each is walked through on all threads; the results are the same.
pub fn walk<'a>(
    drawn: Drawn,
    walks: u64,
    cells: Vec<Prepared<'a>>,
    watch: &(impl CellWatch + uniform::Watch),
) -> Result<Option<Vec<Walked<'a>>>, RunError> {
    watch.begin(cells.len());
    let threads = NonZero::new(rayon::current_num_threads()).unwrap_or(NonZero::<usize>::MIN);
    let on = |cell: Prepared<'a>, threads| -> Result<Option<Walked<'a>>, RunError> {
        let Some(walks) = uniform::all(&ways(&cell), drawn, walks, threads, watch) else { return Ok(None) };
        cell.believe_cases(|i| walks.fell[i].soonest.map(|(_, case)| case))?;
        Ok(Some(Walked { of: cell, walks }))
    };
    match cells.len() < threads.get() {
        true => cells.into_iter().map(|cell| on(cell, threads)).collect(),
        false => cells.into_par_iter().map(|cell| on(cell, NonZero::<usize>::MIN)).collect(),
    }
}

/// One walk through a cell, with all that happened in it.
pub fn walk_case(drawn: Drawn, cell: &Prepared, case: u64) -> Result<(Walk, Vec<Action>), RunError> {
    let (walk, happened) = uniform::one(&ways(cell), drawn, case);
    cell.believe_cases(|i| walk.fell[i].map(|_| case))?;
    Ok((walk, happened))
}

/// All that can happen in a cell.
fn ways(cell: &Prepared) -> Ways {
    Ways::new(&cell.setting.world, cell.setting.properties.clone())
}
