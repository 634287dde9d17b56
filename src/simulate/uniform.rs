//! Walks without rates and without time: whatever can happen and changes the state, each as likely as another.
//!
//! What comes of it is no likelihood of anything real. It is a way to look into spaces that are too large to be
//! searched: a walk goes through the very graph that the checker would search, by its reductions, so what nobody reads
//! is no change; and its actions are a walk by the plain rules.
//!
//! An action is drawn blindly until one leads to another state. What was found out of a state is kept as long as there
//! is room, so that it is not found out again by the next walk that comes through; no draw depends on it.

use crate::model::{
    Action, Facts, Needs, Property, Reduced, Reductions, Scratch, State, Successor, Successors, World, property,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Walks that a thread takes at a time.
const TAKEN: u64 = 64;
/// Actions that are drawn blindly before all that follows a state is worked out; fewer where there are fewer.
const DRAWN_MAX: u32 = 256;
/// The bytes that a thread may keep of states and of where actions lead.
const KEPT_MAX: usize = 64 << 20;
/// The most that it may keep of all that follows states, where that was worked out: 16 bytes each.
const FOLLOWING_MAX: usize = 1 << 21;

/// All that can happen in a world, and the properties that are watched.
pub struct Ways {
    reduced: Reduced,
    tried: Vec<(Needs, Action)>,
    successors: Successors,
    /// The properties that are watched: at most 16.
    pub properties: Vec<Property>,
}

/// What one walk came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// For each property that is watched, the steps after which it first did not hold; none if it always did.
    pub fell: [Option<u32>; 16],
    /// How many steps were made.
    pub steps: u32,
    /// Whether nothing was left that could change anything.
    pub stuck: bool,
}

/// What many walks came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walks {
    /// How many there were.
    pub walks: u64,
    /// The steps of all.
    pub steps: u64,
    /// How many came to where nothing was left that could change anything.
    pub stuck: u64,
    /// For each property that is watched, in how many it fell.
    pub fell: Vec<Fell>,
}

/// In how many walks a property fell, and how soon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fell {
    /// In how many.
    pub walks: u64,
    /// The fewest steps after which it fell, and the number of the first walk in which it fell so soon.
    pub soonest: Option<(u32, u64)>,
}

/// Who watches walks being made.
pub trait Watch: Sync {
    /// Called with how many walks were just made, and their steps; returns whether to go on.
    fn walked(&self, walks: u64, steps: u64) -> bool;
}

impl Watch for () {
    fn walked(&self, _: u64, _: u64) -> bool {
        true
    }
}

/// How walks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The steps after which a walk ends, if it has not ended before.
    pub steps: u32,
    /// What all streams are made from.
    pub seed: u64,
}

impl Ways {
    /// All that can happen in `world`, as far as it matters to these properties.
    pub fn new(world: &World, properties: Vec<Property>) -> Self {
        assert!(properties.len() <= 16, "a bit for each property");
        let reduced = Reduced::new(world, &properties, Reductions::ALL);
        Self { tried: reduced.with_needs(), successors: Successors::of(&reduced), reduced, properties }
    }
    /// The properties that do not hold in `s`, as bits.
    fn fallen(&self, s: &State) -> u16 {
        let falls = |p: &Property| !property::condition(&self.reduced.world, *s, *p);
        self.properties.iter().zip(0..).fold(0, |all, (p, i)| all | u16::from(falls(p)) << i)
    }
    /// The state after the action at `i`, if it can happen and changes `s`.
    fn step(&self, s: &State, i: usize) -> Option<State> {
        let (needs, action) = &self.tried[i];
        let next = if needs.met(Facts::of(s)) { self.reduced.step(s, *action) } else { None };
        next.filter(|next| next != s)
    }
}

/// A state's place among those that are kept.
type Number = u32;
/// An action that was not tried yet in a state.
const UNTRIED: Number = u32::MAX;
/// An action that cannot happen, or changes nothing.
const NOWHERE: Number = u32::MAX - 1;

/// What a thread has found out.
struct Known<'a> {
    ways: &'a Ways,
    nodes: Vec<Node>,
    /// For each node where each action leads.
    leads: Vec<Number>,
    /// Nodes by the digest of their state, or by the next that was free.
    numbers: HashMap<u64, Number>,
    /// The most nodes that are kept.
    nodes_max: usize,
    /// How much is kept of all that follows states.
    following: usize,
    scratch: Scratch,
}

/// A state that a walk came through.
struct Node {
    state: State,
    fallen: u16,
    /// Where all that changes the state leads, with the number of ways up to each one together; worked out only where
    /// draws found nothing.
    all: Vec<(u64, Number)>,
}

impl<'a> Known<'a> {
    fn new(ways: &'a Ways) -> Self {
        let nodes_max = KEPT_MAX / (size_of::<Node>() + size_of::<Number>() * ways.tried.len());
        let (nodes, leads, numbers, scratch) = (Vec::new(), Vec::new(), HashMap::new(), Scratch::default());
        Self { ways, nodes, leads, numbers, nodes_max: nodes_max.max(1000), following: 0, scratch }
    }
    fn number(&mut self, s: &State) -> Number {
        let mut digest = s.digest();
        loop {
            match self.numbers.get(&digest) {
                Some(&number) if self.nodes[number as usize].state == *s => return number,
                Some(_) => digest = digest.wrapping_add(1),
                None => break,
            }
        }
        let number = self.nodes.len() as Number;
        self.numbers.insert(digest, number);
        self.nodes.push(Node { state: *s, fallen: self.ways.fallen(s), all: Vec::new() });
        self.leads.resize(self.leads.len() + self.ways.tried.len(), UNTRIED);
        number
    }
    /// Makes room if there is none for another node; returns the number that `at` has from now on.
    #[inline]
    fn with_room(&mut self, at: Number) -> Number {
        if self.nodes.len() < self.nodes_max && self.following < FOLLOWING_MAX {
            return at;
        }
        let state = self.nodes[at as usize].state;
        self.nodes.clear();
        self.leads.clear();
        self.numbers.clear();
        self.following = 0;
        self.number(&state)
    }
    /// Where one of the actions leads that change the state at `at`, each as likely as another, and which action that
    /// is if it was drawn by itself; none if there is none.
    // Draws that find nothing are as many as they would be if nothing were known.
    #[inline]
    fn step(&mut self, at: Number, stream: &mut ChaCha8Rng) -> Option<(Number, Option<Action>)> {
        let (all, row) = (self.ways.tried.len(), at as usize * self.ways.tried.len());
        for _ in 0..DRAWN_MAX.min(all as u32) {
            let i = stream.random_range(0..all as u32) as usize;
            if self.leads[row + i] == UNTRIED {
                let next = self.ways.step(&self.nodes[at as usize].state, i);
                self.leads[row + i] = next.map_or(NOWHERE, |next| self.number(&next));
            }
            match self.leads[row + i] {
                NOWHERE => {}
                to => return Some((to, Some(self.ways.tried[i].1))),
            }
        }
        self.of_all(at, stream).map(|to| (to, None))
    }
    /// The same, from all that follows the state.
    #[cold]
    fn of_all(&mut self, at: Number, stream: &mut ChaCha8Rng) -> Option<Number> {
        let (s, ways) = (self.nodes[at as usize].state, self.ways);
        if self.nodes[at as usize].all.is_empty() {
            let (mut all, mut sofar) = (Vec::new(), 0);
            ways.successors.each(&ways.reduced, &s, &mut self.scratch, |next: Successor| {
                sofar += if *next.state == s { 0 } else { next.ways as u64 };
                all.push((sofar, UNTRIED));
            });
            self.following += all.len();
            self.nodes[at as usize].all = all;
        }
        let all = &self.nodes[at as usize].all;
        let sum = all.last().map_or(0, |(sum, _)| *sum);
        if sum == 0 {
            return None;
        }
        let drawn = stream.random_range(0..sum);
        let i = all.partition_point(|(up_to, _)| *up_to <= drawn);
        if all[i].1 == UNTRIED {
            let (mut n, mut state) = (0, s);
            ways.successors.each(&ways.reduced, &s, &mut self.scratch, |next: Successor| {
                state = if n == i { *next.state } else { state };
                n += 1;
            });
            self.nodes[at as usize].all[i].1 = self.number(&state);
        }
        Some(self.nodes[at as usize].all[i].1)
    }
}

impl Walks {
    /// None of these properties watched in no walk.
    fn none(properties: usize) -> Self {
        Self { walks: 0, steps: 0, stuck: 0, fell: vec![Fell::default(); properties] }
    }
    fn add(&mut self, number: u64, walk: &Walk) {
        self.walks += 1;
        self.steps += u64::from(walk.steps);
        self.stuck += u64::from(walk.stuck);
        for (all, fell) in self.fell.iter_mut().zip(walk.fell) {
            let Some(steps) = fell else { continue };
            *all = Fell { walks: all.walks + 1, soonest: sooner(all.soonest, Some((steps, number))) };
        }
    }
    fn merge(&mut self, other: &Self) {
        self.walks += other.walks;
        self.steps += other.steps;
        self.stuck += other.stuck;
        for (all, fell) in self.fell.iter_mut().zip(&other.fell) {
            *all = Fell { walks: all.walks + fell.walks, soonest: sooner(all.soonest, fell.soonest) };
        }
    }
}

/// The lesser of two, of which neither need be there.
fn sooner(a: Option<(u32, u64)>, b: Option<(u32, u64)>) -> Option<(u32, u64)> {
    a.into_iter().chain(b).min()
}

/// The first `walks` walks, on as many threads as said; none if whoever watches did not let them go on.
pub fn all(ways: &Ways, drawn: Drawn, walks: u64, threads: NonZero<usize>, watch: &dyn Watch) -> Option<Walks> {
    let (next, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
    let sum = Mutex::new(Walks::none(ways.properties.len()));
    let work = || {
        let (mut mine, mut known) = (Walks::none(ways.properties.len()), Known::new(ways));
        while !stopped.load(Ordering::Relaxed) {
            let first = next.fetch_add(TAKEN, Ordering::Relaxed);
            if first >= walks {
                break;
            }
            let (before, last) = ((mine.walks, mine.steps), walks.min(first + TAKEN));
            (first..last).for_each(|n| mine.add(n, &walk(&mut known, drawn, n, |_, _| {})));
            if !watch.walked(mine.walks - before.0, mine.steps - before.1) {
                stopped.store(true, Ordering::Relaxed);
            }
        }
        sum.lock().expect("no thread panics with it").merge(&mine);
    };
    std::thread::scope(|scope| {
        (1..threads.get()).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    (!stopped.into_inner()).then(|| sum.into_inner().expect("no thread panicked with it"))
}

/// The walk of this number, with all that happened in it.
pub fn one(ways: &Ways, drawn: Drawn, number: u64) -> (Walk, Vec<Action>) {
    let (mut s, mut actions) = (ways.reduced.initial(), Vec::new());
    let walk = walk(&mut Known::new(ways), drawn, number, |to, action| {
        let leads = |a: &&Action| ways.reduced.step(&s, **a).is_some_and(|next| next == *to);
        actions.push(action.unwrap_or_else(|| *ways.reduced.actions.iter().find(leads).expect("some action led here")));
        s = *to;
    });
    (walk, actions)
}

/// One walk. `happens` is told each state that is come to, and what led there if it was drawn by itself.
fn walk(known: &mut Known, drawn: Drawn, number: u64, mut happens: impl FnMut(&State, Option<Action>)) -> Walk {
    let mut stream = ChaCha8Rng::seed_from_u64(drawn.seed);
    stream.set_stream(number);
    let every = ((1u32 << known.ways.properties.len()) - 1) as u16;
    let (mut walk, mut up) = (Walk::default(), 0u16);
    let mut at = known.number(&known.ways.reduced.initial());
    loop {
        let new = known.nodes[at as usize].fallen & !up;
        up |= new;
        for (_, fell) in walk.fell.iter_mut().enumerate().filter(|(i, _)| new >> i & 1 == 1) {
            *fell = Some(walk.steps);
        }
        if up == every || walk.steps == drawn.steps {
            return walk;
        }
        at = known.with_room(at);
        let Some((to, action)) = known.step(at, &mut stream) else {
            return Walk { stuck: true, ..walk };
        };
        happens(&known.nodes[to as usize].state, action);
        at = to;
        walk.steps += 1;
    }
}
