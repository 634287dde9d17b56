//! Charts say what the traces say: over the bundled traces, random walks through every action, and hostile names.

use overhear::bundle;
use overhear::model::action::possible;
use overhear::model::bits::Index;
use overhear::model::people::recognised_members;
use overhear::model::{Action, Answer, PEOPLE_MAX, Set, State, World, step};
use overhear::report::chart::{Chart, LaneKind, RowKind, chart, mermaid, svg};
use overhear::scenario::{arrival_by_name, compile, read_scenario};
use overhear::trace::{self, Names, replay};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A trace and the world that it happens in.
struct Case {
    name: String,
    world: World,
    names: Names,
    actions: Vec<Action>,
}

/// The attacks that the committed matrix tells, each kind of scenario and model once.
fn attacks() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/matrix.json");
    let matrix: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a report")).expect("JSON");
    let models = bundle::models();
    let mut cases = Vec::new();
    for cell in matrix["cells"].as_array().expect("cells") {
        let word = |key: &str| cell[key].as_str().unwrap_or_default();
        let Some(arrives) = arrival_by_name(word("arrives")) else { continue };
        let source = bundle::find_scenario(word("scenario")).expect("a bundled scenario");
        let file = read_scenario(&source).expect("a bundled scenario");
        let model = models.iter().find(|m| m.name == word("model")).expect("a bundled model");
        let (world, names) = compile(&file, &source, model, &models, arrives).expect("a bundled scenario");
        let mut told = BTreeSet::new();
        for verdict in cell["verdicts"].as_array().expect("verdicts") {
            let lines = verdict["trace"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let lines: Vec<&str> = lines.collect();
            if lines.is_empty() || !told.insert(lines.join("\n")) {
                continue;
            }
            let parse = |line: &&str| trace::parse(&world, &names, line).expect("an action");
            let actions = lines.iter().map(parse).collect();
            let name = format!("{}.{}.{}", word("scenario"), word("model"), word("arrives"));
            cases.push(Case { name, world, names: names.clone(), actions });
        }
    }
    assert!(cases.len() > 2000, "{} attacks", cases.len());
    cases
}

/// Random walks in every bundled cell, by every action that can happen.
fn walks() -> Vec<Case> {
    let models = bundle::models();
    let mut cases = Vec::new();
    let mut seed = 0x6368_6172_7400_0001_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    for source in bundle::scenarios().iter().map(bundle::Bundled::source) {
        let file = read_scenario(&source).expect("a bundled scenario");
        for model in models.iter().filter(|m| file.is_about(m)) {
            for arrives in file.arrivals().into_iter().flatten() {
                let (world, names) = compile(&file, &source, model, &models, arrives).expect("a bundled scenario");
                let mut kinds: Vec<Vec<Action>> = Vec::new();
                for action in possible(&world) {
                    let like = |k: &&mut Vec<Action>| std::mem::discriminant(&k[0]) == std::mem::discriminant(&action);
                    match kinds.iter_mut().find(like) {
                        Some(kind) => kind.push(action),
                        None => kinds.push(vec![action]),
                    }
                }
                let (mut state, mut actions) = (world.initial(), Vec::new());
                for _ in 0..400 {
                    // A kind first, so that the many ways to send drown nothing.
                    let kind = &kinds[random(kinds.len())];
                    let action = kind[random(kind.len())];
                    if let Ok(next) = step(&world, state, action)
                        && next != state
                    {
                        state = next;
                        actions.push(action);
                    }
                }
                actions.truncate(40);
                let name = format!("walk.{}.{}", file.name, model.name);
                cases.push(Case { name, world, names, actions });
            }
        }
    }
    cases
}

/// Keys that a device holds, by the time of the message.
fn keys(s: &State) -> [Set<overhear::model::Device>; 3] {
    [s.past, s.current, s.after]
}

/// What holds of every chart.
fn is_sound(case: &Case, drawn: &Chart) {
    let Case { name, world, names, actions } = case;
    let states = replay(world, actions).expect("a trace");
    for row in &drawn.rows {
        assert!(row.from < drawn.lanes.len() && row.to < drawn.lanes.len(), "{name}: {row:?} is in no lane");
        assert!((1..=actions.len()).contains(&row.step), "{name}: {row:?} is in no step");
        let two = matches!(row.kind, RowKind::Message | RowKind::Key | RowKind::Ceremony);
        assert!(row.kind == RowKind::Phase || two == (row.from != row.to), "{name}: {row:?} does not fit its lanes");
        assert!(!row.label.is_empty() && row.label.chars().count() <= 120, "{name}: {row:?}");
    }
    assert!(drawn.rows.is_sorted_by_key(|row| row.step), "{name}: steps are not in order");
    let lanes: BTreeSet<&str> = drawn.lanes.iter().map(|l| l.about.as_str()).collect();
    assert!(!lanes.is_empty() || actions.is_empty(), "{name}: nobody takes part");
    for (i, lane) in drawn.lanes.iter().enumerate() {
        let same = drawn.lanes.iter().filter(|l| (l.kind, &l.name, &l.about) == (lane.kind, &lane.name, &lane.about));
        assert_eq!(same.count(), 1, "{name}: {lane:?} is drawn twice");
        let phase = |kind| kind == RowKind::Phase;
        let used = drawn.rows.iter().any(|r| !phase(r.kind) && (r.from == i || r.to == i));
        assert!(used || drawn.lanes.len() == 1, "{name}: {lane:?} does nothing");
    }
    for (i, (&action, pair)) in actions.iter().zip(states.windows(2)).enumerate() {
        let rows: Vec<_> = drawn.rows.iter().filter(|row| row.step == i + 1).collect();
        assert!(!rows.is_empty(), "{name}: step {} is not drawn", i + 1);
        let red = rows.iter().any(|row| row.adversary);
        // Of those who are not in the room nobody asks, so a lie about them is not told.
        let told = |v, answers: [Answer; PEOPLE_MAX]| {
            recognised_members(world, &pair[0], v).iter().any(|p| answers[p.index()] != Answer::Truth)
        };
        let untold = matches!(action, Action::Send(v, answers) if !told(v, answers));
        assert!(red || untold || !action.is_adversarial(), "{name}: nothing in {action:?} is the adversary's");
        let held = pair[1].held(world);
        for (was, is) in keys(&pair[0]).iter().zip(keys(&pair[1])) {
            for d in is.minus(*was).iter() {
                let gets = |row: &&&overhear::report::chart::Row| {
                    let lane = &drawn.lanes[row.to];
                    row.kind == RowKind::Key && lane.kind == LaneKind::Device && lane.name == names.device(d)
                };
                let arrow = rows.iter().find(gets);
                let sender = matches!(action, Action::Send(v, _) if v == d);
                assert!(sender || arrow.is_some(), "{name}: in step {} {d:?} gets a key unseen", i + 1);
                assert!(arrow.is_none_or(|row| row.adversary == held.has(d)), "{name}: step {}: {arrow:?}", i + 1);
            }
        }
    }
}

/// What an SVG must not hold, and what it must.
fn is_closed(name: &str, image: &str) {
    assert!(image.starts_with("<svg ") && image.ends_with("</svg>"), "{name}");
    for forbidden in ["<script", "href", "url(", "http://", "https://", "@import", "onload"] {
        let image = image.replacen("xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
        assert!(!image.contains(forbidden), "{name}: {forbidden} in an image");
    }
    let mut open: Vec<&str> = Vec::new();
    for tag in image.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap_or_else(|| panic!("{name}: a tag has no end: {tag}"));
        assert!(!text.contains(['<', '>']), "{name}: {text}");
        match tag.strip_prefix('/') {
            Some(ends) => assert_eq!(open.pop(), Some(ends), "{name}"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().expect("a name")),
        }
    }
    assert!(open.is_empty(), "{name}: {open:?} has no end");
}

#[test]
fn every_bundled_attack_is_drawn_as_it_happens() {
    let cases = attacks();
    let mut bytes = 0;
    for case in &cases {
        let drawn = chart(&case.world, &case.names, &case.actions).expect("a trace");
        is_sound(case, &drawn);
        assert!(drawn.rows.iter().any(|row| row.adversary), "{}: an attack without the adversary", case.name);
        let image = svg(&drawn, "a", &case.name, "An attack.");
        is_closed(&case.name, &image);
        assert!(image.len() < 12_000, "{}: {} bytes", case.name, image.len());
        bytes += image.len();
    }
    assert!(bytes / cases.len() * 700 < 8_000_000, "700 charts are too much for a page");
}

#[test]
fn every_action_is_drawn() {
    let mut kinds = BTreeSet::new();
    for case in walks() {
        let drawn = chart(&case.world, &case.names, &case.actions).expect("a trace");
        is_sound(&case, &drawn);
        is_closed(&case.name, &svg(&drawn, "a", &case.name, "A walk."));
        let verb = |a: &Action| trace::text(&case.world, &case.names, *a).split(' ').next().map(str::to_string);
        kinds.extend(case.actions.iter().filter_map(verb));
    }
    let missing: Vec<_> = trace::VERBS.iter().filter(|verb| !kinds.contains(**verb)).collect();
    assert!(missing.is_empty(), "in no walk: {missing:?}");
}

/// Names that try to be something else.
fn hostile() -> Vec<String> {
    let long = "x".repeat(200);
    let all = [
        "<script>alert(1)</script>",
        "]]></svg><b>",
        "\"'&amp;",
        "%0A::error::x",
        "\u{202e}gnp.exe\u{200f}",
        "end",
        "a;b",
        "#35;",
        "a: b",
        "p0->>p1: x",
        "```",
        "%%{init}%%",
        "two\nlines\rand\u{0}",
        "שלום",
        "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "",
        &long,
    ];
    all.map(str::to_string).to_vec()
}

#[test]
fn hostile_names_stay_names() {
    let cases = attacks();
    let hostile = hostile();
    // Each name is met in each place of some chart.
    for (i, case) in cases.iter().step_by(29).enumerate() {
        let at = |n: usize| hostile[(i + n) % hostile.len()].clone();
        let named = |all: &[String], from: usize| (0..all.len()).map(|n| at(from + n)).collect::<Vec<_>>();
        let names = Names {
            people: named(&case.names.people, 0),
            devices: named(&case.names.devices, 5),
            servers: named(&case.names.servers, 11),
        };
        let drawn = chart(&case.world, &names, &case.actions).expect("a trace");
        let plain = chart(&case.world, &case.names, &case.actions).expect("a trace");
        let shape = |c: &Chart| c.rows.iter().map(|r| (r.step, r.from, r.to, r.kind, r.adversary)).collect::<Vec<_>>();
        assert_eq!(shape(&drawn), shape(&plain), "{}: a name changes what happens", case.name);
        let image = svg(&drawn, "a", &names.people[0], &names.devices[0]);
        is_closed(&case.name, &image);
        let lines = |c: &Chart| mermaid(c).lines().count();
        assert_eq!(lines(&drawn), lines(&plain), "{}: a name adds a line", case.name);
        let diagram = mermaid(&drawn);
        for (line, like) in diagram.lines().zip(mermaid(&plain).lines()) {
            let word = |line: &str| line.trim().split(' ').next().map(str::to_string);
            assert_eq!(word(line), word(like), "{}: {line}", case.name);
            let text = line.replace("<br/>", "").replace("-->>", "").replace("->>", "");
            assert!(!text.contains(['<', '>', '`', '%', '"', '&', '=']), "{}: {line}", case.name);
            let ends = text.trim() != "end" && text.split(' ').any(|word| word == "end");
            assert!(text.matches(':').count() <= 1 && !ends, "{}: {line}", case.name);
        }
        for text in [image, diagram] {
            let hides = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{0}'..='\u{9}');
            assert!(!text.contains(hides), "{}: something is hidden", case.name);
            let without_title = text.split('<').filter(|line| !line.starts_with("title") && !line.starts_with("desc"));
            for line in without_title.flat_map(str::lines) {
                let count = |c: char| line.matches(c).count();
                assert_eq!(count('\u{2068}'), count('\u{2069}'), "{}: {line}", case.name);
                let right_to_left = line.contains(|c| ('\u{590}'..='\u{5ff}').contains(&c));
                assert!(!right_to_left || count('\u{2068}') > 0, "{}: {line}", case.name);
            }
        }
    }
}

#[test]
fn nothing_is_drawn_as_nothing() {
    let empty = Chart::default();
    is_closed("nothing", &svg(&empty, "a", "Nothing", "Nothing happens."));
    assert_eq!(mermaid(&empty).lines().count(), 2, "an empty diagram is an error to Mermaid");
}

#[test]
fn what_is_too_long_is_left_out_in_the_middle_and_kept_as_a_title() {
    let mut case = attacks().swap_remove(0);
    let long = format!("begin-{}-finish", "x".repeat(200));
    case.names.devices[0] = long.clone();
    let drawn = chart(&case.world, &case.names, &case.actions).expect("a trace");
    assert_eq!(drawn.lanes.iter().filter(|lane| lane.name == long).count(), 1);
    assert!(drawn.rows.iter().all(|row| !row.label.contains(&long)), "a label holds the whole name");
    let image = svg(&drawn, "a", "Long", "A long name.");
    assert_eq!(image.matches(&format!("<title>{long}</title>")).count(), 1);
    let texts = image.split("<text").skip(1).map(|t| &t[t.find('>').map_or(0, |at| at + 1)..]);
    let widest = texts.filter_map(|t| t.split('<').next()).map(|t| t.chars().count()).max();
    assert!(widest.is_some_and(|n| n < 60), "{widest:?} characters in one line");
}
