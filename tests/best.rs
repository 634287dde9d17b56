//! The best strategy is the best: by its own value in every state, no other single choice would have done better.

use overhear::bundle;
use overhear::model::{Action, Arrival, PEOPLE_MAX, Property, Set, State, World, property, step};
use overhear::scenario::{compile, read_scenario};
use overhear::simulate::best::Table;
use overhear::simulate::habits::{Habit, Habits};
use overhear::simulate::occasion::{Occasion, People, looks, occasions, rates};
use std::collections::{HashMap, HashSet};

/// What can come of a state: what the adversary can do at once, and what people do, how often, with all that it can
/// turn into. Of each what the strategy chooses.
struct Choices {
    at_once: Option<State>,
    own: Vec<State>,
    honest: Vec<(f64, State, Vec<State>)>,
}

fn world(scenario: &str, model: &str) -> World {
    let source = bundle::find_scenario(scenario).expect("a bundled scenario");
    let models = bundle::models();
    let model = models.iter().find(|m| m.name == model).expect("a bundled model");
    let file = read_scenario(&source).expect("a scenario");
    compile(&file, &source, model, &models, Arrival::FromStart).expect("it compiles").0
}

fn choices(w: &World, s: State, people: &People, all: &[Occasion], own: &[Action], table: &Table) -> Choices {
    let next = |a: Action| step(w, s, a).ok();
    let own = own.iter().filter_map(|a| next(*a)).filter(|to| *to != s).collect();
    let at_once = table.at_once(&s).map(|a| next(a).expect("the best move can be made"));
    let mut often = Vec::new();
    rates(w, &s, people, all, &mut often);
    let mut honest = Vec::new();
    for (o, rate) in all.iter().zip(often).filter(|(_, rate)| *rate > 0.0) {
        let mut turns: Vec<State> = o.turns.iter().filter_map(|a| next(*a)).collect();
        // A message that the client refuses leaves everything as it was, and makes people look at everybody.
        if let (Action::Send(v, _), None) = (o.honest, next(o.honest)) {
            turns.push(s);
            for look in looks(all, v) {
                let turns = look.turns.iter().filter_map(|a| next(*a)).collect();
                honest.push((rate, next(table.answer(&s, look.honest)).unwrap_or(s), turns));
            }
        }
        honest.push((rate, next(table.answer(&s, o.honest)).unwrap_or(s), turns));
    }
    Choices { at_once, own, honest }
}

/// The value of waiting, where time ends at a rate of `ends`: what leads back is as if it had not been.
fn waiting(s: &State, of: &Choices, values: &HashMap<State, f64>, ends: f64) -> f64 {
    let leave = || of.honest.iter().filter(|(_, to, _)| to != s);
    let sum: f64 = leave().map(|(rate, to, _)| rate * values[to]).sum();
    sum / (ends + leave().map(|(rate, ..)| rate).sum::<f64>())
}

#[test]
fn no_single_choice_is_better_than_the_best_strategys() {
    let people = bundle::people();
    let mut waits = 0;
    for (scenario, model, who, p, days) in [
        ("stolen-device", "matrix-tofu", "careful", Property::PastStaysPrivate, 40.0),
        ("tls-breaker-one-client", "matrix-tofu", "careful", Property::NoHiddenKey, 40.0),
        ("tls-breaker-one-client", "matrix-tofu", "careful", Property::NoHiddenKey, 0.3),
        ("password-thief-hurried", "ssh-known-hosts", "typical", Property::NoLockOut, 5.0),
    ] {
        let w = world(scenario, model);
        let habits: Habits = people.iter().find(|h| h.name == who).expect("bundled people").habits;
        let table = Table::of(&w, p, &[habits; PEOPLE_MAX], days, 100_000, &()).expect("it is small");
        let ceremonies = habits.get(Habit::Ceremonies) * habits.get(Habit::Verifies);
        let on_the_whole = habits.with(Habit::Ceremonies, ceremonies).expect("a rate");
        let people = People { habits: [on_the_whole; PEOPLE_MAX], verifying: Set::first(w.people) };
        let (all, own) = occasions(&w);

        // Every state that any choice leads to.
        let fallen = |s: &State| property::condition(&w, *s, p) != p.is_safety();
        let (mut found, mut known) = (vec![w.initial()], HashSet::from([w.initial()]));
        let mut of: HashMap<State, Choices> = HashMap::new();
        for n in 0.. {
            let Some(&s) = found.get(n) else { break };
            if fallen(&s) {
                continue;
            }
            let made = choices(&w, s, &people, &all, &own, &table);
            let turns = made.honest.iter().flat_map(|(_, to, turns)| turns.iter().chain([to]));
            found.extend(made.own.iter().chain(turns).filter(|to| known.insert(**to)));
            of.insert(s, made);
        }
        assert_eq!(found.len(), table.len(), "{scenario} under {model}: as many states");

        // What the strategy comes to in each of them.
        let mut values: HashMap<State, f64> = found.iter().map(|s| (*s, f64::from(u8::from(fallen(s))))).collect();
        loop {
            let mut moved = 0.0_f64;
            for s in found.iter().rev().filter(|s| !fallen(s)) {
                let value = of[s].at_once.map_or_else(|| waiting(s, &of[s], &values, 1.0 / days), |to| values[&to]);
                moved = moved.max((value - values[s]).abs());
                values.insert(*s, value);
            }
            if moved < 1e-12 {
                break;
            }
        }
        for (s, of) in &of {
            let name = format!("{scenario} under {model} in {days} days");
            let better = |to: &&State| values[*to] > values[s] + 1e-5;
            assert_eq!(of.own.iter().find(better), None, "{name}: a move is better than what it does");
            assert!(waiting(s, of, &values, 1.0 / days) < values[s] + 1e-5, "{name}: to wait is better");
            for (_, to, turns) in &of.honest {
                let best = turns.iter().map(|to| values[to]).fold(0.0, f64::max);
                assert!(best < values[to] + 1e-5, "{name}: another answer is better, {best} against {}", values[to]);
            }
            waits += usize::from(of.at_once.is_none() && !of.own.is_empty() && values[s] > 1e-3);
        }
    }
    assert!(waits > 10, "it waits with a move at hand in {waits} states");
}
