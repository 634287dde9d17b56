//! The verdicts of the model held against decryption: every violation is confirmed on real clients, and walks look for
//! one that the model does not have.

use crate::drive::{Cast, strategy};
use crate::failure::{Failure, Res};
use crate::known::Known;
use crate::machine;
use crate::replay::{Course, Replay};
use crate::walk::{Cell, Tally, walk};
use overhear::bundle;
use overhear::explore::Limits;
use overhear::model::action::possible;
use overhear::model::bits::PEOPLE_MAX;
use overhear::model::property::culprits;
use overhear::model::{Action, Answer, Device, Property, Set};
use overhear::run::{self, Plan, Scenario, Verdict};
use overhear::scenario::{Size, arrival_name, property_name, read_scenario};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What a cell of the matrix came to in reality.
pub struct Row {
    /// The scenario, the model and the arrival, compiled.
    pub cell: Cell,
    /// Why the cell says nothing about a Matrix client, if it says nothing.
    pub not_applicable: Option<String>,
    /// Each violation that the search found: the property, its shortest trace, and what became of it in reality.
    pub violated: Vec<(Property, Vec<Action>, Confirmed)>,
    /// Properties that a search cut short has not decided.
    pub undecided: usize,
    /// The walks.
    pub tally: Tally,
    /// Walks that came to something new, as text.
    pub news: Vec<String>,
}

/// What became of a violation in reality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// It happened, and the two sides agreed at every step.
    Yes,
    /// It happened, after a known difference that changed nothing about it.
    In(Known),
    /// It did not happen, or something new came up on the way.
    No(String),
}

/// Every cell under the models that the client implements, each violation that is found confirmed.
///
/// The search of a large scenario ends at `large_states_max` states; what it has not decided by then is not confirmed
/// here, and counted.
pub fn cells(large_states_max: usize) -> Result<Vec<Row>, String> {
    let known = bundle::models();
    let models: Vec<_> = known.iter().filter(|m| strategy(&m.name).is_some()).cloned().collect();
    let read = |file: bundle::Bundled| {
        let source = file.source();
        read_scenario(&source).map(|file| Scenario { file, source }).map_err(|e| e.to_string())
    };
    let scenarios = bundle::scenarios().into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let (large, base): (Vec<_>, Vec<_>) = scenarios.into_iter().partition(|s| s.file.size == Size::Large);
    let mut rows = Vec::new();
    for (scenarios, states_max) in [(base, None), (large, Some(large_states_max))] {
        let limits = Limits { states_max, ..Limits::default() };
        let scenarios = &scenarios;
        let plan = Plan {
            scenarios,
            models: &models,
            known: &known,
            named: false,
            large: true,
            limits,
            kept: None,
            may_be_vacuous: false,
        };
        let searched = run::run(&plan, &()).map_err(|e| format!("{e:?}"))?;
        rows.extend(searched.iter().map(row).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(rows)
}

fn row(searched: &run::Cell) -> Result<Row, String> {
    let (w, model) = (searched.world, searched.model);
    let cell = Cell {
        scenario: searched.scenario.file.name.clone(),
        model: model.name.clone(),
        arrives: searched.arrives.map_or("no adversary", arrival_name),
        world: w,
        names: searched.names.clone(),
        strategy: strategy(&model.name).ok_or("a model that no client implements")?,
    };
    let other = w.all_people().any(|p| *w.policy(p) != model.policy);
    let denied = searched.verdicts.iter().find_map(|(_, verdict)| match verdict {
        Verdict::Holds { no_move } => no_move.clone(),
        Verdict::Vacuous { why } => Some(why.clone()),
        _ => None,
    });
    let not_applicable = match () {
        () if other => Some("somebody follows another policy".to_string()),
        // Its keys would have to say so in what the machine signs itself.
        () if !w.dehydrated.is_empty() => Some("a machine does not pose as a dehydrated device".to_string()),
        () => denied,
    };
    let mut violated = Vec::new();
    for (property, verdict) in &searched.verdicts {
        if let (Verdict::Violated { trace }, None, true) = (verdict, &not_applicable, property.is_safety()) {
            let confirmed = machine::run(confirm(&cell, *property, trace)).map_err(|e| e.to_string())?;
            violated.push((*property, trace.clone(), confirmed));
        }
    }
    let undecided = searched.verdicts.iter().filter(|v| matches!(v.1, Verdict::Unknown { .. })).count();
    Ok(Row { cell, not_applicable, violated, undecided, tally: Tally::default(), news: Vec::new() })
}

/// Replays the trace of a violation, and looks whether it has really happened at its end.
async fn confirm(cell: &Cell, property: Property, trace: &[Action]) -> Confirmed {
    match replay(cell, property, trace).await {
        Ok(confirmed) => confirmed,
        Err(failure) => Confirmed::No(failure.to_string()),
    }
}

async fn replay(cell: &Cell, property: Property, trace: &[Action]) -> Res<Confirmed> {
    let mut both = Replay::new(&cell.world, &cell.names, cell.strategy.clone()).await?;
    let mut parted = None;
    for (i, &action) in trace.iter().enumerate() {
        for (difference, known) in both.step(action).await?.differences {
            match known {
                Some(known) if known.parts_ways() => parted = Some(known),
                Some(_) => {}
                None => return Ok(Confirmed::No(format!("step {}: {difference}", i + 1))),
            }
        }
    }
    Ok(match (has_happened(&mut both, property).await?, parted) {
        (true, None) => Confirmed::Yes,
        (true, Some(known)) => Confirmed::In(known),
        (false, _) => Confirmed::No(format!("nothing of {} is to be seen", property_name(property))),
    })
}

/// Whether reality shows the violation: a rogue machine decrypts, a client displays it as verified, a send is refused.
async fn has_happened(both: &mut Replay<'_>, property: Property) -> Res<bool> {
    let culprits = culprits(both.cast.world, both.state, property);
    let newest = both.cast.letters.len().saturating_sub(1);
    match property {
        Property::NoLockOut | Property::NoBlockedRoom => is_obstructed(both, property).await,
        Property::NeverShownAsVerified => is_displayed(&both.cast, culprits).await,
        Property::PastStaysPrivate => decrypt(&both.cast, culprits, 0, true).await,
        Property::RemovalEndsAccess => decrypt(&both.cast, culprits, newest, false).await,
        _ => decrypt(&both.cast, culprits, 0, false).await,
    }
}

/// Whether each of `devices` decrypts a message from the one numbered `first` on, or a past one if only that counts.
async fn decrypt(cast: &Cast<'_>, devices: Set<Device>, first: usize, past: bool) -> Res<bool> {
    for d in devices.iter() {
        let mut reads = false;
        for letter in cast.letters[first..].iter().filter(|l| l.past || !past) {
            reads |= cast.client(d)?.reads(&letter.event).await;
        }
        if !reads {
            return Ok(false);
        }
    }
    Ok(!devices.is_empty())
}

/// Whether some honest client displays one of `devices` as verified.
async fn is_displayed(cast: &Cast<'_>, devices: Set<Device>) -> Res<bool> {
    for d in devices.iter() {
        let (user, id, key) = (cast.user(cast.world.owner(d)), cast.id(d)?, cast.client(d)?.machine.identity_keys());
        for (v, client) in cast.clients.iter().filter(|(v, _)| cast.world.honest.has(**v)) {
            let known = client.knows(&user, id).await?;
            if *v != d && known.is_some_and(|k| k.ed25519_key() == Some(key.ed25519) && k.is_verified()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether, with true answers, a client refuses an honest send, or an honest device cannot decrypt it.
async fn is_obstructed(both: &mut Replay<'_>, property: Property) -> Res<bool> {
    let (w, s) = (both.cast.world, both.state);
    let room = property == Property::NoBlockedRoom;
    let off = |d: Device| !both.cast.clients.contains_key(&d) && s.members.has(w.owner(d));
    if !room && s.evicted.iter().any(off) {
        return Ok(true);
    }
    let honest: Set<Device> = s.signed_in.minus(s.stolen).iter().filter(|&d| s.members.has(w.owner(d))).collect();
    for v in honest.and(w.senders).iter() {
        let outcome = both.step(Action::Send(v, [Answer::Truth; PEOPLE_MAX])).await?;
        if let Some((difference, _)) = outcome.differences.iter().find(|d| d.1.is_none()) {
            return Err(Failure::Broken(format!("the honest send at the end: {difference}")));
        }
        if matches!(both.cast.last_send, Some(Err(_))) {
            return Ok(true);
        }
        let Some(letter) = both.cast.letters.last().filter(|_| !room) else { continue };
        for d in honest.iter() {
            if !both.cast.client(d)?.reads(&letter.event).await {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// How far to walk.
#[derive(Clone, Copy, Debug)]
pub struct Walks {
    /// How many walks each cell is given.
    pub each: u64,
    /// When to begin none any more.
    pub until: Instant,
    /// The most steps of a walk, or from where it leaves a known attack.
    pub steps: usize,
}

/// Walks in every cell, on two threads: every second walk pushes the adversary on, and half of them start on the way
/// of a violation, if the cell has one.
pub fn walk_all(rows: &mut [Row], walks: Walks) -> Result<(), String> {
    let open: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].not_applicable.is_none()).collect();
    let (next, taken) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let shared: &[Row] = rows;
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let (round, place) = (seed / open.len() as u64, open[seed as usize % open.len()]);
            if round >= walks.each || Instant::now() >= walks.until {
                return Ok::<_, std::io::Error>(());
            }
            let row = &shared[place];
            let actions = seeded(row, seed, round, walks.steps);
            let course = machine::run(row.cell.replay(&actions))?;
            taken.lock().expect("nobody panics").push((place, seed, actions, course));
        }
    };
    std::thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().try_for_each(|t| t.join().expect("nobody panics"))
    })
    .map_err(|e| e.to_string())?;
    let mut taken = taken.into_inner().expect("nobody panics");
    taken.sort_by_key(|walk| walk.1);
    taken.into_iter().for_each(|(place, seed, actions, course)| rows[place].count(seed, &actions, &course));
    Ok(())
}

fn seeded(row: &Row, seed: u64, round: u64, steps: usize) -> Vec<Action> {
    let mut rng = StdRng::seed_from_u64(seed);
    let prefix: &[Action] = match row.violated.len() {
        n if n > 0 && round % 4 >= 2 => {
            let trace = &row.violated[rng.random_range(0..n)].1;
            &trace[..rng.random_range(0..=trace.len())]
        }
        _ => &[],
    };
    walk(&row.cell.world, &mut rng, prefix, steps, round.is_multiple_of(2))
}

impl Row {
    fn count(&mut self, seed: u64, actions: &[Action], course: &Course) {
        self.tally.add(&self.cell, actions, course);
        if let Some(stop) = &course.stop {
            self.news.push(format!("seed {seed}, {}\n  {stop}", self.cell.text(&actions[..stop.step])));
        }
        if !course.beyond.is_empty() && !course.is_beyond_by_forwarding() {
            let taken = self.cell.text(&actions[..course.steps]);
            self.news.push(format!("seed {seed}, {taken}\n  decrypted beyond the model, after {:?}", course.known));
        }
    }
    /// The violations that did not come true.
    pub fn unconfirmed(&self) -> impl Iterator<Item = String> {
        self.violated.iter().filter_map(|(property, trace, confirmed)| match confirmed {
            Confirmed::No(why) => Some(format!("{}: {}: {why}", property_name(*property), self.cell.text(trace))),
            _ => None,
        })
    }
}

/// Actions that mean nothing to a Matrix client; the driver refuses them.
pub const OUTSIDE: [&str; 8] = [
    "verify-device",
    "reshare-keys",
    "hijack-number",
    "link-rogue",
    "swap-in-ceremony",
    "plant-backup",
    "open-backup",
    "compare-logs",
];

/// Actions and tampered answers that are possible in some cell and that no walk has taken.
pub fn never(rows: &[Row], all: &Tally) -> Vec<String> {
    let mut possible_ones = Tally::default();
    for row in rows.iter().filter(|r| r.not_applicable.is_none()) {
        let actions = possible(&row.cell.world);
        let course = Course { steps: actions.len(), ..Course::default() };
        possible_ones.add(&row.cell, &actions, &course);
    }
    let means = |verb: &String| !OUTSIDE.contains(&verb.as_str());
    let verbs = possible_ones.actions.into_keys().filter(|verb| means(verb) && !all.actions.contains_key(verb));
    let lies = possible_ones.lies.into_keys().filter(|lie| !all.lies.contains_key(lie));
    verbs.chain(lies).collect()
}
