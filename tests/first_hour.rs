//! What a newcomer does first: a folder to begin with, a look at what is wrong in it, and what a change changes.

mod output;

use output::{code, err, out};
use overhear::bundle;
use overhear::scenario::{axis_values, read_model};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
    command.args(arguments).current_dir(dir).env("NO_COLOR", "1").output().expect("the program starts")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Every file below a folder with what it says; folders have no text.
fn tree(dir: &Path) -> BTreeMap<PathBuf, Option<String>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(tree(&path));
            all.insert(path, None);
        } else {
            let text = fs::read_to_string(&path).expect("UTF-8");
            all.insert(path, Some(text));
        }
    }
    all
}

#[test]
fn init_writes_a_folder_in_which_the_printed_commands_work() {
    let dir = folder();
    let begun = run(dir.path(), &["init", "my study"]);
    assert_eq!(code(&begun), 0, "{}", err(&begun));
    let said = out(&begun);
    let wrote: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("wrote ")).collect();
    assert_eq!(wrote.len(), 5, "{said}");
    assert!(wrote.iter().all(|path| dir.path().join(path).is_file()), "{said}");
    assert_eq!(tree(dir.path()).values().flatten().count(), wrote.len(), "nothing is left over");
    let study = dir.path().join("my study");
    let commands = said.lines().filter_map(|line| line.strip_prefix("  overhear "));
    let done = commands.map(|command| {
        let told = run(&study, &command.split(' ').collect::<Vec<_>>());
        assert_eq!(code(&told), 0, "{command}\n{}{}", out(&told), err(&told));
    });
    assert_eq!(done.count(), 4, "{said}");
    let readme = fs::read_to_string(study.join("README.md")).expect("a README");
    assert!(readme.lines().all(|line| line.starts_with("overhear") || line.chars().count() <= 100), "{readme}");
}

#[test]
fn the_way_into_the_folder_is_a_command_of_a_shell() {
    for (name, way) in [("study", "study"), ("my study", "-- 'my study'"), ("-it's", r"-- '-it'\''s'")] {
        let begun = run(folder().path(), &["init", "--", name]);
        assert!(out(&begun).contains(&format!("\n  cd {way}\n")), "{}{}", out(&begun), err(&begun));
    }
}

#[test]
fn init_copies_any_bundled_model_and_its_scenario_holds() {
    for base in bundle::model_files() {
        let dir = folder();
        let begun = run(dir.path(), &["init", "--from", base.name]);
        assert_eq!(code(&begun), 0, "{}", err(&begun));
        assert!(!out(&begun).contains("  cd "), "{}", out(&begun));
        let text = fs::read_to_string(dir.path().join("my-model.json")).expect("a model");
        let written = overhear::input::Source::new("my-model.json", text.as_str());
        let (model, from) = (read_model(&written).expect("a good model"), read_model(&base.source()).expect("bundled"));
        assert_eq!((model.name.as_str(), model.policy), ("my-model", from.policy));
        assert!(model.sources.iter().all(|(_, source)| source.starts_with("TODO")), "{text}");
        let checked = run(dir.path(), &["check", "my-scenario.json", "--models", "my-model.json"]);
        assert_eq!(code(&checked), 0, "{}: {}{}", base.name, out(&checked), err(&checked));
    }
    let dir = folder();
    run(dir.path(), &["init"]);
    let all = run(dir.path(), &["check", "my-scenario.json"]);
    assert_eq!(code(&all), 0, "{}{}", out(&all), err(&all));
}

#[test]
fn the_schemas_that_init_writes_are_found_and_take_its_files() {
    let dir = folder();
    run(dir.path(), &["init"]);
    for file in ["my-model.json", "my-scenario.json"] {
        let text = fs::read_to_string(dir.path().join(file)).expect("a file");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let schema = value["$schema"].as_str().expect("a reference");
        let schema = fs::read_to_string(dir.path().join(schema)).expect("the reference leads to a file");
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        let valid = jsonschema::validator_for(&schema).expect("a schema").is_valid(&value);
        assert!(valid, "{file}");
    }
    let text = fs::read_to_string(dir.path().join("my-model.json")).expect("a model");
    assert!(axis_values().iter().all(|(axis, _)| text.contains(&format!("\n    \"{axis}\": {{ \"value\""))), "{text}");
}

#[test]
fn init_overwrites_nothing_and_leaves_nothing_half_written() {
    for taken in ["my-model.json", "README.md", "schemas/scenario.schema.json"] {
        let dir = folder();
        let path = dir.path().join("study").join(taken);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, "mine").expect("written");
        let before = tree(dir.path());
        let refused = run(dir.path(), &["init", "study"]);
        assert_eq!((code(&refused), out(&refused)), (2, String::new()));
        let said = format!("error: study/{taken} is there already; nothing was written\n");
        assert_eq!(err(&refused), said);
        assert_eq!(tree(dir.path()), before);
    }
    // A file where a folder is needed shows only on the way.
    let dir = folder();
    fs::write(dir.path().join("schemas"), "mine").expect("written");
    let before = tree(dir.path());
    let refused = run(dir.path(), &["init"]);
    assert_eq!(code(&refused), 2);
    assert!(err(&refused).contains("schemas/model.schema.json") && err(&refused).contains("nothing was written"));
    assert_eq!(tree(dir.path()), before);
    let unknown = run(dir.path(), &["init", "study", "--from", "matrix-tfu"]);
    assert_eq!((code(&unknown), tree(dir.path())), (2, before));
    assert!(err(&unknown).contains("did you mean `matrix-tofu`?"), "{}", err(&unknown));
}

/// A begun folder whose model has other values on some axes.
fn with_values(changes: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let dir = folder();
    run(dir.path(), &["init"]);
    let path = dir.path().join("my-model.json");
    let change = |text: String, (axis, from, to): &(&str, &str, &str)| {
        let [from, to] = [from, to].map(|value| format!("\"{axis}\": {{ \"value\": \"{value}\""));
        assert_eq!(text.matches(&from).count(), 1, "{from}\n{text}");
        text.replace(&from, &to)
    };
    let text = changes.iter().fold(fs::read_to_string(&path).expect("a model"), change);
    fs::write(path, text).expect("written");
    dir
}

#[test]
fn bundled_scenarios_need_not_have_foreseen_a_model_of_ones_own() {
    let dir = with_values(&[("recipients", "listed", "accepted"), ("new-device", "accept", "ask")]);
    let undecided = ["check", "password-thief-hurried", "--models", "my-model.json"];
    let checked = run(dir.path(), &undecided);
    assert_eq!(code(&checked), 0, "{}{}", out(&checked), err(&checked));
    assert!(out(&checked).contains(" without expectation\n"), "{}", out(&checked));
    let linted = run(dir.path(), &["lint", "my-model.json", "password-thief-hurried"]);
    assert_eq!(code(&linted), 0, "{}", out(&linted));
    let all = run(dir.path(), &["diff", "--models", "matrix-tofu", "my-model.json"]);
    assert_eq!(code(&all), 1, "{}{}", out(&all), err(&all));
    // A scenario of one's own is refused as before: whoever wrote it can mend it.
    let own = fs::read_to_string(dir.path().join("my-scenario.json")).expect("a scenario");
    fs::write(dir.path().join("my-scenario.json"), own.replace("[\"accepted\", \"verified\"]", "\"verified\""))
        .expect("written");
    let refused = run(dir.path(), &["check", "my-scenario.json", "--models", "my-model.json"]);
    assert!(code(&refused) == 2 && err(&refused).contains("E130"), "{}", err(&refused));
    let compared = run(dir.path(), &["diff", "my-scenario.json", "--models", "matrix-tofu", "my-model.json"]);
    assert_eq!(code(&compared), 0, "no expectation is asked: {}", err(&compared));
}

#[test]
fn lint_says_what_would_let_messages_through() {
    let dir = with_values(&[("recipients", "listed", "accepted")]);
    let linted = run(dir.path(), &["lint", "my-model.json", "my-scenario.json"]);
    assert_eq!(code(&linted), 4, "{}", out(&linted));
    let help = "without an adversary no message ever reaches every honest device; one does with `recipients: listed";
    assert!(out(&linted).contains(help) && out(&linted).contains(" | ask`"), "{}", out(&linted));
}
