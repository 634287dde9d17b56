//! What a person reads in the terminal: unmet expectations, a summary, an attack told step by step.

use crate::bundle;
use crate::explore::Stopped;
use crate::explore::recovery::recovery;
use crate::input::{Place, Span};
use crate::model::{Action, Property, World};
use crate::report::matrix::{reductions_words, stopped_word, thousands, verdict_word};
use crate::run::{Cell, Verdict, stopped_by};
use crate::scenario::{Expect, arrival_name, property_name};
use crate::story::{capital, consequence, tell};
use crate::trace::{self, Names};
use serde_json::{Value, json};

/// Sentences are wrapped to this many columns, whatever the terminal: the same input gives the same bytes.
const WIDTH: usize = 80;

/// `text` after `first`, wrapped at spaces; the lines after the first are indented by `indent`.
pub fn wrapped(first: &str, indent: usize, text: &str) -> String {
    let (mut out, mut column) = (first.to_string(), first.chars().count());
    for (i, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if i > 0 && column + 1 + length > WIDTH {
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
fn claim_place(cell: &Cell, index: usize) -> (usize, usize) {
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
                let path = &cell.scenario.source.path;
                out += &format!("UNMET     {name} {}, {}\n", verdict_word(verdict), expected_text(claim.expect));
                out += &format!("  expected at {path}:{line}:{column} because: {}\n", claim.why);
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

/// The numbered sentences of a trace, each with what it changed.
pub fn steps(w: &World, names: &Names, actions: &[Action]) -> String {
    let told = tell(w, names, actions).expect("traces are replayed before they are told");
    let mut out = String::new();
    for (n, step) in told.iter().enumerate() {
        let mark = if step.by_adversary { '*' } else { ' ' };
        out += &wrapped(&format!("{:>3}.{mark} ", n + 1), 6, &step.sentence);
        out += &step.changes.iter().map(|c| wrapped("        ", 10, c)).collect::<String>();
    }
    out
}

/// The trace that shows a verdict: of an attack, or of what must be possible. Empty if there is none.
pub fn shown_by<'c>(cell: &'c Cell, index: usize) -> &'c [Action] {
    let (property, verdict) = &cell.verdicts[index];
    match verdict {
        Verdict::Violated { trace } => trace,
        Verdict::Holds { .. } if !property.is_safety() => cell.findings.trace(*property).unwrap_or_default(),
        _ => &[],
    }
}

/// The command that explains a verdict.
pub fn command(cell: &Cell, property: Property) -> String {
    let (scenario, model) = (bundle::word(&cell.scenario.source), bundle::word(&cell.model.file));
    let arrives = cell.arrives.map_or(String::new(), |a| format!(" --arrives {}", arrival_name(a)));
    let property = property_name(property);
    format!("overhear explain {} --model {} --property {property}{arrives}", quoted(scenario), quoted(model))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// A verdict and its reason, for a person: the attack, why it worked, what would have stopped it, how to replay it.
pub fn explanation(cell: &Cell, index: usize) -> String {
    let (property, verdict) = &cell.verdicts[index];
    let states = thousands(cell.findings.states);
    let mut out = wrapped("", 0, &cell_text(cell, *property)) + &format!("{}\n\n", cell.scenario.file.title);
    let (actions, count) = (shown_by(cell, index), plural(shown_by(cell, index).len(), "step"));
    match verdict {
        Verdict::Violated { trace } if !trace.is_empty() => {
            out += &format!("Violated in {count} (* the adversary's doing); there is no shorter way:\n\n");
        }
        Verdict::Violated { .. } => out += "Violated: in no reachable state is it so.\n",
        Verdict::Holds { .. } if !property.is_safety() => out += &format!("Holds, as {count} show:\n\n"),
        Verdict::Holds { no_move } => {
            out += &format!("Holds: no attack within these bounds; all {states} reachable states were searched.\n");
            if let Some(axis) = no_move {
                out += &format!("The adversary has no move: `{axis}` leaves its powers nothing to act on.\n");
            }
        }
        Verdict::Unknown { stopped } => {
            out += &format!("Unknown: the search was stopped by {} after {states} states.\n", stopped_word(*stopped));
        }
        Verdict::Vacuous { why } => out += &format!("Vacuous: {why}.\n"),
    }
    if !actions.is_empty() {
        let end = consequence(&cell.world, &cell.names, cell.end(actions), *property);
        out += &format!("{}\n{}\n", steps(&cell.world, &cell.names, actions), wrapped("", 0, &end));
        out += &if property.is_safety() { why(cell, *property, actions) + "\n" } else { String::new() };
        out += &if property.is_of_true_answers() { way_out(cell, actions) + "\n" } else { String::new() };
        let find = command(cell, *property).replace(" --property", " \\\n    --property");
        out += &format!("To replay:\n  {find} \\\n    --itf attack.itf.json\n  overhear replay attack.itf.json\n");
    }
    if let Some(claim) = cell.claims[index] {
        let (line, _) = claim_place(cell, index);
        let expected = format!("{}, at {}:{line}, because:", expected_text(claim.expect), cell.scenario.source.path);
        out += &format!("\n{}\n{}", capital(&expected), wrapped("  ", 2, &claim.why));
    }
    let transitions = thousands(cell.findings.transitions);
    let searched = format!("{states} states, {transitions} transitions, depth {}", cell.findings.depth);
    let reductions = "without dominated answers, unread fields and what only decided properties read";
    out + &wrapped("", 2, &format!("\nSearched: {searched}; {reductions}."))
}

fn plural(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The fewest honest steps out of a lock-out, as text.
fn way_out(cell: &Cell, actions: &[Action]) -> String {
    let Some(steps) = recovery(&cell.world, cell.end(actions)) else {
        return "No way out was found by honest steps alone.\n".to_string();
    };
    let texts = steps.iter().map(|&a| trace::text(&cell.world, &cell.names, a));
    let lines: String = texts.map(|t| format!("  {t}\n")).collect();
    format!("The fewest honest steps after which nobody is locked out, once the adversary rests:\n{lines}")
}

/// Which axis values let the attack happen, with their sources, found by replaying it under each other value.
fn why(cell: &Cell, property: Property, actions: &[Action]) -> String {
    let decisive = stopped_by(cell, property, actions);
    if decisive.is_empty() {
        return "No other value on a single axis stops these steps.\n".to_string();
    }
    let mut out = "What let it happen. With another value on this one axis these same steps fail;\n\
                   whether others would succeed, a model file with that value tells.\n"
        .to_string();
    for (axis, own, others) in decisive {
        out += &wrapped("  ", 6, &format!("{axis}: {own} (not if {})", others.join(", ")));
        if let Some(source) = cell.model.source(&axis) {
            out += &wrapped("      ", 6, &format!("source: {source}"));
        }
    }
    out
}

/// The same explanation as JSON.
pub fn explanation_json(cell: &Cell, index: usize) -> Value {
    let (property, verdict) = &cell.verdicts[index];
    let actions = shown_by(cell, index);
    let told = tell(&cell.world, &cell.names, actions).expect("traces are replayed before they are told");
    let steps = told.iter().map(|t| {
        json!({
            "action": trace::text(&cell.world, &cell.names, t.action),
            "sentence": t.sentence,
            "changes": t.changes,
            "by-adversary": t.by_adversary,
        })
    });
    let attack = matches!(verdict, Verdict::Violated { .. }) && !actions.is_empty();
    let decisive = if attack { stopped_by(cell, *property, actions) } else { Vec::new() };
    let axes = decisive.into_iter().map(|(axis, own, others)| {
        let source = cell.model.source(&axis).map(str::to_string);
        json!({ "axis": axis, "value": own, "stopped-by": others, "source": source })
    });
    json!({
        "format": 1,
        "scenario": cell.scenario.file.name,
        "model": cell.model.name,
        "arrives": cell.arrives.map(arrival_name),
        "property": property_name(*property),
        "verdict": verdict_word(verdict),
        "states": cell.findings.states,
        "steps": steps.collect::<Vec<_>>(),
        "let-happen-by": axes.collect::<Vec<_>>(),
    })
}
