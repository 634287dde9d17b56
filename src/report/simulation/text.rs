//! Simulated cells as text for people.

use super::{MEASURES, Measure, StrategyRecord, Unit, fell, measured, median_day, people, strategy_record};
use crate::input::visible;
use crate::report::matrix::{self, evil};
use crate::report::terminal::wrapped;
use crate::run::simulation::{Checked, Play, Prepared, Simulated, SimulationPlan, Swept};
use crate::scenario::{Number, arrival_name, habit_name, property_name};
use crate::simulate::interval::Estimate;
use crate::simulate::runs::{Happened, Outcome};
use crate::simulate::tally::Counted;
use crate::simulate::{Strategy, exact};
use crate::story::{capital, list, tell};
use std::fmt::Write;

/// Cells up to this many are told one by one, more of them in tables.
const ONE_BY_ONE: usize = 3;

/// All cells, told one by one if they are few, else in a table for each scenario.
pub fn tables(plan: &SimulationPlan, cells: &[Simulated]) -> String {
    let head = format!(
        "{} runs of {} days each, seed {}; intervals hold what they are about 95 times in 100\n\n",
        matrix::thousands(plan.runs as usize),
        plan.days,
        plan.seed
    );
    match cells.len() <= ONE_BY_ONE {
        true => head + &cells.iter().map(|cell| one(plan, cell)).collect::<Vec<_>>().join("\n"),
        false => head + &overview(plan, cells),
    }
}

fn one(plan: &SimulationPlan, cell: &Simulated) -> String {
    let mut out = title(&cell.of) + &adversary(plan, cell) + "\n";
    for (i, property) in cell.of.setting.properties.iter().enumerate() {
        let runs = cell.outcomes.iter().filter(|run| run.fell[i].is_some()).count();
        let exact = cell.exact.as_ref().map_or(String::new(), |(all, _)| exactly(all[i]));
        let split = cell.split[i].map_or(String::new(), by_splitting);
        let half =
            median_day(cell, i).map_or(String::new(), |day| format!(", in half of all runs by day {}", short(day)));
        let says = match (runs, cell.of.checked[i]) {
            (0, Checked::Holds) => "never, and the checker finds no way".to_string(),
            (0, checked) => format!("{} which is not a proof{exact}{split}{}", never(plan, cell, i), but(checked)),
            (_, checked) => format!("{}{exact}{split}{half}{}", with_interval(fell(cell, i), percent), but(checked)),
        };
        let first = format!("  {:<26}", capital(evil(*property)));
        out += &wrapped(&first, 28, &says);
    }
    out += "\n";
    for measure in MEASURES {
        let shown = if measure.unit == Unit::OfMessages { percent } else { short };
        let mean = measured(cell, measure, plan.days);
        let says = match cell.outcomes.iter().all(|run| run.tally[measure.counted] == 0.0) {
            true => "none in any run".to_string(),
            false => format!("{} {}", with_interval(mean, shown), measure.unit.name()),
        };
        writeln!(out, "  {:<52}{says}", capital(measure.words)).expect("a String takes everything");
    }
    out
}

pub(super) fn title(cell: &Prepared) -> String {
    let arrives = cell.arrives.map_or("no adversary", arrival_name);
    let who = people(cell.names.people.iter(), &cell.people);
    let who: Vec<String> = who.into_iter().map(|(name, who)| format!("{} ({who})", capital(&name))).collect();
    let first = format!("{} under {}, {arrives}: ", cell.scenario.file.name, cell.model.marked_name());
    wrapped("", 2, &(first + &visible(&cell.scenario.file.title))) + &wrapped("  ", 2, &list(&who))
}

/// How the adversary plays, as a sentence.
fn adversary(plan: &SimulationPlan, cell: &Simulated) -> String {
    let says = match strategy_record(cell) {
        StrategyRecord::Nobody => "Nobody attacks.".to_string(),
        StrategyRecord::Attack { property, moves } => {
            format!("The adversary follows a shortest attack on {property}: {}.", moves.join(", "))
        }
        StrategyRecord::Best { property, states } => format!(
            "The adversary does whatever makes it most likely that {property} falls in time (value iteration over {} \
             states).",
            matrix::thousands(states)
        ),
        StrategyRecord::Opportunist { moves_a_day } => {
            format!(
                "{}The adversary makes any of its moves at random, {moves_a_day} a day.",
                nothing_to_follow(plan, cell)
            )
        }
    };
    wrapped("  ", 2, &says)
}

/// Why an adversary plays at random that was to follow an attack; nothing if it was to play so.
fn nothing_to_follow(plan: &SimulationPlan, cell: &Simulated) -> String {
    let (Play::Attack(asked) | Play::Best(asked)) = plan.play else { return String::new() };
    let on = asked.map_or(String::new(), |p| format!(" on {}", property_name(p)));
    let all = cell.of.setting.properties.iter().zip(&cell.of.checked);
    let cut = all.filter(|(p, _)| asked.is_none_or(|asked| asked == **p)).any(|(_, c)| *c == Checked::Unknown);
    let but = if cut { ", but its search was cut short" } else { "" };
    format!("The checker found no attack{on} to follow{but}. ")
}

/// What the chain's solution says, as far as it has digits.
fn exactly(probability: f64) -> String {
    match probability {
        0.0 => ", exactly 0 %".to_string(),
        ..exact::SMALLEST => format!(", exactly less than {}", tiny(exact::SMALLEST)),
        _ => format!(", exactly {}", percent(probability)),
    }
}

/// What splitting came to.
fn by_splitting(estimate: Estimate) -> String {
    match estimate.value {
        0.0 => ", by splitting no walk got there".to_string(),
        ..exact::SMALLEST => format!(", by splitting {}", with_interval(estimate, tiny)),
        _ => format!(", by splitting {}", with_interval(estimate, percent)),
    }
}

/// A share in percent that has more zeros than digits.
fn tiny(share: f64) -> String {
    format!("{:.1e} %", 100.0 * share)
}

/// What is said of something that no run showed.
fn never(plan: &SimulationPlan, cell: &Simulated, i: usize) -> String {
    format!("0 of {} runs: at most {},", matrix::thousands(plan.runs as usize), percent(fell(cell, i).high))
}

/// What the checker adds.
fn but(checked: Checked) -> String {
    match checked {
        Checked::Holds => String::new(),
        Checked::Falls(steps) => format!("; a shortest attack has {steps} steps"),
        Checked::Unknown => "; the checker's search was cut short".to_string(),
    }
}

pub(super) fn with_interval(estimate: Estimate, shown: fn(f64) -> String) -> String {
    match estimate.low.is_finite() {
        true if estimate.low == estimate.high => shown(estimate.value),
        true => format!("{} ({} to {})", shown(estimate.value), shown(estimate.low), shown(estimate.high)),
        false => shown(estimate.value),
    }
}

/// A share in percent, to three digits; of what is nearly everything, to three digits of what is lacking.
pub(super) fn percent(share: f64) -> String {
    percents(share) + " %"
}

pub(super) fn percents(share: f64) -> String {
    let lacking = 100.0 * (1.0 - share);
    match share {
        _ if lacking < 1e-9 => "100".to_string(),
        0.99.. => format!("{:.*}", decimals(lacking), 100.0 * share),
        _ => short(100.0 * share),
    }
}

/// A number to three digits.
fn short(number: f64) -> String {
    let number = if number.abs() < 1e-12 { 0.0 } else { number };
    match number.abs() {
        0.0 => "0".to_string(),
        ..1e-4 => format!("{number:.1e}"),
        size => format!("{number:.*}", decimals(size)),
    }
}

/// How many decimals three digits of a number take.
fn decimals(size: f64) -> usize {
    (2 - libm::log10(size).floor() as i32).max(0) as usize
}

/// A table for each scenario: a row for each model and arrival.
fn overview(plan: &SimulationPlan, cells: &[Simulated]) -> String {
    let column = |counted| MEASURES.into_iter().find(|m| m.counted == counted).expect("it is measured");
    let measures =
        [Counted::Exposed, Counted::Refused, Counted::Missed, Counted::Questions, Counted::Ceremonies].map(column);
    let legend = format!(
        "A column for each property: the probability that it falls, in %, by what it rules out:\n{}  {}\n  \
         {:<8}what the adversary follows: the letter of the property that its attack is on, `any` of its moves at \
         random\n  <x      no run showed it: at most x, which is not a proof   -   the checker finds no way\n",
        matrix::letters_legend(),
        "exposed refused missed: % of all messages; questions ceremonies: a person a year",
        "plays"
    );
    let mut out = legend;
    let mut rest = cells;
    while let Some(first) = rest.first() {
        let same = |cell: &Simulated| cell.of.scenario.file.name == first.of.scenario.file.name;
        let (group, others) = rest.split_at(rest.iter().take_while(|cell| same(cell)).count());
        out += &scenario_table(plan, group, &measures);
        rest = others;
    }
    out
}

fn scenario_table(plan: &SimulationPlan, cells: &[Simulated], measures: &[Measure]) -> String {
    let mut table = matrix::narrow();
    let properties = &cells[0].of.setting.properties;
    let letters = properties.iter().map(|&p| matrix::letter(p).to_string());
    let words = ["exposed", "refused", "missed", "questions", "ceremonies"].map(str::to_string);
    let first = ["model", "arrives", "plays"].map(str::to_string);
    table.set_header(first.into_iter().chain(letters).chain(words));
    for cell in cells {
        let plays = match &cell.of.setting.strategy {
            _ if cell.of.arrives.is_none() => "-".to_string(),
            Strategy::Attack(property, _) => matrix::letter(*property).to_string(),
            Strategy::Opportunist(_) => "any".to_string(),
            Strategy::Best(property, _) => format!("best {}", matrix::letter(*property)),
        };
        let falls = (0..properties.len()).map(|i| match (fell(cell, i), cell.of.checked[i]) {
            (Estimate { value: 0.0, .. }, Checked::Holds) => "-".to_string(),
            (Estimate { value: 0.0, high, .. }, _) => format!("<{}", percents(high)),
            (estimate, _) => percents(estimate.value),
        });
        let counted = measures.iter().map(|m| {
            let value = measured(cell, *m, plan.days).value;
            if m.unit == Unit::OfMessages { percents(value) } else { short(value) }
        });
        let arrives = matrix::arrival_text(cell.of.arrives).to_string();
        table.add_row([cell.of.model.marked_name(), arrives, plays].into_iter().chain(falls).chain(counted));
    }
    matrix::narrow_columns(&mut table);
    let file = &cells[0].of.scenario.file;
    format!("\n{}: {}\n{}", file.name, visible(&file.title), matrix::text(&table))
}

/// What the assumed numbers do to the property that the adversary is after, the most telling first.
pub fn sweep(cell: &Simulated, swept: &[Swept]) -> String {
    let properties = &cell.of.setting.properties;
    let falls_most = (0..properties.len()).max_by(|&a, &b| fell(cell, a).value.total_cmp(&fell(cell, b).value));
    let after = match &cell.of.setting.strategy {
        Strategy::Attack(property, _) | Strategy::Best(property, _) => properties.iter().position(|p| p == property),
        Strategy::Opportunist(_) => falls_most,
    };
    let Some(i) = after else { return String::new() };
    let spread = |s: &&Swept| (s.ends[1][i].value - s.ends[0][i].value).abs();
    let mut rows: Vec<&Swept> = swept.iter().collect();
    rows.sort_by(|a, b| spread(b).total_cmp(&spread(a)));
    let mut table = matrix::narrow();
    table.set_header(["people", "number", "low", "high", "falls at low, %", "at high, %"]);
    for row in rows {
        let Number { value, per, low, high, .. } = row.number;
        let unit = per.map_or(String::new(), |per| format!(" a {}", per.name()));
        let end = |end: Option<f64>| format!("{}{unit}", end.unwrap_or(value));
        let falls = |e: Estimate| format!("{} ({} to {})", percents(e.value), percents(e.low), percents(e.high));
        let [at_low, at_high] = [&row.ends[0][i], &row.ends[1][i]].map(|e| falls(*e));
        table.add_row([row.people.clone(), habit_name(row.habit).to_string(), end(low), end(high), at_low, at_high]);
    }
    matrix::narrow_columns(&mut table);
    let says = format!(
        "What the assumed numbers do to {}, each at the ends of its range and all else equal (now {}):",
        property_name(properties[i]),
        with_interval(fell(cell, i), percent)
    );
    format!("\n{}{}", wrapped("", 0, &says), matrix::text(&table))
}

/// One run, told day by day.
pub fn story(cell: &Prepared, case: u64, days: f64, outcome: &Outcome, happened: &[Happened]) -> String {
    let actions: Vec<_> = happened.iter().map(|h| h.action).collect();
    let told = tell(&cell.setting.world, &cell.names, &actions).expect("every step was made by the rules");
    let mut out = title(cell) + &format!("  Run {case}, {days} days\n\n");
    for (h, step) in happened.iter().zip(&told) {
        let mark = if step.by_adversary { '*' } else { ' ' };
        out += &wrapped(&format!("  day {:>7.2} {mark} ", h.day), 16, &step.sentence);
    }
    out += "\n";
    for (property, fell) in cell.setting.properties.iter().zip(&outcome.fell) {
        let says = fell.map_or("holds to the end".to_string(), |day| format!("falls on day {day:.2}"));
        writeln!(out, "  {:<24}{says}", property_name(*property)).expect("a String takes everything");
    }
    out
}
