//! Every way in which a file can be wrong, with the exact text that the user gets.
//!
//! `bad_input/NAME.json` is wrong in one thing, `bad_input/NAME.txt` says how it is refused; names of model files
//! start with `model-`, of files about people with `people-`. `bad_input/known/` has a scenario and models in which
//! nothing is wrong. After a change of words: `OVERHEAR_BLESS=1 cargo test --test bad_input`, then read what changed.

use overhear::bundle;
use overhear::input::{Diagnostic, SIZE_MAX, Source, parse};
use overhear::model::Arrival;
use overhear::scenario::{Model, check_powers, compile, decide_cell, read_model, read_people, read_scenario};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fs;

const FOLDER: &str = "tests/bad_input";

fn model(name: &str) -> Model {
    let source = Source::read(&format!("{FOLDER}/known/{name}.json")).expect("a readable file");
    read_model(&source).expect("a good model")
}

/// What a file is about.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    People,
    Scenario,
}

fn kind(name: &str) -> Kind {
    match () {
        () if name.starts_with("model-") => Kind::Model,
        () if name.starts_with("people-") => Kind::People,
        () => Kind::Scenario,
    }
}

/// Everything that is done with a file before anything is explored.
fn read(source: &Source, kind: Kind) -> Result<(), Box<Diagnostic>> {
    match kind {
        Kind::Model => return read_model(source).map(drop),
        Kind::People => return read_people(source).map(drop),
        Kind::Scenario => {}
    }
    let selected = ["by-password", "by-link"].map(model);
    let known = ["by-password", "by-link", "by-number"].map(model);
    let file = read_scenario(source)?;
    for model in &selected {
        for arrives in [Arrival::FromStart, Arrival::AfterFirstContact] {
            compile(&file, source, model, &known, arrives)?;
        }
    }
    check_powers(&file, source, &selected, &known)?;
    for model in &selected {
        for (arrives, property) in file.arrivals().iter().flat_map(|&a| file.properties().map(move |p| (a, p))) {
            decide_cell(&file, source, model, arrives, property)?;
        }
    }
    Ok(())
}

fn refusal(path: &str, kind: Kind) -> Box<Diagnostic> {
    let read = Source::read(path).and_then(|source| read(&source, kind));
    read.expect_err(&format!("{path} is wrong, but was not refused"))
}

fn cases() -> Vec<String> {
    let files = fs::read_dir(FOLDER).expect("a readable folder").map(|file| file.expect("a file").file_name());
    let names = files.filter_map(|file| file.to_str().and_then(|file| file.strip_suffix(".json")).map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn every_wrong_file_is_refused_in_the_pinned_words() {
    let mut wrong = Vec::new();
    for name in cases() {
        let said = format!("{}\n", refusal(&format!("{FOLDER}/{name}.json"), kind(&name)));
        let pinned = format!("{FOLDER}/{name}.txt");
        if std::env::var_os("OVERHEAR_BLESS").is_some() {
            fs::write(&pinned, &said).expect("the folder can be written");
        } else if fs::read_to_string(&pinned).ok().as_ref() != Some(&said) {
            wrong.push(format!("{name}:\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "not as pinned:\n{}", wrong.join("\n"));
}

#[test]
fn the_files_they_differ_from_are_right() {
    let source = Source::read(&format!("{FOLDER}/known/scenario.json")).expect("a readable file");
    if let Err(e) = read(&source, Kind::Scenario) {
        panic!("{e}");
    }
}

#[test]
fn every_refusal_has_one_line_a_place_and_no_control_characters() {
    for name in cases() {
        let refusal = refusal(&format!("{FOLDER}/{name}.json"), kind(&name));
        assert!(refusal.line > 0 && refusal.column > 0, "{name} has no place");
        assert!(!refusal.to_string().contains(|c: char| c.is_control() && c != '\n'), "{name} has control characters");
        assert!(!refusal.message.contains('\n'), "{name} has a message over several lines");
        let coloured = refusal.render(true);
        assert!(coloured.contains('\x1b'), "{name} has no colour");
    }
}

#[test]
fn every_code_is_pinned_somewhere() {
    let sources = [
        "input",
        "bundle",
        "scenario",
        "scenario/check",
        "scenario/claims",
        "scenario/model_file",
        "scenario/people_file",
    ];
    let codes = cases().into_iter().map(|name| refusal(&format!("{FOLDER}/{name}.json"), kind(&name)).code);
    let pinned: String = codes.chain([include_str!("bad_input.rs")]).collect();
    for source in sources {
        let code = fs::read_to_string(format!("src/{source}.rs")).expect("a source file");
        // A code is an `E` with three digits, in quotes.
        for (at, _) in code.match_indices("\"E").filter(|(at, _)| code[at + 2..].starts_with(char::is_numeric)) {
            let code = &code[at + 1..at + 5];
            assert!(pinned.contains(code), "no test has {code} of src/{source}.rs");
        }
    }
}

/// Where the first of two places is too far to the left on one line, only the second is shown.
#[test]
fn two_places_far_apart_on_one_line_are_not_shown_together() {
    let both = |between: &str| {
        let text = format!("{:50}\"a\"{between}\"a\"", "");
        let source = Source::new("wide.json", text.as_str());
        let second = text.len() - 3..text.len();
        let refusal = source.error("E005", second, "twice").also(50..53, "first here").to_string();
        assert!(refusal.contains("\"a\""), "{refusal}");
        refusal.contains("first here")
    };
    let wide = " ".repeat(996);
    assert!(both(&wide) && !both(&format!("{wide} ")), "1000 bytes are too many");
    assert!(both(&format!("{wide}\n{wide}")), "two lines can be shown");
}

/// What is wrong for a reason that a type of ours gives itself is said in its words.
#[test]
fn what_a_type_refuses_in_its_own_words_is_said_so() {
    #[derive(Debug)]
    struct Odd;
    impl<'de> Deserialize<'de> for Odd {
        fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
            match u64::deserialize(input)? % 2 {
                0 => Err(D::Error::custom("it is even")),
                _ => Ok(Self),
            }
        }
    }
    let parsed = |text| parse::<BTreeMap<String, Odd>>(&Source::new("odd.json", text));
    assert_eq!(parsed("{ \"a\": 3, \"b\": 5 }").expect("both are odd").len(), 2);
    let refusal = parsed("{ \"a\": 3, \"b\": 4 }").expect_err("the second is even");
    assert_eq!((refusal.code, refusal.column), ("E007", 16));
    assert_eq!(refusal.message, "`b` is wrong: it is even");
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let refusal = Source::read("tests/bad_input/absent.json").expect_err("there is no such file");
    let said = "tests/bad_input/absent.json: error[E001]: the file cannot be read: no such file or directory";
    assert_eq!(refusal.to_string(), said);
    let refusal = Source::read("tests/bad_input").expect_err("a folder is no file");
    assert_eq!(refusal.code, "E001");
}

#[test]
fn a_huge_file_is_refused() {
    assert!(Source::from_bytes("large.json", vec![b' '; SIZE_MAX]).is_ok());
    let refusal = Source::from_bytes("huge.json", vec![b' '; SIZE_MAX + 1]).expect_err("too large");
    assert_eq!(refusal.to_string(), "huge.json: error[E002]: the file is too large: more than 1048576 bytes (1 MiB)");
}

#[test]
fn a_name_that_is_not_bundled_is_refused() {
    let refusal = bundle::find_model("signall").expect_err("no such model");
    assert_eq!((refusal.code, refusal.nearest.as_deref()), ("E020", Some("signal")));
    assert!(refusal.to_string().starts_with("error[E020]: no bundled model has the name `signall`\n"));
    let refusal = bundle::find_scenario("no such thing").expect_err("no such scenario");
    assert_eq!(refusal.code, "E021");
    let refusal = bundle::find_people("tipical").expect_err("nobody is called so");
    assert_eq!((refusal.code, refusal.nearest.as_deref()), ("E024", Some("typical")));
    let refusal = bundle::find_either("password-thif").expect_err("no such model or scenario");
    assert_eq!((refusal.code, refusal.nearest.as_deref()), ("E022", Some("password-thief")));
    let refusal = bundle::find_either("schemas/model.schema.json").expect_err("neither a model nor a scenario");
    assert_eq!((refusal.code, refusal.line), ("E023", 1));
    assert_eq!(bundle::find_model("./signal").expect_err("a path").code, "E001");
    assert_eq!(bundle::find_model("models/signal.json").expect("a path").path, "models/signal.json");
    assert_eq!(bundle::find_model("signal").expect("a name").path, "models/signal.json");
}
