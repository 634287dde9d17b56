//! Who walks the state space: one exact search that verdicts come from, and two others that must agree with it.

pub mod breadth;
pub mod checkpoint;
pub mod cost;
pub mod exact;
pub mod naive;
pub mod recovery;
pub mod second;
pub mod store;

use crate::model::{Action, Property, Reductions};
use std::num::NonZero;
use std::time::{Duration, Instant};

/// Where a search must stop, finished or not. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most states that a search may keep.
    pub states_max: Option<usize>,
    /// The most steps after which a search still looks.
    pub depth_max: Option<usize>,
    /// The moment from which on no more is searched.
    pub deadline: Option<Instant>,
    /// The most bytes that the states kept, and the ways back from them, may take.
    pub bytes_max: Option<usize>,
    /// The reductions to search with; all of them if not said.
    pub reductions: Option<Reductions>,
    /// Threads to search on. None is one.
    pub threads: Option<NonZero<usize>>,
}

/// What stopped a search before its frontier was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// More states were kept than allowed.
    States,
    /// All that can happen in as many steps as allowed was searched.
    Depth,
    /// The deadline had passed.
    Time,
    /// More bytes were held than allowed.
    Memory,
    /// Whoever watches did not let it go on.
    Interrupted,
}

impl Stopped {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::States, Self::Depth, Self::Time, Self::Memory, Self::Interrupted];
}

/// How a search tells of its progress.
pub trait Progress: Sync {
    /// Called now and then with how far a search is. Returns whether to go on.
    fn tick(&self, at: &Tick) -> bool;
}

/// How far a search is.
#[derive(Clone, Copy, Debug)]
pub struct Tick<'a> {
    /// The states found.
    pub states: usize,
    /// Those of them that were not expanded yet.
    pub frontier: usize,
    /// The states of each level that is complete; those of the last one are being expanded.
    pub levels: &'a [usize],
    /// The states found by this process, and in which time.
    pub here: (usize, Duration),
}

impl Tick<'_> {
    /// How many more states there may be, if levels go on to shrink as the last one did; none if they grow.
    pub fn forecast(&self) -> Option<usize> {
        let &[.., before, last] = self.levels else { return None };
        let found_of_next = self.states - self.levels.iter().sum::<usize>();
        let shrinks = last as f64 / before as f64;
        (shrinks < 1.0).then(|| ((last as f64 * shrinks / (1.0 - shrinks)) as usize).saturating_sub(found_of_next))
    }
}

/// Nobody watches.
impl Progress for () {
    fn tick(&self, _: &Tick) -> bool {
        true
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// States kept, each when it was found first.
    pub states: usize,
    /// Actions tried that led somewhere, the same state included.
    pub transitions: usize,
    /// Whether anything the adversary did, its arrival aside, led to another state.
    pub adversary_moved: bool,
    /// Whether the adversary was there in any state found.
    pub adversary_arrived: bool,
    /// Length of the longest of the shortest ways to a state, as far as searched.
    pub depth: usize,
    /// `None` if the frontier is empty, so everything reachable was seen, or if every property is decided.
    pub stopped: Option<Stopped>,
    /// For each property asked for, in that order: the least of the shortest traces that decide it. For a safety
    /// property that is a violation, for a possibility a witness.
    pub traces: Vec<(Property, Option<Vec<Action>>)>,
    /// Time on the clock from the start of the search to its end.
    pub took: Duration,
    /// Bytes held by the visited set at the end.
    pub bytes: usize,
    /// The reductions that were searched with.
    pub reductions: Reductions,
}

impl Findings {
    /// The trace that decides `property`.
    pub fn trace(&self, property: Property) -> Option<&[Action]> {
        self.traces.iter().find(|t| t.0 == property).and_then(|t| t.1.as_deref())
    }
}
