//! The record of a validation, as a page: what was compared with the real client, how often, and how it came out.

use crate::known::Known;
use crate::validate::{Confirmed, OUTSIDE, Row, never};
use crate::walk::Tally;
use std::collections::BTreeMap;
use std::fmt;

/// What a validation came to.
pub struct Record<'a> {
    /// Every cell.
    pub rows: &'a [Row],
    /// The day of the run.
    pub date: &'a str,
    /// How many walks were asked for in each cell.
    pub each: u64,
    /// The most steps of a walk.
    pub steps: usize,
    /// The minutes after which no further walk was begun.
    pub minutes: u64,
    /// The states at which the search of a large scenario was ended.
    pub large_states: usize,
}

/// What rows with the same name have in common.
#[derive(Default)]
struct Sum {
    violated: usize,
    confirmed: usize,
    parted: usize,
    undecided: usize,
    tally: Tally,
}

impl Sum {
    fn add(&mut self, row: &Row) {
        self.violated += row.violated.len();
        self.confirmed += row.violated.iter().filter(|v| !matches!(v.2, Confirmed::No(_))).count();
        self.parted += row.violated.iter().filter(|v| matches!(v.2, Confirmed::In(_))).count();
        self.undecided += if row.not_applicable.is_none() { row.undecided } else { 0 };
        self.tally.join(&row.tally);
    }
}

impl Record<'_> {
    fn all(&self) -> Sum {
        let mut all = Sum::default();
        self.rows.iter().for_each(|row| all.add(row));
        all
    }
    /// Everything that did not come out as the model says, as text.
    pub fn wrong(&self) -> Vec<String> {
        let all = self.all();
        let each = self.rows.iter().flat_map(|row| row.unconfirmed().chain(row.news.iter().cloned()));
        each.chain(never(self.rows, &all.tally).into_iter().map(|what| format!("never replayed: {what}"))).collect()
    }
    /// One line for each scenario and strategy; arrivals are counted together.
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| scenario | strategy | attacks confirmed | walks | steps | disagreements |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        let mut lines: BTreeMap<(&str, &str), Sum> = BTreeMap::new();
        for row in self.rows.iter().filter(|r| r.not_applicable.is_none()) {
            lines.entry((&row.cell.scenario, &row.cell.model)).or_default().add(row);
        }
        for ((scenario, model), sum) in lines {
            let Sum { violated, confirmed, tally, .. } = sum;
            let strategy = model.trim_start_matches("matrix-");
            let differences = disagreements(&tally);
            let Tally { walks, steps, .. } = tally;
            writeln!(f, "| {scenario} | {strategy} | {confirmed} of {violated} | {walks} | {steps} | {differences} |")?;
        }
        Ok(())
    }
    fn not_applicable(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none: Vec<&Row> = self.rows.iter().filter(|r| r.not_applicable.is_some()).collect();
        writeln!(f, "\n## Cells that say nothing about a Matrix client\n")?;
        writeln!(f, "{} of {} cells; they were neither replayed nor walked in.\n", none.len(), self.rows.len())?;
        let mut reasons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for row in none {
            let why = row.not_applicable.as_deref().unwrap_or_default();
            *reasons.entry((&row.cell.scenario, why)).or_default() += 1;
        }
        reasons.iter().try_for_each(|((scenario, why), n)| writeln!(f, "- {scenario}, {n} cells: {why}"))
    }
}

/// The disagreements that walks came to, by kind.
fn disagreements(tally: &Tally) -> String {
    let known = tally.known.iter().map(|(kind, n)| format!("{n} {kind:?}"));
    let new = (tally.stopped > 0).then(|| format!("{} unexplained", tally.stopped));
    let all: Vec<String> = known.chain(new).collect();
    if all.is_empty() { "0".to_string() } else { all.join(", ") }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sum { violated, confirmed, parted: on_the_way, undecided, tally } = self.all();
        let open = self.rows.iter().filter(|r| r.not_applicable.is_none());
        let fewest = open.clone().map(|r| r.tally.walks).min().unwrap_or(0);
        writeln!(f, "# The model held against the real client\n")?;
        writeln!(f, "matrix-sdk-crypto 0.18.0, unmodified, driven in process; written on {} by\n", self.date)?;
        let Self { each, steps, minutes, large_states, date, .. } = self;
        let command = "cargo run -p overhear-real -- --validate docs/validation.md";
        let limits = format!("--minutes {minutes} --large-states {large_states}");
        writeln!(f, "    {command} --each {each} --steps {steps} \\\n      {limits} --date {date}\n")?;
        writeln!(
            f,
            "- {confirmed} of {violated} violations that the search finds came true in {} cells:",
            open.count()
        )?;
        writeln!(f, "  the shortest trace was replayed on real clients, and at its end the adversary's machine")?;
        writeln!(
            f,
            "  decrypted a real event, an honest send was refused, or a client displayed the device as verified."
        )?;
        writeln!(f, "  {on_the_way} of them came true after an explained disagreement on the way.")?;
        writeln!(f, "  {undecided} more properties of large scenarios were not decided within {large_states} states.")?;
        let Tally { walks, steps: taken, stopped, parted, beyond, .. } = &tally;
        writeln!(
            f,
            "- {walks} random walks of the model were replayed, at least {fewest} in each cell, {taken} steps"
        )?;
        writeln!(f, "  in all. After each step what every client knows, shows, sends and can read was compared:")?;
        writeln!(f, "  {stopped} walks disagree without an explanation, {parted} ended at an explained disagreement.")?;
        let beyond = beyond - tally.beyond_by_forwarding;
        writeln!(f, "- In {beyond} walks the adversary decrypted, at the end, what the model says it cannot; in")?;
        let forwarded = tally.beyond_by_forwarding;
        writeln!(f, "  {forwarded} more because of a forwarded session that lives on, a known difference.\n")?;
        writeln!(
            f,
            "Half of the walks push the adversary on; half start on the way of a confirmed attack where a cell"
        )?;
        writeln!(f, "has one. `cargo test -p overhear-real` repeats 500 other walks.\n")?;
        writeln!(
            f,
            "## Explained disagreements\n\nEach has its reason and the client's lines in `tests/replay/src/known.rs`.\n"
        )?;
        for kind in Known::ALL {
            writeln!(f, "- {kind:?}: {} walks", tally.known.get(&kind).copied().unwrap_or(0))?;
        }
        writeln!(f, "\n## Scenario by scenario\n")?;
        self.table(f)?;
        self.not_applicable(f)?;
        for (title, counts) in [("actions", &tally.actions), ("tampered answers", &tally.lies)] {
            writeln!(f, "\n## How often walks replayed which {title}\n\n| | times |\n| --- | --- |")?;
            counts.iter().try_for_each(|(what, n)| writeln!(f, "| {what} | {n} |"))?;
        }
        writeln!(f, "\nNo Matrix client does these, so none was to be replayed: {}.", OUTSIDE.join(", "))?;
        f.write_str(ELSEWHERE)
    }
}

const ELSEWHERE: &str = "
## What else is compared

These are tests of their own and run at every change.

- `tests/replay/tests/decide.rs`: of 1440 situations of `decide` under the four strategies a client can be in 672, and
  in each of them it decides as the model does. It cannot be in 288 since it has no mark for a device that was merely
  shown, in 192 since it pins an identity by the answer that first shows it, in 96 since nobody signs without an
  identity, in 128 since one verifies with a verified identity of one's own, and in 64 since it never forgets its own.
- `tests/conformance.rs`: 45 rows of what the client's own tests expect decide the model; 5 are outside it, each with
  the reason.
- `tests/replay/tests/attacks.rs`: every attack written by hand is replayed under each model that the client implements
  and that it has a run for: 49 runs.
- `tests/replay/tests/client.rs`: what [findings.md](findings.md) tells of the client.
";
