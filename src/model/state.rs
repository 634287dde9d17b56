//! What somebody remembers, and nothing else: an answer that nobody remembers is gone.

use super::bits::{Device, Flag, Identities, PEOPLE_MAX, Pair, Person, Rel, Set, VIEWERS_MAX};
use super::world::{HonestOption, World};
use crate::policy::{CeremonyBinds, KeyBackup, Membership, Policy};
use std::hash::{Hash, Hasher};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, transmute_ref};

/// What a viewer remembers of each person.
pub type OfPeople = Rel<Device, Person, VIEWERS_MAX>;
/// What a viewer remembers of each device.
pub type OfDevices = Rel<Device, Device, VIEWERS_MAX>;
/// What a person was told of, or vouches for, about each person.
pub type Among = Rel<Person, Person, PEOPLE_MAX>;

/// One state of the world. Devices and people are numbered as in [`World`].
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct State {
    // What the servers truly hold.
    /// Devices whose keys the owner's server lists.
    pub registered: Set<Device>,
    /// Devices that opened their account: where joining needs a device, it needs this one.
    pub primary: Set<Device>,
    /// Devices of the adversary that their claimed owner took off the account.
    pub removed: Set<Device>,
    /// Devices that the owner's current true identity has signed. A signature is never revoked.
    pub signed: Set<Device>,
    /// Devices that the owner's replaced identity had signed.
    pub signed_old: Set<Device>,
    /// People who have made their true identity.
    pub born: Set<Person>,
    /// People of whom the server lists some identity.
    pub published: Set<Person>,
    /// People of whom the identity that the server lists is forged.
    pub replaced: Set<Person>,
    /// People of whom the forged identity that the server lists signs the honest devices as well.
    pub stealthy: Set<Person>,
    /// People who have reset their identity, so that an old one exists.
    pub has_old: Set<Person>,
    /// Accounts in the room.
    pub members: Set<Person>,

    // What the adversary has.
    /// Whether it has arrived.
    pub active: Flag,
    /// People whose current password it knows.
    pub passwords: Set<Person>,
    /// People whose password it has stolen already: the safe gives it once.
    pub passwords_stolen: Set<Person>,
    /// People whose true identity's secret it holds.
    pub secrets: Set<Person>,
    /// People whose recovery key it holds.
    pub recovery: Set<Person>,
    /// Honest devices that it has stolen.
    pub stolen: Set<Device>,
    /// Rogue devices that exist for anybody: registered, or in any answer.
    pub existed: Set<Device>,
    /// People whose backup holds the key of a past message.
    pub backed_past: Set<Person>,
    /// People whose backup holds the key of a current message.
    pub backed_current: Set<Person>,

    // What people and their clients are doing.
    /// Honest devices that hold a session, and are still their owner's.
    pub signed_in: Set<Device>,
    /// Honest devices that the adversary threw off their account.
    pub evicted: Set<Device>,
    /// Honest devices that go by another id than the one that a device of the adversary's reuses, now or when they come
    /// back: a homeserver gives no id twice.
    pub renamed: Set<Device>,
    /// Devices that have sent a message that reached every other member, before the adversary arrived; where it arrives
    /// after verification, only once their person had verified every other member.
    pub contacted: Set<Device>,
    /// Own devices that the owner's clients displayed, of those that the adversary holds.
    pub shown: Set<Device>,
    /// Rogue devices that some client displayed as verified.
    pub shown_verified: Set<Device>,
    /// warned(p, q): p got a notice or prompt about a rogue device or a forged identity of q.
    pub warned: Among,
    /// vouched(p, q): the server stores p's word, which p's other devices believe, that q's true identity is verified.
    pub vouched: Among,
    /// vouched_old(p, q): the same of an identity that q has replaced. A signature is never revoked.
    pub vouched_old: Among,

    // What each viewer remembers.
    /// pinned(v, p): the identity of p that v has accepted.
    pub pinned: Identities,
    /// offered(v, p): the identity of p that v was shown last and has not accepted.
    pub offered: Identities,
    /// verified(v, p): a ceremony confirmed the pin.
    pub verified: OfPeople,
    /// latched(v, p): v has verified p before, and no change was acknowledged since.
    pub latched: OfPeople,
    /// seen(v, d): v's client has displayed d.
    pub seen: OfDevices,
    /// accepted(v, d): a prompt about d was answered with yes.
    pub accepted: OfDevices,
    /// trusted(v, d): a ceremony confirmed d's own keys.
    pub trusted: OfDevices,
    /// blocked(v, d): a prompt about d was answered with no.
    pub blocked: OfDevices,
    /// given(v, d): v has sent the key of a past message to the device d under the id that another reuses.
    pub given: OfDevices,
    /// stored(v, d): v's client holds the keys of d under an id that two devices share, and takes no others for that id
    /// until an answer leaves it out.
    pub stored: OfDevices,
    /// stored_signed(v, d): the copy that v holds so of d bears a signature of its owner's identity.
    pub stored_signed: OfDevices,
    /// looked(c, d): the client c has looked its own account up since the rogue device d first existed.
    pub looked: OfDevices,
    /// forked(v, p): what v was told of p is in another log than the one that p's owner is shown.
    pub forked: OfPeople,

    // Who can read what. A key once given is never ungiven: deleting cannot help the reader we fear.
    /// Devices that hold the key of a message sent before the first rogue device existed.
    pub past: Set<Device>,
    /// Devices that hold the key of a message sent since.
    pub current: Set<Device>,
    /// Rogue devices that were given a key after their claimed owner had removed one.
    pub after: Set<Device>,
    /// Rogue devices that were given a key by a send that reached every honest device too: nobody missed anything.
    pub overheard: Set<Device>,
    /// Devices of uninvited accounts that were given a key by a client which does not display these accounts.
    pub ghosts: Set<Device>,
    /// Whether some send reached every honest device of the cast.
    pub all_read: Flag,
    /// People of whom the one log that everybody is shown has ever held a device or an identity of the adversary's.
    pub entered: Set<Person>,
    /// (p, q): the server stores p's word, as in `vouched`, of a forged identity of q, and loses it as little.
    pub vouched_forged: Set<Pair>,
    /// Room for more, as the size is a multiple of eight bytes.
    pub(crate) room: [u16; 2],
}

// 304 bytes, 26 of them for each of 8 viewers. Stored states are packed to the bits of their cast (see `Layout`).
const _: () = assert!(size_of::<State>() <= 304);

/// Words in a [`State`], each of which holds four fields or rows of 16 bits.
const WORDS: usize = size_of::<State>() / 8;

/// 32-bit words that no packed state takes more than.
pub const WORDS_MAX: usize = 2 * WORDS;

// Word by word: field by field takes several times as long.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}
impl Eq for State {}
impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.words().hash(hasher);
    }
}

impl State {
    /// Rogue devices: in the adversary's hands and claimed to be an honest person's.
    #[inline]
    pub fn rogue(&self, w: &World) -> Set<Device> {
        w.rogue.union(self.stolen)
    }
    /// All devices in the adversary's hands, those of its own accounts included.
    #[inline]
    pub fn held(&self, w: &World) -> Set<Device> {
        self.rogue(w).union(w.uninvited_devices)
    }
    /// Whatever holds any key.
    #[inline]
    pub fn holders(&self) -> Set<Device> {
        self.past.union(self.current).union(self.after)
    }
    /// What is so in both states.
    pub fn and(&self, other: &Self) -> Self {
        let (a, b): (&[u16; 4 * WORDS], &[u16; 4 * WORDS]) = (transmute_ref!(self), transmute_ref!(other));
        let both: [u16; 4 * WORDS] = std::array::from_fn(|i| a[i] & b[i]);
        zerocopy::transmute!(both)
    }
    /// The lesser of two states, in some order of all states.
    pub fn min(self, other: Self) -> Self {
        if other.words() < self.words() { other } else { self }
    }
    /// A hash by which most states that differ can be told apart.
    pub fn digest(&self) -> u64 {
        // Four at a time, as each product has to be waited for.
        let mut lanes = [0u64; 4];
        for (i, word) in self.words().iter().enumerate() {
            lanes[i % 4] = (lanes[i % 4] ^ word).wrapping_mul(0xa076_1d64_78bd_642f).rotate_left(29);
        }
        lanes.into_iter().fold(0, |all, lane| (all ^ lane).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
    }
    fn words(&self) -> &[u64; WORDS] {
        transmute_ref!(self)
    }
}

/// The exact, lossless packing of states that use certain bits only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each 16 bits of a state, the low ones of a word first: where the low bits that are used are packed.
    fields: Vec<Field>,
    bits: usize,
}

/// So many bits of a packed state, from one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    at: usize,
    width: usize,
}

impl Layout {
    /// The layout for states whose bits are all bits of `fullest`.
    pub fn of(fullest: &State) -> Self {
        let used = fullest.words().iter().flat_map(|word| [0, 16, 32, 48].map(|shift| (word >> shift) as u16));
        let mut bits = 0;
        let mut field = |used: u16| {
            let width = (16 - used.leading_zeros()) as usize;
            bits += width;
            Field { at: bits - width, width }
        };
        Self { fields: used.map(&mut field).collect(), bits }
    }
    /// Bits a packed state takes.
    pub fn bits(&self) -> usize {
        self.bits
    }
    /// 32-bit words a packed state takes.
    pub fn len(&self) -> usize {
        self.bits.div_ceil(32)
    }
    /// Whether a packed state takes no bits, because nobody is there.
    pub fn is_empty(&self) -> bool {
        self.bits == 0
    }
    /// Writes `s` to `out`, which has [`Layout::len`] words.
    pub fn pack(&self, s: &State, out: &mut [u32]) {
        out.fill(0);
        self.repack(&State::default(), s, out);
    }
    /// Turns `out`, to which `from` was packed, into the packed `to`; returns whether the two differ.
    // Few fields change in a step, so this is much cheaper than packing all of them.
    pub fn repack(&self, from: &State, to: &State, out: &mut [u32]) -> bool {
        let (from, to) = (from.words(), to.words());
        let mut changed = false;
        for (i, (from, to)) in from.iter().zip(to).enumerate() {
            if from != to {
                changed = true;
                self.flip(4 * i, from ^ to, out);
            }
        }
        changed
    }
    /// Flips in a packed state the four fields from `first` on where `changed` has bits.
    fn flip(&self, first: usize, mut changed: u64, out: &mut [u32]) {
        while changed != 0 {
            let shift = changed.trailing_zeros() & !15;
            let (bits, Field { at, width }) = (changed >> shift & 0xffff, self.fields[first + shift as usize / 16]);
            debug_assert!(bits >> width == 0, "a state has bits that its layout has no room for");
            let placed = bits << (at % 32);
            out[at / 32] ^= placed as u32;
            // What does not fit is 0 more often than not, but whether it is cannot be foreseen.
            if let Some(next) = out.get_mut(at / 32 + 1) {
                *next ^= (placed >> 32) as u32;
            }
            changed &= !(0xffff << shift);
        }
    }
    /// The state that was packed into `packed`.
    pub fn unpack(&self, packed: &[u32]) -> State {
        let mut words = [0; WORDS];
        for (i, &Field { at, width }) in self.fields.iter().enumerate().filter(|f| f.1.width != 0) {
            let mut bits = u64::from(packed[at / 32]) >> (at % 32);
            if at % 32 + width > 32 {
                bits |= u64::from(packed[at / 32 + 1]) << (32 - at % 32);
            }
            words[i / 4] |= (bits & ((1 << width) - 1)) << (16 * (i % 4));
        }
        zerocopy::transmute!(words)
    }
}

/// Every bit set that a state of the cast of `w` could have: the rows and bits of devices and people who are there.
pub fn fullest(w: &World) -> State {
    let (d, p) = (Set::<Device>::first(w.devices), Set::<Person>::first(w.people));
    let viewers = w.honest;
    let of_people = viewers.iter().fold(OfPeople::default(), |r, v| r.with_row(v, p));
    let of_devices = viewers.iter().fold(OfDevices::default(), |r, v| r.with_row(v, d));
    let among = p.iter().fold(Among::default(), |r, q| r.with_row(q, p));
    let identities = viewers.iter().fold(Identities::default(), |i, v| i.filled(v, w.people));
    let whose = |has: fn(&Policy) -> bool| p.iter().filter(|&q| has(w.policy(q))).collect::<Set<Person>>();
    let backed = whose(|policy| policy.key_backup != KeyBackup::None);
    let logged: Set<Person> = p.iter().filter(|&q| w.has_log(q)).collect();
    let confirming = w.inattentive.union(whose(|policy| policy.ceremony_binds == CeremonyBinds::Ids));
    let silent = whose(|policy| policy.membership == Membership::ServerSilent);
    State {
        registered: d,
        primary: d,
        removed: d,
        signed: d,
        signed_old: d,
        born: p,
        published: p,
        replaced: p,
        stealthy: p,
        has_old: p,
        members: p,
        active: Flag::ON,
        passwords: p,
        passwords_stolen: p,
        secrets: p,
        recovery: p,
        stolen: d,
        existed: d,
        backed_past: backed,
        backed_current: backed,
        signed_in: d,
        evicted: d,
        renamed: w.reused,
        contacted: d,
        shown: d,
        shown_verified: d,
        warned: among,
        vouched: among,
        vouched_old: if w.has_option(HonestOption::ResetIdentity) { among } else { Among::default() },
        pinned: identities,
        offered: identities,
        verified: of_people,
        latched: of_people,
        seen: of_devices,
        accepted: of_devices,
        trusted: of_devices,
        blocked: of_devices,
        given: viewers.iter().fold(OfDevices::default(), |r, v| r.with_row(v, w.reused)),
        stored: viewers.iter().fold(OfDevices::default(), |r, v| r.with_row(v, w.sharing_id())),
        stored_signed: viewers.iter().fold(OfDevices::default(), |r, v| r.with_row(v, w.sharing_id())),
        looked: of_devices,
        forked: viewers.iter().fold(OfPeople::default(), |r, v| r.with_row(v, logged)),
        past: d,
        current: d,
        after: d,
        overheard: d,
        ghosts: if silent.is_empty() { Set::EMPTY } else { w.uninvited_devices },
        all_read: Flag::ON,
        entered: logged,
        vouched_forged: confirming.iter().flat_map(|p| w.all_people().map(move |q| Pair(p, q))).collect(),
        room: [0; 2],
    }
}
