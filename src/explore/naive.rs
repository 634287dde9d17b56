//! The search that anybody can check by reading: a queue, a set of whole states, every action tried in each.

use crate::model::{Property, Reduced, Reductions, State, World, property};
use std::collections::{HashSet, VecDeque};

/// The number of states of `world` if all are to be counted, and which of `properties` some state decides.
///
/// Without `count` the search ends as soon as every property is decided.
pub fn search(world: &World, properties: &[Property], reductions: Reductions, count: bool) -> (usize, Vec<bool>) {
    let reduced = Reduced::new(world, properties, reductions);
    let mut seen: HashSet<State> = HashSet::from([reduced.initial()]);
    let mut queue: VecDeque<State> = VecDeque::from([reduced.initial()]);
    let mut decided = vec![false; properties.len()];
    while let Some(s) = queue.pop_front() {
        for (i, &p) in properties.iter().enumerate() {
            decided[i] |= property::condition(world, s, p) != p.is_safety();
        }
        if !count && decided.iter().all(|&d| d) {
            break;
        }
        for next in reduced.actions.iter().filter_map(|&a| reduced.step(&s, a)) {
            if seen.insert(next) {
                queue.push_back(next);
            }
        }
    }
    (seen.len(), decided)
}
