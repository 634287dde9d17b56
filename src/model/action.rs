//! Everything that can happen, as one finite enum, and what can stop it.

use super::bits::{Device, PEOPLE_MAX, Person, Set};
use super::decide::Why;
use super::directory::{Answer, answers, compare_logs, look_up};
use super::people::Publication;
use super::state::State;
use super::world::{HonestOption, World};
use super::{adversary, people};
use crate::policy::{CeremonyBinds, HistoryOnInvite, KeyBackup, Transparency};

/// The state that follows, or the guard that failed.
pub type Step = Result<State, Blocked>;

/// One conjunct of an action: if it does not hold, the action is blocked by name.
macro_rules! guard {
    ($holds:expr, $blocked:expr) => {
        if !super::action::passes!($holds) {
            return Err($blocked);
        }
    };
}
pub(super) use guard;

/// Whether a guard lets an action pass.
#[cfg(not(feature = "mutants"))]
macro_rules! passes {
    ($holds:expr) => {
        $holds
    };
}
/// Whether a guard lets an action pass: if it holds, or is switched off (see `mutants`).
#[cfg(feature = "mutants")]
macro_rules! passes {
    ($holds:expr) => {{
        static GUARD: super::mutants::Guard =
            super::mutants::Guard::new(file!(), line!(), column!(), stringify!($holds));
        GUARD.passes($holds)
    }};
}
pub(super) use passes;

/// Why an action cannot happen: one name for each guard, said as what is the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Blocked {
    /// The adversary has not arrived.
    NotArrived,
    /// It has.
    ArrivedAlready,
    /// Not everybody who sends has reached the others yet.
    NoFirstContact,
    /// The adversary does not have this power over this target.
    NoSuchPower,
    /// The adversary sits nowhere on the way of this answer or publication.
    NoVantage,
    /// The device is not in the adversary's hands, or not claimed to be this person's.
    NotHeld,
    /// The device is the adversary's.
    NotHonest,
    /// Joining this account takes its primary device's approval.
    JoiningNeedsExistingDevice,
    /// Only the account's primary device approves others.
    NotPrimary,
    /// The password is not known, or was changed.
    PasswordUnknown,
    /// The account has no password that opens anything, and the adversary no device that could do what it would.
    NoPassword,
    /// It can be stolen once.
    StolenAlready,
    /// The device was stolen.
    Stolen,
    /// The adversary is not told the code that a sign-in asks for besides the password.
    CodeUnknown,
    /// There is no identity key yet that a joining device could be given.
    NoIdentityToShare,
    /// The device's keys are signed with an identity key that the adversary does not hold.
    KeysAreBound,
    /// No identity is published here.
    NoIdentityPublished,
    /// The account has an identity already.
    IdentityExists,
    /// There is no such identity.
    NoSuchIdentity,
    /// The published identity is forged already.
    ForgedAlready,
    /// The password does not replace an identity under this policy.
    IdentityNotReplaceable,
    /// The first identity comes with the first device.
    FirstIdentityBound,
    /// The adversary has no session on the account.
    NoSession,
    /// The number does not open the account.
    NumberMeansNothing,
    /// The account has no recovery key, or the adversary does not have it.
    NoRecoveryKey,
    /// The adversary does not hold the identity's secret.
    NoIdentitySecret,
    /// The number alone does not open the account, and its PIN is not known.
    PinUnknown,
    /// Both devices have to be in one place.
    MustBePresent,
    /// There is no backup of the account's keys.
    NoBackup,
    /// Clients put keys only into a backup that their person's identity has signed.
    BackupIsSigned,
    /// No log that the owner's server signs says so.
    NotInLog,
    /// The client was shown the same log as everybody.
    SameLog,
    /// Nobody else's log is there to compare with.
    NobodyToCompareWith,
    /// Nobody is looked up here.
    NobodyAsks,
    /// Membership is signed by members.
    MembershipSigned,
    /// The client has no session.
    NotSignedIn,
    /// It has one.
    SignedInAlready,
    /// The device is registered.
    RegisteredAlready,
    /// The device id is in use.
    DeviceIdTaken,
    /// The client sends no messages in this scenario.
    NotASender,
    /// The account is not in the room.
    NotAMember,
    /// The account is in the room.
    MemberAlready,
    /// Nobody invites the adversary's account.
    Uninvited,
    /// The directory does not list the device.
    NotListed,
    /// The device has not been signed by the identity that the client accepts.
    NotApproved,
    /// It has.
    ApprovedAlready,
    /// Nothing is approved device by device here.
    NothingToApprove,
    /// There is nothing to compare under this policy.
    NothingToVerify,
    /// Nobody is there to compare with.
    NobodyMeets,
    /// The ceremony shows that the two sides see different keys.
    ComparisonFails,
    /// The device is its owner's, so a comparison succeeds.
    ComparisonSucceeds,
    /// There is no question to answer.
    NoPrompt,
    /// It has been answered.
    AnsweredAlready,
    /// The person says yes only to what was verified.
    CarefulPerson,
    /// The person sees it when keys differ.
    AttentivePerson,
    /// Only a ceremony lets this pass.
    NeedsCeremony,
    /// The contact was never verified.
    NeverVerified,
    /// The contact is verified now.
    VerifiedNow,
    /// A change waits for an answer first.
    UnansweredChange,
    /// The two devices are not of one account, or are where they must not be.
    NotOwnDevice,
    /// The device has no keys to give.
    NoKeysToGive,
    /// Keys are never given again under this policy.
    NeverForwarded,
    /// The sender has given nothing under this device id.
    NeverGiven,
    /// The device that asks has another key than the one that was given it.
    OtherKey,
    /// The owner's clients have not displayed the device.
    NotShown,
    /// The scenario leaves this action out.
    SwitchedOff,
    /// The send is refused as a whole.
    SendRefused(Why),
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The person signs in on the device; its keys reach the server as the publication says.
    SignIn(Device, Publication),
    /// The signed-in device publishes its person's first identity, which reaches the server as the publication says.
    PublishIdentity(Device, Publication),
    /// In a ceremony the device approves another of its person's, whose keys reach the server as the publication says.
    ApproveDevice(Device, Device, Publication),
    /// The client looks the person up and is told the answer.
    LookUp(Device, Person, Answer),
    /// The client's person compares the identity that the client was last shown of the other with theirs: they match.
    Verify(Device, Person),
    /// The client's person compares its keys and the other device's: they match, and both clients remember it.
    VerifyDevice(Device, Device),
    /// The client's person compares a forged identity of the other with theirs, and overlooks that they differ.
    OverlookIdentity(Device, Person),
    /// The client's person compares a rogue device's keys with its claimed owner's, and overlooks that they differ.
    OverlookDevice(Device, Device),
    /// The client's person is asked about the device and says yes, without a comparison.
    AcceptDevice(Device, Device),
    /// The client's person is asked about the device, which the adversary holds, and says no.
    BlockDevice(Device, Device),
    /// The client's person accepts the identity that it was shown of the other, without a comparison.
    Acknowledge(Device, Person),
    /// The client's person gives up a verification of the other that does not stand any more.
    Withdraw(Device, Person),
    /// The client looks every member up, is told the answer at each one's index, and sends one message.
    Send(Device, [Answer; PEOPLE_MAX]),
    /// The device gives the other one, which the answer lists on their account, the old keys that it holds.
    ForwardKeys(Device, Device, Answer),
    /// The sender gives an old key again to the device, which the answer lists under the id of one that had it.
    ReshareKeys(Device, Device, Answer),
    /// On the device its person takes another one, which the adversary holds, off the account.
    RemoveDevice(Device, Device),
    /// The person makes a new identity on the device, which reaches the server as the publication says.
    ResetIdentity(Device, Publication),
    /// The person signs the device out, and its client forgets everything.
    LogOut(Device),
    /// The person changes the account's password on the device.
    ChangePassword(Device),
    /// The client's person, a member, invites the other into the room; the client is told the answer about them.
    Invite(Device, Person, Answer),
    /// The client compares the log that it was shown with the auditors'.
    CompareLogs(Device),
    /// The adversary starts to act.
    Arrive,
    /// The adversary takes the person's password, which works once.
    StealPassword(Person),
    /// The adversary puts the device, which is in its hands, on the account of its claimed owner.
    RegisterDevice(Device),
    /// The adversary, who knows the password, signs the honest device out and deletes it.
    EvictDevice(Device),
    /// The adversary publishes an identity of its own for the person, which signs the honest devices too if so said.
    ForgeIdentity(Person, bool),
    /// The adversary registers the number of the device's claimed owner anew on it: all others are off the account.
    HijackNumber(Device),
    /// The adversary takes the person's recovery key.
    StealRecovery(Person),
    /// The adversary opens the secret of the person's identity with the recovery key.
    OpenRecovery(Person),
    /// The adversary signs the device, which is in its hands and registered, with its claimed owner's true identity.
    SignRogue(Device),
    /// The adversary takes the honest device, unlocked, with everything on it.
    StealDevice(Device),
    /// The stolen device, the primary one of its account, approves the adversary's device.
    LinkRogue(Device, Device),
    /// The person of the device is tricked into approving the adversary's device with it.
    PhishLink(Device, Device),
    /// The adversary puts the person, an account of its own, into the room.
    AddMember(Person),
    /// In a ceremony of the client's person with the other, the adversary has another identity confirmed.
    SwapInCeremony(Device, Person),
    /// The adversary makes a backup that it reads on the device, and the owner's clients put their keys into it.
    PlantBackup(Device),
    /// The adversary reads the owner's backup on the device.
    OpenBackup(Device),
}

/// The state after `a`, one of [`possible`], or why `a` cannot happen in `s`.
pub fn step(w: &World, s: State, a: Action) -> Step {
    step_from(w, &s, a)
}

/// The same, for a state that is not to be handed around: what a search spends is copying states, most of all.
#[inline]
pub(super) fn step_from(w: &World, s: &State, a: Action) -> Step {
    let mut next = follow(w, s, a);
    if let Ok(next) = &mut next {
        log_entries(w, next);
    }
    next
}

/// What the adversary made of people whose keys are logged, and their server lists, is in the log from now on.
#[inline]
pub(super) fn log_entries(w: &World, s: &mut State) {
    let of_adversary = |p: Person| s.replaced.has(p) || s.registered.and(w.rogue).meets(w.of(p));
    for p in w.all_people().filter(|&p| w.has_log(p)) {
        s.entered = if of_adversary(p) { s.entered.with(p) } else { s.entered };
    }
}

/// The state after `a`, as the rules of its kind have it.
fn follow(w: &World, s: &State, a: Action) -> Step {
    match a {
        Action::SignIn(d, publication) => people::sign_in(w, *s, d, publication),
        Action::PublishIdentity(d, publication) => people::publish_identity(w, *s, d, publication),
        Action::ApproveDevice(by, d, publication) => people::approve_device(w, *s, by, d, publication),
        Action::LookUp(v, p, answer) => look_up(w, *s, v, p, answer),
        Action::Verify(v, p) => people::verify(w, *s, v, p),
        Action::VerifyDevice(v, d) => people::verify_device(w, *s, v, d),
        Action::OverlookIdentity(v, p) => people::overlook_identity(w, *s, v, p),
        Action::OverlookDevice(v, d) => people::overlook_device(w, *s, v, d),
        Action::AcceptDevice(v, d) => people::accept_device(w, *s, v, d),
        Action::BlockDevice(v, d) => people::block_device(w, *s, v, d),
        Action::Acknowledge(v, p) => people::acknowledge(w, *s, v, p),
        Action::Withdraw(v, p) => people::withdraw(w, *s, v, p),
        Action::Send(v, answers) => people::send(w, *s, v, &answers),
        Action::ForwardKeys(by, to, answer) => people::forward_keys(w, *s, by, to, answer),
        Action::ReshareKeys(v, to, answer) => people::reshare_keys(w, *s, v, to, answer),
        Action::RemoveDevice(by, d) => people::remove_device(w, *s, by, d),
        Action::ResetIdentity(d, publication) => people::reset_identity(w, *s, d, publication),
        Action::LogOut(d) => people::log_out(w, *s, d),
        Action::ChangePassword(d) => people::change_password(w, *s, d),
        Action::Invite(v, p, answer) => people::invite(w, *s, v, p, answer),
        Action::CompareLogs(v) => compare_logs(w, *s, v),
        Action::Arrive => adversary::arrive(w, *s),
        Action::StealPassword(p) => adversary::steal_password(w, *s, p),
        Action::RegisterDevice(d) => adversary::register_device(w, *s, d),
        Action::EvictDevice(d) => adversary::evict_device(w, *s, d),
        Action::ForgeIdentity(p, stealthy) => adversary::forge_identity(w, *s, p, stealthy),
        Action::HijackNumber(d) => adversary::hijack_number(w, *s, d),
        Action::StealRecovery(p) => adversary::steal_recovery(w, *s, p),
        Action::OpenRecovery(p) => adversary::open_recovery(w, *s, p),
        Action::SignRogue(d) => adversary::sign_rogue(w, *s, d),
        Action::StealDevice(d) => adversary::steal_device(w, *s, d),
        Action::LinkRogue(by, d) => adversary::link_rogue(w, *s, by, d),
        Action::PhishLink(by, d) => adversary::phish_link(w, *s, by, d),
        Action::AddMember(p) => adversary::add_member(w, *s, p),
        Action::SwapInCeremony(v, p) => adversary::swap_in_ceremony(w, *s, v, p),
        Action::PlantBackup(d) => adversary::plant_backup(w, *s, d),
        Action::OpenBackup(d) => adversary::open_backup(w, *s, d),
    }
}

impl Action {
    /// Whether the adversary does this, or has a hand in it.
    pub fn is_adversarial(self) -> bool {
        match self {
            Self::SignIn(_, p) | Self::PublishIdentity(_, p) | Self::ApproveDevice(_, _, p) => p != Publication::Intact,
            Self::ResetIdentity(_, p) => p != Publication::Intact,
            Self::LookUp(_, _, a) | Self::ForwardKeys(_, _, a) | Self::ReshareKeys(_, _, a) => a != Answer::Truth,
            Self::Invite(_, _, a) => a != Answer::Truth,
            Self::Send(_, answers) => answers.iter().any(|&a| a != Answer::Truth),
            Self::Verify(..) | Self::VerifyDevice(..) | Self::AcceptDevice(..) | Self::BlockDevice(..) => false,
            Self::OverlookIdentity(..) | Self::OverlookDevice(..) => false,
            Self::Acknowledge(..) | Self::Withdraw(..) | Self::RemoveDevice(..) | Self::LogOut(..) => false,
            Self::ChangePassword(..) | Self::CompareLogs(..) => false,
            _ => true,
        }
    }
}

/// Every action that could ever happen in `w`, in the order that makes one trace less than another.
pub fn alphabet(w: &World) -> Vec<Action> {
    let mut all = Vec::new();
    for p in w.all_people() {
        own_actions(w, p, &mut all);
    }
    for v in w.honest.iter() {
        viewer_actions(w, v, &mut all);
    }
    adversary_actions(w, &mut all);
    all.sort_unstable();
    all.dedup();
    all
}

/// What a person's own devices do with and to each other.
fn own_actions(w: &World, p: Person, all: &mut Vec<Action>) {
    let honest = w.honest.and(w.of(p));
    for d in honest.iter() {
        let publications = publications(w, d);
        all.extend(
            publications
                .iter()
                .flat_map(|&x| [Action::SignIn(d, x), Action::PublishIdentity(d, x), Action::ResetIdentity(d, x)]),
        );
        all.extend([Action::LogOut(d), Action::ChangePassword(d)]);
        for by in honest.without(d).iter() {
            all.extend(publications.iter().map(|&x| Action::ApproveDevice(by, d, x)));
        }
        for to in w.of(p).without(d).iter() {
            all.extend(answers(w, d, p).map(|a| Action::ForwardKeys(d, to, a)));
        }
        all.extend(w.adversary_may_hold(p).without(d).iter().map(|r| Action::RemoveDevice(d, r)));
    }
}

/// What may become of something that `d` publishes.
fn publications(w: &World, d: Device) -> Vec<Publication> {
    let rogue = w.rogue.and(w.of(w.owner(d))).iter().filter(|&r| w.reuses(r).is_none());
    let vantage = w.vantage_on_client(d);
    let replaced = rogue.filter(|_| vantage).flat_map(|r| [Publication::Replaced(r), Publication::Joined(r)]);
    std::iter::once(Publication::Intact).chain(replaced).collect()
}

/// What a client does about those whom it looks up.
fn viewer_actions(w: &World, v: Device, all: &mut Vec<Action>) {
    let me = w.owner(v);
    let sends = w.senders.has(v);
    for p in w.all_people().filter(|&p| p == me || sends) {
        all.extend(answers(w, v, p).map(|a| Action::LookUp(v, p, a)));
        all.extend([Action::Verify(v, p), Action::Acknowledge(v, p), Action::Withdraw(v, p)]);
        all.extend(answers(w, v, p).map(|a| Action::Invite(v, p, a)));
        if p != me {
            all.extend([Action::SwapInCeremony(v, p), Action::OverlookIdentity(v, p)]);
            all.extend(w.rogue.and(w.of(p)).iter().map(|d| Action::OverlookDevice(v, d)));
        }
        for d in w.of(p).without(v).iter() {
            all.extend([Action::VerifyDevice(v, d), Action::AcceptDevice(v, d), Action::BlockDevice(v, d)]);
            all.extend(answers(w, v, p).map(|a| Action::ReshareKeys(v, d, a)));
        }
    }
    all.push(Action::CompareLogs(v));
    if sends {
        let truth = [Answer::Truth; PEOPLE_MAX];
        let all_answers = w.all_people().fold(vec![truth], |sofar, p| {
            let with = |base: &[Answer; PEOPLE_MAX], a| {
                let mut one = *base;
                one[p.0 as usize] = a;
                one
            };
            sofar.iter().flat_map(|base| answers(w, v, p).map(move |a| with(base, a))).collect()
        });
        all.extend(all_answers.into_iter().map(|a| Action::Send(v, a)));
    }
}

/// What the adversary does on its own.
fn adversary_actions(w: &World, all: &mut Vec<Action>) {
    all.push(Action::Arrive);
    for p in w.all_people() {
        all.extend([Action::StealPassword(p), Action::StealRecovery(p), Action::OpenRecovery(p), Action::AddMember(p)]);
        all.extend([Action::ForgeIdentity(p, false), Action::ForgeIdentity(p, true)]);
        let rogue: Set<Device> = w.rogue.and(w.of(p));
        for d in w.adversary_may_hold(p).iter() {
            all.extend([Action::RegisterDevice(d), Action::HijackNumber(d), Action::SignRogue(d)]);
            all.extend([Action::PlantBackup(d), Action::OpenBackup(d)]);
        }
        for by in w.honest.and(w.of(p)).iter() {
            all.extend([Action::EvictDevice(by), Action::StealDevice(by)]);
            all.extend(rogue.iter().flat_map(|d| [Action::LinkRogue(by, d), Action::PhishLink(by, d)]));
        }
    }
}

/// The alphabet without what no state of `w` allows: actions that need an option or a power which it does not have. In
/// the order of the alphabet.
pub fn possible(w: &World) -> Vec<Action> {
    let has = |o| w.has_option(o);
    let powers = &w.powers;
    let keep = |a: &Action| match *a {
        Action::RemoveDevice(..) => has(HonestOption::RemoveDevice),
        Action::ResetIdentity(..) => has(HonestOption::ResetIdentity),
        Action::LogOut(_) => has(HonestOption::LogOut),
        Action::ChangePassword(_) => has(HonestOption::ChangePassword),
        Action::Invite(v, _, answer) => {
            let asks = w.policy(w.owner(v)).history_on_invite != HistoryOnInvite::None;
            has(HonestOption::Invite) && (asks || answer == Answer::Truth)
        }
        Action::CompareLogs(v) => w.policy(w.owner(v)).transparency == Transparency::Gossip,
        Action::OverlookIdentity(v, _) | Action::OverlookDevice(v, _) => w.inattentive.has(w.owner(v)),
        Action::StealPassword(p) => powers.steal_password.has(p),
        Action::HijackNumber(d) => powers.hijack_number.has(w.owner(d)),
        Action::StealRecovery(p) | Action::OpenRecovery(p) => powers.steal_recovery.has(p),
        Action::StealDevice(d) | Action::LinkRogue(d, _) => powers.steal_device.has(d),
        Action::PhishLink(by, _) => powers.phish_link.has(w.owner(by)),
        Action::AddMember(p) => powers.add_member && w.uninvited.has(p),
        Action::SwapInCeremony(v, _) => w.policy(w.owner(v)).ceremony_binds == CeremonyBinds::Ids,
        Action::PlantBackup(d) => w.policy(w.owner(d)).key_backup == KeyBackup::ServerWord,
        Action::OpenBackup(d) => match w.policy(w.owner(d)).key_backup {
            KeyBackup::ServerHolds => true,
            KeyBackup::ServerWord | KeyBackup::Signed => powers.steal_recovery.has(w.owner(d)),
            KeyBackup::None => false,
        },
        _ => true,
    };
    alphabet(w).into_iter().filter(keep).collect()
}
