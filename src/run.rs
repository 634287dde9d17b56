//! Every cell of scenarios × models × arrivals: compiled, searched, replayed, held against its expectations.

pub mod simulation;
pub mod walks;

use crate::bundle::is_bundled;
use crate::explore::checkpoint::{Checkpoint, Refused};
use crate::explore::{Findings, Limits, Progress, Stopped, exact};
use crate::input::{Diagnostic, Source};
use crate::model::action::possible;
use crate::model::bits::Flag;
use crate::model::world::Powers;
use crate::model::{Action, Arrival, Blocked, Property, State, World, step};
use crate::policy::Policy;
use crate::scenario::{Expect, Expectation, Model, ScenarioFile, Size, arrival_name, axes, compile, decide_cell};
use crate::trace::{self, Names};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

/// A scenario file, read and checked, with the text that diagnostics point into.
pub struct Scenario {
    /// What the file says.
    pub file: ScenarioFile,
    /// The name and the text of the file.
    pub source: Source,
}

/// What is to be run.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The scenarios, of which large ones may be left out.
    pub scenarios: &'a [Scenario],
    /// The policies under test, each of them in every scenario.
    pub models: &'a [Model],
    /// Models that a scenario may fix for a person.
    pub known: &'a [Model],
    /// Whether the models were asked for by name: each is then tried in every scenario, whatever models that is about.
    pub named: bool,
    /// Whether large scenarios are searched too.
    pub large: bool,
    /// Where each search must stop. The deadline is the same for all, and those side by side share the memory.
    pub limits: Limits,
    /// Where searches are kept that take long, and gone on with.
    pub kept: Option<Kept<'a>>,
    /// Whether a file is vacuous if none of the models lets its adversary act. Where one model is asked about, that it
    /// leaves no move is the answer.
    pub may_be_vacuous: bool,
}

/// Where searches are kept that take long.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The folder, which is there.
    pub dir: &'a Path,
    /// After how long each is written again.
    pub every: Duration,
}

/// What one property comes to in one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The search was complete and nothing violates the property (or, of a possibility, something shows it).
    Holds {
        /// Set where this policy gives the adversary nothing to act on: the axes and the values that deny it.
        no_move: Option<String>,
    },
    /// A state violates it; the trace is the least of the shortest.
    Violated {
        /// The way from the first state; empty if the property is a possibility that no state shows.
        trace: Vec<Action>,
    },
    /// The search was cut short before it could tell.
    Unknown {
        /// What cut it short.
        stopped: Stopped,
    },
    /// The question is empty, and why.
    Vacuous {
        /// What empties the question, as a clause.
        why: String,
    },
}

/// One model in one scenario, against an adversary that arrives at one time.
pub struct Cell<'a> {
    /// The scenario whose cast, powers and properties these are.
    pub scenario: &'a Scenario,
    /// The policy under test.
    pub model: &'a Model,
    /// `None` in a control without adversary.
    pub arrives: Option<Arrival>,
    /// The scenario compiled under the model.
    pub world: World,
    /// What the scenario calls those in `world`.
    pub names: Names,
    /// What the search found.
    pub findings: Findings,
    /// Each property of the scenario and what it comes to, in the order of the file.
    pub verdicts: Vec<(Property, Verdict)>,
    /// The claim of the scenario file that decides each verdict, in the same order; none if the file claims nothing.
    pub claims: Vec<Option<&'a Expectation>>,
}

/// Why a run ended without results that can be believed.
#[derive(Debug)]
pub enum RunError {
    /// A file is wrong.
    Input(Box<Diagnostic>),
    /// A trace does not replay by the plain rules, or does not end where the search said.
    Untrue(String),
    /// A search cannot go on from what is kept of it.
    Kept(Refused),
    /// A cell has too many states for a strategy to be found.
    TooLarge(String),
}

impl From<Refused> for RunError {
    fn from(refused: Refused) -> Self {
        Self::Kept(refused)
    }
}

impl From<Box<Diagnostic>> for RunError {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::Input(diagnostic)
    }
}

/// A cell that is still to be searched.
struct Task<'a> {
    scenario: &'a Scenario,
    model: &'a Model,
    arrives: Option<Arrival>,
    world: World,
    names: Names,
    expectations: Vec<Option<&'a Expectation>>,
}

impl Task<'_> {
    /// The name of the file in which its search is kept.
    fn file_name(&self) -> String {
        let arrives = self.arrives.map_or("no-adversary", arrival_name);
        format!("{}.{}.{arrives}.checkpoint", self.scenario.file.name, self.model.name)
    }
}

/// Searches every cell of the plan, side by side, and returns them in the plan's order.
pub fn run<'a>(plan: &Plan<'a>, progress: &(dyn CellProgress + 'a)) -> Result<Vec<Cell<'a>>, RunError> {
    let tasks = tasks(plan)?;
    progress.begin(tasks.len());
    // Large scenarios are searched one after another, each on all threads: side by side they would share the memory.
    let threads = rayon::current_num_threads();
    let only_one = tasks.len() == 1;
    let alone = |task: &Task| threads > 1 && (only_one || task.scenario.file.size == Size::Large);
    let (large, mut base): (Vec<_>, Vec<_>) = tasks.into_iter().enumerate().partition(|(_, task)| alone(task));
    // Where more can happen a search takes longer: begun last, it would be waited for by itself.
    base.sort_by_cached_key(|(_, task)| Reverse(possible(&task.world).len()));
    let on = |(i, task), limits| Ok((i, search(task, limits, plan.kept, progress)?));
    let shared = Limits { bytes_max: plan.limits.bytes_max.map(|max| max / threads), ..plan.limits };
    let mut cells: Vec<(usize, Cell<'a>)> =
        base.into_iter().par_bridge().map(|task| on(task, shared)).collect::<Result<_, RunError>>()?;
    for task in large {
        cells.push(on(task, Limits { threads: NonZero::new(threads), ..plan.limits })?);
    }
    cells.sort_by_key(|(i, _)| *i);
    let mut cells: Vec<Cell<'a>> = cells.into_iter().map(|(_, cell)| cell).collect();
    if plan.may_be_vacuous {
        mark_vacuous_files(&mut cells);
    }
    Ok(cells)
}

/// Who watches cells being searched.
pub trait CellProgress: Sync {
    /// Called once before the first search, with the number of cells.
    fn begin(&self, cells: usize);
    /// Returns the watcher of one search.
    fn search(&self) -> &dyn Progress;
    /// Called after each search whose traces replay, with the states that it kept.
    fn done(&self, states: usize);
    /// Called with what went wrong and ends nothing.
    fn warn(&self, text: &str);
}

impl CellProgress for () {
    fn begin(&self, _: usize) {}
    fn search(&self) -> &dyn Progress {
        &()
    }
    fn done(&self, _: usize) {}
    fn warn(&self, _: &str) {}
}

fn tasks<'a>(plan: &Plan<'a>) -> Result<Vec<Task<'a>>, RunError> {
    let task = |(scenario, model, arrives): Triple<'a>| -> Result<Task<'a>, Box<Diagnostic>> {
        let at = arrives.unwrap_or(Arrival::FromStart);
        let (world, names) = compile(&scenario.file, &scenario.source, model, plan.known, at)?;
        let expect = |p| expectation(plan.known, scenario, model, arrives, p);
        let expectations = scenario.file.properties().map(expect).collect::<Result<_, _>>()?;
        Ok(Task { scenario, model, arrives, world, names, expectations })
    };
    triples(plan).into_iter().map(|t| Ok(task(t)?)).collect()
}

/// A scenario, a model and an arrival.
type Triple<'a> = (&'a Scenario, &'a Model, Option<Arrival>);

/// Each scenario with each model that it is about, or with each that was named, at each arrival.
fn triples<'a>(plan: &Plan<'a>) -> Vec<Triple<'a>> {
    let Plan { scenarios, models, large, named, .. } = *plan;
    let selected = scenarios.iter().filter(|s| large || s.file.size == Size::Base);
    let of = |s: &'a Scenario| models.iter().filter(move |m| named || s.file.is_about(m)).map(move |m| (s, m));
    selected.flat_map(of).flat_map(|(s, m)| s.file.arrivals().into_iter().map(move |a| (s, m, a))).collect()
}

/// The one claim that decides a cell. A scenario of the user's own need not claim anything, none claims anything of a
/// model that it is not about, and a bundled one need not have foreseen a model of the user's own.
pub fn expectation<'a>(
    known: &[Model],
    scenario: &'a Scenario,
    model: &Model,
    arrives: Option<Arrival>,
    property: Property,
) -> Result<Option<&'a Expectation>, Box<Diagnostic>> {
    if scenario.file.expectations.is_empty() || !scenario.file.is_about(model) {
        return Ok(None);
    }
    match decide_cell(&scenario.file, &scenario.source, model, arrives, property) {
        Err(_) if is_bundled(&scenario.source) && !known.contains(model) => Ok(None),
        decided => decided.map(Some),
    }
}

fn search<'a>(
    task: Task<'a>,
    limits: Limits,
    kept: Option<Kept>,
    progress: &dyn CellProgress,
) -> Result<Cell<'a>, RunError> {
    let properties: Vec<Property> = task.scenario.file.properties().collect();
    let file = kept.map(|kept| Checkpoint::new(&kept.dir.join(task.file_name()), kept.every));
    let findings = match &file {
        None => exact::search(&task.world, &properties, limits, progress.search()),
        Some(file) => exact::go_on(&task.world, &properties, limits, progress.search(), file)?,
    };
    if let Some(failed) = file.and_then(Checkpoint::failed) {
        progress.warn(&failed);
    }
    let vacuous = honest_run_fails(&task.world).or_else(|| never_arrived(&findings));
    let never_moved = findings.stopped.is_none() && !findings.adversary_moved && task.arrives.is_some();
    let no_move = never_moved.then(|| denied_by(&task.world, &task.model.policy)).flatten();
    let verdict = |&p: &Property| match (&vacuous, findings.trace(p), findings.stopped) {
        (Some(why), ..) => Verdict::Vacuous { why: why.clone() },
        (None, Some(trace), _) if p.is_safety() => Verdict::Violated { trace: trace.to_vec() },
        (None, None, None) if !p.is_safety() => Verdict::Violated { trace: Vec::new() },
        (None, None, Some(stopped)) => Verdict::Unknown { stopped },
        _ => Verdict::Holds { no_move: no_move.clone() },
    };
    let verdicts: Vec<_> = properties.iter().map(|p| (*p, verdict(p))).collect();
    for (p, verdict) in &verdicts {
        believe(&task, *p, verdict)?;
    }
    progress.done(findings.states);
    let Task { scenario, model, arrives, world, names, expectations } = task;
    Ok(Cell { scenario, model, arrives, world, names, findings, verdicts, claims: expectations })
}

/// Replays the trace of a violation by the plain rules: no search is believed without.
fn believe(task: &Task, property: Property, verdict: &Verdict) -> Result<(), RunError> {
    let Verdict::Violated { trace } = verdict else { return Ok(()) };
    if !property.is_safety() || trace::ends_with(&task.world, trace, property, false) {
        return Ok(());
    }
    let (scenario, model) = (&task.scenario.file.name, &task.model.name);
    Err(RunError::Untrue(format!("the trace for {property:?} in {scenario} under {model} does not replay")))
}

/// Why the honest run cannot finish, if it cannot: then nothing that holds means anything.
fn honest_run_fails(w: &World) -> Option<String> {
    let fails = honest_run(w, Limits::default(), &()) == Ok(false);
    fails.then(|| "without an adversary no message ever reaches every honest device".to_string())
}

/// Whether some message reaches every honest device where nobody attacks; what stopped the search if it cannot tell.
pub fn honest_run(w: &World, limits: Limits, progress: &dyn Progress) -> Result<bool, Stopped> {
    let honest = World { powers: Powers::default(), arrives: Arrival::FromStart, ..*w };
    let findings = exact::search(&honest, &[Property::EverybodyReads], limits, progress);
    match (findings.trace(Property::EverybodyReads), findings.stopped) {
        (Some(_), _) => Ok(true),
        (None, None) => Ok(false),
        (None, Some(stopped)) => Err(stopped),
    }
}

/// Why nothing that holds means anything if the adversary waited for something that cannot happen.
fn never_arrived(findings: &Findings) -> Option<String> {
    let waited = findings.stopped.is_none() && !findings.adversary_arrived;
    waited.then(|| "what the adversary waits for before it arrives cannot happen".to_string())
}

/// The axes of `policy` whose values deny this adversary, which never moved, the first step of each of its powers.
fn denied_by(w: &World, policy: &Policy) -> Option<String> {
    let honest = World { powers: Powers::default(), arrives: Arrival::FromStart, ..*w };
    let trace = exact::first(&honest, Property::EverybodyReads)?;
    let settled = *trace::replay(&honest, &trace).ok()?.last()?;
    let ready = State { active: Flag::ON, ..settled };
    // What a power adds to the actions is its first step. Others, such as signing a device in, take what one has led
    // to: that they are denied says nothing of a power that leads nowhere near them.
    let without_powers = possible(&honest);
    let first_steps = possible(w).into_iter().filter(|a| without_powers.binary_search(a).is_err());
    let denying: Vec<&str> = first_steps.filter_map(|a| denying_axis(policy, step(w, ready, a).err()?)).collect();
    let denied = axes(policy).into_iter().filter(|(axis, _)| denying.contains(&axis.as_str()));
    let values: Vec<String> = denied.map(|(axis, value)| format!("{axis}: {value}")).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// The axis whose value the guard of a power's first step stands for.
fn denying_axis(policy: &Policy, blocked: Blocked) -> Option<&'static str> {
    match blocked {
        Blocked::NoPassword | Blocked::PasswordUnknown | Blocked::NothingToApprove | Blocked::MustBePresent => {
            Some("joining")
        }
        Blocked::NoRecoveryKey => Some("identity"),
        // A number could only replace an identity, and there is none.
        Blocked::NumberMeansNothing if !policy.has_identity() => Some("identity"),
        Blocked::NumberMeansNothing | Blocked::PinUnknown => Some("identity-replaced-by"),
        Blocked::MembershipSigned => Some("membership"),
        Blocked::NotInLog => Some("transparency"),
        _ => None,
    }
}

/// A scenario whose adversary can act under none of the models says nothing about any of them.
fn mark_vacuous_files(cells: &mut [Cell]) {
    let silent = |c: &Cell| c.verdicts.iter().all(|v| matches!(v.1, Verdict::Holds { no_move: Some(_) }));
    let names: Vec<String> = cells.iter().map(|c| c.scenario.file.name.clone()).collect();
    for name in &names {
        let mut file: Vec<_> = cells.iter_mut().filter(|c| c.scenario.file.name == *name).collect();
        if file.iter().all(|c| silent(c)) {
            let why = "the adversary can act under none of the selected models".to_string();
            file.iter_mut().flat_map(|c| &mut c.verdicts).for_each(|v| v.1 = Verdict::Vacuous { why: why.clone() });
        }
    }
}

impl Cell<'_> {
    /// Whether a verdict is what was expected; `None` if it is not conclusive or nothing was expected.
    pub fn met(&self, index: usize) -> Option<bool> {
        let expected = self.claims[index]?.expect;
        match &self.verdicts[index].1 {
            Verdict::Holds { .. } => Some(expected == Expect::Holds),
            Verdict::Violated { .. } => Some(expected == Expect::Violated),
            Verdict::Unknown { .. } | Verdict::Vacuous { .. } => None,
        }
    }
    /// The last state of the trace that violates `property`.
    pub fn end(&self, trace: &[Action]) -> State {
        let states = trace::replay(&self.world, trace).expect("traces were replayed before they were kept");
        states[states.len() - 1]
    }
    /// Whether the search of this cell was complete.
    pub fn complete(&self) -> bool {
        self.findings.stopped.is_none()
    }
}

/// Which single changes of the policy under test would have stopped this very trace, axis by axis.
///
/// Each other value of each axis is put in its place, and the trace replayed: it is stopped if a step is blocked or the
/// property no longer fails at its end. Whether another attack remains is for a search to say.
pub fn stopped_by(cell: &Cell, property: Property, trace: &[Action]) -> Vec<(String, String, Vec<String>)> {
    let mut decisive = Vec::new();
    for (axis, values) in crate::scenario::axis_values() {
        let own = axes(&cell.model.policy).into_iter().find(|a| a.0 == axis).map_or(String::new(), |a| a.1);
        // Without this one value the policy would be another kind of policy, or none that can be written down.
        if own == "unused" || axis == "identity" {
            continue;
        }
        let others = values.iter().filter(|&v| *v != own && v != "unused");
        let stops = |value: &&String| {
            with_value(cell, &axis, value).is_some_and(|world| !trace::ends_with(&world, trace, property, false))
        };
        let stopping: Vec<String> = others.filter(stops).cloned().collect();
        if !stopping.is_empty() {
            decisive.push((axis, own, stopping));
        }
    }
    decisive
}

/// The world of a cell whose policy under test has another value on one axis.
fn with_value(cell: &Cell, axis: &str, value: &str) -> Option<World> {
    let policy = with_axis(&cell.model.policy, axis, value)?;
    let changed = cell.world.policy.map(|p| if p == cell.model.policy { policy } else { p });
    Some(World { policy: changed, ..cell.world })
}

/// What is left of an attack once the policy has another value on one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: no attack within these bounds, in so many states.
    Nothing(usize),
    /// Another attack, a shortest one.
    Attack(Box<World>, Vec<Action>),
    /// A policy that is mute: without an adversary, too, no message ever reaches every honest device.
    Mute,
    /// The search was cut short before it could tell.
    Open(Stopped),
}

/// Searches for what is left of an attack on `property` once the policy has another value on one axis.
pub fn left(
    cell: &Cell,
    property: Property,
    (axis, value): (&str, &str),
    limits: Limits,
    progress: &dyn Progress,
) -> Result<Left, RunError> {
    let w = with_value(cell, axis, value).expect("a value of the axis");
    match honest_run(&w, limits, progress) {
        Ok(true) => {}
        Ok(false) => return Ok(Left::Mute),
        Err(stopped) => return Ok(Left::Open(stopped)),
    }
    let findings = exact::search(&w, &[property], limits, progress);
    match (findings.trace(property), findings.stopped) {
        (Some(trace), _) if !trace::ends_with(&w, trace, property, false) => {
            Err(RunError::Untrue(format!("the trace for {property:?} with {axis}: {value} does not replay")))
        }
        (Some(trace), _) => Ok(Left::Attack(Box::new(w), trace.to_vec())),
        (None, Some(stopped)) => Ok(Left::Open(stopped)),
        (None, None) => Ok(Left::Nothing(findings.states)),
    }
}

/// With which other value on a single axis a message would reach every honest device of `w`, where nobody attacks.
pub fn heard_with(w: &World, policy: &Policy, limits: Limits, progress: &dyn Progress) -> Vec<(String, Vec<String>)> {
    let heard = |axis: &str, value: &String| {
        let Some(changed) = with_axis(policy, axis, value) else { return false };
        let policies = w.policy.map(|p| if p == *policy { changed } else { p });
        value != "unused" && honest_run(&World { policy: policies, ..*w }, limits, progress) == Ok(true)
    };
    let all = axes(policy).into_iter().filter(|(_, own)| own != "unused").map(|(axis, _)| axis);
    let values = crate::scenario::axis_values();
    let of = |axis: String| {
        let values = values.iter().filter(|(name, _)| *name == axis).flat_map(|(_, values)| values);
        let values: Vec<String> = values.filter(|value| heard(&axis, value)).cloned().collect();
        (axis, values)
    };
    all.filter(|axis| axis != "identity").map(of).filter(|(_, values)| !values.is_empty()).collect()
}

/// The policy with another value on one axis.
pub fn with_axis(policy: &Policy, axis: &str, value: &str) -> Option<Policy> {
    let mut axes = serde_json::to_value(policy).ok()?;
    *axes.get_mut(axis)? = value.into();
    serde_json::from_value(axes).ok()
}
