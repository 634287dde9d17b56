//! Everything that follows a state, found with less work than by trying one action after another.
//!
//! Most of what can happen is a client being told something, and most answers differ from others only in what does not
//! matter in a given state. So each client is told each different thing about a person once, and a message to several
//! people is prepared person by person: of what comes to the same, one is left before the next person is asked about.

use super::action::{Action, log_entries};
use super::bits::{Device, PEOPLE_MAX, Person};
use super::directory::{Answer, View, may_look_up, see, view};
use super::needs::{Facts, Needs};
use super::people::{Message, deliver, may_send, recognised_members};
use super::reduce::Reduced;
use super::state::State;
use super::world::World;

/// What is tried in every state of a world, in the order of the actions.
pub struct Successors {
    tried: Vec<Tried>,
}

enum Tried {
    One(Needs, Action),
    /// All that a client can be told of a person whom it looks up.
    LookUps(Device, Person, Vec<Answer>),
    /// All messages of a client; for each person the answers that it can be given.
    Sends(Device, [Vec<Answer>; PEOPLE_MAX]),
}

/// What is told of a person by one answer or more.
#[derive(Clone, Copy)]
struct Different {
    view: View,
    /// By how many answers.
    ways: usize,
    /// Whether the adversary gives one of them.
    lie: bool,
}

/// A message whose sender has heard of some people, by one list of answers or more.
#[derive(Clone, Copy)]
struct Prepared {
    /// What followed from it so far.
    state: State,
    message: Message,
    /// The digest of the state.
    digest: u64,
    /// By how many lists of answers.
    ways: usize,
    /// Whether the adversary gives one of them.
    lie: bool,
}

/// Memory that is used again for state after state.
#[derive(Default)]
pub struct Scratch {
    different: Vec<Different>,
    prepared: Vec<Prepared>,
    heard: Vec<Prepared>,
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
                (Action::LookUp(v, p, answer), Some(Tried::LookUps(u, q, all))) if (v, p) == (*u, *q) => {
                    all.push(answer)
                }
                (Action::LookUp(v, p, answer), _) => tried.push(Tried::LookUps(v, p, vec![answer])),
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
                Tried::LookUps(v, p, answers) => look_ups(reduced, s, *v, *p, answers, scratch, &mut reach),
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

/// Everything that comes of `v` looking `p` up.
#[inline]
fn look_ups(
    reduced: &Reduced,
    s: &State,
    v: Device,
    p: Person,
    answers: &[Answer],
    scratch: &mut Scratch,
    reach: &mut impl FnMut(Successor),
) {
    let w = &reduced.world;
    if may_look_up(w, s, v, p).is_err() {
        return;
    }
    tell_apart(reduced, s, v, p, answers, &mut scratch.different);
    for &Different { view, ways, lie } in &scratch.different {
        let mut state = *s;
        see(w, &mut state, v, p, view);
        log_entries(w, &mut state);
        reduced.forget(&mut state);
        reach(Successor { state: &state, ways, adversarial: lie });
    }
}

/// Every message that `v` can send.
// Answers about one person after another, so that what comes to the same is told once of the next. The least answers
// come first, and with them whatever follows from the least of the messages that come to the same.
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
    let Scratch { different, prepared, heard } = scratch;
    prepared.clear();
    prepared.push(Prepared { state: *s, message: Message::default(), digest: 0, ways: 1, lie: false });
    for (p, answers) in w.all_people().zip(answers) {
        if !members.has(p) {
            // Nothing that is told of somebody who is not in the room is listened to.
            let told = answers.iter().filter(|&&answer| !reduced.hides_identity(s, v, p, answer));
            let (ways, lie) = (told.clone().count(), told.clone().any(|a| *a != Answer::Truth));
            prepared.iter_mut().for_each(|all| (all.ways, all.lie) = (all.ways * ways, all.lie || lie));
            continue;
        }
        tell_apart(reduced, s, v, p, answers, different);
        heard.clear();
        for before in &*prepared {
            different.iter().for_each(|told| hear(w, v, p, before, told, heard));
        }
        std::mem::swap(prepared, heard);
    }
    for Prepared { state, message, ways, lie, .. } in &*prepared {
        if let Ok(mut state) = deliver(w, *state, v, message) {
            log_entries(w, &mut state);
            reduced.forget(&mut state);
            reach(Successor { state: &state, ways: *ways, adversarial: *lie });
        }
    }
}

/// Notes what `v` can be told of `p` by some of the answers, in the order of the first of them.
fn tell_apart(reduced: &Reduced, s: &State, v: Device, p: Person, answers: &[Answer], different: &mut Vec<Different>) {
    different.clear();
    for &answer in answers.iter().filter(|&&answer| !reduced.hides_identity(s, v, p, answer)) {
        let Ok(view) = view(&reduced.world, s, v, p, answer) else { continue };
        let lie = answer != Answer::Truth;
        match different.iter_mut().find(|d| d.view == view) {
            Some(same) => *same = Different { view, ways: same.ways + 1, lie: same.lie || lie },
            None => different.push(Different { view, ways: 1, lie }),
        }
    }
}

/// Adds to `heard` what comes of a message once its sender `v` is told something of `p` as well.
#[inline]
fn hear(w: &World, v: Device, p: Person, before: &Prepared, told: &Different, heard: &mut Vec<Prepared>) {
    let mut after = *before;
    after.message.hear(w, &mut after.state, v, p, told.view);
    if after.message.is_refused() {
        return;
    }
    (after.ways, after.lie, after.digest) = (before.ways * told.ways, before.lie || told.lie, after.state.digest());
    let same = |h: &&mut Prepared| h.digest == after.digest && h.message == after.message && h.state == after.state;
    match heard.iter_mut().find(same) {
        Some(same) => (same.ways, same.lie) = (same.ways + after.ways, same.lie || after.lie),
        None => heard.push(after),
    }
}
