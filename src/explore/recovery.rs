//! The way out of a lock-out: the fewest honest steps, with the servers' true answers, after which none is left.

use crate::model::people::Publication;
use crate::model::{Action, Answer, Property, State, World, action, property, step};
use std::collections::{HashMap, VecDeque};

/// States looked at before the search is given up.
const STATES_MAX: usize = 50_000;

/// The fewest honest steps from `s` to a state where nobody is locked out, every honest option allowed; `None` if none
/// was found among the first 50 000 states.
pub fn recovery(w: &World, s: State) -> Option<Vec<Action>> {
    let w = World { options: [true; 5], ..*w };
    let honest: Vec<Action> = action::possible(&w).into_iter().filter(is_honest).collect();
    let mut came_from: HashMap<State, (State, Action)> = HashMap::new();
    let mut queue = VecDeque::from([s]);
    while let Some(at) = queue.pop_front() {
        if property::condition(&w, at, Property::NoLockOut) {
            return Some(way(&came_from, s, at));
        }
        if came_from.len() > STATES_MAX {
            return None;
        }
        for &a in &honest {
            let Ok(next) = step(&w, at, a) else { continue };
            if next != s && !came_from.contains_key(&next) {
                came_from.insert(next, (at, a));
                queue.push_back(next);
            }
        }
    }
    None
}

fn way(came_from: &HashMap<State, (State, Action)>, start: State, mut at: State) -> Vec<Action> {
    let mut actions = Vec::new();
    while at != start {
        let (before, action) = came_from[&at];
        actions.push(action);
        at = before;
    }
    actions.reverse();
    actions
}

/// Whether honest people do this on their own, and hear the truth.
fn is_honest(a: &Action) -> bool {
    let by_people = !a.is_adversarial();
    let intact = match a {
        Action::SignIn(_, p) | Action::PublishIdentity(_, p) | Action::ResetIdentity(_, p) => *p == Publication::Intact,
        Action::LookUp(_, _, answer) => *answer == Answer::Truth,
        // Sending changes who can read, not who is locked out.
        Action::Send(..) | Action::ForwardKeys(..) | Action::ReshareKeys(..) => false,
        _ => true,
    };
    by_people && intact
}
