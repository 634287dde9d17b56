//! Runs: walks through the chain, each drawn from a stream of its own, so that a run is the same wherever it is made.

use super::chain::{Chain, FIRST, Number, Setting};
use super::habits::{Habit, Habits};
use super::occasion::People;
use super::tally::{Counted, Tally};
use crate::model::bits::Index;
use crate::model::{Action, PEOPLE_MAX, Person, Set, World};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Runs that a thread takes at a time.
const TAKEN: u64 = 64;
/// Nodes after which a thread forgets what it has worked out: each takes about a kilobyte.
const NODES_MAX: usize = 400_000;

/// What is drawn from.
pub struct Drawn<'a> {
    /// The world and the adversary's strategy.
    pub setting: &'a Setting,
    /// How the people of the world behave.
    pub habits: [Habits; PEOPLE_MAX],
    /// How long each run lasts, in days.
    pub days: f64,
    /// What all streams are made from.
    pub seed: u64,
}

/// What one run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// For each property that is watched, the day on which it first did not hold; none if it always did.
    pub fell: Vec<Option<f64>>,
    /// What was counted. What routine messages came to is counted by their rates.
    pub tally: Tally,
    /// How often the state changed.
    pub events: u64,
}

/// Something that happened in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Happened {
    /// On which day.
    pub day: f64,
    /// What.
    pub action: Action,
}

/// Who watches runs being made.
pub trait Watch: Sync {
    /// Called with runs that were just made; returns whether to go on.
    fn done(&self, runs: &[Outcome]) -> bool;
}

impl Watch for () {
    fn done(&self, _: &[Outcome]) -> bool {
        true
    }
}

/// The chains that a thread has worked out, one for each choice of people who hold ceremonies.
type Chains<'a> = HashMap<Set<Person>, Chain<'a>>;

/// The first `runs` runs, on as many threads as said; none if whoever watches did not let them go on.
pub fn all(drawn: &Drawn, runs: u64, threads: NonZero<usize>, watch: &dyn Watch) -> Option<Vec<Outcome>> {
    let (next, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
    let parts = Mutex::new(Vec::new());
    let work = || {
        let mut chains = Chains::new();
        while !stopped.load(Ordering::Relaxed) {
            let first = next.fetch_add(TAKEN, Ordering::Relaxed);
            if first >= runs {
                return;
            }
            let part: Vec<Outcome> =
                (first..runs.min(first + TAKEN)).map(|case| walk(drawn, &mut chains, case, |_, _, _| {})).collect();
            if !watch.done(&part) {
                stopped.store(true, Ordering::Relaxed);
            }
            parts.lock().expect("no thread panics with it").push((first, part));
        }
    };
    std::thread::scope(|scope| {
        (1..threads.get()).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let mut parts = parts.into_inner().expect("no thread panicked with it");
    parts.sort_unstable_by_key(|(first, _)| *first);
    (!stopped.into_inner()).then(|| parts.into_iter().flat_map(|(_, part)| part).collect())
}

/// The run of this number, with all that happened in it.
pub fn one(drawn: &Drawn, case: u64) -> (Outcome, Vec<Happened>) {
    let mut happened: Vec<Happened> = Vec::new();
    let outcome = walk(drawn, &mut Chains::new(), case, |chain, day, event| {
        let actions = event.map_or_else(|| chain.first_actions(), |(number, action)| chain.actions(number, action));
        happened.extend(actions.into_iter().map(|action| Happened { day, action }));
    });
    (outcome, happened)
}

/// One run. `happens` is told each event, where it happens and on which day; first of all, nothing.
fn walk<'a>(
    drawn: &Drawn<'a>,
    chains: &mut Chains<'a>,
    case: u64,
    mut happens: impl FnMut(&Chain, f64, Option<(Number, Action)>),
) -> Outcome {
    let Drawn { setting, habits, days, seed } = drawn;
    let mut stream = ChaCha8Rng::seed_from_u64(*seed);
    stream.set_stream(case);
    let verifying = verifying(&setting.world, habits, |probability| stream.random::<f64>() < probability);
    let chain = chains.entry(verifying).or_insert_with(|| Chain::new(setting, People { habits: *habits, verifying }));
    if chain.len() > NODES_MAX {
        *chain = Chain::new(setting, People { habits: *habits, verifying });
    }
    let mut outcome = Outcome { fell: vec![None; setting.properties.len()], tally: Tally::default(), events: 0 };
    let (mut day, mut at, mut past, mut up) = (0.0, FIRST, 0.0, 0u16);
    happens(chain, day, None);
    loop {
        let node = chain.node(at);
        let (new, is_past) = (node.fallen & !up, node.is_past);
        up |= new;
        for (i, fell) in outcome.fell.iter_mut().enumerate().filter(|(i, _)| new >> i & 1 == 1) {
            *fell = Some(day);
            if setting.properties[i] == crate::model::Property::PastStaysPrivate {
                outcome.tally[Counted::PastExposed] = past;
            }
        }
        let (total, a_day) = chain.pace(at);
        let stay = exponential(&mut stream, total).min(days - day);
        outcome.tally += a_day * stay;
        past += if is_past { (a_day[Counted::Messages] - a_day[Counted::Refused]) * stay } else { 0.0 };
        day += stay;
        if day >= *days {
            return outcome;
        }
        let (action, next, tally) = chain.follow(at, stream.random::<f64>() * total);
        happens(chain, day, Some((at, action)));
        outcome.tally += tally;
        outcome.events += 1;
        at = next;
    }
}

/// The time until something that comes about so often happens.
// The platform's logarithm may differ in its last bit, and with it every run.
#[inline]
pub(super) fn exponential(stream: &mut ChaCha8Rng, rate: f64) -> f64 {
    -libm::log1p(-stream.random::<f64>()) / rate
}

/// Who of the people holds ceremonies, each with the probability of their own.
fn verifying(w: &World, habits: &[Habits; PEOPLE_MAX], mut does: impl FnMut(f64) -> bool) -> Set<Person> {
    let honest = w.all_people().filter(|&p| !w.uninvited.has(p));
    honest.filter(|p| does(habits[p.index()].get(Habit::Verifies))).collect()
}

/// Every choice of people who hold ceremonies, with its probability; those that can't be are left out.
pub fn choices(w: &World, habits: &[Habits; PEOPLE_MAX]) -> Vec<(Set<Person>, f64)> {
    let honest: Set<Person> = w.all_people().filter(|&p| !w.uninvited.has(p)).collect();
    let probability = |chosen: Set<Person>| -> f64 {
        let of = |p: Person| habits[p.index()].get(Habit::Verifies);
        honest.iter().map(|p| if chosen.has(p) { of(p) } else { 1.0 - of(p) }).product()
    };
    honest.subsets().map(|chosen| (chosen, probability(chosen))).filter(|(_, p)| *p > 0.0).collect()
}
