//! What `lint` finds in files: everything that a run refuses, at once, and what a run takes without a word.

mod output;

use output::{code, err, out};
use overhear::bundle;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A model that devices join by password, and one that they join by an existing device.
const MODELS: [&str; 2] = ["by-password", "by-link"];

fn overhear(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
    command.args(arguments).current_dir(dir).env("NO_COLOR", "1").output().expect("the program starts")
}

fn known(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/bad_input/known/{name}.json"));
    fs::read_to_string(path).expect("a readable file").replace("../../schemas/", "")
}

/// A folder with two models, and a scenario in which some texts are replaced.
fn folder(changes: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("model.schema.json"), overhear::schema::model()).expect("written");
    fs::write(dir.path().join("scenario.schema.json"), overhear::schema::scenario()).expect("written");
    for name in MODELS {
        fs::write(dir.path().join(format!("{name}.json")), known(name)).expect("written");
    }
    let change = |text: String, (from, to): &(&str, &str)| {
        assert!(text.contains(from), "{from} is in the scenario");
        text.replace(from, to)
    };
    let scenario = changes.iter().fold(known("scenario"), change);
    fs::write(dir.path().join("scenario.json"), scenario).expect("written");
    dir
}

/// What is found in the changed scenario under the two models.
fn lint(changes: &[(&str, &str)], more: &[&str]) -> Output {
    let dir = folder(changes);
    let arguments = ["lint", "scenario.json", "--models", "by-password.json,by-link.json"];
    overhear(dir.path(), &[&arguments[..], more].concat())
}

/// The codes that are found, each with its line and what it says.
fn findings(told: &Output) -> Vec<(String, u64, String)> {
    let told: Value = serde_json::from_str(&out(told)).unwrap_or_else(|e| panic!("{e}: {}", err(told)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let one = |f: &Value| (text(&f["code"]), f["line"].as_u64().unwrap_or(0), text(&f["message"]));
    told["findings"].as_array().expect("a list").iter().map(one).collect()
}

#[test]
fn bundled_files_leave_nothing_to_be_said() {
    let files = [bundle::model_files(), bundle::scenarios(), bundle::people_files()].concat();
    let names: Vec<&str> = files.iter().map(|file| file.name).collect();
    let told = overhear(Path::new("."), &[&["lint", "--strict"], &names[..]].concat());
    assert_eq!(code(&told), 0, "{}{}", out(&told), err(&told));
    assert_eq!(out(&told), format!("{} files: 0 errors, 0 warnings\n", names.len()));
}

#[test]
fn a_right_scenario_has_no_findings() {
    let told = lint(&[], &["--strict"]);
    assert_eq!((code(&told), out(&told).as_str()), (0, "1 file: 0 errors, 0 warnings\n"), "{}", err(&told));
}

/// What is replaced, by what, the code that it has, and a part of what is said.
type Case = (&'static str, &'static str, &'static str, &'static str);

const CASES: [Case; 16] = [
    ("{ \"joining\": \"existing-device\" }", "{ \"joining\": \"password\" }", "E130", "under the model `by-link`"),
    ("{ \"joining\": \"password\" }", "{}", "E131", "2 claims decide `no-rogue-key` under the model `by-link`"),
    (
        "\"property\": [\"no-silent-leak\"]",
        "\"property\": \"no-silent-leak\", \"arrives\": \"from-start\"",
        "E130",
        "no claim decides `no-silent-leak` under the models `by-password`, `by-link`, adversary after-first-contact",
    ),
    ("\"where\": {}", "\"where\": { \"pins\": \"synced\" }", "W201", "no cell: no selected model has `pins: synced`"),
    (
        "\"where\": {}",
        "\"where\": { \"pins\": [\"per-device\", \"synced\"] }",
        "W202",
        "no selected model has `pins: synced`",
    ),
    ("\"options\": []", "\"options\": [\"reset-identity\"]", "", ""),
    ("\"claims\": \"bob\"", "\"claims\": \"alice\"", "W204", "no power reaches the account of `alice`"),
    ("\"no-silent-leak\"", "\"no-uninvited-reader\"", "W206", "the adversary has no account"),
    ("\"no-silent-leak\"", "\"removal-ends-access\"", "W206", "without the option `remove-device`"),
    (
        "{ \"power\": \"steal-password\", \"of\": \"bob\" }",
        "{ \"power\": \"steal-password\", \"of\": \"bob\" }, { \"power\": \"hijack-number\", \"of\": \"bob\" }",
        "W126",
        "no selected model lets a number replace an account or asks for a code sent to it",
    ),
    ("\"of\": \"bob\"", "\"of\": \"bobby\"", "E110", "`bobby` is not an honest person in this file"),
    ("\"senders\"", "\"sender\"", "E008", "`sender` is not a key"),
    ("scenario.schema.json", "schemas/scenario.schema.json", "W212", "no schema is at `schemas/scenario.schema.json`"),
    ("scenario.schema.json", "https://example.org/scenario.schema.json", "", ""),
    ("\"steal-password\"", "\"break-tls\"", "", ""),
    ("\"options\": []", "\"options\": [\"change-password\"]", "", ""),
];

#[test]
fn each_finding_has_a_code_and_a_place() {
    for (from, to, expected, part) in CASES {
        let told = lint(&[(from, to)], &["--format", "json"]);
        let found = findings(&told);
        let right = |(code, line, says): &(String, u64, String)| code == expected && *line > 0 && says.contains(part);
        let met = if expected.is_empty() { found.is_empty() } else { found.iter().any(right) };
        assert!(met, "{from} → {to}: {found:?}");
        let wrong = found.iter().any(|f| f.0.starts_with('E'));
        assert_eq!(code(&told), if wrong { 2 } else { 0 }, "{from} → {to}");
    }
}

#[test]
fn what_needs_two_changes_is_found_too() {
    let steal = "{ \"power\": \"steal-password\", \"of\": \"bob\" }";
    let device = "{ \"power\": \"steal-device\", \"of\": \"bob-phone\" }";
    let rogue = "{ \"name\": \"mallory\", \"claims\": \"bob\" }";
    let (with, people) = (|option: &str| format!("\"options\": [\"{option}\"]"), "\"bob-phone\", \"bob-laptop\"");
    let alice = "{ \"name\": \"alice\", \"server\": \"alice.example\", \"care\": \"careful\", ";
    let alice = format!("{alice}\"in-room\": \"at-first\", \"devices\": [\"alice-phone\"] }},");
    type Changes<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Changes, &str, &str); 4] = [
        (&[(rogue, ""), ("\"options\": []", &with("remove-device"))], "W203", "no device of the adversary's to remove"),
        (&[(steal, device), ("\"options\": []", &with("change-password"))], "W203", "never learns a password"),
        (&[(rogue, "")], "W206", "`no-rogue-key` cannot fail: the adversary has no device"),
        (&[(&alice, ""), (people, "\"alice-phone\"")], "W205", "there is nobody to send to"),
    ];
    for (changes, expected, part) in cases {
        let found = findings(&lint(changes, &["--format", "json"]));
        assert!(found.iter().any(|f| f.0 == expected && f.2.contains(part)), "{changes:?}: {found:?}");
    }
}

#[test]
fn an_arrival_is_named_where_there_is_another() {
    let claim = ("{ \"joining\": \"existing-device\" }", "{ \"joining\": \"in-person\" }");
    let arrives = "\"from-start\", \"after-first-contact\"";
    let early = "\"property\": \"no-rogue-key\", \"expect\": \"holds\"";
    let late = "\"property\": \"no-rogue-key\", \"arrives\": \"after-first-contact\", \"expect\": \"holds\"";
    let undecided = |changes: &[(&str, &str)]| {
        let found = findings(&lint(changes, &["--format", "json"])).into_iter().filter(|f| f.0 == "E130");
        found.map(|f| f.2).collect::<Vec<_>>()
    };
    let cell = "no claim decides `no-rogue-key` under the model `by-link`";
    assert_eq!(undecided(&[claim]), [cell], "at neither time");
    assert_eq!(undecided(&[(early, late)]), [format!("{cell}, adversary from-start")]);
    assert_eq!(undecided(&[claim, (arrives, "\"from-start\"")]), [cell], "there is no other time");
}

#[test]
fn four_models_are_named_at_once() {
    let dir = folder(&[("{ \"joining\": \"existing-device\" }", "{ \"joining\": \"in-person\" }")]);
    let names = ["first", "second", "third", "fourth", "fifth", "sixth"];
    for name in names {
        let copy = known("by-link").replace("\"by-link\"", &format!("\"{name}\""));
        fs::write(dir.path().join(format!("{name}.json")), copy).expect("written");
    }
    let told = |models: usize| {
        let models = names[..models].iter().map(|name| format!("{name}.json")).collect::<Vec<_>>().join(",");
        let asked = ["lint", "scenario.json", "--models", &models, "--format", "json"];
        findings(&overhear(dir.path(), &asked)).into_iter().find(|f| f.0 == "E130").expect("it is undecided").2
    };
    let four = "no claim decides `no-rogue-key` under the models `first`, `second`, `third`, `fourth`";
    assert_eq!(told(4), four);
    assert_eq!(told(5), format!("{four} and 1 more"));
    assert_eq!(told(6), format!("{four} and 2 more"));
}

#[test]
fn what_matters_under_other_models_only_is_a_warning() {
    for (option, model, part) in [
        ("reset-identity", "by-password.json", "under no selected model is there an identity to replace"),
        ("change-password", "by-link.json", "under no selected model does a password open an account"),
    ] {
        let dir = folder(&[("\"options\": []", &format!("\"options\": [\"{option}\"]"))]);
        let asked = ["lint", "scenario.json", "--models", model, "--format", "json"];
        let told = overhear(dir.path(), &asked);
        let found = findings(&told);
        assert!(code(&told) == 0 && found.iter().any(|f| f.0 == "W203" && f.2.contains(part)), "{found:?}");
        assert!(found.iter().any(|f| f.0 == "W201"), "the claim about the other model decides nothing: {found:?}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let dir = folder(&[("{ \"joining\": \"existing-device\" }", "{ \"joining\": \"password\" }")]);
    fs::write(dir.path().join("neither.json"), "{ \"format\": 1 }").expect("written");
    fs::write(dir.path().join("broken.json"), "{").expect("written");
    let files = ["scenario.json", "neither.json", "broken.json", "absent.json", "signl", "by-password.json"];
    let told =
        overhear(dir.path(), &[&["lint"], &files[..], &["--models", "by-link.json", "--format", "json"]].concat());
    let codes: Vec<String> = findings(&told).into_iter().map(|f| f.0).collect();
    assert_eq!(code(&told), 2);
    assert_eq!(codes, ["E023", "E004", "E001", "E022", "E130", "E131"], "{}", out(&told));
    let text = overhear(dir.path(), &[&["lint"], &files[..]].concat());
    assert!(out(&text).contains("error[E022]") && out(&text).contains("did you mean `signal`?"), "{}", out(&text));
    assert!(err(&text).is_empty(), "{}", err(&text));
}

#[test]
fn a_model_under_which_nobody_reads_makes_a_scenario_vacuous() {
    let dir = folder(&[]);
    // Keys go to bound devices only, and nothing binds a device to anybody.
    let mute = known("by-password")
        .replace("\"recipients\": { \"value\": \"listed\"", "\"recipients\": { \"value\": \"bound\"");
    assert_ne!(mute, known("by-password"));
    fs::write(dir.path().join("mute.json"), mute.replace("\"by-password\"", "\"mute\"")).expect("written");
    let models = "by-password.json,by-link.json,mute.json";
    let told = overhear(dir.path(), &["lint", "scenario.json", "--models", models]);
    assert_eq!(code(&told), 4, "{}", out(&told));
    let said = "error[E150]: every verdict is vacuous under the model `mute`";
    assert!(out(&told).contains(said), "{}", out(&told));
    assert_eq!(code(&overhear(dir.path(), &["check", "scenario.json", "--models", "mute.json"])), 4, "as a run says");
    let short = overhear(dir.path(), &["lint", "scenario.json", "--models", "by-link.json", "--max-states", "1"]);
    assert!(out(&short).contains("under by-link: stopped by the limit on states"), "{}", out(&short));
    assert_eq!(code(&overhear(dir.path(), &["lint", "no-adversary", "--max-states", "1"])), 3);
}

#[test]
fn models_are_told_what_is_still_to_be_written() {
    let dir = folder(&[]);
    let model = known("by-password");
    let source = model.split("\"source\": \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a source");
    let open = model.replace(&format!("\"source\": \"{source}"), &format!("\"source\": \"TODO {source}"));
    fs::write(dir.path().join("open.json"), &open).expect("written");
    let told = overhear(dir.path(), &["lint", "open.json", "--format", "json"]);
    let found = findings(&told);
    assert_eq!(found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), ["W210"], "{found:?}");
    assert_eq!(code(&overhear(dir.path(), &["lint", "open.json", "--strict"])), 1);
    fs::write(dir.path().join("signal.json"), open.replace("\"by-password\"", "\"signal\"")).expect("written");
    let taken = findings(&overhear(dir.path(), &["lint", "signal.json", "--format", "json"]));
    assert!(taken.iter().any(|f| f.0 == "W211" && f.2.contains("another model of the name `signal`")), "{taken:?}");
}

/// What is found in a file about people like the bundled `typical`, changed in this way.
fn of_people(change: impl FnOnce(&mut Value)) -> Output {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let typical = bundle::people_files().into_iter().find(|file| file.name == "typical").expect("a bundled name");
    let mut people: Value = serde_json::from_str(typical.text).expect("JSON");
    people["$schema"] = "people.schema.json".into();
    change(&mut people);
    fs::write(dir.path().join("people.schema.json"), overhear::schema::people()).expect("written");
    fs::write(dir.path().join("mine.json"), serde_json::to_string_pretty(&people).expect("JSON")).expect("written");
    overhear(dir.path(), &["lint", "mine.json", "--format", "json"])
}

#[test]
fn people_are_looked_at() {
    assert_eq!(findings(&of_people(|_| {})), []);
    // What a run refuses as well; the words are pinned in `bad_input`.
    for (habit, key, value, expected) in [
        ("messages", "source", Value::from(" "), "E166"),
        ("messages", "value", 1e9.into(), "E163"),
        ("messages", "high", 2.0.into(), "E165"),
        ("messages", "low", Value::Null, "E164"),
        ("messages", "per", Value::Null, "E162"),
        ("messages", "basis", "guessed".into(), "E009"),
    ] {
        let told = of_people(|people| people["habits"][habit][key] = value.clone());
        assert_eq!(code(&told), 2, "{habit}.{key}: {value}");
        let codes: Vec<String> = findings(&told).into_iter().map(|f| f.0).collect();
        assert_eq!(codes, [expected], "{habit}.{key}: {value}: {}", out(&told));
    }
    let told = of_people(|people| people["habits"]["massages"] = people["habits"]["messages"].clone());
    assert_eq!(findings(&told)[0].0, "E160");
    let told = of_people(|people| drop(people["habits"].as_object_mut().map(|all| all.remove("messages"))));
    assert_eq!(findings(&told)[0].0, "E161");
    let told = of_people(|people| people["$schema"] = "absent.json".into());
    assert_eq!(findings(&told)[0].0, "W212");
}

#[test]
fn people_are_told_what_has_no_effect_and_what_is_still_to_be_written() {
    let told = of_people(|people| {
        for key in ["low", "high"] {
            people["habits"]["messages"][key] = people["habits"]["messages"]["value"].clone();
            // Nobody, and none of the range: so the rate of ceremonies and miscomparisons say nothing.
            people["habits"]["verifies"][key] = 0.into();
        }
        people["habits"]["verifies"]["value"] = 0.into();
        people["habits"]["resets"]["source"] = "TODO".into();
        people["about"] = "TODO: who are they?".into();
    });
    let found = findings(&told);
    let has = |code: &str, says: &str| found.iter().any(|f| f.0 == code && f.2.contains(says) && f.1 > 1);
    assert!(has("W213", "`messages` is assumed, and its range is one number, so nothing is swept"), "{found:?}");
    assert!(!has("W213", "`verifies`"), "that nobody does it is what they are: {found:?}");
    assert!(has("W214", "`ceremonies` has no effect: `verifies` is 0, so nobody holds ceremonies"), "{found:?}");
    assert!(has("W210", "sources are still to be named"), "{found:?}");
    assert!(has("W210", "`about` is still to be written") && code(&told) == 0, "{found:?}");
}

/// The habits that a finding of this code is about, in people with these numbers: the least, the value, the most.
fn told_of(code: &str, basis: &str, numbers: &[(&str, [f64; 3])]) -> Vec<String> {
    let told = of_people(|people| {
        for (habit, [low, value, high]) in numbers {
            let number = &mut people["habits"][habit];
            (number["low"], number["value"], number["high"]) = ((*low).into(), (*value).into(), (*high).into());
            number["basis"] = basis.into();
        }
    });
    let name = |says: &str| says.split('`').nth(1).unwrap_or_default().to_string();
    let found = findings(&told);
    assert!(found.iter().all(|f| f.0 == code), "{numbers:?}: {found:?}");
    found.iter().map(|f| name(&f.2)).collect()
}

#[test]
fn one_assumed_number_is_a_range_only_where_nobody_does_it_or_everybody() {
    let swept_not = |basis: &str, habit, range| told_of("W213", basis, &[(habit, range)]) == [habit];
    for (habit, one, is_told) in [
        ("takes-off", 0.5, true),
        ("takes-off", 0.0, false),
        ("takes-off", 1.0, false),
        ("log-outs", 4.0, true),
        ("log-outs", 0.0, false),
        // Once a year is not always.
        ("log-outs", 1.0, true),
    ] {
        assert_eq!(swept_not("assumed", habit, [one; 3]), is_told, "{habit}: {one}");
        assert!(!swept_not("measured", habit, [one; 3]), "{habit}: what was measured is not swept");
    }
    assert!(!swept_not("assumed", "takes-off", [0.5, 0.5, 0.6]));
    assert!(!swept_not("assumed", "log-outs", [0.0, 1.0, 1.0]));
}

#[test]
fn a_habit_is_told_that_only_counts_with_one_that_nobody_has() {
    let (never, perhaps, sometimes) = ([0.0; 3], [0.0, 0.0, 0.5], [0.1, 0.2, 0.3]);
    for (needed, habits) in [
        ("verifies", &["ceremonies", "miscompares", "overlooks"][..]),
        ("own-looks", &["takes-off"]),
        ("answers", &["clicks-through"]),
    ] {
        let told = |of_needed, of_habits| {
            let all = [(needed, of_needed)].into_iter().chain(habits.iter().map(|habit| (*habit, of_habits)));
            told_of("W214", "assumed", &all.collect::<Vec<_>>())
        };
        assert_eq!(told(never, sometimes), habits, "without {needed}");
        assert_eq!(told(never, perhaps), habits, "what is swept in vain, too");
        assert_eq!(told(perhaps, sometimes), [""; 0], "{needed} is swept to where they count");
        assert_eq!(told(never, never), [""; 0], "nobody does any of it");
        assert_eq!(told(sometimes, never), [""; 0], "nobody does what would count");
    }
}

#[test]
fn formats_and_usage_are_what_they_say() {
    let told = lint(&[("\"no-silent-leak\"", "\"no-uninvited-reader\"")], &["--format", "github"]);
    assert!(out(&told).starts_with("::warning file=scenario.json,line=20,col="), "{}", out(&told));
    let told = lint(&[("\"senders\"", "\"sender\"")], &["--format", "github"]);
    assert!(out(&told).starts_with("::error file=scenario.json,line=12,col="), "{}", out(&told));
    assert!(out(&told).contains("; did you mean `senders`?"), "{}", out(&told));
    assert_eq!(code(&overhear(Path::new("."), &["lint"])), 2);
    assert_eq!(code(&overhear(Path::new("."), &["lint", "signal", "--models", "signl"])), 2);
    assert!(out(&overhear(Path::new("."), &["lint", "--help"])).contains("Exit code 2 if a file is wrong"));
}

#[test]
fn every_code_has_a_test() {
    for source in ["scenario/lint", "command/lint"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{source}.rs"));
        let code = fs::read_to_string(path).expect("a source file");
        let codes = code.match_indices(['E', 'W']).map(|(at, _)| &code[at..]);
        let is_code = |c: &&str| c.len() > 4 && c[1..4].chars().all(|c| c.is_ascii_digit()) && c[4..].starts_with('"');
        for code in codes.filter(|c| c.is_char_boundary(4)).filter(is_code) {
            assert!(include_str!("lint.rs").contains(&code[..4]), "no test has {} of src/{source}.rs", &code[..4]);
        }
    }
}
