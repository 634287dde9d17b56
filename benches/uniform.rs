//! How fast walks without rates are made, beside stateright's simulation checker: the same model with the same
//! reductions, the same walks, every property looked at in every state, one thread.
//!
//! `cargo bench --bench uniform`; the table at the end is of CPU seconds, so that others on the machine matter less.
//!
//! stateright ends a walk where it comes to a state once more and counts what cannot happen as a step of its depth. So
//! that both make the same walks, a state of its model has the number of the step besides, an action that changes
//! nothing is none, and after so many steps there is no action. The column *as it comes* is of the model without that:
//! short walks, which stay where states are small.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use overhear::bundle;
use overhear::explore::second::{OfWorld, Second, as_stateright};
use overhear::model::{Action, Arrival, Property, Reductions, State, World};
use overhear::scenario::{compile, read_scenario};
use overhear::simulate::uniform::{Drawn, Walks, Ways, all};
use stateright::{Checker, Model, UniformChooser};
use std::num::NonZero;

/// The steps of a walk.
const STEPS: u32 = 40;
/// Base scenarios, and large ones with no end in sight.
const CELLS: [(&str, &str); 8] = [
    ("password-thief", "matrix-tofu"),
    ("server-of-recipient", "signal"),
    ("password-thief-hurried", "matrix-riot-2019"),
    ("tls-breaker-one-client", "matrix-cross-signing-tofu"),
    ("server-of-sender", "matrix-only-trusted"),
    ("split-view", "matrix-tofu"),
    ("large-two-sender-devices", "matrix-riot-2019"),
    ("large-four-people", "signal-verified"),
];

/// A bundled scenario under a bundled model, its adversary there from the start.
fn cell(scenario: &str, model: &str) -> (World, Vec<Property>) {
    let source = bundle::find_scenario(scenario).expect("a bundled scenario");
    let (file, models) = (read_scenario(&source).expect("it is right"), bundle::models());
    let model = models.iter().find(|m| m.name == model).expect("a bundled model");
    let (world, _) = compile(&file, &source, model, &models, Arrival::FromStart).expect("it is right");
    (world, file.properties().filter(|p| p.is_safety()).collect())
}

fn ours(ways: &Ways, walks: u64) -> Walks {
    all(ways, Drawn { steps: STEPS, seed: 1 }, walks, NonZero::<usize>::MIN, &()).expect("nobody ends it")
}

/// The same walks for stateright: each state with the number of its step.
struct Numbered {
    world: World,
    properties: Vec<Property>,
    inner: Second,
}

impl Numbered {
    fn new(world: &World, properties: &[Property]) -> Self {
        let inner = Second::new(world, properties, Reductions::ALL, true);
        Self { world: *world, properties: properties.to_vec(), inner }
    }
}

impl OfWorld for Numbered {
    fn world(&self) -> &World {
        &self.world
    }
    fn plain(s: &Self::State) -> &State {
        &s.0
    }
}

impl Model for Numbered {
    type State = (State, u32);
    type Action = Action;

    fn init_states(&self) -> Vec<Self::State> {
        self.inner.init_states().into_iter().map(|s| (s, 0)).collect()
    }
    fn actions(&self, s: &Self::State, actions: &mut Vec<Action>) {
        if s.1 < STEPS {
            self.inner.actions(&s.0, actions);
        }
    }
    fn next_state(&self, (s, n): &Self::State, a: Action) -> Option<Self::State> {
        self.inner.next_state(s, a).filter(|next| next != s).map(|next| (next, n + 1))
    }
    fn properties(&self) -> Vec<stateright::Property<Self>> {
        // As long as something is undecided the checker goes on.
        let never = stateright::Property::sometimes("nothing decides this", |_: &Self, _: &Self::State| false);
        self.properties.iter().map(|&p| as_stateright(p)).chain([never]).collect()
    }
}

/// Makes walks until so many states were visited; returns how many were.
fn theirs<M>(model: M, states: u64) -> u64
where
    M: Model<Action = Action> + Send + Sync + 'static,
    M::State: std::hash::Hash + Clone + PartialEq + Send + Sync + 'static,
{
    let checker = model.checker().target_state_count(states as usize).spawn_simulation(1, UniformChooser);
    checker.join().state_count() as u64
}

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("steps");
    group.sample_size(10);
    for (scenario, model) in CELLS {
        let (world, properties) = cell(scenario, model);
        let ways = Ways::new(&world, properties.clone());
        let steps = ours(&ways, 2000).steps;
        group.throughput(Throughput::Elements(steps));
        let name = format!("{scenario}/{model}");
        group.bench_function(BenchmarkId::new(&name, "ours"), |b| b.iter(|| ours(&ways, 2000)));
        let numbered = || Numbered::new(&world, &properties);
        group.bench_function(BenchmarkId::new(&name, "stateright"), |b| b.iter(|| theirs(numbered(), steps)));
    }
    group.finish();
}

/// Millions of what `make` counts, a CPU second of this process.
fn rate(make: impl FnOnce() -> u64) -> f64 {
    let begun = cpu_seconds();
    let made = make();
    made as f64 / (cpu_seconds() - begun) / 1e6
}

/// A table of steps a CPU second. Ours are of many walks, as what is known of a state is found out once.
fn table() {
    println!(
        "\n| cell | steps a walk | this, M steps/s | stateright, M steps/s | × | stateright as it comes, M steps/s |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (scenario, model) in CELLS {
        let (world, properties) = cell(scenario, model);
        let ways = Ways::new(&world, properties.clone());
        let mut made = None;
        let ours = rate(|| made.insert(ours(&ways, 50_000)).steps);
        let stateright = rate(|| theirs(Numbered::new(&world, &properties), 1_000_000));
        let plain = rate(|| theirs(Second::new(&world, &properties, Reductions::ALL, true), 1_000_000));
        let length = made.map_or(0.0, |made| made.steps as f64 / made.walks as f64);
        let ratio = ours / stateright;
        println!("| {scenario}/{model} | {length:.1} | {ours:.2} | {stateright:.2} | {ratio:.1} | {plain:.2} |");
    }
}

/// Seconds of CPU that this process has used, on all threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().expect("ticks") + fields[12].parse::<f64>().expect("ticks");
    ticks / 100.0
}

criterion_group!(benches, steps);

fn main() {
    // `OVERHEAR_TABLE=1` in the environment leaves the medians out.
    if std::env::var_os("OVERHEAR_TABLE").is_none() {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
    table();
}
