//! The visited set: whole packed states in the order of their discovery, found again through a table of places.
//!
//! No state is ever told from another by its hash alone, so no verdict rests on a hash. States are kept in segments,
//! which never move; only the table of 5 bytes an entry is copied as it grows.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// A state's place in the order of discovery.
pub type Place = u32;

const SEGMENT_STATES: usize = 1 << 14;

/// An exact set of packed states.
pub struct Store {
    /// 64-bit words a state takes.
    words: usize,
    segments: Vec<Box<[u64]>>,
    len: usize,
    /// The place of each state, under its hash.
    table: HashTable<Place>,
}

fn hash(packed: &[u64]) -> u64 {
    // Multiply and fold; the low and the high half of the product both depend on every bit.
    packed.iter().fold(0x9e37_79b9_7f4a_7c15u64, |h, &word| {
        let product = u128::from(h ^ word) * 0xa076_1d64_78bd_642f_u128;
        (product as u64) ^ (product >> 64) as u64
    })
}

impl Store {
    /// An empty set of states of `words` 64-bit words each.
    pub fn new(words: usize) -> Self {
        Self { words, segments: Vec::new(), len: 0, table: HashTable::new() }
    }
    /// The number of states in the set.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether no state has been added.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Bytes the set holds.
    pub fn bytes(&self) -> usize {
        self.segments.len() * SEGMENT_STATES * self.words * 8 + self.table.allocation_size()
    }
    /// The packed state at `place`.
    #[inline]
    pub fn get(&self, place: Place) -> &[u64] {
        at(&self.segments, self.words, place)
    }
    /// Adds a state; returns its place and whether it is new.
    #[inline]
    pub fn insert(&mut self, packed: &[u64]) -> (Place, bool) {
        let Self { words, segments, len, table } = self;
        let is_it = |&place: &Place| same(at(segments, *words, place), packed);
        let again = |&place: &Place| hash(at(segments, *words, place));
        match table.entry(hash(packed), is_it, again) {
            Entry::Occupied(entry) => (*entry.get(), false),
            Entry::Vacant(entry) => {
                let place = Place::try_from(*len).expect("fewer than 2^32 states");
                entry.insert(place);
                self.push(packed);
                (place, true)
            }
        }
    }
    fn push(&mut self, packed: &[u64]) {
        if self.len.is_multiple_of(SEGMENT_STATES) {
            self.segments.push(vec![0; SEGMENT_STATES * self.words].into_boxed_slice());
        }
        let row = self.len % SEGMENT_STATES;
        let segment = self.segments.last_mut().expect("a segment was just made sure of");
        segment[row * self.words..(row + 1) * self.words].copy_from_slice(packed);
        self.len += 1;
    }
}

#[inline]
fn at(segments: &[Box<[u64]>], words: usize, place: Place) -> &[u64] {
    let (segment, row) = (place as usize / SEGMENT_STATES, place as usize % SEGMENT_STATES);
    &segments[segment][row * words..(row + 1) * words]
}

/// Whether two states of a few words are the same: cheaper than a call to compare memory.
#[inline]
fn same(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).all(|(x, y)| x == y)
}
