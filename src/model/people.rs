//! What honest people and their clients do. Servers tell the truth here, unless a vantage replaces what passes it.

use super::action::{Blocked, Step, guard};
use super::bits::{Device, Flag, Identity, PEOPLE_MAX, Pair, Person, Set};
use super::decide::{Contact, Decision, LocalTrust, Own, Situation, Why, decide, decide_contact};
use super::directory::{
    Answer, View, absorb, contact, display, end_blind_trust, is_verified, on_change, own_identity, same_id, view,
};
use super::state::{Among, State};
use super::world::{Arrival, HonestOption, World};
use crate::policy::{
    FirstIdentity, HistoryOnInvite, HistoryOnLink, IdentityKind, IdentityReplacedBy, Joining, KeyBackup, LoginProof,
    Membership, OnChange, OnOwnChange, OnUnsignedDevice, OwnRequests, ReShare, Recipients, VerificationTravels,
};

/// What becomes of something on its way from a client to its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Publication {
    /// It arrives as it was sent.
    Intact,
    /// The adversary's device and identity take its place.
    Replaced(Device),
    /// A forged identity takes the place of the true one and signs the honest devices as well as this one.
    Joined(Device),
}

impl Publication {
    /// The adversary's device that is published, if any.
    pub fn rogue(self) -> Option<Device> {
        match self {
            Self::Intact => None,
            Self::Replaced(r) | Self::Joined(r) => Some(r),
        }
    }
}

/// Whether the adversary can replace what `d` publishes by its device `r`.
fn can_replace(w: &World, s: State, d: Device, publication: Publication) -> Result<(), Blocked> {
    let Some(r) = publication.rogue() else { return Ok(()) };
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.vantage_on_client(d), Blocked::NoVantage);
    guard!(w.rogue.has(r) && w.owner(r) == w.owner(d), Blocked::NotHeld);
    guard!(w.reuses(r).is_none(), Blocked::DeviceIdTaken);
    Ok(())
}

/// A device of one's own signs in: the first one, or any that knows the password.
pub fn sign_in(w: &World, s: State, d: Device, publication: Publication) -> Step {
    let p = w.owner(d);
    let policy = w.policy(p);
    guard!(!s.signed_in.has(d), Blocked::SignedInAlready);
    guard!(!s.stolen.has(d), Blocked::Stolen);
    let first = !s.registered.meets(w.of(p)) && !s.signed_in.meets(w.of(p)) && !s.born.has(p);
    let joins_by_password = policy.joins_by_password();
    let tells_secret = joins_by_password && policy.login_proof == LoginProof::SecretSent;
    guard!(first || joins_by_password, Blocked::JoiningNeedsExistingDevice);
    let brings_identity = first && policy.first_identity == FirstIdentity::WithFirstDevice;
    guard!(first || brings_identity || shares_identity(w, s, p), Blocked::NoIdentityToShare);
    can_replace(w, s, d, publication)?;
    let replaces_identity = publication.rogue().is_some() && policy.has_identity();
    guard!(
        brings_identity || !replaces_identity || policy.identity == IdentityKind::SignsDevices,
        Blocked::KeysAreBound
    );
    guard!(brings_identity || !matches!(publication, Publication::Joined(_)), Blocked::NoIdentityPublished);

    let overheard = tells_secret && s.active.on() && w.vantage_on_client(d);
    let s = State {
        signed_in: s.signed_in.with(d),
        primary: if first { s.primary.minus(w.of(p)).with(d) } else { s.primary },
        evicted: s.evicted.without(d),
        passwords: if overheard { s.passwords.with(p) } else { s.passwords },
        ..publish_device(w, s, d, publication)
    };
    match policy.identity {
        _ if brings_identity => Ok(publish(w, s, d, publication)),
        IdentityKind::SharedByDevices => Ok(enrol(w, s, d)),
        IdentityKind::SignsDevices | IdentityKind::None => Ok(s),
    }
}

/// Whether a device that joins now can be given the identity key that all devices of `p` share, where they do.
fn shares_identity(w: &World, s: State, p: Person) -> bool {
    w.policy(p).identity != IdentityKind::SharedByDevices || s.born.has(p) && !s.replaced.has(p)
}

/// Whether no registered device uses the id of the adversary's device `d`.
pub fn id_is_free(w: &World, s: State, d: Device) -> bool {
    !same_id(w, &s, d).minus(s.renamed).meets(s.registered)
}

/// The client of `p` is shown what its server's log holds now, where there is one, and finds out what took the place of
/// what it published (draft-ietf-keytrans-protocol@526cc8a1, section "Updating a Label").
fn read_back(w: &World, s: State, p: Person, publication: Publication) -> State {
    let replaced = publication != Publication::Intact;
    let honest_log = w.has_log(p) && !w.controls(p);
    State { warned: if replaced && honest_log { s.warned.with(p, p) } else { s.warned }, ..s }
}

/// The server lists the keys of `d`, or what took their place.
fn publish_device(w: &World, s: State, d: Device, publication: Publication) -> State {
    let s = read_back(w, s, w.owner(d), publication);
    let registered = match publication {
        Publication::Intact => s.registered.with(d),
        Publication::Replaced(r) => s.registered.with(r),
        Publication::Joined(r) => s.registered.with(d).with(r),
    };
    let rogue = publication.rogue().map_or(s.existed, |r| s.existed.with(r));
    let (signed, signed_old) = (s.signed.without(d), s.signed_old.without(d));
    // Only a server in the adversary's hands gives an id to somebody that another had.
    let had = if w.controls(w.owner(d)) { s.registered } else { s.registered.union(s.removed) };
    let renamed = if same_id(w, &s, d).meets(had) { s.renamed.with(d) } else { s.renamed };
    State { registered, existed: rogue.and(s.rogue(w)), renamed, signed, signed_old, ..s }
}

/// The person of `d` makes a true identity on `d`, which signs `d`; the server is told, or told otherwise.
fn publish(w: &World, s: State, d: Device, publication: Publication) -> State {
    let p = w.owner(d);
    let s = read_back(w, s, p, publication);
    let (replaced, stealthy) = match publication {
        Publication::Intact => (s.replaced.without(p), s.stealthy.without(p)),
        Publication::Replaced(_) => (s.replaced.with(p), s.stealthy.without(p)),
        Publication::Joined(_) => (s.replaced.with(p), s.stealthy.with(p)),
    };
    let s = State { born: s.born.with(p), published: s.published.with(p), replaced, stealthy, ..s };
    enrol(w, s, d)
}

/// The true identity of its owner signs the honest device `d`, which from then on knows that identity.
fn enrol(w: &World, s: State, d: Device) -> State {
    let p = w.owner(d);
    State {
        signed: s.signed.with(d),
        pinned: s.pinned.with(d, p, Identity::True),
        offered: s.offered.with(d, p, Identity::None),
        verified: s.verified.with(d, p),
        // From now on the signatures that the identity has made of others count on `d`, as far as `d` has seen them.
        latched: s.latched.with_row(d, s.latched.row(d).union(s.verified.row(d))).with(d, p),
        ..s
    }
}

/// A signed-in device makes and publishes its person's first identity.
pub fn publish_identity(w: &World, s: State, d: Device, publication: Publication) -> Step {
    let p = w.owner(d);
    guard!(s.signed_in.has(d), Blocked::NotSignedIn);
    guard!(w.policy(p).first_identity == FirstIdentity::AnySessionLater, Blocked::NoIdentityPublished);
    guard!(!s.born.has(p) && !s.published.has(p), Blocked::IdentityExists);
    can_replace(w, s, d, publication)?;
    Ok(publish(w, s, d, publication))
}

/// A device of one's own approves another, in a ceremony between the two.
pub fn approve_device(w: &World, s: State, by: Device, d: Device, publication: Publication) -> Step {
    let p = w.owner(d);
    let policy = w.policy(p);
    guard!(s.signed_in.has(by) && w.owner(by) == p && by != d, Blocked::NotSignedIn);
    guard!(!s.stolen.has(d), Blocked::Stolen);
    can_replace(w, s, d, publication)?;
    match policy.joining {
        Joining::AnyDevice | Joining::ExistingDevice | Joining::InPerson => {
            guard!(!policy.has_primary_device() || s.primary.has(by), Blocked::NotPrimary);
            guard!(!policy.has_identity() || holds_identity(w, s, by), Blocked::NotApproved);
            guard!(!s.signed_in.has(d), Blocked::SignedInAlready);
            guard!(!policy.has_identity() || publication == Publication::Intact, Blocked::KeysAreBound);
            // The server takes only keys signed by the identity that it has for the account.
            guard!(!s.replaced.has(p), Blocked::KeysAreBound);
            guard!(!matches!(publication, Publication::Joined(_)), Blocked::NoIdentityPublished);
            let s = publish_device(w, s, d, publication);
            let s = State { signed_in: s.signed_in.with(d), evicted: s.evicted.without(d), ..s };
            let s = if policy.history_on_link == HistoryOnLink::HandedOver { hand_over(s, by, d) } else { s };
            Ok(if policy.has_identity() { enrol(w, s, d) } else { s })
        }
        Joining::Password | Joining::PasswordAndCode => {
            guard!(policy.identity == IdentityKind::SignsDevices, Blocked::NothingToApprove);
            guard!(s.signed_in.has(d), Blocked::NotSignedIn);
            guard!(holds_identity(w, s, by), Blocked::NotApproved);
            guard!(!s.signed.has(d), Blocked::ApprovedAlready);
            // The new device holds what the server lists of its own person against what the other one knows.
            guard!(s.registered.has(d) && !s.replaced.has(p), Blocked::ComparisonFails);
            guard!(publication == Publication::Intact, Blocked::KeysAreBound);
            Ok(enrol(w, compare(w, s, by, d), d))
        }
    }
}

/// Whether `d` holds the secret of its person's true identity and goes by it.
pub fn holds_identity(w: &World, s: State, d: Device) -> bool {
    let p = w.owner(d);
    // A client that takes over another identity drops the secret of the one before.
    s.signed.has(d) && (w.policy(p).own_change != OnOwnChange::TakenOver || s.verified.has(d, p))
}

/// `to` receives every key that `from` holds.
pub fn hand_over(s: State, from: Device, to: Device) -> State {
    State {
        past: if s.past.has(from) { s.past.with(to) } else { s.past },
        current: if s.current.has(from) { s.current.with(to) } else { s.current },
        ..s
    }
}

/// Two people compare the identity that `v` was shown of `p` with the one that p's own devices know.
pub fn verify(w: &World, s: State, v: Device, p: Person) -> Step {
    let me = w.owner(v);
    let policy = w.policy(me);
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(policy.has_identity(), Blocked::NothingToVerify);
    if me == p {
        return verify_own(w, s, v);
    }
    guard!(!w.uninvited.has(p), Blocked::NobodyMeets);
    let at_hand = s.signed_in.and(w.of(p)).iter().filter(|&q| holds_identity(w, s, q));
    let partners: Set<Device> = at_hand.filter(|&q| know_each_other(w, s, v, q)).collect();
    guard!(!partners.is_empty(), Blocked::NobodyMeets);
    let pin = s.pinned.get(v, p);
    let offered = s.offered.get(v, p);
    let last_shown = if offered == Identity::None { pin } else { offered };
    guard!(last_shown == Identity::True, Blocked::ComparisonFails);
    // The other side compares too: what it finds published of me has to be mine.
    guard!(!s.replaced.has(me), Blocked::ComparisonFails);
    let by_signature = |q: Person| w.policy(q).verification_travels == VerificationTravels::OwnIdentity;
    let travels = by_signature(me);
    // Such a verification is a signature of my own identity, which an unapproved device cannot make.
    guard!(!travels || s.verified.has(v, me), Blocked::NotApproved);
    // Where it is a signature, the other side makes one too.
    let vouched = if by_signature(p) { s.vouched.with(p, me) } else { s.vouched };
    Ok(State {
        pinned: s.pinned.with(v, p, Identity::True),
        offered: s.offered.with(v, p, Identity::None),
        verified: s.verified.with(v, p),
        latched: s.latched.with(v, p),
        vouched: if travels { vouched.with(me, p) } else { vouched },
        // Where identities sign devices, the ceremony is one of devices, whose own keys it confirms as well. People
        // compare on all that are at hand.
        ..match policy.identity {
            IdentityKind::SignsDevices => partners.iter().fold(s, |all, q| compare(w, all, v, q)),
            IdentityKind::SharedByDevices | IdentityKind::None => s,
        }
    })
}

/// An inattentive person is shown a forged identity of `p` beside what `p` shows, and finds that they match.
// It is the person of `v` who compares: the other reads out what is on their screen.
pub fn overlook_identity(w: &World, s: State, v: Device, p: Person) -> Step {
    let me = w.owner(v);
    let policy = w.policy(me);
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(me != p && policy.has_identity(), Blocked::NothingToVerify);
    guard!(w.inattentive.has(me), Blocked::AttentivePerson);
    guard!(s.signed_in.and(w.of(p)).iter().any(|q| holds_identity(w, s, q)), Blocked::NobodyMeets);
    let forged = Identity::Forged;
    let differs =
        s.offered.get(v, p) == forged || s.offered.get(v, p) == Identity::None && s.pinned.get(v, p) == forged;
    guard!(differs, Blocked::ComparisonSucceeds);
    let travels = policy.verification_travels == VerificationTravels::OwnIdentity;
    guard!(!travels || s.verified.has(v, me), Blocked::NotApproved);
    Ok(confirm_forged(w, s, v, p))
}

/// A ceremony confirms on `v` a forged identity of `p`.
pub(super) fn confirm_forged(w: &World, s: State, v: Device, p: Person) -> State {
    let me = w.owner(v);
    let travels = w.policy(me).verification_travels == VerificationTravels::OwnIdentity;
    State {
        vouched_forged: if travels { s.vouched_forged.with(Pair(me, p)) } else { s.vouched_forged },
        pinned: s.pinned.with(v, p, Identity::Forged),
        offered: s.offered.with(v, p, Identity::None),
        verified: s.verified.with(v, p),
        latched: s.latched.with(v, p),
        ..s
    }
}

/// An inattentive person compares the keys of the rogue device `d` with those on the screen of its claimed owner, and
/// finds that they match.
pub fn overlook_device(w: &World, s: State, v: Device, d: Device) -> Step {
    let (me, p) = (w.owner(v), w.owner(d));
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(me != p && !w.policy(me).has_identity() && reads_devices(w, me), Blocked::NothingToVerify);
    guard!(w.inattentive.has(me), Blocked::AttentivePerson);
    guard!(s.signed_in.meets(w.of(p)), Blocked::NobodyMeets);
    guard!(w.rogue.has(d), Blocked::ComparisonSucceeds);
    guard!(finds(w, &s, v, d), Blocked::NotListed);
    let mut s = s;
    end_blind_trust(w, &mut s, v, p);
    Ok(State { trusted: s.trusted.with(v, d), ..s })
}

/// Whether each of two devices of honest people finds the other in what it is told, so that a ceremony can begin.
fn know_each_other(w: &World, s: State, a: Device, b: Device) -> bool {
    finds(w, &s, a, b) && finds(w, &s, b, a)
}

/// Whether the client `v` can be shown the keys of `d`.
fn finds(w: &World, s: &State, v: Device, d: Device) -> bool {
    // Whoever sits on the way can list a device that the server does not.
    let listed = s.registered.has(d) || s.active.on() && w.vantage_on_route(v, w.owner(d));
    // Nor does a ceremony succeed with a device under whose id the client holds another's keys.
    listed && !same_id(w, s, d).meets(s.stored.row(v))
}

/// Two devices were compared, and both clients remember it.
fn compare(w: &World, s: State, a: Device, b: Device) -> State {
    mark_as_compared(w, mark_as_compared(w, s, a, b), b, a)
}

/// The client `v` trusts the compared device `d` by itself.
pub fn mark_as_compared(w: &World, s: State, v: Device, d: Device) -> State {
    let trusted = s.trusted.with(v, d);
    // Who compares a device holds its keys.
    let shares_id = w.sharing_id().minus(s.renamed).has(d);
    let stored = if shares_id { s.stored.with(v, d) } else { s.stored };
    let signed = shares_id && s.signed.union(s.signed_old).has(d);
    let stored_signed = if signed { s.stored_signed.with(v, d) } else { s.stored_signed };
    let s = State { trusted, stored, stored_signed, ..s };
    match has_one_mark(w, v) {
        true => State { accepted: s.accepted.without(v, d), seen: s.seen.without(v, d), ..s },
        false => s,
    }
}

/// Whether the client `v` has one mark a device, so that "compared" and "ignored" take each other's place.
fn has_one_mark(w: &World, v: Device) -> bool {
    w.policy(w.owner(v)).unsigned_device == OnUnsignedDevice::AskRoom
}

/// A person confirms their own identity anew on `v`, which was shown another in between, with the recovery key.
fn verify_own(w: &World, s: State, v: Device) -> Step {
    let me = w.owner(v);
    guard!(w.policy(me).own_change == OnOwnChange::TakenOver, Blocked::NothingToVerify);
    guard!(s.signed.has(v), Blocked::NotApproved);
    guard!(!s.verified.has(v, me), Blocked::VerifiedNow);
    guard!(s.pinned.get(v, me) == Identity::True, Blocked::ComparisonFails);
    // With it stands again what the identity has signed of others.
    let verified = s.verified.row(v).with(me);
    let latched = s.latched.row(v).union(verified);
    Ok(State { verified: s.verified.with_row(v, verified), latched: s.latched.with_row(v, latched), ..s })
}

/// Two people, or one with two devices, compare the keys of two devices; both clients remember it.
pub fn verify_device(w: &World, s: State, v: Device, d: Device) -> Step {
    let policy = w.policy(w.owner(v));
    guard!(s.signed_in.has(v) && v != d, Blocked::NotSignedIn);
    guard!(!policy.has_identity() && reads_devices(w, w.owner(v)), Blocked::NothingToVerify);
    guard!(s.signed_in.has(d), Blocked::NobodyMeets);
    guard!(s.registered.has(d), Blocked::ComparisonFails);
    let mut s = s;
    end_blind_trust(w, &mut s, v, w.owner(d));
    end_blind_trust(w, &mut s, d, w.owner(v));
    Ok(State { trusted: s.trusted.with(v, d).with(d, v), ..s })
}

/// Whether `me` has compared with `p`, on some device, all that the policy of `me` compares.
fn compared(w: &World, s: State, me: Person, p: Person) -> bool {
    let own = s.signed_in.and(w.of(me));
    let of_contact = s.signed_in.and(w.of(p));
    match w.policy(me).has_identity() {
        true => own.iter().any(|v| s.verified.has(v, p)),
        false => !reads_devices(w, me) || of_contact.iter().all(|d| own.iter().any(|v| s.trusted.has(v, d))),
    }
}

/// Whether the policy of `me` looks at single devices at all.
fn reads_devices(w: &World, me: Person) -> bool {
    let policy = w.policy(me);
    policy.looks_at_new_devices()
        || policy.recipients == Recipients::Verified
        || policy.own_requests == OwnRequests::Ask
}

/// A person answers the prompt about a device with yes. The careful verify instead.
pub fn accept_device(w: &World, s: State, v: Device, d: Device) -> Step {
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(s.seen.has(v, d), Blocked::NoPrompt);
    guard!(!s.accepted.has(v, d) && !s.blocked.has(v, d), Blocked::AnsweredAlready);
    guard!(w.hurried.has(w.owner(v)), Blocked::CarefulPerson);
    let trusted = if has_one_mark(w, v) { s.trusted.without(v, d) } else { s.trusted };
    Ok(State { accepted: s.accepted.with(v, d), trusted, ..s })
}

/// A person answers the prompt about a device with no, because no comparison with its claimed owner succeeds.
pub fn block_device(w: &World, s: State, v: Device, d: Device) -> Step {
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(s.seen.has(v, d), Blocked::NoPrompt);
    guard!(!s.accepted.has(v, d) && !s.blocked.has(v, d), Blocked::AnsweredAlready);
    guard!(s.held(w).has(d) && !s.trusted.has(v, d), Blocked::ComparisonSucceeds);
    Ok(State { blocked: s.blocked.with(v, d), ..s })
}

/// A person acknowledges a changed identity, or answers the prompt about a first one, without a comparison.
pub fn acknowledge(w: &World, s: State, v: Device, p: Person) -> Step {
    let me = w.owner(v);
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(s.offered.get(v, p) != Identity::None, Blocked::NoPrompt);
    let first = s.pinned.get(v, p) == Identity::None;
    let asks = match first {
        true => w.policy(me).first_contact == crate::policy::FirstContact::Ask,
        false => on_change(w, &s, v, p) == OnChange::Ask,
    };
    guard!(asks, Blocked::NeedsCeremony);
    guard!(w.hurried.has(me), Blocked::CarefulPerson);
    Ok(State {
        pinned: s.pinned.with(v, p, s.offered.get(v, p)),
        offered: s.offered.with(v, p, Identity::None),
        verified: s.verified.without(v, p),
        latched: s.latched.without(v, p),
        ..s
    })
}

/// A person gives up a verification: the pin stands again as if never verified.
pub fn withdraw(w: &World, s: State, v: Device, p: Person) -> Step {
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    // One's own identity has to be verified anew, or given up, only where another can take its place unasked.
    let policy = w.policy(w.owner(v));
    guard!(w.owner(v) != p || policy.own_change == OnOwnChange::TakenOver, Blocked::NeverVerified);
    guard!(s.latched.has(v, p), Blocked::NeverVerified);
    guard!(s.offered.get(v, p) == Identity::None, Blocked::UnansweredChange);
    guard!(!is_verified(w, &s, v, p), Blocked::VerifiedNow);
    guard!(policy.change_verified == OnChange::Ask, Blocked::NeedsCeremony);
    Ok(State { latched: s.latched.without(v, p), ..s })
}

/// Whom the client `v` takes to be in the room.
pub fn recognised_members(w: &World, s: &State, v: Device) -> Set<Person> {
    match w.policy(w.owner(v)).membership {
        Membership::ServerSilent | Membership::ServerShown => s.members,
        Membership::Signed => s.members.minus(w.uninvited),
    }
}

/// The situation of the listed device `d` of a contact, for the sender `v`.
#[inline]
pub fn situation(w: &World, s: &State, v: Device, contact: Contact, own: Own, view: View, d: Device) -> Situation {
    // What a yes means: that the device is known, or that its lack of a signature is to be ignored.
    let known = w.policy(w.owner(v)).looks_at_new_devices();
    let trust = match () {
        () if s.blocked.has(v, d) => LocalTrust::Blocked,
        () if s.accepted.has(v, d) && !known => LocalTrust::Ignored,
        () if s.trusted.has(v, d) => LocalTrust::Verified,
        () if s.accepted.has(v, d) => LocalTrust::Accepted,
        () => LocalTrust::Unset,
    };
    Situation {
        policy: *w.policy(w.owner(v)),
        own,
        contact,
        signed: contact != Contact::NoIdentity && view.signed.has(d),
        trust,
        dehydrated: w.dehydrated.has(d),
    }
}

/// What a client is told of each person whom it takes to be in the room.
type Told = [Option<View>; PEOPLE_MAX];

/// Asks about everybody in the room.
fn ask(w: &World, s: &State, v: Device, answers: &[Answer; PEOPLE_MAX]) -> Result<Told, Blocked> {
    let mut told = [None; PEOPLE_MAX];
    for p in recognised_members(w, s, v).iter() {
        told[p.0 as usize] = Some(view(w, s, v, p, answers[p.0 as usize])?);
    }
    Ok(told)
}

/// Everybody of whom something is told, and what.
fn each(told: &Told) -> impl Iterator<Item = (Person, View)> {
    told.iter().enumerate().filter_map(|(p, view)| Some((Person(p as u8), (*view)?)))
}

/// A message that a client prepares, hearing of one person in the room after another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// How the sender's own identity stands, once it was heard of.
    own: Option<Own>,
    /// What was told of those who were heard of before the sender: how they stand depends on it.
    told: Told,
    /// Who is to have the key, of all others.
    recipients: Set<Device>,
    /// Why the client sends nothing, and whether that is about a device.
    refusal: Option<(bool, Why)>,
}

impl Message {
    /// The client `v` hears this of `p`. `s` becomes what follows.
    #[inline]
    pub fn hear(&mut self, w: &World, s: &mut State, v: Device, p: Person, view: View) {
        absorb(w, s, v, p, view);
        self.told[p.0 as usize] = Some(view);
        if p == w.owner(v) {
            self.own = Some(own_identity(w, s, v, view));
        }
        // What is displayed does not depend on who was looked up first: the own identity may change what another's is.
        let Some(own) = self.own else { return };
        for (p, view) in each(&std::mem::take(&mut self.told)) {
            display(w, s, v, p, view);
            self.address(w, s, v, own, p, view);
        }
    }
    /// Decides which devices of `p` are given the key; an unanswered question refuses the whole send.
    fn address(&mut self, w: &World, s: &State, v: Device, own: Own, p: Person, view: View) {
        let standing = contact(w, s, v, p, view);
        // A contact's standing can stop the message even where no device of theirs is listed.
        if let Some(Decision::RefuseRoom(why)) = decide_contact(w.policy(w.owner(v)), own, standing) {
            return self.refuse(false, why);
        }
        for d in view.devices.union(view.clashing).without(v).iter() {
            match decide(&situation(w, s, v, standing, own, view, d)) {
                // What is sent to the id passes whoever gave it away.
                Decision::Share if view.devices.has(d) || w.rogue.has(d) => self.recipients = self.recipients.with(d),
                Decision::Share | Decision::Withhold(_) => {}
                Decision::RefuseRoom(why) => self.refuse(true, why),
            }
        }
    }
    fn refuse(&mut self, about_device: bool, why: Why) {
        // A question about a device comes before one about a contact.
        if about_device || self.refusal.is_none_or(|(about_device, _)| !about_device) {
            self.refusal = Some((about_device, why));
        }
    }
    /// Whether the client will not send it, whatever else it hears.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }
    /// Who is given the key.
    fn recipients(&self) -> Result<Set<Device>, Blocked> {
        self.own.ok_or(Blocked::NotAMember)?;
        self.refusal.map_or(Ok(self.recipients), |(_, why)| Err(Blocked::SendRefused(why)))
    }
}

/// The client `v` hears everything that it is told. `s` becomes what follows.
fn hear_all(w: &World, s: &mut State, v: Device, told: &Told) -> Message {
    each(told).fold(Message::default(), |mut message, (p, view)| {
        message.hear(w, s, v, p, view);
        message
    })
}

/// The client `v` looks everybody up afresh and sends one message to whoever its policy lets have the key.
pub fn send(w: &World, s: State, v: Device, answers: &[Answer; PEOPLE_MAX]) -> Step {
    may_send(w, &s, v)?;
    let told = ask(w, &s, v, answers)?;
    let mut s = s;
    let message = hear_all(w, &mut s, v, &told);
    deliver(w, s, v, &message)
}

/// Whether `v` is a client that can send to the room.
pub fn may_send(w: &World, s: &State, v: Device) -> Result<(), Blocked> {
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(w.senders.has(v), Blocked::NotASender);
    Ok(())
}

/// The client `v`, which has heard of everybody in the room, sends the message.
pub fn deliver(w: &World, s: State, v: Device, message: &Message) -> Step {
    let recipients = message.recipients()?;
    let readers = recipients.with(v);
    let honest = w.honest.minus(s.stolen);
    let reached = |p: Person| readers.meets(w.of(p));
    let others = s.members.minus(w.uninvited).without(w.owner(v));
    let prepared = w.arrives != Arrival::AfterVerification || others.iter().all(|p| compared(w, s, w.owner(v), p));
    let contacted = !s.active.on() && prepared && others.iter().all(reached);
    let after_removal: Set<Device> =
        recipients.and(s.rogue(w)).iter().filter(|&d| s.removed.meets(w.of(w.owner(d)))).collect();
    let era_is_past = s.existed.is_empty();
    let given = s.given.row(v).union(recipients.and(w.reused).minus(s.renamed));
    let unseen = w.policy(w.owner(v)).membership == Membership::ServerSilent;
    let s = State {
        past: if era_is_past { s.past.union(readers) } else { s.past },
        current: if era_is_past { s.current } else { s.current.union(readers) },
        after: s.after.union(after_removal),
        given: if era_is_past { s.given.with_row(v, given) } else { s.given },
        overheard: if misses_nobody(w, &s, readers) {
            s.overheard.union(recipients.and(s.rogue(w)))
        } else {
            s.overheard
        },
        all_read: Flag::of(s.all_read.on() || honest == w.honest && honest.within(readers)),
        ghosts: if unseen { s.ghosts.union(recipients.and(w.uninvited_devices)) } else { s.ghosts },
        contacted: if contacted { s.contacted.with(v) } else { s.contacted },
        ..s
    };
    Ok(back_up(w, s))
}

/// Clients put the keys that they hold into their person's backup, where there is one.
fn back_up(w: &World, s: State) -> State {
    let has_backup = |p: &Person| w.policy(*p).key_backup != KeyBackup::None;
    let of = |holders: Set<Device>| -> Set<Person> {
        let own = |p: &Person| holders.and(s.signed_in).meets(w.of(*p));
        w.all_people().filter(|p| has_backup(p) && own(p)).collect()
    };
    let (past, current) = (s.backed_past.union(of(s.past)), s.backed_current.union(of(s.current)));
    State { backed_past: past, backed_current: current, ..s }
}

/// Whether `readers` are, besides others, all honest devices in the room, those that were thrown off included.
fn misses_nobody(w: &World, s: &State, readers: Set<Device>) -> bool {
    let in_room: Set<Device> = s.members.minus(w.uninvited).iter().fold(Set::EMPTY, |all, p| all.union(w.of(p)));
    s.signed_in.union(s.evicted).and(in_room).minus(s.stolen).within(readers)
}

/// Whether a message of `v` would reach every honest device in the room, with the servers' true answers.
pub fn reaches_everybody(w: &World, s: State, v: Device) -> bool {
    let mut after = s;
    let told = ask(w, &s, v, &[Answer::Truth; PEOPLE_MAX]);
    let reached = told.and_then(|told| hear_all(w, &mut after, v, &told).recipients());
    reached.is_ok_and(|recipients| misses_nobody(w, &s, recipients.with(v)))
}

/// `by` gives the old keys it holds to another device of its own account that asked for them.
pub fn forward_keys(w: &World, s: State, by: Device, to: Device, answer: Answer) -> Step {
    let p = w.owner(by);
    let policy = w.policy(p);
    guard!(s.signed_in.has(by), Blocked::NotSignedIn);
    guard!(by != to && w.owner(to) == p, Blocked::NotOwnDevice);
    guard!(s.signed_in.has(to) || s.rogue(w).has(to), Blocked::NotSignedIn);
    guard!(s.past.has(by) || s.current.has(by), Blocked::NoKeysToGive);
    let told = view(w, &s, by, p, answer)?;
    guard!(told.devices.has(to), Blocked::NotListed);
    let mut s = s;
    absorb(w, &mut s, by, p, told);
    display(w, &mut s, by, p, told);
    let prompt = matches!(policy.own_requests, OwnRequests::Ask) && s.rogue(w).has(to);
    match policy.own_requests {
        OwnRequests::AnyOwnDevice => {}
        OwnRequests::Ask => {
            guard!(s.trusted.has(by, to) || w.hurried.has(p), Blocked::CarefulPerson);
        }
        OwnRequests::ApprovedDevices => {
            let by_identity = s.verified.has(by, p) && s.pinned.get(by, p) == told.identity && told.signed.has(to);
            guard!(s.trusted.has(by, to) || by_identity, Blocked::NotApproved);
            // Nor does an honest device take keys from one that it does not trust (matrix-sdk-crypto 0.18.0,
            // src/gossiping/machine.rs, should_accept_forward).
            let from_identity = s.verified.has(to, p) && s.pinned.get(to, p) == Identity::True && s.signed.has(by);
            let taken = s.rogue(w).has(to) || s.trusted.has(to, by) || from_identity;
            guard!(taken, Blocked::NotApproved);
        }
        OwnRequests::Never => guard!(false, Blocked::NeverForwarded),
    }
    let warned = if prompt { s.warned.with(p, p) } else { s.warned };
    Ok(hand_over(State { warned, ..s }, by, to))
}

/// The sender `v` sends a past key again to a recipient's device that says it lost it.
pub fn reshare_keys(w: &World, s: State, v: Device, to: Device, answer: Answer) -> Step {
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    let Some(h) = w.reuses(to) else { return Err(Blocked::NeverGiven) };
    guard!(w.owner(v) != w.owner(to), Blocked::NotOwnDevice);
    guard!(s.given.has(v, h), Blocked::NeverGiven);
    let told = view(w, &s, v, w.owner(to), answer)?;
    guard!(told.devices.has(to), Blocked::NotListed);
    match w.policy(w.owner(v)).re_share {
        ReShare::ByDeviceId => {}
        ReShare::ByKey => guard!(false, Blocked::OtherKey),
        ReShare::Never => guard!(false, Blocked::NeverForwarded),
    }
    // Nobody is asked about the device: the check for unknown ones belongs to sending (matrix-js-sdk,
    // src/crypto/index.js@fdb33b61, _processReceivedRoomKeyRequest).
    let mut unasked = s;
    absorb(w, &mut unasked, v, w.owner(to), told);
    display(w, &mut unasked, v, w.owner(to), told);
    Ok(State { past: s.past.with(to), seen: s.seen, warned: s.warned, ..unasked })
}

/// A person takes a device off the account that a client of theirs has shown and that is not theirs any more.
pub fn remove_device(w: &World, s: State, by: Device, d: Device) -> Step {
    guard!(w.has_option(HonestOption::RemoveDevice), Blocked::SwitchedOff);
    guard!(s.signed_in.has(by) && w.owner(by) == w.owner(d), Blocked::NotSignedIn);
    guard!(s.rogue(w).has(d), Blocked::NotHeld);
    guard!(s.shown.has(d), Blocked::NotShown);
    guard!(s.registered.has(d), Blocked::NotListed);
    // Where the primary device lets others in, it alone puts them out, and nobody puts out the primary
    // (Signal-Server, DeviceController.java@0075e94a, removeDevice).
    guard!(!w.policy(w.owner(d)).has_primary_device() || s.primary.has(by), Blocked::NotPrimary);
    Ok(State { registered: s.registered.without(d), removed: s.removed.with(d), ..s })
}

/// A person makes a new identity on `d`; the one before becomes old, or the adversary's if it holds the secret.
pub fn reset_identity(w: &World, s: State, d: Device, publication: Publication) -> Step {
    let p = w.owner(d);
    guard!(w.has_option(HonestOption::ResetIdentity), Blocked::SwitchedOff);
    guard!(s.born.has(p), Blocked::NoSuchIdentity);
    guard!(!s.stolen.has(d), Blocked::Stolen);
    can_replace(w, s, d, publication)?;
    let s = match w.policy(p).identity_replaced_by {
        IdentityReplacedBy::Password => {
            guard!(s.signed_in.has(d), Blocked::NotSignedIn);
            s
        }
        IdentityReplacedBy::Number | IdentityReplacedBy::NumberAndPin => take_number(w, s, d, publication),
        IdentityReplacedBy::Impossible => return Err(Blocked::IdentityNotReplaceable),
        IdentityReplacedBy::Unused => return Err(Blocked::NoSuchIdentity),
    };
    let label = if s.secrets.has(p) { Identity::Forged } else { Identity::Old };
    let own = |s: State| w.of(p).and(w.honest).iter().fold(s.verified, |all, v| all.with_row(v, Set::EMPTY));
    let keeps_verified = w.policy(p).verification_travels != VerificationTravels::OwnIdentity;
    let s = State {
        signed: s.signed.minus(w.of(p)),
        signed_old: s.signed_old.union(s.signed.and(w.of(p))),
        secrets: s.secrets.without(p),
        recovery: s.recovery.without(p),
        has_old: if label == Identity::Old { s.has_old.with(p) } else { s.has_old },
        pinned: s.pinned.relabelled(p, Identity::True, label),
        offered: s.offered.relabelled(p, Identity::True, label),
        // Verifications of others that the old identity had signed are gone with it; the latch remembers them.
        verified: if keeps_verified { s.verified } else { own(s) },
        vouched: w.all_people().fold(s.vouched, |all, q| all.without(q, p)),
        // What others signed of the identity before stays signed, and counts again if somebody shows it.
        vouched_old: match label {
            Identity::Old => {
                w.all_people().filter(|q| s.vouched.has(*q, p)).fold(s.vouched_old, |all, q| all.with(q, p))
            }
            _ => s.vouched_old,
        },
        ..s
    };
    let none = |vouched: Among| if keeps_verified { vouched } else { vouched.with_row(p, Set::EMPTY) };
    let mine = s.vouched_forged.iter().filter(|pair| pair.0 == p && !keeps_verified).collect();
    let vouched_forged = s.vouched_forged.minus(mine);
    let s = State { vouched: none(s.vouched), vouched_old: none(s.vouched_old), vouched_forged, ..s };
    Ok(publish(w, s, d, publication))
}

/// The number is registered anew on `d`: every other device of the account is off it.
fn take_number(w: &World, s: State, d: Device, publication: Publication) -> State {
    let others = w.of(w.owner(d)).without(d);
    let s = others.and(w.honest).minus(s.stolen).iter().fold(s, |s, d| forget(w, s, d));
    let s = State {
        registered: s.registered.minus(others),
        primary: s.primary.minus(others).with(d),
        signed_in: s.signed_in.minus(others).with(d),
        evicted: s.evicted.without(d),
        ..s
    };
    publish_device(w, State { registered: s.registered.without(d), ..s }, d, publication)
}

/// A person signs a device out; its client forgets everything.
pub fn log_out(w: &World, s: State, d: Device) -> Step {
    guard!(w.has_option(HonestOption::LogOut), Blocked::SwitchedOff);
    guard!(s.signed_in.has(d), Blocked::NotSignedIn);
    Ok(forget(w, State { signed_in: s.signed_in.without(d), registered: s.registered.without(d), ..s }, d))
}

/// The client `d` loses its memory and its keys; if it comes back, it comes with new ones under a new id.
pub fn forget(w: &World, s: State, d: Device) -> State {
    // Whoever holds its old keys under an id that another comes under now holds the signatures too.
    let kept = w.reused.has(d);
    State {
        renamed: if kept { s.renamed.with(d) } else { s.renamed },
        signed: if kept { s.signed } else { s.signed.without(d) },
        signed_old: if kept { s.signed_old } else { s.signed_old.without(d) },
        pinned: s.pinned.without_row(d),
        offered: s.offered.without_row(d),
        verified: s.verified.with_row(d, Set::EMPTY),
        latched: s.latched.with_row(d, Set::EMPTY),
        seen: s.seen.with_row(d, Set::EMPTY).without_column(d),
        accepted: s.accepted.with_row(d, Set::EMPTY).without_column(d),
        trusted: s.trusted.with_row(d, Set::EMPTY).without_column(d),
        blocked: s.blocked.with_row(d, Set::EMPTY).without_column(d),
        given: s.given.with_row(d, Set::EMPTY),
        stored: s.stored.with_row(d, Set::EMPTY),
        stored_signed: s.stored_signed.with_row(d, Set::EMPTY),
        looked: s.looked.with_row(d, Set::EMPTY),
        // Whoever forgets which log it was shown can be shown another, and has nothing left to compare
        // (draft-ietf-keytrans-architecture@58eff57d, section "State Loss").
        forked: s.forked.with_row(d, Set::EMPTY),
        past: s.past.without(d),
        current: s.current.without(d),
        ..s
    }
}

/// A person changes the account's password; what the adversary knew is worth nothing, unless it listens.
pub fn change_password(w: &World, s: State, d: Device) -> Step {
    let p = w.owner(d);
    guard!(w.has_option(HonestOption::ChangePassword), Blocked::SwitchedOff);
    guard!(s.signed_in.has(d), Blocked::NotSignedIn);
    guard!(w.policy(p).joins_by_password(), Blocked::NoPassword);
    let overheard = s.active.on() && w.vantage_on_client(d) && w.policy(p).login_proof == LoginProof::SecretSent;
    Ok(State { passwords: if overheard { s.passwords.with(p) } else { s.passwords.without(p) }, ..s })
}

/// A member invites somebody, and hands over the keys of earlier messages as the policy has it.
pub fn invite(w: &World, s: State, v: Device, p: Person, answer: Answer) -> Step {
    guard!(w.has_option(HonestOption::Invite), Blocked::SwitchedOff);
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(s.members.has(w.owner(v)), Blocked::NotAMember);
    guard!(!s.members.has(p), Blocked::MemberAlready);
    guard!(!w.uninvited.has(p), Blocked::Uninvited);
    let s = State { members: s.members.with(p), ..s };
    if w.policy(w.owner(v)).history_on_invite == HistoryOnInvite::None {
        guard!(answer == Answer::Truth, Blocked::NobodyAsks);
        return Ok(s);
    }
    let told = view(w, &s, v, p, answer)?;
    let mut s = s;
    absorb(w, &mut s, v, p, told);
    display(w, &mut s, v, p, told);
    let handed = entitled_to_history(w, &s, v, p, told).iter().fold(s, |s, d| hand_over(s, v, d));
    Ok(back_up(w, handed))
}

/// The devices of `p` that `v` hands the keys of earlier messages when it invites them.
fn entitled_to_history(w: &World, s: &State, v: Device, p: Person, told: View) -> Set<Device> {
    let standing = contact(w, s, v, p, told);
    let known = !matches!(standing, Contact::NoIdentity | Contact::New | Contact::VerifiedThenChanged);
    match w.policy(w.owner(v)).history_on_invite {
        HistoryOnInvite::HandedToAll => told.devices,
        // Who hands keys over so must have verified their own identity on the device.
        HistoryOnInvite::BoundOnly if known && s.verified.has(v, w.owner(v)) => told.signed.and(told.devices),
        HistoryOnInvite::BoundOnly | HistoryOnInvite::None => Set::EMPTY,
    }
}
