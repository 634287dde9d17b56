//! What changes from one model to another: what is lost, what is won, and what it costs.

mod output;

use output::{code, err, out};
use overhear::report::diff::{Axis, Change, Outcome, Runs, Side, difference, runs_text, text};
use serde_json::{Value, json as value};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn diff_in(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
    command.arg("diff").args(arguments).current_dir(dir).env("NO_COLOR", "1").output().expect("the program starts")
}

fn diff(arguments: &[&str]) -> Output {
    diff_in(Path::new("."), arguments)
}

fn json(arguments: &[&str]) -> Value {
    let told = diff(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&out(&told)).expect("valid JSON")
}

const THIEF: [&str; 3] = ["password-thief", "server-of-recipient", "--models"];

#[test]
fn what_the_second_model_loses_decides_the_exit_code() {
    let cases: [(&[&str], i32); 7] = [
        (&["password-thief", "--models", "signal", "signal-password"], 1),
        (&["password-thief", "--models", "signal-password", "signal"], 0),
        (&["--models", "signal,signal", "password-thief", "--max-states", "10"], 2),
        (&["password-thief", "--models", "signal,signal"], 0),
        (&["password-thief", "--models", "matrix-tofu", "matrix-tofu-linked", "--max-states", "10"], 3),
        (&["password-thief", "--models", "matrix-tofu", "matrix-tofu-linkd"], 2),
        // Where neither leaves the adversary a move, they do not differ.
        (&["number-hijack", "--models", "matrix-tofu", "matrix-tofu-linked"], 0),
    ];
    for (arguments, expected) in cases {
        let told = diff(arguments);
        assert_eq!(code(&told), expected, "{arguments:?}\n{}{}", out(&told), err(&told));
    }
    assert!(out(&diff(&["--help"])).contains("Exit code 1 if the second loses a property"));
}

#[test]
fn two_models_are_compared_and_no_other_number() {
    for models in ["signal", "signal,signal-verified,matrix-tofu"] {
        let refused = diff(&["password-thief", "--models", models]);
        assert_eq!((code(&refused), out(&refused)), (2, String::new()));
        assert!(err(&refused).contains("usage: overhear diff [SCENARIO…] --models A B"), "{}", err(&refused));
    }
}

#[test]
fn a_text_names_axes_attacks_and_how_to_explain_them() {
    let told = out(&diff(&[&THIEF[..], &["signal", "signal-password"]].concat()));
    let parts = [
        "signal → signal-password\n",
        "\n  joining: existing-device → password\n      signal: Signal-Server",
        "\nWhat signal-password loses: attacks that signal withstands\n",
        "      overhear explain password-thief --model signal-password --property no-rogue-key --arrives from-start\n",
        "\nWhat it asks of people",
        " lost, 0 won, ",
    ];
    for part in parts {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    assert!(!told.contains("that are gone"), "{told}");
    // Every command it names tells an attack.
    let commands = told.lines().filter_map(|line| line.trim().strip_prefix("overhear "));
    let told = commands.map(|command| {
        let mut explain = Command::new(env!("CARGO_BIN_EXE_overhear"));
        let told = out(&explain.args(command.split(' ')).output().expect("the program starts"));
        assert!(told.contains("Violated in "), "{command}\n{told}");
    });
    assert!(told.count() > 3);
}

#[test]
fn turned_round_what_was_lost_is_won() {
    let [forth, back] =
        [["matrix-tofu", "signal"], ["signal", "matrix-tofu"]].map(|m| json(&[&THIEF[..], &m].concat()));
    assert_eq!(forth["compared"], back["compared"]);
    let turned = |word: &str| {
        match word {
            "lost" => "won",
            "won" => "lost",
            "shorter-attack" => "longer-attack",
            "longer-attack" => "shorter-attack",
            other => return other.to_string(),
        }
        .to_string()
    };
    let rows = |of: &Value| of["verdicts"].as_array().expect("a list").clone();
    assert!(!rows(&forth).is_empty() && rows(&forth).len() == rows(&back).len());
    for (x, y) in rows(&forth).iter().zip(rows(&back)) {
        assert_eq!((&x["scenario"], &x["arrives"], &x["property"]), (&y["scenario"], &y["arrives"], &y["property"]));
        assert_eq!((&x["a"], &x["b"]), (&y["b"], &y["a"]));
        assert_eq!(turned(x["change"].as_str().expect("a word")), y["change"], "{x}");
    }
}

#[test]
fn it_says_of_each_verdict_what_compare_says() {
    let compared = Command::new(env!("CARGO_BIN_EXE_overhear"))
        .args(["compare", THIEF[0], THIEF[1], "--models", "matrix-tofu,signal", "--format", "json"])
        .output();
    let compared: Value = serde_json::from_str(&out(&compared.expect("it starts"))).expect("valid JSON");
    let cells = compared["cells"].as_array().expect("cells");
    let verdict = |model: &str, row: &Value| {
        let same =
            |c: &&Value| c["model"] == model && c["scenario"] == row["scenario"] && c["arrives"] == row["arrives"];
        let verdicts = cells.iter().find(same).expect("the cell")["verdicts"].as_array().expect("verdicts").clone();
        verdicts.into_iter().find(|v| v["property"] == row["property"]).expect("the property")
    };
    for row in json(&[&THIEF[..], &["matrix-tofu", "signal"]].concat())["verdicts"].as_array().expect("a list") {
        for (side, model) in [("a", "matrix-tofu"), ("b", "signal")] {
            let (told, found) = (&row[side], verdict(model, row));
            assert_eq!((&told["verdict"], &told["length"]), (&found["verdict"], &found["length"]), "{row}");
            assert_eq!(told["trace"], found["trace"], "{row}");
        }
    }
}

#[test]
fn the_same_bytes_come_out_at_any_number_of_threads() {
    for format in ["text", "json"] {
        let models = ["matrix-tofu", "signal", "--format", format, "--jobs"];
        let with = |jobs| diff(&[&THIEF[..], &models, &[jobs]].concat()).stdout;
        assert!(!with("1").is_empty() && with("1") == with("2"), "--format {format}");
    }
}

/// A run of the password thief under two models, as a file.
fn run_file(dir: &Path) -> Value {
    let asked = ["compare", "password-thief", "--models", "matrix-tofu,signal", "--format", "json"];
    let output = Command::new(env!("CARGO_BIN_EXE_overhear")).args(asked).output().expect("it runs");
    std::fs::write(dir.join("before.json"), &output.stdout).expect("written");
    serde_json::from_slice(&output.stdout).expect("valid JSON")
}

/// The first verdict of the run that is `word`, and its place.
fn first_verdict<'r>(run: &'r mut Value, word: &str) -> &'r mut Value {
    let cells = run["cells"].as_array_mut().expect("cells").iter_mut();
    let mut verdicts = cells.flat_map(|c| c["verdicts"].as_array_mut().expect("verdicts"));
    verdicts.find(|v| v["verdict"] == word).expect("there is one")
}

#[test]
fn runs_are_compared_verdict_by_verdict() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let before = run_file(dir.path());
    let compared = |run: &Value, exit: i32| {
        std::fs::write(dir.path().join("after.json"), run.to_string()).expect("written");
        let output = diff_in(dir.path(), &["before.json", "after.json"]);
        let text = String::from_utf8_lossy(&output.stdout).to_string();
        assert_eq!(output.status.code(), Some(exit), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let verdicts: usize =
        before["cells"].as_array().expect("cells").iter().map(|c| c["verdicts"].as_array().map_or(0, Vec::len)).sum();
    assert!(compared(&before, 0).contains(&format!("{verdicts} verdicts of 2 models: 0 lost, 0 won")));

    let mut lost = before.clone();
    let verdict = first_verdict(&mut lost, "holds");
    (verdict["verdict"], verdict["length"], verdict["trace"]) = ("violated".into(), 1.into(), value!(["arrive"]));
    let text = compared(&lost, 1);
    assert!(text.contains("What after.json loses") && text.contains(": 1 lost, 0 won"), "{text}");

    let mut otherwise = before.clone();
    first_verdict(&mut otherwise, "violated")["trace"][0] = "sign-in bob-phone".into();
    let text = compared(&otherwise, 0);
    assert!(text.contains("Other attacks of the same length") && text.contains("1 with others"), "{text}");

    let mut later = before.clone();
    let verdict = first_verdict(&mut later, "violated");
    verdict["length"] = 5.into();
    verdict["trace"].as_array_mut().expect("a trace").push("arrive".into());
    assert!(compared(&later, 0).contains("FALLS 4 → FALLS 5"));

    let mut dearer = before.clone();
    dearer["costs"][0]["set-up"]["prompts"] = 9.into();
    assert!(compared(&dearer, 0).contains("0 → 9p"), "{}", compared(&dearer, 0));

    let mut fewer = before.clone();
    fewer["cells"].as_array_mut().expect("cells").remove(0);
    assert!(compared(&fewer, 0).contains("Only in before.json: password-thief, matrix-tofu, from-start."));

    let mut unknown = before.clone();
    let verdict = first_verdict(&mut unknown, "holds");
    (verdict["verdict"], verdict["why"]) = ("vacuous".into(), "nobody attacks".into());
    let text = compared(&unknown, 4);
    assert!(text.contains("Nobody attacks."), "{text}");
    let verdict = first_verdict(&mut unknown, "vacuous");
    (verdict["verdict"], verdict["stopped-by"]) = ("unknown".into(), "the limit on states".into());
    let text = compared(&unknown, 3);
    assert!(text.contains("Stopped by the limit on states."), "{text}");
    for cell in unknown["cells"].as_array_mut().expect("cells") {
        cell["model"] = "another".into();
    }
    compared(&unknown, 4);
}

#[test]
fn what_two_runs_differ_in_is_there_for_programs() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut after = run_file(dir.path());
    let verdict = first_verdict(&mut after, "holds");
    (verdict["verdict"], verdict["length"], verdict["trace"]) = ("violated".into(), 1.into(), value!(["arrive"]));
    let alone = after["cells"].as_array_mut().expect("cells").pop().expect("a cell");
    fs::write(dir.path().join("after.json"), after.to_string()).expect("written");
    let told = diff_in(dir.path(), &["before.json", "after.json", "--format", "json"]);
    assert_eq!(code(&told), 1, "{}", err(&told));
    let told: Value = serde_json::from_str(&out(&told)).expect("valid JSON");
    let words = [&alone["scenario"], &alone["model"], &alone["arrives"]].map(|word| word.as_str().expect("a word"));
    assert_eq!(told["a"], value!({ "run": "before.json", "alone": [words.join(", ")] }));
    assert_eq!(told["b"], value!({ "run": "after.json", "alone": [] }));
    let changed: Vec<&Value> = told["models"].as_array().expect("models").iter().map(|m| &m["verdicts"]).collect();
    assert_eq!(changed.iter().map(|all| all.as_array().map_or(0, Vec::len)).sum::<usize>(), 1);
    assert_eq!((&changed[0][0]["change"], &changed[0][0]["b"]["trace"]), (&value!("lost"), &value!(["arrive"])));
}

/// What each model's searches came to in another run, against the run before.
fn models_against_before(dir: &Path, after: &Value) -> Vec<Value> {
    fs::write(dir.join("after.json"), after.to_string()).expect("written");
    let told = out(&diff_in(dir, &["before.json", "after.json", "--format", "json"]));
    let told: Value = serde_json::from_str(&told).expect("valid JSON");
    told["models"].as_array().expect("models").clone()
}

#[test]
fn each_model_of_two_runs_has_the_costs_and_reasons_of_its_own() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let before = run_file(dir.path());
    let mut after = before.clone();
    let (name, cost) = (after["costs"][1]["model"].clone(), &mut after["costs"][1]["set-up"]);
    assert_eq!(name, "signal");
    *cost = value!({ "ceremonies": 7, "prompts": 9 });
    // With a password that opens nothing the thief of it has no move under Signal, and in the second run it has one.
    let cells = after["cells"].as_array_mut().expect("cells").iter_mut();
    let verdict = &mut cells.last().expect("a cell")["verdicts"][0];
    assert!(verdict.as_object_mut().expect("a verdict").remove("no-move").is_some());
    let property = verdict["property"].clone();
    let [tofu, signal] = &models_against_before(dir.path(), &after)[..] else { panic!("two models were searched") };
    assert_eq!((&tofu["model"], &tofu["costs"], &tofu["verdicts"]), (&value!("matrix-tofu"), &value!([]), &value!([])));
    assert_eq!((&signal["model"], &signal["costs"][0]["b"]), (&value!("signal"), &value!("7c 9p")));
    let expected = value!({
        "scenario": "password-thief", "arrives": "after-first-contact", "property": property, "change": "moves",
        "a": { "verdict": "holds", "says": "The adversary has no move with `joining: existing-device`." },
        "b": { "verdict": "holds" },
    });
    assert_eq!(signal["verdicts"], value!([expected]));
}

#[test]
fn what_is_not_conclusive_in_a_kept_run_has_its_reason() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let before = run_file(dir.path());
    for (verdict, key, why, says) in [
        ("unknown", "stopped-by", "the limit on states", "Stopped by the limit on states."),
        ("vacuous", "why", "nobody attacks", "Nobody attacks."),
    ] {
        let mut after = before.clone();
        let first = first_verdict(&mut after, "holds");
        (first["verdict"], first[key]) = (verdict.into(), why.into());
        let told = &models_against_before(dir.path(), &after)[0]["verdicts"];
        assert_eq!(told[0]["b"], value!({ "verdict": verdict, "says": says }));
        // A run need not say why: then no reason is made up.
        first_verdict(&mut after, verdict).as_object_mut().expect("a verdict").remove(key);
        let told = &models_against_before(dir.path(), &after)[0]["verdicts"];
        assert_eq!(told[0]["b"], value!({ "verdict": verdict }));
    }
}

/// Whatever the files are called: the commands find them, and a shell takes them.
#[test]
fn commands_about_kept_runs_find_the_files_of_ones_own() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let overhear = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
        command.args(arguments).current_dir(dir.path()).output().expect("the program starts")
    };
    overhear(&["init", "."]);
    fs::rename(dir.path().join("my-scenario.json"), dir.path().join("the thief.json")).expect("it is there");
    let run = overhear(&["compare", "the thief.json", "--models", "my-model.json", "--format", "json"]);
    fs::write(dir.path().join("falls.json"), &run.stdout).expect("written");
    let mut held: Value = serde_json::from_slice(&run.stdout).expect("valid JSON");
    first_verdict(&mut held, "violated")["verdict"] = "holds".into();
    fs::write(dir.path().join("holds.json"), held.to_string()).expect("written");
    let told = overhear(&["diff", "holds.json", "falls.json"]);
    assert!(code(&told) == 1 && out(&told).contains("\nModel my-model\n"), "{}{}", out(&told), err(&told));
    let command = out(&told).lines().find_map(|l| l.trim().strip_prefix("overhear ").map(str::to_string));
    let command = command.expect("a command that tells the attack");
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", &format!("\"$0\" {command}"), env!("CARGO_BIN_EXE_overhear")]);
    let explained = shell.current_dir(dir.path()).output().expect("a shell");
    assert!(out(&explained).contains("Violated in "), "{command}: {}", err(&explained));
}

#[test]
fn a_file_that_is_no_run_is_refused_where_it_is_wrong() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut run = run_file(dir.path());
    run["cells"][0]["verdicts"][0]["verdict"] = "hold".into();
    std::fs::write(dir.path().join("after.json"), serde_json::to_string_pretty(&run).expect("JSON")).expect("written");
    let refused = diff_in(dir.path(), &["before.json", "after.json"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.starts_with("after.json:") && said.contains("did you mean `holds`"), "{said}");
    for arguments in [&["before.json"][..], &[], &["before.json", "missing.json"]] {
        assert_eq!(diff_in(dir.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn two_files_may_have_the_same_name() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = overhear::bundle::find_model("matrix-tofu").expect("bundled");
    let (old, new) = ("{ \"value\": \"any-own-device\"", "{ \"value\": \"never\"");
    assert_eq!(file.text.matches(old).count(), 1, "the model hands old keys to any own device");
    fs::write(dir.path().join("old.json"), &file.text).expect("written");
    let changed = file
        .text
        .replace(old, new)
        .replace("\"matrix-js-sdk, src/crypto/DeviceList.js@", "\"Read again in DeviceList.js@");
    fs::write(dir.path().join("new.json"), changed).expect("written");
    let told = diff_in(dir.path(), &["password-thief", "--models", "old.json", "new.json"]);
    assert_eq!(code(&told), 0, "{}", err(&told));
    let parts = [
        "old.json → new.json\n",
        "\n  own-requests: any-own-device → never\n",
        "\nThe same value from another source: pins.\n",
        " --model old.json --property past-stays-private",
    ];
    for part in parts {
        assert!(out(&told).contains(part), "{part} is not in\n{}", out(&told));
    }
}

#[test]
fn a_difference_needs_no_search() {
    let side = |verdict: &'static str, steps: usize| Side {
        name: "a".to_string(),
        word: "a".to_string(),
        axes: vec![Axis { name: "pins".to_string(), value: "synced".to_string(), source: None }],
        outcomes: vec![Outcome {
            scenario: "s".to_string(),
            word: "s".to_string(),
            arrives: None,
            property: "no-rogue-key".to_string(),
            verdict,
            sign: verdict.to_string(),
            attack: vec!["send".to_string(); steps],
            says: String::new(),
            no_move: false,
            only_asked: false,
        }],
        costs: vec![("set up", "0".to_string())],
    };
    let cases = [
        (("holds", 0), ("violated", 3), Some(Change::Lost)),
        (("violated", 3), ("holds", 0), Some(Change::Won)),
        (("violated", 3), ("violated", 2), Some(Change::Sooner)),
        (("violated", 2), ("violated", 3), Some(Change::Later)),
        (("violated", 2), ("violated", 2), None),
        (("holds", 0), ("holds", 0), None),
        (("unknown", 0), ("unknown", 0), Some(Change::Undecided)),
        (("vacuous", 0), ("holds", 0), Some(Change::Undecided)),
    ];
    for (a, b, expected) in cases {
        let (x, y) = (side(a.0, a.1), side(b.0, b.1));
        let found = difference(&x, &y, false);
        assert_eq!((found.outcomes.first().map(|o| o.0), found.compared), (expected, 1), "{a:?} {b:?}");
        assert!(found.axes.is_empty() && found.costs.is_empty());
    }
}

/// A side of one model with an outcome for each of the properties, without an attack, for the reasons `says`.
fn without_attacks(verdict: &'static str, cost: &str, says: &[(&str, &str)]) -> Side {
    let outcome = |(property, says): &(&str, &str)| Outcome {
        scenario: "s".to_string(),
        word: "s".to_string(),
        arrives: None,
        property: property.to_string(),
        verdict,
        sign: verdict.to_string(),
        attack: Vec::new(),
        says: says.to_string(),
        no_move: false,
        only_asked: false,
    };
    Side {
        name: verdict.to_string(),
        word: verdict.to_string(),
        axes: Vec::new(),
        outcomes: says.iter().map(outcome).collect(),
        costs: vec![("set up", cost.to_string()), ("reset", "1c".to_string())],
    }
}

#[test]
fn what_has_the_same_reasons_is_told_once() {
    let [lock, leak, rogue] = ["no-lock-out", "no-silent-leak", "no-rogue-key"];
    let held = without_attacks("holds", "0", &[(lock, ""), (leak, ""), (rogue, "")]);
    let cut = without_attacks("unknown", "2c", &[(lock, "Too long."), (leak, "Too large."), (rogue, "Too long.")]);
    let found = difference(&held, &cut, true);
    let words = text(&found).split_whitespace().collect::<Vec<_>>().join(" ");
    let once = "s: holds → unknown: no-lock-out, no-rogue-key unknown: Too long. \
                s: holds → unknown: no-silent-leak unknown: Too large. ";
    assert!(words.contains(once), "{words}");
    let told = overhear::report::diff::json(&found);
    assert_eq!(told["costs"], value!([{ "what": "set up", "a": "0", "b": "2c" }]));
    assert_eq!(told["verdicts"][1]["a"], value!({ "verdict": "holds" }), "no reason is no text");
    assert_eq!(told["verdicts"][1]["b"], value!({ "verdict": "unknown", "says": "Too large." }));
}

#[test]
fn ten_searches_are_named_that_only_one_run_has() {
    let told = |alone: usize| {
        let searches = (0..alone).map(|n| format!("search-{n}")).collect();
        runs_text(&Runs { names: ["a.json", "b.json"], models: Vec::new(), alone: [searches, Vec::new()] })
    };
    let words = |alone| told(alone).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(10).contains("Only in a.json: search-0; ") && words(10).contains("; search-9. "), "{}", words(10));
    for (alone, more) in [(11, 1), (12, 2)] {
        assert!(words(alone).contains(&format!("; search-9 and {more} more. ")), "{}", words(alone));
    }
}
