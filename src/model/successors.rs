//! Everything that follows a state, found with less work than by trying one action after another.
//!
//! Most of what can happen is a client being told something, and most answers differ from others only in what does not
//! matter in a given state. So each client is told each different thing about a person once, and a message to several
//! people is prepared person by person: what was told of the first is remembered before the second is asked about.

use super::action::{Action, log_entries};
use super::bits::{Device, PEOPLE_MAX, Person};
use super::directory::{Answer, View, absorb, view};
use super::needs::{Facts, Needs};
use super::people::{Told, deliver, may_send, recognised_members};
use super::reduce::Reduced;
use super::state::State;

/// What is tried in every state of a world, in the order of the actions.
pub struct Successors {
    tried: Vec<Tried>,
}

enum Tried {
    One(Needs, Action),
    /// All messages of a client; for each person the answers that it can be given.
    Sends(Device, [Vec<Answer>; PEOPLE_MAX]),
}

/// What is told of a person by one answer or more.
#[derive(Clone, Copy)]
struct Different {
    view: Option<View>,
    /// By how many answers.
    ways: usize,
    /// Whether the adversary gives one of them.
    lie: bool,
}

/// Memory that is used again for state after state.
#[derive(Default)]
pub struct Scratch {
    different: [Vec<Different>; PEOPLE_MAX],
}

/// Something that follows a state.
pub struct Successor<'a> {
    /// What follows.
    pub state: &'a State,
    /// In how many ways.
    pub ways: usize,
    /// Whether the adversary has a hand in one of them.
    pub adversarial: bool,
}

impl Successors {
    /// What `reduced` tries.
    pub fn of(reduced: &Reduced) -> Self {
        let mut tried = Vec::new();
        for &action in &reduced.actions {
            let Some(needs) = Needs::of(&reduced.world, action) else { continue };
            match (action, tried.last_mut()) {
                (Action::Send(v, answers), Some(Tried::Sends(same, all))) if v == *same => add(all, &answers),
                (Action::Send(v, answers), _) => tried.push(Tried::Sends(v, answers.map(|a| vec![a]))),
                _ => tried.push(Tried::One(needs, action)),
            }
        }
        Self { tried }
    }

    /// Hands on everything that follows `s`, in the order of the least action that leads there.
    #[inline]
    pub fn each(&self, reduced: &Reduced, s: &State, scratch: &mut Scratch, mut reach: impl FnMut(Successor)) {
        let facts = Facts::of(s);
        for tried in &self.tried {
            match tried {
                Tried::One(needs, action) if needs.met(facts) => {
                    if let Some(state) = reduced.step(s, *action) {
                        let adversarial = *action != Action::Arrive && action.is_adversarial();
                        reach(Successor { state: &state, ways: 1, adversarial });
                    }
                }
                Tried::One(..) => {}
                Tried::Sends(v, answers) => sends(reduced, s, *v, answers, scratch, &mut reach),
            }
        }
    }
}

/// Adds what `answers` has that the lists do not have yet: they come in order, so it is greater than their last.
fn add(lists: &mut [Vec<Answer>; PEOPLE_MAX], answers: &[Answer; PEOPLE_MAX]) {
    for (list, answer) in lists.iter_mut().zip(answers) {
        if list.last().is_some_and(|last| last < answer) {
            list.push(*answer);
        }
    }
}

/// Every message that `v` can send.
#[inline]
fn sends(
    reduced: &Reduced,
    s: &State,
    v: Device,
    answers: &[Vec<Answer>; PEOPLE_MAX],
    scratch: &mut Scratch,
    reach: &mut impl FnMut(Successor),
) {
    let w = &reduced.world;
    if may_send(w, s, v).is_err() {
        return;
    }
    let members = recognised_members(w, s, v);
    for (p, list) in answers.iter().enumerate() {
        let (different, p) = (&mut scratch.different[p], Person(p as u8));
        different.clear();
        for &answer in list.iter().filter(|&&answer| !reduced.hides_identity(s, v, p, answer)) {
            // Nothing that is told of somebody who is not in the room is listened to.
            let view = match members.has(p) {
                true => match view(w, s, v, p, answer) {
                    Ok(view) => Some(view),
                    Err(_) => continue,
                },
                false => None,
            };
            let lie = answer != Answer::Truth;
            match different.iter_mut().find(|d| d.view == view) {
                Some(same) => *same = Different { view, ways: same.ways + 1, lie: same.lie || lie },
                None => different.push(Different { view, ways: 1, lie }),
            }
        }
    }
    let sofar = Different { view: None, ways: 1, lie: false };
    prepare(reduced, s, v, &scratch.different, sofar, [None; PEOPLE_MAX], reach);
}

/// Prepares a message with every different answer about the first of the people who are `left`, and sends it once
/// nobody is.
fn prepare(
    reduced: &Reduced,
    s: &State,
    v: Device,
    left: &[Vec<Different>],
    sofar: Different,
    told: Told,
    reach: &mut impl FnMut(Successor),
) {
    let w = &reduced.world;
    let Some((different, others)) = left.split_first() else {
        if let Ok(mut state) = deliver(w, *s, v, &told) {
            log_entries(w, &mut state);
            reduced.forget(&mut state);
            reach(Successor { state: &state, ways: sofar.ways, adversarial: sofar.lie });
        }
        return;
    };
    let p = PEOPLE_MAX - left.len();
    for Different { view, ways, lie } in different {
        let sofar = Different { view: None, ways: sofar.ways * ways, lie: sofar.lie || *lie };
        let Some(view) = *view else {
            prepare(reduced, s, v, others, sofar, told, reach);
            continue;
        };
        let (mut absorbed, mut told) = (*s, told);
        absorb(w, &mut absorbed, v, Person(p as u8), view);
        told[p] = Some(view);
        prepare(reduced, &absorbed, v, others, sofar, told, reach);
    }
}
