//! What a person reads in the terminal: unmet expectations and a summary.

use crate::explore::Stopped;
use crate::input::{Place, Span, visible};
use crate::model::Property;
use crate::report::matrix::{reductions_words, stopped_word, thousands, verdict_word};
use crate::run::{Cell, Verdict};
use crate::scenario::{Expect, arrival_name, property_name};
use crate::trace;
use std::sync::LazyLock;

/// Sentences are wrapped to this many columns, and to fewer only where a narrower terminal reads them: in a file the
/// same input gives the same bytes.
const WIDTH: usize = 80;

/// The columns to wrap to.
fn width() -> usize {
    static COLUMNS: LazyLock<usize> = LazyLock::new(|| {
        let terminal = terminal_size::terminal_size_of(std::io::stdout());
        terminal.map_or(WIDTH, |(columns, _)| usize::from(columns.0).clamp(WIDTH / 3, WIDTH))
    });
    *COLUMNS
}

/// `text` after `first`, wrapped at spaces; the lines after the first are indented by `indent`. What others wrote
/// cannot steer the terminal, or the log that a line of its own would be a command to.
pub fn wrapped(first: &str, indent: usize, text: &str) -> String {
    wrapped_to(width(), first, indent, text)
}

/// The same, to so many columns.
pub fn wrapped_to(columns: usize, first: &str, indent: usize, text: &str) -> String {
    let (mut out, mut column) = (first.to_string(), first.chars().count());
    for (i, word) in visible(text).split(' ').enumerate() {
        let length = word.chars().count();
        if i > 0 && column + 1 + length > columns {
            out += &format!("\n{}{word}", " ".repeat(indent));
            column = indent + length;
        } else {
            out += if i > 0 { " " } else { "" };
            out += word;
            column += length + usize::from(i > 0);
        }
    }
    out + "\n"
}

/// A cell's name in a sentence.
pub(super) fn cell_text(cell: &Cell, property: Property) -> String {
    let arrives = cell.arrives.map_or(String::new(), |a| format!(", adversary {}", arrival_name(a)));
    format!("{}, {}{arrives}: {}", cell.scenario.file.name, cell.model.name, property_name(property))
}

pub(super) fn expected_text(expect: Expect) -> &'static str {
    match expect {
        Expect::Holds => "it was expected to hold",
        Expect::Violated => "it was expected to fall",
    }
}

/// Where the claim is that decides a verdict; if there is none, where the claims begin.
pub(super) fn claim_span(cell: &Cell, index: usize) -> Span {
    let claims = &cell.scenario.file.expectations;
    let number = cell.claims[index].and_then(|c| claims.iter().position(|d| std::ptr::eq(c, d))).unwrap_or(0);
    cell.scenario.source.at(&Place::root().key("expectations").item(number))
}

/// The line and column of that claim.
pub(super) fn claim_place(cell: &Cell, index: usize) -> (usize, usize) {
    cell.scenario.source.line_column(claim_span(cell, index).start)
}

/// Every verdict: its cell, and its place there.
pub(super) fn each<'c, 'a>(cells: &'c [Cell<'a>]) -> impl Iterator<Item = (&'c Cell<'a>, usize)> {
    cells.iter().flat_map(|c| (0..c.verdicts.len()).map(move |i| (c, i)))
}

/// Every verdict that is not what was expected, or not conclusive, with where it was expected and why.
pub fn unmet(cells: &[Cell]) -> String {
    let mut out = String::new();
    for (cell, i) in each(cells) {
        let (property, verdict) = &cell.verdicts[i];
        let name = cell_text(cell, *property);
        match (verdict, cell.met(i), cell.claims[i]) {
            // Whoever interrupts knows that the rest is unknown.
            (Verdict::Unknown { stopped: Stopped::Interrupted }, ..) => {}
            (Verdict::Unknown { stopped }, ..) => {
                let states = thousands(cell.findings.states);
                let (why, depth) = (stopped_word(*stopped), cell.findings.depth);
                out += &format!("unknown   {name}\n  stopped by {why} after {states} states, {depth} steps complete\n");
            }
            (Verdict::Vacuous { why }, ..) => out += &format!("vacuous   {name}\n  {why}\n"),
            (_, Some(false), Some(claim)) => {
                let (line, column) = claim_place(cell, i);
                let path = visible(&cell.scenario.source.path);
                out += &format!("UNMET     {name} {}, {}\n", verdict_word(verdict), expected_text(claim.expect));
                out += &format!("  expected at {path}:{line}:{column} because: {}\n", visible(&claim.why));
                if let Verdict::Violated { trace: actions } = verdict {
                    let texts = actions.iter().map(|&a| trace::text(&cell.world, &cell.names, a));
                    out += &texts.enumerate().map(|(n, t)| format!("  {:>3}. {t}\n", n + 1)).collect::<String>();
                }
            }
            _ => {}
        }
    }
    out
}

/// How many verdicts there are of each kind.
pub fn summary(cells: &[Cell]) -> String {
    let count = |is: &dyn Fn(&Cell, usize) -> bool| each(cells).filter(|(c, i)| is(c, *i)).count();
    let states: usize = cells.iter().map(|c| c.findings.states).sum();
    let met = count(&|c, i| c.met(i) == Some(true));
    let unmet = count(&|c, i| c.met(i) == Some(false));
    let unclaimed = count(&|c, i| c.claims[i].is_none());
    let inconclusive = count(&|c, i| matches!(c.verdicts[i].1, Verdict::Unknown { .. } | Verdict::Vacuous { .. }));
    let unclaimed = if unclaimed == 0 { String::new() } else { format!(", {unclaimed} without expectation") };
    format!(
        "{}, {} states: {met} expectations met, {unmet} not met, {inconclusive} not conclusive{unclaimed}\n\
         reductions: {}\n",
        if cells.len() == 1 { "1 search".to_string() } else { format!("{} searches", cells.len()) },
        thousands(states),
        reductions_words(cells).join(", "),
    )
}
