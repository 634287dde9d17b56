//! Cells that are simulated: compiled for people of whom something is known, searched for an attack, walked through.

use super::{Plan, RunError, Scenario, Triple, triples};
use crate::bundle;
use crate::explore::{Findings, Progress, Tick, exact};
use crate::model::bits::Index;
use crate::model::{Arrival, PEOPLE_MAX, Property, World};
use crate::scenario::{Care, Model, Number, Profile, compile, property_name};
use crate::simulate::best::Table;
use crate::simulate::chain::Setting;
use crate::simulate::exact::solve;
use crate::simulate::habits::Habit;
use crate::simulate::interval::{Estimate, proportion};
use crate::simulate::rare::{NODES_MAX, split};
use crate::simulate::runs::{Drawn, Happened, Outcome, Watch, all, one};
use crate::simulate::{Far, Habits, Strategy, Unsolved, Working};
use crate::trace::Names;
use rayon::prelude::*;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which people are who.
pub struct Cast<'a> {
    /// The people to be found by name.
    pub known: &'a [Profile],
    /// For people of that name in a scenario, or for all without a name; what comes later counts. Of whom nothing is
    /// said, they are what the scenario says of their care.
    pub chosen: Vec<(Option<String>, Profile)>,
}

/// How the adversary is to play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Play {
    /// A shortest attack on this property, or on the worst one that falls; at random where none does.
    Attack(Option<Property>),
    /// Any of its moves at random, so many a day.
    Opportunist(f64),
    /// Whatever is best to make this property fall, or the worst one that falls; at random where none does.
    Best(Option<Property>),
}

/// The moves a day of an adversary that finds no attack to follow.
pub const PACE: f64 = 1.0;
/// The most states among which the best strategy is looked for: each takes some kilobytes.
const BEST_STATES_MAX: usize = 200_000;

/// What is to be simulated.
pub struct SimulationPlan<'a> {
    /// The cells, and where the checker's searches for attacks must stop.
    pub cells: Plan<'a>,
    /// Who the people are.
    pub cast: Cast<'a>,
    /// How the adversary plays.
    pub play: Play,
    /// The only arrival that is simulated, if said.
    pub arrives: Option<Arrival>,
    /// How many runs.
    pub runs: u64,
    /// How long each lasts, in days.
    pub days: f64,
    /// What all randomness is made from.
    pub seed: u64,
    /// The most nodes of a chain that is solved exactly, if any is to be.
    pub exact: Option<usize>,
    /// Whether probabilities are also estimated by splitting.
    pub rare: bool,
}

/// What the checker says of a property in the world of these people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// No attack.
    Holds,
    /// An attack of so many steps.
    Falls(usize),
    /// Its search was cut short.
    Unknown,
}

/// A cell that is ready to be drawn from.
pub struct Prepared<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The policy under test.
    pub model: &'a Model,
    /// `None` in a control without adversary.
    pub arrives: Option<Arrival>,
    /// What the scenario calls those in its world.
    pub names: Names,
    /// For each person, by index, who they are; none for accounts of the adversary's.
    pub people: Vec<Option<&'a Profile>>,
    /// The world, its properties and how the adversary plays.
    pub setting: Setting,
    /// What the checker says of each property.
    pub checked: Vec<Checked>,
}

/// A cell that was simulated.
pub struct Simulated<'a> {
    /// What was drawn from.
    pub of: Prepared<'a>,
    /// What each run came to.
    pub outcomes: Vec<Outcome>,
    /// For each property the exact probability that it falls, and the nodes of the chain; none if it was not asked for
    /// or if there were too many.
    pub exact: Option<(Vec<f64>, usize)>,
    /// For each property the probability that it falls, by splitting; none if it was not asked for, or if the checker
    /// says that it holds.
    pub split: Vec<Option<Estimate>>,
}

/// Who watches cells being simulated.
pub trait CellWatch: Watch {
    /// Whether to go on searching.
    fn goes_on(&self) -> bool;
    /// Called after each search for an attack, with how many of all are done.
    fn prepared(&self, cells: usize, all: usize);
    /// Called once, with the number of cells.
    fn begin(&self, cells: usize);
    /// Called now and then with how far the work on the chain of a cell is, whose name it is told; returns whether to
    /// go on.
    fn working(&self, cell: &str, far: Far) -> bool;
}

impl CellWatch for () {
    fn goes_on(&self) -> bool {
        true
    }
    fn prepared(&self, _: usize, _: usize) {}
    fn begin(&self, _: usize) {}
    fn working(&self, _: &str, _: Far) -> bool {
        true
    }
}

/// Prepares every cell of the plan, in the plan's order.
pub fn prepare<'a>(plan: &'a SimulationPlan, watch: &dyn CellWatch) -> Result<Vec<Prepared<'a>>, RunError> {
    let mut cells = triples(&plan.cells);
    cells.retain(|(.., arrives)| plan.arrives.is_none() || *arrives == plan.arrives);
    let (done, all) = (AtomicUsize::new(0), cells.len());
    let prepare = |cell| {
        let prepared = prepare_one(plan, cell, watch);
        watch.prepared(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        prepared
    };
    cells.into_par_iter().map(prepare).collect()
}

/// Work on the chain of a cell, which has this name.
struct On<'a>(&'a dyn CellWatch, String);

impl Working for On<'_> {
    fn far(&self, far: Far) -> bool {
        self.0.working(&self.1, far)
    }
}

/// Lets a search go on as long as whoever watches does.
struct Searching<'a>(&'a dyn CellWatch);

impl Progress for Searching<'_> {
    fn tick(&self, _: &Tick) -> bool {
        self.0.goes_on()
    }
}

fn prepare_one<'a>(
    plan: &'a SimulationPlan,
    (scenario, model, arrives): Triple<'a>,
    watch: &dyn CellWatch,
) -> Result<Prepared<'a>, RunError> {
    let at = arrives.unwrap_or(Arrival::FromStart);
    let (world, names) = compile(&scenario.file, &scenario.source, model, plan.cells.known, at)?;
    let people: Vec<Option<&Profile>> = (0..world.people).map(|i| plan.cast.who(scenario, i)).collect();
    let who = |is: fn(&Habits) -> bool| {
        world.all_people().filter(|p| people[p.index()].is_some_and(|who| is(&who.habits))).collect()
    };
    let world = World { hurried: who(Habits::is_hurried), inattentive: who(Habits::is_inattentive), ..world };
    let properties: Vec<Property> = scenario.file.properties().filter(|p| p.is_safety()).collect();
    let findings = exact::search(&world, &properties, plan.cells.limits, &Searching(watch));
    let checked = properties.iter().map(|&p| match (findings.trace(p), findings.stopped) {
        (Some(trace), _) => Checked::Falls(trace.len()),
        (None, None) => Checked::Holds,
        (None, Some(_)) => Checked::Unknown,
    });
    let checked = checked.collect();
    let habits = habits(&people);
    let on = On(watch, format!("{} under {}", scenario.file.name, model.name));
    let strategy = match strategy(plan, &world, &habits, &findings, &on) {
        Ok(strategy) => strategy,
        Err(Unsolved::TooLarge) => return Err(RunError::TooLarge(on.1)),
        // Whoever stopped it lets nothing be drawn from it.
        Err(Unsolved::Stopped) => Strategy::Opportunist(PACE),
    };
    let setting = Setting::new(world, properties, strategy);
    Ok(Prepared { scenario, model, arrives, names, people, setting, checked })
}

/// How the people of a world behave, by index.
fn habits(people: &[Option<&Profile>]) -> [Habits; PEOPLE_MAX] {
    std::array::from_fn(|i| people.get(i).copied().flatten().map_or(Habits::NONE, |who| who.habits))
}

/// How the adversary plays, given what the checker found.
fn strategy(
    plan: &SimulationPlan,
    w: &World,
    habits: &[Habits; PEOPLE_MAX],
    findings: &Findings,
    watch: &dyn Working,
) -> Result<Strategy, Unsolved> {
    let falls = |asked: Option<Property>| {
        let all = Property::ALL.into_iter().filter(|p| asked.is_none_or(|asked| asked == *p));
        all.into_iter().find_map(|p| Some((p, findings.trace(p)?)))
    };
    let states_max = plan.cells.limits.states_max.unwrap_or(BEST_STATES_MAX).min(BEST_STATES_MAX);
    match plan.play {
        Play::Opportunist(pace) => Ok(Strategy::Opportunist(pace)),
        Play::Attack(asked) => {
            Ok(falls(asked).map_or(Strategy::Opportunist(PACE), |(p, trace)| Strategy::attack(p, trace)))
        }
        Play::Best(asked) => falls(asked).map_or(Ok(Strategy::Opportunist(PACE)), |(p, _)| {
            Ok(Strategy::Best(p, Box::new(Table::of(w, p, habits, plan.days, states_max, watch)?)))
        }),
    }
}

impl Cast<'_> {
    /// Who the person at `index` of a scenario is; none for accounts of the adversary's.
    fn who(&self, scenario: &Scenario, index: usize) -> Option<&Profile> {
        let person = scenario.file.people.get(index)?;
        let is_meant = |name: &Option<String>| name.as_ref().is_none_or(|name| *name == person.name);
        let by_care = match person.care {
            Care::Careful => "careful",
            Care::Hurried => "hurried",
            Care::Inattentive => "inattentive",
        };
        let named = self.chosen.iter().rev().find(|(name, _)| is_meant(name)).map(|(_, who)| who);
        named.or_else(|| self.known.iter().find(|who| who.name == by_care))
    }
}

impl Prepared<'_> {
    /// How the people of the world behave, by index.
    pub fn habits(&self) -> [Habits; PEOPLE_MAX] {
        habits(&self.people)
    }
    /// What runs are drawn from.
    pub fn drawn(&self, days: f64, seed: u64) -> Drawn<'_> {
        Drawn { setting: &self.setting, habits: self.habits(), days, seed }
    }
    /// What no run may show: a property that fell although the checker says that it holds.
    fn believe(&self, outcomes: &[Outcome]) -> Result<(), RunError> {
        self.believe_cases(|i| Some(outcomes.iter().position(|run| run.fell[i].is_some())? as u64))
    }
    /// The same, given for each property a run in which it fell, if there is one.
    pub(super) fn believe_cases(&self, case: impl Fn(usize) -> Option<u64>) -> Result<(), RunError> {
        let (scenario, model) = (&self.scenario.file.name, &self.model.name);
        for (i, property) in self.setting.properties.iter().enumerate() {
            if let (Some(case), Checked::Holds) = (case(i), self.checked[i]) {
                let property = property_name(*property);
                let message =
                    format!("{property} holds in {scenario} under {model}, and falls in simulated run {case}");
                return Err(RunError::Untrue(message));
            }
        }
        Ok(())
    }
}

/// Simulates prepared cells, in their order; none if whoever watches did not let them go on.
///
/// Where there are fewer cells than threads, each is simulated on all threads; the results are the same.
pub fn simulate<'a>(
    plan: &SimulationPlan,
    cells: Vec<Prepared<'a>>,
    watch: &dyn CellWatch,
) -> Result<Option<Vec<Simulated<'a>>>, RunError> {
    watch.begin(cells.len());
    let threads = NonZero::new(rayon::current_num_threads()).unwrap_or(NonZero::<usize>::MIN);
    let on = |cell: Prepared<'a>, threads| -> Result<Option<Simulated<'a>>, RunError> {
        let Some(outcomes) = all(&cell.drawn(plan.days, plan.seed), plan.runs, threads, watch) else { return Ok(None) };
        cell.believe(&outcomes)?;
        let name = format!("{} under {}", cell.scenario.file.name, cell.model.name);
        let solved = plan.exact.map(|max| solve(&cell.setting, &cell.habits(), plan.days, max, &On(watch, name)));
        let Some(split) = splits(plan, &cell, threads, watch) else { return Ok(None) };
        match solved {
            Some(Err(Unsolved::Stopped)) => Ok(None),
            solved => Ok(Some(Simulated { of: cell, outcomes, exact: solved.and_then(Result::ok), split })),
        }
    };
    match cells.len() < threads.get() {
        true => cells.into_iter().map(|cell| on(cell, threads)).collect(),
        false => cells.into_par_iter().map(|cell| on(cell, NonZero::<usize>::MIN)).collect(),
    }
}

/// The probability of each property to fall, by splitting; none if whoever watches did not let it go on.
fn splits(
    plan: &SimulationPlan,
    cell: &Prepared,
    threads: NonZero<usize>,
    watch: &dyn CellWatch,
) -> Option<Vec<Option<Estimate>>> {
    let drawn = cell.drawn(plan.days, plan.seed);
    let name = format!("{} under {}", cell.scenario.file.name, cell.model.name);
    let of = |(i, checked): (usize, &Checked)| match checked {
        Checked::Holds => Some(None),
        _ if !plan.rare => Some(None),
        _ => split(&drawn, i, plan.runs, NODES_MAX, threads, &On(watch, name.clone())).map(Some),
    };
    cell.checked.iter().enumerate().map(of).collect()
}

/// A number that nobody measured, at either end of its range.
pub struct Swept {
    /// The file about people that it is in, by the word by which commands find it.
    pub people: String,
    /// Which number, and its range as the file has it.
    pub habit: Habit,
    /// The number as the file has it.
    pub number: Number,
    /// For the low end and for the high one, the probability of each property to fall.
    pub ends: [Vec<Estimate>; 2],
}

/// Simulates the only cell of a plan with each assumed number of its people at both ends of its range, all else equal;
/// none if whoever watches did not let it go on.
///
/// The world and the attack are those of the changed people: who never clicks through anything is careful.
pub fn sweep(plan: &SimulationPlan, cell: &Prepared, watch: &dyn CellWatch) -> Result<Option<Vec<Swept>>, RunError> {
    let mut people: Vec<&Profile> = cell.people.iter().copied().flatten().collect();
    people.sort_by_key(|who| &who.file.path);
    people.dedup_by_key(|who| &who.file.path);
    let assumed: Vec<_> = people.into_iter().flat_map(|who| who.assumed().map(move |range| (who, range))).collect();
    watch.begin(2 * assumed.len());
    let at = |who: &Profile, habit, end| -> Result<Option<Vec<Estimate>>, RunError> {
        let habits = who.habits.with(habit, end).expect("the ends of a range were checked");
        let changed = |other: &Profile| match other.file == who.file {
            true => Profile { habits, ..other.clone() },
            false => other.clone(),
        };
        let known: Vec<Profile> = plan.cast.known.iter().map(changed).collect();
        let chosen = plan.cast.chosen.iter().map(|(name, who)| (name.clone(), changed(who))).collect();
        let threads = NonZero::new(rayon::current_num_threads()).unwrap_or(NonZero::<usize>::MIN);
        let same_world = habits.is_hurried() == who.habits.is_hurried()
            && habits.is_inattentive() == who.habits.is_inattentive()
            && !matches!(plan.play, Play::Best(_));
        let (changed_plan, other);
        let (cell, drawn) = if same_world {
            let of = |i: usize| cell.people.get(i).copied().flatten().map_or(Habits::NONE, |who| changed(who).habits);
            (cell, Drawn { habits: std::array::from_fn(of), ..cell.drawn(plan.days, plan.seed) })
        } else {
            changed_plan = SimulationPlan { cast: Cast { known: &known, chosen }, exact: None, ..*plan };
            other = prepare_one(&changed_plan, (cell.scenario, cell.model, cell.arrives), watch)?;
            (&other, other.drawn(plan.days, plan.seed))
        };
        let Some(runs) = all(&drawn, plan.runs, threads, watch) else { return Ok(None) };
        cell.believe(&runs)?;
        let fell = |i: usize| runs.iter().filter(|run| run.fell[i].is_some()).count() as u64;
        Ok(Some((0..cell.checked.len()).map(|i| proportion(fell(i), plan.runs)).collect()))
    };
    let mut swept = Vec::new();
    for (who, (habit, low, high)) in assumed {
        let (Some(low), Some(high)) = (at(who, habit, low)?, at(who, habit, high)?) else { return Ok(None) };
        let number = who.numbers.iter().find(|(of, _)| *of == habit).expect("it was just found").1.clone();
        swept.push(Swept { people: bundle::word(&who.file).to_string(), habit, number, ends: [low, high] });
    }
    Ok(Some(swept))
}

/// One run of a cell, with all that happened in it.
pub fn case(plan: &SimulationPlan, cell: &Prepared, case: u64) -> Result<(Outcome, Vec<Happened>), RunError> {
    let (outcome, happened) = one(&cell.drawn(plan.days, plan.seed), case);
    cell.believe(std::slice::from_ref(&outcome))?;
    Ok((outcome, happened))
}
