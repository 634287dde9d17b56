//! What a state needs for an action to be possible: the guards that block most, as masks, before the action is tried.
//!
//! Nothing is decided here: an action whose needs are met is still tried by its own guards, and what is not met is
//! blocked by one of them (tests/coverage.rs tries both). A guard that is missing here costs time and nothing else.

use super::action::Action;
use super::bits::{Device, Flag, Person, Set};
use super::directory::{Answer, Shown};
use super::people::Publication;
use super::state::State;
use super::world::World;
use crate::policy::{
    FirstIdentity, IdentityKind, IdentityReplacedBy, Joining, OnChange, OnOwnChange, OwnRequests, ReShare,
};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The part of a state that many guards read.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Facts {
    active: Flag,
    signed_in: Set<Device>,
    registered: Set<Device>,
    stolen: Set<Device>,
    /// Devices that hold a key which they could hand on.
    holders: Set<Device>,
    born: Set<Person>,
    has_old: Set<Person>,
    members: Set<Person>,
}

impl Facts {
    /// The facts of one state.
    pub fn of(s: &State) -> Self {
        let State { active, signed_in, registered, stolen, born, has_old, members, .. } = *s;
        Self { active, signed_in, registered, stolen, holders: s.past.union(s.current), born, has_old, members }
    }
    fn bits(self) -> u128 {
        zerocopy::transmute!(self)
    }
}

/// What must be so, and what must not.
#[derive(Clone, Copy, Default)]
pub struct Needs {
    has: Facts,
    lacks: Facts,
}

impl Needs {
    /// What `a` needs of a state of `w`; `None` if no state of `w` has it.
    pub fn of(w: &World, a: Action) -> Option<Self> {
        let only = |holds: bool| holds.then(Self::default);
        match a {
            Action::SignIn(d, x) => Some(only(true)?.published(x).signs_in(w, d)),
            Action::PublishIdentity(d, x) => {
                let later = w.policy(w.owner(d)).first_identity == FirstIdentity::AnySessionLater;
                Some(only(later)?.published(x).client(d).unborn(w.owner(d)))
            }
            Action::ApproveDevice(by, d, x) => {
                let policy = w.policy(w.owner(d));
                let joins = policy.joins_by_approval();
                let needs = only(joins || policy.identity == IdentityKind::SignsDevices)?.published(x).client(by);
                Some(if joins { needs.not_signed_in(d) } else { needs.client(d).listed(d) })
            }
            Action::LookUp(v, p, x) if w.owner(v) == p => Some(only(true)?.client(v).told(w, p, x)),
            Action::LookUp(v, p, x) => Some(only(true)?.client(v).member(p).told(w, p, x)),
            Action::Verify(v, p) => {
                let policy = w.policy(w.owner(v));
                let again = w.owner(v) != p || policy.own_change == OnOwnChange::TakenOver;
                Some(only(again && policy.has_identity() && !w.uninvited.has(p))?.client(v))
            }
            Action::VerifyDevice(v, d) => {
                Some(only(!w.policy(w.owner(v)).has_identity())?.client(v).client(d).listed(d))
            }
            Action::OverlookIdentity(v, _) => Some(only(w.policy(w.owner(v)).has_identity())?.arrived().client(v)),
            Action::OverlookDevice(v, _) => Some(only(!w.policy(w.owner(v)).has_identity())?.arrived().client(v)),
            Action::AcceptDevice(v, _) | Action::Acknowledge(v, _) => Some(only(w.hurried.has(w.owner(v)))?.client(v)),
            Action::BlockDevice(v, d) => Some(only(true)?.client(v).held(w, Set::EMPTY.with(d))),
            Action::Withdraw(v, p) => {
                let policy = w.policy(w.owner(v));
                let may = w.owner(v) != p || policy.own_change == OnOwnChange::TakenOver;
                Some(only(may && policy.change_verified == OnChange::Ask)?.client(v))
            }
            Action::Send(v, answers) => {
                // Members stay members, so those of the beginning are always asked about.
                let asked = w.members.minus(w.uninvited).iter();
                let sender = only(true)?.client(v).member(w.owner(v));
                Some(asked.fold(sender, |needs, p| needs.told(w, p, answers[p.0 as usize])))
            }
            Action::ForwardKeys(by, to, x) => {
                let p = w.owner(by);
                let needs = only(w.policy(p).own_requests != OwnRequests::Never)?.client(by).holder(by).told(w, p, x);
                Some(if w.adversary_may_hold(p).has(to) { needs } else { needs.client(to) })
            }
            Action::ReshareKeys(v, to, x) => {
                let again = w.reuses(to).is_some() && w.policy(w.owner(v)).re_share == ReShare::ByDeviceId;
                Some(only(again && w.owner(v) != w.owner(to))?.client(v).told(w, w.owner(to), x))
            }
            Action::ResetIdentity(d, x) => {
                let needs = only(true)?.published(x).born(w.owner(d));
                match w.policy(w.owner(d)).identity_replaced_by {
                    IdentityReplacedBy::Password => Some(needs.client(d)),
                    IdentityReplacedBy::Number | IdentityReplacedBy::NumberAndPin => Some(needs),
                    IdentityReplacedBy::Impossible | IdentityReplacedBy::Unused => None,
                }
            }
            Action::RemoveDevice(by, d) => Some(only(true)?.client(by).listed(d)),
            Action::LogOut(d) | Action::ChangePassword(d) => Some(only(true)?.client(d)),
            Action::Invite(v, p, x) => Some(only(!w.uninvited.has(p))?.client(v).not_a_member(p).told(w, p, x)),
            Action::CompareLogs(v) => Some(only(true)?.client(v)),
            Action::SwapInCeremony(v, _) => Some(only(true)?.arrived().client(v)),
            Action::Arrive => Some(Self { lacks: Facts { active: Flag::ON, ..Facts::default() }, ..Self::default() }),
            _ => Some(only(true)?.arrived()),
        }
    }

    /// Whether they are met in a state with these facts.
    #[inline]
    pub fn met(&self, facts: Facts) -> bool {
        self.has.bits() & !facts.bits() == 0 && self.lacks.bits() & facts.bits() == 0
    }

    fn arrived(self) -> Self {
        Self { has: Facts { active: Flag::ON, ..self.has }, ..self }
    }
    fn client(self, d: Device) -> Self {
        Self { has: Facts { signed_in: self.has.signed_in.with(d), ..self.has }, ..self }
    }
    fn not_signed_in(self, d: Device) -> Self {
        Self { lacks: Facts { signed_in: self.lacks.signed_in.with(d), ..self.lacks }, ..self }
    }
    fn listed(self, d: Device) -> Self {
        Self { has: Facts { registered: self.has.registered.with(d), ..self.has }, ..self }
    }
    fn holder(self, d: Device) -> Self {
        Self { has: Facts { holders: self.has.holders.with(d), ..self.has }, ..self }
    }
    fn member(self, p: Person) -> Self {
        Self { has: Facts { members: self.has.members.with(p), ..self.has }, ..self }
    }
    fn not_a_member(self, p: Person) -> Self {
        Self { lacks: Facts { members: self.lacks.members.with(p), ..self.lacks }, ..self }
    }
    fn born(self, p: Person) -> Self {
        Self { has: Facts { born: self.has.born.with(p), ..self.has }, ..self }
    }
    fn unborn(self, p: Person) -> Self {
        Self { lacks: Facts { born: self.lacks.born.with(p), ..self.lacks }, ..self }
    }
    /// What the adversary does not hold from the first has to be stolen.
    fn held(self, w: &World, devices: Set<Device>) -> Self {
        let stolen = devices.minus(w.rogue).minus(w.uninvited_devices);
        Self { has: Facts { stolen: self.has.stolen.union(stolen), ..self.has }, ..self }
    }
    fn published(self, x: Publication) -> Self {
        if x == Publication::Intact { self } else { self.arrived() }
    }
    fn signs_in(self, w: &World, d: Device) -> Self {
        match w.policy(w.owner(d)).joining {
            Joining::Password | Joining::PasswordAndCode => self.not_signed_in(d),
            // Only the first device signs in by itself.
            Joining::AnyDevice | Joining::ExistingDevice | Joining::InPerson => {
                w.of(w.owner(d)).iter().fold(self.unborn(w.owner(d)), Self::not_signed_in)
            }
        }
    }
    /// What the answer `x` about `p` needs, to be given.
    fn told(self, w: &World, p: Person, x: Answer) -> Self {
        let Answer::Lie(lie) = x else { return self };
        let needs = self.arrived().held(w, lie.added);
        match lie.identity {
            Shown::True => needs.born(p),
            Shown::Old => Self { has: Facts { has_old: needs.has.has_old.with(p), ..needs.has }, ..needs },
            Shown::Nothing | Shown::Forged | Shown::Stealth => needs,
        }
    }
}
