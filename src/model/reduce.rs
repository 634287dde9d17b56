//! The reductions of the state space, each named in the verdicts that it served, and none of them used in a replay.
//!
//! **Dominated answers.** An answer is dominated by another if whatever the adversary reaches with it, it reaches with
//! the other in as many steps. Listing an honest device only gives an honest device a key, which blocks no attack; so
//! honest devices are left out only where listing one asks somebody a question, where its id is to become free, or
//! where a viewer is to forget that it was compared. A forged identity that signs honest devices too gives the
//! adversary's devices the same keys as one that does not. No identity is shown only to viewers who hold none yet.
//!
//! **Unread fields.** What no rule and no property that is asked for reads is forgotten after every step.
//!
//! **Decided properties.** Once a property is decided, what it alone reads is forgotten too, in all states found.
//!
//! **Symmetry.** Of the states that differ only in who of those who are alike is who, one is searched.

use super::action::{Action, possible, step_from};
use super::bits::{Device, Flag, Identity, Person, Set};
use super::directory::{Answer, Shown};
use super::needs::Needs;
use super::people::Publication;
use super::property::Property;
use super::state::{Among, OfDevices, OfPeople, State, fullest};
use super::symmetry::{Renumbering, symmetries};
use super::world::{Arrival, HonestOption, World};
use crate::policy::{
    FirstIdentity, HistoryOnInvite, HistoryOnLink, IdentityKind, KeyBackup, OwnRequests, Recipients, Transparency,
    VerificationTravels,
};
use std::borrow::Cow;

/// Which reductions a search uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reductions {
    /// No answer is tried if another one does all that it does.
    pub dominated_answers: bool,
    /// What no rule and no property that is asked for reads is forgotten after every step.
    pub unread_fields: bool,
    /// What only decided properties read goes unread from then on, and the search ends when all are decided.
    pub decided_properties: bool,
    /// Of states that differ by a renumbering under which the world stays what it is, one is searched.
    pub symmetry: bool,
}

impl Reductions {
    /// Every action is tried, and nothing is forgotten.
    pub const NONE: Self =
        Self { dominated_answers: false, unread_fields: false, decided_properties: false, symmetry: false };
    /// Whatever no verdict depends on is left out, and the least of the shortest traces is found.
    pub const ALL: Self = Self { dominated_answers: true, unread_fields: true, decided_properties: true, ..Self::NONE };
    /// Whatever no verdict depends on is left out, and some shortest trace is found.
    pub const WITH_SYMMETRY: Self = Self { symmetry: true, ..Self::ALL };
}

/// A world as a search sees it: what can happen in it, and what is forgotten after each step.
pub struct Reduced {
    /// The world by whose rules every step is made.
    pub world: World,
    /// The actions that the search tries in each state, in the order in which it tries them.
    pub actions: Vec<Action>,
    /// The reductions by which actions and states were reduced.
    pub reductions: Reductions,
    reads: Reads,
    /// The renumberings that states are searched but for.
    symmetries: Vec<Renumbering>,
}

/// What the rules and the properties asked for read of a state.
struct Reads {
    /// Every bit that is read at all.
    bits: State,
    /// Whether it matters of whom somebody was warned.
    warned: bool,
    /// Whether it matters who has looked for a device that was shown.
    looked_though_shown: bool,
    /// Devices whose keys some rule could hand on to the adversary.
    keys_of: Set<Device>,
    /// Clients that never send, each with its own person, of whom they read only a verified identity.
    unread_unverified: OfPeople,
    /// The devices about which no prompt is left once they were compared.
    answered_by_ceremony: OfDevices,
    /// The prompts that somebody hurried may click through.
    hurried: OfDevices,
}

impl Reduced {
    /// `world` as it has to be searched to decide `properties`.
    pub fn new(world: &World, properties: &[Property], reductions: Reductions) -> Self {
        let truth_is_read =
            properties.iter().any(|p| p.is_of_true_answers()) || world.has_option(HonestOption::RemoveDevice);
        let undominated = |a: &Action| {
            let by_another = has_answer(world, *a, |v, p, answer| dominated(world, v, p, answer, truth_is_read));
            let dominated = by_another || !truth_is_read && corrupts_own_truth(world, *a);
            !reductions.dominated_answers || !dominated
        };
        Self {
            world: *world,
            actions: possible(world).into_iter().filter(undominated).collect(),
            reductions,
            reads: reads(world, properties),
            symmetries: if reductions.symmetry { symmetries(world) } else { Vec::new() },
        }
    }

    /// The one state that is searched of all that are `s`, renumbered. `s` is one that is kept.
    #[inline]
    pub fn representative<'a>(&self, s: &'a State) -> Cow<'a, State> {
        if self.symmetries.is_empty() {
            return Cow::Borrowed(s);
        }
        Cow::Owned(self.symmetries.iter().fold(*s, |least, g| {
            let mut other = g.state(s);
            if !g.keeps_people() {
                // Whom warnings were told is no longer kept, so it is not to be renumbered either.
                self.forget(&mut other);
            }
            least.min(other)
        }))
    }

    /// The state that the search keeps after `action`; none if it cannot happen or another does all that it does.
    #[inline]
    pub fn step(&self, s: &State, action: Action) -> Option<State> {
        if has_answer(&self.world, action, |v, p, answer| self.hides_identity(s, v, p, answer)) {
            return None;
        }
        let mut next = step_from(&self.world, s, action).ok()?;
        self.forget(&mut next);
        Some(next)
    }

    /// Whether `answer` is left out because it shows no identity of `p` to a client `v` that holds one.
    // The viewer keeps the one that it holds. An answer that shows it, with the same devices, raises no notice either,
    // clears a question and signs as many devices or more; and whatever a viewer holds can be shown.
    #[inline]
    pub fn hides_identity(&self, s: &State, v: Device, p: Person, answer: Answer) -> bool {
        let shows_none = matches!(answer, Answer::Lie(lie) if lie.identity == Shown::Nothing);
        self.reductions.dominated_answers && shows_none && s.pinned.get(v, p) != Identity::None
    }

    /// The actions that a search tries, each with what it needs, without those that never happen.
    pub fn with_needs(&self) -> Vec<(Needs, Action)> {
        self.actions.iter().filter_map(|&a| Some((Needs::of(&self.world, a)?, a))).collect()
    }

    /// The first state that the search keeps.
    pub fn initial(&self) -> State {
        self.kept(&self.world.initial())
    }

    /// Every bit set that a state which the search keeps could have.
    pub fn fullest(&self) -> State {
        if self.reductions.unread_fields { self.reads.bits } else { fullest(&self.world) }
    }

    /// What the search keeps of a state.
    pub fn kept(&self, s: &State) -> State {
        let mut kept = *s;
        self.forget(&mut kept);
        kept
    }

    /// Forgets in `s` what is not kept.
    #[inline]
    pub fn forget(&self, s: &mut State) {
        if self.reductions.unread_fields {
            forget_unread(&self.world, &self.reads, s);
        }
    }
}

fn reads(w: &World, properties: &[Property]) -> Reads {
    let asks = |p: Property| properties.contains(&p);
    let listener = asks(Property::NoInvisibleListener);
    let hidden = listener || asks(Property::NoHiddenKey);
    let can_hand_on = |p: Person| {
        let policy = w.policy(p);
        let asked = policy.own_requests != OwnRequests::Never || policy.history_on_link == HistoryOnLink::HandedOver;
        let hands_on = asked || policy.key_backup == KeyBackup::ServerWord;
        let rogue = w.rogue.meets(w.of(p)) && hands_on;
        let invites = w.has_option(HonestOption::Invite) && policy.history_on_invite != HistoryOnInvite::None;
        rogue || invites || w.powers.steal_device.meets(w.of(p))
    };
    let people = |keep: &dyn Fn(Person) -> bool| {
        w.all_people().filter(|&p| keep(p)).fold(Set::EMPTY, |all: Set<Device>, p| all.union(w.of(p)))
    };
    let any_key = asks(Property::NoRogueKey) || asks(Property::NoSilentLeak) || asks(Property::NoHiddenKey);
    let unnoticed = asks(Property::NoUnnoticedLeak);
    let any_key = any_key || unnoticed || asks(Property::NoUninvitedReader);
    let past = any_key || asks(Property::PastStaysPrivate);
    let warned = listener || unnoticed || asks(Property::NoSilentLeak);
    let full = fullest(w);
    let only = |keep: bool, set: Set<Device>| if keep { set } else { Set::EMPTY };
    let listeners = || w.honest.minus(w.senders).iter();
    let bits = State {
        shown: only(hidden || w.has_option(HonestOption::RemoveDevice), full.shown),
        shown_verified: only(asks(Property::NeverShownAsVerified), full.shown_verified),
        overheard: only(listener, full.overheard),
        evicted: only(listener || asks(Property::NoLockOut), full.evicted),
        after: only(asks(Property::RemovalEndsAccess), full.after),
        all_read: Flag::of(asks(Property::EverybodyReads)),
        warned: if warned { full.warned } else { Among::default() },
        looked: if hidden || unnoticed { full.looked } else { OfDevices::default() },
        ghosts: only(asks(Property::NoUnseenReader), full.ghosts),
        entered: if warned { full.entered } else { Set::EMPTY },
        forked: forks_read(w, warned, unnoticed).and(full.forked),
        backed_past: if past { full.backed_past } else { Set::EMPTY },
        backed_current: if any_key { full.backed_current } else { Set::EMPTY },
        past: only(past, full.past),
        current: only(any_key, full.current),
        // Whether a rogue device exists tells the eras apart, and who has looked since.
        existed: only(past || hidden || unnoticed, full.existed),
        primary: people(&|p| w.policy(p).has_primary_device()),
        // What is known need not be stolen, and cannot become unknown again.
        passwords_stolen: if w.has_option(HonestOption::ChangePassword) { full.passwords_stolen } else { Set::EMPTY },
        trusted: w.honest.iter().fold(full.trusted, |all, v| all.with_row(v, trust_read(w, v, properties))),
        ..full
    };
    // Such a client reads its own person's identity only to approve requests for old keys, for which it has to be
    // verified, and to warn.
    let unread_unverified = listeners().fold(OfPeople::default(), |all, v| all.with(v, w.owner(v)));
    let asking = w.honest.iter().filter(|&v| w.policy(w.owner(v)).asks_about_new_devices());
    let of_hurried = w.honest.iter().filter(|&v| w.hurried.has(w.owner(v)));
    Reads {
        bits,
        warned,
        looked_though_shown: unnoticed,
        keys_of: people(&can_hand_on).union(w.rogue).union(w.uninvited_devices),
        unread_unverified,
        answered_by_ceremony: asking.fold(OfDevices::default(), |all, v| all.with_row(v, full.seen.row(v))),
        hurried: of_hurried.fold(OfDevices::default(), |all, v| all.with_row(v, full.seen.row(v))),
    }
}

/// Which other logs are read again: those that somebody could compare, and those in which owners look for themselves.
fn forks_read(w: &World, warned: bool, unnoticed: bool) -> OfPeople {
    let everybody = Set::first(w.people);
    let compares = |v: Device| unnoticed || warned && w.policy(w.owner(v)).transparency == Transparency::Gossip;
    let of = |v: Device| match compares(v) {
        true => everybody,
        false if warned => Set::EMPTY.with(w.owner(v)),
        false => Set::EMPTY,
    };
    w.honest.iter().fold(OfPeople::default(), |all, v| all.with_row(v, of(v)))
}

/// The devices whose comparison by `v` is read: anybody's where it decides who is sent keys or when the adversary
/// arrives, one's own where it decides who is handed old keys, and the adversary's where ticks are asked about.
fn trust_read(w: &World, v: Device, properties: &[Property]) -> Set<Device> {
    let p = w.owner(v);
    let policy = w.policy(p);
    let sends = w.senders.has(v);
    let decides = sends && matches!(policy.recipients, Recipients::Accepted | Recipients::Verified);
    let ticks = properties.contains(&Property::NeverShownAsVerified);
    let shown = if ticks { w.rogue.union(w.powers.steal_device) } else { Set::EMPTY };
    let waited_for = w.arrives == Arrival::AfterVerification && !policy.has_identity();
    let travels =
        matches!(policy.verification_travels, VerificationTravels::SyncedByServer | VerificationTravels::TrustMessages);
    match policy.own_requests {
        _ if decides || waited_for || travels => Set::first(w.devices),
        OwnRequests::Ask | OwnRequests::ApprovedDevices => w.of(p).union(shown),
        OwnRequests::AnyOwnDevice | OwnRequests::Never => shown,
    }
}

#[inline]
fn forget_unread(w: &World, reads: &Reads, s: &mut State) {
    *s = s.and(&reads.bits);
    let kept_keys = reads.keys_of.union(s.stolen);
    // Nor is there more to warn of a person, once somebody was warned of them.
    let warned = somebody_warned(w, s.warned);
    let said = if reads.warned { warned.row(Person(0)) } else { Set::first(w.people) };
    let unread = reads.unread_unverified.and(OfPeople::each(said));
    // A prompt is left only about what is neither answered nor verified; the careful answer none but about rogue
    // devices.
    let answered = s.trusted.and(reads.answered_by_ceremony);
    let accepted = s.accepted.minus(answered);
    let promptable = reads.hurried.union(OfDevices::each(s.held(w)));
    s.offered = s.offered.without(unread);
    s.pinned = s.pinned.without(unread.minus(s.verified));
    s.latched = s.latched.minus(unread.minus(s.verified));
    s.accepted = accepted;
    s.seen = s.seen.and(promptable).minus(answered).minus(accepted).minus(s.blocked);
    // Only that somebody was warned of a person is asked for, not who.
    s.warned = warned;
    // Once a device has been shown, who looked for it no longer matters.
    s.looked = if reads.looked_though_shown { s.looked } else { s.looked.minus(OfDevices::each(s.shown)) };
    s.past = s.past.and(kept_keys);
    s.current = s.current.and(kept_keys);
    // First contact is over when the adversary has arrived.
    s.contacted = if s.active.on() { Set::EMPTY } else { s.contacted };
}

/// The same warnings, all of them told to the first person.
fn somebody_warned(w: &World, warned: Among) -> Among {
    let about = w.all_people().fold(Set::EMPTY, |all: Set<Person>, p| all.union(warned.row(p)));
    Among::default().with_row(Person(0), about)
}

/// Whether some answer in `action` is one of those: who is told it, of whom, and what.
fn has_answer(w: &World, action: Action, one: impl Fn(Device, Person, Answer) -> bool) -> bool {
    match action {
        Action::LookUp(v, p, answer) => one(v, p, answer),
        Action::ForwardKeys(v, _, answer) => one(v, w.owner(v), answer),
        Action::ReshareKeys(v, to, answer) => one(v, w.owner(to), answer),
        Action::Send(v, answers) => w.all_people().any(|p| one(v, p, answers[p.0 as usize])),
        _ => false,
    }
}

/// Whether a server in the adversary's hands changes what it truly holds. It need not: whatever anybody asks about its
/// people passes it, and it answers as it likes; only a property about true answers can tell.
// A person who is tricked into approving a device finds it in the true list, so there the list is more than an answer.
fn corrupts_own_truth(w: &World, action: Action) -> bool {
    // Under a log an answer is another log, and what the server truly holds is not.
    // What reads a backup stands on no list, and is hidden the sooner the longer it has existed.
    let reads_backup = |p: Person| match w.policy(p).key_backup {
        KeyBackup::ServerHolds | KeyBackup::ServerWord => true,
        KeyBackup::Signed => w.powers.steal_recovery.has(p),
        KeyBackup::None => false,
    };
    let as_good = |p: Person| !w.has_log(p) && !w.powers.phish_link.has(p) && !reads_backup(p);
    let controlled = |p: Person| w.controls(p) && as_good(p);
    match action {
        // Where a sign-in by password is handed the shared identity key, it is more than a line in a list.
        Action::RegisterDevice(d) => controlled(w.owner(d)) && w.rogue.has(d) && !gives_identity(w, w.owner(d)),
        Action::ForgeIdentity(p, _) => controlled(p),
        Action::SignIn(d, x) | Action::PublishIdentity(d, x) | Action::ResetIdentity(d, x) => {
            controlled(w.owner(d)) && x != Publication::Intact
        }
        Action::ApproveDevice(_, d, x) => controlled(w.owner(d)) && x != Publication::Intact,
        _ => false,
    }
}

fn gives_identity(w: &World, p: Person) -> bool {
    w.policy(p).identity == IdentityKind::SharedByDevices && w.policy(p).joins_by_password()
}

/// Whether another answer about `p` to the client `v` does all that this one does.
fn dominated(w: &World, v: Device, p: Person, answer: Answer, truth_is_read: bool) -> bool {
    let Answer::Lie(lie) = answer else { return false };
    let policy = w.policy(w.owner(v));
    let asks = policy.asks_about_devices() && w.senders.has(v);
    // A device that is left out once is not trusted by itself any more: that can lock it out.
    let forgets = truth_is_read && policy.has_identity() && policy.recipients == Recipients::Verified;
    let may_leave_out = if asks || forgets { w.honest } else { w.reused };
    let unneeded = !lie.left_out.within(may_leave_out);
    let no_reset = lie.identity == Shown::Old && !w.has_option(HonestOption::ResetIdentity);
    // An identity that comes with the first device is never missing while there is a device to ask about.
    let never_missing = w.policy(p).first_identity == FirstIdentity::WithFirstDevice;
    unneeded || no_reset || lie.identity == Shown::Forged || never_missing && lie.identity == Shown::Nothing
}
