//! What the bundled models say of themselves: where a value was read, and what is left out.

use overhear::bundle;
use overhear::scenario::{Model, axes, read_scenario};
use std::fs;

/// Whose code a source names, by the words that begin its files.
const CODE: [(&str, &[&str]); 8] = [
    ("matrix", &["matrix-js-sdk", "matrix-rust-sdk", "matrix-sdk-crypto", "matrix-react-sdk"]),
    ("signal", &["Signal-Android", "Signal-Server", "libsignal"]),
    ("omemo-btbv", &["Conversations"]),
    ("omemo-atm", &["qxmpp", "kaidan"]),
    ("wire", &["wire-server", "wire-webapp", "wire-ios", "wire-web-packages"]),
    ("threema", &["threema-android"]),
    ("whatsapp", &["facebook/akd"]),
    ("keybase", &["keybase/"]),
];

/// Models of a messenger that are not named after it.
const OF: [(&str, &str); 6] = [
    ("asked-joining-by-device", "wire"),
    ("asked-login-alert", "matrix"),
    ("asked-shared-verifications", "matrix"),
    ("asked-signed-members", "matrix"),
    ("asked-warning-of-new-devices", "omemo-btbv"),
    ("asked-warning-of-unsigned-devices", "matrix"),
];

/// The messenger whose behaviour `model` is, where it is of one whose code was read.
fn messenger(model: &Model) -> Option<&'static str> {
    let named = OF.iter().find(|(name, _)| *name == model.name).map(|(_, of)| *of);
    named.or_else(|| CODE.iter().map(|(of, _)| *of).find(|of| model.name.starts_with(of)))
}

#[test]
fn a_messenger_is_known_by_its_own_code() {
    for model in bundle::models() {
        let Some(own) = messenger(&model) else { continue };
        // A design of nobody's may take a value from elsewhere, if it says so.
        for (axis, source) in model.sources.iter().filter(|(_, source)| !source.starts_with("Hypothetical")) {
            for (_, words) in CODE.iter().filter(|(of, _)| *of != own) {
                let borrowed = words.iter().find(|word| source.contains(**word));
                assert_eq!(borrowed, None, "{}, {axis}: {source}", model.name);
            }
        }
    }
}

#[test]
fn a_client_of_its_time_is_known_by_code_of_that_time() {
    let old = |m: &&Model| m.name.starts_with("matrix-2020") || m.name.starts_with("matrix-js-sdk");
    for model in bundle::models().iter().filter(old) {
        for (axis, source) in &model.sources {
            let later = source.contains("rust-sdk") || source.contains("MSC4153");
            assert!(!later, "{}, {axis}: {source}", model.name);
        }
    }
}

#[test]
fn code_is_cited_at_a_version() {
    let endings = [".rs", ".java", ".kt", ".cpp", ".c,", ".js", ".ts", ".proto", ".swift", ".hs", ".qml", ".yaml"];
    for model in bundle::models() {
        for (axis, source) in &model.sources {
            let has_version = source.contains('@') || source.split_whitespace().any(is_version);
            let names_file = endings.iter().any(|ending| source.contains(ending));
            assert!(has_version || !names_file, "{}, {axis}: {source}", model.name);
        }
    }
}

/// Whether `word` is a version of several numbers, as `v6.0.0`.
fn is_version(word: &str) -> bool {
    let numbers: Vec<&str> = word.trim_start_matches('v').split('.').collect();
    numbers.len() == 3 && numbers.iter().all(|n| n.parse::<u32>().is_ok())
}

/// What a model may say that it leaves out, and the axis that must then be set to `none`.
const LEFT_OUT: [(&str, &str); 5] = [
    ("key backup", "key-backup"),
    ("dehydrated", "dehydrated"),
    ("on invitation", "history-on-invite"),
    ("to a newcomer", "history-on-invite"),
    ("key transparency", "transparency"),
];

/// What `model` says that it leaves out, and what the models leave out to which it refers for that.
fn left_out(models: &[Model], model: &Model) -> String {
    let Some((_, mut said)) = model.about.split_once("Left out").map(|(a, b)| (a, b.to_owned())) else {
        panic!("{} does not say what it leaves out", model.name)
    };
    if said.contains("as there") || said.contains("as in ") {
        let word = |c: char| !(c.is_alphanumeric() || "-.".contains(c));
        let named = |name: &str| model.about.split(word).any(|w| w.trim_end_matches('.') == name);
        let others = models.iter().filter(|other| other.name != model.name && named(&other.name));
        said += &others.map(|other| left_out(models, other)).collect::<String>();
    }
    said
}

#[test]
fn every_model_says_what_it_leaves_out_and_no_axis_has_it() {
    let models = bundle::models();
    for model in &models {
        let (said, axes) = (left_out(&models, model), axes(&model.policy));
        for (words, axis) in LEFT_OUT.iter().filter(|(words, _)| said.contains(words)) {
            let value = &axes.iter().find(|(name, _)| name == axis).expect("an axis").1;
            assert_eq!(value, "none", "{} leaves out `{words}` and has {axis}", model.name);
        }
    }
}

/// What stands between backticks in `cell`, and is no end of a name.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2).filter(|name| !name.starts_with('-') && !name.contains(' '))
}

#[test]
fn what_users_asked_for_names_models_and_scenarios_that_are_about_them() {
    let page = fs::read_to_string("docs/asked-for.md").expect("a page");
    let models = bundle::models();
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(2);
    for cells in rows.map(|line| line.trim_matches('|').split('|').collect::<Vec<_>>()) {
        let [_, _, asked, against, place] = cells[..] else { panic!("a row of other than five cells: {cells:?}") };
        let named = names(asked).chain(names(against));
        let named: Vec<&Model> =
            named.map(|name| models.iter().find(|m| m.name == name).unwrap_or_else(|| panic!("no {name}"))).collect();
        let Some((_, link)) = place.split_once("../scenarios/") else {
            assert!(place.contains("overhear compare"), "{place}");
            continue;
        };
        let source = bundle::find_scenario(link.split(".json").next().expect("a name")).expect("a bundled scenario");
        let file = read_scenario(&source).expect("a readable scenario");
        assert!(named.iter().all(|model| file.is_about(model)), "{place} is not about all of {asked}{against}");
    }
}
