//! What a person reads in the terminal: unmet expectations, a summary, an attack told step by step.

use crate::input::Place;
use crate::model::{Action, Property, World};
use crate::report::matrix::{stopped_word, thousands, verdict_word};
use crate::run::{Cell, Verdict, stopped_by};
use crate::scenario::{Expect, arrival_name, property_name};
use crate::story::{consequence, tell};
use crate::trace::{self, Names};
use serde_json::{Value, json};

/// A cell's name in a sentence.
fn cell_text(cell: &Cell, property: Property) -> String {
    let arrives = cell.arrives.map_or(String::new(), |a| format!(", adversary {}", arrival_name(a)));
    format!("{}, {}{arrives}: {}", cell.scenario.file.name, cell.model.name, property_name(property))
}

fn expected_text(expect: Expect) -> &'static str {
    match expect {
        Expect::Holds => "it was expected to hold",
        Expect::Violated => "it was expected to fall",
    }
}

/// The line and column of the claim that decides a verdict.
fn claim_place(cell: &Cell, index: usize) -> (usize, usize) {
    let claims = &cell.scenario.file.expectations;
    let number = cell.claims[index].and_then(|c| claims.iter().position(|d| std::ptr::eq(c, d))).unwrap_or(0);
    let place = Place::root().key("expectations").item(number);
    cell.scenario.source.line_column(cell.scenario.source.at(&place).start)
}

/// Every verdict that is not what was expected, or not conclusive, with where it was expected and why.
pub fn unmet(cells: &[Cell]) -> String {
    let mut out = String::new();
    for (cell, i) in cells.iter().flat_map(|c| (0..c.verdicts.len()).map(move |i| (c, i))) {
        let (property, verdict) = &cell.verdicts[i];
        let name = cell_text(cell, *property);
        match (verdict, cell.met(i), cell.claims[i]) {
            (Verdict::Unknown { stopped }, ..) => {
                let states = thousands(cell.findings.states);
                out += &format!("unknown   {name}\n  stopped by {} after {states} states\n", stopped_word(*stopped));
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
    let all = || cells.iter().flat_map(|c| (0..c.verdicts.len()).map(move |i| (c, i)));
    let count = |is: &dyn Fn(&Cell, usize) -> bool| all().filter(|(c, i)| is(c, *i)).count();
    let states: usize = cells.iter().map(|c| c.findings.states).sum();
    let met = count(&|c, i| c.met(i) == Some(true));
    let unmet = count(&|c, i| c.met(i) == Some(false));
    let unclaimed = count(&|c, i| c.claims[i].is_none());
    let inconclusive = count(&|c, i| matches!(c.verdicts[i].1, Verdict::Unknown { .. } | Verdict::Vacuous { .. }));
    let unclaimed = if unclaimed == 0 { String::new() } else { format!(", {unclaimed} without expectation") };
    format!(
        "{} searches, {} states: {met} expectations met, {unmet} not met, {inconclusive} not conclusive{unclaimed}\n",
        cells.len(),
        thousands(states),
    )
}

/// One GitHub annotation for each verdict that is not as expected.
pub fn annotations(cells: &[Cell]) -> String {
    let escape = |s: &str| s.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property_escape = |s: &str| escape(s).replace(':', "%3A").replace(',', "%2C");
    let mut out = String::new();
    for (cell, i) in cells.iter().flat_map(|c| (0..c.verdicts.len()).map(move |i| (c, i))) {
        let (property, verdict) = &cell.verdicts[i];
        let level = match (verdict, cell.met(i)) {
            (Verdict::Unknown { .. } | Verdict::Vacuous { .. }, _) => "warning",
            (_, Some(false)) => "error",
            _ => continue,
        };
        let (line, column) = claim_place(cell, i);
        let expected = cell.claims[i].map_or("nothing was expected", |c| expected_text(c.expect));
        let message = format!("{} {}, {expected}", cell_text(cell, *property), verdict_word(verdict));
        out += &format!(
            "::{level} file={},line={line},col={column},title={}::{}\n",
            property_escape(&cell.scenario.source.path),
            property_escape(property_name(*property)),
            escape(&message)
        );
    }
    out
}

/// The numbered sentences of a trace, each with what it changed.
pub fn steps(w: &World, names: &Names, actions: &[Action]) -> String {
    let told = tell(w, names, actions).expect("traces are replayed before they are told");
    let mut out = String::new();
    for (n, step) in told.iter().enumerate() {
        let mark = if step.by_adversary { '*' } else { ' ' };
        out += &format!("{:>3}.{mark} {}\n", n + 1, step.sentence);
        out += &step.changes.iter().map(|c| format!("        {c}\n")).collect::<String>();
    }
    out
}

/// A verdict and its reason, for a person: the attack, why it worked, what would have stopped it, how to replay it.
pub fn explanation(cell: &Cell, index: usize, scenario: &str, model: &str) -> String {
    let (property, verdict) = &cell.verdicts[index];
    let states = thousands(cell.findings.states);
    let mut out = format!("{}\n{}\n\n", cell_text(cell, *property), cell.scenario.file.title);
    match verdict {
        Verdict::Violated { trace: actions } if !actions.is_empty() => {
            let end = consequence(&cell.world, &cell.names, cell.end(actions), *property);
            out +=
                &format!("Violated in {} steps (* the adversary's doing; no shorter way exists):\n\n", actions.len());
            out += &steps(&cell.world, &cell.names, actions);
            out += &format!("\n{end}\n\n");
            out += &why(cell, *property, actions);
            let arrives = cell.arrives.map_or(String::new(), |a| format!(" --arrives {}", arrival_name(a)));
            let name = property_name(*property);
            out += "\nTo replay: ";
            out += &format!(
                "overhear explain {scenario} --model {model} --property {name}{arrives} --itf attack.itf.json\n"
            );
            out += "           overhear replay attack.itf.json\n";
        }
        Verdict::Violated { .. } => out += "Violated: no run shows it, in any reachable state.\n",
        Verdict::Holds { no_move } => {
            out += &format!("Holds: no attack within these bounds; all {states} reachable states were searched.\n");
            if let Some(axis) = no_move {
                out += &format!("The adversary has no move: {axis} leaves its powers nothing to act on.\n");
            }
        }
        Verdict::Unknown { stopped } => {
            out += &format!("Unknown: the search was stopped by {} after {states} states.\n", stopped_word(*stopped));
        }
        Verdict::Vacuous { why } => out += &format!("Vacuous: {why}.\n"),
    }
    if let Some(claim) = cell.claims[index] {
        let (line, _) = claim_place(cell, index);
        out += &format!("\nThe claim ({}:{line}): {}\n", cell.scenario.source.path, claim.why);
    }
    out + &format!(
        "Searched: {states} states, {} transitions, depth {}.\n",
        cell.findings.transitions, cell.findings.depth
    )
}

/// Which axis values let the attack happen, with their sources, found by replaying it under each other value.
fn why(cell: &Cell, property: Property, actions: &[Action]) -> String {
    let decisive = stopped_by(cell, property, actions);
    if decisive.is_empty() {
        return "No change of a single axis stops these steps.\n".to_string();
    }
    let mut out = "What let it happen (with another value on the one axis these same steps fail):\n".to_string();
    for (axis, own, others) in decisive {
        out += &format!("  {axis}: {own}   (not: {})\n", others.join(", "));
        if let Some(source) = cell.model.source(&axis) {
            out += &format!("      source: {source}\n");
        }
    }
    out
}

/// The same explanation as JSON.
pub fn explanation_json(cell: &Cell, index: usize) -> Value {
    let (property, verdict) = &cell.verdicts[index];
    let actions = if let Verdict::Violated { trace } = verdict { trace.as_slice() } else { &[] };
    let told = tell(&cell.world, &cell.names, actions).expect("traces are replayed before they are told");
    let steps = told.iter().map(|t| {
        json!({
            "action": trace::text(&cell.world, &cell.names, t.action),
            "sentence": t.sentence,
            "changes": t.changes,
            "by-adversary": t.by_adversary,
        })
    });
    let decisive = match actions {
        [] => Vec::new(),
        actions => stopped_by(cell, *property, actions),
    };
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
