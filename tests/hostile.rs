//! Texts, names and paths that try to be something else, through every command and into every format.
//!
//! The browser, Mermaid and an XML parser read such reports too: `tests/browser`, `tests/outputs`.

mod hostile_input;
mod output;

use hostile_input::spoil;
use output::{code, err, out};
use overhear::input::is_invisible;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What ends, begins or steers something in one format or another.
const HOSTILE: &str = concat!(
    "<script>alert(1)</script> <img src=x onerror=alert(1)> ]]> --> \"'`|*_ [a](javascript:alert(1)) %0A::error::x ",
    "\n::error title=forged::x\n::set-output name=x::y\r\n## heading\n| a | b |\n```\n1. one\n",
    "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7} \u{9b}2J \u{0} \u{8}\u{8} ",
    "\u{202e}gnp.exe\u{202c} \u{2066}\u{200f}\u{200b}\u{2028} end; {{x}} {% x %} ${x} $(x) \\ \u{1f4a5} =1+1 ",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
);
/// A file's name may be all of this.
const PATH: &str = "a,b:c%0A::error::d\n::error::e\u{1b}[2J'`|<b>\u{202e}.json";

/// A folder with a hostile scenario, once with its claims turned round and under a hostile path, and a hostile model.
fn files() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, value: &Value| fs::write(dir.path().join(name), value.to_string()).expect("written");
    let source = overhear::bundle::find_scenario("password-thief").expect("a bundled scenario");
    let mut scenario: Value = serde_json::from_str(&source.text).expect("JSON");
    spoil(&mut scenario, HOSTILE);
    write("scenario.json", &scenario);
    for claim in scenario["expectations"].as_array_mut().expect("claims") {
        let turned = if claim["expect"] == "holds" { "violated" } else { "holds" };
        claim["expect"] = turned.into();
    }
    write(PATH, &scenario);
    let source = overhear::bundle::find_model("matrix-tofu").expect("a bundled model");
    let mut model: Value = serde_json::from_str(&source.text).expect("JSON");
    spoil(&mut model, HOSTILE);
    model["name"] = "graph".into();
    write("model.json", &model);
    dir
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
    command.args(arguments).current_dir(dir).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("TERM", "xterm");
    command.env("GITHUB_STEP_SUMMARY", dir.join("summary.md")).output().expect("the program starts")
}

/// The text without what sets colours and takes them back.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_string();
    let rest = |part: &str| match part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').strip_prefix('m') {
        Some(rest) => rest.to_string(),
        None => format!("\u{1b}[{part}"),
    };
    first + &parts.map(rest).collect::<String>()
}

/// Nothing in the text steers a terminal, turns its direction, or is a command to whoever reads the log.
fn is_calm(what: &str, text: &str) {
    for line in text.lines() {
        let c = line.chars().find(|c| is_invisible(*c));
        assert_eq!(c, None, "{what}: {line:?}");
        assert!(!line.trim_start().starts_with("::"), "{what}: {line:?}");
    }
}

#[test]
fn no_terminal_and_no_log_is_steered() {
    let dir = files();
    let asked: [(&[&str], i32); 13] = [
        (&["explain", "scenario.json", "--model", "model.json", "--property", "no-rogue-key"], 0),
        (&["explain", PATH, "--model", "model.json", "--property", "no-hidden-key"], 0),
        (&["check", PATH, "--models", "model.json"], 1),
        (&["check", "scenario.json", "--models", "model.json"], 0),
        (&["simulate", PATH, "--models", "model.json", "--runs", "20"], 0),
        (&["simulate", PATH, "--models", "model.json,matrix-tofu,signal", "--runs", "20"], 0),
        (&["simulate", PATH, "--models", "model.json,matrix-tofu,signal", "--uniform", "--runs", "20"], 0),
        (&["compare", PATH, "--models", "model.json"], 1),
        (&["diff", "scenario.json", "--models", "model.json", "signal"], 0),
        (&["lint", "scenario.json", PATH, "model.json"], 0),
        (&["check", HOSTILE_WORD, "--models", "model.json"], 2),
        (&["explain", "scenario.json", "--model", "model.json", "--property", HOSTILE_WORD], 2),
        (&["simulate", "scenario.json", "--models", "model.json", "--runs", "20", "--days", "9"], 0),
    ];
    for (arguments, expected) in asked {
        for colour in ["always", "never"] {
            let told = run(dir.path(), &[arguments, &["--color", colour]].concat());
            let what = arguments.join(" ");
            assert_eq!(code(&told), expected, "{what}: {}{}", out(&told), err(&told));
            is_calm(&what, &uncoloured(&out(&told)));
            is_calm(&what, &uncoloured(&err(&told)));
        }
    }
}

/// What somebody may type; the system takes no zero within it.
const HOSTILE_WORD: &str = "x\n::error::y\u{1b}[2J\u{202e}";

/// A trace is a file that others send.
#[test]
fn no_trace_steers_the_terminal() {
    let dir = files();
    let asked =
        ["explain", "scenario.json", "--model", "model.json", "--property", "no-rogue-key", "--itf", "attack.itf.json"];
    assert_eq!(code(&run(dir.path(), &asked)), 0);
    let text = fs::read_to_string(dir.path().join("attack.itf.json")).expect("a trace");
    let replay = |text: String| {
        fs::write(dir.path().join("other.itf.json"), text).expect("written");
        run(dir.path(), &["replay", "other.itf.json", "--color", "always"])
    };
    assert_eq!(code(&replay(text.clone())), 0, "its names are kept");
    let word = serde_json::to_string(HOSTILE).expect("a string").trim_matches('"').to_string();
    for part in ["register-device constructor", "from-start", "no-rogue-key", "scenario.json", "model.json"] {
        assert!(text.contains(part), "{part} is in the trace");
        let told = replay(text.replace(part, &format!("{part}{word}")));
        assert_eq!(code(&told), 2, "{}", out(&told));
        is_calm(part, &uncoloured(&out(&told)));
        is_calm(part, &uncoloured(&err(&told)));
    }
}

#[test]
fn every_annotation_is_one_and_every_table_keeps_its_columns() {
    let dir = files();
    let ci = ["--format", "github", "--junit", "junit.xml", "--sarif", "overhear.sarif"];
    let told = run(dir.path(), &[&["check", PATH, "--models", "model.json"], &ci[..]].concat());
    assert_eq!(code(&told), 1);
    let lines: Vec<String> = out(&told).lines().map(str::to_string).collect();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let sarif: Value = serde_json::from_str(&read("overhear.sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert_eq!(lines.len(), results.len(), "one annotation a result: {lines:#?}");
    for line in &lines {
        let (place, message) = line.strip_prefix("::error ").and_then(|l| l.split_once("::")).expect("an annotation");
        let keys: Vec<&str> = place.split(',').filter_map(|p| Some(p.split_once('=')?.0)).collect();
        assert_eq!(keys, ["file", "line", "col", "title"], "{line}");
        assert!(message.contains("sequencediagram, graph") && !message.contains(['\n', '\r']), "{line}");
    }
    let uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a place");
    assert!(uri.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c)), "{uri}");
    let xml = read("junit.xml");
    assert!(!xml.contains("<script") && !xml.contains(|c: char| c.is_control() && c != '\n'), "{xml}");
    is_a_table("the step summary", &read("summary.md"));
}

/// Each row of a Markdown table has as many cells as its head, and nothing in the text is HTML of somebody else's.
fn is_a_table(what: &str, text: &str) {
    for html in ["<script", "<img", "](javascript", "\u{202e}", "\u{1b}"] {
        assert!(!text.contains(html), "{what}: {html}");
    }
    let mut columns = 0;
    for line in text.lines() {
        let bars = line.matches('|').count();
        assert!(!line.starts_with('|') || columns == 0 || bars == columns, "{what}: {line}");
        columns = if line.starts_with('|') { bars } else { 0 };
        assert!(!line.starts_with("::") && line != "## heading" && line != "1. one", "{what}: {line}");
    }
}

/// The fields of each line of a CSV file, by RFC 4180.
fn fields(text: &str) -> Vec<usize> {
    let (mut rows, mut quoted) = (vec![1], false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => *rows.last_mut().expect("a row") += 1,
            '\n' if !quoted => rows.push(1),
            _ => {}
        }
    }
    assert!(!quoted && rows.pop() == Some(1), "the last line ends: {text}");
    rows
}

#[test]
fn every_file_of_a_report_keeps_its_form() {
    let dir = files();
    let told = run(dir.path(), &["compare", "scenario.json", "--models", "model.json", "--out", "report"]);
    assert_eq!(code(&told), 0, "{}", err(&told));
    let mut kinds = HashMap::new();
    let folders = ["report", "report/plots", "report/traces"].map(|folder| dir.path().join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    for path in entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()) {
        let (text, what) = (fs::read_to_string(&path).expect("UTF-8"), path.display().to_string());
        let kind = path.extension().expect("a kind").to_string_lossy().into_owned();
        match kind.as_str() {
            "json" => {
                let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{what}: {e}"));
                let whole = what.ends_with("report.json");
                assert!(!whole || value["scenarios"][0]["title"] == format!("title {HOSTILE}"), "it is kept whole");
                assert!(!what.ends_with(".itf.json") || value["#meta"].is_object(), "{what}");
            }
            "md" => is_a_table(&what, &text),
            "csv" => assert!(fields(&text).windows(2).all(|pair| pair[0] == pair[1]), "{what}: {text}"),
            "html" | "svg" => {
                for html in ["<script", "<img", "javascript:alert(1)\"", "onerror=alert(1)>", "{{", "{%"] {
                    let told = text.replace("onerror=alert(1)&gt;", "").replace("{{x}}", "").replace("{% x %}", "");
                    assert!(!told.contains(html), "{what}: {html}");
                }
            }
            other => panic!("{what}: what is {other}?"),
        }
        *kinds.entry(kind).or_insert(0) += 1;
    }
    for (kind, least) in [("json", 8), ("md", 6), ("csv", 3), ("html", 1), ("svg", 2)] {
        assert!(kinds.get(kind).is_some_and(|n| *n >= least), "{kind}: {kinds:?}");
    }
    let csv = run(dir.path(), &["compare", "scenario.json", "--models", "model.json", "--format", "csv"]);
    assert!(fields(&out(&csv)).windows(2).all(|pair| pair[0] == pair[1]), "{}", out(&csv));
}
