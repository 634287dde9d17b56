//! What must always hold, what must be possible, and what a state looks like when it is not.

use super::bits::{Device, Identity, PEOPLE_MAX, Person, Set};
use super::decide::{Contact, Decision, Own, Situation, Why, decide, decide_contact};
use super::directory::{View, absorb, contact, own_identity, truth};
use super::people::{recognised_members, situation};
use super::state::State;
use super::world::World;
use crate::policy::{OnOwnChange, Transparency};

/// A property of states. All but the last must always hold; [`Property::EverybodyReads`] must be possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Property {
    /// No rogue device holds a room key.
    NoRogueKey,
    /// No hidden one does.
    NoHiddenKey,
    /// Whenever one does, somebody was warned.
    NoSilentLeak,
    /// Once every client of its claimed owner has looked, and all logs were compared, somebody was warned of it.
    NoUnnoticedLeak,
    /// No rogue device reads hidden and silently while every honest device still reads.
    NoInvisibleListener,
    /// Messages from before the first rogue key stay private.
    PastStaysPrivate,
    /// After its claimed owner has removed a rogue device, none gets a later key.
    RemovalEndsAccess,
    /// No client displays a rogue device as verified.
    NeverShownAsVerified,
    /// No uninvited member holds a key.
    NoUninvitedReader,
    /// No uninvited member holds a key whom the clients that gave it do not display.
    NoUnseenReader,
    /// No honest send is refused and no honest device left out because of something the adversary made.
    NoLockOut,
    /// No honest send is refused as a whole because of something the adversary made: one lie about one person keeps
    /// nobody else from reading.
    NoBlockedRoom,
    /// Some send reaches every honest device.
    EverybodyReads,
}

impl Property {
    /// Every property, the worst to lose first.
    pub const ALL: [Self; 13] = [
        Self::NoInvisibleListener,
        Self::NoHiddenKey,
        Self::NoUnnoticedLeak,
        Self::NoSilentLeak,
        Self::NoRogueKey,
        Self::PastStaysPrivate,
        Self::RemovalEndsAccess,
        Self::NeverShownAsVerified,
        Self::NoUninvitedReader,
        Self::NoUnseenReader,
        Self::NoBlockedRoom,
        Self::NoLockOut,
        Self::EverybodyReads,
    ];

    /// Whether the property is of the form "always"; otherwise it is "sometimes".
    pub fn is_safety(self) -> bool {
        self != Self::EverybodyReads
    }

    /// Whether the property is judged by what the servers truly hold, which other properties never read.
    pub fn is_of_true_answers(self) -> bool {
        matches!(self, Self::NoLockOut | Self::NoBlockedRoom)
    }
}

/// Whether the property's condition holds in `s`: a safety property is violated by a state in which it does not, a
/// possibility is shown by one in which it does.
pub fn condition(w: &World, s: State, property: Property) -> bool {
    let rogue_holders = s.holders().and(s.rogue(w));
    match property {
        Property::NoRogueKey => rogue_holders.is_empty(),
        Property::NoHiddenKey => !rogue_holders.iter().any(|d| hidden(w, s, d)),
        Property::NoUnnoticedLeak => !rogue_holders.iter().any(|d| unnoticed(w, s, d)),
        Property::NoSilentLeak => !rogue_holders.iter().any(|d| silent(w, s, d)),
        Property::NoInvisibleListener => {
            let thrown_off = s.evicted.iter().any(|d| s.members.has(w.owner(d)));
            thrown_off || !s.overheard.iter().any(|d| hidden(w, s, d) && silent(w, s, d))
        }
        Property::PastStaysPrivate => !s.past.meets(s.rogue(w)),
        Property::RemovalEndsAccess => s.after.is_empty(),
        Property::NeverShownAsVerified => s.shown_verified.is_empty(),
        Property::NoUninvitedReader => !s.holders().meets(w.uninvited_devices),
        Property::NoUnseenReader => s.ghosts.is_empty(),
        Property::NoLockOut => !locked_out(w, s),
        Property::NoBlockedRoom => !some_send(w, s, Loss::Room),
        Property::EverybodyReads => s.all_read.on(),
    }
}

/// Whether every signed-in client of the claimed owner of `d` has looked since `d` exists, and none displayed it.
pub fn hidden(w: &World, s: State, d: Device) -> bool {
    let clients = s.signed_in.and(w.of(w.owner(d)));
    !clients.is_empty() && clients.iter().all(|c| s.looked.has(c, d)) && !s.shown.has(d)
}

/// Whether everybody has looked who could notice `d` by looking, and nobody was warned of its claimed owner.
pub fn unnoticed(w: &World, s: State, d: Device) -> bool {
    let p = w.owner(d);
    let clients = s.signed_in.and(w.of(p));
    let gossips = |v: Device| w.policy(w.owner(v)).transparency == Transparency::Gossip;
    let compared = !s.signed_in.iter().any(|v| s.forked.has(v, p) && gossips(v));
    silent(w, s, d) && compared && !clients.is_empty() && clients.iter().all(|c| s.looked.has(c, d))
}

/// Whether nobody was warned of the claimed owner of `d`.
pub fn silent(w: &World, s: State, d: Device) -> bool {
    !w.all_people().any(|p| s.warned.has(p, w.owner(d)))
}

/// Whether, with the servers' true answers, some honest send would be refused or leave an honest device out, because of
/// a device or identity that the adversary made.
// A server can always deliver nothing; what it leaves out of an answer is therefore no lock-out. What stays behind in
// a directory or in somebody's memory is.
pub fn locked_out(w: &World, s: State) -> bool {
    let members = s.members.minus(w.uninvited);
    let thrown_off = s.evicted.iter().any(|d| members.has(w.owner(d)));
    thrown_off || some_send(w, s, Loss::Device)
}

/// What a send can come to because of something the adversary made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// An honest device at least gets no key.
    Device,
    /// Nobody gets a key.
    Room,
}

/// Whether something the adversary made brings this `loss`, or a greater one, on a send of some honest device.
fn some_send(w: &World, s: State, loss: Loss) -> bool {
    let sends = |v: &Device| s.members.has(w.owner(*v));
    s.signed_in.and(w.senders).iter().filter(sends).any(|v| obstructed(w, s, v, loss))
}

/// Whether something the adversary made brings this `loss`, or a greater one, on a message of `v`.
fn obstructed(w: &World, s: State, v: Device, loss: Loss) -> bool {
    let members = recognised_members(w, &s, v);
    let mut looked = s;
    let mut views: [Option<View>; PEOPLE_MAX] = [None; PEOPLE_MAX];
    for p in members.iter() {
        let told = super::directory::view(w, &s, v, p, super::directory::Answer::Truth).unwrap_or(truth(w, &s, p));
        absorb(w, &mut looked, v, p, told);
        views[p.0 as usize] = Some(told);
    }
    let Some(own) = views[w.owner(v).0 as usize] else { return false };
    let own = own_identity(w, &looked, v, own);
    let me = w.owner(v);
    // What the adversary once showed of v's own person can have cost v its verification for good.
    let taken_over = w.policy(me).own_change == OnOwnChange::TakenOver;
    let shaken = taken_over && s.signed.has(v) && !looked.verified.has(v, me) && !s.has_old.has(me);
    let forged = |q: Person| {
        let shown = views[q.0 as usize].map_or(Identity::None, |told| told.identity);
        shown == Identity::Forged || looked.pinned.get(v, q) == Identity::Forged || q == me && shaken
    };
    members.iter().any(|p| {
        let Some(told) = views[p.0 as usize] else { return false };
        let standing = contact(w, &looked, v, p, told);
        let unlisted = s.signed_in.and(w.of(p)).without(v).minus(told.devices);
        let stopped = |d: Device| {
            let x = situation(w, &looked, v, standing, own, told, d);
            match decide(&x) {
                Decision::Share => false,
                Decision::RefuseRoom(Why::UnknownDevice | Why::UnsignedDevice) => s.held(w).has(d),
                Decision::RefuseRoom(Why::ContactChanged) => forged(p),
                Decision::RefuseRoom(Why::OwnIdentityAbsent | Why::OwnIdentityUnverified) => forged(me),
                Decision::Withhold(_) if loss == Loss::Room => false,
                Decision::Withhold(_) => {
                    // What honest people could reach with this device if nothing forged were in their way.
                    let at_best = Situation { own: Own::Verified, contact: Contact::Verified, ..x };
                    // A planted first identity keeps its owner from making the true one that would sign.
                    let planted = s.replaced.has(p) && !s.born.has(p);
                    let at_best = Situation { signed: planted || s.signed.has(d), ..at_best };
                    !s.held(w).has(d) && (forged(p) || forged(me)) && decide(&at_best) == Decision::Share
                }
            }
        };
        let all_refused = match decide_contact(w.policy(me), own, standing) {
            Some(Decision::RefuseRoom(Why::ContactChanged)) => forged(p),
            Some(Decision::RefuseRoom(_)) => forged(me),
            _ => false,
        };
        all_refused || loss == Loss::Device && !unlisted.is_empty() || told.devices.without(v).iter().any(stopped)
    })
}

/// The rogue devices that make `property` fail in `s`, for telling.
pub fn culprits(w: &World, s: State, property: Property) -> Set<Device> {
    let holders = s.holders().and(s.rogue(w));
    match property {
        Property::NoHiddenKey => holders.iter().filter(|&d| hidden(w, s, d)).collect(),
        Property::NoUnnoticedLeak => holders.iter().filter(|&d| unnoticed(w, s, d)).collect(),
        Property::NoSilentLeak => holders.iter().filter(|&d| silent(w, s, d)).collect(),
        Property::NoInvisibleListener => s.overheard.iter().filter(|&d| hidden(w, s, d) && silent(w, s, d)).collect(),
        Property::PastStaysPrivate => s.past.and(s.rogue(w)),
        Property::RemovalEndsAccess => s.after,
        Property::NeverShownAsVerified => s.shown_verified,
        Property::NoUninvitedReader => s.holders().and(w.uninvited_devices),
        Property::NoUnseenReader => s.ghosts,
        Property::NoRogueKey => holders,
        Property::NoLockOut | Property::NoBlockedRoom | Property::EverybodyReads => Set::EMPTY,
    }
}
