//! The constants of a model: who there is, under which policy, and what the adversary can do.

use super::bits::{DEVICES_MAX, Device, Index, PEOPLE_MAX, Person, Server, Set};
use super::state::State;
use crate::policy::{IdentityKind, Policy, Transparency};

/// When the adversary starts to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arrival {
    /// Before anybody has signed in.
    FromStart,
    /// Once everybody who sends has pinned whom they send to and sent them one message.
    AfterFirstContact,
    /// Once everybody who sends has compared with the others whatever their policy compares, and has then sent them a
    /// message from each device that sends.
    AfterVerification,
}

/// An honest action that a scenario switches on, because it multiplies states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HonestOption {
    /// People take devices of the adversary's off their account.
    RemoveDevice,
    /// People replace their identity by a new one.
    ResetIdentity,
    /// People sign their devices out.
    LogOut,
    /// People change their account's password.
    ChangePassword,
    /// Members invite people into the room.
    Invite,
}

/// What the adversary can do, each power as the set of those it works on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// People whose password is stolen once, from the safe or by phishing.
    pub steal_password: Set<Person>,
    /// Clients whose link the adversary reads and rewrites.
    pub break_tls: Set<Device>,
    /// Homeservers in the adversary's hands.
    pub control_server: Set<Server>,
    /// People whose phone number the adversary can take over.
    pub hijack_number: Set<Person>,
    /// People whose recovery key is stolen.
    pub steal_recovery: Set<Person>,
    /// Honest devices that are stolen.
    pub steal_device: Set<Device>,
    /// People who approve the adversary's device by mistake.
    pub phish_link: Set<Person>,
    /// Whether an uninvited account can be put into the room.
    pub add_member: bool,
}

/// The constants, compiled from a scenario. Devices are numbered honest ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// The number of people, the adversary's own accounts included.
    pub people: usize,
    /// The number of devices, the adversary's included.
    pub devices: usize,
    /// For each device, whose it is or is claimed to be.
    pub owner: [Person; DEVICES_MAX],
    /// Devices that their people enrol.
    pub honest: Set<Device>,
    /// Devices that are the adversary's from the first and are claimed to be an honest person's.
    pub rogue: Set<Device>,
    /// Devices of the adversary's own accounts.
    pub uninvited_devices: Set<Device>,
    /// All devices that are or claim to be of a person.
    pub devices_of: [Set<Device>; PEOPLE_MAX],
    /// The honest device under whose id a rogue device comes.
    pub reuses: [Option<Device>; DEVICES_MAX],
    /// Honest devices under whose id a rogue device comes.
    pub reused: Set<Device>,
    /// Rogue devices that pose as dehydrated ones.
    pub dehydrated: Set<Device>,
    /// People who are the adversary's own accounts; nobody invites them.
    pub uninvited: Set<Person>,
    /// Honest devices that send messages.
    pub senders: Set<Device>,
    /// Who is in the room at first.
    pub members: Set<Person>,
    /// The homeserver of each person.
    pub server: [Server; PEOPLE_MAX],
    /// The policy of each person's clients and account.
    pub policy: [Policy; PEOPLE_MAX],
    /// People who may click through any prompt. All others are careful.
    pub hurried: Set<Person>,
    /// People who may take different keys for equal when they compare them.
    pub inattentive: Set<Person>,
    /// What the adversary can do.
    pub powers: Powers,
    /// For each [`HonestOption`], in the order of declaration, whether it is switched on.
    pub options: [bool; 5],
    /// When the adversary starts to act.
    pub arrives: Arrival,
}

impl World {
    /// Every device, the adversary's last.
    pub fn all_devices(&self) -> impl Iterator<Item = Device> + use<> {
        (0..self.devices).map(Device::at)
    }
    /// Every person, the adversary's own accounts included.
    pub fn all_people(&self) -> impl Iterator<Item = Person> + use<> {
        (0..self.people).map(Person::at)
    }
    /// Whose device `d` is or is claimed to be.
    pub fn owner(&self, d: Device) -> Person {
        self.owner[d.index()]
    }
    /// All devices that are or claim to be of `p`.
    pub fn of(&self, p: Person) -> Set<Device> {
        self.devices_of[p.index()]
    }
    /// The policy of the clients and the account of `p`.
    pub fn policy(&self, p: Person) -> &Policy {
        &self.policy[p.index()]
    }
    /// The honest device under whose id `d` comes, if it comes under any.
    pub fn reuses(&self, d: Device) -> Option<Device> {
        self.reuses[d.index()]
    }
    /// The devices that share an id with another one: honest ones, and those of the adversary's that reuse it.
    pub fn sharing_id(&self) -> Set<Device> {
        if self.reused.is_empty() {
            Set::EMPTY
        } else {
            self.reused.union(self.rogue.iter().filter(|&r| self.reuses(r).is_some()).collect())
        }
    }
    /// Whether the scenario switches `o` on.
    pub fn has_option(&self, o: HonestOption) -> bool {
        self.options[o as usize]
    }
    /// Whether the server of `p` has to enter what it says of them into a log.
    pub fn has_log(&self, p: Person) -> bool {
        self.policy(p).transparency != Transparency::None
    }
    /// Whether the client `v` takes of `p` only what is in a log.
    pub fn is_logged(&self, v: Device, p: Person) -> bool {
        self.has_log(p) && self.has_log(self.owner(v))
    }
    /// Whether the adversary holds the server of `p`.
    pub fn controls(&self, p: Person) -> bool {
        self.powers.control_server.has(self.server[p.index()])
    }
    /// Whether the adversary sits between the client `d` and what it asks its server, or tells it.
    pub fn vantage_on_client(&self, d: Device) -> bool {
        self.powers.break_tls.has(d) || self.controls(self.owner(d))
    }
    /// Whether the adversary sits somewhere on the way of an answer about `p`: p's server, v's server, v's link.
    pub fn vantage_on_route(&self, v: Device, p: Person) -> bool {
        self.vantage_on_client(v) || self.controls(p)
    }
    /// The devices that the adversary may at some time hold and claim to be of `p`.
    pub fn adversary_may_hold(&self, p: Person) -> Set<Device> {
        self.rogue.union(self.powers.steal_device).and(self.of(p))
    }

    /// Nobody has signed in; the adversary's own accounts are set up.
    pub fn initial(&self) -> State {
        let has_identity = |p: &Person| self.policy(*p).identity != IdentityKind::None;
        let identities: Set<Person> = self.uninvited.iter().filter(has_identity).collect();
        State {
            registered: self.uninvited_devices,
            signed: self.uninvited_devices.iter().filter(|&d| identities.has(self.owner(d))).collect(),
            born: identities,
            published: identities,
            members: self.members,
            active: super::bits::Flag::of(self.arrives == Arrival::FromStart),
            ..State::default()
        }
    }
}
