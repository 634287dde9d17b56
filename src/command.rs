//! What each command does, from names and paths to an exit code.

pub mod diff;
pub mod explore;
pub mod init;
pub mod lint;
pub mod report;
pub mod simulate;

use crate::bundle;
use crate::explore::{Limits, Progress, Tick};
use crate::input::{self, Diagnostic, Source, visible};
use crate::model::{Arrival, Property, Reductions};
use crate::report::record::Record;
use crate::report::{ci, explain, itf, matrix, terminal, write_whole};
use crate::run::{self, Cell, CellProgress, Kept, Plan, RunError, Scenario, Verdict};
use crate::scenario::{self, Model, ScenarioFile, arrival_by_name, arrival_name, property_by_name, property_name};
use crate::trace;
use rayon::prelude::*;
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a command ended. Several at once: the first in this order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// The program contradicts itself: a trace does not replay.
    Internal,
    /// A name, a file or an option is wrong, or something cannot be read or written.
    BadInput,
    /// By the signal of this number.
    Interrupted(u8),
    /// An expectation is not met, or a trace does not show the violation that it was kept for.
    Unmet,
    /// Nothing was searched, or what was searched answers nothing.
    NothingSelected,
    /// A search stopped at a limit before it could tell.
    Inconclusive,
    /// The work is done and no expectation is unmet.
    Fine,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Internal => 70,
            Self::BadInput => 2,
            Self::Interrupted(signal) => 128 + signal,
            Self::Unmet => 1,
            Self::NothingSelected => 4,
            Self::Inconclusive => 3,
            Self::Fine => 0,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Failure {
    /// A file is wrong, at the place that the diagnostic points to.
    Input(Box<Diagnostic>),
    /// What was asked cannot be done; the sentence says why.
    Message(String),
    /// A result contradicts the plain rules; the sentence says where.
    Untrue(String),
    /// Something cannot be read or written.
    Io(io::Error),
}

impl From<Box<Diagnostic>> for Failure {
    fn from(d: Box<Diagnostic>) -> Self {
        Self::Input(d)
    }
}
impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}
impl From<RunError> for Failure {
    fn from(e: RunError) -> Self {
        match e {
            RunError::Input(d) => Self::Input(d),
            RunError::Untrue(message) => Self::Untrue(message),
            RunError::TooLarge(cell) => {
                let message = format!("{cell}: too many states to find the best strategy");
                Self::Message(message + "; `--strategy attack` follows one that the checker found")
            }
            RunError::Kept(refused) => {
                Self::Message(format!("{refused}; delete it to begin anew, or name another folder"))
            }
        }
    }
}

impl Failure {
    /// Says what is wrong on standard error.
    pub fn report(self) -> Exit {
        let coloured = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        let (text, exit) = match self {
            Self::Input(d) => (d.render(coloured), Exit::BadInput),
            Self::Message(m) => (format!("error: {}", lines(&m)), Exit::BadInput),
            Self::Untrue(m) => {
                (format!("internal error: {}\nPlease report this with the command.", lines(&m)), Exit::Internal)
            }
            // Whoever reads our output has seen enough.
            Self::Io(e) if e.kind() == io::ErrorKind::BrokenPipe => return Exit::Fine,
            Self::Io(e) => (format!("error: {e}"), Exit::BadInput),
        };
        anstream::eprintln!("{}", text.trim_end());
        exit
    }
}

/// The lines of a message, which may name what others wrote.
fn lines(message: &str) -> String {
    message.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As text for people, with tables.
    Text,
    /// As one JSON document.
    Json,
    /// As lines of comma-separated values, one a verdict.
    Csv,
    /// As annotations for GitHub Actions.
    Github,
}

/// Limits as given on the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct LimitOptions {
    /// The most states that each search may keep.
    pub states_max: Option<usize>,
    /// The most steps after which a search still looks.
    pub depth_max: Option<usize>,
    /// The time that all searches have together.
    pub timeout: Option<Duration>,
    /// The most bytes that each search may hold.
    pub bytes_max: Option<usize>,
    /// How many searches run side by side; as many as there are cores if not said.
    pub jobs: Option<usize>,
    /// Whether one of each family of states is searched that differ only in who of those who are alike is who.
    pub symmetry: bool,
}

/// Which cells are asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Bundled names or paths of scenario files; all bundled ones if there are none.
    pub scenarios: Vec<String>,
    /// Bundled names or paths of model files; all bundled ones if there are none.
    pub models: Vec<String>,
    /// Whether large scenarios are searched that are not named.
    pub large: bool,
    /// Where the searches must stop.
    pub limits: LimitOptions,
    /// The folder in which long searches are kept and gone on with, and after how long each is written again.
    pub resume: Option<(PathBuf, Duration)>,
}

/// Reads a duration such as `90s`, `10m` or `1h`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        other => return Err(format!("`{other}` is no unit of time; write e.g. 90s, 10m or 1h")),
    };
    let number: u64 = text[..digits].parse().map_err(|_| "write a number and a unit, e.g. 90s".to_string())?;
    number.checked_mul(unit).map(Duration::from_secs).ok_or_else(|| "that is longer than can be waited".to_string())
}

/// Reads a size such as `512MiB` or `2GiB`.
pub fn parse_bytes(text: &str) -> Result<usize, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let shift = match &text[digits..] {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        other => return Err(format!("`{other}` is no unit of memory; write e.g. 512MiB or 2GiB")),
    };
    let number: usize = text[..digits].parse().map_err(|_| "write a number and a unit, e.g. 2GiB".to_string())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that is more than can be addressed".to_string())
}

/// Writes a text to standard output.
pub fn print(text: &str) -> Result<Exit, Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Fine)
}

/// The files and limits of a selection, read and checked.
struct Loaded {
    scenarios: Vec<Scenario>,
    models: Vec<Model>,
    known: Vec<Model>,
    named: bool,
    large: bool,
    limits: Limits,
    resume: Option<(PathBuf, Duration)>,
}

impl Loaded {
    fn plan(&self, may_be_vacuous: bool) -> Plan<'_> {
        Plan {
            may_be_vacuous,
            scenarios: &self.scenarios,
            models: &self.models,
            known: &self.known,
            named: self.named,
            large: self.large,
            limits: self.limits,
            kept: self.resume.as_ref().map(|(dir, every)| Kept { dir, every: *every }),
        }
    }
}

fn load(selection: &Selection) -> Result<Loaded, Failure> {
    let known = bundle::models();
    let models = match selection.models.is_empty() {
        true => known.clone(),
        false => {
            selection.models.iter().map(|m| scenario::read_model(&bundle::find_model(m)?)).collect::<Result<_, _>>()?
        }
    };
    let sources: Vec<Source> = match selection.scenarios.is_empty() {
        true => bundle::scenarios().iter().map(|s| s.source()).collect(),
        false => selection.scenarios.iter().map(|s| bundle::find_scenario(s)).collect::<Result<_, _>>()?,
    };
    let mut scenarios = Vec::new();
    for source in sources {
        let file = scenario::read_scenario(&source)?;
        // A power that one selected model leaves no move is a result; one that no model has a use for is a mistake.
        let all: Vec<Model> = models.iter().chain(&known).cloned().collect();
        scenario::check_powers(&file, &source, &all, &known)?;
        scenarios.push(Scenario { file, source });
    }
    let limits = search_limits(&selection.limits);
    // A scenario that is asked for by name is searched, whatever its size.
    let large = selection.large || !selection.scenarios.is_empty();
    let named = !selection.models.is_empty();
    let resume = selection.resume.clone();
    if let Some((dir, _)) = &resume {
        std::fs::create_dir_all(dir).map_err(|e| Failure::Message(format!("{}: {e}", dir.display())))?;
    }
    Ok(Loaded { scenarios, models, known, named, large, limits, resume })
}

/// The limits of searches that start now; also sets how many run side by side.
fn search_limits(options: &LimitOptions) -> Limits {
    if let Some(jobs) = options.jobs {
        // Only the first call counts; a second one in the same process keeps the first's number.
        rayon::ThreadPoolBuilder::new().num_threads(jobs).build_global().ok();
    }
    Limits {
        states_max: options.states_max,
        depth_max: options.depth_max,
        deadline: options.timeout.map(|t| Instant::now() + t),
        // What the process holds already is not there for searches.
        bytes_max: options.bytes_max.map(|max| max.saturating_sub(resident())),
        reductions: options.symmetry.then_some(Reductions::WITH_SYMMETRY),
        threads: None,
    }
}

/// The memory that this process holds, in bytes; none if the system does not tell.
fn resident() -> usize {
    memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem)
}

/// The number of the signal that asks for an end: 0 until one does. A second one ends the process.
fn signals() -> io::Result<Arc<AtomicUsize>> {
    let (signal, again) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    for number in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(number, 128 + number, Arc::clone(&again))?;
        flag::register(number, Arc::clone(&again))?;
        flag::register_usize(number, Arc::clone(&signal), usize::try_from(number).unwrap_or_default())?;
    }
    Ok(signal)
}

/// Shows how far the searches are: a bar on a terminal, else a line every ten seconds.
struct Watcher {
    bar: indicatif::ProgressBar,
    cells: AtomicUsize,
    done: AtomicUsize,
    states: AtomicUsize,
    told: Mutex<Instant>,
    terminal: bool,
    /// The signal that asked for an end; 0 as long as none did.
    signal: Arc<AtomicUsize>,
}

impl Watcher {
    fn new() -> Result<Self, Failure> {
        let terminal = io::stderr().is_terminal();
        let bar = if terminal { indicatif::ProgressBar::new(0) } else { indicatif::ProgressBar::hidden() };
        let style = indicatif::ProgressStyle::with_template("{bar:24} {pos}/{len} searches {msg} {elapsed}");
        bar.set_style(style.expect("the template is valid"));
        let zero = || AtomicUsize::new(0);
        let told = Mutex::new(Instant::now());
        Ok(Self { bar, cells: zero(), done: zero(), states: zero(), told, terminal, signal: signals()? })
    }

    /// Says that a signal ended the searches, if one did.
    fn interrupted(&self, cells: &[Cell]) -> Option<Exit> {
        let signal = u8::try_from(self.signal.load(Ordering::Relaxed)).unwrap_or_default();
        if signal == 0 {
            return None;
        }
        self.bar.finish_and_clear();
        let done = cells.iter().filter(|c| c.complete()).count();
        anstream::eprintln!("interrupted: {done} of {} searches were done, the others are unknown", cells.len());
        Some(Exit::Interrupted(signal))
    }
}

impl CellProgress for Watcher {
    fn begin(&self, cells: usize) {
        self.cells.store(cells, Ordering::Relaxed);
        self.bar.set_length(cells as u64);
    }
    fn search(&self) -> &dyn Progress {
        self
    }
    fn done(&self, states: usize) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let states = self.states.fetch_add(states, Ordering::Relaxed) + states;
        self.bar.set_message(format!("{} states", matrix::thousands(states)));
        self.bar.inc(1);
        if done == self.cells.load(Ordering::Relaxed) {
            self.bar.finish_and_clear();
        }
    }
    fn warn(&self, text: &str) {
        self.bar.suspend(|| anstream::eprintln!("warning: {text}"));
    }
}

/// How far a search is, and for how long it may go on.
fn progress_line(at: &Tick, memory: usize) -> String {
    let Tick { states, frontier, levels, here: (found, took) } = *at;
    let rate = found as f64 / took.as_secs_f64().max(1e-3);
    let forecast = match at.forecast() {
        None => "levels still grow".to_string(),
        Some(more) => {
            let minutes = (more as f64 / rate.max(1.0) / 60.0).ceil();
            format!("about {} more in {minutes} min if levels go on to shrink so", matrix::thousands(more))
        }
    };
    format!(
        "{} states, {}/s, {} waiting, depth {}, {} MiB; {forecast}",
        matrix::thousands(states),
        matrix::thousands(rate as usize),
        matrix::thousands(frontier),
        levels.len() - 1,
        matrix::thousands(memory >> 20),
    )
}

impl Progress for Watcher {
    fn tick(&self, at: &Tick) -> bool {
        if self.signal.load(Ordering::Relaxed) != 0 {
            return false;
        }
        let Ok(mut told) = self.told.try_lock() else { return true };
        if told.elapsed() < Duration::from_secs(10) {
            return true;
        }
        *told = Instant::now();
        let (done, cells) = (self.done.load(Ordering::Relaxed), self.cells.load(Ordering::Relaxed));
        let line = progress_line(at, resident());
        match self.terminal {
            true => self.bar.set_message(line),
            false => eprintln!("{done}/{cells} searches done; one is at {line}"),
        }
        true
    }
}

/// `overhear compare`; `likely` also has the report say how likely attacks are.
pub fn compare(
    selection: &Selection,
    format: Format,
    out: Option<&Path>,
    likely: Option<&simulate::Likelihood>,
) -> Result<Exit, Failure> {
    let loaded = load(selection)?;
    let watcher = Watcher::new()?;
    let in_dir = |dir: &Path, e: io::Error| Failure::Message(format!("{}: {e}", dir.display()));
    if let Some(dir) = out {
        // A folder that cannot be written to is better refused now than after the search.
        std::fs::create_dir_all(dir).map_err(|e| in_dir(dir, e))?;
    }
    let cells = run::run(&loaded.plan(true), &watcher)?;
    if cells.is_empty() {
        return nothing_selected();
    }
    tell_how_to_go_on(&cells, selection);
    if let Some(exit) = watcher.interrupted(&cells) {
        return Ok(exit);
    }
    let costs: Vec<_> = loaded.models.par_iter().map(matrix::policy_cost).collect();
    if let Some(dir) = out {
        let simulated = match likely.map(|likely| simulate::for_report(&loaded, likely)).transpose()? {
            Some(Err(interrupted)) => return Ok(interrupted),
            simulated => simulated.and_then(Result::ok),
        };
        let written = crate::report::write_all(dir, &cells, &loaded.models, &costs, simulated.as_ref());
        written.map_err(|e| in_dir(dir, e))?;
    }
    match format {
        Format::Text => {
            print(&matrix::tables(&cells))?;
            print(&(matrix::overview(&cells, &loaded.models) + "\n" + &matrix::costs(&loaded.models, &costs)))?;
            print(&("\n".to_string() + &terminal::summary(&cells)))?;
        }
        Format::Json => {
            print(&(pretty(&json!(Record::of(&cells, &loaded.models, &costs))) + "\n"))?;
        }
        Format::Csv => {
            print(&matrix::csv(&cells))?;
        }
        Format::Github => {
            print_for_github(&cells)?;
        }
    }
    Ok(exit_of(&cells))
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).expect("a JSON value can be written")
}

fn nothing_selected() -> Result<Exit, Failure> {
    anstream::eprintln!("nothing selected: name a scenario, or pass --all for the large ones");
    Ok(Exit::NothingSelected)
}

/// Says how searches that were cut short can be gone on with.
fn tell_how_to_go_on(cells: &[Cell], selection: &Selection) {
    let cut = cells.iter().filter(|cell| !cell.complete()).count();
    if cut == 0 {
        return;
    }
    let how = match &selection.resume {
        Some((dir, _)) => format!("the same command with `--resume {}` goes on with them", dir.display()),
        None => "with `--resume DIR` they would be kept, and gone on with by the same command".to_string(),
    };
    anstream::eprintln!("{cut} of {} searches were cut short; {how}", cells.len());
}

/// What the verdicts of some cells come to.
pub fn exit_of(cells: &[Cell]) -> Exit {
    let one = |cell: &Cell, i: usize| match (&cell.verdicts[i].1, cell.met(i)) {
        (Verdict::Vacuous { .. }, _) => Exit::NothingSelected,
        (Verdict::Unknown { .. }, _) => Exit::Inconclusive,
        (_, Some(false)) => Exit::Unmet,
        _ => Exit::Fine,
    };
    let all = cells.iter().flat_map(|c| (0..c.verdicts.len()).map(move |i| one(c, i)));
    all.min().unwrap_or(Exit::NothingSelected)
}

/// Prints annotations, and adds to the summary of the step, where there is one.
fn print_for_github(cells: &[Cell]) -> Result<Exit, Failure> {
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        let file = std::fs::File::options().append(true).create(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(ci::step_summary(cells).as_bytes()));
        let unwritten = |e| Failure::Message(format!("{} (GITHUB_STEP_SUMMARY): {e}", path.display()));
        written.map_err(unwritten)?;
    }
    print(&ci::annotations(cells))
}

/// Files that `check` writes beside what it prints.
#[derive(Clone, Debug, Default)]
pub struct CiFiles {
    /// Where a JUnit report goes.
    pub junit: Option<PathBuf>,
    /// Where a SARIF log goes.
    pub sarif: Option<PathBuf>,
}

/// The most bytes that a file of results may have.
const RUN_SIZE_MAX: usize = 1 << 28;

/// Reads a file of results, as `--format json` writes it.
fn read_run(path: &str) -> Result<Record, Failure> {
    Ok(input::parse(&Source::read_up_to(path, RUN_SIZE_MAX)?)?)
}

/// Writes a file whole, or says which one could not be written.
fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    write_whole(path, text).map_err(|e| Failure::Message(format!("{}: {e}", path.display())))
}

/// `overhear check`
pub fn check(selection: &Selection, format: Format, files: &CiFiles) -> Result<Exit, Failure> {
    let loaded = load(selection)?;
    let watcher = Watcher::new()?;
    for path in [&files.junit, &files.sarif].into_iter().flatten() {
        // A folder that cannot be written to is better refused now than after the search.
        let folder = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let writable = std::fs::create_dir_all(folder).and_then(|()| tempfile::NamedTempFile::new_in(folder));
        writable.map_err(|e| Failure::Message(format!("{}: {e}", path.display())))?;
    }
    let cells = run::run(&loaded.plan(true), &watcher)?;
    if cells.is_empty() {
        return nothing_selected();
    }
    tell_how_to_go_on(&cells, selection);
    if let Some(path) = &files.junit {
        write_file(path, &ci::junit(&cells, &loaded.scenarios))?;
    }
    if let Some(path) = &files.sarif {
        write_file(path, &(pretty(&ci::sarif(&cells)) + "\n"))?;
    }
    match format {
        Format::Text => print(&terminal::unmet(&cells))?,
        Format::Json => print(&(pretty(&json!(Record::of(&cells, &[], &[]))) + "\n"))?,
        Format::Csv => print(&matrix::csv(&cells))?,
        Format::Github => print_for_github(&cells)?,
    };
    if format == Format::Text {
        print(&terminal::summary(&cells))?;
    }
    Ok(watcher.interrupted(&cells).unwrap_or_else(|| exit_of(&cells)))
}

/// The arrival that a word names, if there is a word; the scenario has to have it.
fn arrival_of(file: &ScenarioFile, word: Option<&str>) -> Result<Option<Arrival>, Failure> {
    let Some(word) = word else { return Ok(None) };
    let here: Vec<Arrival> = file.arrivals().into_iter().flatten().collect();
    match arrival_by_name(word).filter(|arrival| here.contains(arrival)) {
        Some(arrival) => Ok(Some(arrival)),
        None if here.is_empty() => Err(Failure::Message(format!("{} has no adversary that could arrive", file.name))),
        None => Err(unknown(&format!("arrival in {}", file.name), word, here.into_iter().map(arrival_name))),
    }
}

/// What `overhear explain` is asked.
pub struct Question {
    /// A bundled name or the path of a scenario file.
    pub scenario: String,
    /// A bundled name or the path of a model file.
    pub model: String,
    /// The name of the property that is asked about.
    pub property: String,
    /// When the adversary arrives; if not said, the first arrival under which the property falls.
    pub arrives: Option<String>,
    /// Whether what is left of the attack with other values is searched.
    pub deep: bool,
    /// The file that the trace is also written to, as ITF.
    pub itf: Option<PathBuf>,
    /// Where the searches must stop.
    pub limits: LimitOptions,
    /// How the answer is written: as JSON, or else as text.
    pub format: Format,
}

/// A name that is not in a list, with the nearest that is.
fn unknown<'a>(what: &str, word: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.collect();
    let near = crate::input::nearest(word, &known).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
    Failure::Message(format!("`{word}` is no {what}{near}\nThere are: {}", known.join(", ")))
}

/// `overhear explain`
pub fn explain(question: &Question) -> Result<Exit, Failure> {
    let names = Property::ALL.map(property_name);
    let property = property_by_name(&question.property)
        .ok_or_else(|| unknown("property", &question.property, names.into_iter()))?;
    let mut loaded = load(&Selection {
        scenarios: vec![question.scenario.clone()],
        models: vec![question.model.clone()],
        large: true,
        limits: question.limits,
        resume: None,
    })?;
    let file = &mut loaded.scenarios[0].file;
    if !file.properties().any(|p| p == property) {
        let known: Vec<&str> = file.properties().map(property_name).collect();
        let what = format!("property that {} asks about", file.name);
        return Err(unknown(&what, &question.property, known.into_iter()));
    }
    let arrives = arrival_of(file, question.arrives.as_deref())?;
    let watcher = Watcher::new()?;
    let cells = run::run(&loaded.plan(false), &watcher)?;
    if let Some(exit) = watcher.interrupted(&cells) {
        return Ok(exit);
    }
    let chosen: Vec<&Cell> = cells.iter().filter(|c| arrives.is_none() || c.arrives == arrives).collect();
    let falls = |c: &&&Cell| c.verdicts.iter().any(|v| v.0 == property && matches!(v.1, Verdict::Violated { .. }));
    let Some(cell) = chosen.iter().find(falls).or(chosen.first()) else { return nothing_selected() };
    let index = cell.verdicts.iter().position(|v| v.0 == property).expect("the property was looked for above");
    match (&question.itf, explain::shown_by(cell, index)) {
        (None, _) => {}
        (Some(path), []) => {
            let verdict = matrix::verdict_word(&cell.verdicts[index].1);
            anstream::eprintln!("note: {verdict}, so there is no trace; {} is not written", path.display());
        }
        (Some(path), actions) => write_itf(path, cell, property, actions)?,
    }
    let deep = question.deep.then_some((loaded.limits, &watcher as &dyn Progress));
    let stopped_by = explain::what_stops(cell, index, deep)?;
    if let Some(exit) = watcher.interrupted(&cells) {
        return Ok(exit);
    }
    match question.format {
        Format::Json => print(&(pretty(&explain::value(cell, index, &stopped_by)) + "\n"))?,
        _ => print(&explain::text(cell, index, &stopped_by))?,
    };
    Ok(match &cell.verdicts[index].1 {
        Verdict::Unknown { .. } => Exit::Inconclusive,
        Verdict::Vacuous { .. } => Exit::NothingSelected,
        _ if !explain::is_conclusive(&stopped_by) => Exit::Inconclusive,
        Verdict::Holds { .. } | Verdict::Violated { .. } => Exit::Fine,
    })
}

fn write_itf(path: &Path, cell: &Cell, property: Property, actions: &[crate::model::Action]) -> Result<(), Failure> {
    let value = itf::of_cell(cell, property, actions);
    let value = value.map_err(|e| Failure::Untrue(e.to_string()))?;
    let written = crate::report::write_whole(path, &(pretty(&value) + "\n"));
    written.map_err(|e| Failure::Message(format!("{}: {e}", path.display())))?;
    anstream::eprintln!("wrote {}", path.display());
    Ok(())
}

/// `overhear replay --real`: what the program `overhear-real` says, which stands beside this one or on the path.
pub fn replay_real(path: &Path) -> Result<Exit, Failure> {
    let name = format!("overhear-real{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(&name)));
    let program = beside.filter(|file| file.is_file()).unwrap_or_else(|| PathBuf::from(&name));
    let status = std::process::Command::new(&program).arg(path).status().map_err(|e| {
        let built = "it is built from a checkout by `cargo build --release -p overhear-real`";
        Failure::Message(format!("the program `overhear-real` cannot be started ({e}); {built}"))
    })?;
    match status.code() {
        Some(0) => Ok(Exit::Fine),
        Some(1) => Ok(Exit::Unmet),
        Some(2) => Ok(Exit::BadInput),
        _ => Err(Failure::Message(format!("`overhear-real` ended with {status}"))),
    }
}

/// `overhear replay`
pub fn replay(path: &Path) -> Result<Exit, Failure> {
    let wrong = |message: String| Failure::Message(format!("{}: {message}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let file = itf::read(&text).map_err(wrong)?;
    let arrivals = scenario::ARRIVALS.map(|a| a.1);
    let (meta, known) = (&file.meta, bundle::models());
    let scenario_source = bundle::find_scenario(&meta.scenario)?;
    let model_source = bundle::find_model(&meta.model)?;
    let model = scenario::read_model(&model_source)?;
    let scenario_file = scenario::read_scenario(&scenario_source)?;
    let arrives = match meta.arrives.as_str() {
        "" => crate::model::Arrival::FromStart,
        name => arrival_by_name(name).ok_or_else(|| unknown("arrival", name, arrivals.into_iter()))?,
    };
    let property = property_by_name(&meta.property)
        .ok_or_else(|| unknown("property", &meta.property, Property::ALL.map(property_name).into_iter()))?;
    if itf::input_hash(&[&scenario_source.text, &model_source.text]) != meta.input_hash {
        anstream::eprintln!("note: the scenario or the model has changed since the trace was written");
    }
    let (world, names) = scenario::compile(&scenario_file, &scenario_source, &model, &known, arrives)?;
    let mut actions = Vec::new();
    for (i, line) in file.actions.iter().enumerate() {
        actions.push(
            trace::parse(&world, &names, line)
                .map_err(|e| wrong(format!("action {} `{}`: {e}", i + 1, visible(line))))?,
        );
    }
    if let Some(i) = trace::foreign(&world, &actions) {
        let line = visible(&file.actions[i]);
        print(&format!("step {} `{line}` cannot happen: in {} nobody can do that\n", i + 1, meta.scenario))?;
        return Ok(Exit::Unmet);
    }
    match trace::replay(&world, &actions) {
        Err(e) => {
            let line = &file.actions[e.step - 1];
            print(&format!(
                "step {} `{}` cannot happen: blocked by the guard {:?}\n",
                e.step,
                visible(line),
                e.blocked
            ))?;
            Ok(Exit::Unmet)
        }
        Ok(states) => {
            print(&explain::steps(&world, &names, &actions))?;
            let last = states[states.len() - 1];
            let falls = crate::model::property::condition(&world, last, property) != property.is_safety();
            let told = match falls {
                true => format!("\n{}: {}\n", meta.property, crate::story::consequence(&world, &names, last, property)),
                false => format!("\nAll steps happen, and {} is not violated at the end.\n", meta.property),
            };
            print(&told)?;
            Ok(if falls { Exit::Fine } else { Exit::Unmet })
        }
    }
}

/// `overhear list`
pub fn list() -> Result<Exit, Failure> {
    let mut text = "Scenarios\n".to_string();
    for s in bundle::scenarios() {
        let file = scenario::read_scenario(&s.source())?;
        let size = if file.size == scenario::Size::Large { " (large)" } else { "" };
        text += &format!("  {:<28} {}{size}\n", file.name, file.title);
    }
    text += "\nModels\n";
    for m in bundle::models() {
        let unverified = match m.unverified() {
            0 => String::new(),
            1 => " († 1 value unverified)".to_string(),
            n => format!(" († {n} values unverified)"),
        };
        text += &format!("  {:<39} {}{unverified}\n", m.name, m.title);
    }
    text += "\nPeople, for `simulate`: how many of their numbers are assumed\n";
    for who in bundle::people() {
        text += &format!("  {:<28} {} ({})\n", who.name, who.title, who.assumed().count());
    }
    text += "\nProperties, each with its letter and what it rules out\n";
    for p in Property::ALL {
        text += &format!("  {:<24} {}\n", property_name(p), matrix::ruled_out(p));
    }
    text += "\nAxes\n";
    for (axis, values) in scenario::axis_values() {
        text += &format!("  {axis:<22} {}\n", values.join(" · "));
    }
    print(&text)
}
