//! A trust model as data: one enum an axis, loose to strict, no booleans and no defaults.
//!
//! A [`Policy`] is what a client (and the account rules behind it) does whenever trust is decided. Model files carry
//! one value with its source for each axis; nothing else in the project knows a policy by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares the enums of the axes: they all derive the same things and are spelled in kebab-case in files.
macro_rules! axes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $value:ident),+ $(,)? })+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$vdoc])* $value),+ }
    )+ };
}

axes! {
    /// The long-term signing key of a person, if there is one.
    IdentityKind {
        /// Devices stand alone; there is no key above them.
        None,
        /// One key signs the devices; approved devices hold it too, and so does whoever has the recovery key.
        SignsDevices,
        /// Every device of the person holds the one identity key and uses it itself.
        SharedByDevices,
    }
    /// Which of the listed devices are given a room key.
    Recipients {
        /// Every device in the directory's answer that is not blocked.
        Listed,
        /// Devices that a prompt has shown once and that are not blocked.
        Accepted,
        /// Devices bound to the owner's current identity as the viewer accepts it.
        Bound,
        /// Devices that were verified, or are bound to an identity that was.
        Verified,
    }
    /// What happens when a person's identity is seen for the first time.
    FirstContact {
        /// It is pinned at once.
        Accept,
        /// Nothing is pinned until a prompt is answered.
        Ask,
        /// Nothing is pinned until a ceremony succeeds.
        Ceremony,
    }
    /// What happens when a contact without an identity lists a new device.
    OnNewDevice {
        /// It is taken as it comes.
        Accept,
        /// Sending stops until a prompt is answered.
        Ask,
        /// Not applicable: devices are never looked at one by one.
        Unused,
    }
    /// What a verified contact's device that their identity has not signed does to a send, where listed devices count.
    OnUnsignedDevice {
        /// It is given the key like any other.
        Share,
        /// The whole send fails until a prompt is answered.
        AskRoom,
        /// Not applicable: unsigned devices get nothing anyway, or nothing signs devices.
        Unused,
    }
    /// What happens when a contact's identity is not the pinned one.
    OnChange {
        /// The new identity becomes the pin and the person is warned.
        Notify,
        /// No keys until a prompt is answered.
        Ask,
        /// No keys until a ceremony succeeds.
        Refuse,
        /// Not applicable: there is no identity.
        Unused,
    }
    /// What a client does when its own person's identity is not the one that it knew.
    OnOwnChange {
        /// It keeps the one that it knew, under the same rule as for contacts.
        Held,
        /// It takes over what it was shown, at once, and with it nothing that its person has verified stands any more
        /// until they verify their own identity anew, with the recovery key.
        TakenOver,
        /// Not applicable: there is no identity, or the device uses the key itself.
        Unused,
    }
    /// How far a block reaches that a changed identity causes.
    BlockScope {
        /// The contact gets no keys; the others do.
        Contact,
        /// The whole send fails.
        Room,
        /// Not applicable: there is no identity, or its changes stop nothing.
        Unused,
    }
    /// What a client demands of its own person's identity before it sends.
    SenderIdentity {
        /// Nothing.
        Any,
        /// It must be set up and verified on this device, else the send fails.
        MustBeVerified,
        /// Not applicable: identities do not sign devices.
        Unused,
    }
    /// How a verification made on one device reaches the person's other devices.
    VerificationTravels {
        /// It does not.
        PerDevice,
        /// As a signature of the viewer's own identity, which the server stores.
        OwnIdentity,
        /// As a record that the server passes on, and can withhold but not forge.
        SyncedByServer,
    }
    /// Where accepted identities are remembered.
    Pins {
        /// By each device for itself.
        PerDevice,
        /// In a record that the person's devices share through the server, which can withhold it and not forge it.
        Synced,
    }
    /// Which of a person's own devices are given old keys when they ask for them.
    OwnRequests {
        /// Any device in the person's own list.
        AnyOwnDevice,
        /// One that the person says yes to.
        Ask,
        /// One that the person's identity has signed.
        ApprovedDevices,
        /// None.
        Never,
    }
    /// What the sender of a message compares when a recipient's device asks for its key again.
    ReShare {
        /// The device id only.
        ByDeviceId,
        /// The device's key.
        ByKey,
        /// Nothing is sent again.
        Never,
    }
    /// Whether a newly linked device is handed the old keys.
    HistoryOnLink {
        /// The linking device hands them over.
        HandedOver,
        /// It does not.
        None,
    }
    /// How a device joins an account.
    Joining {
        /// By the account's password, which the client sends to its server.
        Password,
        /// The account's primary device, the one that opened it, approves it.
        ExistingDevice,
    }
    /// When the first identity of an account is published.
    FirstIdentity {
        /// Any session may publish it, whenever it likes.
        AnySessionLater,
        /// The first device brings it along.
        WithFirstDevice,
        /// Not applicable: there is no identity.
        Unused,
    }
    /// What it takes to replace a published identity.
    IdentityReplacedBy {
        /// The account's password.
        Password,
        /// The account's phone number.
        Number,
        /// Not applicable: there is no identity.
        Unused,
    }
    /// Whose word decides who is in a room.
    Membership {
        /// The server's; the client displays it.
        ServerShown,
        /// The members': changes are signed.
        Signed,
    }
}

/// A trust model: one value for each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Policy {
    /// Which long-term key a person has above their devices, and who holds it.
    pub identity: IdentityKind,
    /// Which of the devices that an answer lists are given a room key.
    pub recipients: Recipients,
    /// What a person has to do before an identity that was never seen is accepted.
    pub first_contact: FirstContact,
    /// Whether a person is asked about a new device of a contact who has no identity.
    pub new_device: OnNewDevice,
    /// What an unsigned device of a verified contact does to a send that goes to every listed device.
    pub unsigned_device: OnUnsignedDevice,
    /// What follows when an identity changes that was never verified, or whose verification was given up.
    pub change_unverified: OnChange,
    /// What follows when an identity changes that the viewer has verified.
    pub change_verified: OnChange,
    /// Whose word a client takes for the identity of its own person.
    pub own_change: OnOwnChange,
    /// Whether a changed identity stops the keys for the one contact or for everybody in the room.
    pub block_scope: BlockScope,
    /// Whether a send fails as long as the sender's own identity is not verified on the sending device.
    pub sender_identity: SenderIdentity,
    /// Whose word tells the other devices of a person that one of them has verified a contact.
    pub verification_travels: VerificationTravels,
    /// Whether an accepted identity is remembered by one device or by all of its person's.
    pub pins: Pins,
    /// Which devices on an account get old keys from the others on request.
    pub own_requests: OwnRequests,
    /// How a sender recognises a recipient's device that asks for the key of an old message again.
    pub re_share: ReShare,
    /// Whether a device is handed the old keys by the one that lets it into the account.
    pub history_on_link: HistoryOnLink,
    /// What it takes to put another device on an account.
    pub joining: Joining,
    /// Who can publish the first identity of an account, and when.
    pub first_identity: FirstIdentity,
    /// What it takes to replace the identity that the server lists.
    pub identity_replaced_by: IdentityReplacedBy,
    /// Whose word a client takes for who is in the room.
    pub membership: Membership,
}

impl Policy {
    /// Whether people have identities under this policy.
    pub fn has_identity(self) -> bool {
        self.identity != IdentityKind::None
    }

    /// Whether a prompt may stop a send because of a single device.
    pub fn asks_about_devices(self) -> bool {
        self.new_device == OnNewDevice::Ask || self.unsigned_device == OnUnsignedDevice::AskRoom
    }
}
