//! Properties of the small parts on random data, and of the whole search on random small worlds.
//!
//! The seed is fixed, so that every run tests the same cases; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` choose others.

use overhear::bundle;
use overhear::explore::cost::cast;
use overhear::explore::{Limits, exact};
use overhear::model::action::alphabet;
use overhear::model::bits::{Identities, Index};
use overhear::model::property::condition;
use overhear::model::state::{Layout, fullest};
use overhear::model::world::Powers;
use overhear::model::{
    Action, Arrival, Device, Identity, Person, Property, Reductions, Rel, Server, Set, State, VIEWERS_MAX, World, step,
};
use overhear::policy::Policy;
use overhear::scenario::{axes, axis_values, compile, read_scenario};
use overhear::trace::{self, Names};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

/// Worlds with more states, without reductions, are skipped.
const STATES_MAX: usize = 3_000;

/// So many cases, the same in every run unless the environment says otherwise.
fn cases(cases: u32) -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(0x0ea7);
    }
    config
}

/// A set as the standard library would hold it.
fn members(set: Set<Device>) -> BTreeSet<u8> {
    set.iter().map(|d| d.0).collect()
}

fn set_of(members: &BTreeSet<u8>) -> Set<Device> {
    members.iter().map(|&d| Device(d)).collect()
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn sets_are_sets(a: u16, b: u16, i in 0u8..16) {
        let (x, y, d) = (Set::<Device>::from_bits(a), Set::from_bits(b), Device(i));
        let (m, n) = (members(x), members(y));
        prop_assert_eq!((set_of(&m), x.len(), x.is_empty()), (x, m.len(), m.is_empty()));
        prop_assert_eq!(x.has(d), m.contains(&i));
        prop_assert_eq!(members(x.with(d)), m.iter().copied().chain([i]).collect());
        prop_assert_eq!(members(x.without(d)), m.iter().copied().filter(|&j| j != i).collect());
        prop_assert_eq!(members(x.union(y)), &m | &n);
        prop_assert_eq!(members(x.and(y)), &m & &n);
        prop_assert_eq!(members(x.minus(y)), &m - &n);
        prop_assert_eq!((x.within(y), x.meets(y)), (m.is_subset(&n), !m.is_disjoint(&n)));
        prop_assert_eq!(members(Set::first(i as usize)), (0..i).collect());
    }

    #[test]
    fn subsets_are_all_subsets_each_once(a in 0u16..1 << 12) {
        let x = Set::<Device>::from_bits(a);
        let all: Vec<_> = x.subsets().collect();
        prop_assert!(all.iter().all(|s| s.within(x)) && all.is_sorted());
        prop_assert_eq!(all.len(), 1 << x.len());
        prop_assert_eq!(all.iter().copied().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn relations_are_sets_of_pairs(
        pairs in prop::collection::btree_set((0u8..8, 0u8..12), 0..30),
        (a, b) in (0u8..8, 0u8..12),
        row: u16,
    ) {
        let (v, d, row) = (Device(a), Device(b), Set::<Device>::from_bits(row & 0xfff));
        let rel = relation(&pairs);
        prop_assert_eq!(pairs_of(rel), pairs.clone());
        prop_assert_eq!(rel.has(v, d), pairs.contains(&(a, b)));
        prop_assert_eq!(members(rel.row(v)), pairs.iter().filter(|p| p.0 == a).map(|p| p.1).collect());
        prop_assert_eq!(pairs_of(rel.with(v, d)), &pairs | &BTreeSet::from([(a, b)]));
        prop_assert_eq!(pairs_of(rel.without(v, d)), &pairs - &BTreeSet::from([(a, b)]));
        let others = |keep: &dyn Fn(&(u8, u8)) -> bool| {
            pairs.iter().copied().filter(|p| keep(p)).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(pairs_of(rel.without_column(d)), others(&|p| p.1 != b));
        let replaced = members(row).into_iter().map(|j| (a, j)).collect();
        prop_assert_eq!(pairs_of(rel.with_row(v, row)), &others(&|p| p.0 != a) | &replaced);
    }

    #[test]
    fn identities_are_a_table(
        entries in prop::collection::vec((0u8..8, 0u8..4, 0usize..4), 0..40),
        (v, p, from, to) in (0u8..8, 0u8..4, 0usize..4, 0usize..4),
    ) {
        let mut table: BTreeMap<(u8, u8), Identity> = BTreeMap::new();
        let mut identities = Identities::default();
        for (v, p, i) in entries {
            table.insert((v, p), IDENTITIES[i]);
            identities = identities.with(Device(v), Person(p), IDENTITIES[i]);
        }
        let same = |i: Identities, at: &dyn Fn(u8, u8) -> Identity| {
            (0..8).all(|v| (0..4).all(|p| i.get(Device(v), Person(p)) == at(v, p)))
        };
        let get = |v, p| *table.get(&(v, p)).unwrap_or(&Identity::None);
        prop_assert!(same(identities, &get));
        let others = |w, q| if w == v { Identity::None } else { get(w, q) };
        prop_assert!(same(identities.without_row(Device(v)), &others));
        let (from, to) = (IDENTITIES[from], IDENTITIES[to]);
        let relabelled = |w, q| if q == p && get(w, q) == from { to } else { get(w, q) };
        prop_assert!(same(identities.relabelled(Person(p), from, to), &relabelled));
        let filled = |w, q| if w != v { get(w, q) } else if q < p { Identity::Forged } else { Identity::None };
        prop_assert!(same(identities.filled(Device(v), p as usize), &filled));
    }
}

const IDENTITIES: [Identity; 4] = [Identity::None, Identity::True, Identity::Old, Identity::Forged];

type Devices = Rel<Device, Device, VIEWERS_MAX>;

fn relation(pairs: &BTreeSet<(u8, u8)>) -> Devices {
    pairs.iter().fold(Devices::default(), |r, &(a, b)| r.with(Device(a), Device(b)))
}

fn pairs_of(r: Devices) -> BTreeSet<(u8, u8)> {
    (0..VIEWERS_MAX as u8).flat_map(|a| r.row(Device(a)).iter().map(move |b| (a, b.0))).collect()
}

/// The worlds and names of all bundled scenarios, models and arrivals.
static BUNDLED: LazyLock<Vec<(World, Names)>> = LazyLock::new(|| {
    let models = bundle::models();
    let mut worlds = Vec::new();
    for source in bundle::scenarios().iter().map(bundle::Bundled::source) {
        let file = read_scenario(&source).expect("a bundled scenario is right");
        for (model, arrives) in
            models.iter().filter(|m| file.is_about(m)).flat_map(|m| file.arrivals().into_iter().map(move |a| (m, a)))
        {
            let arrives = arrives.unwrap_or(Arrival::FromStart);
            worlds.push(compile(&file, &source, model, &models, arrives).expect("a bundled scenario compiles"));
        }
    }
    worlds
});

#[test]
fn actions_of_bundled_alphabets_are_read_back_from_their_text() {
    // A text depends on the names alone: what was read back once is not read again.
    let mut seen = HashSet::new();
    for (w, names) in BUNDLED.iter() {
        for action in alphabet(w) {
            if seen.insert((names.devices.clone(), action)) {
                let text = trace::text(w, names, action);
                assert_eq!(trace::parse(w, names, &text), Ok(action), "{text}");
            }
        }
    }
    assert!(seen.len() > 5_000, "only {} actions", seen.len());
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn states_survive_packing(
        world: prop::sample::Index,
        walk in prop::collection::vec(any::<prop::sample::Index>(), 30),
    ) {
        let (w, _) = &BUNDLED[world.index(BUNDLED.len())];
        let (layout, all) = (Layout::of(&fullest(w)), alphabet(w));
        prop_assert!(layout.bits() <= 32 * layout.len() && 32 * layout.len() < layout.bits() + 32);
        let mut buffer = vec![u32::MAX; layout.len()];
        let mut s = w.initial();
        for choice in walk {
            layout.pack(&s, &mut buffer);
            prop_assert_eq!(layout.unpack(&buffer), s);
            let following: Vec<State> =
                all.iter().filter_map(|&a| step(w, s, a).ok()).filter(|&next| next != s).collect();
            if following.is_empty() {
                break;
            }
            s = following[choice.index(following.len())];
        }
    }
}

/// A random policy: any value on every axis, or that of a bundled model with up to three axes changed.
fn policy() -> impl Strategy<Value = Policy> {
    let all = axis_values();
    let changes = prop_oneof![
        Just(all.iter().map(|_| true).collect::<Vec<_>>()),
        prop::sample::subsequence((0..all.len()).collect::<Vec<_>>(), 0..4)
            .prop_map(|few| (0..axis_values().len()).map(|i| few.contains(&i)).collect()),
    ];
    let values = prop::collection::vec(any::<prop::sample::Index>(), all.len());
    (prop::sample::select(bundle::models()), changes, values).prop_map(move |(model, changes, values)| {
        let mut chosen: serde_json::Map<_, _> = axes(&model.policy).into_iter().map(|(a, v)| (a, v.into())).collect();
        for (i, (axis, of_axis)) in all.iter().enumerate() {
            if changes[i] || chosen[axis] == "unused" {
                let used: Vec<_> = of_axis.iter().filter(|v| *v != "unused").collect();
                chosen[axis] = used[values[i].index(used.len())].clone().into();
            }
        }
        consistent(chosen)
    })
}

/// The policy with `unused` exactly where the reader of model files wants it.
fn consistent(mut chosen: serde_json::Map<String, serde_json::Value>) -> Policy {
    let of_identity = ["change-unverified", "change-verified", "block-scope", "first-identity", "identity-replaced-by"];
    let none = chosen["identity"] == "none";
    let unused = of_identity.iter().filter(|_| none).copied();
    let unused = unused.chain(["sender-identity"].into_iter().filter(|_| chosen["identity"] != "signs-devices"));
    let of_devices = ["new-device"].into_iter().filter(|_| !none || chosen["recipients"] == "verified");
    for axis in unused.chain(of_devices).collect::<Vec<_>>() {
        chosen[axis] = "unused".into();
    }
    serde_json::from_value(chosen.into()).expect("every axis has one of its values")
}

/// A random choice of one to three powers: each mostly over the person whom the adversary's device claims.
fn powers() -> impl Strategy<Value = Vec<(u8, bool, u8)>> {
    prop::collection::vec((0u8..7, prop::bool::weighted(0.75), 0u8..3), 1..4)
}

/// The powers that were chosen, against people with the honest devices in `honest`.
fn powers_over(claimed: Person, honest: Set<Device>, chosen: Vec<(u8, bool, u8)>, server: [Server; 4]) -> Powers {
    chosen.into_iter().fold(Powers::default(), |old, (power, of_claimed, device)| {
        let p = if of_claimed { claimed } else { Person(1 - claimed.0) };
        let d = Set::EMPTY.with(Device(device)).and(honest);
        match power {
            0 => Powers { steal_password: old.steal_password.with(p), ..old },
            1 => Powers { break_tls: old.break_tls.union(d), ..old },
            2 => Powers { control_server: old.control_server.with(server[p.index()]), ..old },
            3 => Powers { hijack_number: old.hijack_number.with(p), ..old },
            4 => Powers { steal_recovery: old.steal_recovery.with(p), ..old },
            5 => Powers { steal_device: old.steal_device.union(d), ..old },
            _ => Powers { phish_link: old.phish_link.with(p), ..old },
        }
    })
}

/// A random world: two people with one and one or two devices, and one device of the adversary.
fn world() -> impl Strategy<Value = World> {
    let people = (
        (policy(), policy(), prop::bool::weighted(0.8)),
        1usize..3,
        (0u16..4, 0u16..4),
        prop_oneof![1 => 0u8..1, 4 => 1u8..2],
    );
    let settings = (prop::array::uniform5(prop::bool::weighted(0.15)), any::<bool>(), any::<bool>());
    let rogue = (prop::bool::weighted(0.2), prop::bool::weighted(0.3));
    (people, powers(), settings, rogue).prop_map(
        |(
            ((mine, theirs, same), second, (hurried, inattentive), claims),
            powers,
            (options, late, everyone),
            (reuses, one_server),
        )| {
            let plain = cast(&mine, &[1, second], false, options);
            let rogue = Device::at(plain.devices);
            let claimed = Person(claims);
            let mut w = World {
                devices: plain.devices + 1,
                rogue: Set::EMPTY.with(rogue),
                policy: [mine, if same { mine } else { theirs }, mine, mine],
                server: [0, if one_server { 0 } else { 1 }, 0, 0].map(Server),
                hurried: Set::from_bits(hurried),
                inattentive: Set::from_bits(inattentive),
                senders: if everyone { plain.honest } else { plain.senders },
                arrives: if late { Arrival::AfterFirstContact } else { Arrival::FromStart },
                ..plain
            };
            w.owner[rogue.index()] = claimed;
            w.devices_of[claimed.index()] = w.of(claimed).with(rogue);
            if reuses {
                let first = w.honest.and(w.of(claimed)).iter().next();
                w.reuses[rogue.index()] = first;
                w.reused = first.into_iter().collect();
            }
            w.powers = powers_over(claimed, w.honest, powers, w.server);
            w
        },
    )
}

/// For each property the least among the shortest traces that decide it, found level by level by the plain rules;
/// `None` if the world has more than [`STATES_MAX`] states.
fn brute_force(w: &World, properties: &[Property]) -> Option<Vec<Option<Vec<Action>>>> {
    let all = alphabet(w);
    let mut known: HashSet<State> = HashSet::from([w.initial()]);
    let mut level: HashMap<State, Vec<Action>> = HashMap::from([(w.initial(), Vec::new())]);
    let mut least: Vec<Option<Vec<Action>>> = vec![None; properties.len()];
    while !level.is_empty() {
        for (found, &p) in least.iter_mut().zip(properties).filter(|(found, _)| found.is_none()) {
            let decides = |s: &State| condition(w, *s, p) != p.is_safety();
            *found = level.iter().filter(|(s, _)| decides(s)).map(|(_, trace)| trace.clone()).min();
        }
        let mut next: HashMap<State, Vec<Action>> = HashMap::new();
        for (&s, trace) in &level {
            for &action in &all {
                let Some(t) = step(w, s, action).ok().filter(|t| !known.contains(t)) else { continue };
                let way: Vec<Action> = trace.iter().copied().chain([action]).collect();
                let kept = next.entry(t).or_insert_with(|| way.clone());
                if way < *kept {
                    *kept = way;
                }
            }
        }
        known.extend(next.keys());
        if known.len() > STATES_MAX {
            return None;
        }
        level = next;
    }
    Some(least)
}

/// Whether leaving out any one action of `actions` keeps it from happening or from deciding the property.
fn is_minimal(w: &World, actions: &[Action], p: Property) -> bool {
    (0..actions.len()).all(|i| {
        let without: Vec<Action> = [&actions[..i], &actions[i + 1..]].concat();
        !trace::ends_with(w, &without, p, !p.is_safety())
    })
}

/// What the exact search must agree on with the brute force, with one choice of reductions.
fn agrees(w: &World, asked: &[Property], least: &[Option<Vec<Action>>], r: Reductions) -> Result<(), TestCaseError> {
    let found = exact::search(w, asked, Limits { reductions: Some(r), ..Limits::default() }, &());
    prop_assert_eq!(found.stopped, None);
    for ((p, trace), least) in found.traces.iter().zip(least) {
        let lengths = (trace.as_ref().map(Vec::len), least.as_ref().map(Vec::len));
        prop_assert_eq!(lengths.0, lengths.1, "{:?} with {:?}: least {:?}, found {:?}", p, r, least, trace);
        let Some(trace) = trace else { continue };
        prop_assert!(r != Reductions::NONE || Some(trace) == least.as_ref(), "{:?}: {:?}, not {:?}", p, trace, least);
        prop_assert!(trace::ends_with(w, trace, *p, !p.is_safety()), "{:?} with {:?}: {:?}", p, r, trace);
        prop_assert!(is_minimal(w, trace, *p), "{:?} with {:?} is not minimal: {:?}", p, r, trace);
        prop_assert!(!p.is_safety() || trace::minimise(w, trace, *p) == *trace);
    }
    Ok(())
}

const SINGLE: [Reductions; 4] = [
    Reductions { dominated_answers: true, ..Reductions::NONE },
    Reductions { unread_fields: true, ..Reductions::NONE },
    Reductions { decided_properties: true, ..Reductions::NONE },
    Reductions { symmetry: true, ..Reductions::NONE },
];

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn searches_agree_with_brute_force(
        w in world(),
        asked in prop::sample::subsequence(Property::ALL.to_vec(), 1..=6),
    ) {
        let Some(least) = brute_force(&w, &asked) else { return Ok(()) };
        for r in SINGLE.into_iter().chain([Reductions::NONE, Reductions::ALL, Reductions::WITH_SYMMETRY]) {
            agrees(&w, &asked, &least, r)?;
        }
    }
}
