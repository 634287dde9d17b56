//! What the adversary does besides answering lookups and replacing publications: small steps that combine.

use super::action::{Blocked, Step, guard};
use super::bits::{Device, Flag, Person};
use super::people::{confirm_forged, hand_over, holds_identity, id_is_free, mark_as_compared};
use super::state::State;
use super::world::{Arrival, World};
use crate::policy::{
    CeremonyBinds, FirstIdentity, HistoryOnLink, IdentityKind, IdentityReplacedBy, Joining, KeyBackup, LoginAlert,
    Membership, OnOwnChange,
};

/// The adversary starts to act, once people have sent what its time of arrival waits for.
pub fn arrive(w: &World, s: State) -> Step {
    guard!(!s.active.on(), Blocked::ArrivedAlready);
    let has_sent = |d: Device| match w.arrives {
        Arrival::AfterVerification => s.contacted.has(d),
        // A device that joins later to send is part of what the adversary may find unprepared.
        Arrival::FromStart | Arrival::AfterFirstContact => s.contacted.meets(w.of(w.owner(d))),
    };
    guard!(w.senders.iter().all(has_sent), Blocked::NoFirstContact);
    Ok(State { active: Flag::ON, ..s })
}

/// The adversary takes a password from its owner's safe or by phishing. It works once.
pub fn steal_password(w: &World, s: State, p: Person) -> Step {
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.powers.steal_password.has(p), Blocked::NoSuchPower);
    guard!(password_matters(w, p), Blocked::NoPassword);
    guard!(!s.passwords_stolen.has(p), Blocked::StolenAlready);
    Ok(State { passwords: s.passwords.with(p), passwords_stolen: s.passwords_stolen.with(p), ..s })
}

/// Whether the account of `p` has a password that opens anything.
pub fn password_matters(w: &World, p: Person) -> bool {
    let policy = w.policy(p);
    policy.joins_by_password() || policy.identity_replaced_by == IdentityReplacedBy::Password
}

/// Whether the adversary can be told the code that a sign-in asks for besides the password, where it does.
fn has_code(w: &World, s: State, p: Person) -> bool {
    // Whatever is on the account displays it.
    let displayed = s.rogue(w).and(s.registered).meets(w.of(p));
    w.policy(p).joining != Joining::PasswordAndCode || displayed || w.powers.hijack_number.has(p)
}

/// Whether the adversary can open what the account of `p` stores.
fn enters_account(w: &World, s: State, p: Person) -> Result<(), Blocked> {
    guard!(s.passwords.has(p) || w.controls(p), Blocked::PasswordUnknown);
    guard!(has_code(w, s, p) || w.controls(p), Blocked::CodeUnknown);
    Ok(())
}

/// The adversary signs a device in its hands in to the account of `d`'s claimed owner.
pub fn register_device(w: &World, s: State, d: Device) -> Step {
    let p = w.owner(d);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(s.rogue(w).has(d), Blocked::NotHeld);
    guard!(!s.registered.has(d), Blocked::RegisteredAlready);
    // A server lists what it likes, whatever the rules for joining.
    let by_recovery = w.policy(p).joining == Joining::AnyDevice && s.recovery.has(p);
    if !w.controls(p) && !by_recovery {
        guard!(w.policy(p).joins_by_password(), Blocked::JoiningNeedsExistingDevice);
        enters_account(w, s, p)?;
    }
    guard!(id_is_free(w, s, d), Blocked::DeviceIdTaken);
    let by_password = w.policy(p).joins_by_password() && s.passwords.has(p) && has_code(w, s, p);
    let shares = w.policy(p).identity == IdentityKind::SharedByDevices;
    guard!(!shares || s.born.has(p) || w.controls(p), Blocked::NoIdentityToShare);
    // A device that joins by password where all devices share one identity key is given that key, and so is one that
    // the recovery key lets in.
    let given_identity = (shares && by_password || by_recovery) && s.born.has(p) && !s.replaced.has(p);
    let tells = w.policy(p).login_alert == LoginAlert::ServerTells && !w.controls(p);
    let warned = if tells { s.warned.with(p, p) } else { s.warned };
    let s = State { warned, ..list(s, d) };
    Ok(if given_identity { hold_identity(s, d, p) } else { s })
}

/// The account lists the adversary's device `d`: whoever has looked has to look again to see it.
fn list(s: State, d: Device) -> State {
    let looked = s.looked.without_column(d);
    State { registered: s.registered.with(d), existed: s.existed.with(d), looked, ..s }
}

/// The adversary holds the true identity's secret of `p`, which signs `d`.
fn hold_identity(s: State, d: Device, p: Person) -> State {
    State { secrets: s.secrets.with(p), signed: s.signed.with(d), ..s }
}

/// Whether the adversary holds a device on the account of `p` that can take others off it.
fn holds_removing_device(w: &World, s: State, p: Person) -> bool {
    let policy = w.policy(p);
    let removes = |r: &Device| !policy.has_primary_device() || s.primary.has(*r);
    let is_approved = |r: &Device| !policy.has_identity() || s.signed.has(*r);
    s.rogue(w).and(s.registered).and(w.of(p)).iter().any(|r| removes(&r) && is_approved(&r))
}

/// The adversary signs an honest device out and deletes it: by the password, or on a device that can remove others
/// (Signal-Server, DeviceController.java@0075e94a, removeDevice).
pub fn evict_device(w: &World, s: State, d: Device) -> Step {
    let p = w.owner(d);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.honest.has(d) && !s.stolen.has(d), Blocked::NotHonest);
    guard!(s.registered.has(d), Blocked::NotListed);
    if w.policy(p).joins_by_password() {
        guard!(s.passwords.has(p), Blocked::PasswordUnknown);
        guard!(has_code(w, s, p), Blocked::CodeUnknown);
    } else {
        guard!(holds_removing_device(w, s, p), Blocked::NoPassword);
    }
    let s = State {
        registered: s.registered.without(d),
        signed_in: s.signed_in.without(d),
        evicted: s.evicted.with(d),
        // The person's client says that it was signed out.
        warned: s.warned.with(p, p),
        ..s
    };
    Ok(super::people::forget(w, s, d))
}

/// The adversary publishes an identity of its own for `p`: as the first one, or in place of the true one.
pub fn forge_identity(w: &World, s: State, p: Person, stealthy: bool) -> Step {
    let policy = w.policy(p);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(policy.has_identity(), Blocked::NoSuchIdentity);
    guard!(!s.replaced.has(p), Blocked::ForgedAlready);
    // A session is a device of the adversary's on the account, or the token of a client whose link it reads.
    let overheard = s.signed_in.and(w.of(p)).iter().any(|c| w.vantage_on_client(c));
    guard!(s.registered.meets(s.rogue(w).and(w.of(p))) || overheard || w.controls(p), Blocked::NoSession);
    if w.controls(p) {
        // A server shows what it likes.
    } else if s.published.has(p) {
        guard!(policy.identity_replaced_by == IdentityReplacedBy::Password, Blocked::IdentityNotReplaceable);
        guard!(s.passwords.has(p), Blocked::PasswordUnknown);
    } else {
        guard!(policy.first_identity == FirstIdentity::AnySessionLater, Blocked::FirstIdentityBound);
    }
    Ok(State {
        published: s.published.with(p),
        replaced: s.replaced.with(p),
        stealthy: if stealthy { s.stealthy.with(p) } else { s.stealthy.without(p) },
        ..s
    })
}

/// The adversary registers the number of `p` anew, on its own device: all others are off the account.
pub fn hijack_number(w: &World, s: State, d: Device) -> Step {
    let p = w.owner(d);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.powers.hijack_number.has(p), Blocked::NoSuchPower);
    guard!(w.rogue.has(d), Blocked::NotHeld);
    let opens = w.policy(p).identity_replaced_by;
    guard!(matches!(opens, IdentityReplacedBy::Number | IdentityReplacedBy::NumberAndPin), Blocked::NumberMeansNothing);
    guard!(s.born.has(p), Blocked::NoSuchIdentity);
    guard!(!s.registered.has(d), Blocked::RegisteredAlready);
    let thrown_off = s.signed_in.and(w.of(p));
    guard!(opens == IdentityReplacedBy::Number || !thrown_off.is_empty(), Blocked::PinUnknown);
    // The person's own client says that the number was registered elsewhere.
    let warned = if thrown_off.is_empty() { s.warned } else { s.warned.with(p, p) };
    let s = State { signed_in: s.signed_in.minus(w.of(p)), evicted: s.evicted.union(thrown_off), warned, ..s };
    if opens == IdentityReplacedBy::NumberAndPin {
        // Whoever has the number and not the PIN gets no further (Signal-Server, RegistrationLockVerificationManager
        // @48954c9f: the account's credentials are frozen and its devices disconnected).
        return Ok(s);
    }
    Ok(State {
        registered: s.registered.minus(w.of(p)).with(d),
        primary: s.primary.minus(w.of(p)).with(d),
        existed: s.existed.with(d),
        published: s.published.with(p),
        replaced: s.replaced.with(p),
        stealthy: s.stealthy.without(p),
        ..s
    })
}

/// The adversary takes a recovery key.
pub fn steal_recovery(w: &World, s: State, p: Person) -> Step {
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.powers.steal_recovery.has(p), Blocked::NoSuchPower);
    guard!(w.policy(p).identity == IdentityKind::SignsDevices, Blocked::NoRecoveryKey);
    guard!(s.born.has(p), Blocked::NoSuchIdentity);
    guard!(!s.recovery.has(p), Blocked::StolenAlready);
    Ok(State { recovery: s.recovery.with(p), ..s })
}

/// With the recovery key and access to the account's storage, the adversary opens the identity's secret.
pub fn open_recovery(w: &World, s: State, p: Person) -> Step {
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(s.recovery.has(p), Blocked::NoRecoveryKey);
    enters_account(w, s, p)?;
    guard!(!s.secrets.has(p), Blocked::StolenAlready);
    Ok(State { secrets: s.secrets.with(p), ..s })
}

/// The adversary signs its registered device with the true identity, whose secret it holds.
pub fn sign_rogue(w: &World, s: State, d: Device) -> Step {
    let p = w.owner(d);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(s.rogue(w).has(d) && s.registered.has(d), Blocked::NotListed);
    guard!(w.policy(p).identity == IdentityKind::SignsDevices, Blocked::NothingToApprove);
    guard!(s.secrets.has(p), Blocked::NoIdentitySecret);
    guard!(!s.signed.has(d), Blocked::ApprovedAlready);
    Ok(State { signed: s.signed.with(d), ..s })
}

/// The adversary takes an honest device, unlocked, with everything on it.
pub fn steal_device(w: &World, s: State, d: Device) -> Step {
    let p = w.owner(d);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.powers.steal_device.has(d), Blocked::NoSuchPower);
    guard!(s.signed_in.has(d), Blocked::NotSignedIn);
    // An approved device holds the secret, whether the identity key is shared or signs.
    let secrets = if holds_identity(w, s, d) { s.secrets.with(p) } else { s.secrets };
    Ok(State { stolen: s.stolen.with(d), signed_in: s.signed_in.without(d), existed: s.existed.with(d), secrets, ..s })
}

/// A stolen device that is still on the account approves another of the adversary's.
pub fn link_rogue(w: &World, s: State, by: Device, d: Device) -> Step {
    let p = w.owner(d);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(s.stolen.has(by) && w.owner(by) == p, Blocked::NotHeld);
    guard!(s.registered.has(by), Blocked::NotListed);
    guard!(!w.policy(p).has_primary_device() || s.primary.has(by), Blocked::NotPrimary);
    guard!(!w.policy(p).has_identity() || s.signed.has(by), Blocked::NotApproved);
    guard!(w.rogue.has(d), Blocked::NotHeld);
    guard!(!s.registered.has(d), Blocked::RegisteredAlready);
    guard!(id_is_free(w, s, d), Blocked::DeviceIdTaken);
    guard!(w.policy(p).joins_by_approval(), Blocked::NothingToApprove);
    let tells = w.policy(p).login_alert == LoginAlert::ServerTells && !w.controls(p);
    let warned = if tells { s.warned.with(p, p) } else { s.warned };
    let s = State { warned, ..list(s, d) };
    Ok(if w.policy(p).has_identity() { hold_identity(s, d, p) } else { s })
}

/// The person of `by` is tricked into approving the adversary's device.
pub fn phish_link(w: &World, s: State, by: Device, d: Device) -> Step {
    let p = w.owner(d);
    let policy = w.policy(p);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.powers.phish_link.has(p), Blocked::NoSuchPower);
    guard!(s.signed_in.has(by) && w.owner(by) == p, Blocked::NotSignedIn);
    guard!(w.rogue.has(d), Blocked::NotHeld);
    guard!(id_is_free(w, s, d), Blocked::DeviceIdTaken);
    // Nobody is tricked into approving a device that lies before them.
    guard!(policy.joining != Joining::InPerson, Blocked::MustBePresent);
    match policy.joining {
        Joining::AnyDevice | Joining::ExistingDevice | Joining::InPerson => {
            guard!(!s.registered.has(d), Blocked::RegisteredAlready);
            guard!(!policy.has_primary_device() || s.primary.has(by), Blocked::NotPrimary);
            guard!(!policy.has_identity() || holds_identity(w, s, by), Blocked::NotApproved);
        }
        Joining::PasswordAndCode if !s.registered.has(d) => {
            guard!(s.passwords.has(p), Blocked::PasswordUnknown);
            return Ok(read_code_out(w, s, d));
        }
        Joining::Password | Joining::PasswordAndCode => {
            guard!(policy.identity == IdentityKind::SignsDevices, Blocked::NothingToApprove);
            guard!(s.registered.has(d), Blocked::NoSession);
            guard!(holds_identity(w, s, by), Blocked::NotApproved);
            // The ceremony has the client look its account up, and take over what it finds there.
            let taken_over = policy.own_change == OnOwnChange::TakenOver && s.replaced.has(p);
            guard!(!taken_over, Blocked::ComparisonFails);
            guard!(!s.signed.has(d), Blocked::ApprovedAlready);
        }
    }
    let s = State { shown: s.shown.with(d), warned: s.warned.with(p, p), ..list(s, d) };
    let s = if policy.identity == IdentityKind::SignsDevices { mark_as_compared(w, s, by, d) } else { s };
    let s = if policy.history_on_link == HistoryOnLink::HandedOver { hand_over(s, by, d) } else { s };
    Ok(if policy.has_identity() { hold_identity(s, d, p) } else { s })
}

/// The person of `d` reads the code out with which it signs in, by their password.
fn read_code_out(w: &World, s: State, d: Device) -> State {
    let p = w.owner(d);
    let shares = w.policy(p).identity == IdentityKind::SharedByDevices && s.born.has(p) && !s.replaced.has(p);
    let s = State { shown: s.shown.with(d), warned: s.warned.with(p, p), ..list(s, d) };
    if shares { hold_identity(s, d, p) } else { s }
}

/// The adversary's own account appears in the room, where membership is the server's word.
pub fn add_member(w: &World, s: State, p: Person) -> Step {
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.powers.add_member, Blocked::NoSuchPower);
    guard!(w.uninvited.has(p), Blocked::NotHeld);
    guard!(!s.members.has(p), Blocked::MemberAlready);
    let by_word = |q: Person| w.policy(q).membership != Membership::Signed;
    guard!(s.members.iter().any(by_word), Blocked::MembershipSigned);
    Ok(State { members: s.members.with(p), ..s })
}

/// The owner's server makes a backup of its own, which `d` reads, and their clients put their keys into it.
pub fn plant_backup(w: &World, s: State, d: Device) -> Step {
    let p = w.owner(d);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.rogue.has(d), Blocked::NotHeld);
    guard!(w.policy(p).key_backup == KeyBackup::ServerWord, Blocked::BackupIsSigned);
    guard!(w.controls(p), Blocked::NoVantage);
    let clients = s.signed_in.and(w.of(p));
    let s = State { existed: s.existed.with(d), ..s };
    Ok(clients.iter().fold(s, |s, c| hand_over(s, c, d)))
}

/// With access to the account's storage, and the recovery key where it takes one, the adversary reads the backup, on
/// `d`.
pub fn open_backup(w: &World, s: State, d: Device) -> Step {
    let p = w.owner(d);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.rogue.has(d), Blocked::NotHeld);
    let policy = w.policy(p);
    guard!(policy.key_backup != KeyBackup::None, Blocked::NoBackup);
    guard!(policy.key_backup == KeyBackup::ServerHolds || s.recovery.has(p), Blocked::NoRecoveryKey);
    enters_account(w, s, p)?;
    Ok(State {
        existed: s.existed.with(d),
        past: if s.backed_past.has(p) { s.past.with(d) } else { s.past },
        current: if s.backed_current.has(p) { s.current.with(d) } else { s.current },
        ..s
    })
}

/// The identity that a ceremony confirms is not the one compared: the server passes its own key off as a device's id,
/// and the client of `v` looks up what goes by that id once the strings were found equal.
pub fn swap_in_ceremony(w: &World, s: State, v: Device, p: Person) -> Step {
    let me = w.owner(v);
    guard!(s.active.on(), Blocked::NotArrived);
    guard!(w.controls(p), Blocked::NoVantage);
    guard!(w.policy(me).ceremony_binds == CeremonyBinds::Ids, Blocked::KeysAreBound);
    guard!(s.signed_in.has(v) && me != p, Blocked::NotSignedIn);
    guard!(s.signed_in.meets(w.of(p)), Blocked::NobodyMeets);
    guard!(s.verified.has(v, me), Blocked::NotApproved);
    Ok(confirm_forged(w, s, v, p))
}
