//! The style that a machine can hold: which module may use which, and how long lines and functions may be.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules in reading order: each uses only those before it.
const ORDER: [&str; 13] = [
    "policy", "model", "trace", "explore", "simulate", "input", "scenario", "bundle", "run", "story", "report",
    "schema", "command",
];
const LINE_MAX: usize = 120;
/// One screen. What does not fit does more than one thing.
const FUNCTION_MAX: usize = 70;

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a readable folder").map(|e| e.expect("a readable entry").path());
    let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|p| p.is_dir());
    let rust = files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs"));
    rust.chain(dirs.iter().flat_map(|d| sources(d))).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let files = ["src", "tests", "benches"].into_iter().map(|d| root().join(d)).filter(|d| d.is_dir());
    files.flat_map(|d| sources(&d)).map(|f| (f.clone(), fs::read_to_string(&f).expect("UTF-8"))).collect()
}

#[test]
fn arrows_between_modules_go_one_way() {
    for file in sources(&root().join("src")) {
        let relative = file.strip_prefix(root().join("src")).expect("below src");
        let module =
            relative.iter().next().and_then(|m| m.to_str()).map(|m| m.trim_end_matches(".rs")).expect("a name");
        let Some(own) = ORDER.iter().position(|m| *m == module) else {
            assert!(matches!(module, "lib" | "main"), "{} is in no place of the order", relative.display());
            continue;
        };
        for (n, line) in fs::read_to_string(&file).expect("UTF-8").lines().enumerate() {
            for used in line.match_indices("crate::").map(|(at, _)| &line[at + 7..]) {
                let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(place) = ORDER.iter().position(|m| *m == name) else { continue };
                assert!(place <= own, "{}:{}: {module} uses {name}, which comes after it", relative.display(), n + 1);
            }
        }
    }
}

#[test]
fn the_model_knows_no_names_no_files_and_no_serde() {
    for file in sources(&root().join("src/model")) {
        let text = fs::read_to_string(&file).expect("UTF-8");
        for forbidden in ["serde", "String", "std::fs", "format!", "HashMap", "Box<"] {
            assert!(!text.contains(forbidden), "{} mentions {forbidden}", file.display());
        }
    }
}

#[test]
fn lines_are_short() {
    for (file, text) in all_sources() {
        for (n, line) in text.lines().enumerate() {
            assert!(line.chars().count() <= LINE_MAX, "{}:{}: more than {LINE_MAX} characters", file.display(), n + 1);
        }
    }
}

#[test]
fn functions_are_short() {
    for (file, text) in all_sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let code = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(super) ");
            let declared = code.starts_with("fn ") || code.starts_with("const fn ");
            if !declared || code.ends_with(';') {
                continue;
            }
            let close = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|l| *l == close).unwrap_or(0) + 1;
            assert!(length <= FUNCTION_MAX, "{}:{}: {length} lines", file.display(), start + 1);
        }
    }
}

#[test]
fn every_field_of_a_state_is_in_a_trace_file() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("UTF-8");
    let (state, itf) = (read("src/model/state.rs"), read("src/report/itf.rs"));
    let declared = state.split("pub struct State {").nth(1).and_then(|s| s.split("\n}\n").next()).expect("the struct");
    let fields = declared.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next());
    let missing: Vec<&str> = fields.filter(|f| !itf.contains(&format!("(\"{f}\","))).collect();
    assert!(missing.is_empty(), "not in a trace file: {missing:?}");
}
