//! What honest people and their clients do, and how often: each occasion is one honest action, whatever is answered.

use super::habits::{Habit, Habits};
use crate::model::action::possible;
use crate::model::bits::Index;
use crate::model::people::{Publication, may_send};
use crate::model::{Action, Answer, Blocked, Device, PEOPLE_MAX, Person, Set, State, World, step};
use crate::policy::OwnRequests;
use std::collections::BTreeMap;

/// The people of a world, as the simulation sees them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct People {
    /// How each of them behaves.
    pub habits: [Habits; PEOPLE_MAX],
    /// Those who hold ceremonies with contacts at all.
    pub verifying: Set<Person>,
}

/// An honest action and what the adversary can make of it, where it sits on the way.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// The action, honestly answered.
    pub honest: Action,
    /// All that it can turn into, itself included.
    pub turns: Vec<Action>,
    /// The number of its purpose: what several of a person's devices can do is done no more often for that.
    purpose: usize,
}

/// Everything that can happen in `w`: the honest occasions, and what the adversary does on its own.
pub fn occasions(w: &World) -> (Vec<Occasion>, Vec<Action>) {
    let mut turns: BTreeMap<Action, Vec<Action>> = BTreeMap::new();
    let mut own = Vec::new();
    for action in possible(w) {
        match honest_form(action) {
            honest if honest.is_adversarial() => own.push(action),
            honest => turns.entry(honest).or_default().push(action),
        }
    }
    let mut purposes: BTreeMap<Action, usize> = BTreeMap::new();
    let occasion = |(honest, turns)| {
        let next = purposes.len();
        Occasion { honest, turns, purpose: *purposes.entry(purpose(w, honest)).or_insert(next) }
    };
    (turns.into_iter().map(occasion).collect(), own)
}

/// The action as it is where nobody lies: what the adversary does on its own stays what it is.
pub fn honest_form(action: Action) -> Action {
    match action {
        Action::SignIn(d, _) => Action::SignIn(d, Publication::Intact),
        Action::PublishIdentity(d, _) => Action::PublishIdentity(d, Publication::Intact),
        Action::ApproveDevice(by, d, _) => Action::ApproveDevice(by, d, Publication::Intact),
        Action::ResetIdentity(d, _) => Action::ResetIdentity(d, Publication::Intact),
        Action::LookUp(v, p, _) => Action::LookUp(v, p, Answer::Truth),
        Action::ForwardKeys(by, to, _) => Action::ForwardKeys(by, to, Answer::Truth),
        Action::ReshareKeys(v, to, _) => Action::ReshareKeys(v, to, Answer::Truth),
        Action::Invite(v, p, _) => Action::Invite(v, p, Answer::Truth),
        Action::Send(v, _) => Action::Send(v, [Answer::Truth; PEOPLE_MAX]),
        // What is swapped is a ceremony that two people hold.
        Action::SwapInCeremony(v, p) => Action::Verify(v, p),
        _ => action,
    }
}

/// The same action, done with the first of the person's devices.
fn purpose(w: &World, action: Action) -> Action {
    let first = |d: Device| w.honest.and(w.of(w.owner(d))).iter().next().unwrap_or(d);
    match action {
        Action::LookUp(v, p, x) => Action::LookUp(first(v), p, x),
        Action::Send(v, x) => Action::Send(w.senders.and(w.of(w.owner(v))).iter().next().unwrap_or(v), x),
        Action::ApproveDevice(by, d, x) => Action::ApproveDevice(first(by), d, x),
        Action::Verify(v, p) => Action::Verify(first(v), p),
        Action::OverlookIdentity(v, p) => Action::OverlookIdentity(first(v), p),
        Action::RemoveDevice(by, d) => Action::RemoveDevice(first(by), d),
        Action::ResetIdentity(d, x) => Action::ResetIdentity(first(d), x),
        Action::ChangePassword(d) => Action::ChangePassword(first(d)),
        Action::Invite(v, p, x) => Action::Invite(first(v), p, x),
        _ => action,
    }
}

/// The looks of a client at whomever it can look up: what a message that it refuses comes with, as it shows what it was
/// told of everybody.
pub fn looks(occasions: &[Occasion], v: Device) -> impl Iterator<Item = &Occasion> {
    occasions.iter().filter(move |o| matches!(o.honest, Action::LookUp(u, ..) if u == v))
}

/// How often a day each occasion comes about in `s`, in the order of `occasions`; 0 where it can't.
pub fn rates(w: &World, s: &State, people: &People, occasions: &[Occasion], rates: &mut Vec<f64>) {
    rates.clear();
    let comes_about = |o: &Occasion| o.turns.iter().any(|&turn| is_tried(w, s, turn));
    rates.extend(occasions.iter().map(|o| {
        let rate = rate(w, s, people, o.honest);
        if rate > 0.0 && comes_about(o) { rate } else { 0.0 }
    }));
    // There are at most as many purposes as occasions.
    let mut alike = vec![0.0; occasions.len()];
    for (o, _) in occasions.iter().zip(&*rates).filter(|(_, rate)| **rate > 0.0) {
        alike[o.purpose] += 1.0;
    }
    for (o, rate) in occasions.iter().zip(rates).filter(|(_, rate)| **rate > 0.0) {
        *rate /= alike[o.purpose];
    }
}

/// Whether an action is tried in `s`: a message that the client refuses to send is.
fn is_tried(w: &World, s: &State, action: Action) -> bool {
    match (action, step(w, *s, action)) {
        (_, Ok(_)) => true,
        (Action::Send(v, _), Err(Blocked::SendRefused(_))) => may_send(w, s, v).is_ok(),
        _ => false,
    }
}

/// How often a day the people of `w` do this if they can.
fn rate(w: &World, s: &State, people: &People, honest: Action) -> f64 {
    let habit = |p: Person, habit| people.habits[p.index()].get(habit);
    let of = |d: Device, what| habit(w.owner(d), what);
    let ceremony = |v: Device, comes_out: f64| match people.verifying.has(w.owner(v)) {
        true => of(v, Habit::Ceremonies) * comes_out,
        false => 0.0,
    };
    match honest {
        Action::SignIn(d, _) if s.signed_in.meets(w.of(w.owner(d))) => of(d, Habit::NewDevices),
        Action::SignIn(d, _) => of(d, Habit::SignsIn),
        Action::ApproveDevice(_, d, _) if !s.signed_in.has(d) => of(d, Habit::NewDevices),
        Action::ApproveDevice(by, ..) => of(by, Habit::Answers),
        Action::PublishIdentity(d, _) => of(d, Habit::ClientSteps),
        Action::LookUp(v, p, _) if w.owner(v) == p => of(v, Habit::OwnLooks),
        Action::LookUp(v, ..) => of(v, Habit::ContactLooks),
        Action::Verify(v, p) if w.owner(v) == p => of(v, Habit::Answers),
        Action::VerifyDevice(v, d) if w.owner(v) == w.owner(d) => of(v, Habit::Answers),
        Action::Verify(v, _) | Action::VerifyDevice(v, _) => ceremony(v, 1.0 - of(v, Habit::Miscompares)),
        Action::OverlookIdentity(v, _) | Action::OverlookDevice(v, _) => ceremony(v, of(v, Habit::Overlooks)),
        Action::AcceptDevice(v, _) | Action::Acknowledge(v, _) => of(v, Habit::Answers) * of(v, Habit::ClicksThrough),
        Action::BlockDevice(v, _) => of(v, Habit::Answers) * (1.0 - of(v, Habit::ClicksThrough)),
        Action::Withdraw(v, _) => of(v, Habit::Answers),
        Action::Send(v, _) => of(v, Habit::Messages),
        Action::ForwardKeys(by, to, _) if asks_before_forwarding(w, s, by, to) => {
            of(by, Habit::Answers) * of(by, Habit::ClicksThrough)
        }
        Action::ForwardKeys(v, ..) | Action::ReshareKeys(v, ..) => of(v, Habit::ClientSteps),
        Action::RemoveDevice(by, _) => of(by, Habit::OwnLooks) * of(by, Habit::TakesOff),
        Action::ResetIdentity(d, _) => of(d, Habit::Resets),
        Action::LogOut(d) => of(d, Habit::LogOuts),
        Action::ChangePassword(d) => of(d, Habit::PasswordChanges),
        Action::Invite(v, ..) => of(v, Habit::Invitations),
        Action::CompareLogs(v) => of(v, Habit::LogComparisons),
        _ => 0.0,
    }
}

/// Whether the person of `by` is asked before `to` is given old keys.
pub fn asks_before_forwarding(w: &World, s: &State, by: Device, to: Device) -> bool {
    w.policy(w.owner(by)).own_requests == OwnRequests::Ask && !s.trusted.has(by, to)
}
