//! The primary search: breadth first, level by level, over exact packed states.
//!
//! States are expanded in the order of their discovery and actions are tried in their order, so the first way to a
//! state is the least among its shortest, and the same in every run. Complete means that the frontier was empty, or
//! that nothing was left to decide.

use super::breadth::{End, Expanded, Graph, Space, Until};
use super::store::Place;
use super::{Findings, Limits, Progress};
use crate::model::state::{Layout, WORDS_MAX};
use crate::model::{Action, Property, Reduced, Reductions, Scratch, State, Successor, Successors, World, property};
use std::num::NonZero;
use std::time::Instant;

/// The mark of states in which the adversary is there; those below it are of the properties that were asked for.
const ARRIVED: u32 = 31;
/// The event that something the adversary did, its arrival aside, led to another state.
const ADVERSARY_MOVED: u32 = 1;

/// A world as a space of packed states.
struct Packed {
    world: Reduced,
    successors: Successors,
    layout: Layout,
    /// The properties that no state has decided yet, each with its mark.
    open: Vec<(u32, Property)>,
}

impl Packed {
    fn new(world: &World, open: Vec<(u32, Property)>, reductions: Reductions) -> Self {
        let properties: Vec<Property> = open.iter().map(|o| o.1).collect();
        let world = Reduced::new(world, &properties, reductions);
        Self { successors: Successors::of(&world), layout: Layout::of(&world.fullest()), world, open }
    }
    fn open_marks(&self) -> u32 {
        self.open.iter().fold(0, |all, (mark, _)| all | 1 << mark)
    }
}

impl Space for Packed {
    type Scratch = Scratch;

    fn words(&self) -> usize {
        self.layout.len().max(1)
    }
    fn initial(&self, packed: &mut [u32]) {
        self.layout.pack(&self.world.initial(), packed);
    }
    fn expand(&self, from: &[u32], scratch: &mut Scratch, mut reach: impl FnMut(&[u32])) -> Expanded {
        let mut expanded = Expanded::default();
        let s = self.layout.unpack(from);
        let mut buffer = [0; WORDS_MAX];
        let buffer = &mut buffer[..from.len()];
        self.successors.each(&self.world, &s, scratch, |Successor { state, ways, adversarial }| {
            expanded.transitions += ways;
            buffer.copy_from_slice(from);
            if self.layout.repack(&s, state, buffer) {
                expanded.events |= if adversarial { ADVERSARY_MOVED } else { 0 };
                reach(buffer);
            }
        });
        expanded
    }
    fn marks(&self, packed: &[u32]) -> u32 {
        let s = self.layout.unpack(packed);
        let decides = |p: Property| property::condition(&self.world.world, s, p) != p.is_safety();
        let arrived = u32::from(s.active.on()) << ARRIVED;
        self.open.iter().fold(arrived, |all, &(mark, p)| all | u32::from(decides(p)) << mark)
    }
}

/// Searches all of `world` for the states that decide `properties`.
pub fn search(world: &World, properties: &[Property], limits: Limits, progress: &dyn Progress) -> Findings {
    let started = Instant::now();
    let reductions = limits.reductions.unwrap_or(Reductions::ALL);
    let mut space = Packed::new(world, (0..).zip(properties.iter().copied()).collect(), reductions);
    let mut graph = Graph::new(&space, limits.threads.map_or(1, NonZero::get));
    // All that the search has ever tried.
    let actions = space.world.actions.clone();
    let mut traces = vec![None; properties.len()];
    let mut arrived = false;
    let (depth, stopped) = loop {
        let marks = if reductions.decided_properties { space.open_marks() } else { 0 };
        let end = graph.run(&space, &Until { limits, marks, progress });
        let decided = |mark: u32| graph.marked[mark as usize];
        for &(mark, _) in &space.open {
            traces[mark as usize] = decided(mark).map(|place| trace(&space, &actions, &graph.path(place), &graph));
        }
        arrived |= decided(ARRIVED).is_some();
        let open: Vec<_> = space.open.iter().copied().filter(|&(mark, _)| decided(mark).is_none()).collect();
        match end {
            End::Exhausted => break (graph.depth - 1, None),
            End::Stopped(why) => break (graph.depth, Some(why)),
            End::Marked if open.is_empty() => break (graph.depth, None),
            End::Marked => space = forget(&mut graph, &space, open),
        }
    };
    Findings {
        states: graph.states,
        transitions: graph.expanded.transitions,
        adversary_moved: graph.expanded.events & ADVERSARY_MOVED != 0,
        adversary_arrived: arrived,
        depth,
        stopped,
        traces: properties.iter().copied().zip(traces).collect(),
        took: started.elapsed(),
        bytes: graph.bytes(),
    }
}

/// The least of the shortest traces that decide one property, as soon as it is found.
pub fn first(world: &World, property: Property) -> Option<Vec<Action>> {
    let findings = search(world, &[property], Limits::default(), &());
    findings.trace(property).map(<[Action]>::to_vec)
}

/// Forgets what only decided properties read, and with it what told states apart; returns what is searched from now on.
// States that differ in unread fields only lead to states that do.
fn forget(graph: &mut Graph, space: &Packed, open: Vec<(u32, Property)>) -> Packed {
    let left = Packed::new(&space.world.world, open, space.world.reductions);
    graph.rewrite(left.words(), |old, new| left.layout.pack(&left.world.kept(&space.layout.unpack(old)), new));
    left
}

/// The least of the shortest action lists that lead along `path`.
fn trace(space: &Packed, actions: &[Action], path: &[Place], graph: &Graph) -> Vec<Action> {
    let states: Vec<State> = path.iter().map(|&place| space.layout.unpack(&graph.get(place))).collect();
    let leads = |from: &State, to: &State| {
        let action = actions.iter().find(|&&a| space.world.step(from, a).as_ref() == Some(to));
        *action.expect("some action led here")
    };
    states.windows(2).map(|pair| leads(&pair[0], &pair[1])).collect()
}
