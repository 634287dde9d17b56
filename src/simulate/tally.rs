//! What is counted on the way: what people are asked, what they answer, and who reads.

use super::occasion::asks_before_forwarding;
use crate::explore::cost;
use crate::model::directory::on_change;
use crate::model::{Action, Device, Identity, Person, Set, State, World, step};
use crate::policy::{FirstContact, OnChange};
use std::ops::{AddAssign, Index, IndexMut, Mul};

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counted {
    /// Messages that somebody set out to send.
    Messages,
    /// Those of them whose key a rogue device was given as they were sent.
    Exposed,
    /// Messages from before the first rogue device existed whose keys one came to hold.
    PastExposed,
    /// Messages that the client refused to send.
    Refused,
    /// Messages that were sent and that an honest device in the room could not read.
    Missed,
    /// Comparisons that people made.
    Ceremonies,
    /// Questions that stopped somebody.
    Questions,
    /// Questions about what is honest: nothing was to be feared.
    FalseAlarms,
    /// Questions that were answered with yes without a comparison.
    ClickedThrough,
    /// Times that somebody was warned of what is the adversary's.
    Warnings,
    /// Times that somebody refused a device of the adversary's, or took it off the account.
    Heeded,
    /// Times that somebody said yes to what is the adversary's without a comparison.
    Ignored,
}

impl Counted {
    /// All of it.
    pub const ALL: [Self; 12] = [
        Self::Messages,
        Self::Exposed,
        Self::PastExposed,
        Self::Refused,
        Self::Missed,
        Self::Ceremonies,
        Self::Questions,
        Self::FalseAlarms,
        Self::ClickedThrough,
        Self::Warnings,
        Self::Heeded,
        Self::Ignored,
    ];
}

/// A number for everything that is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally([f64; Counted::ALL.len()]);

impl Index<Counted> for Tally {
    type Output = f64;
    fn index(&self, counted: Counted) -> &f64 {
        &self.0[counted as usize]
    }
}
impl IndexMut<Counted> for Tally {
    fn index_mut(&mut self, counted: Counted) -> &mut f64 {
        &mut self.0[counted as usize]
    }
}
impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a += b);
    }
}
impl Mul<f64> for Tally {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(self.0.map(|n| n * factor))
    }
}

/// What one message of a client comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The client does not send it.
    Refused,
    /// These devices can read it.
    To(Set<Device>),
}

/// What the message `send` of a client comes to in `s`.
pub fn sent(w: &World, s: &State, send: Action) -> Sent {
    // Whoever holds a key that nobody held before was given it by this message.
    let keyless = State { past: Set::EMPTY, current: Set::EMPTY, after: Set::EMPTY, ..*s };
    step(w, keyless, send).map_or(Sent::Refused, |after| Sent::To(after.past.union(after.current)))
}

/// What a message adds to the tally, sent in `s`.
pub fn message(w: &World, s: &State, sent: Sent) -> Tally {
    let mut tally = Tally::default();
    tally[Counted::Messages] = 1.0;
    match sent {
        Sent::Refused => tally[Counted::Refused] = 1.0,
        Sent::To(readers) => {
            let members = s.members.minus(w.uninvited).iter();
            let in_room = members.fold(Set::EMPTY, |all: Set<Device>, p| all.union(w.of(p)));
            let honest = s.signed_in.union(s.evicted).and(in_room).minus(s.stolen);
            tally[Counted::Exposed] = f64::from(u8::from(readers.meets(s.rogue(w))));
            tally[Counted::Missed] = f64::from(u8::from(!honest.within(readers)));
        }
    }
    tally
}

/// What `action` adds to the tally besides messages, as it leads from one state to another.
pub fn event(w: &World, before: &State, after: &State, action: Action) -> Tally {
    let mut tally = Tally::default();
    let asked = newly_asked(w, before, after);
    let click = clicks(w, before, action);
    let forwarding = matches!(action, Action::ForwardKeys(by, to, _) if asks_before_forwarding(w, before, by, to));
    let warned = |s: &State| w.all_people().map(|p| s.warned.row(p).len()).sum::<usize>();
    let heeds = matches!(action, Action::BlockDevice(..) | Action::RemoveDevice(..));
    tally[Counted::Ceremonies] = f64::from(cost::of(action).ceremonies);
    tally[Counted::Questions] = (asked.len() + usize::from(forwarding)) as f64;
    tally[Counted::FalseAlarms] = asked.iter().filter(|q| q.is_false_alarm(w, after)).count() as f64;
    tally[Counted::ClickedThrough] = f64::from(u8::from(click));
    tally[Counted::Warnings] = warned(after).saturating_sub(warned(before)) as f64;
    tally[Counted::Heeded] = f64::from(u8::from(heeds));
    tally[Counted::Ignored] = f64::from(u8::from(click && is_about_adversary(w, before, action)));
    tally
}

/// Whether `action` says yes to a question without a comparison.
fn clicks(w: &World, before: &State, action: Action) -> bool {
    match action {
        Action::AcceptDevice(..) | Action::Acknowledge(..) => true,
        Action::ForwardKeys(by, to, _) => asks_before_forwarding(w, before, by, to),
        _ => false,
    }
}

/// Whether what is answered is a question about what is the adversary's.
fn is_about_adversary(w: &World, before: &State, action: Action) -> bool {
    match action {
        Action::AcceptDevice(_, d) | Action::ForwardKeys(_, d, _) => before.held(w).has(d),
        Action::Acknowledge(v, p) => before.offered.get(v, p) == Identity::Forged,
        _ => false,
    }
}

/// A question that a client has for its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// About a device.
    Device(Device, Device),
    /// About the identity of a person.
    Identity(Device, Person),
}

impl Question {
    fn is_false_alarm(self, w: &World, s: &State) -> bool {
        match self {
            Self::Device(_, d) => !s.held(w).has(d),
            Self::Identity(v, p) => s.offered.get(v, p) != Identity::Forged,
        }
    }
}

fn newly_asked(w: &World, before: &State, after: &State) -> Vec<Question> {
    questions(w, after).filter(|q| !questions(w, before).any(|old| old == *q)).collect()
}

/// Every question that is open in `s`.
fn questions<'a>(w: &'a World, s: &'a State) -> impl Iterator<Item = Question> + 'a {
    s.signed_in.and(w.honest).iter().flat_map(move |v| {
        let policy = w.policy(w.owner(v));
        let answered = s.accepted.row(v).union(s.blocked.row(v)).union(s.trusted.row(v));
        let devices = if policy.asks_about_devices() { s.seen.row(v).minus(answered) } else { Set::EMPTY };
        let asks = move |p: &Person| match (s.offered.get(v, *p), s.pinned.get(v, *p)) {
            (Identity::None, _) => false,
            (_, Identity::None) => policy.first_contact == FirstContact::Ask,
            _ => on_change(w, s, v, *p) == OnChange::Ask,
        };
        let people = w.all_people().filter(asks).map(move |p| Question::Identity(v, p));
        devices.iter().map(move |d| Question::Device(v, d)).chain(people)
    })
}
