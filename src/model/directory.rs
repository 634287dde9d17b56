//! Looking somebody up: what a server or an adversary may answer, and what the viewer remembers of it.

use super::action::{Blocked, Step, guard};
use super::bits::{Device, Identity, Pair, Person, Set};
use super::decide::{Contact, Own};
use super::state::State;
use super::world::World;
use crate::policy::{
    Dehydrated, FirstContact, IdentityKind, LoginAlert, OnChange, OnNewDevice, OnOwnChange, OnUnsignedDevice,
    OwnInChain, Pins, Transparency, VerificationTravels,
};

/// The identity that a tampered answer shows, and what it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shown {
    /// None.
    Nothing,
    /// The true one, with what it has truly signed (and, if the adversary has its secret, the added devices).
    True,
    /// The one that the person has replaced, with what it had signed.
    Old,
    /// A forged one, which signs the added devices only.
    Forged,
    /// A forged one, which signs the honest devices as well: nobody is missed. Where clients use the identity key
    /// themselves, this stands for an adversary that passes the messages on.
    Stealth,
}

/// An answer that the adversary made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lie {
    /// The identity that the answer shows of the person.
    pub identity: Shown,
    /// Honest devices that the answer leaves out.
    pub left_out: Set<Device>,
    /// Devices in the adversary's hands that it lists; all others are left out, registered or not.
    pub added: Set<Device>,
}

/// What a client is told when it looks somebody up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// What the person's server holds.
    Truth,
    /// What somebody with a vantage on the way put in its place.
    Lie(Lie),
}

/// What an answer says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The identity that the answer shows of the person.
    pub identity: Identity,
    /// The listed devices whose keys the viewer takes for the person's.
    pub devices: Set<Device>,
    /// Those of the devices, and of the clashing ones, that `identity` signed.
    pub signed: Set<Device>,
    /// Devices whose id the answer gives to other keys than those that the viewer holds under it. Such a key is not
    /// taken over, so the device that came under the id is not in `devices`; the viewer goes on with the one that it
    /// holds, which can raise a question. A key sent to it is lost, unless it is the adversary's, who is on the way.
    pub clashing: Set<Device>,
    /// Whether the viewer's own signatures and records about the person came along.
    pub vouched: bool,
    /// Whether it stands in another log than the one that the person is shown.
    pub forked: bool,
}

/// What the server of `p` holds.
#[inline]
pub fn truth(w: &World, s: &State, p: Person) -> View {
    let devices = s.registered.and(w.of(p));
    let (identity, signed) = match (s.published.has(p), s.replaced.has(p)) {
        (false, _) => (Identity::None, Set::EMPTY),
        (true, false) => (Identity::True, s.signed),
        (true, true) if s.stealthy.has(p) => (Identity::Forged, devices),
        (true, true) => (Identity::Forged, s.held(w)),
    };
    View { identity, devices, signed: signed.and(devices), clashing: Set::EMPTY, vouched: true, forked: false }
}

/// What `answer` says of `p` to the client `v`, if it can be given at all.
#[inline]
pub fn view(w: &World, s: &State, v: Device, p: Person, answer: Answer) -> Result<View, Blocked> {
    let told = match answer {
        // Whoever was shown another log once is told it in that one: the true log does not continue it.
        Answer::Truth => View { forked: s.forked.has(v, p), ..truth(w, s, p) },
        Answer::Lie(lie) => {
            can_tell(w, s, v, p, lie)?;
            told(w, s, v, p, lie)
        }
    };
    Ok(if w.reused.is_empty() { told } else { as_held(w, s, v, p, told) })
}

/// What `told` comes to for the client `v`, which takes no other keys under an id than those that it holds.
fn as_held(w: &World, s: &State, v: Device, p: Person, told: View) -> View {
    let held_instead = |d: Device| same_id(w, s, d).and(s.stored.row(v));
    let rejected: Set<Device> = told.devices.iter().filter(|&d| !held_instead(d).is_empty()).collect();
    let clashing = rejected.iter().fold(Set::EMPTY, |all: Set<Device>, d| all.union(held_instead(d)));
    // The keys that the viewer holds bear the signatures that they came with.
    let copies = clashing.and(s.stored_signed.row(v));
    let by_secret = if s.secrets.has(p) { w.rogue } else { Set::EMPTY };
    let signed_before = match told.identity {
        Identity::True => copies.and(s.signed.union(by_secret)),
        Identity::Old => copies.and(s.signed_old),
        Identity::Forged => clashing.and(w.rogue),
        Identity::None => Set::EMPTY,
    };
    let signed = told.signed.minus(rejected).union(signed_before);
    View { devices: told.devices.minus(rejected), signed, clashing, ..told }
}

/// The other devices that have the id of `d`.
pub fn same_id(w: &World, s: &State, d: Device) -> Set<Device> {
    let reusing = |h: Device| w.rogue.iter().filter(|&r| w.reuses(r) == Some(h)).collect::<Set<Device>>();
    match w.reuses(d) {
        // What is held under the id may be the keys from before its honest device came back under another.
        Some(h) => reusing(h).without(d).with(h),
        None if w.reused.has(d) && !s.renamed.has(d) => reusing(d),
        None => Set::EMPTY,
    }
}

/// Whether the adversary can tell `lie` about `p` to the client `v`.
fn can_tell(w: &World, s: &State, v: Device, p: Person, lie: Lie) -> Result<(), Blocked> {
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.vantage_on_route(v, p), Blocked::NoVantage);
    // Only the server of `p` can show a log of its own making.
    guard!(!w.is_logged(v, p) || w.controls(p), Blocked::NotInLog);
    guard!(lie.added.within(s.held(w)), Blocked::NotHeld);
    let honest = listed_honest(w, s, p, lie);
    let id_is_free = |r: Device| w.reuses(r).is_none_or(|h| !honest.has(h) || s.renamed.has(h));
    guard!(lie.added.iter().all(id_is_free), Blocked::DeviceIdTaken);
    guard!(lie.identity != Shown::True || s.born.has(p), Blocked::NoSuchIdentity);
    guard!(lie.identity != Shown::Old || s.has_old.has(p), Blocked::NoSuchIdentity);
    Ok(())
}

/// The honest devices that `lie` lists of `p`.
// Devices that are signed in and not listed were replaced on publication; whoever replaced them can show them.
pub fn listed_honest(w: &World, s: &State, p: Person, lie: Lie) -> Set<Device> {
    s.signed_in.and(w.of(p)).minus(lie.left_out)
}

/// What `lie` says of `p` to the client `v`.
#[inline]
fn told(w: &World, s: &State, v: Device, p: Person, lie: Lie) -> View {
    let devices = listed_honest(w, s, p, lie).union(lie.added);
    let by_secret = if s.secrets.has(p) { lie.added } else { Set::EMPTY };
    let (identity, signed) = match lie.identity {
        Shown::Nothing => (Identity::None, Set::EMPTY),
        Shown::True => (Identity::True, s.signed.union(by_secret)),
        Shown::Old => (Identity::Old, s.signed_old),
        Shown::Forged => (Identity::Forged, lie.added),
        Shown::Stealth => (Identity::Forged, devices),
    };
    // What the viewer's own devices have stored comes from the viewer's own server, whoever answers about `p`. Someone
    // on that way keeps it back: no attack gains by letting it pass.
    let vouched = !w.vantage_on_client(v);
    let forked = w.is_logged(v, p);
    View { identity, devices, signed: signed.and(devices), clashing: Set::EMPTY, vouched, forked }
}

/// The client `v` looks `p` up and remembers what it is told.
pub fn look_up(w: &World, s: State, v: Device, p: Person, answer: Answer) -> Step {
    may_look_up(w, &s, v, p)?;
    let seen = view(w, &s, v, p, answer)?;
    let mut looked = s;
    see(w, &mut looked, v, p, seen);
    Ok(looked)
}

/// Whether `v` is a client that looks `p` up.
pub fn may_look_up(w: &World, s: &State, v: Device, p: Person) -> Result<(), Blocked> {
    let own = w.owner(v) == p;
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(own || w.senders.has(v), Blocked::NotASender);
    guard!(own || s.members.has(p), Blocked::NotAMember);
    Ok(())
}

/// The client `v` remembers and displays what it was told of `p`. `s` becomes what follows.
#[inline]
pub fn see(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    absorb(w, s, v, p, view);
    display(w, s, v, p, view);
}

/// The client `v` compares the log that it was shown with the auditors'.
pub fn compare_logs(w: &World, s: State, v: Device) -> Step {
    let me = w.owner(v);
    guard!(s.signed_in.has(v), Blocked::NotSignedIn);
    guard!(w.policy(me).transparency == Transparency::Gossip, Blocked::NobodyToCompareWith);
    guard!(!s.forked.row(v).is_empty(), Blocked::SameLog);
    Ok(State { warned: s.warned.with_row(me, s.warned.row(me).union(s.forked.row(v))), ..s })
}

/// What `v` remembers and its person is warned of once it was told `view` of `p`.
// The state is changed in place: most of what a search does is here, and a state is too large to be handed around.
pub fn absorb(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    s.existed = s.existed.union(view.devices.and(s.rogue(w)));
    s.forked = if view.forked { s.forked.with(v, p) } else { s.forked };
    absorb_own_list(w, s, v, p, view);
    absorb_identity(w, s, v, p, view);
    absorb_signature(w, s, v, p, view);
    absorb_devices(w, s, v, p, view);
}

/// What the client of `v` displays as verified of `p` once it was told `view` of them, and all else that came with it.
pub fn display(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    let confirmed = is_verified(w, s, v, p) && s.pinned.get(v, p) == view.identity;
    let by_identity = if confirmed || is_displayed_as_verified(w, s, v, p, view) { view.signed } else { Set::EMPTY };
    let green = by_identity.union(s.trusted.row(v)).and(view.devices).and(s.rogue(w));
    s.shown_verified = s.shown_verified.union(green);
}

/// Whether the application of `v` displays `p` as verified because it does not look at the state of the own identity: a
/// forged one signs whatever identity the adversary shows of others.
fn is_displayed_as_verified(w: &World, s: &State, v: Device, p: Person, view: View) -> bool {
    let me = w.owner(v);
    let ignores = w.policy(me).own_in_chain == OwnInChain::Ignored && me != p && w.vantage_on_client(v);
    ignores && view.identity == Identity::Forged && s.pinned.get(v, me) == Identity::Forged
}

/// An owner's client displays its own account's devices, to whatever end it fetched them.
#[inline]
fn absorb_own_list(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    if w.owner(v) != p {
        return;
    }
    s.looked.set_row(v, s.looked.row(v).union(s.existed.and(w.of(p))));
    // A client that knows dehydrated devices shows them in no list; to any other one is a device like any other.
    let hidden = if w.policy(p).dehydrated == Dehydrated::None { Set::EMPTY } else { w.dehydrated };
    let displayed = view.devices.minus(hidden);
    s.shown = s.shown.union(displayed.and(s.rogue(w)));
    // Another identity than the one that the client knows approves nothing there; one that knows none takes it.
    let known = s.pinned.get(v, p);
    let approved = if known == Identity::None || known == view.identity { view.signed } else { Set::EMPTY };
    let unknown = displayed.and(w.rogue).minus(approved);
    let audits = w.policy(p).login_alert == LoginAlert::ClientAudited && !unknown.is_empty();
    // An owner who watches the log knows their devices and their identity, and reads what was entered in between as
    // well (draft-ietf-keytrans-protocol@526cc8a1, section "Updating a Label": every version, in order).
    let in_between = !view.forked && s.entered.has(p);
    let entered = in_between || view.identity == Identity::Forged || view.devices.meets(w.rogue);
    let watches = w.has_log(p) && entered;
    s.warned = if audits || watches { s.warned.with(p, p) } else { s.warned };
}

/// The identity part of an answer: pin, hold against the pin, warn.
#[inline]
fn absorb_identity(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    let me = w.owner(v);
    let policy = w.policy(me);
    // A device that uses its person's identity key itself knows better than any answer.
    let knows_itself = me == p && policy.identity == IdentityKind::SharedByDevices;
    if !policy.has_identity() || knows_itself {
        return;
    }
    absorb_vouched(w, s, v, p, view);
    if view.identity == Identity::None {
        return;
    }
    let pin = s.pinned.get(v, p);
    if pin == view.identity {
        s.offered.set(v, p, Identity::None);
        return;
    }
    if pin == Identity::None {
        match policy.first_contact {
            FirstContact::Accept => s.pinned.set(v, p, view.identity),
            FirstContact::Ask | FirstContact::Ceremony => s.offered.set(v, p, view.identity),
        }
        return;
    }
    // Only a notice about something the adversary made counts: an honest reset must not excuse a later silence.
    let honest = view.identity == Identity::True && pin != Identity::Forged;
    let taken_over = me == p && policy.own_change == OnOwnChange::TakenOver;
    // Nothing is said of an own identity that is taken over and was never verified here.
    let on_change = on_change(w, s, v, p);
    let unsaid = honest || on_change == OnChange::Accept || taken_over && !s.latched.has(v, p);
    s.warned = if unsaid { s.warned } else { s.warned.with(me, p) };
    if taken_over {
        s.pinned.set(v, p, view.identity);
        s.offered.set(v, p, Identity::None);
        s.verified.set_row(v, s.verified.row(v).without(p));
        return;
    }
    match on_change {
        OnChange::Accept | OnChange::Notify => {
            s.pinned.set(v, p, view.identity);
            s.offered.set(v, p, Identity::None);
            s.verified.set_row(v, s.verified.row(v).without(p));
            s.latched.set_row(v, s.latched.row(v).without(p));
        }
        OnChange::Ask | OnChange::Refuse | OnChange::Unused => s.offered.set(v, p, view.identity),
    }
}

/// The signature of the viewer's own identity that came along with the accepted identity of `p`. It counts as soon as
/// the own identity is verified on `v`.
fn absorb_signature(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    let me = w.owner(v);
    let travels = w.policy(me).verification_travels == VerificationTravels::OwnIdentity;
    if travels && comes_signed(s, me, p, view) && s.pinned.get(v, p) == view.identity {
        s.verified.set_row(v, s.verified.row(v).with(p));
    }
}

/// What the person's other devices know of `p` and the answer brought along: a pin, a verification.
#[inline]
fn absorb_vouched(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    let me = w.owner(v);
    let policy = w.policy(me);
    let by_signature = policy.verification_travels == VerificationTravels::OwnIdentity && comes_signed(s, me, p, view);
    if !view.vouched && !by_signature {
        return;
    }
    let others = s.signed_in.and(w.of(me)).without(v);
    let pin = s.pinned.get(v, p);
    let synced = others.iter().map(|o| s.pinned.get(o, p)).find(|&i| i != Identity::None);
    let pin = match (policy.pins, pin, synced) {
        (Pins::Synced, Identity::None, Some(theirs)) => theirs,
        _ => pin,
    };
    let confirmed = match policy.verification_travels {
        VerificationTravels::PerDevice | VerificationTravels::TrustMessages => false,
        VerificationTravels::OwnIdentity => s.verified.has(v, me) && by_signature,
        VerificationTravels::SyncedByServer => others.iter().any(|o| s.verified.has(o, p) && s.pinned.get(o, p) == pin),
    };
    if !confirmed {
        s.pinned.set(v, p, pin);
        return;
    }
    let pin = if policy.verification_travels == VerificationTravels::OwnIdentity { view.identity } else { pin };
    s.pinned.set(v, p, pin);
    s.offered.set(v, p, Identity::None);
    s.verified.set_row(v, s.verified.row(v).with(p));
    s.latched.set_row(v, s.latched.row(v).with(p));
}

/// Whether the identity of `p` that is shown comes with the stored word of `me` that it is verified.
fn comes_signed(s: &State, me: Person, p: Person, view: View) -> bool {
    match view.identity {
        Identity::True => view.vouched && s.vouched.has(me, p),
        Identity::Old => view.vouched && s.vouched_old.has(me, p),
        // Whoever forged it has no reason to keep that back.
        Identity::Forged => s.vouched_forged.has(Pair(me, p)),
        Identity::None => false,
    }
}

/// The devices part of an answer: keys stored by id, and prompts about new devices.
#[inline]
fn absorb_devices(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    let me = w.owner(v);
    // Where no rogue device comes under another's id, nobody's keys by id need to be remembered.
    if !w.reused.is_empty() {
        let listed = view.devices.and(w.sharing_id()).minus(s.renamed);
        s.stored.set_row(v, s.stored.row(v).minus(w.of(p)).union(listed).union(view.clashing));
        // Whichever identity is shown, a device brings along what the others signed.
        let signed = match view.identity {
            Identity::True | Identity::Old => view.signed,
            Identity::None | Identity::Forged => s.signed.union(s.signed_old),
        };
        let kept = s.stored_signed.row(v).minus(w.of(p).minus(view.clashing));
        s.stored_signed.set_row(v, kept.union(listed.and(signed)));
    }
    // What was decided about a device goes with it when an answer does not list it.
    let policy = w.policy(me);
    let gone = w.of(p).minus(view.devices).minus(view.clashing);
    // Unless it is kept by fingerprint, listed or not.
    let gone = if policy.remembers_unlisted_devices() { Set::EMPTY } else { gone };
    for decided in [&mut s.trusted, &mut s.accepted, &mut s.blocked, &mut s.seen] {
        decided.set_row(v, decided.row(v).minus(gone));
    }
    let told = told_by_compared_devices(w, s, v, p, view).and(view.devices);
    s.trusted.set_row(v, s.trusted.row(v).union(told));
    if told.meets(w.of(p)) {
        end_blind_trust(w, s, v, p);
    }
    // A question is put when a message is to be sent; a mere look at a list asks nothing.
    if !w.senders.has(v) {
        return;
    }
    if policy.trusts_blindly_at_first() && !s.latched.has(v, p) {
        s.accepted.set_row(v, s.accepted.row(v).union(view.devices.without(v).minus(s.blocked.row(v))));
        return;
    }
    notify_of_devices(w, s, v, p, view);
    if !policy.asks_about_devices() {
        return;
    }
    let undecided = view.devices.without(v).minus(s.accepted.row(v)).minus(s.trusted.row(v));
    let questionable = match policy.new_device {
        OnNewDevice::Ask => view.devices.without(v),
        OnNewDevice::UntilCeremonyOldKept => undecided,
        _ if contact(w, s, v, p, view) == Contact::Verified => view.devices.minus(view.signed).without(v),
        _ => Set::EMPTY,
    };
    // A device that was compared is asked about no more, and stands in nobody's way.
    let rogue = questionable.minus(s.seen.row(v)).minus(s.trusted.row(v)).meets(s.rogue(w));
    s.seen.set_row(v, s.seen.row(v).union(questionable));
    s.warned = if rogue { s.warned.with(me, p) } else { s.warned };
}

/// A notice about devices of `p`, where the policy says no more than that: new ones, or unsigned ones.
#[inline]
fn notify_of_devices(w: &World, s: &mut State, v: Device, p: Person, view: View) {
    let me = w.owner(v);
    let policy = w.policy(me);
    let devices = view.devices.without(v);
    let known = s.accepted.row(v).union(s.trusted.row(v)).and(w.of(p));
    let noted = match () {
        () if policy.new_device == OnNewDevice::Notify => {
            s.accepted.set_row(v, s.accepted.row(v).union(devices));
            if known.is_empty() { Set::EMPTY } else { devices.minus(known) }
        }
        () if policy.unsigned_device == OnUnsignedDevice::Notify && s.pinned.get(v, p) != Identity::None => {
            devices.minus(view.signed)
        }
        () => Set::EMPTY,
    };
    s.warned = if noted.meets(s.rogue(w)) { s.warned.with(me, p) } else { s.warned };
}

/// With the first device of `p` that was compared, `v` trusts none of them blindly any more; where what was trusted so
/// before counts no more either, it is forgotten.
pub fn end_blind_trust(w: &World, s: &mut State, v: Device, p: Person) {
    let policy = w.policy(w.owner(v));
    if !policy.trusts_blindly_at_first() || s.latched.has(v, p) {
        return;
    }
    s.latched.set_row(v, s.latched.row(v).with(p));
    if policy.new_device == OnNewDevice::UntilCeremonyOldDropped {
        s.accepted.set_row(v, s.accepted.row(v).minus(w.of(p)));
    }
}

/// The devices that others have compared, as far as their word of it counts with `v` and came along.
fn told_by_compared_devices(w: &World, s: &State, v: Device, p: Person, view: View) -> Set<Device> {
    let me = w.owner(v);
    let others = s.signed_in.and(w.of(me)).without(v);
    let compared_by = |devices: Set<Device>| devices.iter().fold(Set::EMPTY, |all, o| all.union(s.trusted.row(o)));
    match w.policy(me).verification_travels {
        _ if !view.vouched => Set::EMPTY,
        VerificationTravels::PerDevice | VerificationTravels::OwnIdentity => Set::EMPTY,
        VerificationTravels::SyncedByServer => compared_by(others),
        VerificationTravels::TrustMessages => {
            let known = s.trusted.row(v);
            let of_contact = known.and(s.signed_in).and(w.of(p));
            // A stolen device that was compared, one's own or the contact's, speaks for what the adversary holds.
            let stolen = if known.and(s.stolen).meets(w.of(p).union(w.of(me))) { s.held(w) } else { Set::EMPTY };
            compared_by(known.and(others)).union(compared_by(of_contact).union(stolen).and(w.of(p)))
        }
    }
}

/// The rule that the policy of `v` has for a changed identity of `p`.
pub fn on_change(w: &World, s: &State, v: Device, p: Person) -> OnChange {
    let policy = w.policy(w.owner(v));
    if s.latched.has(v, p) { policy.change_verified } else { policy.change_unverified }
}

/// Whether what `v` has verified of `p` stands: where it is a signature of its own person's identity, it falls with
/// that.
pub fn is_verified(w: &World, s: &State, v: Device, p: Person) -> bool {
    let me = w.owner(v);
    let by_own_identity = w.policy(me).verification_travels == VerificationTravels::OwnIdentity;
    s.verified.has(v, p) && (!by_own_identity || s.verified.has(v, me))
}

/// How `p` stands with `v`, once `view` has been absorbed.
#[inline]
pub fn contact(w: &World, s: &State, v: Device, p: Person, view: View) -> Contact {
    let me = w.owner(v);
    if me == p && w.policy(me).identity == IdentityKind::SharedByDevices {
        return if view.identity == Identity::True { Contact::Verified } else { Contact::NoIdentity };
    }
    let pin = s.pinned.get(v, p);
    let changed = s.offered.get(v, p) != Identity::None && pin != Identity::None;
    match (view.identity, pin) {
        // An answer without an identity takes none away that the viewer holds (matrix-rust-sdk keeps the stored one).
        (Identity::None, Identity::None) => Contact::NoIdentity,
        (_, Identity::None) => Contact::New,
        _ if s.latched.has(v, p) && (changed || !is_verified(w, s, v, p)) => Contact::VerifiedThenChanged,
        _ if changed => Contact::Changed,
        _ if is_verified(w, s, v, p) => Contact::Verified,
        _ => Contact::Pinned,
    }
}

/// How the identity of the person of `v` stands on `v` itself.
#[inline]
pub fn own_identity(w: &World, s: &State, v: Device, view: View) -> Own {
    match contact(w, s, v, w.owner(v), view) {
        Contact::NoIdentity => Own::Absent,
        Contact::Verified => Own::Verified,
        _ => Own::Unverified,
    }
}

/// Every answer about `p` that the scenario's adversary could give to the client `v`, the truth first.
pub fn answers(w: &World, v: Device, p: Person) -> impl Iterator<Item = Answer> {
    let vantage = w.vantage_on_route(v, p);
    let identities: &[Shown] = match w.policy(p).has_identity() {
        true => &[Shown::Nothing, Shown::True, Shown::Old, Shown::Forged, Shown::Stealth],
        false => &[Shown::Nothing],
    };
    let honest = w.honest.and(w.of(p)).without(v);
    let held = w.adversary_may_hold(p);
    let lies = identities.iter().flat_map(move |&identity| {
        honest
            .subsets()
            .flat_map(move |left_out| held.subsets().map(move |added| Answer::Lie(Lie { identity, left_out, added })))
    });
    std::iter::once(Answer::Truth).chain(lies.filter(move |_| vantage))
}
