//! A run as pictures: what policies withstand and what they ask, each with its numbers as a table.
//!
//! A page that shows them lets them shrink: `max-width: 100%; height: auto`.

mod paper;
mod safety;
mod reach;
mod growth;
pub mod simulated;

use crate::report::csv;
use crate::report::matrix::PolicyCost;
use crate::report::results::{self, Nth, Run};
use crate::run::Cell;
use crate::scenario::Model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A picture of a run, and the numbers in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plot {
    /// What its files are called, without their extension: one of [`NAMES`].
    pub name: String,
    /// Its heading.
    pub title: String,
    /// What is to be seen, and how it is read.
    pub about: String,
    /// The heads of the columns of its table.
    pub columns: Vec<String>,
    /// The rows, each with a text for each column.
    pub rows: Vec<Vec<String>>,
    /// The picture, which stands as well in a page as in a file.
    pub svg: String,
}

/// What the files of all plots are called, without their extension.
pub const NAMES: [&str; 4] = [safety::NAME, reach::NAME, growth::BY_DEVICES, growth::BY_PEOPLE];

/// The plots of a run. One that would show nothing is left out.
pub fn all(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> Vec<Plot> {
    of_run(&results::of_cells(cells, models, costs), costs)
}

/// The plots of a run in words and numbers; `costs` are those of its models.
pub fn of_run(run: &Run, costs: &[PolicyCost]) -> Vec<Plot> {
    let compared = Compared::of(run);
    let models: Vec<&Model> = compared.policies.iter().map(|&n| &run.models[n]).collect();
    let safety = [safety::plot(run, costs, &compared), reach::plot(run, &compared)];
    safety.into_iter().flatten().chain(growth::plots(&models, &compared)).collect()
}

/// What can be held against each other.
struct Compared<'r> {
    /// The adversaries that every policy met which met any, with a question of who reads.
    adversaries: BTreeSet<&'r str>,
    /// The policies that met all of them.
    policies: Vec<Nth>,
    /// How many others met some.
    others: usize,
}

impl<'r> Compared<'r> {
    // Variants are tried where they are named: only where there is nothing else do they say who is met by all.
    fn of(run: &'r Run) -> Self {
        let all = || 0..run.models.len();
        let met: Vec<BTreeSet<&str>> = all().map(|n| met(run, n)).collect();
        let common = |variants: bool| {
            let policies = all().filter(|&n| run.models[n].variant_of.is_some() == variants && !met[n].is_empty());
            policies.map(|n| met[n].clone()).reduce(|a, b| a.intersection(&b).copied().collect())
        };
        let adversaries = common(false).or_else(|| common(true)).unwrap_or_default();
        let (policies, others): (Vec<Nth>, Vec<Nth>) = all().partition(|&n| adversaries.is_subset(&met[n]));
        Self { adversaries, policies, others: others.into_iter().filter(|&n| !met[n].is_empty()).count() }
    }

    /// The sentence on those that are not compared, if there are any.
    fn left_out(&self) -> String {
        match self.others {
            0 => String::new(),
            1 => " One policy that did not meet all adversaries is left out.".to_string(),
            n => format!(" {n} policies that did not meet all adversaries are left out."),
        }
    }
}

/// The adversaries that a policy met, with a question of who reads.
fn met<'r>(run: &'r Run, n: Nth) -> BTreeSet<&'r str> {
    let about_readers = |s: &&str| run.arrivals(n, s).iter().any(|arrives| run.keys(n, s, arrives).is_some());
    run.scenarios(n).into_iter().filter(about_readers).collect()
}

/// What policies are called on a sheet.
fn names(run: &Run, policies: &[Nth]) -> Vec<String> {
    policies.iter().map(|&n| run.models[n].marked_name()).collect()
}

impl Plot {
    /// The table as comma-separated values.
    pub fn csv(&self) -> String {
        csv::row(&self.columns) + &self.rows.iter().map(csv::row).collect::<String>()
    }
}
