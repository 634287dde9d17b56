//! The primary search: breadth first, level by level, over exact packed states.
//!
//! States are expanded in the order of their discovery and actions are tried in their order, so the first way to a
//! state is the least among its shortest, and the same in every run. Complete means that the frontier was empty, or
//! that nothing was left to decide.

use super::store::{Place, Store};
use super::{Findings, Limits, Progress, Stopped};
use crate::model::state::Layout;
use crate::model::{Action, Facts, Needs, Property, Reduced, Reductions, State, World, property};
use std::time::Instant;

/// How many states are expanded between two looks at the limits.
const BATCH: usize = 1 << 10;

struct Search {
    world: Reduced,
    /// Every action that the search has used since it began.
    actions: Vec<Action>,
    /// The actions that are tried now, each where its needs are met.
    tried: Vec<(Needs, Action)>,
    layout: Layout,
    visited: Store,
    /// The packed state that is being expanded.
    packed: Vec<u64>,
    /// For each state the one it was first reached from; the first state names itself.
    came_from: Vec<Place>,
    /// States ever kept, those that were merged since included.
    states: usize,
    transitions: usize,
    adversary_moved: bool,
    adversary_arrived: bool,
    asked: Vec<(Property, Decided)>,
}

/// What is known of one property.
enum Decided {
    Not,
    /// By the state at this place, of the level that is being searched.
    At(Place),
    By(Vec<Action>),
}

/// Searches all of `world` for the states that decide `properties`.
pub fn search(world: &World, properties: &[Property], limits: Limits, progress: &dyn Progress) -> Findings {
    let started = Instant::now();
    let layout = Layout::of(world);
    let reductions = limits.reductions.unwrap_or(Reductions::ALL);
    let reduced = Reduced::new(world, properties, reductions);
    let mut search = Search {
        actions: reduced.actions.clone(),
        tried: reduced.with_needs(),
        world: reduced,
        visited: Store::new(layout.len()),
        packed: vec![0; layout.len()],
        layout,
        came_from: Vec::new(),
        states: 0,
        transitions: 0,
        adversary_moved: false,
        adversary_arrived: false,
        asked: properties.iter().map(|&p| (p, Decided::Not)).collect(),
    };
    let mut buffer = vec![0; search.layout.len()];
    let initial = search.world.initial();
    search.layout.pack(&initial, &mut buffer);
    search.reach(&initial, 0, &buffer);
    let (depth, stopped) = search.run(limits, progress);
    search.keep_traces();
    let bytes = search.bytes();
    let trace = |decided: Decided| if let Decided::By(trace) = decided { Some(trace) } else { None };
    Findings {
        states: search.states,
        transitions: search.transitions,
        adversary_moved: search.adversary_moved,
        adversary_arrived: search.adversary_arrived,
        depth,
        stopped,
        traces: search.asked.into_iter().map(|(p, decided)| (p, trace(decided))).collect(),
        took: started.elapsed(),
        bytes,
    }
}

/// The least of the shortest traces that decide one property, as soon as it is found.
pub fn first(world: &World, property: Property) -> Option<Vec<Action>> {
    let findings = search(world, &[property], Limits::default(), &());
    findings.trace(property).map(<[Action]>::to_vec)
}

impl Search {
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
            if self.world.reductions.decided_properties && self.keep_traces() {
                if self.open().is_empty() {
                    return (depth, None);
                }
                next = self.merge(next, &mut buffer);
            }
        }
    }

    fn stopped(&self, limits: Limits, progress: &dyn Progress, waiting: usize, depth: usize) -> Option<Stopped> {
        match () {
            () if !progress.tick(self.states, waiting, depth) => Some(Stopped::Interrupted),
            () if limits.states_max.is_some_and(|max| self.states > max) => Some(Stopped::States),
            () if limits.deadline.is_some_and(|end| Instant::now() >= end) => Some(Stopped::Time),
            () if limits.bytes_max.is_some_and(|max| self.bytes() > max) => Some(Stopped::Memory),
            () => None,
        }
    }

    fn bytes(&self) -> usize {
        self.visited.bytes() + self.came_from.capacity() * size_of::<Place>()
    }

    fn expand(&mut self, from: Place, buffer: &mut [u64]) {
        let s = self.state(from);
        self.packed.copy_from_slice(self.visited.get(from));
        let facts = Facts::of(&s);
        for i in 0..self.tried.len() {
            let (needs, action) = &self.tried[i];
            if !needs.met(facts) {
                continue;
            }
            let action = *action;
            let Some(next) = self.world.step(&s, action) else { continue };
            self.transitions += 1;
            buffer.copy_from_slice(&self.packed);
            if self.layout.repack(&s, &next, buffer) {
                self.adversary_moved |= action != Action::Arrive && action.is_adversarial();
                self.reach(&next, from, buffer);
            }
        }
    }

    /// Keeps `s`, which was packed into `buffer`, if it is new.
    fn reach(&mut self, s: &State, from: Place, buffer: &[u64]) {
        let (place, new) = self.visited.insert(buffer);
        if !new {
            return;
        }
        self.states += 1;
        self.adversary_arrived |= s.active.on();
        self.came_from.push(from);
        for (property, decided) in &mut self.asked {
            let decides = || property::condition(&self.world.world, *s, *property) != property.is_safety();
            if matches!(decided, Decided::Not) && decides() {
                *decided = Decided::At(place);
            }
        }
    }

    /// The properties that no state has decided yet.
    fn open(&self) -> Vec<Property> {
        self.asked.iter().filter(|a| matches!(a.1, Decided::Not)).map(|a| a.0).collect()
    }

    /// Turns the places that decided a property into traces; returns whether there were any.
    fn keep_traces(&mut self) -> bool {
        let traces = self.asked.iter().map(|a| if let Decided::At(at) = a.1 { Some(self.trace(at)) } else { None });
        let traces: Vec<_> = traces.collect();
        let any = traces.iter().any(Option::is_some);
        for (asked, trace) in self.asked.iter_mut().zip(traces) {
            asked.1 = trace.map_or_else(|| std::mem::replace(&mut asked.1, Decided::Not), Decided::By);
        }
        any
    }

    /// Forgets what only decided properties read, and with it what told states apart; returns where the frontier
    /// starts among those that are left.
    // States that differ in unread fields only lead to states that do, so a merged state's level is the lowest of
    // its members', and the least way to it is the way to the member that was discovered first.
    fn merge(&mut self, frontier: usize, buffer: &mut [u64]) -> usize {
        self.world = Reduced::new(&self.world.world, &self.open(), self.world.reductions);
        self.tried = self.world.with_needs();
        let old = std::mem::replace(&mut self.visited, Store::new(self.layout.len()));
        let old_from = std::mem::take(&mut self.came_from);
        let mut place_of = vec![0; old.len()];
        let mut start = 0;
        for place in 0..old.len() {
            if place == frontier {
                start = self.visited.len();
            }
            let kept = self.world.kept(&self.layout.unpack(old.get(place as Place)));
            self.layout.pack(&kept, buffer);
            let (new_place, new) = self.visited.insert(buffer);
            place_of[place] = new_place;
            if new {
                self.came_from.push(place_of[old_from[place] as usize]);
            }
        }
        if frontier == old.len() { self.visited.len() } else { start }
    }

    /// The least of the shortest action lists to `place`.
    fn trace(&self, mut place: Place) -> Vec<Action> {
        let mut actions = Vec::new();
        while place != 0 {
            let from = self.came_from[place as usize];
            let (s, t) = (self.state(from), self.state(place));
            let leads_there = |&&a: &&Action| self.world.step(&s, a) == Some(t);
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
