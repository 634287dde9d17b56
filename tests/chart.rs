//! Charts say what the traces say: over the bundled traces, random walks through every action, and hostile names.

use overhear::bundle;
use overhear::model::action::possible;
use overhear::model::bits::Index;
use overhear::model::people::recognised_members;
use overhear::model::{Action, Answer, Arrival, PEOPLE_MAX, Set, State, World, step};
use overhear::report::chart::{Chart, Lane, LaneKind, Row, RowKind, chart, mermaid, svg};
use overhear::scenario::{arrival_by_name, compile, read_scenario};
use overhear::trace::{self, Names, replay};
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
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

/// Random walks in every bundled cell, by every action that can happen. What was in no walk so far is done where it can
/// be done, so that nothing is left to luck.
fn walks() -> Vec<Case> {
    let models = bundle::models();
    let mut walked = HashSet::new();
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
                    let leads = |a: &&Action| step(&world, state, **a).is_ok_and(|next| next != state);
                    let fresh = kinds.iter().filter(|kind| !walked.contains(&std::mem::discriminant(&kind[0])));
                    let fresh = fresh.flatten().find(leads).copied();
                    // A kind first, so that the many ways to send drown nothing.
                    let kind = &kinds[random(kinds.len())];
                    let action = fresh.unwrap_or(kind[random(kind.len())]);
                    if leads(&&action) && actions.len() < 40 {
                        state = step(&world, state, action).expect("it leads somewhere");
                        walked.insert(std::mem::discriminant(&action));
                        actions.push(action);
                    }
                }
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
                let gets = |row: &&&Row| {
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

/// More lanes than find room beside each other, each kind of row in either direction, and texts of any length.
fn everything() -> Chart {
    let long = "what nobody reads to its end because it goes on and on ".repeat(8);
    let lane = |(name, about, kind, adversary): (&str, &str, LaneKind, bool)| {
        let (name, about) = (name.to_string(), about.to_string());
        Lane { stolen_in: name.contains("laptop").then_some(3), name, about, kind, adversary }
    };
    let lanes = [
        ("Alice", "", LaneKind::Person, false),
        ("alice-phone", "Alice's", LaneKind::Device, false),
        ("alice-laptop", "Alice's, stolen in step 3", LaneKind::Device, false),
        ("Alice's server", "", LaneKind::Server, false),
        ("adversary", "on the link of alice-phone", LaneKind::Link, true),
        ("adversary", "", LaneKind::Adversary, true),
        (&format!("mallory-{}", "m".repeat(90)), "passed off as Bob's", LaneKind::Device, true),
        ("Bob's server", "held by the adversary", LaneKind::Server, true),
        ("bob-phone", "Bob's", LaneKind::Device, false),
        ("Bob", "", LaneKind::Person, false),
        ("carol-phone", "Carol's, who has a device with a name of its own", LaneKind::Device, false),
        ("Carol", "", LaneKind::Person, false),
    ];
    let row = |(step, from, to, kind, label, truth, adversary): (usize, usize, usize, _, &str, &str, bool)| {
        let truth = (!truth.is_empty()).then(|| truth.to_string());
        Row { step, from, to, kind, label: label.to_string(), truth, adversary }
    };
    let rows = [
        (1, 1, 3, RowKind::Message, "signs in", "", false),
        (1, 11, 0, RowKind::Message, "from one edge to the other", "true: nothing of the kind", false),
        (1, 3, 3, RowKind::Event, "lists a device", "", false),
        (2, 0, 11, RowKind::Phase, &long, "", true),
        (2, 7, 8, RowKind::Message, "told: ▲mallory", "true: bob-phone", true),
        (2, 8, 7, RowKind::Message, &long, &long, true),
        (3, 2, 2, RowKind::Event, "stolen, unlocked", "sent: nothing", true),
        (3, 0, 0, RowKind::Sight, "looked: ▲mallory is not shown", "", true),
        (3, 9, 9, RowKind::Sight, "sees bob-phone on the account", "", false),
        (3, 11, 11, RowKind::Warning, "is warned about Bob", "", false),
        (4, 0, 9, RowKind::Ceremony, "compare keys: they match", "", false),
        (4, 9, 0, RowKind::Ceremony, "the difference is overlooked", "shown: a forged identity", true),
        (5, 1, 8, RowKind::Key, "room key", "", false),
        (5, 8, 6, RowKind::Key, "old keys", "", true),
        (6, 0, 11, RowKind::Phase, "a short time", "", false),
        (6, 11, 11, RowKind::Event, &long, &long, false),
    ];
    Chart { lanes: lanes.map(lane).to_vec(), rows: rows.map(row).to_vec() }
}

/// The fewest lanes and the longest texts.
fn two_lanes() -> Chart {
    let Chart { lanes, rows } = everything();
    let only = |row: Row| Row { from: usize::from(row.from > 0), to: usize::from(row.to > 0), ..row };
    let rows = rows.into_iter().filter(|row| (row.from == row.to) == ((row.from > 0) == (row.to > 0)));
    Chart { lanes: vec![lanes[6].clone(), lanes[0].clone()], rows: rows.map(only).collect() }
}

/// Looked at in a browser: nothing covers anything else, and nothing leaves the sheet.
#[test]
fn everything_is_drawn_like_this() {
    let image = svg(&everything(), "all", "Everything", "All that there is to be drawn.");
    is_closed("everything", &image);
    insta::assert_snapshot!("everything_svg", image.replace("><", ">\n<"));
    insta::assert_snapshot!("everything_mermaid", mermaid(&everything()));
    let narrow = svg(&two_lanes(), "two", "Two", "Two lanes.");
    is_closed("two lanes", &narrow);
    insta::assert_snapshot!("two_lanes_svg", narrow.replace("><", ">\n<"));
}

#[test]
fn nothing_is_drawn_as_nothing() {
    let empty = Chart::default();
    is_closed("nothing", &svg(&empty, "a", "Nothing", "Nothing happens."));
    assert_eq!(mermaid(&empty).lines().count(), 2, "an empty diagram is an error to Mermaid");
    let Case { world, names, .. } = case("server-of-recipient", "matrix-tofu", &[]);
    assert_eq!(chart(&world, &names, &[]), Ok(empty), "where nothing happens nobody takes part");
    // Where nobody sends, the adversary waits for nobody.
    let alone = World { senders: Set::EMPTY, arrives: Arrival::AfterFirstContact, ..world };
    let drawn = chart(&alone, &names, &[Action::Arrive]).expect("a trace");
    let lanes: Vec<_> = drawn.lanes.iter().map(|lane| lane.kind).collect();
    assert_eq!(lanes, [LaneKind::Adversary], "a time begins for the adversary at least");
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

/// A device's name, as a label spells it: of one that is too long, as much of its end as of its beginning.
#[test]
fn a_label_has_both_ends_of_a_long_name() {
    let Case { world, mut names, actions, .. } = case("server-of-recipient", "matrix-tofu", &LISTENER);
    let mallory = names.device_named("mallory").expect("a device").index();
    let mut label = |name: &str| {
        names.devices[mallory] = name.to_string();
        let drawn = chart(&world, &names, &actions).expect("a trace");
        drawn.rows.iter().find(|row| row.truth.is_some()).expect("a lie").label.clone()
    };
    let accents = |n: usize| "e\u{301}".repeat(n);
    for (name, short) in [
        ("abcdefghijklmnopqrstuv", "abcdefghijklmnopqrstuv"),
        ("abcdefghijklmnopqrstuvw", "abcdefghijk…nopqrstuvw"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijk…qrstuvwxyz"),
        // A letter keeps its accent, and counts once.
        (&accents(22), &accents(22)),
        (&accents(23), &format!("{}…{}", accents(11), accents(10))),
    ] {
        assert_eq!(label(name), format!("told: bob-phone, ▲{short}"));
    }
    // But not any number of accents: they would cover what is around them.
    let piled = label(&("e".to_string() + &"\u{301}".repeat(600)));
    assert!(piled.contains('…') && piled.chars().count() < 500, "{} characters", piled.chars().count());
}

/// How a device's name stands over its lane: whole where it fits, and each line of what runs from right to left by
/// itself.
#[test]
fn a_name_is_written_line_by_line() {
    let Case { world, mut names, actions, .. } = case("server-of-recipient", "matrix-tofu", &LISTENER);
    let accents = "é".repeat(30);
    let [first, second] = ["א", "ב"].map(|letter| letter.repeat(15));
    for (name, written) in [
        (accents.clone(), accents),
        ("שלום".to_string(), "\u{2068}שלום\u{2069}".to_string()),
        (format!("{first} {second}"), format!("\u{2068}{first}\u{2069}<br/>\u{2068}{second}\u{2069}")),
    ] {
        names.devices[0] = name;
        let diagram = mermaid(&chart(&world, &names, &actions).expect("a trace"));
        let lane = diagram.lines().nth(1).expect("a lane");
        assert_eq!(lane, format!("  participant p0 as {written}<br/>Alice's"));
    }
}

/// The trace of a bundled scenario under a bundled model, with an adversary who is there from the start.
fn case(scenario: &str, model: &str, lines: &[&str]) -> Case {
    let models = bundle::models();
    let source = bundle::find_scenario(scenario).expect("a bundled scenario");
    let file = read_scenario(&source).expect("a bundled scenario");
    let model = models.iter().find(|m| m.name == model).expect("a bundled model");
    let (world, names) = compile(&file, &source, model, &models, Arrival::FromStart).expect("a bundled scenario");
    let actions = lines.iter().map(|line| trace::parse(&world, &names, line).expect("an action")).collect();
    Case { name: scenario.to_string(), world, names, actions }
}

const LISTENER: [&str; 4] =
    ["sign-in alice-phone", "sign-in bob-phone", "send alice-phone bob=nothing+mallory", "look-up bob-phone bob"];

#[test]
fn the_hidden_listener_is_drawn_like_this() {
    let Case { world, names, actions, .. } = case("server-of-recipient", "matrix-tofu", &LISTENER);
    let drawn = chart(&world, &names, &actions).expect("a trace");
    let lanes: Vec<_> = drawn.lanes.iter().map(|l| (l.name.as_str(), l.kind, l.adversary)).collect();
    let expected = [
        ("alice-phone", LaneKind::Device, false),
        ("mallory", LaneKind::Device, true),
        ("Bob's server", LaneKind::Server, true),
        ("bob-phone", LaneKind::Device, false),
        ("Bob", LaneKind::Person, false),
    ];
    assert_eq!(lanes, expected);
    let told = |r: &Row| (r.step, r.from, r.to, r.kind, r.label.clone(), r.truth.clone(), r.adversary);
    let rows: Vec<_> = drawn.rows.iter().map(told).collect();
    let (message, key, event) = (RowKind::Message, RowKind::Key, RowKind::Event);
    let row = |step, from, to, kind, label: &str, red| (step, from, to, kind, label.to_string(), None, red);
    let lie = Some("true: bob-phone".to_string());
    let expected = [
        row(1, 0, 0, event, "Alice signs in", false),
        row(2, 3, 2, message, "Bob signs in", false),
        row(2, 2, 2, event, "reads Bob's password", true),
        row(3, 0, 0, event, "Alice sends a message", false),
        row(3, 0, 2, message, "Bob's devices?", false),
        (3, 2, 0, message, "told: bob-phone, ▲mallory".to_string(), lie, true),
        row(3, 0, 3, key, "room key", false),
        row(3, 0, 1, key, "room key", true),
        row(4, 3, 2, message, "my devices?", false),
        row(4, 2, 3, message, "told: bob-phone", false),
        row(4, 4, 4, RowKind::Sight, "looked: ▲mallory is not shown", true),
    ];
    assert_eq!(rows, expected);
}

/// A row as a line: who, to whom (`->` a message, `=>` a key, `<->` a meeting), what it says, the truth in brackets.
/// `*` is the adversary's, `( )` what somebody sees or decides, `!` a warning.
fn told(drawn: &Chart, row: &Row) -> String {
    let [from, to] = [row.from, row.to].map(|lane| match &drawn.lanes[lane] {
        lane if lane.kind == LaneKind::Link => format!("{} {}", lane.name, lane.about),
        lane => lane.name.clone(),
    });
    let who = match row.kind {
        RowKind::Message => format!("{from} -> {to}"),
        RowKind::Key => format!("{from} => {to}"),
        RowKind::Ceremony => format!("{from} <-> {to}"),
        RowKind::Event => from,
        RowKind::Sight => format!("({from})"),
        RowKind::Warning => format!("!{from}"),
        RowKind::Phase => format!("from {from} to {to}"),
    };
    let mark = if row.adversary { "* " } else { "" };
    let truth = row.truth.as_ref().map_or(String::new(), |truth| format!(" [{truth}]"));
    format!("{mark}{who}: {}{truth}", row.label)
}

const OFF: &str = "* Bob's server -> bob-phone: thrown off the account";
const WARNED: &str = "!Bob: is warned about their own account";

/// A scenario, a model, a trace, and the rows of its last step.
type Step = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

fn are_drawn(steps: &[Step]) {
    for (scenario, model, lines, expected) in steps {
        let Case { world, names, actions, .. } = case(scenario, model, lines);
        let drawn = chart(&world, &names, &actions).unwrap_or_else(|e| panic!("{scenario}, {model}: {e:?}"));
        let last = drawn.rows.iter().filter(|row| row.step == lines.len());
        assert_eq!(last.map(|row| told(&drawn, row)).collect::<Vec<_>>(), *expected, "{scenario}, {model}, {lines:?}");
    }
}

/// The adversary acts from where it is: its device on the account, the server that it holds, the line that it is on.
const ACTS: &[Step] = &[
    (
        "reused-device-id-at-server",
        "matrix-all-devices",
        &["sign-in bob-phone", "evict-device bob-phone"],
        &["* Bob's server: signs bob-phone out", OFF, WARNED],
    ),
    (
        "password-and-number",
        "imessage",
        &["sign-in bob-phone", "steal-password bob", "evict-device bob-phone"],
        &["* adversary -> Bob's server: signs bob-phone out", OFF, WARNED],
    ),
    (
        "phished-link",
        "imessage",
        &["sign-in bob-phone", "steal-password bob", "phish-link bob-phone mallory", "evict-device bob-phone"],
        // He was warned when it came on the account.
        &["* mallory -> Bob's server: signs bob-phone out", OFF],
    ),
    (
        "tls-breaker-at-sender",
        "matrix-all-devices",
        &["sign-in alice-phone", "evict-device alice-phone"],
        &[
            "* adversary on the link of alice-phone -> Alice's server: signs alice-phone out",
            "* Alice's server -> alice-phone: thrown off the account",
            "!Alice: is warned about their own account",
        ],
    ),
    (
        "tls-breaker-at-sender",
        "matrix-all-devices",
        &["sign-in alice-phone"],
        &[
            "alice-phone -> adversary on the link of alice-phone: Alice signs in",
            "* adversary on the link of alice-phone: reads Alice's password",
            "adversary on the link of alice-phone -> Alice's server: Alice signs in (passed on)",
        ],
    ),
    (
        "tls-breaker-at-sender",
        "imessage-ckv",
        &["sign-in alice-phone replaced mallory-a"],
        &[
            "alice-phone -> adversary on the link of alice-phone: Alice signs in",
            "* adversary on the link of alice-phone -> Alice's server: puts in its place: ▲mallory-a \
                 [sent: alice-phone]",
            "!Alice: is warned about their own account",
        ],
    ),
    (
        "added-member",
        "matrix-tofu",
        &["sign-in alice-phone", "add-member eve"],
        &["* adversary -> Alice's server: puts Eve into the room, uninvited"],
    ),
];

#[test]
fn whoever_acts_for_the_adversary_is_where_it_acts_from() {
    are_drawn(ACTS);
}

const TAKES: &[&str] = &["sign-in bob-phone", "hijack-number mallory"];
const TAKEN: &[Step] = &[
    ("number-hijack", "signal", TAKES, &["* mallory -> Bob's server: signs in with Bob's phone number", OFF, WARNED]),
    (
        "number-hijack",
        "signal-registration-lock",
        TAKES,
        &["* mallory -> Bob's server: has Bob's phone number and no PIN", OFF, WARNED],
    ),
    (
        "server-of-sender",
        "imessage",
        &["sign-in alice-phone replaced mallory-a", "send alice-phone alice=nothing", "open-backup mallory-a"],
        &["* Alice's server => mallory-a: keys in Alice's backup"],
    ),
    (
        "stolen-recovery-key",
        "keybase",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "send alice-phone",
            "steal-password bob",
            "steal-recovery bob",
            "open-backup mallory",
        ],
        &["* Bob's server => mallory: keys in Bob's backup, by the recovery key"],
    ),
    (
        "planted-backup",
        "matrix-js-sdk-19.6",
        &["sign-in alice-phone", "sign-in bob-phone", "send alice-phone", "plant-backup mallory"],
        &["* Bob's server: names its own backup as Bob's", "* bob-phone => mallory: keys, as a backup"],
    ),
    (
        "phished-link",
        "imessage",
        &["sign-in bob-phone", "steal-password bob", "phish-link bob-phone mallory"],
        &[
            "* Bob -> mallory: tricked: reads out the code",
            "* mallory -> Bob's server: signs in with password and code",
            "(Bob): sees ▲mallory on the account",
            WARNED,
        ],
    ),
    (
        "phished-link",
        "signal",
        &["sign-in bob-phone", "phish-link bob-phone mallory"],
        &[
            "* mallory -> Bob: passes for Bob's device",
            "* bob-phone -> mallory: approves ▲mallory",
            "(Bob): sees ▲mallory on the account",
            WARNED,
        ],
    ),
];

#[test]
fn what_the_adversary_takes_is_called_what_it_is() {
    are_drawn(TAKEN);
}

/// Who answers, what is said beside what is true, and what is seen of it.
const ANSWERS: &[Step] = &[
    // Of an identity only what is not as it is needs a word.
    (
        "server-of-recipient",
        "matrix-cross-signing-tofu",
        &["sign-in alice-phone", "sign-in bob-phone", "publish-identity bob-phone", "look-up alice-phone bob=nothing"],
        &[
            "alice-phone -> Bob's server: Bob's devices?",
            "* Bob's server -> alice-phone: told: no identity; bob-phone [true: Bob's identity; bob-phone]",
        ],
    ),
    (
        "server-of-recipient",
        "matrix-cross-signing-tofu",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "publish-identity bob-phone",
            "look-up alice-phone bob=true+mallory",
        ],
        &[
            "alice-phone -> Bob's server: Bob's devices?",
            "* Bob's server -> alice-phone: told: bob-phone, ▲mallory [true: bob-phone]",
        ],
    ),
    (
        "tls-breaker-at-sender",
        "ghost-user",
        &["sign-in alice-phone", "send alice-phone bob=stealth+mallory"],
        &[
            "alice-phone: Alice sends a message",
            "alice-phone -> adversary on the link of alice-phone: Bob's devices?",
            "* adversary on the link of alice-phone -> alice-phone: told: forged identity; ▲mallory \
             [true: no identity; no device]",
            "* alice-phone: takes the forged identity for Bob's",
            "* alice-phone => mallory: room key",
        ],
    ),
    (
        "server-of-sender",
        "imessage",
        &["sign-in alice-phone", "send alice-phone bob=nothing+mallory"],
        &[
            "alice-phone: Alice sends a message",
            "alice-phone -> Alice's server: Bob's devices?",
            "* Alice's server -> alice-phone: told: ▲mallory [true: no device]",
            "* alice-phone => mallory: room key",
        ],
    ),
    (
        "server-of-recipient-hurried",
        "ssh-known-hosts",
        &["sign-in alice-phone", "look-up alice-phone bob=stealth", "acknowledge alice-phone bob"],
        &["* alice-phone: takes the forged identity for Bob's", "* (Alice): asked: takes Bob's new identity"],
    ),
    (
        "reused-device-id-at-server",
        "matrix-tofu",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "send alice-phone",
            "look-up alice-phone bob=nothing~bob-phone",
            "reshare-keys alice-phone mallory bob=nothing~bob-phone+mallory",
        ],
        &[
            "* mallory -> alice-phone: asks for a lost key again, as bob-phone",
            "alice-phone -> Bob's server: Bob's devices?",
            "* Bob's server -> alice-phone: told: ▲mallory [true: bob-phone]",
            "* alice-phone => mallory: the key of an old message",
        ],
    ),
    (
        "invite-history",
        "keybase",
        &["sign-in alice-phone", "send alice-phone", "invite alice-phone bob=forged+mallory"],
        &[
            "alice-phone -> Bob: invites Bob into the room",
            "alice-phone -> Bob's server: Bob's devices?",
            "* Bob's server -> alice-phone: told from another log: forged identity; ▲mallory \
             [true: no identity; no device]",
            "* alice-phone: takes the forged identity for Bob's",
            "* alice-phone => mallory: keys of earlier messages",
        ],
    ),
    (
        "fresh-login-swap",
        "matrix-2020-cross-signing-default",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "publish-identity alice-phone",
            "swap-in-ceremony alice-phone bob",
        ],
        &[
            "Alice <-> Bob: compare what both show: it matches",
            "* Bob's server -> alice-phone: told: forged identity under the compared id [true: no identity]",
            "* alice-phone: takes the forged identity for Bob's",
        ],
    ),
    (
        "server-of-recipient-inattentive",
        "matrix-riot-2019",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "overlook-device alice-phone mallory",
            "send alice-phone bob=nothing~bob-phone+mallory",
        ],
        &[
            "alice-phone: Alice sends a message",
            "alice-phone -> Bob's server: Bob's devices?",
            "* Bob's server -> alice-phone: told: ▲mallory [true: bob-phone]",
            "* (Alice): sees ▲mallory as verified",
            "* alice-phone => mallory: room key",
        ],
    ),
    (
        "server-of-recipient-hurried",
        "matrix-riot-2019",
        &[
            "sign-in alice-phone",
            "sign-in bob-phone",
            "verify-device alice-phone bob-phone",
            "send alice-phone",
            "forward-keys bob-phone mallory bob=nothing+mallory",
        ],
        &[
            "* mallory -> bob-phone: asks for old keys",
            "bob-phone -> Bob's server: my devices?",
            "* Bob's server -> bob-phone: told: bob-phone, ▲mallory [true: bob-phone]",
            "(Bob): sees ▲mallory on the account",
            WARNED,
            "* (Bob): asked about ▲mallory, says yes",
            "* bob-phone => mallory: old keys",
        ],
    ),
];

#[test]
fn an_answer_stands_beside_the_truth() {
    are_drawn(ANSWERS);
}

/// At the end of a trace in which the adversary reads nothing, what it did means something for messages to come.
const LOCK_OUTS: &[Step] = &[
    (
        "fresh-login-swap",
        "ghost-user",
        &["sign-in alice-phone", "sign-in bob-phone", "forge-identity bob"],
        &["* Bob's server: forged identity of Bob", "* alice-phone: a message would now miss bob-phone"],
    ),
    (
        "added-member",
        "matrix-riot-2019",
        &["sign-in alice-phone", "add-member eve"],
        &[
            "* adversary -> Alice's server: puts Eve into the room, uninvited",
            "* alice-phone: a message would now be refused",
        ],
    ),
    (
        "server-of-sender",
        "matrix-error-on-verified-user-problem",
        &["sign-in alice-phone", "publish-identity alice-phone replaced mallory-a"],
        &[
            "alice-phone -> Alice's server: publishes Alice's identity",
            "* Alice's server: lists: forged identity [sent: identity]",
            "* alice-phone: a message would now be refused",
        ],
    ),
];

#[test]
fn a_lock_out_is_told_by_what_a_message_would_miss() {
    are_drawn(LOCK_OUTS);
}

#[test]
fn a_diagram_for_mermaid_is_written_like_this() {
    let Case { world, names, actions, .. } = case("server-of-recipient", "matrix-tofu", &LISTENER[..3]);
    let drawn = chart(&world, &names, &actions).expect("a trace");
    let expected = "\
sequenceDiagram
  participant p0 as alice-phone<br/>Alice's
  box rgba(220, 50, 50, 0.18) the adversary
  participant p1 as ▲ mallory<br/>the adversary's, passed off as Bob's
  participant p2 as ▲ Bob's server<br/>held by the adversary
  end
  participant p3 as bob-phone<br/>Bob's
  Note over p0: 1. Alice signs in
  rect rgba(220, 50, 50, 0.18)
  p3->>p2: 2. Bob signs in
  Note over p2: ▲ reads Bob's password
  end
  rect rgba(220, 50, 50, 0.18)
  Note over p0: 3. Alice sends a message
  p0->>p2: Bob's devices?
  p2-->>p0: ▲ told#58; bob-phone, ▲mallory<br/>true#58; bob-phone
  p0->>p3: room key
  p0-->>p1: ▲ room key
  end
";
    assert_eq!(mermaid(&drawn), expected);
}

#[test]
fn a_log_that_nobody_else_sees_is_found_by_comparing() {
    let lines = ["sign-in alice-phone", "send alice-phone bob=stealth+mallory", "compare-logs alice-phone"];
    let Case { world, names, actions, .. } = case("split-view", "key-transparency-gossip", &lines);
    let drawn = chart(&world, &names, &actions).expect("a trace");
    let told = drawn.rows.iter().find(|row| row.truth.is_some()).expect("a lie");
    assert_eq!(told.label, "told from another log: forged identity; ▲mallory");
    assert_eq!(told.truth.as_deref(), Some("true: no identity; no device"));
    let warning = drawn.rows.last().expect("a row");
    assert_eq!((warning.kind, warning.label.as_str()), (RowKind::Warning, "is warned about Bob"));
    assert_eq!(drawn.lanes[warning.to].name, "Alice");
}

#[test]
fn a_stolen_device_is_the_adversarys_from_the_theft_on() {
    let lines = ["sign-in bob-laptop", "sign-in alice-phone", "steal-device bob-laptop", "send alice-phone"];
    let Case { world, names, actions, .. } = case("stolen-device", "matrix-tofu", &lines);
    let drawn = chart(&world, &names, &actions).expect("a trace");
    let stolen = drawn.lanes.iter().position(|lane| lane.name == "bob-laptop").expect("it takes part");
    assert_eq!((drawn.lanes[stolen].adversary, drawn.lanes[stolen].stolen_in), (false, Some(3)));
    let reds: Vec<_> = drawn
        .rows
        .iter()
        .filter(|row| [row.from, row.to].contains(&stolen))
        .map(|row| (row.step, row.adversary))
        .collect();
    assert_eq!(reds, [(1, false), (3, true), (4, true)]);
    let image = svg(&drawn, "a", "Stolen", "A device is stolen.");
    let lives = |class: &str| image.matches(&format!("<g class=\"{class}\"><path d=\"M")).count();
    assert_eq!((lives("x"), lives("m") - 4), (1, drawn.lanes.len()), "its line changes once; four steps have a line");
}
