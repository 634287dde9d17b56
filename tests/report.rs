//! The report for people: what it shows, that it is the same from a run that was kept, and that it believes nothing.
//!
//! Golden files lie in `tests/snapshots`; `INSTA_UPDATE=always cargo test --test report` writes them anew.

use overhear::explore::{Limits, exact};
use overhear::model::{Property, World};
use overhear::report::page::Page;
use overhear::report::record::Record;
use overhear::report::terminal::wrapped_to;
use overhear::report::{explain, for_people, markdown, matrix, write_files};
use overhear::run::{Cell, Plan, Scenario, Verdict, run, with_axis};
use overhear::scenario::{Model, axis_values, read_scenario};
use overhear::{bundle, schema};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Searches some bundled cells and gives them to `then`, with their models.
fn with_cells<T>(scenarios: &[&str], models: &[&str], limits: Limits, then: impl FnOnce(&[Cell], &[Model]) -> T) -> T {
    with_cells_of(scenarios, models, limits, true, then)
}

/// The same; without `may_be_vacuous`, an adversary without a move makes no file vacuous.
fn with_cells_of<T>(
    scenarios: &[&str],
    models: &[&str],
    limits: Limits,
    may_be_vacuous: bool,
    then: impl FnOnce(&[Cell], &[Model]) -> T,
) -> T {
    let known = bundle::models();
    let models: Vec<Model> = known.iter().filter(|m| models.contains(&m.name.as_str())).cloned().collect();
    let scenario = |name: &&str| {
        let source = bundle::find_scenario(name).expect("a bundled scenario");
        Scenario { file: read_scenario(&source).expect("a bundled scenario"), source }
    };
    let scenarios: Vec<Scenario> = scenarios.iter().map(scenario).collect();
    let plan = Plan {
        scenarios: &scenarios,
        models: &models,
        known: &known,
        named: true,
        large: true,
        limits,
        kept: None,
        may_be_vacuous,
    };
    then(&run(&plan, &()).expect("bundled files run"), &models)
}

fn files(scenarios: &[&str], models: &[&str], limits: Limits) -> BTreeMap<String, String> {
    with_cells(scenarios, models, limits, |cells, models| {
        let costs: Vec<_> = models.iter().map(matrix::policy_cost).collect();
        for_people(cells, models, &costs, None).into_iter().collect()
    })
}

const FEW: (&[&str], &[&str]) = (&["password-thief", "server-of-recipient"], &["matrix-tofu", "signal"]);

#[test]
fn one_attack_as_text_markdown_and_json() {
    let (scenarios, models) = (&["password-thief"], &["matrix-tofu"]);
    let files = files(scenarios, models, Limits::default());
    insta::assert_snapshot!("report_md", files["report.md"]);
    insta::assert_snapshot!("report_json", files["report.json"]);
    let text = with_cells(scenarios, models, Limits::default(), |cells, _| {
        explain::text(&cells[0], 0, &explain::what_stops(&cells[0], 0, None).expect("nothing is searched"))
    });
    let text = anstream::adapter::strip_str(&text).to_string();
    insta::assert_snapshot!("explain_text", text);
}

/// Who never moves is said to be denied by what its own powers come up against, and by nothing else.
#[test]
fn no_move_is_told_by_the_axes_that_deny_the_powers_of_the_file() {
    let expected = [
        ("added-member", "signal", "membership: signed"),
        ("number-hijack", "keybase", "identity-replaced-by: password"),
        ("number-hijack", "threema", "identity-replaced-by: impossible"),
        ("number-hijack", "matrix-tofu-linked", "identity: none"),
        ("password-thief", "signal", "joining: existing-device"),
        ("phished-link", "ssh-known-hosts", "joining: in-person"),
        ("stolen-recovery-key", "signal", "identity: shared-by-devices, joining: existing-device"),
        ("tls-breaker-one-client", "key-transparency-gossip", "transparency: gossip"),
    ];
    for (scenario, model, axes) in expected {
        let told = |cells: &[Cell], _: &[Model]| {
            let cell = cells.last().expect("a cell");
            let Verdict::Holds { no_move: Some(told) } = &cell.verdicts[0].1 else { panic!("{scenario}: {model}") };
            // With another value it moves; without identities that would take another value of more than one axis.
            let freed = |axis: &str| told == "identity: none" || moves_with_another_value(cell, axis);
            assert!(told.split(", ").all(|text| freed(text.split(':').next().expect("an axis"))), "{scenario}: {told}");
            told.clone()
        };
        let told = with_cells_of(&[scenario], &[model], Limits::default(), false, told);
        assert_eq!(told, axes, "{scenario}: {model}");
    }
}

/// Whether the adversary of a cell moves under the policy with some other value on one axis.
fn moves_with_another_value(cell: &Cell, axis: &str) -> bool {
    let values = axis_values().into_iter().find(|(name, _)| name == axis).expect("an axis").1;
    values.iter().filter(|value| *value != "unused").any(|value| {
        let policy = with_axis(&cell.model.policy, axis, value).expect("a value of the axis");
        let changed = cell.world.policy.map(|p| if p == cell.model.policy { policy } else { p });
        let w = World { policy: changed, ..cell.world };
        let limits = Limits { states_max: Some(10_000), ..Limits::default() };
        exact::search(&w, &[Property::NoRogueKey], limits, &()).adversary_moved
    })
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| files(FEW.0, FEW.1, Limits::default()))
    };
    let one = on(1);
    assert!(one.len() > 12, "{:?}", one.keys());
    assert!(on(2) == one && on(8) == one);
}

/// All that the HTML shows is in the JSON, and the JSON is by its schema.
#[test]
fn the_json_holds_what_the_page_shows() {
    let files = files(FEW.0, FEW.1, Limits::default());
    let value: Value = serde_json::from_str(&files["report.json"]).expect("JSON");
    let by: Value = serde_json::from_str(&schema::report()).expect("a schema is JSON");
    let validator = jsonschema::validator_for(&by).expect("a schema compiles");
    let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let page: Page = serde_json::from_value(value).expect("a page");
    assert_eq!(overhear::report::page::html(&page), files["index.html"]);
    assert_eq!(overhear::report::page::markdown(&page), [("report.md".to_string(), files["report.md"].clone())]);
    for plot in &page.plots {
        assert_eq!(plot.svg, files[&format!("plots/{}.svg", plot.name)]);
    }
}

/// GitHub cuts longer files off, or shows them as plain text.
#[test]
fn markdown_too_long_for_github_is_parted_by_scenario_and_linked() {
    const GITHUB_MAX: usize = 512_000;
    let files = files(FEW.0, FEW.1, Limits::default());
    let mut page: Page = serde_json::from_str(&files["report.json"]).expect("a page");
    // Each scenario over and over, told of as if it were another.
    let (scenarios, stories, matrix) = (page.scenarios.clone(), page.stories.clone(), page.matrix.clone());
    for n in 1..40 {
        let renamed = |name: &str| format!("{name}-{n}");
        page.scenarios.extend(scenarios.iter().cloned().map(|mut s| {
            s.name = renamed(&s.name);
            s.stories = s.stories.iter().map(|id| renamed(id)).collect();
            s.rows.iter_mut().flat_map(|r| &mut r.verdicts).for_each(|v| v.story = v.story.as_deref().map(renamed));
            s
        }));
        page.stories.extend(stories.iter().cloned().map(|mut s| {
            (s.id, s.scenario) = (renamed(&s.id), renamed(&s.scenario));
            s
        }));
        for (row, first) in page.matrix.iter_mut().zip(&matrix) {
            row.worst.extend(first.worst.iter().cloned().map(|mut all| {
                all.iter_mut().for_each(|g| g.story = g.story.as_deref().map(renamed));
                all
            }));
        }
    }
    let parts: BTreeMap<String, String> = overhear::report::page::markdown(&page).into_iter().collect();
    assert_eq!(parts.len(), 1 + page.scenarios.len(), "{:?}", parts.keys());
    let mut links = 0;
    for (name, text) in &parts {
        assert!(text.len() < GITHUB_MAX, "{name}: {} bytes", text.len());
        let folder = if name.starts_with("attacks/") { "attacks/" } else { "" };
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, id) = link.split_once('#').unwrap_or((link, ""));
            if folder.is_empty() && file.starts_with("plots/") {
                continue;
            }
            let file = format!("{folder}{file}").replace("attacks/../", "");
            let other = parts.get(&file).unwrap_or_else(|| panic!("{name}: {link} leads nowhere"));
            assert!(id.is_empty() || other.contains(&format!("<a id=\"{id}\"></a>")), "{name}: {link}");
            links += 1;
        }
    }
    assert!(links > page.stories.len(), "{links}");
    for s in &page.stories {
        assert!(parts[&format!("attacks/{}.md", s.scenario)].contains(&format!("<a id=\"{}\"></a>", s.id)), "{}", s.id);
    }
    // Of an earlier run nothing is left that this one does not have, but for what somebody else wrote.
    let folder = Folder::new();
    let left = || read_all(&folder.path("out")).into_keys().collect::<Vec<_>>();
    let files: Vec<(String, String)> = parts.into_iter().collect();
    write_files(&folder.path("out"), &files).expect("written");
    assert!(left().iter().eq(files.iter().map(|(name, _)| name)), "{:?}", left());
    std::fs::write(folder.path("out/attacks/mine.md"), "# Mine\n").expect("written");
    write_files(&folder.path("out"), &files[files.len() - 2..]).expect("written");
    assert_eq!(left(), ["attacks/mine.md", "attacks/server-of-recipient.md", "report.md"]);
}

/// Each violation has a story that decides it, which ends in a trace beside the page.
#[test]
fn every_violation_is_told_and_told_once() {
    let files = files(&["password-thief", "verified-contact"], &["matrix-tofu", "whatsapp"], Limits::default());
    let page: Page = serde_json::from_str(&files["report.json"]).expect("a page");
    let mut fallen = 0;
    for scenario in &page.scenarios {
        for row in &scenario.rows {
            for (property, verdict) in scenario.properties.iter().zip(&row.verdicts) {
                let falls = verdict.sign.starts_with("FALLS");
                assert_eq!(falls, verdict.story.is_some(), "{}, {}, {property}", scenario.name, row.model);
                let Some(id) = &verdict.story else { continue };
                fallen += 1;
                let story = page.stories.iter().find(|s| s.id == *id).expect("a story of that name");
                let decided = story.decides.iter().filter(|d| d.scenario == scenario.name && d.property == *property);
                let said = format!("{} ({}, ", row.model, row.arrives.as_deref().expect("an adversary"));
                assert_eq!(decided.flat_map(|d| &d.models).filter(|m| m.starts_with(&said)).count(), 1, "{id}");
            }
        }
    }
    let decided: usize = page.stories.iter().flat_map(|s| &s.decides).map(|d| d.models.len()).sum();
    assert_eq!(decided, fallen);
    let mut sentences: Vec<&str> = page.stories.iter().map(|s| s.sentence.as_str()).collect();
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), page.stories.len());
    for story in &page.stories {
        let text = files.get(&format!("traces/{}", story.trace)).expect("a trace beside the page");
        // A reader of others takes it for what it is.
        let read: itf::Trace<itf::Value> = itf::trace_from_str(text).expect("valid ITF");
        assert_eq!(read.states.len(), story.steps.len() + 1, "{}", story.trace);
    }
}

#[test]
fn what_was_cut_short_is_shown_as_unknown() {
    let limits = Limits { states_max: Some(20), ..Limits::default() };
    let files = files(&["password-thief"], &["matrix-cross-signing-tofu"], limits);
    let page: Page = serde_json::from_str(&files["report.json"]).expect("a page");
    let signs = page.scenarios[0].rows.iter().flat_map(|row| &row.verdicts).map(|v| v.sign.as_str());
    assert!(signs.clone().any(|s| s == "unknown") && !signs.clone().any(|s| s == "holds"));
    assert_eq!(page.complete, 0);
    let page = |files: BTreeMap<String, String>| serde_json::from_str::<Page>(&files["report.json"]).expect("a page");
    let nothing = page(crate::files(&["added-member"], &["matrix-tofu"], Limits { states_max: Some(2), ..limits }));
    let signs: Vec<&str> = nothing.matrix[0].worst.iter().flatten().map(|glance| glance.sign.as_str()).collect();
    assert_eq!(signs, ["?", "?"], "what was not found has no length");
    assert!(files["index.html"].contains("0 of 2 searches ended by themselves"));
}

#[test]
fn at_a_glance_it_is_told_why_nothing_is_found() {
    let files = files(&["added-member", "no-adversary"], &["matrix-tofu", "signal"], Limits::default());
    let page: Page = serde_json::from_str(&files["report.json"]).expect("a page");
    let glances = page.matrix.iter().flat_map(|row| row.worst.iter().flatten().map(|g| (row.model.as_str(), g)));
    let told: Vec<_> = glances.map(|(model, g)| (model, g.sign.as_str(), g.says.as_str())).collect();
    for nothing in [
        ("signal", "–", "the adversary has no move with membership: signed"),
        ("signal", "·", "no attack within these bounds"),
    ] {
        assert!(told.contains(&nothing), "{nothing:?} is not in {told:?}");
    }
    let marks: Vec<_> = page.matrix.iter().map(|row| (row.model.as_str(), row.unverified)).collect();
    assert_eq!(marks, [("matrix-tofu", false), ("signal", true)], "what rests on something unverified is marked");
}

/// What would begin a list at the beginning of a line is written so that it does not; elsewhere it is left alone.
#[test]
fn a_title_that_looks_like_a_list_is_a_title() {
    for (title, written) in [
        ("- of all", "&#45; of all"),
        ("1. of all", "1&#46; of all"),
        ("12) of all", "12&#41; of all"),
        ("1st. of all", "1st. of all"),
        (".net, or not", ".net, or not"),
        ("all-in", "all-in"),
    ] {
        assert_eq!(markdown::text(title), written);
    }
}

/// A line is broken where the next word does not fit, wherever that is; a word that fits no line has one of its own.
#[test]
fn narrow_lines_are_broken_between_words() {
    let text = "Bob's server invents a device for Bob";
    assert_eq!(wrapped_to(20, "1. ", 3, text), "1. Bob's server\n   invents a device\n   for Bob\n");
    assert_eq!(wrapped_to(80, "1. ", 3, text), format!("1. {text}\n"));
    assert_eq!(wrapped_to(4, "", 2, "to mallory-laptop"), "to\n  mallory-laptop\n");
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn overhear(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
        command.args(arguments).current_dir(self.0.path()).output().expect("the program runs")
    }
}

fn read_all(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(read_all(&path).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            files.insert(name, std::fs::read(&path).expect("a file"));
        }
    }
    files
}

#[test]
fn a_kept_run_gives_the_same_report() {
    for (cells, exit) in [
        // The second is about a policy that the first is not about, and that stands before the others.
        (&["added-member", "asked-added-member"][..], 0),
        (&["password-thief", "--models", "matrix-tofu,signal"], 0),
        (&["password-thief", "--models", "matrix-tofu", "--max-states", "20"], 3),
        (&["password-thief", "--models", "signal"], 4),
    ] {
        let folder = Folder::new();
        let compared = folder.overhear(&[&["compare", "--format", "json", "--out", "now"], cells].concat());
        assert_eq!(compared.status.code(), Some(exit), "{cells:?}");
        std::fs::write(folder.path("run.json"), &compared.stdout).expect("a file");
        let reported = folder.overhear(&["report", "run.json", "--out", "later"]);
        assert_eq!(reported.status.code(), Some(0), "{}", String::from_utf8_lossy(&reported.stderr));
        let (now, later) = (read_all(&folder.path("now")), read_all(&folder.path("later")));
        for name in ["index.html", "report.md", "report.json"] {
            assert!(later.contains_key(name), "no {name}");
        }
        assert!(exit != 0 || later.contains_key("plots/safety-against-cost.csv"), "no plot");
        for (name, text) in &later {
            assert!(now.get(name) == Some(text), "{cells:?}: {name} differs");
        }
    }
}

/// A file of results is believed as far as it can be checked: files that changed and traces that do not replay are not.
#[test]
fn a_kept_run_is_not_taken_on_trust() {
    let folder = Folder::new();
    folder.overhear(&["init", "."]);
    let checked = folder.overhear(&["check", "my-scenario.json", "--models", "my-model.json", "--format", "json"]);
    let run: Record = serde_json::from_slice(&checked.stdout).expect("a run");
    let report = |run: &Record| {
        std::fs::write(folder.path("run.json"), json!(run).to_string()).expect("a file");
        let output = folder.overhear(&["report", "run.json", "--out", "out"]);
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    assert_eq!(report(&run).0, Some(0));
    let mut forged = run.clone();
    let verdicts = forged.cells.iter_mut().flat_map(|c| &mut c.verdicts);
    let mut attacks = verdicts.filter_map(|v| v.trace.as_mut());
    attacks.find(|trace| trace.len() > 1).expect("an attack").pop();
    let (code, said) = report(&forged);
    assert!(code == Some(2) && said.contains("does not replay"), "{code:?}: {said}");
    let mut foreign = run.clone();
    let verdicts = foreign.cells.iter_mut().flat_map(|c| &mut c.verdicts);
    let mut attacks = verdicts.filter_map(|v| v.trace.as_mut());
    attacks.find(|trace| trace.len() > 1).expect("an attack").insert(0, "sign-in mallory".to_string());
    let (code, said) = report(&foreign);
    assert!(
        code == Some(2) && said.contains("`sign-in mallory`: in this scenario nobody can do that"),
        "{code:?}: {said}"
    );
    let mut turned = run.clone();
    turned.cells[0].verdicts.reverse();
    let (code, said) = report(&turned);
    assert!(code == Some(2) && said.contains("in this order"), "{code:?}: {said}");
    let mut moved = run.clone();
    moved.cells[0].arrives = Some("after-verification".to_string());
    let (code, said) = report(&moved);
    assert!(code == Some(2) && said.contains("no such arrival"), "{code:?}: {said}");
    let mut renamed = run.clone();
    renamed.cells[0].model = "another".to_string();
    let (code, said) = report(&renamed);
    assert!(code == Some(2) && said.contains("no file is named for it"), "{code:?}: {said}");
    let path = folder.path("my-scenario.json");
    let text = std::fs::read_to_string(&path).expect("a file");
    std::fs::write(&path, text + "\n").expect("a file");
    let (code, said) = report(&run);
    assert!(code == Some(2) && said.contains("my-scenario.json has changed since run.json was written"), "{said}");
}
