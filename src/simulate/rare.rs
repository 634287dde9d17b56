//! What plain runs hardly ever reach: the probability that a property falls, by multilevel splitting.
//!
//! A state's level is how unlikely the likeliest way is from it to where the property has fallen. As many walks are
//! made from each level to the next nearer one, each from where one of the walks before came to it, and what they are
//! worth is added up (fixed effort: L'Ecuyer, Demers and Tuffin, ACM TOMACS 17(2), 2007). A walk counts each chance
//! that it has to get there with its next event by how likely that is, so that an event that hardly ever comes is no
//! wall; and it is gone on from where a fall is likely more often, and for less, than from elsewhere. The sum is
//! right on average wherever the levels are; where they are only says how far it scatters.

use super::chain::{Chain, FIRST, Node, Number};
use super::interval::{BATCHES, Estimate, mean};
use super::occasion::People;
use super::runs::{Drawn, choices, exponential};
use super::{Far, Working};
use crate::model::{Person, Set};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// So many nodes of a chain are well looked at for what is near: each takes some kilobytes.
pub const NODES_MAX: usize = 50_000;
/// How far off whatever has no way known to where the property falls is.
const FAR: u32 = u32::MAX;
/// Distances are logarithms of probabilities, so many to a factor of e.
const SCALE: f64 = 16.0;
/// How much nearer each level is.
const LEVEL: u32 = 32;

/// How likely it is at best that the property falls from so far away.
fn likely(away: u32) -> f64 {
    libm::exp(-f64::from(away) / SCALE)
}

/// A walk that is to be gone on with: where, from which day, and what it is worth.
type Walk = (Number, f64, f64);

/// Where walks came to a level.
#[derive(Default)]
struct Entrances {
    all: Vec<Walk>,
    /// What all entrances up to this one are worth together, each times how likely the property falls from there.
    up_to: Vec<f64>,
}

impl Entrances {
    fn add(&mut self, walk: Walk, away: u32) {
        let before = self.up_to.last().copied().unwrap_or_default();
        self.up_to.push(before + walk.2 * likely(away));
        self.all.push(walk);
    }
    /// What all are worth.
    fn worth(&self) -> f64 {
        self.all.iter().map(|(.., worth)| worth).sum()
    }
    /// So many of them, those from which the property likely falls more often, and all together worth the same on
    /// average.
    fn draw(&self, walks: usize, away: impl Fn(Number) -> u32, stream: &mut ChaCha8Rng) -> Vec<Walk> {
        let total = self.up_to.last().copied().unwrap_or_default();
        // At even distances from each other, so that they scatter less.
        let first = stream.random::<f64>();
        let one = |i| {
            let point = (i as f64 + first) / walks as f64 * total;
            let (number, day, _) =
                self.all[self.up_to.partition_point(|&up_to| up_to <= point).min(self.all.len() - 1)];
            (number, day, total / (walks as f64 * likely(away(number))))
        };
        (0..walks).map(one).collect()
    }
}

/// The chain of one choice of people who hold ceremonies, and how far its nodes are from where a property falls.
struct Levelled<'a> {
    chain: Chain<'a>,
    /// What can follow each node that was looked at: how often a day, and where it leads.
    events: Vec<Vec<(f64, Number)>>,
    /// How far each of those nodes is away; [`FAR`] if no way is known.
    away: Vec<u32>,
    /// Which of the watched properties it is about.
    property: usize,
    /// Whether all of the chain was looked at, so that what is far is out of reach.
    whole: bool,
}

impl<'a> Levelled<'a> {
    /// None if whoever watches did not let it go on.
    fn new(
        drawn: &Drawn<'a>,
        verifying: Set<Person>,
        property: usize,
        nodes_max: usize,
        watch: &dyn Working,
    ) -> Option<Self> {
        let mut chain = Chain::new(drawn.setting, People { habits: drawn.habits, verifying });
        let mut events: Vec<Vec<(f64, Number)>> = Vec::new();
        while events.len() < chain.len().min(nodes_max) {
            events.push(chain.all_events(events.len() as Number));
            if events.len().is_multiple_of(1024) && !watch.far(Far::Found(chain.len())) {
                return None;
            }
        }
        let mut from: Vec<Vec<(u32, Number)>> = vec![Vec::new(); chain.len()];
        for (n, events) in events.iter().enumerate() {
            for &(rate, to) in events {
                let unlikely = -libm::log(-libm::expm1(-rate * drawn.days)) * SCALE;
                from[to as usize].push((unlikely.clamp(1.0, 1e6) as u32, n as Number));
            }
        }
        let fallen = (0..chain.len() as Number).filter(|&n| falls(chain.node(n), property));
        let away = nearest(&from, fallen);
        Some(Self { whole: events.len() == chain.len(), property, chain, events, away })
    }
    /// How far away a node is, as far as is known.
    fn away(&self, number: Number) -> u32 {
        // What was come to later is looked at no further than whether the property has fallen there.
        let here = || if falls(self.chain.node(number), self.property) { 0 } else { FAR };
        self.away.get(number as usize).copied().unwrap_or_else(here)
    }
    /// One walk that is further away than `level`. Wherever its next event could bring it there, that is counted by how
    /// likely it is, whatever happens next; only what does not come there is walked.
    fn walk(&mut self, walk: Walk, level: u32, days: f64, to: &mut Entrances, stream: &mut ChaCha8Rng) {
        let (mut at, mut day, worth) = walk;
        while !(self.whole && self.away(at) == FAR) {
            let looked;
            let events = match self.events.get(at as usize) {
                Some(events) => events,
                None => {
                    looked = self.chain.all_events(at);
                    &looked
                }
            };
            if events.is_empty() {
                return;
            }
            let total: f64 = events.iter().map(|(rate, _)| rate).sum();
            let nearer: f64 = events.iter().filter(|(_, next)| self.away(*next) <= level).map(|(rate, _)| rate).sum();
            let in_time = -libm::expm1(-total * (days - day));
            if nearer > 0.0 && in_time > 0.0 {
                let next = pick(events, stream.random::<f64>() * nearer, |next| self.away(next) <= level);
                let stay = -libm::log1p(-stream.random::<f64>() * in_time) / total;
                to.add((next, day + stay, worth * nearer / total * in_time), self.away(next));
            }
            day += exponential(stream, total);
            let next = if day < days { pick(events, stream.random::<f64>() * total, |_| true) } else { return };
            if self.away(next) <= level {
                return;
            }
            at = next;
        }
    }
    /// One estimate of the probability that the property falls within `days`, with so many walks to each level.
    fn estimate(&mut self, days: f64, walks: usize, stream: &mut ChaCha8Rng) -> f64 {
        let first = self.away(FIRST);
        let mut reached = Entrances::default();
        reached.add((FIRST, 0.0, 1.0), first);
        for level in (0..first.div_ceil(LEVEL)).rev() {
            let level = level * LEVEL;
            let from = reached.draw(walks, |number| self.away(number), stream);
            reached = Entrances::default();
            for walk in from {
                match self.away(walk.0) {
                    away if away <= level => reached.add(walk, away),
                    _ => self.walk(walk, level, days, &mut reached, stream),
                }
            }
            if reached.all.is_empty() {
                return 0.0;
            }
        }
        reached.worth()
    }
}

/// Whether the property of this number does not hold in a node.
fn falls(node: &Node, property: usize) -> bool {
    node.fallen >> property & 1 == 1
}

/// How far each node is from the nearest of some, where `from` has what leads to each and how far that is.
fn nearest(from: &[Vec<(u32, Number)>], some: impl Iterator<Item = Number>) -> Vec<u32> {
    let mut away = vec![FAR; from.len()];
    let mut open: BinaryHeap<Reverse<(u32, Number)>> = some.map(|n| Reverse((0, n))).collect();
    while let Some(Reverse((far, n))) = open.pop() {
        if far < away[n as usize] {
            away[n as usize] = far;
            open.extend(from[n as usize].iter().map(|(step, before)| Reverse((far.saturating_add(*step), *before))));
        }
    }
    away
}

/// Where the event leads that a point between 0 and all rates together falls on, of those that lead where it `counts`.
fn pick(events: &[(f64, Number)], point: f64, counts: impl Fn(Number) -> bool) -> Number {
    let (mut left, mut last) = (point, None);
    for &(rate, next) in events.iter().filter(|(_, next)| counts(*next)) {
        left -= rate;
        last = Some(next);
        if left < 0.0 {
            break;
        }
    }
    // Rounding may leave a little.
    last.expect("some event counts")
}

/// The probability that the property at `index` falls, with about so many walks to each level in all; none if whoever
/// watches did not let it go on. The first `nodes_max` nodes of a chain are looked at for what is near. Where nothing
/// is known to be near, the interval is all that a probability can be.
pub fn split(
    drawn: &Drawn,
    index: usize,
    walks: u64,
    nodes_max: usize,
    threads: NonZero<usize>,
    watch: &dyn Working,
) -> Option<Estimate> {
    let each = walks.div_ceil(BATCHES as u64).max(1) as usize;
    let mut sums = vec![0.0; BATCHES];
    let mut known = true;
    let choices = choices(&drawn.setting.world, &drawn.habits);
    let parts = (choices.len() * BATCHES) as f64;
    for (i, &(verifying, weight)) in choices.iter().enumerate() {
        let (next, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
        let all = Mutex::new((&mut sums, &mut known));
        let work = || {
            let stop = || stopped.store(true, Ordering::Relaxed);
            let new = || Levelled::new(drawn, verifying, index, nodes_max, watch);
            let Some(mut levelled) = new() else { return stop() };
            if levelled.away(FIRST) == FAR {
                *all.lock().expect("no thread panics with it").1 &= levelled.whole;
                return;
            }
            loop {
                let batch = next.fetch_add(1, Ordering::Relaxed);
                if batch >= BATCHES as u64 || stopped.load(Ordering::Relaxed) {
                    return;
                }
                if !watch.far(Far::Solved(levelled.chain.len(), (i * BATCHES + batch as usize) as f64 / parts)) {
                    return stop();
                }
                // Runs have the first streams, this has the last.
                let mut stream = ChaCha8Rng::seed_from_u64(drawn.seed);
                stream.set_stream(u64::MAX - (i * BATCHES) as u64 - batch);
                let estimate = levelled.estimate(drawn.days, each, &mut stream);
                all.lock().expect("no thread panics with it").0[batch as usize] += weight * estimate;
                if levelled.chain.len() > 8 * nodes_max.max(NODES_MAX) {
                    let Some(again) = new() else { return stop() };
                    levelled = again;
                }
            }
        };
        std::thread::scope(|scope| {
            (1..threads.get()).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        if stopped.into_inner() {
            return None;
        }
    }
    let Estimate { value, low, high } = mean(&sums);
    // The mean of what scatters widely has an interval beyond what a probability can be.
    Some(if known {
        Estimate { value, low: low.max(0.0), high: high.min(1.0) }
    } else {
        Estimate { value, low: 0.0, high: 1.0 }
    })
}
