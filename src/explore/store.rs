//! The visited set: whole packed states in the order of their discovery, found again through a table of indices.
//!
//! No state is ever told from another by its hash alone, so no verdict rests on a hash. States are kept in segments,
//! which never move; only the table of 4-byte indices is copied as it grows.

/// A state's place in the order of discovery.
pub type Place = u32;

const SEGMENT_STATES: usize = 1 << 14;
const EMPTY: Place = Place::MAX;

/// An exact set of packed states.
pub struct Store {
    /// 64-bit words a state takes.
    words: usize,
    segments: Vec<Box<[u64]>>,
    len: usize,
    table: Vec<Place>,
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
        Self { words, segments: Vec::new(), len: 0, table: vec![EMPTY; 1 << 10] }
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
        self.segments.len() * SEGMENT_STATES * self.words * 8 + self.table.len() * size_of::<Place>()
    }
    /// The packed state at `place`.
    pub fn get(&self, place: Place) -> &[u64] {
        let (segment, row) = (place as usize / SEGMENT_STATES, place as usize % SEGMENT_STATES);
        &self.segments[segment][row * self.words..(row + 1) * self.words]
    }
    /// Adds a state; returns its place and whether it is new.
    pub fn insert(&mut self, packed: &[u64]) -> (Place, bool) {
        if self.len * 3 >= self.table.len() * 2 {
            self.grow();
        }
        let slot = match self.find(packed) {
            Ok(place) => return (place, false),
            Err(slot) => slot,
        };
        let place = Place::try_from(self.len).ok().filter(|&p| p != EMPTY).expect("fewer than 2^32 - 1 states");
        if self.len.is_multiple_of(SEGMENT_STATES) {
            self.segments.push(vec![0; SEGMENT_STATES * self.words].into_boxed_slice());
        }
        let row = self.len % SEGMENT_STATES;
        let segment = self.segments.last_mut().expect("a segment was just made sure of");
        segment[row * self.words..(row + 1) * self.words].copy_from_slice(packed);
        self.table[slot] = place;
        self.len += 1;
        (place, true)
    }
    /// The place of a state, or the slot where it would go.
    fn find(&self, packed: &[u64]) -> Result<Place, usize> {
        let mask = self.table.len() - 1;
        let mut slot = hash(packed) as usize & mask;
        loop {
            match self.table[slot] {
                EMPTY => return Err(slot),
                place if self.get(place) == packed => return Ok(place),
                _ => slot = (slot + 1) & mask,
            }
        }
    }
    fn grow(&mut self) {
        let mask = self.table.len() * 2 - 1;
        let mut table = vec![EMPTY; mask + 1];
        for place in 0..self.len as Place {
            let mut slot = hash(self.get(place)) as usize & mask;
            while table[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            table[slot] = place;
        }
        self.table = table;
    }
}
