//! The committed reports are what `compare` writes today, and every bundled expectation is met.

use overhear::command::{Exit, exit_of};
use overhear::explore::Limits;
use overhear::input::Source;
use overhear::report::diff::{Outcome, Side};
use overhear::report::{self, claims, itf, matrix, results};
use overhear::run::{Cell, Plan, Scenario, run};
use overhear::scenario::{Model, arrival_by_name, compile, property_by_name, read_model, read_scenario};
use overhear::{bundle, model::Property, trace};
use rayon::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn scenarios() -> Vec<Scenario> {
    let sources = bundle::scenarios().into_iter().map(|s| s.source());
    sources.map(|source| Scenario { file: read_scenario(&source).expect("a bundled scenario"), source }).collect()
}

/// The cells of scenarios under models, searched.
fn cells_of<'a>(scenarios: &'a [Scenario], models: &'a [Model], limits: Limits) -> Vec<Cell<'a>> {
    let plan =
        Plan { scenarios, models, known: models, named: false, large: false, limits, kept: None, may_be_vacuous: true };
    run(&plan, &()).expect("bundled files run")
}

fn model(name: &str) -> Model {
    bundle::models().into_iter().find(|m| m.name == name).expect("a bundled model")
}

/// The bundled scenarios and models of these names.
fn some(scenario: impl Fn(&str) -> bool, models: &[&str]) -> (Vec<Scenario>, Vec<Model>) {
    let named = |m: &Model| models.contains(&m.name.as_str());
    let scenarios = scenarios().into_iter().filter(|s| scenario(&s.file.name));
    (scenarios.collect(), bundle::models().into_iter().filter(named).collect())
}

#[test]
fn reports_are_current_and_every_expectation_is_met() {
    let (scenarios, models) = (scenarios(), bundle::models());
    let cells = cells_of(&scenarios, &models, Limits::default());
    assert_eq!(exit_of(&cells), Exit::Fine, "{}", report::terminal::unmet(&cells));
    let costs: Vec<_> = models.par_iter().map(matrix::policy_cost).collect();
    let dir = reports();
    let files = report::all(&cells, &models, &costs);
    if blessing() {
        report::write_files(&dir, &files).expect("reports/ can be written");
    }
    for (name, text) in &files {
        let committed = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        let stale = committed.lines().zip(text.lines()).position(|(a, b)| a != b);
        assert!(committed == *text, "reports/{name} is stale from line {stale:?}; run with OVERHEAR_BLESS=1");
    }
    let stale = report::stale(&dir, &files).expect("reports/ can be read");
    assert!(stale.is_empty(), "no run writes {stale:?} any more; run with OVERHEAR_BLESS=1");
    let plots =
        std::fs::read_dir(dir.join("plots")).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let written = |name: &str| files.iter().any(|(file, _)| *file == format!("plots/{name}"));
    let unknown: Vec<_> = plots.filter(|name| !name.to_str().is_some_and(written)).collect();
    assert!(unknown.is_empty(), "no plot is called {unknown:?}");
}

/// Whether the reports are being written: then what was committed is none of a test's business.
fn blessing() -> bool {
    std::env::var_os("OVERHEAR_BLESS").is_some()
}

fn reports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports")
}

/// What the example report is made from.
const EXAMPLE: &str = "compare password-thief verified-contact-hurried --models matrix-riot-2019,matrix-tofu \
                       --people typical --runs 200 --days 4 --out reports/example";

/// What is kept of it: all that is drawn, and the numbers behind that.
fn kept_of(dir: &Path) -> Vec<(String, String)> {
    let plots = std::fs::read_dir(dir.join("plots")).expect("plots").map(|entry| entry.expect("an entry").file_name());
    let plots = plots.map(|name| format!("plots/{}", name.to_str().expect("UTF-8")));
    let mut names: Vec<String> = plots.chain(["index.html", "simulation.csv"].map(str::to_string)).collect();
    names.sort();
    let read = |name: &String| std::fs::read_to_string(dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    names.iter().map(|name| (name.clone(), read(name))).collect()
}

#[test]
fn the_example_report_is_what_the_readmes_command_writes() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    let words = |text: &str| text.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&readme).contains(&format!("overhear {EXAMPLE}")), "the README has another command");
    let dir = tempfile::tempdir().expect("a folder");
    let asked = EXAMPLE.trim_end_matches("reports/example").split_whitespace();
    let told = Command::new(env!("CARGO_BIN_EXE_overhear")).args(asked).arg(dir.path()).output().expect("it starts");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let (written, committed) = (kept_of(dir.path()), reports().join("example"));
    if blessing() {
        report::write_files(&committed, &written).expect("reports/example can be written");
    }
    for ((name, was), (now_name, now)) in kept_of(&committed).iter().zip(&written) {
        assert_eq!(name, now_name, "run with OVERHEAR_BLESS=1");
        let stale = was.lines().zip(now.lines()).position(|(a, b)| a != b);
        assert!(was == now, "reports/example/{name} is stale from line {stale:?}; run with OVERHEAR_BLESS=1");
    }
    assert_eq!(kept_of(&committed).len(), written.len(), "run with OVERHEAR_BLESS=1");
}

#[test]
fn every_committed_trace_replays_to_its_violation() {
    if blessing() {
        return;
    }
    let models = bundle::models();
    let page = std::fs::read_to_string(reports().join("results.md")).expect("a report");
    let entries = std::fs::read_dir(reports().join("traces")).expect("a folder");
    let files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    assert!((10..100).contains(&files.len()), "{} traces", files.len());
    for path in files {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let trace = itf::read(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let meta = &trace.meta;
        let source = bundle::find_scenario(&meta.scenario).expect("a bundled scenario");
        let model_text = bundle::find_model(&meta.model).expect("a bundled model").text;
        assert_eq!(meta.input_hash, itf::input_hash(&[&source.text, &model_text]), "{name} is older than its files");
        let file = read_scenario(&source).expect("a bundled scenario");
        let model = models.iter().find(|m| m.name == meta.model).expect("a bundled model");
        let arrives = arrival_by_name(&meta.arrives).expect("an arrival");
        let property = property_by_name(&meta.property).expect("a property");
        let (world, names) = compile(&file, &source, model, &models, arrives).expect("a bundled scenario");
        let parse =
            |line: &String| trace::parse(&world, &names, line).unwrap_or_else(|e| panic!("{name}: {line}: {e}"));
        let actions: Vec<_> = trace.actions.iter().map(parse).collect();
        assert!(trace::ends_with(&world, &actions, property, false), "{name} does not end in a violation");
        assert!(page.contains(&format!("(../reports/traces/{name})")), "no sentence links to {name}");
    }
}

#[test]
fn every_bundled_adversary_has_a_name_in_sentences() {
    let with_adversary = scenarios().into_iter().filter(|s| s.file.adversary.is_some());
    let nameless: Vec<String> = with_adversary.map(|s| s.file.name).filter(|s| results::phrase(s).is_none()).collect();
    assert!(nameless.is_empty(), "{nameless:?}");
}

/// What was found under a policy: the scenario, the arrival, the property and the verdict of each.
fn side(model: &str, found: &[(&str, &str, &str, &'static str)]) -> Side {
    let outcome = |&(scenario, arrives, property, verdict): &(&str, &str, &str, &'static str)| Outcome {
        scenario: scenario.to_string(),
        word: scenario.to_string(),
        arrives: Some(arrives.to_string()),
        property: property.to_string(),
        verdict,
        sign: String::new(),
        attack: if verdict == "violated" { vec!["send alice-phone".to_string()] } else { Vec::new() },
        says: String::new(),
        no_move: false,
        only_asked: false,
    };
    Side {
        name: model.to_string(),
        word: model.to_string(),
        axes: Vec::new(),
        outcomes: found.iter().map(outcome).collect(),
        costs: Vec::new(),
    }
}

/// A run of policies against one adversary that is there from the start: each with the verdict on rogue keys.
fn tiny_run(models: &[Model], verdicts: &[&'static str]) -> Vec<results::Section> {
    let of = |(model, verdict): (&Model, &&'static str)| {
        side(&model.name, &[("password-thief", "from-start", "no-rogue-key", verdict)])
    };
    let sides = models.iter().zip(verdicts).map(of).collect();
    results::sections(&results::Run { models, sides, claims: Vec::new() })
}

#[test]
fn another_verdict_makes_another_sentence() {
    let models = [model("matrix-tofu"), model("signal")];
    let about_the_thief = |verdicts: [&'static str; 2]| {
        let sections = tiny_run(&models, &verdicts);
        sections.into_iter().find(|s| s.title.starts_with("Adversary")).expect("a section").findings.remove(0)
    };
    let (tofu, signal) = ("*Matrix with trust on first use of devices (hypothetical)*", "*Signal, as installed*†");
    let thief = "**[A password thief](../scenarios/password-thief.json).**";
    let step = "[1 step](../reports/traces/password-thief.matrix-tofu.from-start.no-rogue-key.itf.json)";
    assert_eq!(
        about_the_thief(["violated", "holds"]),
        format!(
            "{thief} From the start one of two policies gives nothing away: {signal}. The worst is that a rogue device \
             reads, from the start under {tofu} alone, in {step}."
        )
    );
    assert_eq!(about_the_thief(["holds", "holds"]), format!("{thief} From the start both policies give nothing away."));
    assert_eq!(
        about_the_thief(["unknown", "holds"]),
        format!("{thief} From the start one of two policies gives nothing away: {signal}. Of {tofu} it is not known.")
    );
}

/// With few policies the words are others than with many.
#[test]
fn the_only_policy_and_each_of_three_are_told_as_such() {
    let models = ["matrix-tofu", "signal", "wire"].map(model);
    let told = |verdicts: &[&'static str]| {
        let sections = tiny_run(&models[..verdicts.len()], verdicts);
        let finding =
            sections.into_iter().find(|s| s.title.starts_with("Adversary")).expect("a section").findings.remove(0);
        finding.split(". The worst").next().expect("a text").to_string()
    };
    let ends = |verdicts: &[&'static str], words: &str| {
        let told = told(verdicts);
        assert!(told.trim_end_matches('.').ends_with(words), "{told}");
    };
    ends(&["holds"], "From the start the only policy gives nothing away");
    ends(&["violated"], "From the start the only policy gives something away");
    ends(&["violated"; 2], "From the start each of two policies gives something away");
    ends(&["holds"; 3], "From the start all three policies give nothing away");
    ends(&["violated"; 3], "From the start each of three policies gives something away");
    // Where nobody who is left has a move, that is told of all at once.
    let found = [("password-thief", "from-start", "no-rogue-key", "holds")];
    let mut sides: Vec<Side> = models.iter().map(|m| side(&m.name, &found)).collect();
    sides.iter_mut().for_each(|side| side.outcomes[0].no_move = true);
    let sections = results::sections(&results::Run { models: &models, sides, claims: Vec::new() });
    let thief = &sections.iter().find(|s| s.title.starts_with("Adversary")).expect("a section").findings[0];
    assert!(thief.ends_with("all three policies give nothing away. It has no move there."), "{thief}");
}

/// What people lose who are not careful, of few policies.
#[test]
fn a_loss_is_told_of_the_only_policy_and_of_all_of_them() {
    let models = ["matrix-tofu", "signal", "wire"].map(model);
    let told = |careless: &[&'static str]| {
        let found = |now: &'static str| {
            let of = |scenario, verdict| (scenario, "from-start", "no-rogue-key", verdict);
            [of("password-thief", "holds"), of("password-thief-hurried", now)]
        };
        let sides = models.iter().zip(careless).map(|(m, now)| side(&m.name, &found(now))).collect();
        let run = results::Run { models: &models[..careless.len()], sides, claims: Vec::new() };
        results::sections(&run).into_iter().flat_map(|s| s.findings).collect::<Vec<_>>().join("\n")
    };
    let has = |careless: &[&'static str], words: &str| {
        let told = told(careless);
        assert!(told.contains(&format!("{words} something that careful people keep")), "{words}: {told}");
    };
    has(&["holds"], "No policy loses");
    has(&["violated"], "The only policy loses");
    has(&["violated"; 2], "Both policies lose");
    has(&["holds"; 2], "None of two policies loses");
    has(&["violated", "holds", "holds"], "One of three policies loses");
    has(&["violated", "violated", "holds"], "Two of three policies lose");
    has(&["violated"; 3], "All three policies lose");
}

#[test]
fn attacks_that_are_as_short_are_counted_and_none_is_called_the_soonest() {
    let models = ["matrix-tofu", "signal", "wire"].map(model);
    let sections = tiny_run(&models, &["violated", "violated", "holds"]);
    let told = |heading: &str| &sections.iter().find(|s| s.title.starts_with(heading)).expect("a section").findings[0];
    let step = "soonest in [1 step](../reports/traces/password-thief.signal.from-start.no-rogue-key.itf.json)";
    let under = format!("from the start under 2 policies, {step}, under *Signal, as installed*† and 1 other.");
    assert!(told("Adversary").ends_with(&under), "{}", told("Adversary"));
    let worst = format!("a rogue device reads, {step}, with [a password thief](../scenarios/password-thief.json).");
    assert!(told("What clients").ends_with(&worst), "{}", told("What clients"));
}

#[test]
fn who_has_no_move_is_not_withstood_by_a_policy() {
    let models = ["signal", "wire"].map(model);
    let told = |no_move: [bool; 2]| {
        let thieves = ["password-thief", "number-hijack"];
        let found = thieves.map(|thief| (thief, "from-start", "no-rogue-key", "holds"));
        let mut sides: Vec<Side> = models.iter().map(|m| side(&m.name, &found)).collect();
        sides[0].outcomes.iter_mut().zip(no_move).for_each(|(o, no_move)| o.no_move = no_move);
        let run = results::Run { models: &models, sides, claims: Vec::new() };
        let mut sections = results::sections(&run).into_iter();
        let of = sections.find(|s| s.title.starts_with("Adversary")).expect("a section").findings.remove(1);
        (of, sections.find(|s| s.title.starts_with("What clients")).expect("a section").findings.remove(0))
    };
    let ends = |no_move, of: &str, client: &str| {
        let told = told(no_move);
        assert!(told.0.ends_with(of) && told.1.ends_with(client), "{told:?}");
    };
    ends([false, false], "give nothing away.", " Each of these 2 has a move under it.");
    ends([true, false], " Under 1 of these 2 it has no move.", " Of these 2 only 1 has a move under it.");
    ends([true, true], " Under 1 of these 2 it has no move.", " Of these 2 none has a move under it.");
}

#[test]
fn a_question_that_is_answered_with_yes_is_told_as_the_warning_that_it_is() {
    let (scenarios, models) = some(|name| name == "phished-link", &["signal", "wire"]);
    let cells = cells_of(&scenarios, &models, Limits::default());
    let costs: Vec<_> = models.iter().map(matrix::policy_cost).collect();
    let sections = results::sections(&results::of_cells(&cells, &models, &costs));
    let clients = &sections.iter().find(|s| s.title.starts_with("What clients")).expect("a section").findings;
    let warned = " Somebody is warned by the time a key goes to [a phisher whose device the owner approves]";
    let asked = "in a shortest attack, is the question to which the owner of the account says yes.";
    // Wire's server writes the owner a mail as the thief signs in.
    assert!(clients.iter().all(|text| text.contains(warned)), "{clients:?}");
    assert_eq!(clients.iter().map(|text| text.contains(asked)).collect::<Vec<_>>(), [true, false], "{clients:?}");
}

/// A scenario, an arrival, and the verdict on rogue keys.
type Found<'a> = (&'a str, &'a str, &'static str);

/// The findings under a heading of a run in which this was found of each policy.
fn findings_under(heading: &str, found: [(&str, &[Found]); 2]) -> Vec<String> {
    let models = found.map(|(name, _)| bundle::models().into_iter().find(|m| m.name == name).expect("a bundled model"));
    let about_keys = |(name, found): (&str, &[Found])| {
        let about_keys = found.iter().map(|&(scenario, arrives, verdict)| (scenario, arrives, "no-rogue-key", verdict));
        side(name, &about_keys.collect::<Vec<_>>())
    };
    let run = results::Run { models: &models, sides: found.map(about_keys).into(), claims: vec![] };
    let section = results::sections(&run).into_iter().find(|s| s.title.starts_with(heading));
    section.unwrap_or_else(|| panic!("no section on {heading}")).findings
}

#[test]
fn what_is_not_known_is_counted_and_named() {
    let (start, late) = ("from-start", "after-first-contact");
    let found = |thief: [&'static str; 4]| {
        let [a, b, c, d] = thief;
        let signal = [("password-thief", start, a), ("password-thief", late, b)];
        let verified = [("password-thief", start, c), ("password-thief", late, d)];
        findings_under("What verification buys", [("signal", &signal), ("signal-verified", &verified)]).remove(0)
    };
    let told = found(["violated", "unknown", "holds", "unknown"]);
    assert!(told.contains(" Of 2 verdicts 1 is won and 0 lost, and of 1 it is not known. "), "{told}");
    let told = found(["unknown", "unknown", "holds", "holds"]);
    assert!(told.contains(" Of 2 verdicts 0 are won and 0 lost, and of 2 it is not known. "), "{told}");
    let told = found(["holds", "holds", "violated", "holds"]);
    assert!(told.contains(" Of 2 verdicts 0 are won and 1 lost. "), "{told}");

    let hurried = |careful, careless| {
        let of = [("password-thief", start, careful), ("password-thief-hurried", start, careless)];
        let held = of.map(|(scenario, at, _)| (scenario, at, "holds"));
        findings_under("What a hurried person costs", [("signal", &of), ("matrix-tofu", &held)]).remove(0)
    };
    assert!(hurried("holds", "unknown").contains(" Of *Signal, as installed*† it is not known."));
    let known = hurried("holds", "violated");
    assert!(!known.contains("not known") && known.contains("One of two policies loses something"), "{known}");
}

#[test]
fn whom_no_late_search_is_about_is_not_lost_to() {
    let (start, late) = ("from-start", "after-first-contact");
    let found = |thief| {
        [("invite-history", start, "holds"), ("password-thief", start, "holds"), ("password-thief", late, thief)]
    };
    let told = |thief| {
        findings_under("What clients withstand", [("signal", &found(thief)), ("threema", &found("holds"))]).remove(0)
    };
    assert!(!told("holds").contains("no longer"), "{}", told("holds"));
    let lost = "no longer [a password thief](../scenarios/password-thief.json).";
    assert!(told("violated").contains(lost), "{}", told("violated"));
}

#[test]
fn what_a_verification_wins_and_loses_is_told() {
    let of = |before, after| {
        [("server-of-recipient", "after-first-contact", before), ("verified-contact", "after-verification", after)]
    };
    let (won, lost) = (of("violated", "holds"), of("holds", "violated"));
    let told = findings_under("What verification buys", [("matrix-tofu", &won), ("ghost-user", &lost)]).remove(0);
    let link = "(../reports/traces/verified-contact.ghost-user.after-verification.no-rogue-key.itf.json)";
    let lost = "What is lost: a rogue device reads, by ";
    assert!(
        told.starts_with("**[The server of a verified recipient](../scenarios/verified-contact.json).** "),
        "{told}"
    );
    let before = "Before a verification, one of two policies gives nothing away; afterwards one does, in addition ";
    assert!(told.contains(before), "{told}");
    assert!(told.contains(lost) && told.ends_with(&format!("soonest in [1 step]{link}.")), "{told}");

    let in_vain = of("violated", "violated");
    let told = findings_under("What verification buys", [("ghost-user", &won), ("matrix-tofu", &in_vain)]).remove(0);
    let ghost = "*Signal's policy in groups whose members only the server knows*†";
    let after = format!("each of two policies gives something away; afterwards nothing is given away under {ghost}. ");
    assert!(told.contains(&after), "{told}");
}

#[test]
fn what_is_asked_of_people_is_told_once_and_what_is_not_asked_is_not_told() {
    let told = |names: [&str; 2], costs: [&[(&'static str, &str)]; 2]| {
        let models = names.map(model);
        let with_costs = |(model, costs): (&Model, &[(&'static str, &str)])| Side {
            costs: costs.iter().map(|(what, cost)| (*what, cost.to_string())).collect(),
            ..side(&model.name, &[("password-thief", "from-start", "no-rogue-key", "holds")])
        };
        let sides = models.iter().zip(costs).map(with_costs).collect();
        let sections = results::sections(&results::Run { models: &models, sides, claims: Vec::new() });
        let section = sections.into_iter().find(|s| s.title.starts_with("What verification")).expect("a section");
        section.findings[0].split_once(" What it asks of people: ").expect("costs").1.to_string()
    };
    let signal = ["signal", "signal-verified"];
    let loose: &[_] = &[("set up", "2c"), ("hurried", "2c"), ("new device", "0 + 0"), ("reset", "1c + 0")];
    let strict: &[_] = &[("set up", "3c"), ("hurried", "3c"), ("new device", "1c + 0"), ("reset", "1c + 1c")];
    let all = "setting up and setting up in a hurry, 3 ceremonies instead of 2; a new device, 1 ceremony of the owner \
               instead of nothing; a reset, 1 ceremony of the owner and 1 ceremony of the others instead of 1 ceremony \
               of the owner.";
    assert_eq!(told(signal, [loose, strict]), all);
    assert_eq!(
        told(signal, [&[("hurried", "6p")], &[("hurried", "1c")]]),
        "setting up in a hurry, 1 ceremony instead of 6 prompts."
    );

    let cross_signing = ["matrix-cross-signing-tofu", "matrix-cross-signing-verified"];
    let reset: [&[_]; 2] = [&[("reset", "1c + 1c")], &[("reset", "0 + 1c")]];
    let less = told(cross_signing, reset);
    assert!(less.contains("nothing of the owner, as a device that was compared before stays trusted"), "{less}");
    assert!(!told(signal, reset).contains("stays trusted"), "where devices share an identity there are no such marks");
}

#[test]
fn two_names_are_joined_by_and_whatever_they_contain() {
    let same = [("password-thief-verified", "after-verification", "violated")];
    let found: [(&str, &[_]); 2] = [("matrix-2020-cross-signing-default", &same), ("matrix-js-sdk-19.7", &same)];
    let told = findings_under("What else", found).pop().expect("a finding");
    let names = "*Element as cross-signing came, 2020* and *Element with cross-signing, after the repairs of 2022*";
    assert!(told.ends_with(&format!(" No verdict tells {names} apart.")), "{told}");
}

#[test]
fn late_adversaries_are_counted_alike_in_all_sections() {
    let late = |thief, server| {
        [("password-thief", "after-first-contact", thief), ("verified-contact", "after-verification", server)]
    };
    let (a, b) = (late("holds", "holds"), late("violated", "holds"));
    let found: [(&str, &[_]); 2] = [("signal", &a), ("wire", &b)];
    let client = findings_under("What clients", found).remove(0);
    assert!(client.contains(" it gives nothing away to 2 of 2 adversaries."), "{client}");
    let most = findings_under("What else", found).remove(0);
    let told = "at most 2 are given nothing, under *Signal, as installed*† (2 of these have moves).";
    assert!(most.starts_with("**The most that is withstood.** Of 2 adversaries") && most.ends_with(told), "{most}");
}

#[test]
fn a_claim_that_a_source_contradicts_is_not_outside_the_model() {
    let models: Vec<Model> = bundle::models().into_iter().filter(|m| m.name == "matrix-all-devices").collect();
    let about_claims = |verdicts: &[(&str, &str, &str, &'static str)]| {
        let sides = vec![side("matrix-all-devices", verdicts)];
        let run = results::Run { models: &models, sides, claims: claims::told(&[]) };
        results::sections(&run).remove(0)
    };
    let late = ("password-thief", "after-first-contact");
    let section = about_claims(&[(late.0, late.1, "no-rogue-key", "holds")]);
    assert!(
        section.lead.ends_with(
            " 1 is false by a source that a model names, 3 are outside of the model and of 11 it is not known."
        ),
        "{}",
        section.lead
    );
    let told =
        "**Signal's phone cross-signs the keys of Signal Desktop.** Does not hold, by its source: linked devices";
    assert!(section.findings.iter().any(|text| text.starts_with(told)), "{:?}", section.findings);
    assert!(!section.findings.iter().any(|text| text.starts_with('“')), "a paraphrase is no quotation");

    let came = |read, silent| {
        let verdicts = [(late.0, late.1, "no-rogue-key", read), (late.0, late.1, "no-silent-leak", silent)];
        about_claims(&verdicts).findings.pop().expect("a finding")
    };
    let told = came("violated", "violated");
    assert!(told.starts_with("**What clients came to instead.**") && told.contains(" before anybody is warned, in "));
    assert!(came("violated", "holds").ends_with(", and somebody is warned by then."));
    assert!(came("holds", "holds").ends_with("under *Matrix, keys to all devices* no rogue device reads."));
    assert!(came("unknown", "unknown").contains("it is not known"));
}

#[test]
fn a_column_is_not_decided_by_a_search_that_was_cut_short() {
    let (scenarios, models) = some(|name| name.starts_with("tls-breaker"), &["matrix-tofu"]);
    let cells = cells_of(&scenarios, &models, Limits { states_max: Some(2), ..Limits::default() });
    let costs: Vec<_> = models.iter().map(matrix::policy_cost).collect();
    let table = report::sok::json(&report::sok::table(&cells, &models, &costs));
    let column = &table["policies"][0]["columns"]["network MitM prevention"];
    assert_eq!(column["level"], "?");
    let by: Vec<&Value> = column["decided-by"].as_array().expect("verdicts").iter().map(|v| &v["verdict"]).collect();
    assert!(!by.is_empty() && by.iter().all(|verdict| **verdict == "unknown"), "{by:?}");
    assert!(cells.iter().all(|cell| matrix::worst_sign(cell) == "?"), "nothing was found, and nothing excluded");
    // A claim that these searches are about is not decided either; those about others are not searched.
    let told = claims::json(&cells);
    let found =
        |status: &str| told["claims"].as_array().expect("claims").iter().filter(|c| c["verdict"] == status).count();
    assert!(found("not conclusive") > 0 && found("not searched") > 0, "{told}");
    assert_eq!(found("holds") + found("does not hold"), 0, "{told}");
}

#[test]
fn every_property_is_asked_somewhere_and_falls_somewhere_by_expectation() {
    let scenarios = scenarios();
    for property in Property::ALL {
        let claims = || scenarios.iter().flat_map(|s| &s.file.expectations);
        let about = || claims().filter(|c| c.property.0.iter().any(|p| p.0 == property));
        let falls = about().any(|c| c.expect == overhear::scenario::Expect::Violated);
        assert!(about().next().is_some(), "{property:?} is asked nowhere");
        assert!(falls || !property.is_safety(), "{property:?} falls nowhere");
    }
}

/// The lines of tables and lists in a page in which a model is named that rests on something unverified, without its
/// mark. Files are no names of models.
fn unmarked<'a>(page: &'a str, models: &[Model]) -> Vec<&'a str> {
    let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && !"-./†".contains(c));
    let unmarked = |line: &str, name: &str| {
        line.match_indices(name).any(|(at, _)| {
            let after = line[at + name.len()..].trim_start_matches('`');
            ends(line[..at].chars().next_back()) && ends(after.chars().next())
        })
    };
    let marked = || models.iter().filter(|m| m.unverified() > 0).map(|m| m.name.as_str());
    let rows = page.lines().filter(|line| line.starts_with("| ") || line.starts_with("- **"));
    rows.filter(|line| marked().any(|name| unmarked(line, name))).collect()
}

#[test]
fn whatever_rests_on_something_unverified_is_marked_in_every_table() {
    let models = bundle::models();
    assert_eq!(unmarked("| `wire` | signal-verified†, signal |\n| `wire`†<br>signal†: x |\nwire", &models).len(), 1);
    assert_eq!(unmarked("- **wire, wire.json**\n| [it](../models/wire.json) |", &models).len(), 1);
    // No source says in other words that it was not read.
    let says_otherwise = |(_, source): &&(String, String)| source.contains("is unverified");
    assert_eq!(models.iter().flat_map(|m| &m.sources).find(says_otherwise), None);
    if blessing() {
        return;
    }
    let written =
        ["matrix", "attacks", "claims", "sok", "coverage", "strictness"].map(|name| format!("reports/{name}.md"));
    for path in written.into_iter().chain(["docs/asked-for.md".to_string()]) {
        let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).expect("a page");
        assert_eq!(unmarked(&page, &models), [""; 0], "{path}");
        assert!(page.contains("† some values of the model are unverified"), "{path} does not say what † means");
    }
}

/// What the coverage of the axes says of values that do nothing in it.
#[test]
fn each_idle_value_of_an_axis_is_idle_for_the_reason_that_is_given() {
    let models = bundle::models();
    let moved = |model: &Model, value: &str| {
        let mut file: Value = serde_json::from_str(&model.file.text).expect("JSON");
        file["axes"]["identity"]["value"] = value.into();
        read_model(&Source::new("moved.json", file.to_string()))
    };
    for model in &models {
        let values = ["none", "shared-by-devices", "signs-devices"].into_iter();
        let read: Vec<Model> = values.filter_map(|value| moved(model, value).ok()).collect();
        assert!(read.len() == 1 && read[0].policy == model.policy, "{} is read with another identity", model.name);
    }
    if blessing() {
        return;
    }
    let table = committed("coverage.json");
    let idle =
        |row: &&Value| ["lets-happen", "stops", "changes-cost-of"].iter().all(|of| row[*of] == Value::Array(vec![]));
    let idle = table["values"].as_array().expect("values").iter().filter(idle);
    let idle: Vec<String> = idle.map(|row| format!("{}: {}", row["axis"], row["value"]).replace('"', "")).collect();
    let identity = ["none", "shared-by-devices", "signs-devices"].map(|value| format!("identity: {value}"));
    assert_eq!(idle, identity);
}

/// A committed report for programs.
fn committed(name: &str) -> Value {
    let text = std::fs::read_to_string(reports().join(name)).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

/// The committed table of the SoK's columns, by policy and column; none while it is being written.
fn sok() -> Option<impl Fn(&str, &str) -> String> {
    if blessing() {
        return None;
    }
    let table = committed("sok.json");
    Some(move |model: &str, column: &str| {
        let rows = table["policies"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["model"] == model).unwrap_or_else(|| panic!("{model} has no row"));
        row["columns"][column]["level"].as_str().unwrap_or_else(|| panic!("{model} has no {column}")).to_string()
    })
}

/// What follows from the columns' definitions alone.
#[test]
fn columns_say_what_their_definitions_mean() {
    let Some(sok) = sok() else { return };
    let expected = [
        ("out-of-band-only", "in-band", "no"),
        ("out-of-band-only", "asynchronous", "no"),
        ("out-of-band-only", "easy key discovery", "no"),
        ("strict-tofu", "key revocation possible", "no"),
        ("signal", "alert-less key renewal", "partly"),
        ("whatsapp", "alert-less key renewal", "yes"),
        ("signal", "low key maintenance", "partly"),
        ("matrix-riot-2019-verified-only", "multiple key support", "no"),
        ("matrix-cross-signing-verified", "multiple key support", "partly"),
        ("matrix-tofu", "multiple key support", "yes"),
        ("matrix-tofu", "inattentive user resistant", "–"),
        ("matrix-cross-signing-verified", "inattentive user resistant", "no"),
        // A thief with a password that opens nothing shows nothing; whoever holds the server reads either way.
        ("matrix-tofu-linked", "inattentive user resistant", "–"),
        ("whatsapp", "inattentive user resistant", "–"),
        ("imessage", "inattentive user resistant", "–"),
        ("imessage-ckv", "inattentive user resistant", "–"),
        // What the server adds to a compared contact is passed over, and nobody is asked.
        ("omemo-atm", "inattentive user resistant", "yes"),
        ("threema", "inattentive user resistant", "no"),
        ("signal", "operator accountability", "no"),
        ("key-transparency-monitored", "operator accountability", "partly"),
        ("key-transparency-gossip", "operator accountability", "yes"),
    ];
    for (model, column, level) in expected {
        assert_eq!(sok(model, column), level, "{model}: {column}");
    }
}

/// Each level that a search decides names verdicts of the run that make it so, and the page leads to one of them.
#[test]
fn columns_say_which_verdicts_decide_them() {
    if blessing() {
        return;
    }
    let (table, run, page) = (committed("sok.json"), committed("matrix.json"), reports().join("sok.md"));
    let page = std::fs::read_to_string(page).expect("a report");
    let of_run = |by: &Value| {
        let cells = run["cells"].as_array().expect("cells");
        let keys = ["scenario", "model", "arrives"];
        let cell = cells.iter().find(|cell| keys.iter().all(|key| cell[*key] == by[*key])).expect("a cell of the run");
        let verdicts = cell["verdicts"].as_array().expect("verdicts");
        verdicts.iter().find(|v| v["property"] == by["property"]).expect("a verdict")["verdict"].clone()
    };
    let rows = table["policies"].as_array().expect("rows");
    for (model, columns) in rows.iter().map(|row| (&row["model"], row["columns"].as_object().expect("columns"))) {
        for (column, cell) in columns {
            let by = cell["decided-by"].as_array().expect("verdicts");
            let wanted = if cell["level"] == "yes" { "holds" } else { "violated" };
            for found in by {
                assert_eq!((&found["verdict"], &of_run(found)), (&wanted.into(), &wanted.into()), "{model}: {column}");
            }
            let [scenario, property, arrives] =
                ["scenario", "property", "arrives"].map(|key| by.first().map(|f| &f[key]));
            if let (Some(scenario), Some(property), Some(arrives), true) =
                (scenario, property, arrives, wanted != "holds")
            {
                let [scenario, property, arrives] =
                    [scenario, property, arrives].map(|text| text.as_str().expect("a name"));
                let note = format!(". {property} falls in [{scenario}](../scenarios/{scenario}.json), {arrives}\n");
                assert!(page.contains(&note), "{model}: {column}: no note{note}");
            }
            let searched = ["MitM", "inattentive"].iter().any(|word| column.contains(word));
            assert_eq!(searched && cell["level"] != "–", searched && !by.is_empty(), "{model}: {column}");
        }
    }
}

/// Who comes late finds a policy that falls from the start only; a policy that falls later too owes it to that.
#[test]
fn a_level_is_decided_by_the_verdicts_that_keep_it_from_the_next() {
    let tls = |name: &str| name.starts_with("tls-breaker");
    let (scenarios, models) = some(tls, &["matrix-tofu", "out-of-band-only", "threema"]);
    let cells = cells_of(&scenarios, &models, Limits::default());
    let costs: Vec<_> = models.iter().map(matrix::policy_cost).collect();
    let table = report::sok::json(&report::sok::table(&cells, &models, &costs));
    let arrivals = |row: usize| {
        let cell = &table["policies"][row]["columns"]["network MitM prevention"];
        let by = cell["decided-by"].as_array().expect("verdicts");
        let mut arrivals: Vec<&str> = by.iter().map(|found| found["arrives"].as_str().expect("an arrival")).collect();
        arrivals.sort_unstable();
        arrivals.dedup();
        (cell["level"].as_str().expect("a level"), arrivals)
    };
    assert_eq!(arrivals(0), ("no", vec!["after-first-contact"]), "matrix-tofu");
    assert_eq!(arrivals(1), ("yes", vec!["after-first-contact", "from-start"]), "out-of-band-only");
    assert_eq!(arrivals(2), ("partly", vec!["from-start"]), "threema");
    let page = report::sok::markdown(&report::sok::table(&cells, &models, &costs));
    let note = |row: &str, n: usize, scenario: &str, arrives: &str| {
        let sign = format!("{row} [{n}](../scenarios/{scenario}.json) |");
        let text = format!("\n{n}. no-rogue-key falls in [{scenario}](../scenarios/{scenario}.json), {arrives}\n");
        assert!(page.contains(&sign) && page.contains(&text), "{sign} and {text} are not in {page}");
    };
    note("| matrix-tofu | no", 1, "tls-breaker-one-client", "after-first-contact");
    note("| threema† | partly", 2, "tls-breaker-one-client", "from-start");
}

#[test]
fn a_log_changes_what_operators_and_the_network_can_do_and_nothing_that_people_are_asked() {
    let Some(sok) = sok() else { return };
    let asked = [
        "key revocation possible",
        "automatic key initialization",
        "low key maintenance",
        "easy key discovery",
        "in-band",
        "alert-less key renewal",
        "immediate enrollment",
        "inattentive user resistant",
        "multiple key support",
        "asynchronous",
    ];
    for column in asked {
        for log in ["key-transparency-monitored", "key-transparency-gossip"] {
            assert_eq!(sok(log, column), sok("signal", column), "{log}: {column}");
        }
    }
}
