//! Who gets a key: one function over a finite, enumerable [`Situation`], read from top to bottom.

use crate::policy::{BlockScope, Dehydrated, OnChange, OnUnsignedDevice, Policy, Recipients, SenderIdentity};

/// The sender's own identity, as the sending device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Own {
    /// Not set up, or identities do not exist.
    Absent,
    /// There, but not confirmed on this device.
    Unverified,
    /// There, and confirmed on this device.
    Verified,
}

/// How the owner of a device stands with the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Contact {
    /// The answer shows no identity.
    NoIdentity,
    /// An identity is shown that was neither accepted nor refused yet.
    New,
    /// The shown identity is the pin.
    Pinned,
    /// The shown identity is the pin, and a ceremony confirmed it.
    Verified,
    /// The shown identity is not the pin.
    Changed,
    /// The contact was verified once, and is not any more.
    VerifiedThenChanged,
}

/// What the viewer's person has decided about the one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LocalTrust {
    /// Nothing.
    Unset,
    /// Shown once, and let through.
    Accepted,
    /// Compared in a ceremony.
    Verified,
    /// To be treated as if verified.
    Ignored,
    /// Refused: it is given no key.
    Blocked,
}

/// All that a decision about one device may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Situation {
    /// The policy of the sending client.
    pub policy: Policy,
    /// How the identity of the sending person stands on the sending device.
    pub own: Own,
    /// How the owner of the device stands with the sender.
    pub contact: Contact,
    /// Whether the shown identity signed the device.
    pub signed: bool,
    /// What the sending person has decided about the device itself.
    pub trust: LocalTrust,
    /// Whether it is a dehydrated device: one whose private keys the server stores, encrypted.
    pub dehydrated: bool,
}

/// Why a device is not given a key while others are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The viewer's person blocked it.
    Blocked,
    /// The owner's identity has not signed it.
    Unsigned,
    /// It was not verified.
    Unverified,
    /// The owner's identity was not accepted yet.
    ContactNotAccepted,
    /// The owner's identity changed.
    ContactChanged,
}

/// Why nobody is given a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The sender has no identity.
    OwnIdentityAbsent,
    /// The sender's identity is not confirmed on the sending device.
    OwnIdentityUnverified,
    /// A contact's identity changed.
    ContactChanged,
    /// A prompt about the device has not been answered.
    UnknownDevice,
    /// A verified contact's identity has not signed the device, and a prompt about it has not been answered.
    UnsignedDevice,
}

/// The outcome for one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// It is given the key.
    Share,
    /// It is given no key, for this reason, and the others are decided on their own.
    Withhold(Code),
    /// Nobody is given a key, for this reason.
    RefuseRoom(Why),
}

/// Every situation under one policy.
pub fn situations(policy: Policy) -> impl Iterator<Item = Situation> {
    const OWN: [Own; 3] = [Own::Absent, Own::Unverified, Own::Verified];
    const CONTACT: [Contact; 6] = [
        Contact::NoIdentity,
        Contact::New,
        Contact::Pinned,
        Contact::Verified,
        Contact::Changed,
        Contact::VerifiedThenChanged,
    ];
    const TRUST: [LocalTrust; 5] =
        [LocalTrust::Unset, LocalTrust::Accepted, LocalTrust::Verified, LocalTrust::Ignored, LocalTrust::Blocked];
    let pairs = OWN.into_iter().flat_map(|own| CONTACT.map(|contact| (own, contact)));
    let devices =
        || TRUST.into_iter().flat_map(|t| [(t, false, false), (t, false, true), (t, true, false), (t, true, true)]);
    pairs.flat_map(move |(own, contact)| {
        devices().map(move |(trust, signed, dehydrated)| Situation { policy, own, contact, signed, trust, dehydrated })
    })
}

/// Decides what a contact's standing, and the sender's own, means for all of the contact's devices alike, listed or
/// not.
pub fn decide_contact(policy: &Policy, own: Own, contact: Contact) -> Option<Decision> {
    use Decision::{RefuseRoom, Withhold};
    match (policy.sender_identity, own) {
        (SenderIdentity::MustBeVerified, Own::Absent) => return Some(RefuseRoom(Why::OwnIdentityAbsent)),
        (SenderIdentity::MustBeVerified, Own::Unverified) => return Some(RefuseRoom(Why::OwnIdentityUnverified)),
        _ => {}
    }
    let on_change = match contact {
        Contact::Changed => policy.change_unverified,
        Contact::VerifiedThenChanged => policy.change_verified,
        _ => return None,
    };
    match (on_change, policy.block_scope) {
        (OnChange::Accept | OnChange::Notify | OnChange::Unused, _) => None,
        (OnChange::Ask | OnChange::Refuse, BlockScope::Room) => Some(RefuseRoom(Why::ContactChanged)),
        (OnChange::Ask | OnChange::Refuse, _) => Some(Withhold(Code::ContactChanged)),
    }
}

/// Decides whether one listed device is given a room key.
pub fn decide(x: &Situation) -> Decision {
    use Decision::{RefuseRoom, Share, Withhold};
    if let Some(decision) = decide_contact(&x.policy, x.own, x.contact) {
        return decision;
    }
    let vetted = matches!(x.trust, LocalTrust::Verified | LocalTrust::Ignored);
    match x.policy.recipients {
        Recipients::Listed | Recipients::Accepted | Recipients::Verified if x.trust == LocalTrust::Blocked => {
            Withhold(Code::Blocked)
        }
        Recipients::Listed => decide_listed(x),
        Recipients::Accepted if vetted || x.trust == LocalTrust::Accepted => Share,
        Recipients::Accepted if !x.policy.asks_about_new_devices() => Withhold(Code::Unverified),
        Recipients::Accepted => RefuseRoom(Why::UnknownDevice),
        // Here the owner's signature alone decides; what was said of the single device is not read.
        Recipients::Bound if x.contact == Contact::New => Withhold(Code::ContactNotAccepted),
        Recipients::Bound if x.signed => Share,
        Recipients::Bound => Withhold(Code::Unsigned),
        Recipients::Verified if vetted || x.contact == Contact::Verified && x.signed => Share,
        Recipients::Verified => Withhold(Code::Unverified),
    }
}

/// Decides where every listed device is given the key but those that stand out.
fn decide_listed(x: &Situation) -> Decision {
    let asks = x.policy.unsigned_device == OnUnsignedDevice::AskRoom;
    let violated = x.contact == Contact::VerifiedThenChanged;
    let owner_signed = x.policy.dehydrated == Dehydrated::OwnerSigned;
    match () {
        () if asks && x.trust == LocalTrust::Ignored => Decision::Share,
        () if asks && x.contact == Contact::Verified && !x.signed => Decision::RefuseRoom(Why::UnsignedDevice),
        // A dehydrated device stands for nobody who could see it: only its owner's signature speaks for it.
        () if x.dehydrated && owner_signed && (!x.signed || violated) => Decision::Withhold(Code::Unsigned),
        () => Decision::Share,
    }
}
