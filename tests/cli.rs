//! The built program as a user meets it: exit codes, streams, files of one's own, traces, signals.

mod output;

use output::{code, err, out};
use overhear::bundle;
use overhear::command::{Exit, parse_bytes, parse_duration};
use overhear::explore::Limits;
use overhear::input::Source;
use overhear::model::Property;
use overhear::report::ci::step_summary;
use overhear::report::explain;
use overhear::run::{self, Cell, Plan, Scenario};
use overhear::scenario::{Model, read_scenario};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const THIEF: [&str; 5] = ["explain", "password-thief", "--model", "matrix-tofu", "--property"];

fn overhear(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
    command.args(arguments).current_dir(dir).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("TERM", "xterm");
    command
}

fn run_in(dir: &Path, arguments: &[&str]) -> Output {
    overhear(dir, arguments).output().expect("the program starts")
}

/// Runs in a folder where nothing of the repository lies.
fn run(arguments: &[&str]) -> Output {
    run_in(folder().path(), arguments)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The JSON examples of the README: a model, then a scenario.
fn examples() -> [String; 2] {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    let blocks = readme.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap_or("").to_string());
    let blocks: Vec<String> = blocks.collect();
    blocks.try_into().expect("the README shows one model and one scenario")
}

/// A folder with the README's model and scenario, and the scenario once more with its claim turned round.
fn own_files() -> tempfile::TempDir {
    let (dir, [model, scenario]) = (folder(), examples());
    let right = "\"expect\": \"violated\"";
    assert_eq!(scenario.matches(right).count(), 1, "the example has one claim that something falls");
    fs::write(dir.path().join("wrong.json"), scenario.replace(right, "\"expect\": \"holds\"")).expect("written");
    fs::write(dir.path().join("my-model.json"), model).expect("written");
    fs::write(dir.path().join("my-scenario.json"), scenario).expect("written");
    dir
}

#[test]
fn exit_codes_are_the_documented_ones() {
    let dir = own_files();
    let cases: [(&[&str], i32); 14] = [
        (&["check", "password-thief", "--models", "matrix-tofu"], 0),
        (&["check", "my-scenario.json", "--models", "my-model.json"], 0),
        (&["check", "wrong.json", "--models", "my-model.json"], 1),
        (&["check", "--no-such-flag"], 2),
        (&["check", "no-such-file.json"], 2),
        (&["compare", "password-thief", "--models", "my-scenario.json"], 2),
        (&["check", "password-thief", "--models", "matrix-tofu", "--max-states", "10"], 3),
        (&["check", "password-thief", "--models", "matrix-tofu", "--max-depth", "2"], 3),
        (&["check", "password-thief", "--models", "signal"], 4),
        (&["check", "large-three-people", "--models", "signal", "--timeout", "0s"], 3),
        // Several at once: bad input, then unmet, then vacuous, then inconclusive.
        (&["check", "wrong.json", "no-such-file.json", "--models", "my-model.json"], 2),
        (&["check", "wrong.json", "number-hijack", "--models", "my-model.json"], 1),
        (&["check", "number-hijack", "server-of-recipient", "--models", "my-model.json", "--max-states", "30"], 4),
        (&["check", "wrong.json", "server-of-recipient", "--models", "my-model.json", "--max-states", "60"], 1),
    ];
    for (arguments, expected) in cases {
        let output = run_in(dir.path(), arguments);
        assert_eq!(code(&output), expected, "{arguments:?}\n{}{}", out(&output), err(&output));
    }
}

#[test]
fn the_worst_of_several_outcomes_counts() {
    let worst_first =
        [Exit::Internal, Exit::BadInput, Exit::Interrupted(2), Exit::Unmet, Exit::NothingSelected, Exit::Inconclusive];
    assert!(worst_first.is_sorted() && Exit::Inconclusive < Exit::Fine);
    assert_eq!(worst_first.map(Exit::code), [70, 2, 130, 1, 4, 3]);
    assert_eq!((Exit::Interrupted(15).code(), Exit::Fine.code()), (143, 0));
}

#[test]
fn times_and_sizes_have_units() {
    let seconds = |text| parse_duration(text).map(|time| time.as_secs());
    assert_eq!(["7", "90s", "10m", "2h"].map(seconds), [7, 90, 600, 7200].map(Ok));
    let sizes = ["7", "7B", "3KiB", "512MiB", "2GiB"].map(parse_bytes);
    assert_eq!(sizes, [7, 7, 3072, 512 * 1024 * 1024, 2 * 1024 * 1024 * 1024].map(Ok));
    for (wrong, said) in [("1d", "`d` is no unit of time"), ("m", "write a number"), ("9999999999999999h", "longer")] {
        assert!(parse_duration(wrong).is_err_and(|e| e.contains(said)), "{wrong}");
    }
    for (wrong, said) in [("1GB", "`GB` is no unit of memory"), ("GiB", "write a number"), ("99999999999GiB", "more")] {
        assert!(parse_bytes(wrong).is_err_and(|e| e.contains(said)), "{wrong}");
    }
}

#[test]
fn help_has_exit_codes_and_examples() {
    let help = run(&["--help"]);
    assert_eq!(code(&help), 0);
    for line in ["Exit codes:", "70 > 2 > 130/143 > 1 > 4 > 3", "Examples:", "overhear compare ", "overhear replay "] {
        assert!(out(&help).contains(line), "{line} is not in\n{}", out(&help));
    }
    // The examples that need no file of one's own work as they stand.
    for example in out(&help).lines().filter_map(|l| l.strip_prefix("  overhear explain server-of")) {
        let words = format!("explain server-of{example}");
        assert_eq!(code(&run(&words.split_whitespace().collect::<Vec<_>>())), 0, "{words}");
    }
}

#[test]
fn results_go_to_stdout_and_diagnostics_to_stderr() {
    let good = run(&["check", "password-thief", "--models", "matrix-tofu"]);
    assert!(out(&good).contains("0 not met, 0 not conclusive") && err(&good).is_empty());
    let bad = run(&["check", "no-such-scenario"]);
    assert!(out(&bad).is_empty() && err(&bad).contains("E021"));
}

#[test]
fn colour_is_a_choice() {
    let coloured = |command: &mut Command| err(&command.output().expect("the program starts")).contains('\u{1b}');
    let dir = folder();
    let bad = |more: &[&str]| overhear(dir.path(), &[&["check", "no-such-scenario"], more].concat());
    assert!(!coloured(&mut bad(&[])), "a pipe is no terminal");
    assert!(coloured(&mut bad(&["--color", "always"])));
    assert!(!coloured(&mut bad(&["--color", "never"])));
    assert!(coloured(bad(&[]).env("CLICOLOR_FORCE", "1")));
    assert!(!coloured(bad(&[]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
    assert!(!coloured(bad(&["--color", "never"]).env("CLICOLOR_FORCE", "1")));
}

#[test]
fn the_same_bytes_come_out_at_any_number_of_threads() {
    for format in ["text", "json", "csv"] {
        let with = |jobs| {
            let models = ["--models", "matrix-tofu,signal-password"];
            let more = ["--jobs", jobs, "--format", format];
            run(&[&["compare", "password-thief", "number-hijack"], &models[..], &more[..]].concat()).stdout
        };
        let one = with("1");
        assert!(one == with("2") && one == with("2") && !one.is_empty(), "--format {format}");
    }
}

#[test]
fn own_files_work_from_another_folder() {
    let (dir, elsewhere) = (own_files(), folder());
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_string();
    let (model, scenario, wrong) = (path("my-model.json"), path("my-scenario.json"), path("wrong.json"));
    for (scenario, models) in [(&*scenario, &*model), ("password-thief", &format!("{model},signal"))] {
        let compared = run_in(elsewhere.path(), &["compare", scenario, "--models", models]);
        assert_eq!(code(&compared), 0, "{}", err(&compared));
        assert!(out(&compared).contains("\nmy-model ") && out(&compared).contains("FALLS"), "{}", out(&compared));
    }
    let unmet = run_in(elsewhere.path(), &["check", &wrong, "--models", &model]);
    assert!(out(&unmet).contains("UNMET") && out(&unmet).contains(&format!("{wrong}:")), "{}", out(&unmet));
}

/// What another reader of ITF takes from a state of ours.
#[derive(Deserialize)]
struct Seen {
    registered: BTreeSet<String>,
    current: BTreeSet<String>,
    warned: BTreeMap<String, BTreeSet<String>>,
    active: bool,
    #[serde(rename = "mbt::actionTaken")]
    action: String,
}

#[test]
fn a_trace_file_is_read_by_replay_and_by_others() {
    let dir = folder();
    let told = run_in(dir.path(), &[&THIEF[..], &["no-rogue-key", "--itf", "attack.itf.json"]].concat());
    assert_eq!((code(&told), err(&told).trim()), (0, "wrote attack.itf.json"));
    let text = fs::read_to_string(dir.path().join("attack.itf.json")).expect("the trace was written");
    let trace: itf::Trace<Seen> = itf::trace_from_str(&text).expect("valid ITF");
    let actions: Vec<&str> = trace.states.iter().map(|s| s.value.action.as_str()).collect();
    assert_eq!(actions, ["init", "sign-in", "steal-password", "register-device", "send"]);
    let last = &trace.states.last().expect("states").value;
    assert!(last.active && last.registered.contains("mallory") && last.current.contains("mallory"));
    assert!(last.warned.values().all(BTreeSet::is_empty));
    let replayed = run_in(dir.path(), &["replay", "attack.itf.json"]);
    assert_eq!(code(&replayed), 0, "{}", err(&replayed));
    assert!(out(&replayed).contains("  3.* The adversary signs mallory in to Bob's account.\n"), "{}", out(&replayed));
    assert!(out(&replayed).contains("no-rogue-key: Mallory, which Bob never enrolled, holds a room key."));
}

#[cfg(unix)]
#[test]
fn the_real_client_is_asked_by_the_program_beside_this_one() {
    // Programs are written by other processes: a file that this one has open for writing, and with it each
    // child that another test starts meanwhile, can't be executed (ETXTBSY).
    let shell = |script: &str, file: &Path, text: &str| {
        let written = Command::new("sh").args(["-c", script]).arg(file).arg(text).status().expect("a shell");
        assert!(written.success(), "{script}");
    };
    let dir = folder();
    let (here, beside) = (dir.path().join("overhear"), dir.path().join("overhear-real"));
    shell(r#"cp "$1" "$0""#, &here, env!("CARGO_BIN_EXE_overhear"));
    let ask = || {
        let mut asked = Command::new(&here);
        asked.args(["replay", "--real", "attack.itf.json"]).env("PATH", dir.path()).output().expect("it starts")
    };
    let missing = ask();
    assert_eq!(code(&missing), 2);
    assert!(err(&missing).contains("cargo build --release -p overhear-real"), "{}", err(&missing));
    for told in [0, 1, 2] {
        let program = format!("#!/bin/sh\necho \"read $1\"\nexit {told}");
        shell(r#"printf '%s\n' "$1" > "$0" && chmod 755 "$0""#, &beside, &program);
        let asked = ask();
        assert_eq!((code(&asked), out(&asked).trim()), (told, "read attack.itf.json"), "{}", err(&asked));
        assert_eq!(err(&asked), "", "its verdict is its own to tell");
    }
    shell(r#"printf '%s\n' "$1" > "$0""#, &beside, "#!/bin/sh\nexit 3");
    let failed = ask();
    assert!(code(&failed) == 2 && err(&failed).contains("`overhear-real` ended with"), "{}", err(&failed));
}

#[test]
fn a_tampered_trace_is_not_believed() {
    let dir = folder();
    run_in(dir.path(), &[&THIEF[..], &["no-rogue-key", "--itf", "attack.itf.json"]].concat());
    let text = fs::read_to_string(dir.path().join("attack.itf.json")).expect("the trace was written");
    let replay = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is in the trace");
        fs::write(dir.path().join("tampered.json"), text.replace(from, to)).expect("written");
        run_in(dir.path(), &["replay", "tampered.json"])
    };
    let blocked = replay("steal-password bob; ", "");
    assert_eq!(code(&blocked), 1);
    let said = "step 2 `register-device mallory` cannot happen: blocked by the guard PasswordUnknown";
    assert!(out(&blocked).contains(said), "{}", out(&blocked));
    // What nobody can do is not done, even if no rule of honest people stands against it.
    for with in ["sign-in mallory", "add-member bob"] {
        let foreign = replay("register-device mallory; ", &format!("{with}; "));
        assert_eq!(code(&foreign), 1);
        let said = format!("step 3 `{with}` cannot happen: in password-thief nobody can do that");
        assert!(out(&foreign).contains(&said), "{}", out(&foreign));
    }
    let harmless = replay("register-device mallory; ", "");
    assert_eq!(code(&harmless), 1);
    assert!(out(&harmless).contains("no-rogue-key is not violated at the end"), "{}", out(&harmless));
    for (from, to, said) in [
        ("register-device mallory", "register-device malory", "did you mean `mallory`"),
        ("\"from-start\"", "\"from-the-start\"", "did you mean `from-start`"),
        ("\"input-hash\"", "\"hash\"", "input-hash"),
        ("\"matrix-tofu\"", "\"matrix-tfu\"", "did you mean `matrix-tofu`"),
    ] {
        let refused = replay(from, to);
        assert_eq!(code(&refused), 2, "{from} → {to}: {}", out(&refused));
        assert!(err(&refused).contains(said), "{}", err(&refused));
    }
    let changed = replay("\"input-hash\": \"", "\"input-hash\": \"0");
    assert!(code(&changed) == 0 && err(&changed).contains("has changed since the trace was written"));
}

/// What `--deep` says of a value is what a model that differs in that one value comes to: `matrix-tofu-linked` is
/// `matrix-tofu` but for how devices join. And to keep keys from devices that nobody verified is not enough against a
/// thief of the password: what is left is to ask the owner's own devices for the old keys.
#[test]
fn explain_deep_searches_what_is_left() {
    let value = |words: &[&str]| -> serde_json::Value {
        serde_json::from_str(&out(&run(&[words, &["--format", "json"]].concat()))).expect("JSON")
    };
    let words = ["explain", "password-thief", "--property", "no-rogue-key", "--model"];
    let deep = value(&[&words[..], &["matrix-tofu", "--deep"]].concat());
    let linked = value(&[&words[..], &["matrix-tofu-linked"]].concat());
    let left = |axis: &str, other: &str| {
        let axes = deep["let-happen-by"].as_array().expect("axes");
        let axis = axes.iter().find(|a| a["axis"] == axis).expect("the axis lets it happen");
        let others = axis["deep"].as_array().expect("what is left");
        others.iter().find(|o| o["value"] == other).expect("the value stops the steps")["left"].clone()
    };
    assert_eq!(linked["verdict"], "holds");
    assert_eq!(left("joining", "existing-device")["verdict"], "holds");
    let verified = left("recipients", "verified");
    assert_eq!(verified["verdict"], "violated");
    let trace: Vec<&str> = verified["trace"].as_array().expect("a trace").iter().filter_map(|a| a.as_str()).collect();
    assert!(trace.last().is_some_and(|a| a.starts_with("forward-keys ")), "{trace:?}");
    // The attack of four steps is found within the limit; what is left then, of seven, is not.
    let bounded = run(&[&words[..], &["matrix-tofu", "--deep", "--max-depth", "4"]].concat());
    assert_eq!(code(&bounded), 3, "{}", out(&bounded));
    assert!(out(&bounded).contains("verified: unknown: stopped by the limit on steps"), "{}", out(&bounded));
}

/// What the adversary does is red where colour is wanted, and marked where it is not.
#[test]
fn explain_is_coloured_where_colour_is_wanted() {
    let coloured = out(&run(&[&["--color", "always"], &THIEF[..], &["no-rogue-key"]].concat()));
    assert!(coloured.contains("\u{1b}[31m  3.* The adversary signs mallory in to Bob's account."), "{coloured}");
    assert!(coloured.contains("\n  1.  Alice signs in on alice-phone."), "what honest people do is not");
    let plain = out(&run(&[&["--color", "never"], &THIEF[..], &["no-rogue-key"]].concat()));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    assert!(!plain.contains('\u{1b}') && plain.contains("\n  3.* The adversary signs mallory"));
}

#[test]
fn explain_tells_what_falls_and_what_holds() {
    let falls = run(&[&THIEF[..], &["no-rogue-key"]].concat());
    let parts = [
        "Violated in 4 steps",
        "  3.* The adversary signs mallory in to Bob's account.\n        Bob's server lists mallory\n",
        "Mallory, which Bob never enrolled, holds a room key.",
        "  joining: password (not if password-and-code, any-device, existing-device,\n      in-person)\n",
        "      in-person)\n      source: Matrix client-server API",
        "overhear replay attack.itf.json",
    ];
    for part in parts {
        assert!(out(&falls).contains(part), "{part} is not in\n{}", out(&falls));
    }
    assert!(out(&falls).lines().all(|l| l.chars().count() <= 100), "{}", out(&falls));
    let dir = folder();
    let holds = run_in(dir.path(), &[&THIEF[..], &["no-hidden-key", "--itf", "none.itf.json"]].concat());
    assert_eq!(code(&holds), 0);
    assert!(out(&holds).contains("Holds: no attack within these bounds; all ") && !out(&holds).contains("secure"));
    assert!(err(&holds).contains("none.itf.json is not written") && !dir.path().join("none.itf.json").exists());
    let locked = out(&run(&[&THIEF[..], &["no-lock-out"]].concat()));
    let locked = locked.split_whitespace().collect::<Vec<_>>().join(" ");
    let way = "The fewest honest steps after which nobody is locked out, once the adversary rests: Bob signs in on ";
    assert!(locked.contains(way), "{locked}");
    let possible = run(&["explain", "no-adversary", "--model", "signal", "--property", "everybody-reads"]);
    assert!(out(&possible).contains("Holds, as 4 steps show:"), "{}", out(&possible));
    let idle = out(&run(&["explain", "added-member", "--model", "signal", "--property", "no-uninvited-reader"]));
    let idle = idle.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "The adversary has no move: its powers have nothing to act on with `membership: signed`.";
    assert!(idle.contains(told), "{idle}");
}

#[test]
fn explain_is_about_the_property_and_the_arrival_that_it_is_asked_for() {
    let asked = ["explain", "password-thief", "--model", "matrix-cross-signing-tofu", "--property", "no-rogue-key"];
    for (arrives, verdict) in [("from-start", "Violated in 5 steps"), ("after-first-contact", "Holds")] {
        let told = out(&run(&[&asked[..], &["--arrives", arrives]].concat()));
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        let head = format!("password-thief, matrix-cross-signing-tofu, adversary {arrives}: no-rogue-key");
        assert!(told.starts_with(&head) && told.contains(verdict), "{told}");
    }
    let other = run(&["explain", "added-member", "--model", "signal", "--property", "no-hidden-key"]);
    let said = err(&other);
    assert!(code(&other) == 2 && said.contains("property that added-member asks about"), "{said}");
}

#[test]
fn formats_are_what_they_say() {
    let selection = ["password-thief", "--models", "matrix-tofu", "--format"];
    let in_format = |command, format| out(&run(&[&[command], &selection[..], &[format]].concat()));
    for command in ["compare", "check"] {
        let value: Value = serde_json::from_str(&in_format(command, "json")).expect("valid JSON");
        assert_eq!(value["cells"].as_array().map(Vec::len), Some(2));
        let csv = in_format(command, "csv");
        let header = "scenario,model,arrives,property,verdict,length,states,transitions,depth,expected";
        assert_eq!(csv.lines().next(), Some(header));
        assert!(csv.contains("password-thief,matrix-tofu,from-start,no-rogue-key,violated,4,"));
        assert!(in_format(command, "github").is_empty(), "nothing to annotate");
    }
    let told = out(&run(&[&THIEF[..], &["no-rogue-key", "--format", "json"]].concat()));
    let told: Value = serde_json::from_str(&told).expect("valid JSON");
    assert_eq!(told["steps"].as_array().map(Vec::len), Some(4));
    assert!(
        told["sentence"].as_str().is_some_and(|s| s.starts_with("The adversary takes Bob's password and ")),
        "{told}"
    );
    // What shows that something is possible is no attack, and has no such sentence.
    let possible =
        ["explain", "no-adversary", "--model", "signal", "--property", "everybody-reads", "--format", "json"];
    let possible: Value = serde_json::from_str(&out(&run(&possible))).expect("valid JSON");
    assert_eq!((&possible["verdict"], &possible["sentence"]), (&Value::from("holds"), &Value::Null));
    let dir = own_files();
    let noted = run_in(dir.path(), &["check", "wrong.json", "--models", "my-model.json", "--format", "github"]);
    assert!(out(&noted).starts_with("::error file=wrong.json,line="), "{}", out(&noted));
}

#[test]
fn check_writes_what_ci_reads() {
    let dir = folder();
    let of = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("it was written");
    std::fs::write(dir.path().join("summary.md"), "# Before\n").expect("written");
    let files = ["--junit", "new/junit.xml", "--sarif", "overhear.sarif", "--format", "github"];
    let mut command = overhear(dir.path(), &["check", "password-thief", "--models", "signal", "--max-states", "9"]);
    let output = command.args(files).env("GITHUB_STEP_SUMMARY", "summary.md").output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "cut short");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let warnings = printed.lines().filter(|line| line.starts_with("::warning file=")).count();
    assert!(warnings > 0 && warnings == printed.lines().count(), "{printed}");
    assert_eq!(of("new/junit.xml").matches("<error ").count(), warnings);
    let log: Value = serde_json::from_str(&of("overhear.sarif")).expect("JSON");
    assert_eq!(log["runs"][0]["results"].as_array().map(Vec::len), Some(warnings));
    let summary = of("summary.md");
    assert!(summary.starts_with("# Before\n"), "what was there stays");
    assert_eq!(summary.matches("| inconclusive |").count(), warnings);
    // Refused before anything is searched.
    let refused = run_in(dir.path(), &["check", "large-everyone-sends", "--junit", "summary.md/junit.xml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("summary.md/junit.xml"));
}

/// Each way of not passing has its word, and the message says what was expected and why it is not so.
#[test]
fn ci_is_told_why_a_verdict_does_not_pass() {
    let dir = own_files();
    let claims = fs::read_to_string(dir.path().join("my-scenario.json")).expect("a scenario");
    let falls = claims.replace("\"expect\": \"holds\"", "\"expect\": \"violated\"");
    fs::write(dir.path().join("falls.json"), falls).expect("written");
    let cases: [(&[&str], &str, &str, &str); 4] = [
        (&["wrong.json", "--models", "my-model.json"], "error", "safety", "violated, it was expected to hold"),
        (&["falls.json", "--models", "my-model.json"], "error", "expectation", "holds, it was expected to fall"),
        (
            &["password-thief", "--models", "signal"],
            "warning",
            "vacuous",
            "vacuous, it was expected to hold: the adversary can act under none of the selected models",
        ),
        (
            &["password-thief", "--models", "matrix-tofu", "--max-states", "10"],
            "warning",
            "inconclusive",
            "unknown, it was expected to fall: stopped by the limit on states",
        ),
    ];
    for (asked, level, word, why) in cases {
        let summary = dir.path().join("summary.md");
        let mut command = overhear(dir.path(), &[&["check", "--format", "github"], asked].concat());
        let output = command.env("GITHUB_STEP_SUMMARY", &summary).output().expect("it runs");
        let told: Vec<String> = out(&output).lines().map(str::to_string).collect();
        assert!(told.iter().all(|line| line.starts_with(&format!("::{level} file="))), "{told:?}");
        assert!(told.iter().any(|line| line.ends_with(why)), "{told:?}");
        let summary = fs::read_to_string(summary).expect("a summary");
        assert_eq!(summary.matches(&format!("\n| {word} |")).count(), told.len(), "{summary}");
        fs::remove_file(dir.path().join("summary.md")).expect("it is there");
        // The same for people: `unknown` and `vacuous` with the reason.
        let told = out(&run_in(dir.path(), &[&["check"], asked].concat()));
        let reason = why.split_once(": ").map_or("", |(_, reason)| reason);
        assert!(told.contains(&format!("\n  {reason}")), "{told}");
    }
    let passes =
        overhear(dir.path(), &["check", "my-scenario.json", "--models", "my-model.json", "--format", "github"])
            .env("GITHUB_STEP_SUMMARY", "summary.md")
            .output()
            .expect("it runs");
    let summary = fs::read_to_string(dir.path().join("summary.md")).expect("a summary");
    assert!(out(&passes).is_empty() && !summary.contains('|'), "what passes is counted and not listed: {summary}");
}

/// The cells of scenarios under models, of which nothing is known: their searches end with the first state.
fn hardly_searched<'a>(scenarios: &'a [Scenario], models: &'a [Model]) -> Vec<Cell<'a>> {
    let plan = Plan {
        scenarios,
        models,
        known: models,
        named: true,
        large: false,
        limits: Limits { states_max: Some(1), ..Limits::default() },
        kept: None,
        may_be_vacuous: true,
    };
    run::run(&plan, &()).expect("the files are right")
}

/// Whatever a file is called, the command that explains a verdict on it can be given to a shell, and seen.
#[test]
fn a_command_names_any_file() {
    let bundled = bundle::find_scenario("password-thief").expect("a bundled scenario");
    let text = bundled.text.replace("A thief has the password", "Somebody's own");
    let models: Vec<_> = bundle::models().into_iter().filter(|m| m.name == "matrix-tofu").collect();
    let names = [
        "plain/my-scenario.json",
        "my scenario.json",
        "it's mine.json",
        "it's\u{202e}\\mine.json",
        "\u{1b}[31mred.json",
    ];
    for name in names {
        let source = Source::new(name, text.clone());
        let scenarios = [Scenario { file: read_scenario(&source).expect("a scenario"), source }];
        let cells = hardly_searched(&scenarios, &models);
        let told = explain::command(&cells[0], Property::NoRogueKey);
        assert!(told.chars().all(|c| (' '..='~').contains(&c)), "{told:?}");
        let (word, rest) = told.trim_start_matches("overhear explain ").split_once(" --model ").expect("a model");
        assert_eq!(rest, "matrix-tofu --property no-rogue-key --arrives from-start");
        let said = Command::new("bash").args(["-c", &format!("printf %s {word}")]).env("LC_ALL", "C.UTF-8").output();
        assert_eq!(String::from_utf8(said.expect("bash starts").stdout).expect("UTF-8"), name, "{told}");
    }
}

/// GitHub cuts long summaries off, so fifty verdicts are listed there and the rest is counted.
#[test]
fn a_step_summary_lists_fifty() {
    let read =
        |s: bundle::Bundled| Scenario { file: read_scenario(&s.source()).expect("a scenario"), source: s.source() };
    let all = bundle::scenarios().into_iter().filter(|s| ["password-thief", "server-of-recipient"].contains(&s.name));
    let (scenarios, models): (Vec<Scenario>, _) = (all.map(read).collect(), bundle::models());
    let mut cells = hardly_searched(&scenarios, &models[..8]);
    // Nothing is known, so every verdict is listed; those beyond `verdicts` are taken away.
    let mut summary = |verdicts: usize| {
        let mut room = verdicts;
        for cell in &mut cells {
            cell.verdicts.truncate(room);
            room -= cell.verdicts.len();
        }
        assert_eq!(room, 0, "there are as many");
        step_summary(&cells)
    };
    for (verdicts, more) in [(52, Some("\nand 2 more\n")), (51, Some("\nand 1 more\n")), (50, None), (49, None)] {
        let told = summary(verdicts);
        assert_eq!(told.matches("\n| inconclusive |").count(), verdicts.min(50), "{told}");
        assert!(more.map_or(!told.contains(" more"), |more| told.ends_with(more)), "{verdicts}: {told}");
    }
}

#[test]
fn a_wrong_name_is_told_the_nearest() {
    let cases: [(&[&str], &str); 5] = [
        (&["check", "pasword-thief"], "password-thief"),
        (&["check", "--models", "matrix-toffu"], "matrix-tofu"),
        (&["explain", "password-thief", "--model", "sgnal", "--property", "no-rogue-key"], "signal"),
        (&[THIEF[0], THIEF[1], THIEF[2], THIEF[3], THIEF[4], "no-rouge-key"], "no-rogue-key"),
        (&[THIEF[0], THIEF[1], THIEF[2], THIEF[3], THIEF[4], "no-rogue-key", "--arrives", "from-star"], "from-start"),
    ];
    for (arguments, nearest) in cases {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(err(&output).contains(&format!("did you mean `{nearest}`?")), "{}", err(&output));
    }
    let nobody = ["explain", "no-adversary", "--model", "signal", "--property", "everybody-reads"];
    let output = run(&[&nobody[..], &["--arrives", "from-start"]].concat());
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("no-adversary has no adversary that could arrive"), "{}", err(&output));
}

#[test]
fn the_small_commands_print_something() {
    let cases: [(&[&str], &str); 8] = [
        (&["completions", "bash"], "_overhear()"),
        (&["man"], ".TH overhear"),
        (&["list"], "  no-invisible-listener    I invisible listener\n"),
        (&["list"], "  password-thief               A thief has the password\n"),
        (&["list"], "  large-everyone-sends         The recipient's server lies and everybody writes (large)\n"),
        (&["list"], "  journalist                   People with sources to protect ("),
        (&["schema", "model"], "\"$schema\""),
        (&["schema", "scenario"], "\"$schema\""),
    ];
    for (arguments, part) in cases {
        let output = run(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert!(out(&output).contains(part), "{arguments:?}");
    }
}

/// Nobody has read what could not be written: `/dev/full` has never any room.
#[cfg(target_os = "linux")]
#[test]
fn output_without_room_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = overhear(Path::new("."), &["list"]).stdout(full).output().expect("the program starts");
    assert_eq!(code(&output), 2);
    assert!(err(&output).starts_with("error: No space left"), "{}", err(&output));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for arguments in [&["list"][..], &["compare", "password-thief", "--models", "signal,matrix-tofu"], &["--help"]] {
        let mut command = overhear(Path::new("."), arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        assert!(child.wait().expect("it ends").success(), "{arguments:?}: {said}");
        assert!(said.is_empty(), "{arguments:?}: {said}");
    }
}

#[test]
fn reports_are_written_whole_or_not_at_all() {
    let dir = folder();
    let asked = ["compare", "password-thief", "--models", "matrix-tofu", "--out", "reports"];
    assert_eq!(code(&run_in(dir.path(), &asked)), 0);
    let written: BTreeSet<_> = fs::read_dir(dir.path().join("reports")).expect("a folder").collect_names();
    assert!(written.contains("matrix.md") && written.contains("claims.md"), "{written:?}");
    let whole =
        |name: &String| matches!(name.as_str(), "traces" | "plots") || name.contains('.') && !name.starts_with('.');
    assert!(written.iter().all(whole), "left over: {written:?}");
    fs::write(dir.path().join("file"), "").expect("written");
    let refused = run_in(dir.path(), &["compare", "password-thief", "--models", "matrix-tofu", "--out", "file"]);
    assert_eq!(code(&refused), 2);
    assert!(err(&refused).starts_with("error: file: "), "{}", err(&refused));
}

trait Names {
    fn collect_names(self) -> BTreeSet<String>;
}

impl Names for fs::ReadDir {
    fn collect_names(self) -> BTreeSet<String> {
        self.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

#[cfg(unix)]
#[test]
fn signals_end_a_long_search_and_leave_nothing_half_written() {
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let dir = folder();
        let mut command = overhear(dir.path(), &["compare", "large-everyone-sends", "--jobs", "1", "--out", "reports"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        // The folder is made once signals are caught and before the first search.
        while !dir.path().join("reports").exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        let output = {
            let status = child.wait().expect("it ends");
            let mut said = String::new();
            child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
            (status.code(), said)
        };
        assert_eq!(output.0, Some(expected), "{}", output.1);
        assert!(output.1.contains("interrupted: "), "{}", output.1);
        assert_eq!(fs::read_dir(dir.path().join("reports")).expect("a folder").collect_names(), BTreeSet::new());
    }
}
