//! What walks without rates come to, for programs and for people.

use super::text::{percent, percents, title, with_interval};
use super::{Interval, checked_word, rounded};
use crate::input::visible;
use crate::model::Action;
use crate::report::matrix::{self, evil};
use crate::report::{csv, terminal::wrapped};
use crate::run::simulation::{Checked, Prepared};
use crate::run::walks::Walked;
use crate::scenario::{arrival_name, property_name};
use crate::simulate::interval::{CONFIDENCE, proportion};
use crate::simulate::uniform::{Drawn, Fell, Walk};
use crate::story::{capital, tell};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// What such a walk is, and what it is not.
pub const SAYS: &str = "At each step anything happens that can happen and changes the state, each as likely as \
                        another. That is no likelihood of anything real: it is a way to look into spaces that are too \
                        large to be searched.";
/// Cells up to this many are told one by one, more of them in tables.
const ONE_BY_ONE: usize = 3;

/// What `overhear simulate --uniform --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WalksRecord {
    /// The version of this format: 1.
    pub format: u32,
    /// The version of Overhear that wrote it.
    pub version: String,
    /// What these walks are, and what they are not.
    pub says: String,
    /// How many walks each cell was given.
    pub walks: u64,
    /// The steps after which a walk ends, if it has not ended before.
    pub steps_max: u32,
    /// What all randomness was made from.
    pub seed: u64,
    /// How often an interval holds what it is about.
    pub confidence: f64,
    /// Each cell, in the order of the run.
    pub cells: Vec<WalkedCell>,
}

/// One model in one scenario, against an adversary that arrives at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WalkedCell {
    /// The scenario's name.
    pub scenario: String,
    /// The model's name.
    pub model: String,
    /// When the adversary arrives; absent in a control without one.
    pub arrives: Option<String>,
    /// How many steps a walk has on average.
    pub steps_a_walk: f64,
    /// How many walks came to where nothing was left that could change anything.
    pub stuck: u64,
    /// What each property comes to.
    pub properties: Vec<WalkedProperty>,
}

/// What one property comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WalkedProperty {
    /// The property.
    pub property: String,
    /// What the checker says of it: `holds`, `falls` or `unknown`.
    pub checked: String,
    /// How many steps a shortest attack has, if the checker found one.
    pub shortest: Option<usize>,
    /// In how many walks it fell.
    pub fell: u64,
    /// The share of such walks in which it falls.
    pub share: Interval,
    /// The fewest steps after which it fell; absent if it never did.
    pub fewest_steps: Option<u32>,
    /// The first walk in which it fell after so few steps.
    pub case: Option<u64>,
}

impl WalksRecord {
    /// What is kept of cells that were walked through.
    pub fn of(drawn: Drawn, walks: u64, cells: &[Walked]) -> Self {
        Self {
            format: 1,
            version: env!("CARGO_PKG_VERSION").to_string(),
            says: SAYS.to_string(),
            walks,
            steps_max: drawn.steps,
            seed: drawn.seed,
            confidence: CONFIDENCE,
            cells: cells.iter().map(cell_record).collect(),
        }
    }
}

fn cell_record(Walked { of, walks }: &Walked) -> WalkedCell {
    let property = |(i, fell): (usize, &Fell)| WalkedProperty {
        property: property_name(of.setting.properties[i]).to_string(),
        checked: checked_word(of.checked[i]).to_string(),
        shortest: if let Checked::Falls(steps) = of.checked[i] { Some(steps) } else { None },
        fell: fell.walks,
        share: Interval::of(proportion(fell.walks, walks.walks)),
        fewest_steps: fell.soonest.map(|(steps, _)| steps),
        case: fell.soonest.map(|(_, case)| case),
    };
    WalkedCell {
        scenario: of.scenario.file.name.clone(),
        model: of.model.name.clone(),
        arrives: of.arrives.map(|a| arrival_name(a).to_string()),
        steps_a_walk: rounded(walks.steps as f64 / walks.walks as f64),
        stuck: walks.stuck,
        properties: walks.fell.iter().enumerate().map(property).collect(),
    }
}

/// Every property of every cell, one a line.
pub fn table(record: &WalksRecord) -> String {
    let header = ["scenario", "model", "arrives", "property", "checked", "walks", "fell", "share", "low", "high"];
    let number = |n: Option<f64>| n.map_or(String::new(), |n| n.to_string());
    let mut out = csv::row(header.into_iter().chain(["fewest-steps", "case"]));
    for cell in &record.cells {
        for p in &cell.properties {
            let of = [&cell.scenario, &cell.model, cell.arrives.as_deref().unwrap_or(""), &p.property, &p.checked];
            let counts = [record.walks, p.fell].map(|n| n.to_string());
            let share = [p.share.value.to_string(), number(p.share.low), number(p.share.high)];
            let steps = p.fewest_steps.map_or(String::new(), |n| n.to_string());
            let case = p.case.map_or(String::new(), |n| n.to_string());
            let row = of.map(str::to_string).into_iter().chain(counts).chain(share).chain([steps, case]);
            out += &csv::row(row);
        }
    }
    out
}

/// All cells, told one by one if they are few, else in a table for each scenario.
pub fn tables(drawn: Drawn, walks: u64, cells: &[Walked]) -> String {
    let walks = matrix::thousands(walks as usize);
    let head = format!("{walks} walks of at most {} steps each, seed {}. {SAYS}", drawn.steps, drawn.seed);
    let head = wrapped("", 0, &head) + "\n";
    match cells.len() <= ONE_BY_ONE {
        true => head + &cells.iter().map(one).collect::<Vec<_>>().join("\n"),
        false => head + &overview(cells),
    }
}

fn one(cell: &Walked) -> String {
    let Walked { of, walks } = cell;
    let [all, stuck] = [walks.walks, walks.stuck].map(|n| matrix::thousands(n as usize));
    let steps = walks.steps as f64 / walks.walks as f64;
    let says = format!("{steps:.1} steps a walk; {stuck} of {all} walks ended where nothing was left to change.");
    let mut out = title(of) + &wrapped("  ", 2, &says) + "\n";
    for (i, (property, fell)) in of.setting.properties.iter().zip(&walks.fell).enumerate() {
        let checked = match of.checked[i] {
            Checked::Holds => String::new(),
            Checked::Falls(steps) => format!("; a shortest attack has {steps}"),
            Checked::Unknown => "; the checker's search was cut short".to_string(),
        };
        let share = proportion(fell.walks, walks.walks);
        let says = match (fell.soonest, of.checked[i]) {
            (None, Checked::Holds) => "never, and the checker finds no way".to_string(),
            (None, _) => {
                format!("0 of {all} walks: at most {} of such walks, no proof{checked}", percent(share.high))
            }
            (Some((steps, case)), _) => {
                let share = with_interval(share, percent);
                format!("{share} of walks; soonest in walk {case}, after {steps} steps{checked}")
            }
        };
        out += &wrapped(&format!("  {:<26}", capital(evil(*property))), 28, &says);
    }
    out
}

/// A table for each scenario: a row for each model and arrival.
fn overview(cells: &[Walked]) -> String {
    let mut out = format!(
        "A column for each property, by what it rules out: the % of walks in which it fell, and the fewest steps\n{}  \
         <x      no walk showed it: at most x, which is not a proof   -   the checker finds no way\n",
        matrix::letters_legend()
    );
    let mut rest = cells;
    while let Some(first) = rest.first() {
        let same = |cell: &Walked| cell.of.scenario.file.name == first.of.scenario.file.name;
        let (group, others) = rest.split_at(rest.iter().take_while(|cell| same(cell)).count());
        out += &scenario_table(group);
        rest = others;
    }
    out
}

fn scenario_table(cells: &[Walked]) -> String {
    let mut table = matrix::narrow();
    let properties = &cells[0].of.setting.properties;
    let letters = properties.iter().map(|&p| matrix::letter(p).to_string());
    table.set_header(["model", "arrives"].map(str::to_string).into_iter().chain(letters).chain(["steps".to_string()]));
    for Walked { of, walks } in cells {
        let fell = walks.fell.iter().zip(&of.checked).map(|(fell, checked)| {
            let share = proportion(fell.walks, walks.walks);
            match (fell.soonest, checked) {
                (Some((steps, _)), _) => format!("{} in {steps}", percents(share.value)),
                (None, Checked::Holds) => "-".to_string(),
                (None, _) => format!("<{}", percents(share.high)),
            }
        });
        let row = [of.model.marked_name(), matrix::arrival_text(of.arrives).to_string()];
        let steps = format!("{:.1}", walks.steps as f64 / walks.walks as f64);
        table.add_row(row.into_iter().chain(fell).chain([steps]));
    }
    matrix::narrow_columns(&mut table);
    let file = &cells[0].of.scenario.file;
    format!("\n{}: {}\n{}", file.name, visible(&file.title), matrix::text(&table))
}

/// One walk, told step by step.
pub fn story(cell: &Prepared, case: u64, walk: &Walk, happened: &[Action]) -> String {
    let told = tell(&cell.setting.world, &cell.names, happened).expect("every step was made by the rules");
    let mut out = title(cell) + &format!("  Walk {case}\n\n");
    for (n, step) in told.iter().enumerate() {
        let mark = if step.by_adversary { '*' } else { ' ' };
        out += &wrapped(&format!("  {:>4} {mark} ", n + 1), 9, &step.sentence);
    }
    out += if walk.stuck { "\n  Nothing is left that could change anything.\n\n" } else { "\n" };
    for (property, fell) in cell.setting.properties.iter().zip(walk.fell) {
        let says = match fell {
            Some(0) => "falls before anything happens".to_string(),
            Some(steps) => format!("falls in step {steps}"),
            None => "holds to the end".to_string(),
        };
        writeln!(out, "  {:<24}{says}", property_name(*property)).expect("a String takes everything");
    }
    out
}
