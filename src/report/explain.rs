//! A verdict and its reason, for a person: the attack, why it worked, what would have stopped it, how to replay it.

use super::terminal::{cell_text, claim_place, expected_text, wrapped};
use crate::bundle;
use crate::explore::recovery::recovery;
use crate::explore::{Limits, Progress};
use crate::input::is_invisible;
use crate::model::{Action, Property, World};
use crate::report::matrix::{stopped_word, thousands, verdict_word};
use crate::run::{Cell, Left, RunError, Verdict, left, stopped_by};
use crate::scenario::{arrival_name, property_name};
use crate::story::{Told, capital, consequence, gist, tell, told_from};
use crate::trace::{self, Names};
use anstyle::{AnsiColor, Style};
use rayon::prelude::*;
use serde_json::{Value, json};

// Whatever prints these takes them out where colour is not wanted.
const ADVERSARY: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// Lines in a style, each by itself.
fn styled(style: Style, text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_string() } else { format!("{style}{line}{style:#}\n") };
    text.lines().map(line).collect()
}

/// The numbered sentences of a trace, each with what it changed.
pub fn steps(w: &World, names: &Names, actions: &[Action]) -> String {
    numbered(w, names, actions, |_, text| text)
}

fn numbered(w: &World, names: &Names, actions: &[Action], style: impl Fn(&Told, String) -> String) -> String {
    let told = tell(w, names, actions).expect("traces are replayed before they are told");
    let mut out = String::new();
    for (n, step) in told.iter().enumerate() {
        let mark = if step.by_adversary { '*' } else { ' ' };
        out += &style(step, wrapped(&format!("{:>3}.{mark} ", n + 1), 6, &step.sentence));
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
    let words = [bundle::word(&cell.scenario.source), bundle::word(&cell.model.file)];
    command_of(words, property_name(property), cell.arrives.map(arrival_name))
}

/// The same, where commands find the scenario and the model by these words.
pub(super) fn command_of([scenario, model]: [&str; 2], property: &str, arrives: Option<&str>) -> String {
    let arrives = arrives.map_or(String::new(), |a| format!(" --arrives {a}"));
    format!("overhear explain {} --model {} --property {property}{arrives}", quoted(scenario), quoted(model))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    match () {
        () if word.chars().all(plain) => word.to_string(),
        // What cannot be seen is written so that it can.
        () if word.chars().any(is_invisible) => format!("$'{}'", word.chars().map(escaped).collect::<String>()),
        () => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A character between the quotes of `$'…'`.
fn escaped(c: char) -> String {
    match c {
        '\'' | '\\' => format!("\\{c}"),
        c if is_invisible(c) => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    }
}

/// Values on one axis that stop the steps of an attack, one of them at a time.
pub struct StoppedBy {
    /// The axis.
    pub axis: String,
    /// The value of the model, which let it happen.
    pub value: String,
    /// The original source of that value.
    pub source: Option<String>,
    /// The other values, each with what is left of the attack with it, if that was searched.
    pub others: Vec<(String, Option<Left>)>,
}

/// What would have stopped the attack behind a verdict. With `deep`, what is then left is searched within its limits.
pub fn what_stops(
    cell: &Cell,
    index: usize,
    deep: Option<(Limits, &dyn Progress)>,
) -> Result<Vec<StoppedBy>, RunError> {
    let (property, actions) = (cell.verdicts[index].0, shown_by(cell, index));
    let attack = matches!(cell.verdicts[index].1, Verdict::Violated { .. }) && !actions.is_empty();
    let decisive = if attack { stopped_by(cell, property, actions) } else { Vec::new() };
    let of = |(axis, value, others): (String, String, Vec<String>)| {
        let search = |other: String| {
            let left = deep.map(|(limits, progress)| left(cell, property, (&axis, &other), limits, progress));
            Ok((other, left.transpose()?))
        };
        let others = others.into_par_iter().map(search).collect::<Result<_, RunError>>()?;
        Ok(StoppedBy { source: cell.model.source(&axis).map(str::to_string), axis, value, others })
    };
    decisive.into_iter().map(of).collect()
}

/// Whether all that was searched of what is left was searched to its end.
pub fn is_conclusive(stopped_by: &[StoppedBy]) -> bool {
    !stopped_by.iter().flat_map(|s| &s.others).any(|(_, left)| matches!(left, Some(Left::Open(_))))
}

/// The explanation of a verdict as text, with styles.
pub fn text(cell: &Cell, index: usize, stopped_by: &[StoppedBy]) -> String {
    let (property, verdict) = &cell.verdicts[index];
    let states = thousands(cell.findings.states);
    let title = wrapped("", 0, &cell.scenario.file.title);
    let mut out = styled(STRONG, &wrapped("", 0, &cell_text(cell, *property))) + &title + "\n";
    let (actions, count) = (shown_by(cell, index), plural(shown_by(cell, index).len(), "step"));
    out += &match verdict {
        Verdict::Violated { trace } if !trace.is_empty() => {
            let gist = gist(&cell.world, &cell.names, actions, *property);
            let gist = gist.expect("traces are replayed before they are told").to_string();
            let head = format!("Violated in {count} (* the adversary's doing); there is no shorter way:");
            styled(STRONG, &wrapped("", 0, &gist)) + "\n" + &styled(ADVERSARY, &wrapped("", 0, &head)) + "\n"
        }
        Verdict::Violated { .. } => styled(ADVERSARY, "Violated: in no reachable state is it so."),
        Verdict::Holds { .. } if !property.is_safety() => styled(GOOD, &format!("Holds, as {count} show:")) + "\n",
        Verdict::Holds { no_move } => {
            let all = format!("Holds: no attack within these bounds; all {states} reachable states were searched.");
            let idle = |axes| format!("The adversary has no move: its powers have nothing to act on with `{axes}`.");
            let idle = no_move.as_ref().map_or(String::new(), |axes| wrapped("", 0, &idle(axes)));
            styled(GOOD, &wrapped("", 0, &all)) + &idle
        }
        Verdict::Unknown { stopped } => wrapped(
            "",
            0,
            &format!("Unknown: the search was stopped by {} after {states} states.", stopped_word(*stopped)),
        ),
        Verdict::Vacuous { why } => wrapped("", 0, &format!("Vacuous: {why}.")),
    };
    if !actions.is_empty() {
        let end = consequence(&cell.world, &cell.names, cell.end(actions), *property);
        let red = |step: &Told, text: String| if step.by_adversary { styled(ADVERSARY, &text) } else { text };
        out += &numbered(&cell.world, &cell.names, actions, red);
        out += &format!("\n{}\n", styled(STRONG, &wrapped("", 0, &end)));
        out += &if property.is_safety() { why(cell, *property, stopped_by) + "\n" } else { String::new() };
        out += &if property.is_of_true_answers() { way_out(cell, actions) + "\n" } else { String::new() };
        let find = command(cell, *property).replace(" --property", " \\\n    --property");
        out += &format!("To replay:\n  {find} \\\n    --itf attack.itf.json\n  overhear replay attack.itf.json\n");
    }
    if let Some(claim) = cell.claims[index] {
        let (line, _) = claim_place(cell, index);
        let expected = format!("{}, at {}:{line}, because:", expected_text(claim.expect), cell.scenario.source.path);
        out += &format!("\n{}{}", wrapped("", 0, &capital(&expected)), wrapped("  ", 2, &claim.why));
    }
    let transitions = thousands(cell.findings.transitions);
    let searched = format!("{states} states, {transitions} transitions, depth {}", cell.findings.depth);
    let reductions = "without dominated answers, unread fields and what only decided properties read";
    out + "\n" + &styled(FAINT, &wrapped("", 2, &format!("Searched: {searched}; {reductions}.")))
}

fn plural(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The fewest honest steps out of a lock-out, as text.
fn way_out(cell: &Cell, actions: &[Action]) -> String {
    let Some(steps) = recovery(&cell.world, cell.end(actions)) else {
        return "No way out was found by honest steps alone.\n".to_string();
    };
    let told = told_from(&cell.world, &cell.names, cell.end(actions), &steps);
    let head = "The fewest honest steps after which nobody is locked out, once the adversary rests:";
    wrapped("", 0, head) + &told.iter().map(|t| wrapped("  ", 4, t)).collect::<String>()
}

/// Which axis values let the attack happen, with their sources, and what is left with others, if that was searched.
fn why(cell: &Cell, property: Property, stopped_by: &[StoppedBy]) -> String {
    if stopped_by.is_empty() {
        return "No other value on a single axis stops these steps.\n".to_string();
    }
    let deep = stopped_by.iter().any(|s| s.others.iter().any(|(_, left)| left.is_some()));
    let rest = match deep {
        true => "what is left then was searched:",
        false => "whether others would succeed, `--deep` searches.",
    };
    let head = "What let it happen. With another value on this one axis these same steps fail;";
    let mut out = wrapped("", 0, &format!("{head} {rest}"));
    for StoppedBy { axis, value, source, others } in stopped_by {
        let names: Vec<&str> = others.iter().map(|(other, _)| other.as_str()).collect();
        let not = if deep { String::new() } else { format!(" (not if {})", names.join(", ")) };
        out += &wrapped("  ", 6, &format!("{axis}: {value}{not}"));
        if let Some(source) = source {
            out += &styled(FAINT, &wrapped("      ", 6, &format!("source: {source}")));
        }
        for (other, left) in others {
            let Some(left) = left else { continue };
            let style = if matches!(left, Left::Nothing(_)) { GOOD } else { Style::new() };
            out += &styled(style, &wrapped("    ", 8, &format!("{other}: {}", left_text(cell, property, left))));
        }
    }
    out
}

fn left_text(cell: &Cell, property: Property, left: &Left) -> String {
    match left {
        Left::Nothing(states) => format!("no attack within these bounds ({} states)", thousands(*states)),
        Left::Mute => "no message would ever reach everybody, even if nobody attacked".to_string(),
        Left::Open(stopped) => format!("unknown: stopped by {}", stopped_word(*stopped)),
        Left::Attack(w, trace) => {
            let gist = gist(w, &cell.names, trace, property).expect("it was just found");
            format!("another attack, in {}: {gist}", plural(trace.len(), "step"))
        }
    }
}

/// The same explanation as JSON.
pub fn value(cell: &Cell, index: usize, stopped_by: &[StoppedBy]) -> Value {
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
    let sentence = gist(&cell.world, &cell.names, actions, *property).ok().filter(|_| attack);
    let axes = stopped_by.iter().map(|s| {
        let names: Vec<&String> = s.others.iter().map(|(other, _)| other).collect();
        let left =
            s.others.iter().filter_map(|(other, left)| Some((other, left_value(cell, *property, left.as_ref()?))));
        let left: Vec<Value> = left.map(|(other, left)| json!({ "value": other, "left": left })).collect();
        let mut axis = json!({ "axis": s.axis, "value": s.value, "stopped-by": names, "source": s.source });
        if !left.is_empty() {
            axis["deep"] = left.into();
        }
        axis
    });
    json!({
        "format": 1,
        "scenario": cell.scenario.file.name,
        "model": cell.model.name,
        "arrives": cell.arrives.map(arrival_name),
        "property": property_name(*property),
        "verdict": verdict_word(verdict),
        "states": cell.findings.states,
        "sentence": sentence.map(|gist| gist.to_string()),
        "steps": steps.collect::<Vec<_>>(),
        "let-happen-by": axes.collect::<Vec<_>>(),
    })
}

fn left_value(cell: &Cell, property: Property, left: &Left) -> Value {
    let verdict = match left {
        Left::Nothing(_) => "holds",
        Left::Mute => "vacuous",
        Left::Open(_) => "unknown",
        Left::Attack(..) => "violated",
    };
    let mut value = json!({ "verdict": verdict, "says": left_text(cell, property, left) });
    if let Left::Attack(w, trace) = left {
        let texts: Vec<String> = trace.iter().map(|&a| trace::text(w, &cell.names, a)).collect();
        value["trace"] = texts.into();
    }
    value
}
