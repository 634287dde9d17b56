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
        /// It is taken as it comes; of any but the first ones the person is told.
        Notify,
        /// It is taken as it comes until a first device of the contact was compared. From then on sending stops until a
        /// prompt is answered, and what was taken before goes on.
        UntilCeremonyOldKept,
        /// The same, but from then on whatever was not compared itself gets nothing, unasked, what was taken before
        /// included.
        UntilCeremonyOldDropped,
        /// Sending stops until a prompt is answered.
        Ask,
        /// Not applicable: devices are never looked at one by one.
        Unused,
    }
    /// What a contact's device that their accepted identity has not signed does to a send, where listed devices count.
    OnUnsignedDevice {
        /// It is given the key like any other.
        Share,
        /// It is given the key like any other, and the person is told.
        Notify,
        /// If the contact was verified, the whole send fails until a prompt is answered.
        AskRoom,
        /// Not applicable: unsigned devices get nothing anyway, or nothing signs devices.
        Unused,
    }
    /// What happens when a contact's identity is not the pinned one.
    OnChange {
        /// The new identity becomes the pin, and nothing is said.
        Accept,
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
        /// As encrypted messages of devices that were compared themselves: a device of one's own speaks of all that it
        /// has compared, a contact's device of its own person's others.
        TrustMessages,
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
        /// By the password, and a code that the account's devices display and its phone number receives.
        PasswordAndCode,
        /// Any device on the account approves it; a recovery key counts as one.
        AnyDevice,
        /// The account's primary device, the one that opened it, approves it.
        ExistingDevice,
        /// The same, and only where both devices are in one place.
        InPerson,
    }
    /// What a server learns of the password when its account's owner signs in.
    LoginProof {
        /// The password itself, and so does whoever reads the link.
        SecretSent,
        /// That the owner knows it, and no more.
        ServerNeverSees,
        /// Not applicable: no device joins by password.
        Unused,
    }
    /// Who tells the owner of an account that a device has joined it.
    LoginAlert {
        /// Nobody: it merely stands in the list.
        None,
        /// The server, by mail or by a notification to the other devices.
        ServerTells,
        /// The owner's own clients, once they see a device in their list that nobody there has approved.
        ClientAudited,
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
        /// The account's phone number, and a PIN that only its owner knows. A try without it disconnects the devices.
        NumberAndPin,
        /// Nothing: whoever loses it begins anew as somebody else.
        Impossible,
        /// Not applicable: there is no identity.
        Unused,
    }
    /// Whose word decides who is in a room.
    Membership {
        /// The server's; the client displays nobody whom the server does not announce.
        ServerSilent,
        /// The server's; the client displays it.
        ServerShown,
        /// The members': changes are signed.
        Signed,
    }
    /// Which devices of somebody who is invited are handed the keys of earlier messages.
    HistoryOnInvite {
        /// Every listed one.
        HandedToAll,
        /// Those bound to the identity that the inviting client accepts.
        BoundOnly,
        /// None.
        None,
    }
    /// Where a person's clients put the keys that they hold, for devices that join later.
    KeyBackup {
        /// Into one that the server can read, and whoever enters the account.
        ServerHolds,
        /// Into whatever backup the server names.
        ServerWord,
        /// Into a backup that the person's own identity has signed, or whose secret they hold.
        Signed,
        /// Nowhere.
        None,
    }
    /// What a device is whose private keys the server stores, encrypted, for while all others are off. Clients that
    /// know such devices do not list them among a person's.
    Dehydrated {
        /// A device like any other: listed ones are given keys.
        LikeAnyOther,
        /// One that gets a key only if its owner's identity has signed it.
        OwnerSigned,
        /// Nothing: there are none, and one that poses as such is listed like any other.
        None,
    }
    /// What a ceremony confirms.
    CeremonyBinds {
        /// Whatever goes by the id that the other side names, once its keys are looked up again.
        Ids,
        /// The keys that were compared.
        Keys,
        /// Not applicable: no identity is confirmed that signs devices.
        Unused,
    }
    /// Whether a person is displayed as verified whom the viewer's own identity vouches for while that itself is not
    /// verified.
    OwnInChain {
        /// They are: the own identity's state is not looked at. Keys are another matter.
        Ignored,
        /// They are not.
        Checked,
        /// Not applicable: verifications are not signatures of the own identity.
        Unused,
    }
    /// Whether what a server says of people goes into a log that everybody can check.
    Transparency {
        /// There is no log.
        None,
        /// There is one, and owners watch what it says of them. Nobody makes sure that all are shown the same log.
        OwnerMonitors,
        /// The same, and clients compare what they are shown with auditors or with each other.
        Gossip,
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
    /// What an unsigned device of a contact does to a send that goes to every listed device.
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
    /// What whoever reads a sign-in learns of the password.
    pub login_proof: LoginProof,
    /// Whether an account's owner is told of a device that joins it.
    pub login_alert: LoginAlert,
    /// Who can publish the first identity of an account, and when.
    pub first_identity: FirstIdentity,
    /// What it takes to replace the identity that the server lists.
    pub identity_replaced_by: IdentityReplacedBy,
    /// Whose word a client takes for who is in the room.
    pub membership: Membership,
    /// Which devices of a new member are handed the keys of messages sent before.
    pub history_on_invite: HistoryOnInvite,
    /// Whose backup a client puts its keys into.
    pub key_backup: KeyBackup,
    /// Whether a device that only the server keeps is trusted more readily than it is shown.
    pub dehydrated: Dehydrated,
    /// Whether a ceremony can end with other keys confirmed than those that were compared.
    pub ceremony_binds: CeremonyBinds,
    /// Whether the own identity must be verified before what it signed counts.
    pub own_in_chain: OwnInChain,
    /// Whether servers are held to one account of everybody's keys.
    pub transparency: Transparency,
}

impl Policy {
    /// Whether people have identities under this policy.
    pub fn has_identity(self) -> bool {
        self.identity != IdentityKind::None
    }

    /// Whether a prompt may stop a send because of a single new device.
    pub fn asks_about_new_devices(self) -> bool {
        matches!(self.new_device, OnNewDevice::Ask | OnNewDevice::UntilCeremonyOldKept)
    }

    /// Whether devices are looked at one by one as they come, and what was let through is kept apart from the rest.
    pub fn looks_at_new_devices(self) -> bool {
        self.asks_about_new_devices() || self.trusts_blindly_at_first() || self.new_device == OnNewDevice::Notify
    }

    /// Whether what was decided about a device is kept by its key, listed or not.
    pub fn remembers_unlisted_devices(self) -> bool {
        self.trusts_blindly_at_first() || self.new_device == OnNewDevice::Notify
    }

    /// Whether new devices pass without a question until a first one was compared.
    pub fn trusts_blindly_at_first(self) -> bool {
        matches!(self.new_device, OnNewDevice::UntilCeremonyOldKept | OnNewDevice::UntilCeremonyOldDropped)
    }

    /// Whether a prompt may stop a send because of a single device.
    pub fn asks_about_devices(self) -> bool {
        self.asks_about_new_devices() || self.unsigned_device == OnUnsignedDevice::AskRoom
    }

    /// Whether a device joins by the password, be it with something else.
    pub fn joins_by_password(self) -> bool {
        matches!(self.joining, Joining::Password | Joining::PasswordAndCode)
    }

    /// Whether a device joins by the approval of one that is there.
    pub fn joins_by_approval(self) -> bool {
        !self.joins_by_password()
    }

    /// Whether one device alone lets others in and puts them out.
    pub fn has_primary_device(self) -> bool {
        matches!(self.joining, Joining::ExistingDevice | Joining::InPerson)
    }
}
