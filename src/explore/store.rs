//! The visited set: whole packed states in the order of their discovery, found again through a table of places.
//!
//! No state is ever told from another by its hash alone, so no verdict rests on a hash. States lie in segments that
//! never move. The table grows by segments too (extendible hashing: Fagin, Nievergelt, Pippenger and Strong, ACM TODS
//! 4(3), 1979): a full one is split in two, and all others stay where they are.
//!
//! Of wide states each half is kept once, and a state is the places of its halves (Laarman, van de Pol and Weber,
//! Parallel Recursive State Compression for Free, SPIN 2011): what follows a state is like it in one half or the other.

use std::io::{self, Read, Write};
use zerocopy::IntoBytes;

/// A state's place in the order of discovery.
pub type Place = u32;

/// Rows in a segment: 2^14.
const ROWS_BITS: u32 = 14;
const ROWS: usize = 1 << ROWS_BITS;

/// Lines in a segment of the table.
const LINES: usize = 1 << 10;
/// Places in a line.
const SLOTS: usize = 12;
/// Places in a segment beyond which it is split: nine tenths, so that few lines overflow into the next.
const FULL: usize = LINES * SLOTS * 9 / 10;

/// States whose lookups are under way at the same time.
const GROUP: usize = 16;

/// 32-bit words from which on the halves of states are kept apart.
const HALVED: usize = 6;

/// An exact set of packed states, each with the one that it was first reached from.
pub struct Store {
    /// 32-bit words a state takes.
    words: usize,
    /// The halves of all states, each once; none if states are not wide.
    halves: Option<[Keys; 2]>,
    /// The states, or the places of their halves. The last word of a row is the place of the one before it.
    states: Keys,
}

/// Packed states that may be new, in the order in which they were reached.
pub struct Batch {
    words: usize,
    packed: Vec<u32>,
    hashes: Vec<u64>,
    from: Vec<Place>,
}

impl Batch {
    /// A batch of states of `words` 32-bit words each, without any.
    pub fn new(words: usize) -> Self {
        Self { words, packed: Vec::new(), hashes: Vec::new(), from: Vec::new() }
    }
    /// Adds a state that was reached from the one at `from`, with its hash.
    #[inline]
    pub fn push(&mut self, packed: &[u32], hash: u64, from: Place) {
        self.packed.extend_from_slice(packed);
        self.hashes.push(hash);
        self.from.push(from);
    }
    /// Forgets all states, and keeps the memory.
    pub fn clear(&mut self) {
        self.packed.clear();
        self.hashes.clear();
        self.from.clear();
    }
    /// The number of states.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }
    /// Whether there is no state.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
    #[inline]
    fn state(&self, i: usize) -> &[u32] {
        &self.packed[i * self.words..(i + 1) * self.words]
    }
}

/// A hash of which the low and the high bits depend on every bit of the state.
#[inline]
pub fn hash(packed: &[u32]) -> u64 {
    let fold = |h: u64, word: u64| {
        let product = u128::from(h ^ word) * 0xa076_1d64_78bd_642f_u128;
        (product as u64) ^ (product >> 64) as u64
    };
    let pairs = packed.chunks_exact(2);
    let last = pairs.remainder().iter().map(|&w| u64::from(w));
    pairs.map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32).chain(last).fold(0x9e37_79b9_7f4a_7c15, fold)
}

impl Store {
    /// An empty set of states of `words` 32-bit words each.
    pub fn new(words: usize) -> Self {
        let keys = |words| Keys::new(words, 0);
        match words < HALVED {
            true => Self { words, halves: None, states: Keys::new(words, 1) },
            false => {
                let halves = Some([keys(words / 2), keys(words.div_ceil(2))]);
                Self { words, halves, states: Keys::new(2, 1) }
            }
        }
    }
    /// 32-bit words a state takes.
    pub fn words(&self) -> usize {
        self.words
    }
    /// The number of states in the set.
    pub fn len(&self) -> usize {
        self.states.rows.len
    }
    /// Whether no state has been added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Bytes the set holds.
    pub fn bytes(&self) -> usize {
        self.halves.iter().flatten().chain([&self.states]).map(|keys| keys.rows.bytes() + keys.table.bytes()).sum()
    }
    /// Writes the packed state at `place` to `packed`.
    #[inline]
    pub fn read(&self, place: Place, packed: &mut [u32]) {
        join(self.halves.as_ref(), self.states.rows.row(place), packed);
    }
    /// The place of the state that the one at `place` was first reached from; the first state names itself.
    pub fn from(&self, place: Place) -> Place {
        self.states.rows.row(place)[self.states.words]
    }
    /// Adds the states of a batch in their order; calls `new` for each that was not there, with how many came before it
    /// in the batch and its place.
    pub fn extend(&mut self, batch: &Batch, mut new: impl FnMut(usize, Place, &[u32])) {
        for first in (0..batch.len()).step_by(GROUP) {
            let group = first..batch.len().min(first + GROUP);
            let from = &batch.from[group.clone()];
            let mut new = |i: usize, place| new(first + i, place, batch.state(first + i));
            match &mut self.halves {
                None => {
                    let hashes = &batch.hashes[group];
                    self.states.extend(|i| batch.state(first + i), hashes, from, &mut new);
                }
                Some(halves) => {
                    let (mut pairs, mut hashes) = ([[0; 2]; GROUP], [0; GROUP]);
                    for i in 0..group.len() {
                        pairs[i] = split(halves, batch.state(first + i));
                        hashes[i] = hash(&pairs[i]);
                    }
                    self.states.extend(|i| &pairs[i][..], &hashes[..group.len()], from, &mut new);
                }
            }
        }
    }
    /// Adds a state that was reached from the one at `from`; returns its place and whether it is new.
    pub fn insert(&mut self, packed: &[u32], hash: u64, from: Place) -> (Place, bool) {
        match &mut self.halves {
            None => self.states.insert(packed, hash, &[from]),
            Some(halves) => {
                let pair = split(halves, packed);
                self.states.insert(&pair, self::hash(&pair), &[from])
            }
        }
    }
    /// Writes all states, in their order.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let keys = self.halves.iter().flatten().chain([&self.states]);
        keys.map(|keys| &keys.rows).try_for_each(|rows| rows.write(out))
    }
    /// The states that were written, of `words` 32-bit words each.
    pub fn read_all(words: usize, input: &mut impl Read) -> io::Result<Self> {
        let mut store = Self::new(words);
        for keys in store.halves.iter_mut().flatten().chain([&mut store.states]) {
            keys.read(input)?;
        }
        Ok(store)
    }
    /// Takes the states out in their order, and gives their memory back as they go.
    pub fn drain(self) -> Drain {
        let Self { halves, states, .. } = self;
        Drain { halves, rows: states.rows, next: 0 }
    }
}

/// What is left of a set whose states are taken out.
pub struct Drain {
    halves: Option<[Keys; 2]>,
    rows: Rows,
    next: usize,
}

impl Drain {
    /// Writes the next state to `packed`; returns the place of the one that it was reached from.
    pub fn next(&mut self, packed: &mut [u32]) -> Place {
        let row = self.rows.row(self.next as Place);
        let from = row[row.len() - 1];
        join(self.halves.as_ref(), row, packed);
        self.next += 1;
        if self.next.is_multiple_of(ROWS) {
            self.rows.segments[(self.next >> ROWS_BITS) - 1] = Box::default();
        }
        from
    }
}

/// The places of both halves of a state, which are added if they are new.
#[inline]
fn split([left, right]: &mut [Keys; 2], packed: &[u32]) -> [u32; 2] {
    let (a, b) = packed.split_at(left.words);
    [left.insert(a, hash(a), &[]).0, right.insert(b, hash(b), &[]).0]
}

/// Writes the state that is kept as `row`.
#[inline]
fn join(halves: Option<&[Keys; 2]>, row: &[u32], packed: &mut [u32]) {
    match halves {
        None => packed.copy_from_slice(&row[..packed.len()]),
        Some([left, right]) => {
            let (a, b) = packed.split_at_mut(left.words);
            a.copy_from_slice(left.rows.row(row[0]));
            b.copy_from_slice(right.rows.row(row[1]));
        }
    }
}

/// An exact set of keys of a few words, each at the place at which it was added.
struct Keys {
    /// 32-bit words a key takes: the first ones of its row.
    words: usize,
    rows: Rows,
    table: Table,
}

impl Keys {
    fn new(words: usize, besides: usize) -> Self {
        Self { words, rows: Rows { stride: words + besides, segments: Vec::new(), len: 0 }, table: Table::new() }
    }
    #[inline]
    fn key(&self, place: Place) -> &[u32] {
        &self.rows.row(place)[..self.words]
    }
    /// Adds a key with what else its row has, if it is not there; returns its place and whether it is new.
    #[inline]
    fn insert(&mut self, key: &[u32], hash: u64, besides: &[u32]) -> (Place, bool) {
        if let Some(place) = self.table.find(hash, |place| same(self.key(place), key)) {
            return (place, false);
        }
        let Self { words, rows, table } = self;
        let place = Place::try_from(rows.len).expect("fewer than 2^32 states");
        table.insert(hash, place, |place| self::hash(&rows.row(place)[..*words]));
        rows.push(key, besides);
        (place, true)
    }
    /// Adds the rows that were written.
    fn read(&mut self, input: &mut impl Read) -> io::Result<()> {
        self.rows.read(input)?;
        let Self { words, rows, table } = self;
        let again = |place| hash(&rows.row(place)[..*words]);
        (0..rows.len as Place).for_each(|place| table.insert(again(place), place, again));
        Ok(())
    }
    /// Adds a group of keys in their order, each with one word; calls `new` for each that was not there.
    #[inline]
    fn extend<'a>(
        &mut self,
        key: impl Fn(usize) -> &'a [u32],
        hashes: &[u64],
        besides: &[u32],
        new: &mut impl FnMut(usize, Place),
    ) {
        let mut unknown = self.unknown(&key, hashes);
        while unknown != 0 {
            let i = unknown.trailing_zeros() as usize;
            unknown &= unknown - 1;
            if let (place, true) = self.insert(key(i), hashes[i], &besides[i..=i]) {
                new(i, place);
            }
        }
    }
    /// Which keys of a group are not found at once, as bits.
    // A lookup waits for memory twice, for a line of the table and for the row that it names. Reading for a group of
    // keys before any of them is used lets these waits overlap, as long as the processor need not guess what was read:
    // so the lines are only touched at first.
    #[inline]
    fn unknown<'a>(&self, key: &impl Fn(usize) -> &'a [u32], hashes: &[u64]) -> u32 {
        let mut lines = [(&Line::EMPTY, 0); GROUP];
        for (touched, &hash) in lines.iter_mut().zip(hashes) {
            let line = self.table.line(hash);
            *touched = (line, line.len);
        }
        let mut like = [None; GROUP];
        for ((like, (line, len)), &hash) in like.iter_mut().zip(lines).zip(hashes) {
            *like = line.first_like(tag(hash), len);
        }
        let mut unknown = 0;
        for (i, like) in like[..hashes.len()].iter().enumerate() {
            let is_it = like.is_some_and(|place| same(self.key(place), key(i)));
            unknown |= u32::from(!is_it) << i;
        }
        unknown
    }
}

/// Rows of a few words, in segments that never move.
struct Rows {
    stride: usize,
    segments: Vec<Box<[u32]>>,
    len: usize,
}

impl Rows {
    fn push(&mut self, key: &[u32], besides: &[u32]) {
        if self.len.is_multiple_of(ROWS) {
            self.segments.push(vec![0; ROWS * self.stride].into_boxed_slice());
        }
        let at = self.len % ROWS * self.stride;
        let segment = self.segments.last_mut().expect("a segment was just made sure of");
        segment[at..at + key.len()].copy_from_slice(key);
        segment[at + key.len()..at + self.stride].copy_from_slice(besides);
        self.len += 1;
    }
    #[inline]
    fn row(&self, place: Place) -> &[u32] {
        let at = place as usize % ROWS * self.stride;
        &self.segments[place as usize >> ROWS_BITS][at..at + self.stride]
    }
    fn bytes(&self) -> usize {
        self.segments.len() * ROWS * self.stride * 4
    }
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&(self.len as u64).to_ne_bytes())?;
        let mut left = self.len * self.stride;
        for segment in &self.segments {
            let used = &segment[..segment.len().min(left)];
            out.write_all(used.as_bytes())?;
            left -= used.len();
        }
        Ok(())
    }
    fn read(&mut self, input: &mut impl Read) -> io::Result<()> {
        let mut len = [0; 8];
        input.read_exact(&mut len)?;
        self.len = u64::from_ne_bytes(len) as usize;
        for first in (0..self.len).step_by(ROWS) {
            let mut segment = vec![0; ROWS * self.stride].into_boxed_slice();
            let used = ROWS.min(self.len - first) * self.stride;
            input.read_exact(segment[..used].as_mut_bytes())?;
            self.segments.push(segment);
        }
        Ok(())
    }
}
/// Whether two states of a few words are the same: cheaper than a call to compare memory.
#[inline]
fn same(a: &[u32], b: &[u32]) -> bool {
    a.iter().zip(b).all(|(x, y)| x == y)
}

/// Places by hash, in segments that are found by the highest bits of the hash.
struct Table {
    /// The segment for each value of the `depth` highest bits.
    directory: Vec<u32>,
    depth: u32,
    segments: Vec<Segment>,
}

struct Segment {
    lines: Box<[Line]>,
    len: usize,
    /// How many of the highest bits all its hashes share.
    depth: u32,
}

/// What one read of memory brings: the places of a few states, with eight bits of the hash of each.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line {
    tags: [u8; SLOTS],
    len: u32,
    places: [Place; SLOTS],
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    const EMPTY: Self = Self { tags: [0; SLOTS], len: 0, places: [0; SLOTS] };

    /// Which of the first `len` places have the tag `tag`, as bits.
    #[inline]
    fn like(&self, tag: u8, len: u32) -> u32 {
        let equal = self.tags.iter().enumerate().fold(0, |all, (i, &t)| all | u32::from(t == tag) << i);
        equal & ((1 << len) - 1)
    }
    /// The first of the first `len` places that has the tag `tag`.
    #[inline]
    fn first_like(&self, tag: u8, len: u32) -> Option<Place> {
        let like = self.like(tag, len);
        (like != 0).then(|| self.places[like.trailing_zeros() as usize])
    }
}

#[inline]
fn tag(hash: u64) -> u8 {
    hash as u8
}

#[inline]
fn line(hash: u64) -> usize {
    (hash >> 8) as usize % LINES
}

impl Segment {
    fn new(depth: u32) -> Self {
        Self { lines: vec![Line::EMPTY; LINES].into_boxed_slice(), len: 0, depth }
    }
    #[inline]
    fn find(&self, hash: u64, mut is_it: impl FnMut(Place) -> bool) -> Option<Place> {
        let mut at = line(hash);
        loop {
            let line = &self.lines[at];
            let mut like = line.like(tag(hash), line.len);
            while like != 0 {
                let place = line.places[like.trailing_zeros() as usize];
                if is_it(place) {
                    return Some(place);
                }
                like &= like - 1;
            }
            // Nothing is ever taken out, so what does not fit is in the lines that follow a full one.
            if (line.len as usize) < SLOTS {
                return None;
            }
            at = (at + 1) % LINES;
        }
    }
    #[inline]
    fn insert(&mut self, hash: u64, place: Place) {
        let mut at = line(hash);
        while self.lines[at].len as usize == SLOTS {
            at = (at + 1) % LINES;
        }
        let line = &mut self.lines[at];
        line.tags[line.len as usize] = tag(hash);
        line.places[line.len as usize] = place;
        line.len += 1;
        self.len += 1;
    }
}

impl Table {
    fn new() -> Self {
        Self { directory: vec![0], depth: 0, segments: vec![Segment::new(0)] }
    }
    fn bytes(&self) -> usize {
        self.segments.len() * LINES * size_of::<Line>() + self.directory.capacity() * 4
    }
    #[inline]
    fn segment(&self, hash: u64) -> usize {
        // Shifting by all 64 bits would shift by none.
        self.directory[(hash >> 1 >> (63 - self.depth)) as usize] as usize
    }
    /// The line in which the state of `hash` is looked for first.
    #[inline]
    fn line(&self, hash: u64) -> &Line {
        &self.segments[self.segment(hash)].lines[line(hash)]
    }
    #[inline]
    fn find(&self, hash: u64, is_it: impl FnMut(Place) -> bool) -> Option<Place> {
        self.segments[self.segment(hash)].find(hash, is_it)
    }
    /// Adds `place` under `hash`; `again` gives the hash of a place that was added before.
    #[inline]
    fn insert(&mut self, hash: u64, place: Place, again: impl Fn(Place) -> u64) {
        while self.segments[self.segment(hash)].len >= FULL {
            self.split(self.segment(hash), &again);
        }
        let segment = self.segment(hash);
        self.segments[segment].insert(hash, place);
    }
    /// Splits a segment by the next bit of its hashes.
    #[cold]
    fn split(&mut self, segment: usize, again: impl Fn(Place) -> u64) {
        let depth = self.segments[segment].depth + 1;
        if depth > self.depth {
            self.directory = self.directory.iter().flat_map(|&s| [s, s]).collect();
            self.depth = depth;
        }
        let old = std::mem::replace(&mut self.segments[segment], Segment::new(depth));
        let mut upper = Segment::new(depth);
        // All rows are read before any place goes anywhere: these waits for memory overlap.
        let places = old.lines.iter().flat_map(|line| &line.places[..line.len as usize]);
        let hashed: Vec<(Place, u64)> = places.map(|&place| (place, again(place))).collect();
        for (place, hash) in hashed {
            let half = if hash >> (64 - depth) & 1 == 0 { &mut self.segments[segment] } else { &mut upper };
            half.insert(hash, place);
        }
        let added = self.segments.len() as u32;
        for (prefix, entry) in self.directory.iter_mut().enumerate() {
            let in_upper_half = prefix >> (self.depth - depth) & 1 == 1;
            *entry = if *entry as usize == segment && in_upper_half { added } else { *entry };
        }
        self.segments.push(upper);
    }
}
