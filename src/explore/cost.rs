//! What a policy asks of people: fewest ceremonies, then fewest prompts, until every honest device reads.
//!
//! Nobody attacks here. A ceremony is a comparison between two people, or between two devices of one; a prompt is a
//! question that stops a person. Everything else is free and is done as soon as it can be.

use crate::model::action::possible;
use crate::model::bits::Index;
use crate::model::directory::{is_verified, on_change};
use crate::model::people::{Publication, reaches_everybody};
use crate::model::state::OfDevices;
use crate::model::world::Powers;
use crate::model::{
    Action, Answer, Arrival, DEVICES_MAX, Device, Identity, PEOPLE_MAX, Person, Server, Set, State, World, step,
};
use crate::policy::{IdentityKind, OnChange, OnNewDevice, OnUnsignedDevice, Policy, VerificationTravels};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Ceremonies and prompts. Fewer ceremonies are better than fewer prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cost {
    /// How many comparisons people make.
    pub ceremonies: u32,
    /// How many questions people answer.
    pub prompts: u32,
}

impl std::ops::Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { ceremonies: self.ceremonies + other.ceremonies, prompts: self.prompts + other.prompts }
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |a, b| a + b)
    }
}

/// What one action asks of people.
pub fn of(action: Action) -> Cost {
    match action {
        Action::Verify(..) | Action::VerifyDevice(..) | Action::ApproveDevice(..) => Cost { ceremonies: 1, prompts: 0 },
        Action::OverlookIdentity(..) | Action::OverlookDevice(..) => Cost { ceremonies: 1, prompts: 0 },
        Action::AcceptDevice(..) | Action::BlockDevice(..) | Action::Acknowledge(..) | Action::Withdraw(..) => {
            Cost { ceremonies: 0, prompts: 1 }
        }
        _ => Cost::default(),
    }
}

/// A world without adversary: one room, person `i` with `devices[i]` devices, the first person's devices send.
///
/// Panics if there are more people or devices than the model's limits.
pub fn cast(policy: &Policy, devices: &[usize], hurried: bool, options: [bool; 5]) -> World {
    let total: usize = devices.iter().sum();
    assert!(devices.len() <= PEOPLE_MAX && total <= crate::model::VIEWERS_MAX, "a cast within the limits");
    let mut owner = [Person(0); DEVICES_MAX];
    let mut devices_of = [Set::EMPTY; PEOPLE_MAX];
    let mut next = 0;
    for (p, &n) in devices.iter().enumerate() {
        devices_of[p] = (next..next + n).map(Device::at).collect();
        owner[next..next + n].fill(Person::at(p));
        next += n;
    }
    World {
        people: devices.len(),
        devices: total,
        owner,
        honest: Set::first(total),
        rogue: Set::EMPTY,
        uninvited_devices: Set::EMPTY,
        devices_of,
        reuses: [None; DEVICES_MAX],
        reused: Set::EMPTY,
        dehydrated: Set::EMPTY,
        uninvited: Set::EMPTY,
        senders: devices_of[0],
        members: Set::first(devices.len()),
        server: [Server(0); PEOPLE_MAX],
        policy: [*policy; PEOPLE_MAX],
        hurried: if hurried { Set::first(devices.len()) } else { Set::EMPTY },
        inattentive: Set::EMPTY,
        powers: Powers::default(),
        options,
        arrives: Arrival::FromStart,
    }
}

/// The cheapest way to where everybody reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cheapest {
    /// What all of it asks of people.
    pub cost: Cost,
    /// What is done, in order, what is free included.
    pub actions: Vec<Action>,
    /// The state in which everybody reads.
    pub end: State,
}

/// Whether a message of every signed-in sender would reach every one of `devices`, all signed in.
pub fn everybody_reads(w: &World, s: &State, devices: Set<Device>) -> bool {
    devices.within(s.signed_in) && w.senders.and(devices).iter().all(|v| reaches_everybody(w, *s, v))
}

/// Whether the cost search may take the action: what honest clients do to get where everybody reads.
fn is_setting_up(action: Action) -> bool {
    match action {
        Action::SignIn(_, p) | Action::PublishIdentity(_, p) | Action::ApproveDevice(_, _, p) => {
            p == Publication::Intact
        }
        Action::LookUp(_, _, answer) => answer == Answer::Truth,
        Action::Verify(..) | Action::VerifyDevice(..) => true,
        Action::AcceptDevice(..) | Action::Acknowledge(..) | Action::Withdraw(..) => true,
        _ => false,
    }
}

/// Whether `action` asks nothing of anybody and makes nothing dearer that can be done after it.
// An identity makes one's devices unsigned ones. Where that raises questions, it is not to be had for nothing.
fn only_adds(w: &World, action: Action) -> bool {
    let asks = |p: Person| w.policy(p).unsigned_device == OnUnsignedDevice::AskRoom;
    let raises_questions = matches!(action, Action::PublishIdentity(..)) && w.all_people().any(asks);
    of(action) == Cost::default() && !raises_questions
}

/// Whether `action` would sign in a device that is none of `devices`.
fn brings(action: Action, devices: Set<Device>) -> bool {
    match action {
        Action::SignIn(d, _) | Action::ApproveDevice(_, d, _) => devices.has(d),
        _ => true,
    }
}

/// The cheapest way from `start` to where every one of `devices` reads; `None` if there is none.
pub fn cheapest(w: &World, start: State, devices: Set<Device>) -> Option<Cheapest> {
    cheapest_within(w, start, devices, usize::MAX).expect("memory ends before that many states")
}

/// A search that met more states than it was to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TooMany;

/// The same, unless it takes more than `states_max` states to tell.
pub fn cheapest_within(
    w: &World,
    start: State,
    devices: Set<Device>,
    states_max: usize,
) -> Result<Option<Cheapest>, TooMany> {
    let takes = |a: &Action| is_setting_up(*a) && brings(*a, devices);
    let (free, costly): (Vec<_>, Vec<_>) = possible(w).into_iter().filter(takes).partition(|&a| only_adds(w, a));
    let missing = |s: &State| pairs_missing(w, s, devices);
    let (start, first) = settle(w, start, &free);
    let mut nodes = vec![Node { state: start, cost: Cost::default(), from: 0, actions: first }];
    let mut numbers = HashMap::from([(essence(w, start), 0usize)]);
    let mut queue = BinaryHeap::from([Reverse((missing(&start), Reverse(Cost::default()), 0usize))]);
    while let Some(Reverse((_, Reverse(cost), number))) = queue.pop() {
        let s = nodes[number].state;
        if cost != nodes[number].cost {
            continue;
        }
        if everybody_reads(w, &s, devices) {
            return Ok(Some(Cheapest { cost, actions: way(&nodes, number), end: s }));
        }
        if nodes.len() > states_max {
            return Err(TooMany);
        }
        for &action in &costly {
            let Ok(next) = step(w, s, action) else { continue };
            let (next, follow) = settle(w, next, &free);
            let cost = cost + of(action);
            let known = *numbers.entry(essence(w, next)).or_insert(nodes.len());
            if nodes.get(known).is_some_and(|n| n.cost <= cost) {
                continue;
            }
            let actions = [action].into_iter().chain(follow).collect();
            let node = Node { state: next, cost, from: number, actions };
            if known == nodes.len() {
                nodes.push(node)
            } else {
                nodes[known] = node
            }
            queue.push(Reverse((cost + missing(&next), Reverse(cost), known)));
        }
    }
    Ok(None)
}

/// The state without those comparisons of single devices that a verified identity speaks for as well.
// Nothing that is done here takes a signature or a verification away, so they never matter again.
fn essence(w: &World, s: State) -> State {
    let spoken_for = |v: Device| {
        let verified = w.all_people().filter(|&p| is_verified(w, &s, v, p));
        verified.fold(Set::EMPTY, |all, p| all.union(w.of(p).and(s.signed)))
    };
    let needed = |all: OfDevices, v: Device| all.with_row(v, all.row(v).minus(spoken_for(v)));
    State { trusted: w.honest.iter().fold(s.trusted, needed), ..s }
}

struct Node {
    state: State,
    cost: Cost,
    from: usize,
    actions: Vec<Action>,
}

fn way(nodes: &[Node], mut number: usize) -> Vec<Action> {
    let mut parts = vec![nodes[number].actions.clone()];
    while number != 0 {
        number = nodes[number].from;
        parts.push(nodes[number].actions.clone());
    }
    parts.into_iter().rev().flatten().collect()
}

/// Does whatever is free until nothing free changes anything.
// Without an adversary free actions only add: a sign-in, an identity, a fresh look. None takes a later one away or
// makes it dearer, so doing them all first loses no cheapest way (tests/cost.rs tries all orders on small casts).
fn settle(w: &World, mut s: State, free: &[Action]) -> (State, Vec<Action>) {
    let mut done = Vec::new();
    loop {
        let changes = |&a: &Action| step(w, s, a).ok().filter(|&next| next != s).map(|next| (a, next));
        let Some((action, next)) = free.iter().find_map(changes) else { return (s, done) };
        done.push(action);
        s = next;
    }
}

/// A lower bound on what is still to be asked of people.
///
/// Where there is no identity and each viewer looks at devices one by one for itself, whatever a person is asked
/// concerns one viewer and one device, so each pair that has not been answered needs a question of its own. Elsewhere
/// one ceremony can serve many, and the bound is nothing.
fn pairs_missing(w: &World, s: &State, devices: Set<Device>) -> Cost {
    let bound = |v: Device, d: Device| {
        let p = w.owner(v);
        let policy = w.policy(p);
        let asks = policy.identity == IdentityKind::None && policy.recipients >= crate::policy::Recipients::Accepted;
        let careful = !w.hurried.has(p) || policy.recipients == crate::policy::Recipients::Verified;
        let alone = policy.verification_travels == VerificationTravels::PerDevice && !policy.trusts_blindly_at_first();
        match asks && alone && !s.trusted.has(v, d) && !s.accepted.has(v, d) {
            false => Cost::default(),
            true if careful => Cost { ceremonies: 1, prompts: 0 },
            true => Cost { ceremonies: 0, prompts: 1 },
        }
    };
    let senders = w.senders.and(devices);
    senders.iter().flat_map(|v| devices.without(v).iter().map(move |d| bound(v, d))).sum()
}

/// Something that one honest person does once everything is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A device more signs in.
    NewDevice,
    /// A device signs out and in again.
    ReLogin,
    /// The person makes a new identity.
    Reset,
}

impl Event {
    /// Every event, in the order of tables.
    pub const ALL: [Self; 3] = [Self::NewDevice, Self::ReLogin, Self::Reset];
}

/// The person between two of whose own devices a ceremony is; none if it is between people, or if there is none.
pub fn between_own(w: &World, action: Action) -> Option<Person> {
    match action {
        Action::ApproveDevice(by, ..) => Some(w.owner(by)),
        Action::VerifyDevice(a, b) if w.owner(a) == w.owner(b) => Some(w.owner(a)),
        _ => None,
    }
}

/// What one honest event costs the person it happens to, and everybody else together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventCost {
    /// What approvals and comparisons between the person's own devices ask.
    pub owner: Cost,
    /// What everything else asks, comparisons between the two people included.
    pub peers: Cost,
    /// How often a client of somebody else says that an identity changed, or of a device that it is new or unsigned.
    pub notices: u32,
}

/// What `event`, happening to the second person, costs once the others have settled; `None` if nobody recovers from it
/// or it cannot happen.
pub fn event(policy: &Policy, hurried: bool, event: Event) -> Option<EventCost> {
    let all_options = [true; 5];
    let w = cast(policy, &[1, 2], hurried, all_options);
    let (phone, laptop) = (Device(1), Device(2));
    let before = if event == Event::NewDevice { w.honest.without(laptop) } else { w.honest };
    let settled = cheapest(&w, w.initial(), before)?.end;
    let start = match event {
        Event::NewDevice => settled,
        Event::ReLogin => step(&w, settled, Action::LogOut(laptop)).ok()?,
        Event::Reset => {
            // Where an identity raises questions, nobody has needed one so far.
            let published = match step(&w, settled, Action::PublishIdentity(phone, Publication::Intact)) {
                Ok(published) => cheapest(&w, published, before)?.end,
                Err(_) => settled,
            };
            step(&w, published, Action::ResetIdentity(phone, Publication::Intact)).ok()?
        }
    };
    let recovery = cheapest(&w, start, w.honest)?;
    let is_owners = |a: &Action| between_own(&w, *a) == Some(Person(1));
    let cost = |owners: bool| recovery.actions.iter().filter(|a| is_owners(a) == owners).map(|&a| of(a)).sum();
    Some(EventCost { owner: cost(true), peers: cost(false), notices: notices(&w, start, &recovery.actions) })
}

/// How often, on the way from `start`, a client of the first person says of the second that something is new.
fn notices(w: &World, start: State, actions: &[Action]) -> u32 {
    let (mut s, mut all) = (start, 0);
    for &action in actions {
        let next = step(w, s, action).expect("the cheapest way can be gone");
        let looks = |v: &Device| matches!(action, Action::LookUp(u, Person(1), _) if u == *v);
        all += w.of(Person(0)).iter().filter(looks).map(|v| notices_at_look(w, &s, &next, v)).sum::<u32>();
        s = next;
    }
    all
}

/// The notices as `v` looks the second person up: of another identity, of new devices, of unsigned ones.
fn notices_at_look(w: &World, before: &State, after: &State, v: Device) -> u32 {
    let (p, policy) = (Person(1), w.policy(w.owner(v)));
    let pins = [before, after].map(|s| s.pinned.get(v, p));
    let replaced = pins[0] != Identity::None && pins[0] != pins[1] && on_change(w, before, v, p) == OnChange::Notify;
    let known = before.accepted.row(v).union(before.trusted.row(v)).and(w.of(p));
    let devices = match () {
        () if policy.new_device == OnNewDevice::Notify && !known.is_empty() => after.accepted.row(v).minus(known),
        () if policy.unsigned_device == OnUnsignedDevice::Notify => after.registered.minus(after.signed),
        () => Set::EMPTY,
    };
    u32::from(replaced) + devices.and(w.of(p)).len() as u32
}
