//! The exact probability that a property falls within some days, where the chain is small enough to be solved.
//!
//! The chain is followed through time by uniformization (Jensen, Skandinavisk Aktuarietidskrift 36, 1953): it is looked
//! at only at the ticks of one clock that is as fast as its fastest state, and the number of ticks is Poisson
//! distributed. States in which the property has fallen are not left again.

use super::chain::{Chain, FIRST, Setting};
use super::habits::Habits;
use super::occasion::People;
use super::runs::choices;
use super::{Far, Unsolved, Working};
use crate::model::PEOPLE_MAX;

/// The most ticks of the clock that are looked at together: the probability of none, `exp(-500)`, can be written down.
const TICKS: f64 = 500.0;
/// What all states together may be off by, each time.
const ERROR: f64 = 1e-13;

/// The least probability that a solution can tell from none.
pub const SMALLEST: f64 = 10.0 * ERROR;

/// How many edges are followed before whoever watches is asked again: some milliseconds.
const WORK: usize = 1_000_000;

/// For each property that is watched, the probability that it falls within `days`; and how many nodes all chains have.
pub fn probabilities(
    setting: &Setting,
    habits: &[Habits; PEOPLE_MAX],
    days: f64,
    nodes_max: usize,
) -> Result<(Vec<f64>, usize), Unsolved> {
    solve(setting, habits, days, nodes_max, &())
}

/// The same, with somebody who watches.
pub fn solve(
    setting: &Setting,
    habits: &[Habits; PEOPLE_MAX],
    days: f64,
    nodes_max: usize,
    watch: &dyn Working,
) -> Result<(Vec<f64>, usize), Unsolved> {
    let mut sum = vec![0.0; setting.properties.len()];
    let mut nodes = 0;
    let choices = choices(&setting.world, habits);
    let parts = (choices.len() * sum.len()).max(1) as f64;
    for (c, &(verifying, weight)) in choices.iter().enumerate() {
        let mut chain = Chain::new(setting, People { habits: *habits, verifying });
        let edges = whole(&mut chain, nodes_max.saturating_sub(nodes), nodes, watch)?;
        nodes += chain.len();
        let begun = c * sum.len();
        for (i, sum) in sum.iter_mut().enumerate() {
            let fallen: Vec<bool> = (0..chain.len()).map(|n| chain.node(n as u32).fallen >> i & 1 == 1).collect();
            let far = |part: f64| watch.far(Far::Solved(nodes, ((begun + i) as f64 + part) / parts));
            if !far(0.0) {
                return Err(Unsolved::Stopped);
            }
            *sum += weight * reached(&edges, &fallen, days, &far)?;
        }
    }
    Ok((sum, nodes))
}

/// What follows each node of a chain, one node after another.
struct Edges {
    /// For each node where its edges begin, and at last where all end.
    begin: Vec<usize>,
    /// How often a day each comes about, and where it leads.
    edges: Vec<(f64, usize)>,
}

impl Edges {
    fn nodes(&self) -> usize {
        self.begin.len() - 1
    }
    fn of(&self, node: usize) -> &[(f64, usize)] {
        &self.edges[self.begin[node]..self.begin[node + 1]]
    }
}

/// What follows each node of the whole chain; so many nodes of others were found before.
fn whole(chain: &mut Chain, nodes_max: usize, before: usize, watch: &dyn Working) -> Result<Edges, Unsolved> {
    let mut all = Edges { begin: vec![0], edges: Vec::new() };
    while all.nodes() < chain.len() {
        if chain.len() > nodes_max {
            return Err(Unsolved::TooLarge);
        }
        if all.nodes().is_multiple_of(1024) && !watch.far(Far::Found(before + chain.len())) {
            return Err(Unsolved::Stopped);
        }
        let events = chain.all_events(all.nodes() as u32);
        all.edges.extend(events.into_iter().map(|(rate, to)| (rate, to as usize)));
        all.begin.push(all.edges.len());
    }
    Ok(all)
}

/// The probability that one of the nodes `fallen` is reached from the first within `days`. `far` is told now and then
/// which part of the days is over, and says whether to go on.
fn reached(edges: &Edges, fallen: &[bool], days: f64, far: &dyn Fn(f64) -> bool) -> Result<f64, Unsolved> {
    if !fallen.contains(&true) {
        return Ok(0.0);
    }
    let pace = |node: usize| edges.of(node).iter().map(|(rate, _)| rate).sum::<f64>();
    let fastest = (0..edges.nodes()).filter(|&node| !fallen[node]).map(pace).fold(0.0, f64::max);
    let mut now = vec![0.0; edges.nodes()];
    now[FIRST as usize] = 1.0;
    let parts = (fastest * days / TICKS).ceil().max(1.0);
    let ticks = fastest * days / parts;
    let often = WORK / edges.edges.len().max(1) + 1;
    let mut made = 0usize;
    for part in 0..parts as u64 {
        let next = after(edges, fallen, fastest, ticks, &now, |tick| {
            made += 1;
            !made.is_multiple_of(often) || far((part as f64 + (tick / ticks).min(1.0)) / parts)
        })?;
        let moved: f64 = next.iter().zip(&now).map(|(a, b)| (a - b).abs()).sum();
        now = next;
        if moved < ERROR {
            break;
        }
    }
    Ok(now.iter().zip(fallen).filter(|(_, fallen)| **fallen).map(|(p, _)| p).sum())
}

/// The probabilities of all nodes some ticks after they were `now`, the number of ticks being Poisson distributed.
/// `goes_on` is told the number of each tick.
fn after(
    edges: &Edges,
    fallen: &[bool],
    fastest: f64,
    ticks: f64,
    now: &[f64],
    mut goes_on: impl FnMut(f64) -> bool,
) -> Result<Vec<f64>, Unsolved> {
    let mut weight = libm::exp(-ticks);
    let (mut left, mut n) = (1.0 - weight, 0.0);
    let (mut at, mut next) = (now.to_vec(), now.to_vec());
    let mut sum: Vec<f64> = at.iter().map(|p| p * weight).collect();
    while left > ERROR && (n < ticks || weight > f64::MIN_POSITIVE) {
        if !goes_on(n) {
            return Err(Unsolved::Stopped);
        }
        tick(edges, fallen, fastest, &at, &mut next);
        std::mem::swap(&mut at, &mut next);
        n += 1.0;
        weight *= ticks / n;
        left -= weight;
        // What weighs next to nothing comes to next to nothing.
        if weight > ERROR * ERROR {
            sum.iter_mut().zip(&at).for_each(|(sum, p)| *sum += p * weight);
        }
    }
    // What was cut off stays where it was last.
    sum.iter_mut().zip(&at).for_each(|(sum, p)| *sum += p * left.max(0.0));
    Ok(sum)
}

/// Writes the probabilities of all nodes one tick later.
fn tick(edges: &Edges, fallen: &[bool], fastest: f64, now: &[f64], next: &mut [f64]) {
    next.copy_from_slice(now);
    for (node, &here) in now.iter().enumerate().filter(|(node, here)| !fallen[*node] && **here > 0.0) {
        let moves = here / fastest;
        for &(rate, to) in edges.of(node) {
            next[to] += moves * rate;
            next[node] -= moves * rate;
        }
    }
}
