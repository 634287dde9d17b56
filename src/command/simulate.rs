//! `overhear simulate`: how likely, how soon and at what cost to people.

mod walks;

use super::{
    Exit, Failure, Format, LimitOptions, Loaded, Selection, arrival_of, load, nothing_selected, pretty, print, signals,
    unknown,
};
use crate::bundle;
use crate::explore::Limits;
use crate::model::Property;
use crate::report::matrix::thousands;
use crate::report::simulation::{self as text, SimulationRecord, story, table};
use crate::report::write_simulated;
use crate::run::simulation::{
    Cast, CellWatch, Play, Prepared, Simulated, SimulationPlan, Swept, case, prepare, simulate, sweep,
};
use crate::run::{Plan, Scenario};
use crate::scenario::{Profile, property_by_name, property_name, read_people};
use crate::simulate::runs::{Outcome, Watch};
use crate::simulate::{Far, uniform};
use serde_json::json;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The most days of a run: a thousand years.
const DAYS_MAX: f64 = 365_250.0;
/// The states after which the checker gives an attack up, if nothing else is said: it is wanted soon.
const STATES_MAX: usize = 200_000;
/// The most runs of all cells together: each takes some 300 bytes.
const KEPT_MAX: u64 = 20_000_000;
/// The most steps of a walk.
const STEPS_MAX: u32 = 10_000;
/// The most runs of a cell.
const RUNS_MAX: u64 = 1_000_000_000;

/// How the adversary is asked to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It follows a shortest attack.
    Attack,
    /// It makes any of its moves at random.
    Opportunist,
    /// It does what is best.
    Best,
}

/// What `overhear simulate` is asked.
pub struct Simulation {
    /// Bundled names or paths of scenario files.
    pub scenarios: Vec<String>,
    /// Bundled names or paths of model files; all bundled ones if there are none.
    pub models: Vec<String>,
    /// Names or paths of files about people, each alone or after a person's name and `=`.
    pub people: Vec<String>,
    /// When the adversary arrives; at each of the scenario's arrivals if not said.
    pub arrives: Option<String>,
    /// How the adversary plays.
    pub strategy: Choice,
    /// The property that an attack is on; the worst that falls if not said.
    pub property: Option<String>,
    /// The moves a day of an opportunist.
    pub pace: f64,
    /// How many runs.
    pub runs: u64,
    /// How long each lasts.
    pub days: f64,
    /// The steps of a walk without rates, if that is asked for instead of runs.
    pub uniform: Option<u32>,
    /// What all randomness is made from.
    pub seed: u64,
    /// The one run that is to be told.
    pub case: Option<u64>,
    /// The folder that results and plots are also written to.
    pub out: Option<PathBuf>,
    /// Whether the assumed numbers are swept.
    pub sweep: bool,
    /// The most nodes of a chain that is solved exactly.
    pub exact: Option<usize>,
    /// Whether probabilities are also estimated by splitting.
    pub rare: bool,
    /// Where the checker's searches for attacks must stop.
    pub limits: LimitOptions,
    /// How the answer is written.
    pub format: Format,
}

/// Reads how many runs there are to be.
pub fn parse_runs(text: &str) -> Result<u64, String> {
    count(text, "runs, e.g. 10000", "no runs show nothing", RUNS_MAX)
}

/// Reads a whole number from 1 to `max` of what `of` says, with an example.
fn count(text: &str, of: &str, none: &str, max: u64) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err(format!("{none}: write 1 or more")),
        Ok(number) if number <= max => Ok(number),
        Ok(_) => {
            let words = of.split(',').next().unwrap_or_default();
            Err(format!("at most {} {words}", thousands(max as usize)))
        }
        Err(_) => Err(format!("write a whole number of {of}")),
    }
}

/// Reads how many steps a walk has.
pub fn parse_steps(text: &str) -> Result<u32, String> {
    let steps = count(text, "steps, e.g. 40", "no step leads nowhere", STEPS_MAX.into())?;
    Ok(u32::try_from(steps).expect("the most steps are fewer"))
}

/// Reads how many days a run has.
pub fn parse_days(text: &str) -> Result<f64, String> {
    let days: f64 = text.parse().map_err(|_| "write a number of days, e.g. 365".to_string())?;
    match days {
        _ if days.is_nan() => Err("that is no number of days".to_string()),
        _ if days <= 0.0 => Err("nothing happens in no time: write more than 0 days".to_string()),
        _ if days > DAYS_MAX => Err(format!("at most {DAYS_MAX} days, a thousand years")),
        _ => Ok(days),
    }
}

/// Reads how many moves a day an opportunist makes.
pub fn parse_pace(text: &str) -> Result<f64, String> {
    let pace: f64 = text.parse().map_err(|_| "write a number of moves a day, e.g. 1".to_string())?;
    match (0.0..=crate::simulate::habits::RATE_MAX).contains(&pace) {
        true => Ok(pace),
        false => Err("between none and one a second, that is 86400 a day".to_string()),
    }
}

/// Simulates what is asked for, and prints what it comes to.
pub fn run(asked: Simulation) -> Result<Exit, Failure> {
    let Simulation { scenarios, models, people, arrives, strategy, property, pace, .. } = &asked;
    let selection = Selection {
        scenarios: scenarios.clone(),
        models: models.clone(),
        large: true,
        limits: asked.limits,
        resume: None,
    };
    let loaded = load(&selection)?;
    let known = bundle::people();
    let chosen = everybody(people, &names_of_people(&loaded))?;
    let arrives = match (arrives, loaded.scenarios.as_slice()) {
        (None, _) => None,
        (Some(_), [_, _, ..]) => return Err(Failure::Message("`--arrives` is for one scenario".to_string())),
        (Some(word), all) => all.first().map(|s| arrival_of(&s.file, Some(word))).transpose()?.flatten(),
    };
    let property = property.as_deref().map(known_property).transpose()?;
    let asks = |s: &Scenario| property.is_none_or(|p| s.file.properties().any(|asked| asked == p));
    if let (Some(p), Some(scenario)) = (property, loaded.scenarios.iter().find(|s| !asks(s))) {
        return Err(Failure::Message(format!("{} asks nothing about {}", scenario.file.name, property_name(p))));
    }
    let play = match strategy {
        Choice::Attack => Play::Attack(property),
        Choice::Best => Play::Best(property),
        Choice::Opportunist => Play::Opportunist(*pace),
    };
    let plan = SimulationPlan {
        cells: Plan { limits: quick(&loaded), ..loaded.plan(false) },
        cast: Cast { known: &known, chosen },
        play,
        arrives,
        runs: asked.runs,
        days: asked.days,
        seed: asked.seed,
        exact: asked.exact,
        rare: asked.rare,
    };
    match (asked.uniform, asked.case) {
        (Some(steps), _) => walks::run(&plan, steps, &asked),
        (None, Some(number)) => tell(&plan, number),
        (None, None) => estimate(&plan, &asked),
    }
}

fn known_property(word: &str) -> Result<Property, Failure> {
    let safety = Property::ALL.into_iter().filter(|p| p.is_safety()).map(property_name);
    property_by_name(word).filter(|p| p.is_safety()).ok_or_else(|| unknown("safety property", word, safety))
}

/// Who is meant by a word: people for everybody, or for the person before `=`.
fn chosen(word: &str, names: &[&str]) -> Result<(Option<String>, Profile), Failure> {
    let (person, file) = match word.split_once('=') {
        Some((person, _)) if !names.contains(&person) => {
            return Err(unknown("person of the scenario", person, names.iter().copied()));
        }
        Some((person, file)) => (Some(person.to_string()), file),
        None => (None, word),
    };
    Ok((person, read_people(&bundle::find_people(file)?)?))
}

/// What a report of verdicts says besides of how likely they come about.
pub struct Likelihood {
    /// Names or paths of files about people, each alone or after a person's name and `=`.
    pub people: Vec<String>,
    /// How many runs for each cell.
    pub runs: u64,
    /// How long each lasts.
    pub days: f64,
    /// What all randomness is made from.
    pub seed: u64,
}

/// Simulates every cell for a report, and sweeps the assumed numbers of the one that is most open; an exit if it was
/// interrupted.
pub(super) fn for_report(loaded: &Loaded, asked: &Likelihood) -> Result<Result<SimulationRecord, Exit>, Failure> {
    let known = bundle::people();
    let names = names_of_people(loaded);
    let plan = SimulationPlan {
        cells: Plan { limits: quick(loaded), kept: None, ..loaded.plan(false) },
        cast: Cast { known: &known, chosen: everybody(&asked.people, &names)? },
        play: Play::Attack(None),
        arrives: None,
        runs: asked.runs,
        days: asked.days,
        seed: asked.seed,
        exact: None,
        rare: false,
    };
    let watcher = Watcher::new(plan.runs, ["runs", "events"])?;
    let made = make(&plan, prepare(&plan, &watcher)?, &watcher, text::most_open)?;
    Ok(made.map(|made| made.record(&plan)).ok_or_else(|| watcher.interrupted()))
}

/// What was simulated, and what the assumed numbers do to one of the cells.
struct Made<'a> {
    cells: Vec<Simulated<'a>>,
    swept: Option<(usize, Vec<Swept>)>,
}

impl Made<'_> {
    fn record(&self, plan: &SimulationPlan) -> SimulationRecord {
        SimulationRecord::of(plan, &self.cells, self.swept.as_ref().map(|(cell, swept)| (*cell, swept.as_slice())))
    }
}

/// Simulates prepared cells and sweeps the assumed numbers of the one that is chosen; none if it was interrupted.
fn make<'a>(
    plan: &SimulationPlan,
    cells: Vec<Prepared<'a>>,
    watcher: &Watcher,
    chosen: impl Fn(&[Simulated]) -> Option<usize>,
) -> Result<Option<Made<'a>>, Failure> {
    few_enough(plan, cells.len())?;
    let simulated = if watcher.goes_on() { simulate(plan, cells, watcher)? } else { None };
    let made = match simulated.map(|cells| (chosen(&cells), cells)) {
        None => None,
        Some((None, cells)) => Some(Made { cells, swept: None }),
        Some((Some(cell), cells)) => {
            sweep(plan, &cells[cell].of, watcher)?.map(|swept| Made { cells, swept: Some((cell, swept)) })
        }
    };
    watcher.bar.finish_and_clear();
    Ok(made)
}

/// The limits of searches for attacks to follow.
fn quick(loaded: &Loaded) -> Limits {
    Limits { states_max: loaded.limits.states_max.or(Some(STATES_MAX)), ..loaded.limits }
}

fn names_of_people(loaded: &Loaded) -> Vec<&str> {
    loaded.scenarios.iter().flat_map(|s| s.file.people.iter().map(|p| p.name.as_str())).collect()
}

fn everybody(words: &[String], names: &[&str]) -> Result<Vec<(Option<String>, Profile)>, Failure> {
    words.iter().map(|word| chosen(word, names)).collect()
}

/// Refuses more runs than can be kept.
fn few_enough(plan: &SimulationPlan, cells: usize) -> Result<(), Failure> {
    if plan.runs.saturating_mul(cells as u64) > KEPT_MAX {
        let most = thousands(KEPT_MAX as usize);
        let message = format!("{cells} cells with {} runs each: at most {most} runs together", plan.runs);
        return Err(Failure::Message(message + ", for all are kept until they are told"));
    }
    Ok(())
}

/// Says that an option is for one cell.
fn more_than_one(option: &str, does: &str, cells: usize) -> Failure {
    let message = format!("`{option}` {does} one cell, and {cells} are asked for");
    Failure::Message(message + ": name one scenario, one model with `--models` and one `--arrives`")
}

/// Tells one run of the only cell.
fn tell(plan: &SimulationPlan, number: u64) -> Result<Exit, Failure> {
    let cells = prepare(plan, &())?;
    let [cell] = cells.as_slice() else { return Err(more_than_one("--case", "tells a run of", cells.len())) };
    let (outcome, happened) = case(plan, cell, number)?;
    print(&story(cell, number, plan.days, &outcome, &happened))
}

/// Simulates every cell, and prints the estimates.
fn estimate(plan: &SimulationPlan, asked: &Simulation) -> Result<Exit, Failure> {
    let sweeps = asked.sweep;
    let in_dir = |dir: &Path, e: io::Error| Failure::Message(format!("{}: {e}", dir.display()));
    if let Some(dir) = &asked.out {
        // A folder that cannot be written to is better refused now than after the runs.
        std::fs::create_dir_all(dir).map_err(|e| in_dir(dir, e))?;
    }
    let watcher = Watcher::new(plan.runs, ["runs", "events"])?;
    let cells = prepare(plan, &watcher)?;
    if cells.is_empty() {
        return nothing_selected();
    }
    if sweeps && cells.len() > 1 {
        return Err(more_than_one("--sweep", "sweeps the numbers of", cells.len()));
    }
    let Some(made) = make(plan, cells, &watcher, |_| sweeps.then_some(0))? else { return Ok(watcher.interrupted()) };
    let Made { cells, swept } = &made;
    if plan.exact.is_some() {
        for cell in cells.iter().filter(|cell| cell.exact.is_none()) {
            let (scenario, model) = (&cell.of.scenario.file.name, &cell.of.model.name);
            anstream::eprintln!("{scenario} under {model}: too many states to be solved exactly");
        }
    }
    let record = made.record(plan);
    if let Some(dir) = &asked.out {
        write_simulated(dir, &record).map_err(|e| in_dir(dir, e))?;
    }
    match asked.format {
        Format::Json => print(&(pretty(&json!(record)) + "\n")),
        Format::Csv => print(&table(&record)),
        Format::Text | Format::Github => {
            let told = swept.as_ref().map_or(String::new(), |(cell, swept)| text::sweep(&cells[*cell], swept));
            print(&(text::tables(plan, cells) + &told))
        }
    }
}

/// Shows how far the runs are: a bar on a terminal, else a line every ten seconds.
struct Watcher {
    bar: indicatif::ProgressBar,
    /// The runs of each cell.
    runs: u64,
    /// What is made, and what it is made of.
    words: [&'static str; 2],
    all: AtomicU64,
    done: AtomicU64,
    events: AtomicU64,
    begun: Instant,
    /// When the first run began.
    drawing: OnceLock<Instant>,
    /// How many tens of seconds were told.
    told: AtomicU64,
    terminal: bool,
    /// The signal that asked for an end; 0 as long as none did.
    signal: Arc<AtomicUsize>,
}

impl Watcher {
    fn new(runs: u64, words: [&'static str; 2]) -> Result<Self, Failure> {
        let terminal = io::stderr().is_terminal();
        let bar = if terminal { indicatif::ProgressBar::new(0) } else { indicatif::ProgressBar::hidden() };
        let template = format!("{{bar:24}} {{human_pos}}/{{human_len}} {} {{msg}} {{eta}} left", words[0]);
        bar.set_style(indicatif::ProgressStyle::with_template(&template).expect("the template is valid"));
        let zero = || AtomicU64::new(0);
        let begun = Instant::now();
        let (all, done, events, told) = (zero(), zero(), zero(), zero());
        let drawing = OnceLock::new();
        Ok(Self { drawing, bar, runs, words, all, done, events, begun, told, terminal, signal: signals()? })
    }
    /// Whether there is no bar and ten seconds are over once more.
    fn is_time(&self) -> bool {
        let tens = self.begun.elapsed().as_secs() / 10;
        !self.terminal && self.told.fetch_max(tens, Ordering::Relaxed) < tens
    }
}

impl Watcher {
    /// Notes runs that were just made, and of how much; returns whether to go on.
    fn made(&self, runs: u64, events: u64) -> bool {
        let done = self.done.fetch_add(runs, Ordering::Relaxed) + runs;
        let events = self.events.fetch_add(events, Ordering::Relaxed) + events;
        let took = self.drawing.get_or_init(Instant::now).elapsed();
        let rate = events as f64 / took.as_secs_f64().max(1e-3);
        let rate = format!("{} {}/s", thousands(rate as usize), self.words[1]);
        self.bar.inc(runs);
        self.bar.set_message(rate.clone());
        if self.is_time() {
            let all = self.all.load(Ordering::Relaxed);
            let left = took.mul_f64((all.saturating_sub(done)) as f64 / done as f64);
            let left = Duration::from_secs(left.as_secs() + 1);
            let [done, all] = [done, all].map(|n| thousands(n as usize));
            eprintln!("{done}/{all} {}, {rate}, about {left:?} left", self.words[0]);
        }
        self.goes_on()
    }
    /// Says that a signal ended the work.
    fn interrupted(&self) -> Exit {
        self.bar.finish_and_clear();
        anstream::eprintln!("interrupted: nothing is told of {} that were not all made", self.words[0]);
        Exit::Interrupted(u8::try_from(self.signal.load(Ordering::Relaxed)).unwrap_or_default())
    }
}

impl Watch for Watcher {
    fn done(&self, runs: &[Outcome]) -> bool {
        self.made(runs.len() as u64, runs.iter().map(|run| run.events).sum())
    }
}

impl uniform::Watch for Watcher {
    fn walked(&self, walks: u64, steps: u64) -> bool {
        self.made(walks, steps)
    }
}

impl CellWatch for Watcher {
    fn goes_on(&self) -> bool {
        self.signal.load(Ordering::Relaxed) == 0
    }
    fn prepared(&self, cells: usize, all: usize) {
        self.bar.set_message(format!("{cells}/{all} cells searched for an attack"));
        if self.is_time() {
            eprintln!("{cells}/{all} cells searched for an attack");
        }
    }
    fn begin(&self, cells: usize) {
        let all = self.runs.saturating_mul(cells as u64).saturating_add(self.done.load(Ordering::Relaxed));
        self.all.store(all, Ordering::Relaxed);
        self.bar.set_length(all);
        self.drawing.get_or_init(Instant::now);
    }
    fn working(&self, cell: &str, far: Far) -> bool {
        let line = || match far {
            Far::Found(states) => format!("{cell}: {} states found", thousands(states)),
            Far::Solved(states, part) => {
                format!("{cell}: {} states, {:.0} % solved", thousands(states), (100.0 * part).floor())
            }
            Far::Settling(states, by) => {
                format!("{cell}: values of {} states, which still change by {by:.0e}", thousands(states))
            }
        };
        match self.terminal {
            true => self.bar.set_message(line()),
            false if self.is_time() => eprintln!("{}", line()),
            false => {}
        }
        self.goes_on()
    }
}
