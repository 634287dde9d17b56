//! The primary search: breadth first, level by level, over exact packed states.
//!
//! States are expanded in the order of their discovery and actions are tried in their order, so the first way to a
//! state is the least among its shortest, and the same in every run. Complete means that the frontier was empty, or
//! that nothing was left to decide.

use super::breadth::{End, Expanded, Graph, Snapshot, Space, Until};
use super::checkpoint::{Checkpoint, Refused};
use super::store::Place;
use super::{Findings, Limits, Progress, Stopped};
use crate::model::state::{Layout, WORDS_MAX};
use crate::model::{Action, Property, Reduced, Reductions, Scratch, State, Successor, Successors, World, property};
use serde::{Deserialize, Serialize};
use std::num::NonZero;
use std::time::{Duration, Instant};

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
    /// What the search keeps of a state.
    fn kept(&self, s: &State) -> State {
        self.world.representative(&self.world.kept(s)).into_owned()
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
            if !self.layout.repack(&s, &self.world.representative(state), buffer) && *state == s {
                return;
            }
            expanded.events |= if adversarial { ADVERSARY_MOVED } else { 0 };
            reach(buffer);
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
    Search::new(world, properties, limits).run(limits, progress, None)
}

/// The same, going on from where `file` has it, and keeping there what is found.
pub fn go_on(
    world: &World,
    properties: &[Property],
    limits: Limits,
    progress: &dyn Progress,
    file: &Checkpoint,
) -> Result<Findings, Refused> {
    let mut search = Search::new(world, properties, limits);
    if let Some((far, mut input)) = file.read::<Far>(&search.input)? {
        let graph_is_next = far.done.is_none();
        search.far = far;
        if graph_is_next {
            search.space = Packed::new(world, search.open(), search.space.world.reductions);
            let (words, threads) = (search.space.words(), search.graph.threads());
            search.graph = Graph::read(&mut input, words, threads).map_err(|e| file.refuse(&e))?;
        }
    }
    Ok(search.run(limits, progress, Some(file)))
}

/// A search that is under way.
struct Search {
    /// A text that tells what is searched from everything else.
    input: String,
    properties: Vec<Property>,
    /// All that is ever tried.
    actions: Vec<Action>,
    space: Packed,
    graph: Graph,
    far: Far,
}

/// How far a search is, besides its graph.
#[derive(Clone, Serialize, Deserialize)]
struct Far {
    /// For each property the trace that decides it, once it is decided, as numbers of actions.
    traces: Vec<Option<Vec<usize>>>,
    /// Whether the adversary was there in any state found.
    arrived: bool,
    /// How long was searched.
    took: Duration,
    /// What the search came to, if it is over.
    done: Option<Done>,
}

/// What a search came to that was not cut short.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Done {
    states: usize,
    transitions: usize,
    adversary_moved: bool,
    depth: usize,
    bytes: usize,
}

/// What is found in less time, by one process, is found again rather than kept.
const KEPT_IF_LONGER: Duration = Duration::from_secs(1);

impl Search {
    fn new(world: &World, properties: &[Property], limits: Limits) -> Self {
        let reductions = limits.reductions.unwrap_or(Reductions::ALL);
        let space = Packed::new(world, (0..).zip(properties.iter().copied()).collect(), reductions);
        Self {
            input: format!("{world:?}{properties:?}{reductions:?}"),
            properties: properties.to_vec(),
            actions: space.world.actions.clone(),
            graph: Graph::new(&space, limits.threads.map_or(1, NonZero::get)),
            space,
            far: Far { traces: vec![None; properties.len()], arrived: false, took: Duration::ZERO, done: None },
        }
    }
    /// The properties that no state has decided yet, each with its mark.
    fn open(&self) -> Vec<(u32, Property)> {
        let all = (0..).zip(self.properties.iter().copied());
        all.filter(|&(mark, _)| self.far.traces[mark as usize].is_none()).collect()
    }

    fn run(mut self, limits: Limits, progress: &dyn Progress, file: Option<&Checkpoint>) -> Findings {
        let (started, before) = (Instant::now(), self.far.took);
        let mut stopped = None;
        while self.far.done.is_none() && stopped.is_none() {
            let reductions = self.space.world.reductions;
            let marks = if reductions.decided_properties { self.space.open_marks() } else { 0 };
            let far = self.far.clone();
            let keep = |copy: &Snapshot| {
                if let Some(file) = file.filter(|file| file.is_due()) {
                    let far = Far { took: before + started.elapsed(), ..far.clone() };
                    file.write(&self.input, &far, |out| copy.write(out));
                }
            };
            let end = self.graph.run(&self.space, &Until { limits, marks, progress, keep: Some(&keep) });
            self.decide();
            match (end, self.open()) {
                (End::Stopped(why), _) => stopped = Some(why),
                (End::Exhausted, _) => self.far.done = Some(self.done(self.graph.depth - 1)),
                (End::Marked, open) if open.is_empty() => self.far.done = Some(self.done(self.graph.depth)),
                (End::Marked, open) => self.space = forget(&mut self.graph, &self.space, open),
            }
        }
        self.far.took = before + started.elapsed();
        match (file, self.far.done) {
            (Some(file), Some(_)) if file.exists() || self.far.took > KEPT_IF_LONGER => {
                file.write(&self.input, &self.far, |_| Ok(()))
            }
            (Some(file), None) => file.write(&self.input, &self.far, |out| self.graph.snapshot().write(out)),
            _ => {}
        }
        self.findings(stopped)
    }
    /// Notes the traces of the properties that are decided now.
    fn decide(&mut self) {
        for &(mark, _) in &self.space.open {
            if let Some(place) = self.graph.marked[mark as usize] {
                let path = self.graph.path(place);
                self.far.traces[mark as usize]
                    .get_or_insert_with(|| trace(&self.space, &self.actions, &path, &self.graph));
            }
        }
        self.far.arrived |= self.graph.marked[ARRIVED as usize].is_some();
    }
    /// What the search has come to if it is over.
    fn done(&self, depth: usize) -> Done {
        let Graph { states, expanded, .. } = &self.graph;
        let adversary_moved = expanded.events & ADVERSARY_MOVED != 0;
        Done { states: *states, transitions: expanded.transitions, adversary_moved, depth, bytes: self.graph.bytes() }
    }
    fn findings(self, stopped: Option<Stopped>) -> Findings {
        let done = self.far.done.unwrap_or_else(|| self.done(self.graph.depth));
        let actions = |trace: &Vec<usize>| trace.iter().map(|&a| self.actions[a]).collect();
        let traces = self.far.traces.iter().map(|trace| trace.as_ref().map(actions));
        Findings {
            states: done.states,
            transitions: done.transitions,
            adversary_moved: done.adversary_moved,
            adversary_arrived: self.far.arrived,
            depth: done.depth,
            stopped,
            traces: self.properties.iter().copied().zip(traces).collect(),
            took: self.far.took,
            bytes: done.bytes,
            reductions: self.space.world.reductions,
        }
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
    graph.rewrite(left.words(), |old, new| left.layout.pack(&left.kept(&space.layout.unpack(old)), new));
    left
}

/// The least of the shortest lists of actions that lead along `path`, as their numbers.
// Where states stand for others, the way leads through one of each, from what follows the one to what follows the next.
fn trace(space: &Packed, actions: &[Action], path: &[Place], graph: &Graph) -> Vec<usize> {
    let mut s = space.world.initial();
    let next = |place: &Place| {
        let to = space.layout.unpack(&graph.get(*place));
        let leads = |&a: &Action| space.world.step(&s, a).filter(|next| *space.world.representative(next) == to);
        let (number, next) =
            actions.iter().enumerate().find_map(|(i, a)| Some((i, leads(a)?))).expect("some action led here");
        s = next;
        number
    };
    path[1..].iter().map(next).collect()
}
