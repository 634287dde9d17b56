//! What changes from one model to another: what is lost, what is won, and what it costs.

mod output;

use output::{code, err, out};
use serde_json::Value;
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
    assert!(out(&diff(&["--help"])).contains("Exit code 1 if the second model loses a property"));
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
    use overhear::report::diff::{Axis, Change, Outcome, Side, difference};
    let side = |verdict: &'static str, steps: usize| Side {
        name: "a".to_string(),
        word: "a".to_string(),
        axes: vec![Axis { name: "pins".to_string(), value: "synced".to_string(), source: None }],
        outcomes: vec![Outcome {
            scenario: "s".to_string(),
            word: "s".to_string(),
            arrives: None,
            property: "no-rogue-key",
            verdict,
            sign: verdict.to_string(),
            attack: vec!["send".to_string(); steps],
            says: String::new(),
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
        let found = difference(&x, &y);
        assert_eq!((found.outcomes.first().map(|o| o.0), found.compared), (expected, 1), "{a:?} {b:?}");
        assert!(found.axes.is_empty() && found.costs.is_empty());
    }
}
