//! The simulator: its runs are walks by the plain rules, its probabilities are right, its intervals hold what they say.

mod drawn;
mod output;

use drawn::{is_the_same_at_any_number_of_threads, overhear, read_back};
use output::{code, err, out};
use overhear::bundle;
use overhear::explore::Limits;
use overhear::input::Source;
use overhear::model::action::possible;
use overhear::model::{Action, Arrival, Identity, Property, State, World, property, step};
use overhear::policy::OwnRequests;
use overhear::report::simulation::{
    SimulationRecord, StrategyRecord, median_day, most_open, sweep as sweep_text, tables,
};
use overhear::run::simulation::{
    Cast, Checked, Play, Prepared, Simulated, SimulationPlan, Swept, case, prepare, simulate, sweep,
};
use overhear::run::{Plan, RunError, Scenario, expectation};
use overhear::scenario::{Basis, Expect, HABITS, Model, Number, Profile, Size, habit_name, read_people, read_scenario};
use overhear::schema;
use overhear::simulate::best::Table;
use overhear::simulate::chain::Setting;
use overhear::simulate::habits::{Habit, Habits, RATE_MAX, Unfit};
use overhear::simulate::interval::{Estimate, mean, proportion};
use overhear::simulate::rare::{NODES_MAX, split};
use overhear::simulate::runs::{Drawn, Outcome, all};
use overhear::simulate::tally::{Counted, Tally};
use overhear::simulate::{Far, Strategy, Unsolved, Working, exact, interval};
use overhear::trace;
use rayon::prelude::*;
use std::collections::HashSet;
use std::num::NonZero;
use std::sync::Mutex;

/// What tests have to do with: everything that is bundled.
struct Bundled {
    scenarios: Vec<Scenario>,
    models: Vec<Model>,
    people: Vec<Profile>,
}

fn bundled() -> Bundled {
    let read = |source: Source| Scenario { file: read_scenario(&source).expect("a bundled scenario"), source };
    let scenarios = bundle::scenarios().iter().map(|s| read(s.source())).collect();
    Bundled { scenarios, models: bundle::models(), people: bundle::people() }
}

impl Bundled {
    /// Only what has these names.
    fn only(mut self, scenario: &str, model: &str) -> Self {
        self.scenarios.retain(|s| s.file.name == scenario);
        self.models.retain(|m| m.name == model);
        assert!(!self.scenarios.is_empty() && !self.models.is_empty(), "{scenario} under {model}");
        self
    }
    /// A plan for these people.
    fn plan(&self, who: &str, play: Play) -> SimulationPlan<'_> {
        let chosen = self.people.iter().filter(|p| p.name == who).map(|p| (None, p.clone())).collect();
        SimulationPlan {
            cells: Plan {
                scenarios: &self.scenarios,
                models: &self.models,
                known: &self.models,
                named: false,
                large: false,
                limits: Limits::default(),
                kept: None,
                may_be_vacuous: false,
            },
            cast: Cast { known: &self.people, chosen },
            play,
            arrives: None,
            runs: 1000,
            days: 365.0,
            seed: 1,
            exact: None,
            rare: false,
        }
    }
}

/// The plan, with searches for attacks that look at no more states than that.
fn limited(plan: SimulationPlan, states_max: usize) -> SimulationPlan {
    let limits = Limits { states_max: Some(states_max), ..Limits::default() };
    SimulationPlan { cells: Plan { limits, ..plan.cells }, ..plan }
}

fn threads(n: usize) -> NonZero<usize> {
    NonZero::new(n).expect("some")
}

/// Some of the cells that can be prepared without a search that takes long.
fn some_cells<'a>(plan: &'a SimulationPlan) -> Vec<Prepared<'a>> {
    prepare(plan, &()).expect("bundled files are right")
}

/// A run is a walk by the plain rules, and a property falls in it exactly where its condition says so.
fn is_a_walk(plan: &SimulationPlan, cell: &Prepared, number: u64) {
    let name = format!("{}, {}, {:?}, run {number}", cell.scenario.file.name, cell.model.name, cell.arrives);
    let (outcome, happened) = case(plan, cell, number).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let actions: Vec<Action> = happened.iter().map(|h| h.action).collect();
    let w = &cell.setting.world;
    let states = trace::replay(w, &actions).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(happened.windows(2).all(|pair| pair[0].day <= pair[1].day), "{name}: time goes on");
    assert!(happened.iter().all(|h| (0.0..plan.days).contains(&h.day)), "{name}: within its days");
    let ignores = |(s, action): &(&State, &Action)| match **action {
        Action::AcceptDevice(_, d) => s.held(w).has(d),
        Action::Acknowledge(v, p) => s.offered.get(v, p) == Identity::Forged,
        Action::ForwardKeys(by, to, _) => {
            w.policy(w.owner(by)).own_requests == OwnRequests::Ask && !s.trusted.has(by, to) && s.held(w).has(to)
        }
        _ => false,
    };
    let ignored = states.iter().zip(&actions).filter(ignores).count();
    assert_eq!(outcome.tally[Counted::Ignored], ignored as f64, "{name}: what is the adversary's, and yes to it");
    for (i, &p) in cell.setting.properties.iter().enumerate() {
        // What the adversary does at once happens in one moment: only after the last of it anybody looks.
        let settles = |n: usize| n == 0 || n == happened.len() || happened[n - 1].day < happened[n].day;
        let falls = |n: &usize| settles(*n) && !property::condition(w, states[*n], p);
        let first = (0..states.len()).find(falls).map(|n| if n == 0 { 0.0 } else { happened[n - 1].day });
        assert_eq!(outcome.fell[i], first, "{name}: {p:?}");
    }
}

#[test]
fn every_run_is_a_walk_by_the_plain_rules() {
    let mut all = bundled();
    // Every scenario, each under another model, and every model.
    let (scenarios, models) = (std::mem::take(&mut all.scenarios), std::mem::take(&mut all.models));
    let known = models.clone();
    for (i, scenario) in scenarios.into_iter().filter(|s| s.file.size == Size::Base).enumerate() {
        let about: Vec<&Model> = models.iter().filter(|m| scenario.file.is_about(m)).collect();
        let model = about[i % about.len()].clone();
        let one = Bundled { scenarios: vec![scenario], models: vec![model], people: all.people.clone() };
        let limits = Limits { states_max: Some(4000), ..Limits::default() };
        for (who, play) in [("typical", Play::Attack(None)), ("hurried", Play::Opportunist(2.0))] {
            let plan = one.plan(who, play);
            let plan = SimulationPlan { cells: Plan { known: &known, limits, ..plan.cells }, ..plan };
            for cell in some_cells(&plan) {
                (0..3).for_each(|number| is_a_walk(&plan, &cell, number));
            }
        }
    }
}

/// All that a run comes to is what the checker knows: its actions are a way by the plain rules from the first state, so
/// every state in it is reached; where the checker's search came to its end a property falls only if its verdict is
/// that it does, and in no fewer steps; and where the plain space is small, its states are among all that are in it.
fn is_known_to_the_checker(plan: &SimulationPlan, cell: &Prepared, space: &Option<HashSet<State>>, number: u64) {
    let name = format!("{}, {}, {:?}, run {number}", cell.scenario.file.name, cell.model.name, cell.arrives);
    let (_, happened) = case(plan, cell, number).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let actions: Vec<Action> = happened.iter().map(|h| h.action).collect();
    let w = &cell.setting.world;
    let states = trace::replay(w, &actions).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(space.as_ref().is_none_or(|space| states.iter().all(|s| space.contains(s))), "{name}: a state of its own");
    for (&p, &checked) in cell.setting.properties.iter().zip(&cell.checked) {
        let fell = states.iter().position(|s| !property::condition(w, *s, p));
        let known = match (fell, checked) {
            (None, _) | (_, Checked::Unknown) => true,
            (Some(_), Checked::Holds) => false,
            (Some(steps), Checked::Falls(shortest)) => steps >= shortest,
        };
        assert!(known, "{name}: {p:?} falls after {fell:?} steps, and the checker says {checked:?}");
    }
}

/// Every state that can be reached by the plain rules, if they are few.
fn plain_space(w: &World) -> Option<HashSet<State>> {
    let actions = possible(w);
    let mut space = HashSet::from([w.initial()]);
    let mut new = vec![w.initial()];
    while let Some(s) = new.pop() {
        let next = actions.iter().filter_map(|a| step(w, s, *a).ok());
        new.extend(next.filter(|next| space.insert(*next)));
        if space.len() > 300 {
            return None;
        }
    }
    Some(space)
}

/// Few runs of every cell of these scenarios, by each strategy, held against the checker. Returns how many cells, how
/// many of them were searched to their end, and how many have a small plain space.
fn all_cells_are_known_to_the_checker(wanted: impl Fn(&Scenario) -> bool, states_max: usize) -> [usize; 3] {
    let mut all = bundled();
    all.scenarios.retain(wanted);
    let plan = limited(all.plan("as the scenario has it", Play::Attack(None)), states_max);
    let plan = SimulationPlan { cells: Plan { large: true, ..plan.cells }, days: 60.0, ..plan };
    let count = |mut cell: Prepared| {
        let w = cell.setting.world;
        let space = plain_space(&w);
        let again = |strategy| Setting::new(w, cell.setting.properties.clone(), strategy);
        let at_random = [0.5, 20.0].map(|pace| again(Strategy::Opportunist(pace)));
        (0..2).for_each(|number| is_known_to_the_checker(&plan, &cell, &space, number));
        for setting in at_random {
            cell.setting = setting;
            is_known_to_the_checker(&plan, &cell, &space, 2);
        }
        [1, usize::from(!cell.checked.contains(&Checked::Unknown)), usize::from(space.is_some())]
    };
    let cells: Vec<[usize; 3]> = some_cells(&plan).into_par_iter().map(count).collect();
    cells.into_iter().fold([0; 3], |sum, cell| std::array::from_fn(|i| sum[i] + cell[i]))
}

/// The states after which searches are given up, if `OVERHEAR_STATES` in the environment does not say.
fn states_max() -> usize {
    std::env::var("OVERHEAR_STATES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

/// What the plain rules let happen is what the checker's reductions are held against elsewhere (`tests/reductions.rs`).
#[test]
#[ignore = "takes a minute: `.ci/run` runs it"]
fn where_the_search_ends_every_run_of_every_cell_is_known_to_it() {
    let [cells, searched, small] = all_cells_are_known_to_the_checker(|s| s.file.size == Size::Base, states_max());
    eprintln!("{cells} cells, {searched} of them searched to their end, {small} with a small plain space");
    assert!(cells > 1200 && searched > 1100 && small > 300, "{cells} cells, {searched} searched, {small} small");
}

/// The same for the large ones, of which few searches end.
#[test]
#[ignore = "takes minutes: by hand"]
fn every_run_of_every_large_cell_is_known_to_the_checker() {
    let told = all_cells_are_known_to_the_checker(|s| s.file.size == Size::Large, states_max());
    eprintln!("{} cells, {} of them searched to their end, {} with a small plain space", told[0], told[1], told[2]);
}

#[test]
fn an_adversary_that_cannot_win_does_not() {
    let all = bundled().only("password-thief", "signal-verified");
    for play in [Play::Attack(None), Play::Opportunist(10.0)] {
        let plan = SimulationPlan { runs: 10_000, ..all.plan("careful", play) };
        let cells = some_cells(&plan);
        let holds = cells.iter().all(|c| c.checked.iter().all(|&checked| checked == Checked::Holds));
        assert!(holds, "the checker finds no attack");
        let done = simulate(&plan, cells, &()).expect("no run contradicts the checker").expect("nobody ends it");
        let fell = |cell: &Simulated| cell.outcomes.iter().any(|run| run.fell.iter().any(Option::is_some));
        assert!(!done.is_empty() && !done.iter().any(fell));
    }
}

/// The cells in which the adversary wins nothing: what the scenarios claim is what the checker is held to
/// (`check --all`), so nothing is searched here. `OVERHEAR_RUNS=1000000` in the environment makes more runs.
#[test]
#[ignore = "takes a minute: `.ci/run` runs it"]
fn where_the_adversary_cannot_win_nothing_falls_in_ten_thousand_runs() {
    let (cells, held) = claimed_to_hold(|claimed| claimed.iter().all(|holds| *holds));
    assert!(cells > 100, "the adversary wins nothing in {cells} cells, with {held} properties");
}

/// The same for each property that is claimed to hold, wherever others fall.
#[test]
#[ignore = "takes minutes: by hand"]
fn what_is_claimed_to_hold_falls_in_none_of_ten_thousand_runs() {
    let (cells, held) = claimed_to_hold(|claimed| claimed.iter().any(|holds| *holds));
    assert!(held > 5000, "{held} properties are claimed to hold, in {cells} cells");
}

/// How many cells there are of which so much is claimed to hold, and how many properties do in all runs.
fn claimed_to_hold(enough: impl Fn(&[bool]) -> bool + Sync) -> (usize, usize) {
    let all = bundled();
    let runs = std::env::var("OVERHEAR_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let plan = limited(all.plan("as the scenario has it", Play::Opportunist(1.0)), 1);
    let plan = SimulationPlan { runs, days: 30.0, ..plan };
    let of = |cell| holds_in_all_runs(&plan, cell, &enough);
    let held: Vec<usize> = some_cells(&plan).into_par_iter().map(of).filter(|held| *held > 0).collect();
    eprintln!("{} properties in {} cells: none falls in {runs} runs", held.iter().sum::<usize>(), held.len());
    (held.len(), held.iter().sum())
}

/// The number of properties of the cell that are claimed to hold, and do.
fn holds_in_all_runs(plan: &SimulationPlan, cell: Prepared, enough: impl Fn(&[bool]) -> bool) -> usize {
    let (scenario, model, arrives) = (cell.scenario, cell.model, cell.arrives);
    let claimed = |p: Property| {
        let claim = expectation(plan.cells.known, scenario, model, arrives, p).expect("every cell is decided");
        claim.is_some_and(|claim| claim.expect == Expect::Holds)
    };
    let claimed: Vec<bool> = cell.setting.properties.iter().map(|&p| claimed(p)).collect();
    if !enough(&claimed) {
        return 0;
    }
    let runs = all(&cell.drawn(plan.days, plan.seed), plan.runs, threads(1), &()).expect("nobody ends it");
    for (i, p) in cell.setting.properties.iter().enumerate().filter(|(i, _)| claimed[*i]) {
        let case = runs.iter().position(|run| run.fell[i].is_some());
        let name = || format!("{}, {}, {arrives:?}: {p:?}", scenario.file.name, model.name);
        assert_eq!(case, None, "{} is claimed to hold and falls in this run", name());
    }
    claimed.into_iter().filter(|holds| *holds).count()
}

#[test]
fn a_closed_form_is_met() {
    // The thief's device waits on Bob's account for Alice to sign in and then to send: one exponential after another.
    let all = bundled().only("password-thief", "matrix-tofu");
    let plan = all.plan("typical", Play::Attack(Some(Property::NoRogueKey)));
    let cells = some_cells(&plan);
    let cell = cells.iter().find(|c| c.arrives == Some(Arrival::FromStart)).expect("it arrives so");
    let i = cell.setting.properties.iter().position(|&p| p == Property::NoRogueKey).expect("it is asked for");
    let typical = all.people.iter().find(|p| p.name == "typical").expect("a bundled name").habits;
    let (a, b) = (typical.get(Habit::SignsIn), typical.get(Habit::Messages));
    for days in [0.1, 1.0, 3.0] {
        let expected = 1.0 - (b * (-a * days).exp() - a * (-b * days).exp()) / (b - a);
        let (solved, _) = exact::probabilities(&cell.setting, &cell.habits(), days, 10_000).expect("it is small");
        assert!((solved[i] - expected).abs() < 1e-9, "{} for {expected} in {days} days", solved[i]);
        let runs = all_runs(cell, days, 20_000);
        let fell = runs.iter().filter(|run| run.fell[i].is_some()).count() as u64;
        let estimate = proportion(fell, 20_000);
        let near = 2.0 * (estimate.high - estimate.low);
        assert!((estimate.value - expected).abs() < near, "{estimate:?} for {expected} in {days} days");
    }
}

/// Cells in which something falls seldom in short times, by some steps that are rare for different reasons.
const SELDOM: [(&str, &str, &str, Property, f64); 4] = [
    ("server-of-recipient-inattentive", "signal-verified", "inattentive", Property::NoRogueKey, 1.0),
    ("server-of-recipient-inattentive", "matrix-cross-signing-verified", "inattentive", Property::NoRogueKey, 0.3),
    ("password-thief", "matrix-riot-2019", "hurried", Property::NoRogueKey, 0.1),
    ("stolen-device", "matrix-tofu", "typical", Property::PastStaysPrivate, 0.02),
];

#[test]
fn splitting_is_not_biased() {
    for (scenario, model, who, p, days) in SELDOM {
        let all = bundled().only(scenario, model);
        let plan = SimulationPlan { arrives: Some(Arrival::FromStart), days, ..all.plan(who, Play::Attack(Some(p))) };
        let cells = some_cells(&plan);
        let i = cells[0].setting.properties.iter().position(|&q| q == p).expect("it is asked for");
        let (solved, _) =
            exact::probabilities(&cells[0].setting, &cells[0].habits(), days, 50_000).expect("it is small");
        let solved = solved[i];
        assert!((1e-11..1e-3).contains(&solved), "{scenario} under {model}: {solved} is what this is for");
        let of =
            |seed| split(&cells[0].drawn(days, seed), i, 6000, NODES_MAX, threads(2), &()).expect("nobody ends it");
        let estimates: Vec<Estimate> = (100..140).map(of).collect();
        let values: Vec<f64> = estimates.iter().map(|e| e.value).collect();
        let mean = values.iter().sum::<f64>() / 40.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 39.0;
        let near = 4.0 * (variance / 40.0).sqrt();
        assert!(
            (mean - solved).abs() < near,
            "{scenario} under {model}: {mean:e} for {solved:e}, {near:e} off at most"
        );
        assert!(near < solved, "{scenario} under {model}: it scatters by {near:e} about {solved:e}");
        let hold = estimates.iter().filter(|e| (e.low..=e.high).contains(&solved)).count();
        // 95 in 100, and four standard deviations fewer.
        assert!(hold >= 32, "{scenario} under {model}: {hold} of 40 intervals hold it");
    }
}

/// With plain runs, in chains of which much is only walked through, and that end where nothing happens any more.
#[test]
fn splitting_agrees_with_plain_runs() {
    let mut compared = 0;
    for (scenario, model, who, looked_at) in [
        ("password-thief", "matrix-tofu", "typical", [30, 300]),
        ("server-of-recipient-inattentive", "signal-verified", "inattentive", [300, 3000]),
    ] {
        let all = bundled().only(scenario, model);
        let plan = SimulationPlan { days: 60.0, ..all.plan(who, Play::Opportunist(2.0)) };
        for cell in &some_cells(&plan) {
            let runs = all_runs(cell, plan.days, 3000);
            for (i, nodes_max) in (0..cell.checked.len()).flat_map(|i| looked_at.map(|nodes_max| (i, nodes_max))) {
                let some = runs.iter().filter(|run| run.fell[i].is_some()).count() as u64;
                let plain = proportion(some, 3000);
                let drawn = cell.drawn(plan.days, 5);
                let split = split(&drawn, i, 3000, nodes_max, threads(2), &()).expect("nobody ends it");
                let near = plain.high - plain.low;
                let about = split.low - near..split.high + near;
                let case = format!("{scenario} under {model}, {nodes_max} nodes");
                assert!(about.contains(&plain.value), "{case}: {plain:?} by runs, {split:?} by splitting");
                compared += usize::from(some > 0 && split.high < 1.0);
            }
        }
    }
    assert!(compared > 6, "{compared} probabilities were compared");
}

#[test]
fn nothing_is_better_than_the_best_strategy() {
    let mut better = 0;
    for (scenario, model, p) in [
        ("server-of-recipient", "signal", Property::NoInvisibleListener),
        ("stolen-device", "matrix-tofu", Property::PastStaysPrivate),
        ("tls-breaker-one-client", "matrix-tofu", Property::NoHiddenKey),
        ("tls-breaker-one-client", "matrix-tofu", Property::PastStaysPrivate),
    ] {
        let all = bundled().only(scenario, model);
        let share = |play, days| -> f64 {
            let plan = SimulationPlan { arrives: Some(Arrival::FromStart), days, ..all.plan("typical", play) };
            let cells = some_cells(&plan);
            let i = cells[0].setting.properties.iter().position(|&q| q == p).expect("it is asked for");
            all_runs(&cells[0], days, 4000).iter().filter(|run| run.fell[i].is_some()).count() as f64 / 4000.0
        };
        let days = 40.0;
        let best = share(Play::Best(Some(p)), days);
        for other in [Play::Attack(Some(p)), Play::Attack(None), Play::Opportunist(1.0), Play::Opportunist(50.0)] {
            let share = share(other, days);
            // Four standard deviations of a difference, at most; and time ends otherwise for the best than for runs.
            let near = 4.0 * (2.0 * 0.25 / 4000.0_f64).sqrt();
            assert!(best > share - near, "{scenario} under {model}, {p:?}: {best}, and {share} by {other:?}");
            better += usize::from(best > share + near);
        }
    }
    assert!(better >= 4, "it is better than {better} others");
}

#[test]
fn what_is_best_is_only_told_where_all_of_it_was_looked_at() {
    let asked = ["simulate", "password-thief", "--models", "omemo-btbv", "--people", "typical"];
    let told = overhear(&[&asked[..], &["--strategy", "best", "--max-states", "3000"]].concat());
    assert_eq!(code(&told), 2, "{}", out(&told));
    assert!(err(&told).contains("too many states to find the best strategy"), "{}", err(&told));
    let asked = ["simulate", "password-thief", "--models", "matrix-tofu", "--people", "typical", "--runs", "20"];
    let told = overhear(&[&asked[..], &["--strategy", "best", "--format", "json"]].concat());
    let record: SimulationRecord = serde_json::from_str(&out(&told)).expect("results");
    let looked_at = |i: usize| match record.cells[i].strategy {
        StrategyRecord::Best { states, .. } => states,
        _ => panic!("{:?}", record.cells[i].strategy),
    };
    // One who is there from the start comes to more states than one who comes when the first message was read.
    let [start, later] = [0, 1].map(looked_at);
    assert!(start > later && later > 50, "{start} and {later} states");
}

/// Notes how far work is, and stops it after so many notes.
struct Notes(Mutex<Vec<Far>>, usize);

impl Working for Notes {
    fn far(&self, far: Far) -> bool {
        let mut notes = self.0.lock().expect("no thread panics with it");
        notes.push(far);
        notes.len() < self.1
    }
}

#[test]
fn work_on_a_chain_tells_how_far_it_is_and_can_be_stopped() {
    let all = bundled().only("tls-breaker-one-client", "matrix-tofu");
    let plan = all.plan("hurried", Play::Opportunist(1.0));
    let cell = &some_cells(&plan)[0];
    let notes = |stop| Notes(Mutex::new(Vec::new()), stop);
    let until = |stop| {
        let notes = notes(stop);
        let solved = exact::solve(&cell.setting, &cell.habits(), 20.0, 20_000, &notes);
        (solved, notes.0.into_inner().expect("no thread panicked"))
    };
    let (solved, told) = until(usize::MAX);
    let (_, nodes) = solved.expect("nobody stops it");
    assert!(matches!(told[0], Far::Found(1)), "{told:?}");
    let part = |far: &Far| if let Far::Solved(_, part) = far { Some(*part) } else { None };
    let parts: Vec<f64> = told.iter().filter_map(part).collect();
    assert!(parts.windows(2).all(|pair| pair[0] <= pair[1]), "{parts:?}");
    assert!(parts.iter().all(|part| (0.0..=1.0).contains(part)), "{parts:?}");
    assert!(parts.len() > 3, "{nodes} nodes, told {} times", parts.len());
    for stop in [1, told.len() / 2] {
        assert_eq!(until(stop).0, Err(Unsolved::Stopped), "after {stop} of {} notes", told.len());
    }
    let best = |stop| {
        let (w, p) = (&cell.setting.world, Property::NoRogueKey);
        Table::of(w, p, &cell.habits(), 20.0, 20_000, &notes(stop)).map(|table| table.len())
    };
    assert!(best(usize::MAX).is_ok_and(|states| states > 20));
    for stop in [1, 2] {
        assert_eq!(best(stop), Err(Unsolved::Stopped), "after {stop} notes");
    }
}

#[test]
fn assumed_numbers_are_swept() {
    // As in the closed form above, with Alice's messages at either end of what was assumed of them.
    let all = bundled().only("password-thief", "matrix-tofu");
    let play = Play::Attack(Some(Property::NoRogueKey));
    let arrives = Some(Arrival::FromStart);
    let plan = SimulationPlan { arrives, days: 1.0, runs: 5000, ..all.plan("typical", play) };
    let cells = some_cells(&plan);
    let swept = sweep(&plan, &cells[0], &()).expect("no run contradicts the checker").expect("nobody ends it");
    let typical = all.people.iter().find(|p| p.name == "typical").expect("a bundled name");
    assert_eq!(swept.len(), typical.assumed().count());
    let messages = swept.iter().find(|s| s.habit == Habit::Messages).expect("they are assumed");
    assert_eq!((messages.number.low, messages.number.high), (Some(1.0), Some(200.0)));
    let i = cells[0].setting.properties.iter().position(|&p| p == Property::NoRogueKey).expect("it is asked for");
    let e = (-1.0_f64).exp();
    for (end, expected) in messages.ends.iter().zip([1.0 - 2.0 * e, 1.0 - (200.0 * e - (-200.0_f64).exp()) / 199.0]) {
        let near = end[i].high - end[i].low;
        assert!((end[i].value - expected).abs() < near, "{:?} for {expected}", end[i]);
    }
    // What nothing in this scenario depends on changes nothing.
    let resets = swept.iter().find(|s| s.habit == Habit::Invitations).expect("they are assumed");
    assert_eq!(resets.ends[0], resets.ends[1]);
}

fn all_runs(cell: &Prepared, days: f64, runs: u64) -> Vec<Outcome> {
    all(&cell.drawn(days, 7), runs, threads(2), &()).expect("nobody ends it")
}

#[test]
fn runs_agree_with_the_exact_solution() {
    let mut compared = 0;
    for (scenario, model, who) in [
        ("password-thief", "omemo-btbv", "hurried"),
        ("server-of-recipient", "signal", "journalist"),
        ("tls-breaker-one-client", "matrix-tofu", "hurried"),
        ("stolen-device", "matrix-tofu", "typical"),
        ("password-thief-hurried", "matrix-riot-2019", "hurried"),
    ] {
        let all = bundled().only(scenario, model);
        let plan = limited(all.plan(who, Play::Attack(None)), 50_000);
        for cell in some_cells(&plan) {
            let days = 40.0;
            let solved = exact::probabilities(&cell.setting, &cell.habits(), days, 20_000);
            let (solved, _) = solved.unwrap_or_else(|e| panic!("{scenario} under {model}: {e:?}"));
            let runs = all_runs(&cell, days, 4000);
            for (i, &exactly) in solved.iter().enumerate() {
                let fell = runs.iter().filter(|run| run.fell[i].is_some()).count() as u64;
                let spread = 5.0 * (exactly * (1.0 - exactly) / 4000.0).sqrt() + 1e-9;
                let (property, share) = (cell.setting.properties[i], fell as f64 / 4000.0);
                assert!(
                    (share - exactly).abs() <= spread,
                    "{scenario} under {model}, {property:?}: {share} for {exactly}"
                );
                compared += usize::from((0.01..0.99).contains(&exactly));
            }
        }
    }
    assert!(compared >= 10, "{compared} probabilities were neither next to nothing nor next to certain");
}

#[test]
fn intervals_hold_what_they_are_about_as_often_as_they_say() {
    let all = bundled().only("tls-breaker-one-client", "matrix-tofu");
    let plan = all.plan("hurried", Play::Attack(None));
    let cells = some_cells(&plan);
    let cell = cells.iter().find(|c| c.arrives == Some(Arrival::FromStart)).expect("it arrives so");
    let i = cell.setting.properties.iter().position(|&p| p == Property::NoRogueKey).expect("it is asked for");
    let (solved, _) = exact::probabilities(&cell.setting, &cell.habits(), 20.0, 20_000).expect("it is small");
    assert!((0.05..0.95).contains(&solved[i]), "{}: something is to be estimated", solved[i]);
    let (mut held, mut messages_held) = (0, 0);
    let many = all_runs(cell, 20.0, 20_000);
    let messages = |runs: &[overhear::simulate::runs::Outcome]| -> Vec<f64> {
        runs.iter().map(|run| run.tally[Counted::Exposed]).collect()
    };
    let true_mean = mean(&messages(&many)).value;
    for seed in 1000..1400 {
        let drawn = Drawn { setting: &cell.setting, habits: cell.habits(), days: 20.0, seed };
        let runs = overhear::simulate::runs::all(&drawn, 300, threads(2), &()).expect("nobody ends it");
        let fell = runs.iter().filter(|run| run.fell[i].is_some()).count() as u64;
        let of = proportion(fell, 300);
        held += usize::from((of.low..=of.high).contains(&solved[i]));
        let of = mean(&messages(&runs));
        messages_held += usize::from((of.low..=of.high).contains(&true_mean));
    }
    // 95 of 100, and four standard deviations of that count either way; Clopper and Pearson's hold more often.
    assert!((363..=400).contains(&held), "{held} of 400 intervals of a probability");
    assert!((363..=397).contains(&messages_held), "{messages_held} of 400 intervals of a mean");
}

#[test]
fn intervals_are_those_of_the_textbook() {
    // Clopper and Pearson for 0 of n: 1 - (alpha / 2)^(1 / n).
    let none = proportion(0, 10_000);
    assert_eq!((none.value, none.low), (0.0, 0.0));
    assert!((none.high - (1.0 - 0.025_f64.powf(1.0 / 10_000.0))).abs() < 1e-9, "{none:?}");
    let every = proportion(50, 50);
    assert!(every.high == 1.0 && (every.low - 0.025_f64.powf(1.0 / 50.0)).abs() < 1e-9, "{every:?}");
    // 8 of 10 at 95 %: 0.444 to 0.975.
    let some = proportion(8, 10);
    assert!((some.low - 0.4439).abs() < 1e-4 && (some.high - 0.9748).abs() < 1e-4, "{some:?}");
    let one = mean(&[3.0]);
    assert!(one.value == 3.0 && one.low == f64::NEG_INFINITY && one.high == f64::INFINITY);
    let same = mean(&[0.0; 500]);
    assert!(same.value == 0.0 && same.low == f64::NEG_INFINITY, "nothing seen is not nothing for certain: {same:?}");
    assert_eq!(interval::CONFIDENCE, 0.95);
}

#[test]
fn hurried_is_a_chance_of_clicking_through() {
    let all = bundled().only("password-thief", "matrix-riot-2019");
    for (who, hurried) in [("careful", false), ("hurried", true), ("typical", true), ("journalist", true)] {
        let habits = all.people.iter().find(|p| p.name == who).expect("a bundled name").habits;
        assert_eq!(habits.get(Habit::ClicksThrough) > 0.0, hurried, "{who}");
        assert_eq!(habits.is_hurried(), hurried, "{who}");
        for cell in some_cells(&all.plan(who, Play::Opportunist(1.0))) {
            let w = &cell.setting.world;
            assert_eq!(w.hurried, if hurried { w.all_people().collect() } else { Default::default() }, "{who}");
        }
    }
    for (who, inattentive) in [("careful", false), ("hurried", false), ("inattentive", true), ("journalist", true)] {
        let habits = all.people.iter().find(|p| p.name == who).expect("a bundled name").habits;
        assert_eq!(habits.get(Habit::Overlooks) > 0.0, inattentive, "{who}");
        for cell in some_cells(&all.plan(who, Play::Opportunist(1.0))) {
            let w = &cell.setting.world;
            assert_eq!(w.inattentive, if inattentive { w.all_people().collect() } else { Default::default() }, "{who}");
        }
    }
    // Of whom nothing is said, they are what the scenario says of them.
    let of_scenario = bundled().only("server-of-recipient-hurried", "matrix-tofu");
    for cell in some_cells(&of_scenario.plan("nobody", Play::Opportunist(1.0))) {
        let names: Vec<&str> = cell.people.iter().flatten().map(|who| who.name.as_str()).collect();
        assert!(names.iter().all(|name| *name == "hurried") && !names.is_empty(), "{names:?}");
    }
}

#[test]
fn each_person_may_be_somebody_else() {
    let all = bundled().only("password-thief", "matrix-riot-2019");
    let profile = |name: &str| all.people.iter().find(|who| who.name == name).expect("a bundled name").clone();
    // The last word on a person counts.
    let said = [(None, "typical"), (Some("bob"), "hurried"), (Some("alice"), "careful"), (Some("bob"), "journalist")];
    let chosen = said.map(|(person, who)| (person.map(str::to_string), profile(who))).to_vec();
    let plan = all.plan("typical", Play::Opportunist(1.0));
    let plan = SimulationPlan { cast: Cast { chosen, ..plan.cast }, ..plan };
    for cell in some_cells(&plan) {
        let names: Vec<&str> = cell.people.iter().flatten().map(|who| who.name.as_str()).collect();
        assert_eq!(names, ["careful", "journalist"]);
    }
    let asked = ["simulate", "password-thief", "--models", "matrix-tofu", "--runs", "20", "--people", "bob=hurried"];
    let told = overhear(&asked);
    assert!(code(&told) == 0 && out(&told).contains("hurried"), "{}{}", out(&told), err(&told));
}

#[test]
fn numbers_that_are_no_habits_are_refused() {
    let with = |habit, number| Habits::NONE.with(habit, number);
    assert_eq!(with(Habit::Messages, f64::NAN), Err(Unfit::NotFinite));
    assert_eq!(with(Habit::Messages, f64::INFINITY), Err(Unfit::NotFinite));
    assert_eq!(with(Habit::Resets, -0.1), Err(Unfit::Negative));
    assert_eq!(with(Habit::Verifies, 1.0 + 1e-12), Err(Unfit::OverOne));
    assert_eq!(with(Habit::Messages, 1e300), Err(Unfit::TooOften));
    assert_eq!(with(Habit::Messages, RATE_MAX).map(|h| h.get(Habit::Messages)), Ok(RATE_MAX));
    assert_eq!(HABITS.map(|(habit, _)| habit), Habit::ALL);
}

#[test]
fn where_nobody_does_anything_nothing_happens() {
    let all = bundled().only("password-thief", "matrix-tofu");
    let plan = all.plan("typical", Play::Attack(None));
    let cells = some_cells(&plan);
    let drawn = Drawn { habits: [Habits::NONE; 4], ..cells[0].drawn(1000.0, 1) };
    let runs = all_of(&drawn);
    assert!(runs.iter().all(|run| run.events == 0 && run.tally == Default::default()));
    let (solved, nodes) =
        exact::probabilities(&cells[0].setting, &[Habits::NONE; 4], 1000.0, 10).expect("there is one state");
    assert!(nodes == 1 && solved.iter().all(|p| *p == 0.0), "{solved:?} in {nodes} states");
}

fn all_of(drawn: &Drawn) -> Vec<Outcome> {
    all(drawn, 100, threads(1), &()).expect("nobody ends it")
}

#[test]
fn the_same_seed_gives_the_same_bytes_at_any_number_of_threads() {
    let asked = ["simulate", "password-thief", "server-of-recipient", "--models", "matrix-tofu,signal"];
    is_the_same_at_any_number_of_threads(&[&asked[..], &["--people", "typical", "--runs", "500"]].concat());
}

/// What cells come to by these options, as CSV.
fn answers(asked: &[(&str, &str, &str, &str)]) -> String {
    let answer = |&(scenario, model, arrives, more): &(&str, &str, &str, &str)| {
        let cell = ["simulate", scenario, "--models", model, "--arrives", arrives, "--people", "typical"];
        let options: Vec<&str> = more.split(' ').chain(["--format", "csv"]).collect();
        let told = overhear(&[&cell, &options[..]].concat());
        assert_eq!(code(&told), 0, "{scenario}, {model}, {more}: {}", err(&told));
        format!("{scenario}, {model}, {arrives}: {more}\n{}\n", out(&told))
    };
    asked.iter().map(answer).collect()
}

/// What each way to a number came to. A change of rules or of people changes these, and of the simulator only one that
/// is meant to; then `INSTA_UPDATE=always cargo test --test simulate`.
#[test]
fn the_same_question_has_the_same_answer_as_before() {
    let told = answers(&[
        ("password-thief", "matrix-riot-2019", "from-start", "--runs 100"),
        ("password-thief", "matrix-riot-2019", "from-start", "--runs 100 --strategy opportunist"),
        ("password-thief", "matrix-tofu", "from-start", "--runs 100 --strategy best"),
        ("password-thief", "matrix-tofu", "from-start", "--strategy best --exact"),
        ("password-thief", "signal-password", "from-start", "--exact"),
        ("password-thief", "signal-password", "from-start", "--runs 100 --days 2 --rare"),
        ("password-thief", "matrix-tofu", "from-start", "--runs 100 --days 0.1 --rare"),
    ]);
    insta::assert_snapshot!("answers", told);
}

/// The same of each thing that people do of themselves: they invite, remove devices, reset identities, sign out, change
/// passwords, compare logs and hold ceremonies.
#[test]
fn whatever_people_do_comes_to_what_it_did_before() {
    let told = answers(&[
        ("invite-history", "keybase", "from-start", "--runs 40 --strategy opportunist"),
        ("split-view-forgotten", "key-transparency-gossip", "from-start", "--runs 40 --strategy opportunist"),
        ("number-hijack", "signal", "from-start", "--runs 40 --strategy opportunist"),
        ("stolen-device", "keybase", "from-start", "--runs 40 --strategy opportunist"),
        ("server-of-recipient-inattentive", "matrix-riot-2019", "from-start", "--runs 40 --strategy opportunist"),
        ("reused-device-id-at-server", "matrix-tofu", "from-start", "--runs 40 --strategy opportunist"),
        ("verified-contact-hurried", "matrix-riot-2019", "after-verification", "--runs 40 --strategy opportunist"),
        ("verified-contact", "signal-verified", "after-verification", "--runs 40 --strategy opportunist"),
        ("server-of-sender", "matrix-2020-cross-signing-default", "from-start", "--runs 40 --strategy opportunist"),
        ("fresh-login-swap", "matrix-2020-cross-signing-default", "from-start", "--runs 40 --strategy opportunist"),
        ("password-thief-removed", "matrix-2020-cross-signing-default", "from-start", "--runs 40"),
        ("password-thief-removed", "matrix-tofu", "from-start", "--runs 40 --strategy best"),
        ("number-hijack", "matrix-tofu", "from-start", "--runs 40 --strategy best"),
        ("verified-contact-hurried", "matrix-tofu", "after-verification", "--runs 40 --strategy best"),
        ("server-of-recipient", "matrix-tofu", "from-start", "--runs 40 --strategy best"),
    ]);
    insta::assert_snapshot!("occasions", told);
}

#[test]
fn results_are_as_the_schema_says_and_read_back_as_they_were() {
    let asked = ["simulate", "password-thief", "--models", "matrix-tofu", "--arrives", "from-start"];
    let more = ["--people", "typical", "--runs", "200", "--days", "5", "--exact", "--sweep", "--format", "json"];
    let told = overhear(&[&asked[..], &more].concat());
    let record: SimulationRecord = read_back(&told, &schema::simulation());
    let leak = record.cells[0].properties.iter().find(|p| p.property == "no-rogue-key").expect("it is asked for");
    assert!(leak.survival.windows(2).all(|pair| pair[0].probability.value >= pair[1].probability.value));
    assert!(
        leak.exact.is_some()
            && leak.survival.len() == 21
            && record.sweep.is_some_and(|sweep| !sweep.numbers.is_empty())
    );
}

#[test]
fn assumed_numbers_are_told_with_their_units() {
    let asked = ["simulate", "password-thief", "--models", "matrix-tofu", "--arrives", "from-start", "--sweep"];
    let told = out(&overhear(&[&asked[..], &["--people", "typical", "--runs", "50", "--days", "5"]].concat()));
    let (_, swept) = told.split_once("What the assumed numbers do to ").expect("a table of them");
    let row = |number: &str| {
        let mut rows = swept.lines().filter(|line| line.contains(&format!(" {number} ")));
        rows.next().unwrap_or_else(|| panic!("no {number} in {swept}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // As in models/people/typical.json.
    assert!(row("messages").starts_with("typical messages 1 a day 200 a day "), "{swept}");
    assert!(row("new-devices").starts_with("typical new-devices 0.1 a year 4 a year "), "{swept}");
    assert!(row("log-comparisons").starts_with("typical log-comparisons 0.1 a week 7 a week "), "{swept}");
    assert!(row("verifies").starts_with("typical verifies 0 0.05 "), "a share has no unit: {swept}");
}

/// A cell of which only the world is true: of a thousand runs, `fallen` lose the first property on day 30.
fn made_up(of: Prepared<'_>, fallen: usize) -> Simulated<'_> {
    let properties = of.setting.properties.len();
    let outcome = |n: usize| {
        let mut tally = Tally::default();
        tally[Counted::PastExposed] = 1e-13;
        tally[Counted::Heeded] = 1.0 / 3.0;
        let falls = |i: usize| (i == 0 && n < fallen).then_some(30.0);
        Outcome { fell: (0..properties).map(falls).collect(), tally, events: 0 }
    };
    Simulated { outcomes: (0..1000).map(outcome).collect(), exact: None, split: vec![None; properties], of }
}

#[test]
fn shares_have_three_digits_in_texts_and_six_in_files() {
    let all = bundled().only("password-thief", "matrix-tofu");
    let plan =
        SimulationPlan { days: 100.0, arrives: Some(Arrival::FromStart), ..all.plan("typical", Play::Attack(None)) };
    let mut cell = made_up(some_cells(&plan).remove(0), 997);
    let shares = [2.0 / 3.0, 1.0, 0.5, 0.9995, 0.99, 0.9894, 1.0 - 1e-12, 0.0];
    cell.exact = Some((shares.to_vec(), 7));
    let certain = Estimate { value: 0.25, low: 0.25, high: 0.25 };
    cell.split[1] = Some(certain);
    cell.split[2] = Some(Estimate { high: 0.5, ..certain });
    cell.of.checked = vec![Checked::Falls(3); shares.len()];
    cell.of.checked[1..3].copy_from_slice(&[Checked::Unknown, Checked::Holds]);
    let record = SimulationRecord::of(&plan, std::slice::from_ref(&cell), None);
    let told = tables(&plan, &[cell]).split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        " 99.700 % (99.1",
        "exactly 66.7 %, in half of all runs by day 30.0; a shortest attack has 3 steps ",
        "exactly 100 %, by splitting 25.0 %; the checker's search was cut short ",
        "exactly 99.9500 %; ",
        "exactly 99.00 %; ",
        "exactly 98.9 %; ",
        "exactly 100 %; a",
        "exactly 0 %; ",
        "Earlier messages that a rogue device came to read 0 a run ",
        "Devices of the adversary's refused or taken off 0.333 a run ",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let properties = &record.cells[0].properties;
    let exact: Vec<f64> = properties.iter().filter_map(|p| p.exact).collect();
    assert_eq!(exact, [0.666667, 1.0, 0.5, 0.9995, 0.99, 0.9894, 1.0, 0.0]);
    let words: Vec<&str> = properties.iter().map(|p| p.checked.as_str()).take(3).collect();
    assert_eq!(words, ["falls", "unknown", "holds"]);
    // Half of the points are in the first quarter of the time.
    let curve: Vec<(f64, f64)> = properties[0].survival.iter().map(|p| (p.day, p.probability.value)).collect();
    assert_eq!((curve[10], curve[11], curve[20]), ((25.0, 1.0), (30.25, 0.003), (100.0, 0.003)));
}

#[test]
fn a_run_that_contradicts_the_checker_is_told() {
    let all = bundled().only("password-thief", "matrix-tofu");
    let plan = SimulationPlan { arrives: Some(Arrival::FromStart), ..all.plan("typical", Play::Attack(None)) };
    let mut cells = some_cells(&plan);
    cells[0].checked.iter_mut().for_each(|checked| *checked = Checked::Holds);
    let Err(RunError::Untrue(says)) = simulate(&plan, cells, &()) else { panic!("something falls") };
    assert!(says.starts_with("no-rogue-key holds in password-thief under matrix-tofu, and falls in"), "{says}");
}

#[test]
fn where_there_is_no_adversary_nobody_plays() {
    let told = overhear(&["simulate", "no-adversary", "--models", "signal", "--people", "typical", "--format", "json"]);
    let record: SimulationRecord = read_back(&told, &schema::simulation());
    assert!(matches!(record.cells[0].strategy, StrategyRecord::Nobody), "{:?}", record.cells[0].strategy);
}

#[test]
fn half_of_all_runs_have_fallen_by_the_day_of_the_middle_one() {
    let all = bundled().only("password-thief", "matrix-tofu");
    let plan = all.plan("typical", Play::Attack(None));
    let mut cell = made_up(some_cells(&plan).remove(0), 0);
    let mut by = |days: &[Option<f64>]| {
        cell.outcomes.truncate(days.len());
        cell.outcomes.iter_mut().zip(days).for_each(|(run, &day)| run.fell[0] = day);
        median_day(&cell, 0)
    };
    // Of seven runs four are half or more, of six three; and who never falls comes last.
    let days = [9.0, 1.0, 7.0, 3.0, 5.0];
    let five = days.map(Some);
    assert_eq!(by(&[&five[..], &[None, None]].concat()), Some(7.0));
    assert_eq!(by(&[&five[..], &[None]].concat()), Some(5.0));
    assert_eq!(by(&five), Some(5.0));
    assert_eq!(by(&[Some(4.0), None]), Some(4.0));
    assert_eq!(by(&[None]), None);
}

#[test]
fn what_is_next_to_nothing_is_told_as_such() {
    let all = bundled().only("password-thief", "matrix-tofu");
    let plan = SimulationPlan { arrives: Some(Arrival::FromStart), ..all.plan("typical", Play::Attack(None)) };
    let mut cell = made_up(some_cells(&plan).remove(0), 0);
    let certain = |value| Some(Estimate { value, low: value, high: value });
    cell.of.checked = vec![Checked::Falls(3); cell.split.len()];
    cell.exact = Some((vec![1e-13; cell.split.len()], 7));
    (cell.split[0], cell.split[1], cell.split[2]) = (certain(0.0), certain(2e-13), certain(2e-5));
    let told = tables(&plan, &[cell]).split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "exactly less than 1.0e-10 %, by splitting no walk got there; ",
        "exactly less than 1.0e-10 %, by splitting 2.0e-11 %; ",
        "exactly less than 1.0e-10 %, by splitting 0.00200 %; ",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

#[test]
fn the_cell_that_is_swept_falls_about_every_other_time() {
    let all = bundled().only("password-thief", "matrix-tofu");
    let plan = SimulationPlan { arrives: Some(Arrival::FromStart), ..all.plan("typical", Play::Attack(None)) };
    let cells = |fallen: &[usize]| -> Vec<Simulated> {
        fallen.iter().map(|&n| made_up(some_cells(&plan).remove(0), n)).collect()
    };
    assert_eq!(most_open(&cells(&[100, 450, 990])), Some(1));
    assert_eq!(most_open(&cells(&[0, 900, 200, 0])), Some(2));
    assert_eq!(most_open(&cells(&[0, 0])), None);
}

/// A number at an end of its range makes other people, who may live in another world: who never clicks through anything
/// is careful. So each end comes to what a simulation of these other people comes to.
#[test]
fn a_swept_number_is_that_of_other_people() {
    let ranges = [Habit::ClicksThrough, Habit::Overlooks];
    let read = || {
        // Otherwise they overlook something at either end, which is a world of its own.
        let mut all = bundled().only("server-of-recipient", "matrix-riot-2019");
        all.people.iter_mut().for_each(|who| who.habits = who.habits.with(Habit::Overlooks, 0.0).expect("a share"));
        all
    };
    let mut all = read();
    let typical = all.people.iter().position(|p| p.name == "typical").expect("a bundled name");
    for (habit, number) in &mut all.people[typical].numbers {
        number.basis = if ranges.contains(habit) { Basis::Assumed } else { Basis::Derived };
        (number.low, number.high) = (Some(0.0), Some(1.0));
    }
    let with = |all: &Bundled, does: &dyn Fn(&SimulationPlan, Vec<Prepared>)| {
        let arrives = Some(Arrival::FromStart);
        let plan = SimulationPlan { arrives, days: 20.0, runs: 100, ..all.plan("typical", Play::Attack(None)) };
        does(&plan, some_cells(&plan));
    };
    with(&all, &|plan, cells| {
        let swept = sweep(plan, &cells[0], &()).expect("no run contradicts the checker").expect("nobody ends it");
        assert_eq!(swept.iter().map(|s| s.habit).collect::<Vec<_>>(), ranges);
        let shares = |end: usize| swept[0].ends[end].iter().map(|e| e.value).collect::<Vec<_>>();
        assert_ne!(shares(0), shares(1), "whether questions are answered with yes tells");
        for (s, end) in swept.iter().flat_map(|s| [(s, 0), (s, 1)]) {
            let mut others = read();
            let habits = &mut others.people[typical].habits;
            *habits = habits.with(s.habit, end as f64).expect("a share");
            with(&others, &|plan, cells| {
                let done = simulate(plan, cells, &()).expect("no contradiction").expect("nobody ends it");
                let shares: Vec<f64> = (0..s.ends[end].len()).map(|i| share(&done[0], i)).collect();
                let told: Vec<f64> = s.ends[end].iter().map(|e| e.value).collect();
                assert_eq!(told, shares, "{:?} at {end}", s.habit);
            });
        }
    });
}

/// In which share of the runs a property fell.
fn share(cell: &Simulated, property: usize) -> f64 {
    let fell = cell.outcomes.iter().filter(|run| run.fell[property].is_some()).count();
    proportion(fell as u64, cell.outcomes.len() as u64).value
}

#[test]
fn assumed_numbers_that_tell_most_come_first() {
    let all = bundled().only("password-thief", "matrix-tofu");
    let play = Play::Attack(Some(Property::NoRogueKey));
    let plan = SimulationPlan { arrives: Some(Arrival::FromStart), ..all.plan("typical", play) };
    let cell = made_up(some_cells(&plan).remove(0), 500);
    let at = cell.of.setting.properties.iter().position(|&p| p == Property::NoRogueKey).expect("it is asked for");
    let typical = all.people.iter().find(|p| p.name == "typical").expect("a bundled name");
    let certain = |value| Estimate { value, low: value, high: value };
    let from_to = |[low, high]: [f64; 2]| {
        let of =
            |value| (0..cell.of.setting.properties.len()).map(|i| certain(if i == at { value } else { 0.0 })).collect();
        [of(low), of(high)]
    };
    // The greatest difference; neither the greatest sum, nor the greatest ratio.
    let spreads = [[0.0001, 0.01], [0.9, 0.95], [0.5, 0.1]];
    let row = |((habit, number), ends): (&(Habit, Number), [f64; 2])| Swept {
        people: "typical".to_string(),
        habit: *habit,
        number: number.clone(),
        ends: from_to(ends),
    };
    let swept: Vec<Swept> = typical.numbers.iter().zip(spreads).map(row).collect();
    let told = sweep_text(&cell, &swept);
    let names: Vec<&str> = swept.iter().map(|s| habit_name(s.habit)).collect();
    let place = |name: &str| told.find(&format!(" {name} ")).unwrap_or_else(|| panic!("no {name} in {told}"));
    assert!(place(names[2]) < place(names[1]) && place(names[1]) < place(names[0]), "{told}");
    assert!(told.contains("What the assumed numbers do to no-rogue-key, "), "{told}");
}

#[test]
fn a_search_that_was_cut_short_is_that_of_what_was_asked() {
    let all = bundled().only("password-thief", "matrix-tofu");
    let asked = Play::Attack(Some(Property::NoRogueKey));
    let plan = SimulationPlan { arrives: Some(Arrival::FromStart), ..all.plan("typical", asked) };
    let told = |unknown: Property| {
        let mut cell = made_up(some_cells(&plan).remove(0), 0);
        cell.of.setting.strategy = Strategy::Opportunist(10.0);
        for (property, checked) in cell.of.setting.properties.iter().zip(&mut cell.of.checked) {
            *checked = if *property == unknown { Checked::Unknown } else { Checked::Holds };
        }
        tables(&plan, &[cell]).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let cut = "The checker found no attack on no-rogue-key to follow, but its search was cut short. ";
    let none = "The checker found no attack on no-rogue-key to follow. ";
    assert!(told(Property::NoRogueKey).contains(cut));
    assert!(told(Property::NoHiddenKey).contains(none));
}

/// What fell in all of the runs and in none, with the ends of intervals that have a closed form (see above).
#[test]
fn a_text_tells_shares_with_their_intervals() {
    let asked = ["simulate", "--people", "typical", "--days", "20", "password-thief"];
    let with = |more: &[&str]| out(&overhear(&[&asked[..], more].concat()));
    let one = with(&["--models", "matrix-tofu", "--arrives", "from-start", "--runs", "300"]);
    let ends = [0.025_f64.powf(1.0 / 300.0), 1.0 - 0.025_f64.powf(1.0 / 300.0)].map(|p| 100.0 * p);
    for part in [
        "300 runs of 20 days each, seed 1; ",
        "password-thief under matrix-tofu, from-start: A thief has the password\n  Alice (typical) and Bob (typical)\n",
        &format!("  Rogue reader              100 % ({:.1} % to 100 %), in half of all runs by day\n", ends[0]),
        "  Hidden reader             never, and the checker finds no way\n",
        &format!("  Reads past messages       0 of 300 runs: at most {:.2} %, which is not a proof;\n", ends[1]),
        "                            a shortest attack has 6 steps\n",
        "  Messages whose key went to a rogue device           100 % of all messages\n",
        "  Messages that the client refused to send            none in any run\n",
    ] {
        assert!(one.contains(part), "{part} is not in\n{one}");
    }
    // More than three cells make tables: the shares without their intervals, and for how few there is no proof.
    let table = with(&["no-adversary", "--models", "matrix-tofu,signal", "--runs", "100"]);
    let rows: Vec<String> = table.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let most = format!("{:.2}", 100.0 * (1.0 - 0.025_f64.powf(0.01)));
    for row in [
        "password-thief: A thief has the password",
        "model arrives plays K H N S I P V L exposed refused missed questions ceremonies",
        &format!("matrix-tofu start N 100 - 100 100 - <{most} - <{most} 100 0 0 0 0"),
        "no-adversary: Nobody attacks",
        "matrix-tofu - - - 0 0 0 0 0",
    ] {
        assert!(rows.iter().any(|told| told == row), "{row} is not in\n{table}");
    }
    assert!(rows.iter().any(|told| told.starts_with("signal† start any - - - - - - - - 0 0 0 0 ")), "{table}");
}

#[test]
fn plots_show_the_numbers_beside_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().to_str().expect("UTF-8");
    let models = "matrix-riot-2019,matrix-tofu,signal-verified";
    let asked = ["simulate", "server-of-recipient-hurried", "--models", models, "--arrives", "from-start"];
    let told = overhear(&[&asked[..], &["--people", "typical", "--runs", "300", "--out", path]].concat());
    assert_eq!(code(&told), 0, "{}", err(&told));
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let record: SimulationRecord = serde_json::from_str(&read("simulation.json")).expect("results");
    let tuple = |line: &str| line.split(',').map(str::to_string).collect::<Vec<String>>();
    let held: Vec<f64> = record.cells.iter().map(|cell| 1.0 - cell.properties[0].probability.value).collect();
    let points = read("plots/safety-against-questions-server-of-recipient-hurried-from-start.csv");
    let rows: Vec<Vec<String>> = points.lines().skip(1).map(tuple).collect();
    for (row, held) in rows.iter().zip(&held) {
        assert!((row[3].parse::<f64>().expect("a number") - held).abs() < 1e-9, "{row:?}");
    }
    // Verified only holds and asks little; trust on first use asks nothing; what holds less for more is beaten.
    let unbeaten: Vec<&str> = rows.iter().filter(|row| row[6] == "yes").map(|row| row[0].as_str()).collect();
    assert_eq!(unbeaten, ["matrix-tofu", "signal-verified"], "{points}");
    let survival = read("plots/survival-server-of-recipient-hurried-from-start.svg");
    assert!(survival.contains("<title>How long no-rogue-key holds"), "{survival}");
    assert!(survival.contains("It fell in no run of") && survival.contains("signal-verified"));
    let curve = read("plots/survival-server-of-recipient-hurried-from-start.csv");
    let last = curve.lines().rfind(|line| line.starts_with("matrix-riot-2019,365,")).map(tuple).expect("a last point");
    // Each is rounded by itself.
    assert!((last[2].parse::<f64>().expect("a number") - held[0]).abs() < 1e-5, "{last:?} for {held:?}");
}

#[test]
fn a_report_of_verdicts_shows_how_likely_attacks_are() {
    let dir = tempfile::tempdir().expect("a folder");
    let compare = |jobs: &str, path: &str, more: &[&str]| {
        let path = dir.path().join(path);
        let asked =
            ["compare", "server-of-recipient-hurried", "--models", "matrix-riot-2019,matrix-tofu,signal-verified"];
        let to = ["--jobs", jobs, "--out", path.to_str().expect("UTF-8")];
        let told = overhear(&[&asked[..], &to, more].concat());
        assert_eq!(code(&told), 0, "{}", err(&told));
        path
    };
    let people = ["--people", "typical", "--runs", "200", "--days", "60"];
    let (one, two) = (compare("1", "one", &people), compare("2", "two", &people));
    let page = std::fs::read_to_string(one.join("index.html")).expect("a report");
    assert_eq!(page, std::fs::read_to_string(two.join("index.html")).expect("a report"));
    let plots = ["survival-", "safety-against-questions-", "assumed-numbers-"].map(|kind| {
        let names =
            std::fs::read_dir(one.join("plots")).expect("plots").map(|entry| entry.expect("a file").file_name());
        let names = names.map(|name| name.into_string().expect("UTF-8"));
        names.filter(|name| name.starts_with(kind) && name.ends_with(".svg")).collect::<Vec<String>>()
    });
    // Two arrivals, and one cell in which the assumed numbers are swept.
    assert_eq!(plots.each_ref().map(Vec::len), [2, 2, 1], "{plots:?}");
    assert!(page.contains("strategy: attack."), "every plot says how the adversary plays");
    let rows = std::fs::read_to_string(one.join("simulation.csv")).expect("results");
    assert!(rows.lines().skip(1).all(|row| row.split(',').nth(3) == Some("attack")), "{rows}");
    for name in plots.iter().flatten() {
        let data = one.join("plots").join(name.replace(".svg", ".csv"));
        assert!(page.contains(&name.replace(".svg", ".csv")) && data.is_file(), "{name} is not shown with its data");
    }
    let text = std::fs::read_to_string(one.join("simulation.json")).expect("results");
    let record: SimulationRecord = serde_json::from_str(&text).expect("results");
    let swept = record.sweep.expect("numbers were swept");
    assert!(record.cells.len() == 6 && swept.cell < 6 && swept.numbers.iter().any(|n| n.habit == "own-looks"));
    // Without people nothing is said of likelihood, and what was is taken away.
    let results = || ["simulation.json", "simulation.csv"].map(|name| one.join(name).is_file());
    assert_eq!(results(), [true, true]);
    compare("2", "one", &[]);
    assert_eq!(results(), [false, false]);
    let left = std::fs::read_dir(one.join("plots")).expect("plots").map(|entry| entry.expect("a file").file_name());
    assert!(left.map(|name| name.into_string().expect("UTF-8")).all(|name| !name.starts_with("survival-")));
    let alone = overhear(&["compare", "password-thief", "--models", "matrix-tofu", "--people", "typical"]);
    assert!(code(&alone) == 2 && err(&alone).contains("--out"), "{}", err(&alone));
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let with =
        |more: &[&str]| overhear(&[&["simulate", "password-thief", "--models", "matrix-tofu"][..], more].concat());
    for (more, says) in [
        (["--runs", "0"], "no runs show nothing"),
        (["--runs", "1000000000000"], "at most 1 000 000 000 runs"),
        (["--days", "0"], "more than 0 days"),
        (["--days", "-1"], "more than 0 days"),
        (["--days", "NaN"], "no number of days"),
        (["--days", "1e300"], "a thousand years"),
        (["--pace", "1e9"], "between none and one a second"),
        (["--people", "tipical"], "typical"),
        (["--people", "bert=typical"], "is no person of the scenario"),
        (["--property", "no-roge-key"], "did you mean `no-rogue-key`?"),
        (["--property", "everybody-reads"], "is no safety property"),
        (["--property", "removal-ends-access"], "password-thief asks nothing about removal-ends-access"),
        (["--runs", "900000000"], "runs together"),
        (["--case", "3"], "--arrives"),
    ] {
        let told = with(&[&more[0].to_string(), &more[1].to_string()].map(|s| s.as_str()));
        // What begins with a dash could be an option, for clap.
        let told = if more[1].starts_with('-') { with(&[&format!("{}={}", more[0], more[1])]) } else { told };
        assert_eq!(code(&told), 2, "{more:?}: {}", out(&told));
        assert!(err(&told).contains(says), "{more:?}: {}", err(&told));
    }
    let told = with(&["--sweep"]);
    assert!(code(&told) == 2 && err(&told).contains("`--sweep` sweeps the numbers of one cell"), "{}", err(&told));
}

#[test]
fn an_adversary_without_an_attack_to_follow_says_so() {
    let asked = ["simulate", "password-thief", "--arrives", "from-start", "--runs", "20", "--models"];
    let with = |more: &[&str]| out(&overhear(&[&asked[..], more].concat())).replace("\n  ", " ");
    let at_random = "The adversary makes any of its moves at random, 1 a day.";
    let says = with(&["signal"]);
    assert!(says.contains(&format!("The checker found no attack to follow. {at_random}")), "{says}");
    assert!(says.contains("none in any run"), "{says}");
    let says = with(&["matrix-tofu", "--property", "no-hidden-key"]);
    assert!(says.contains(&format!("found no attack on no-hidden-key to follow. {at_random}")), "{says}");
    let says = with(&["signal", "--max-states", "10"]);
    assert!(says.contains("to follow, but its search was cut short."), "{says}");
    let says = with(&["signal", "--strategy", "opportunist"]);
    assert!(says.contains(at_random) && !says.contains("to follow"), "{says}");
}

#[test]
fn one_run_is_told_as_a_story() {
    let asked = ["simulate", "password-thief", "--models", "matrix-tofu", "--arrives", "from-start", "--case", "3"];
    let told = overhear(&asked);
    assert_eq!(code(&told), 0, "{}", err(&told));
    let text = out(&told);
    assert!(text.contains("day    0.00 * The adversary takes Bob's password."), "{text}");
    assert!(text.contains("no-hidden-key           holds to the end"), "{text}");
}

#[test]
fn people_of_a_users_own_are_read() {
    let text = bundle::people_files()[0].text.replace("\"careful\"", "\"mine\"");
    let mine = read_people(&Source::new("mine.json", text)).expect("they are right");
    assert_eq!(mine.name, "mine");
    assert!(mine.assumed().count() > 5 && mine.assumed().all(|(_, low, high)| low <= high));
}
