//! All bit arithmetic of the model: sets of devices or people, and relations from viewers to either.
//!
//! Everything here is a plain `u16` underneath, so a state is `Copy`, compares and hashes as bytes, and packs without
//! loss.

use std::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Limit on people. 4: a person's row of identities is 4 × 2 bits, one byte.
pub const PEOPLE_MAX: usize = 4;
/// Limit on devices, the adversary's included. 12: a [`Set`] is a `u16`. More needs a wider word, not a `Vec`.
pub const DEVICES_MAX: usize = 12;
/// Limit on honest devices. 8: what a viewer remembers costs 22 bytes of every state, for each viewer.
pub const VIEWERS_MAX: usize = 8;

/// Something that is counted from zero and can be a member of a [`Set`].
pub trait Index: Copy + Eq {
    /// The number from zero that stands for this one.
    fn index(self) -> usize;
    /// The one that `index` stands for; the inverse of [`Index::index`].
    fn at(index: usize) -> Self;
}

/// A client with its own keys. Honest devices come first, so that a viewer's index is its device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device(pub u8);

/// An account and the human behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person(pub u8);

/// A homeserver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Server(pub u8);

macro_rules! index {
    ($($name:ident),+) => { $(impl Index for $name {
        fn index(self) -> usize { self.0 as usize }
        fn at(index: usize) -> Self { $name(index as u8) }
    })+ };
}
index!(Device, Person, Server);

/// Two people, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair(pub Person, pub Person);

impl Index for Pair {
    fn index(self) -> usize {
        self.0.index() * PEOPLE_MAX + self.1.index()
    }
    fn at(index: usize) -> Self {
        Pair(Person::at(index / PEOPLE_MAX), Person::at(index % PEOPLE_MAX))
    }
}

/// A set of devices, people or servers, or of pairs of people.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Set<I> {
    bits: u16,
    of: PhantomData<I>,
}

impl<I> Clone for Set<I> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<I> Copy for Set<I> {}
impl<I> PartialEq for Set<I> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}
impl<I> Eq for Set<I> {}
impl<I> std::hash::Hash for Set<I> {
    fn hash<H: std::hash::Hasher>(&self, h: &mut H) {
        self.bits.hash(h);
    }
}
impl<I> PartialOrd for Set<I> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<I> Ord for Set<I> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bits.cmp(&other.bits)
    }
}
impl<I> Default for Set<I> {
    fn default() -> Self {
        Self::EMPTY
    }
}
impl<I: Index + std::fmt::Debug> std::fmt::Debug for Set<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
impl<I: Index> FromIterator<I> for Set<I> {
    fn from_iter<T: IntoIterator<Item = I>>(items: T) -> Self {
        items.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl<I> Set<I> {
    /// The set without members.
    pub const EMPTY: Self = Self { bits: 0, of: PhantomData };

    /// The set whose members are the set bits of `bits`.
    pub const fn from_bits(bits: u16) -> Self {
        Self { bits, of: PhantomData }
    }
    /// The members as bits, the lowest for index 0; the inverse of [`Set::from_bits`].
    pub const fn bits(self) -> u16 {
        self.bits
    }
    /// The first `n` indices.
    pub const fn first(n: usize) -> Self {
        Self::from_bits(((1u32 << n) - 1) as u16)
    }
    /// Whether nothing is a member.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }
    /// The number of members.
    pub const fn len(self) -> usize {
        self.bits.count_ones() as usize
    }
    /// Whatever is a member of either set.
    pub const fn union(self, other: Self) -> Self {
        Self::from_bits(self.bits | other.bits)
    }
    /// Whatever is a member of both sets.
    pub const fn and(self, other: Self) -> Self {
        Self::from_bits(self.bits & other.bits)
    }
    /// The members that are not members of `other`.
    pub const fn minus(self, other: Self) -> Self {
        Self::from_bits(self.bits & !other.bits)
    }
    /// Whether every member is one of `other` too.
    pub const fn within(self, other: Self) -> bool {
        self.bits & !other.bits == 0
    }
    /// Whether some member is one of `other` too.
    pub const fn meets(self, other: Self) -> bool {
        self.bits & other.bits != 0
    }
    /// Every subset, in ascending order of bits.
    pub fn subsets(self) -> impl Iterator<Item = Self> {
        let mut next = Some(0u16);
        std::iter::from_fn(move || {
            let bits = next?;
            let following = bits.wrapping_sub(self.bits) & self.bits;
            next = (following != 0).then_some(following);
            Some(Self::from_bits(bits))
        })
    }
}

impl<I: Index> Set<I> {
    /// Whether `i` is a member.
    pub fn has(self, i: I) -> bool {
        self.bits >> i.index() & 1 == 1
    }
    /// The set with `i` as a member.
    pub fn with(self, i: I) -> Self {
        Self::from_bits(self.bits | 1 << i.index())
    }
    /// The set without `i`.
    pub fn without(self, i: I) -> Self {
        Self::from_bits(self.bits & !(1 << i.index()))
    }
    /// The members in ascending order.
    pub fn iter(self) -> impl Iterator<Item = I> {
        let mut bits = self.bits;
        std::iter::from_fn(move || {
            let i = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
            bits &= bits - 1;
            Some(I::at(i))
        })
    }
}

/// A relation from the first `N` indices of `A` to `B`: one [`Set`] a row.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Rel<A, B, const N: usize> {
    rows: [u16; N],
    of: PhantomData<(A, B)>,
}

impl<A, B, const N: usize> Clone for Rel<A, B, N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<A, B, const N: usize> Copy for Rel<A, B, N> {}
impl<A, B, const N: usize> PartialEq for Rel<A, B, N> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}
impl<A, B, const N: usize> Eq for Rel<A, B, N> {}
impl<A, B, const N: usize> std::hash::Hash for Rel<A, B, N> {
    fn hash<H: std::hash::Hasher>(&self, h: &mut H) {
        self.rows.hash(h);
    }
}
impl<A, B: Index + std::fmt::Debug, const N: usize> std::fmt::Debug for Rel<A, B, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rows.iter().map(|&r| Set::<B>::from_bits(r))).finish()
    }
}
impl<A, B, const N: usize> Default for Rel<A, B, N> {
    fn default() -> Self {
        Self { rows: [0; N], of: PhantomData }
    }
}

impl<A: Index, B: Index, const N: usize> Rel<A, B, N> {
    /// Everything that `a` is related to. Panics if `a` is none of the first `N`.
    pub fn row(self, a: A) -> Set<B> {
        Set::from_bits(self.rows[a.index()])
    }
    /// Whether `a` is related to `b`.
    pub fn has(self, a: A, b: B) -> bool {
        self.row(a).has(b)
    }
    /// The relation in which `a` is related to the members of `row` and to nothing else.
    pub fn with_row(mut self, a: A, row: Set<B>) -> Self {
        self.set_row(a, row);
        self
    }
    /// Relates `a` to the members of `row` and to nothing else, in place.
    pub fn set_row(&mut self, a: A, row: Set<B>) {
        self.rows[a.index()] = row.bits();
    }
    /// The relation with the pair of `a` and `b`.
    pub fn with(self, a: A, b: B) -> Self {
        self.with_row(a, self.row(a).with(b))
    }
    /// The relation without the pair of `a` and `b`.
    pub fn without(self, a: A, b: B) -> Self {
        self.with_row(a, self.row(a).without(b))
    }
    /// The relation of each `a` to the members of `row`.
    pub fn each(row: Set<B>) -> Self {
        Self { rows: [row.bits(); N], of: PhantomData }
    }
    /// Every pair of either relation.
    pub fn union(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }
    /// The pairs of both relations.
    pub fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }
    /// The pairs that are none of `other`.
    pub fn minus(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }
    fn zip(mut self, other: Self, row: impl Fn(u16, u16) -> u16) -> Self {
        self.rows.iter_mut().zip(other.rows).for_each(|(a, b)| *a = row(*a, b));
        self
    }
    /// The relation without any pair that ends in `b`.
    pub fn without_column(mut self, b: B) -> Self {
        self.rows.iter_mut().for_each(|r| *r &= !(1 << b.index()));
        self
    }
}

/// A person's long-term key, as anybody can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Identity {
    /// No identity at all.
    None,
    /// The person's current one.
    True,
    /// One that the person replaced, and whose secret the adversary does not hold.
    Old,
    /// One whose secret the adversary holds and that is not the person's current one.
    Forged,
}

impl Identity {
    const ALL: [Self; 4] = [Self::None, Self::True, Self::Old, Self::Forged];
}

/// For each viewer and person, one [`Identity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Identities([u16; VIEWERS_MAX]);

impl Identities {
    /// The identity that `v` holds of `p`; [`Identity::None`] until it is set.
    pub fn get(self, v: Device, p: Person) -> Identity {
        Identity::ALL[(self.0[v.index()] >> (2 * p.index()) & 3) as usize]
    }
    /// The table in which `v` holds `i` of `p`.
    pub fn with(mut self, v: Device, p: Person, i: Identity) -> Self {
        self.set(v, p, i);
        self
    }
    /// Lets `v` hold `i` of `p`, in place.
    pub fn set(&mut self, v: Device, p: Person, i: Identity) {
        let row = &mut self.0[v.index()];
        *row = *row & !(3 << (2 * p.index())) | (i as u16) << (2 * p.index());
    }
    /// What every viewer holds of `p`, relabelled.
    pub fn relabelled(self, p: Person, from: Identity, to: Identity) -> Self {
        let holders = (0..VIEWERS_MAX).map(Device::at).filter(|&v| self.get(v, p) == from);
        holders.fold(self, |all, v| all.with(v, p, to))
    }
    /// The table in which each viewer holds no identity of the people that `pairs` relates it to.
    pub fn without(mut self, pairs: Rel<Device, Person, VIEWERS_MAX>) -> Self {
        // Each bit of a row of people becomes the two bits that an identity takes.
        let spread = |row: u16| {
            let halves = (row | row << 2) & 0x33;
            ((halves | halves << 1) & 0x55) * 3
        };
        self.0.iter_mut().zip(pairs.rows).for_each(|(mine, row)| *mine &= !spread(row));
        self
    }
    /// The table in which `viewer(v)` holds of `person(p)` what `v` holds of `p`.
    pub fn renumbered(self, viewer: impl Fn(Device) -> Device, person: impl Fn(Person) -> Person) -> Self {
        let people = || (0..PEOPLE_MAX).map(Person::at);
        let row = |v: Device| people().fold(0, |row, p| row | (self.get(v, p) as u16) << (2 * person(p).index()));
        let mut table = Self::default();
        (0..VIEWERS_MAX).map(Device::at).for_each(|v| table.0[viewer(v).index()] = row(v));
        table
    }
    /// The table in which `v` holds no identity of anybody.
    pub fn without_row(mut self, v: Device) -> Self {
        self.0[v.index()] = 0;
        self
    }
    /// The row of `v` with every entry of the first `people` people set to the largest value.
    pub fn filled(mut self, v: Device, people: usize) -> Self {
        self.0[v.index()] = ((1u32 << (2 * people)) - 1) as u16;
        self
    }
}

/// A finished fact that concerns nobody in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Flag(u16);

impl Flag {
    /// The fact holds.
    pub const ON: Self = Self(1);

    /// The flag that is on if `on`.
    pub const fn of(on: bool) -> Self {
        Self(on as u16)
    }
    /// Whether the fact holds.
    pub const fn on(self) -> bool {
        self.0 == 1
    }
}
