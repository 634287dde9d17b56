//! The search that anybody can check by reading: a queue, a set of whole states, every action tried in each.

use crate::model::action::alphabet;
use crate::model::{Property, State, World, property, step};
use std::collections::{HashSet, VecDeque};

/// The number of states of `world`, and which of `properties` some state decides.
pub fn search(world: &World, properties: &[Property]) -> (usize, Vec<bool>) {
    let actions = alphabet(world);
    let mut seen: HashSet<State> = HashSet::from([world.initial()]);
    let mut queue: VecDeque<State> = VecDeque::from([world.initial()]);
    let mut decided = vec![false; properties.len()];
    while let Some(s) = queue.pop_front() {
        for (i, &p) in properties.iter().enumerate() {
            decided[i] |= property::condition(world, s, p) != p.is_safety();
        }
        for next in actions.iter().filter_map(|&a| step(world, s, a).ok()) {
            if seen.insert(next) {
                queue.push_back(next);
            }
        }
    }
    (seen.len(), decided)
}
