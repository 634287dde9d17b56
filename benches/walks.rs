//! How fast the simulator walks: state-changing events a second on base scenarios, on one thread and on two.
//!
//! `cargo bench --bench walks`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use overhear::bundle;
use overhear::explore::{Limits, exact};
use overhear::model::{Arrival, PEOPLE_MAX, Property, World};
use overhear::scenario::{compile, read_scenario};
use overhear::simulate::chain::Setting;
use overhear::simulate::runs::{Drawn, all};
use overhear::simulate::{Habits, Strategy};
use std::num::NonZero;

/// A bundled scenario under a bundled model, with typical people and the attack on the worst property that falls.
fn setting(scenario: &str, model: &str) -> (Setting, [Habits; PEOPLE_MAX]) {
    let source = bundle::find_scenario(scenario).expect("a bundled scenario");
    let (file, models) = (read_scenario(&source).expect("it is right"), bundle::models());
    let model = models.iter().find(|m| m.name == model).expect("a bundled model");
    let (world, _) = compile(&file, &source, model, &models, Arrival::FromStart).expect("it is right");
    let people = bundle::people();
    let typical = people.iter().find(|p| p.name == "typical").expect("a bundled name").habits;
    let world = World { hurried: world.all_people().collect(), ..world };
    let properties: Vec<Property> = file.properties().filter(|p| p.is_safety()).collect();
    let findings = exact::search(&world, &properties, Limits::default(), &());
    let attack = Property::ALL.into_iter().find_map(|p| Some(Strategy::attack(p, findings.trace(p)?)));
    let habits = std::array::from_fn(|i| if i < file.people.len() { typical } else { Habits::NONE });
    (Setting::new(world, properties, attack.expect("something falls")), habits)
}

/// Enough runs that working the chain out is a small part.
const RUNS: u64 = 200_000;

fn events(c: &mut Criterion) {
    let mut group = c.benchmark_group("events");
    group.sample_size(10);
    for (scenario, model) in [
        ("password-thief", "matrix-tofu"),
        ("server-of-recipient", "signal"),
        ("password-thief-hurried", "matrix-riot-2019"),
    ] {
        let (setting, habits) = setting(scenario, model);
        let drawn = Drawn { setting: &setting, habits, days: 365.0, seed: 1 };
        let on = |threads| all(&drawn, RUNS, NonZero::new(threads).expect("some"), &()).expect("nobody ends it");
        group.throughput(Throughput::Elements(on(1).iter().map(|run| run.events).sum()));
        for threads in [1, 2] {
            let name = BenchmarkId::new(format!("{scenario}/{model}"), format!("{threads} threads"));
            group.bench_with_input(name, &threads, |b, &threads| b.iter(|| on(threads)));
        }
    }
    group.finish();
}

criterion_group!(benches, events);
criterion_main!(benches);
