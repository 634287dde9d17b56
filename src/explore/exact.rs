//! The primary search: breadth first, level by level, over exact packed states.
//!
//! States are expanded in the order of their discovery and actions are tried in their order, so the first way to a
//! state is the least among its shortest, and the same in every run. Complete means that the frontier was empty.

use super::store::{Place, Store};
use super::{Findings, Limits, Progress, Stopped};
use crate::model::action::possible;
use crate::model::state::Layout;
use crate::model::{Action, Property, State, World, property, step};
use std::time::Instant;

/// How many states are expanded between two looks at the limits.
const BATCH: usize = 1 << 10;

struct Search<'w> {
    world: &'w World,
    layout: Layout,
    actions: Vec<Action>,
    visited: Store,
    /// For each state the one it was first reached from; the first state names itself.
    came_from: Vec<Place>,
    transitions: usize,
    undecided: Vec<(Property, Option<Place>)>,
}

/// Searches all of `world` for the states that decide `properties`.
pub fn search(world: &World, properties: &[Property], limits: Limits, progress: &dyn Progress) -> Findings {
    let started = Instant::now();
    let layout = Layout::of(world);
    let mut search = Search {
        world,
        actions: possible(world),
        visited: Store::new(layout.len()),
        layout,
        came_from: Vec::new(),
        transitions: 0,
        undecided: properties.iter().map(|&p| (p, None)).collect(),
    };
    search.reach(world.initial(), 0, &mut vec![0; search.layout.len()]);
    let (depth, stopped) = search.run(limits, progress);
    let traces = search.undecided.iter().map(|&(p, at)| (p, at.map(|place| search.trace(place)))).collect();
    Findings {
        states: search.visited.len(),
        transitions: search.transitions,
        depth,
        stopped,
        traces,
        took: started.elapsed(),
        bytes: search.bytes(),
    }
}

/// The least of the shortest traces that decide one property, as soon as it is found.
pub fn first(world: &World, property: Property) -> Option<Vec<Action>> {
    let findings = search(world, &[property], Limits { first: true, ..Limits::default() }, &());
    findings.trace(property).map(<[Action]>::to_vec)
}

impl Search<'_> {
    /// Expands level after level until the frontier is empty or a limit is reached; returns the depth of the last.
    fn run(&mut self, limits: Limits, progress: &dyn Progress) -> (usize, Option<Stopped>) {
        let mut buffer = vec![0; self.layout.len()];
        let (mut next, mut depth) = (0, 0);
        loop {
            let level_end = self.visited.len();
            if next == level_end {
                return (depth - 1, None);
            }
            while next < level_end {
                let batch_end = level_end.min(next + BATCH);
                for place in next..batch_end {
                    self.expand(place as Place, &mut buffer);
                }
                next = batch_end;
                if let Some(stopped) = self.stopped(limits, progress, level_end - next, depth) {
                    return (depth, Some(stopped));
                }
            }
            depth += 1;
        }
    }

    fn stopped(&self, limits: Limits, progress: &dyn Progress, waiting: usize, depth: usize) -> Option<Stopped> {
        let states = self.visited.len();
        match () {
            () if !progress.tick(states, waiting, depth) => Some(Stopped::Interrupted),
            () if limits.first && self.undecided.iter().all(|u| u.1.is_some()) => Some(Stopped::Decided),
            () if limits.states_max.is_some_and(|max| states > max) => Some(Stopped::States),
            () if limits.deadline.is_some_and(|end| Instant::now() >= end) => Some(Stopped::Time),
            () if limits.bytes_max.is_some_and(|max| self.bytes() > max) => Some(Stopped::Memory),
            () => None,
        }
    }

    fn bytes(&self) -> usize {
        self.visited.bytes() + self.came_from.capacity() * size_of::<Place>()
    }

    fn expand(&mut self, from: Place, buffer: &mut Vec<u64>) {
        let s = self.layout.unpack(self.visited.get(from));
        for i in 0..self.actions.len() {
            let Ok(next) = step(self.world, s, self.actions[i]) else { continue };
            self.transitions += 1;
            if next != s {
                self.reach(next, from, buffer);
            }
        }
    }

    fn reach(&mut self, s: State, from: Place, buffer: &mut Vec<u64>) {
        self.layout.pack(&s, buffer);
        let (place, new) = self.visited.insert(buffer);
        if !new {
            return;
        }
        self.came_from.push(from);
        for (property, decided) in &mut self.undecided {
            let decides = || property::condition(self.world, s, *property) != property.is_safety();
            if decided.is_none() && decides() {
                *decided = Some(place);
            }
        }
    }

    /// The least of the shortest action lists to `place`.
    fn trace(&self, mut place: Place) -> Vec<Action> {
        let mut actions = Vec::new();
        while place != 0 {
            let from = self.came_from[place as usize];
            let (s, t) = (self.state(from), self.state(place));
            let leads_there = |&&a: &&Action| step(self.world, s, a) == Ok(t);
            actions.push(*self.actions.iter().find(leads_there).expect("some action led here"));
            place = from;
        }
        actions.reverse();
        actions
    }

    fn state(&self, place: Place) -> State {
        self.layout.unpack(self.visited.get(place))
    }
}
