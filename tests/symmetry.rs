//! Whoever is alike can be renumbered: the rules and the properties do not notice, one state stands for each family of
//! states, and no verdict and no shortest length is different.

use overhear::bundle;
use overhear::explore::{Limits, exact};
use overhear::model::action::possible;
use overhear::model::symmetry::{Renumbering, symmetries};
use overhear::model::{Action, Arrival, Property, Reduced, Reductions, State, World, property, step};
use overhear::scenario::{Size, compile, read_scenario};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet, VecDeque};

/// States of a cell that are looked at one by one.
const LOOKED_AT: usize = 40;
/// States up to which orbits are counted.
const COUNTED: usize = 1_500;
/// States up to which searches are compared.
const SEARCHED: usize = 2_500;

struct Cell {
    name: String,
    world: World,
    properties: Vec<Property>,
    symmetries: Vec<Renumbering>,
}

/// Every bundled cell, large ones included, in which somebody is like somebody else.
fn cells() -> Vec<Cell> {
    let models = bundle::models();
    let mut cells = Vec::new();
    for source in bundle::scenarios().iter().map(|s| s.source()) {
        let file = read_scenario(&source).expect("a bundled scenario");
        for model in models.iter().filter(|m| file.is_about(m)) {
            for arrives in file.arrivals() {
                let at = arrives.unwrap_or(Arrival::FromStart);
                let (world, _) = compile(&file, &source, model, &models, at).expect("a bundled scenario");
                let size = if file.size == Size::Large { ", large" } else { "" };
                let name = format!("{}, {}, {arrives:?}{size}", file.name, model.name);
                cells.push(Cell {
                    name,
                    world,
                    properties: file.properties().collect(),
                    symmetries: symmetries(&world),
                });
            }
        }
    }
    cells.retain(|cell| !cell.symmetries.is_empty());
    cells
}

fn following(w: &World, actions: &[Action], s: State) -> HashSet<State> {
    actions.iter().filter_map(|&a| step(w, s, a).ok()).collect()
}

/// The first states of a world by its plain rules, spread over its levels.
fn some_states(w: &World, actions: &[Action]) -> Vec<State> {
    let mut queue = VecDeque::from([w.initial()]);
    let mut seen = HashSet::from([w.initial()]);
    let mut some = Vec::new();
    while let Some(s) = queue.pop_front() {
        some.push(s);
        if some.len() == LOOKED_AT {
            break;
        }
        // Few of what follows each, and late ones too: otherwise nobody would get past signing in.
        let mut next: Vec<State> = following(w, actions, s).into_iter().filter(|next| !seen.contains(next)).collect();
        next.sort_by_key(|s| format!("{s:?}"));
        for next in next.into_iter().rev().step_by(3) {
            seen.insert(next);
            queue.push_back(next);
        }
    }
    some
}

#[test]
fn the_rules_and_the_properties_know_no_numbers() {
    let cells = cells();
    assert!(cells.len() > 100, "{} cells have somebody who is like somebody else", cells.len());
    cells.par_iter().for_each(|Cell { name, world: w, properties, symmetries }| {
        let actions = &possible(w)[..];
        for s in some_states(w, actions) {
            let next = following(w, actions, s);
            for g in symmetries {
                let expected: HashSet<State> = next.iter().map(|s| g.state(s)).collect();
                assert_eq!(following(w, actions, g.state(&s)), expected, "{name}: {g:?} in {s:?}");
                for &p in properties {
                    assert_eq!(property::condition(w, s, p), property::condition(w, g.state(&s), p), "{name}: {p:?}");
                }
            }
        }
    });
}

/// All states of a world under some reductions; none if there are too many.
fn states(w: &World, properties: &[Property], reductions: Reductions, max: usize) -> Option<HashSet<State>> {
    let reduced = Reduced::new(w, properties, reductions);
    let mut seen = HashSet::from([reduced.initial()]);
    let mut queue = VecDeque::from([reduced.initial()]);
    while let Some(s) = queue.pop_front() {
        for next in reduced.actions.iter().filter_map(|&a| reduced.step(&s, a)) {
            if seen.insert(next) {
                queue.push_back(next);
            }
        }
        if seen.len() > max {
            return None;
        }
    }
    Some(seen)
}

/// How many families the states fall into: each state is joined with all that it becomes when renumbered.
fn orbits(states: &HashSet<State>, cell: &Cell, reductions: Reductions) -> usize {
    let reduced = Reduced::new(&cell.world, &cell.properties, reductions);
    let numbers: HashMap<State, usize> = states.iter().enumerate().map(|(i, s)| (*s, i)).collect();
    let mut parent: Vec<usize> = (0..states.len()).collect();
    fn root(parent: &[usize], mut i: usize) -> usize {
        while parent[i] != i {
            i = parent[i];
        }
        i
    }
    for (s, &i) in &numbers {
        for g in &cell.symmetries {
            // A state that is reached is reached renumbered, too.
            let other = numbers[&reduced.kept(&g.state(s))];
            let (a, b) = (root(&parent, i), root(&parent, other));
            parent[a.max(b)] = a.min(b);
        }
    }
    (0..parent.len()).filter(|&i| parent[i] == i).count()
}

#[test]
fn one_state_stands_for_each_family() {
    let cells = cells();
    let counted: Vec<(usize, usize)> = cells
        .par_iter()
        .filter_map(|cell| {
            let without = Reductions { decided_properties: false, ..Reductions::ALL };
            let all = states(&cell.world, &cell.properties, without, COUNTED)?;
            let with = Limits { reductions: Some(Reductions { symmetry: true, ..without }), ..Limits::default() };
            let found = exact::search(&cell.world, &cell.properties, with, &());
            assert_eq!(found.states, orbits(&all, cell, without), "{}", cell.name);
            Some((all.len(), found.states))
        })
        .collect();
    let [all, families] = [counted.iter().map(|c| c.0).sum::<usize>(), counted.iter().map(|c| c.1).sum()];
    eprintln!("{} cells, {all} states in {families} families", counted.len());
    assert!(counted.len() > 50 && families < all, "{} cells, {families} of {all}", counted.len());
}

#[test]
fn no_verdict_and_no_shortest_length_is_different() {
    let cells = cells();
    let compared = cells.par_iter().filter(|Cell { name, world, properties, .. }| {
        let search = |reductions| {
            let limits = Limits { reductions: Some(reductions), states_max: Some(SEARCHED), ..Limits::default() };
            exact::search(world, properties, limits, &())
        };
        let (without, with) = (search(Reductions::ALL), search(Reductions::WITH_SYMMETRY));
        let whole = without.stopped.is_none();
        if whole {
            assert_eq!(with.stopped, None, "{name}");
            for &p in properties {
                let lengths = [&without, &with].map(|found| found.trace(p).map(<[_]>::len));
                assert_eq!(lengths[0], lengths[1], "{name}: {p:?}");
            }
            assert!(with.states <= without.states && with.adversary_moved == without.adversary_moved, "{name}");
        }
        whole
    });
    assert!(compared.count() > 100);
}
