//! Breadth-first search of anything that has packed states: level by level, exact, on any number of threads.
//!
//! The states of a level are expanded round by round. In a round, threads first expand chunks of states side by side.
//! Then each adds to its own shard of the visited set what was reached and belongs there by its hash, chunk by chunk.
//! At last one thread notes in which order the new states were reached. This is the order in which a single thread
//! would have found them, so every count and every trace is the same on any number of threads.

use super::checkpoint::read_line;
use super::store::{Batch, Drain, Place, Store, hash};
use super::{Limits, Progress, Stopped, Tick};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, RwLock};
use std::time::Instant;

/// How many chunks a round has.
const CHUNKS: usize = 8;
/// The fewest states of a chunk, unless its level has no more.
const CHUNK_MIN: usize = 16;
/// The most states of a chunk.
const CHUNK_MAX: usize = 512;

/// How many of the states that were reached last are remembered with a chunk.
const RECENT: usize = 1 << 12;

/// The most threads that a search has use for.
const THREADS_MAX: usize = 64;

/// States of a few 32-bit words, and what can follow each.
pub trait Space: Sync {
    /// Memory that a thread uses again for state after state.
    type Scratch: Default;

    /// 32-bit words a packed state takes.
    fn words(&self) -> usize;
    /// Writes the first state to `packed`.
    fn initial(&self, packed: &mut [u32]);
    /// Hands everything that can follow the state `from` to `reach`, in the order that makes one trace less than
    /// another; what follows in several ways may be handed on once.
    fn expand(&self, from: &[u32], scratch: &mut Self::Scratch, reach: impl FnMut(&[u32])) -> Expanded;
    /// What is so in a state that was not found before, a bit for each of up to 32 marks.
    fn marks(&self, packed: &[u32]) -> u32;
}

/// What is told of the expansion of states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The ways that led somewhere, each counted.
    pub transitions: usize,
    /// What happened in some of them, a bit for each of up to 32 events.
    pub events: u32,
}

/// The part of a space that was searched, up to now.
pub struct Graph {
    /// The states found, each in the shard that its hash says.
    shards: Vec<Store>,
    /// The shard of each state, in the order of discovery; empty if there is one shard only.
    order: Vec<u8>,
    /// The first state that was not expanded.
    next: Cursor,
    /// Where the level that is being expanded ends, in the order of discovery.
    level_end: usize,
    /// The depth of the level that is being expanded.
    pub depth: usize,
    /// The states found on each level up to this one.
    levels: Vec<usize>,
    /// The states that this process began with, and when.
    begun: (usize, Instant),
    /// The first state found that has each mark.
    pub marked: [Option<Place>; 32],
    /// States found since the beginning, those that were merged since included.
    pub states: usize,
    /// What was told of all expansions together.
    pub expanded: Expanded,
}

/// A state in the order of discovery: how many were found before it, in all and in each shard.
#[derive(Clone, Default)]
struct Cursor {
    index: usize,
    in_shard: Vec<Place>,
}

/// Why a search came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything was expanded.
    Exhausted,
    /// A level is complete, and some state has a mark that was waited for.
    Marked,
    /// A limit was reached.
    Stopped(Stopped),
}

/// When a search has to come back.
pub struct Until<'a> {
    /// Limits, finished or not.
    pub limits: Limits,
    /// The marks to wait for.
    pub marks: u32,
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// Called after every round, for a copy of the search to be kept now and then.
    pub keep: Option<&'a (dyn Fn(&Snapshot) + Sync)>,
}

/// A search between two rounds.
pub struct Snapshot<'a> {
    graph: &'a Graph,
    stores: Vec<&'a Store>,
}

/// How far a search is, as it is written before what it has found.
#[derive(Serialize, Deserialize)]
struct Far {
    shards: usize,
    index: usize,
    in_shard: Vec<Place>,
    level_end: usize,
    depth: usize,
    levels: Vec<usize>,
    marked: [Option<Place>; 32],
    states: usize,
    transitions: usize,
    events: u32,
    order: usize,
}

impl Snapshot<'_> {
    /// Writes all of the search.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Graph { order, next, level_end, depth, levels, marked, states, expanded, .. } = self.graph;
        let far = Far {
            shards: self.stores.len(),
            index: next.index,
            in_shard: next.in_shard.clone(),
            level_end: *level_end,
            depth: *depth,
            levels: levels.clone(),
            marked: *marked,
            states: *states,
            transitions: expanded.transitions,
            events: expanded.events,
            order: order.len(),
        };
        writeln!(out, "{}", serde_json::to_string(&far)?)?;
        out.write_all(order)?;
        self.stores.iter().try_for_each(|store| store.write(out))
    }
}

impl Graph {
    /// The first state of `space`, not expanded, to be searched on so many threads.
    pub fn new(space: &impl Space, threads: usize) -> Self {
        let mut initial = vec![0; space.words()];
        space.initial(&mut initial);
        let mut graph = Self {
            shards: Vec::new(),
            order: Vec::new(),
            next: Cursor::default(),
            level_end: 1,
            depth: 0,
            levels: vec![1],
            begun: (1, Instant::now()),
            marked: [None; 32],
            states: 1,
            expanded: Expanded::default(),
        };
        graph.empty(space.words(), threads.clamp(1, THREADS_MAX));
        let (place, _) = graph.insert(&initial, 0);
        mark(&mut graph.marked, space.marks(&initial), place);
        graph
    }

    /// The search that was written, of states of so many words, to go on on so many threads.
    pub fn read(input: &mut impl BufRead, words: usize, threads: usize) -> io::Result<Self> {
        let far: Far = read_line(input)?;
        let mut order = vec![0; far.order];
        input.read_exact(&mut order)?;
        let shards = (0..far.shards).map(|_| Store::read_all(words, input)).collect::<io::Result<_>>()?;
        let mut graph = Self {
            shards,
            order,
            next: Cursor { index: far.index, in_shard: far.in_shard },
            level_end: far.level_end,
            depth: far.depth,
            levels: far.levels,
            begun: (far.states, Instant::now()),
            marked: far.marked,
            states: far.states,
            expanded: Expanded { transitions: far.transitions, events: far.events },
        };
        let threads = threads.clamp(1, THREADS_MAX);
        if threads != far.shards {
            let marked = graph.marked;
            let places = graph.rewritten(words, threads, |old, new| new.copy_from_slice(old));
            let moved = |place: Place| places[place as usize % far.shards][place as usize / far.shards];
            graph.marked = marked.map(|place| place.map(moved));
        }
        Ok(graph)
    }
    /// The number of threads that it is searched on.
    pub fn threads(&self) -> usize {
        self.shards.len()
    }
    /// The search as it is.
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { graph: self, stores: self.shards.iter().collect() }
    }

    /// The number of states in the visited set.
    pub fn len(&self) -> usize {
        self.shards.iter().map(Store::len).sum()
    }
    /// Whether no state was found.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Bytes that the states found and the ways back from them take.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(Store::bytes).sum::<usize>() + self.order.capacity()
    }
    /// The packed state at `place`.
    pub fn get(&self, place: Place) -> Vec<u32> {
        let shards = self.shards.len() as Place;
        let store = &self.shards[(place % shards) as usize];
        let mut packed = vec![0; store.words()];
        store.read(place / shards, &mut packed);
        packed
    }
    /// The places on the way from the first state to the one at `place`, both included.
    pub fn path(&self, mut place: Place) -> Vec<Place> {
        let shards = self.shards.len() as Place;
        let mut path = vec![place];
        loop {
            let from = self.shards[(place % shards) as usize].from(place / shards);
            if from == place {
                path.reverse();
                return path;
            }
            place = from;
            path.push(place);
        }
    }

    fn empty(&mut self, words: usize, shards: usize) {
        self.shards = (0..shards).map(|_| Store::new(words)).collect();
        self.order.clear();
        self.next = Cursor { index: 0, in_shard: vec![0; shards] };
    }
    /// Adds a state; the first one names itself as the one that it was reached from.
    fn insert(&mut self, packed: &[u32], from: Place) -> (Place, bool) {
        let (hash, shards) = (hash(packed), self.shards.len());
        let shard = shard(hash, shards);
        let from = if self.is_empty() { self.place(shard, 0) } else { from };
        let (local, new) = self.shards[shard].insert(packed, hash, from);
        if new && shards > 1 {
            self.order.push(shard as u8);
        }
        (self.place(shard, local), new)
    }

    /// Writes another state in the place of each; those that become the same become one, which was found when the first
    /// of them was. Marks are forgotten.
    // This leaves the levels right where states that become the same always have the same future: the level of the one
    // state is the lowest of theirs, and the least way to it is the way to the first.
    pub fn rewrite(&mut self, words: usize, image: impl FnMut(&[u32], &mut [u32])) {
        self.rewritten(words, self.shards.len(), image);
        self.level_end = self.len();
        self.marked = [None; 32];
    }
    /// Does so, into so many shards; returns the places that the states have now, by shard and place before.
    fn rewritten(&mut self, words: usize, shards: usize, mut image: impl FnMut(&[u32], &mut [u32])) -> Vec<Vec<Place>> {
        let (len, next) = (self.len(), self.next.index);
        let (old, order) = (std::mem::take(&mut self.shards), std::mem::take(&mut self.order));
        let before = old.len();
        self.empty(words, shards);
        let (mut read, mut packed) = (vec![0; old[0].words()], vec![0; words]);
        let mut places: Vec<Vec<Place>> = old.iter().map(|store| Vec::with_capacity(store.len())).collect();
        let mut old: Vec<Drain> = old.into_iter().map(Store::drain).collect();
        let mut first_open = None;
        for index in 0..len {
            if index == next {
                first_open = Some(self.cursor());
            }
            let shard = order.get(index).map_or(0, |&shard| usize::from(shard));
            let from = old[shard].next(&mut read) as usize;
            image(&read, &mut packed);
            let from = places[from % before].get(from / before).copied().unwrap_or_default();
            let (place, _) = self.insert(&packed, from);
            places[shard].push(place);
        }
        self.next = first_open.unwrap_or_else(|| self.cursor());
        places
    }
    /// Behind the last state.
    fn cursor(&self) -> Cursor {
        Cursor { index: self.len(), in_shard: self.shards.iter().map(|store| store.len() as Place).collect() }
    }

    /// Expands level after level, from where the search was left.
    pub fn run<S: Space>(&mut self, space: &S, until: &Until) -> End {
        if self.next.index == self.level_end {
            return End::Exhausted;
        }
        if self.is_deep_enough(until) {
            return End::Stopped(Stopped::Depth);
        }
        let stores = std::mem::take(&mut self.shards);
        let threads = stores.len();
        let shards = stores.into_iter().map(|store| RwLock::new(Shard { store, new: Vec::new(), marks: Vec::new() }));
        let chunks = (0..CHUNKS).map(|_| RwLock::new(Chunk::new(space.words(), threads)));
        let shared = Shared {
            space,
            shards: shards.collect(),
            chunks: chunks.collect(),
            next_chunk: AtomicUsize::new(0),
            round: RwLock::new(Round::of(self)),
            barrier: Barrier::new(threads),
            panicked: Mutex::new(None),
        };
        std::thread::scope(|scope| {
            for shard in 1..threads {
                let shared = &shared;
                scope.spawn(move || shared.work(shard, None));
            }
            shared.work(0, Some(until));
        });
        let Shared { shards, round, panicked, .. } = shared;
        if let Some(panic) = panicked.into_inner().unwrap_or_default() {
            resume_unwind(panic);
        }
        let Round { graph, end, .. } = round.into_inner().expect(PANICKED);
        graph.shards = shards.into_iter().map(|shard| shard.into_inner().expect(PANICKED).store).collect();
        end.expect("a search ends")
    }

    fn tick(&self) -> Tick<'_> {
        let (before, since) = self.begun;
        let (states, levels) = (self.states, &self.levels);
        Tick { states, frontier: self.level_end - self.next.index, levels, here: (states - before, since.elapsed()) }
    }
    /// Which limit is reached, if one is, by the visited set of so many bytes.
    fn stopped(&self, until: &Until, bytes: usize) -> Option<Stopped> {
        let limits = &until.limits;
        match () {
            () if !until.progress.tick(&self.tick()) => Some(Stopped::Interrupted),
            () if limits.states_max.is_some_and(|max| self.states > max) => Some(Stopped::States),
            () if limits.deadline.is_some_and(|end| Instant::now() >= end) => Some(Stopped::Time),
            () if limits.bytes_max.is_some_and(|max| bytes > max) => Some(Stopped::Memory),
            () => None,
        }
    }
}

fn mark(marked: &mut [Option<Place>; 32], mut marks: u32, place: Place) {
    while marks != 0 {
        marked[marks.trailing_zeros() as usize].get_or_insert(place);
        marks &= marks - 1;
    }
}

/// The shard of a state: by bits of its hash that no table uses.
#[inline]
fn shard(hash: u64, shards: usize) -> usize {
    ((hash >> 24 & 0xff) as usize * shards) >> 8
}

/// A search that several threads work on, one for each shard.
struct Shared<'a, S> {
    space: &'a S,
    shards: Vec<RwLock<Shard>>,
    chunks: Vec<RwLock<Chunk>>,
    /// The first chunk that no thread has taken.
    next_chunk: AtomicUsize,
    round: RwLock<Round<'a>>,
    barrier: Barrier,
    /// What the first thread that panicked said.
    panicked: Mutex<Option<Box<dyn Any + Send>>>,
}

const PANICKED: &str = "no thread panicked";

/// What is expanded next.
struct Round<'a> {
    /// All but the shards, which the threads have.
    graph: &'a mut Graph,
    /// The first state of each chunk, and how many states it has.
    chunks: Vec<(Cursor, usize)>,
    end: Option<End>,
}

/// A part of the visited set, and what a round adds to it.
struct Shard {
    store: Store,
    /// For each state of the chunks that belongs here, in their order: whether it was new.
    new: Vec<bool>,
    /// New states that have marks which no state had before: how many that belong here were reached before in this
    /// round, the marks, and the place.
    marks: Vec<(usize, u32, Place)>,
}

/// What follows some states.
struct Chunk {
    /// The states that were reached, by shard.
    reached: Vec<Batch>,
    /// The shard of each of them, in the order in which they were reached; empty if there is one shard only.
    order: Vec<u8>,
    recent: Recent,
    expanded: Expanded,
}

impl<S: Space> Shared<'_, S> {
    /// Takes part in round after round, for one shard. Who is told until when to search also ends the rounds.
    fn work(&self, shard: usize, until: Option<&Until>) {
        let (mut scratch, mut from) = (S::Scratch::default(), vec![0; self.space.words()]);
        while self.round.read().expect(PANICKED).end.is_none() {
            self.attempt(|| self.expand(&mut scratch, &mut from));
            self.barrier.wait();
            self.attempt(|| self.add(shard));
            self.barrier.wait();
            if let Some(until) = until {
                self.attempt(|| self.end_round(until));
            }
            self.barrier.wait();
            if self.panicked.lock().expect(PANICKED).is_some() {
                return;
            }
        }
    }
    /// Does a part of a round, and comes back even if that panics, because the others wait.
    fn attempt(&self, part: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(part)) {
            self.panicked.lock().expect(PANICKED).get_or_insert(panic);
        }
    }

    /// Expands chunks as long as some are left.
    fn expand(&self, scratch: &mut S::Scratch, from: &mut [u32]) {
        let round = self.round.read().expect(PANICKED);
        let shards: Vec<_> = self.shards.iter().map(|shard| shard.read().expect(PANICKED)).collect();
        loop {
            let i = self.next_chunk.fetch_add(1, Ordering::Relaxed);
            let Some((first, len)) = round.chunks.get(i) else { return };
            let mut chunk = self.chunks[i].write().expect(PANICKED);
            chunk.clear();
            let mut at = first.in_shard.clone();
            for index in first.index..first.index + len {
                let shard = round.graph.shard_of(index);
                let place = round.graph.place(shard, at[shard]);
                shards[shard].store.read(at[shard], from);
                chunk.expand(self.space, scratch, from, place);
                at[shard] += 1;
            }
        }
    }

    /// Adds to a shard what the chunks reached of it.
    fn add(&self, shard: usize) {
        let round = self.round.read().expect(PANICKED);
        let Shard { store, new, marks } = &mut *self.shards[shard].write().expect(PANICKED);
        new.clear();
        marks.clear();
        let mut marked = round.graph.marks();
        for chunk in &self.chunks[..round.chunks.len()] {
            let reached = &chunk.read().expect(PANICKED).reached[shard];
            let first = new.len();
            new.resize(first + reached.len(), false);
            store.extend(reached, |i, local, packed| {
                new[first + i] = true;
                let unseen = self.space.marks(packed) & !marked;
                if unseen != 0 {
                    marked |= unseen;
                    marks.push((first + i, unseen, round.graph.place(shard, local)));
                }
            });
        }
    }

    /// Notes what a round has found, and begins the next one.
    fn end_round(&self, until: &Until) {
        let mut round = self.round.write().expect(PANICKED);
        let Round { graph, chunks, end } = &mut *round;
        let shards: Vec<_> = self.shards.iter().map(|shard| shard.read().expect(PANICKED)).collect();
        let mut added: Vec<_> = shards.iter().map(|s| (s.new.iter().enumerate(), s.marks.iter().peekable())).collect();
        for chunk in &self.chunks[..chunks.len()] {
            let chunk = chunk.read().expect(PANICKED);
            graph.expanded.transitions += chunk.expanded.transitions;
            graph.expanded.events |= chunk.expanded.events;
            for shard in chunk.order() {
                let (new, marks) = &mut added[usize::from(shard)];
                let (before, new) = new.next().expect("all that was reached was added or known");
                if let Some((_, bits, place)) = marks.next_if(|m| m.0 == before) {
                    mark(&mut graph.marked, *bits, *place);
                }
                if *new {
                    graph.found(shard);
                }
            }
        }
        let (last, len) = chunks.last().expect("a round has chunks");
        graph.next = graph.advanced(last, *len);
        let bytes = shards.iter().map(|s| s.store.bytes()).sum::<usize>() + graph.order.capacity();
        // A rewrite notes for every state where it went.
        let rewrite = if until.marks == 0 { 0 } else { graph.states * size_of::<Place>() };
        let bytes = bytes + rewrite;
        let stopped = graph.stopped(until, bytes);
        let level_is_done = graph.next.index == graph.level_end;
        if level_is_done {
            graph.depth += 1;
            graph.levels.push(graph.states - graph.levels.iter().sum::<usize>());
            graph.level_end = shards.iter().map(|s| s.store.len()).sum();
        }
        // A limit ends nothing that is over already, and what is waited for is not left for later.
        *end = match stopped {
            _ if level_is_done && graph.marks() & until.marks != 0 => Some(End::Marked),
            _ if level_is_done && graph.next.index == graph.level_end => Some(End::Exhausted),
            None if level_is_done && graph.is_deep_enough(until) => Some(End::Stopped(Stopped::Depth)),
            stopped => stopped.map(End::Stopped),
        };
        if let (Some(keep), None) = (until.keep, &end) {
            keep(&Snapshot { graph, stores: shards.iter().map(|shard| &shard.store).collect() });
        }
        *chunks = graph.chunks();
        self.next_chunk.store(0, Ordering::Relaxed);
    }
}

impl<'a> Round<'a> {
    fn of(graph: &'a mut Graph) -> Self {
        Self { chunks: graph.chunks(), graph, end: None }
    }
}

/// What the threads and the rounds need to know of a graph.
impl Graph {
    fn marks(&self) -> u32 {
        self.marked.iter().enumerate().fold(0, |all, (i, place)| all | u32::from(place.is_some()) << i)
    }
    fn is_deep_enough(&self, until: &Until) -> bool {
        until.limits.depth_max.is_some_and(|max| self.depth >= max)
    }
    /// The shard of a state, by its place in the order of discovery.
    #[inline]
    fn shard_of(&self, index: usize) -> usize {
        self.order.get(index).map_or(0, |&shard| usize::from(shard))
    }
    /// The place of the state at the place `local` of its shard.
    #[inline]
    fn place(&self, shard: usize, local: Place) -> Place {
        let place = local as usize * self.next.in_shard.len() + shard;
        Place::try_from(place).expect("fewer than 2^32 states")
    }
    /// Notes that a state was found.
    #[inline]
    fn found(&mut self, shard: u8) {
        self.states += 1;
        if self.next.in_shard.len() > 1 {
            self.order.push(shard);
        }
    }
    /// The cursor so many states further on.
    fn advanced(&self, from: &Cursor, states: usize) -> Cursor {
        let mut to = from.clone();
        to.index += states;
        match to.in_shard.len() {
            1 => to.in_shard[0] += states as Place,
            _ => (from.index..to.index).for_each(|index| to.in_shard[self.shard_of(index)] += 1),
        }
        to
    }
    /// The next chunks of the level.
    // The number of threads must not count here: a limit stops a search after a whole round.
    fn chunks(&self) -> Vec<(Cursor, usize)> {
        let left = self.level_end - self.next.index;
        let size = left.div_ceil(CHUNKS).clamp(CHUNK_MIN, CHUNK_MAX);
        let mut chunks = Vec::with_capacity(CHUNKS);
        let mut first = self.next.clone();
        while chunks.len() < CHUNKS && first.index < self.level_end {
            let len = size.min(self.level_end - first.index);
            let next = self.advanced(&first, len);
            chunks.push((first, len));
            first = next;
        }
        chunks
    }
}

impl Chunk {
    fn new(words: usize, shards: usize) -> Self {
        let reached = (0..shards).map(|_| Batch::new(words)).collect();
        Self { reached, order: Vec::new(), recent: Recent::new(words), expanded: Expanded::default() }
    }
    fn clear(&mut self) {
        self.reached.iter_mut().for_each(Batch::clear);
        self.order.clear();
        self.expanded = Expanded::default();
    }
    /// Expands one more state.
    #[inline]
    fn expand<S: Space>(&mut self, space: &S, scratch: &mut S::Scratch, from: &[u32], place: Place) {
        let Self { reached, order, recent, expanded } = self;
        let shards = reached.len();
        let Expanded { transitions, events } = space.expand(from, scratch, |packed| {
            let hash = hash(packed);
            if !recent.is_new(packed, hash) {
                return;
            }
            let shard = shard(hash, shards);
            reached[shard].push(packed, hash, place);
            if shards > 1 {
                order.push(shard as u8);
            }
        });
        expanded.transitions += transitions;
        expanded.events |= events;
    }
    /// The shard of each state that was reached, in order.
    fn order(&self) -> impl Iterator<Item = u8> {
        let only = if self.reached.len() == 1 { self.reached[0].len() } else { 0 };
        self.order.iter().copied().chain(std::iter::repeat_n(0, only))
    }
}

/// Some of the states that were reached last in one chunk after another.
// A state that is among them was reached before by the same chunk, or by one that was added before.
struct Recent {
    words: usize,
    packed: Vec<u32>,
}

impl Recent {
    fn new(words: usize) -> Self {
        // The last word of each slot tells whether there is a state in it.
        Self { words, packed: vec![0; RECENT * (words + 1)] }
    }
    /// Whether a state is not among them. From now on it is.
    #[inline]
    fn is_new(&mut self, packed: &[u32], hash: u64) -> bool {
        let at = (hash >> 40) as usize % RECENT * (self.words + 1);
        let slot = &mut self.packed[at..=at + self.words];
        let known = slot[self.words] == 1 && slot[..self.words].iter().zip(packed).all(|(a, b)| a == b);
        if !known {
            slot[..self.words].copy_from_slice(packed);
            slot[self.words] = 1;
        }
        !known
    }
}
