//! The sentences that attacks are told in: those written by hand in `docs/stories.md`, and what all have in common.

use overhear::bundle;
use overhear::explore::exact;
use overhear::model::{Arrival, Property, World};
use overhear::scenario::{arrival_by_name, compile, property_by_name, read_scenario};
use overhear::story::{consequence, gist};
use overhear::trace::{Names, replay};

/// A story of the document: what it is of, and what is in bold.
struct Written {
    cell: Vec<String>,
    bold: Vec<String>,
}

fn written() -> Vec<Written> {
    let text = include_str!("../docs/stories.md");
    let story = |section: &str| {
        let mut parts = section.split("\n\n").skip(1).map(str::trim);
        let cell = parts.next().expect("what it is of").split(", ").map(str::to_string).collect();
        let quote = parts.next().expect("the sentence").lines().map(|l| l.trim_start_matches("> ")).collect::<Vec<_>>();
        let bold = quote.join(" ").split("**").skip(1).step_by(2).map(str::to_string).collect();
        Written { cell, bold }
    };
    text.split("\n## ").skip(1).map(story).collect()
}

fn compiled(scenario: &str, model: &str, arrives: Arrival) -> (World, Names) {
    let source = bundle::find_scenario(scenario).expect("a bundled scenario");
    let models = bundle::models();
    let model = models.iter().find(|m| m.name == model).expect("a bundled model");
    compile(&read_scenario(&source).expect("a scenario"), &source, model, &models, arrives).expect("it compiles")
}

fn found(scenario: &str, model: &str, arrives: Arrival, property: Property) -> String {
    let (w, names) = compiled(scenario, model, arrives);
    let trace = exact::first(&w, property).expect("an attack");
    gist(&w, &names, &trace, property).expect("it replays").to_string()
}

#[test]
fn what_stands_in_bold_is_told() {
    let all = written();
    assert_eq!(all.len(), 10);
    let mut missing = String::new();
    for Written { cell, bold } in all {
        let [scenario, model, arrives, property] = &cell[..] else { panic!("four words: {cell:?}") };
        let arrives = arrival_by_name(arrives).expect("an arrival");
        let told = found(scenario, model, arrives, property_by_name(property).expect("a property"));
        assert!(bold.len() >= 4, "{cell:?} says too little in bold");
        let mut rest = told.to_lowercase();
        for phrase in bold {
            match rest.split_once(&phrase.to_lowercase()) {
                Some((_, after)) => rest = after.to_string(),
                None => missing += &format!("{cell:?} lacks \"{phrase}\": {told}\n"),
            }
        }
    }
    assert!(missing.is_empty(), "\n{missing}");
}

/// Each attack that the searches of the base scenarios find has one sentence that says who, with which device, and how
/// it ends, in names of the scenario.
#[test]
fn every_attack_is_told_in_one_sentence() {
    let models = bundle::models();
    let mut told = 0;
    for source in bundle::scenarios().iter().map(|s| s.source()) {
        let file = read_scenario(&source).expect("a bundled scenario");
        for model in models.iter().filter(|m| file.is_about(m)).take(2) {
            for arrives in file.arrivals().into_iter().flatten() {
                let (w, names) = compile(&file, &source, model, &models, arrives).expect("it compiles");
                let limits = overhear::explore::Limits { states_max: Some(3_000), ..Default::default() };
                let properties: Vec<Property> = file.properties().collect();
                let findings = exact::search(&w, &properties, limits, &());
                for p in properties.into_iter().filter(|p| p.is_safety()) {
                    let Some(trace) = findings.trace(p) else { continue };
                    let sentence = gist(&w, &names, trace, p).expect("it replays").to_string();
                    let end = *replay(&w, trace).expect("it replays").last().expect("a state");
                    let case = format!("{}, {}, {p:?}: {sentence}", file.name, model.name);
                    assert!(sentence.ends_with('.') && sentence.matches(". ").count() == 0, "{case}");
                    assert!(!sentence.contains("  ") && !sentence.contains(" ,") && !sentence.contains(",,"), "{case}");
                    assert!(!sentence.contains("an honest device misses"), "it is not said which: {case}");
                    let acts: Vec<&str> = sentence.split([';', ',']).flat_map(|part| part.split(" and ")).collect();
                    let said = |act: &&&str| act.len() > 20 && acts.iter().filter(|other| other == act).count() > 1;
                    assert_eq!(acts.iter().find(said), None, "said twice: {case}");
                    for d in overhear::model::property::culprits(&w, end, p).iter() {
                        assert!(sentence.to_lowercase().contains(names.device(d)), "{case}: {}", names.device(d));
                    }
                    assert!(!consequence(&w, &names, end, p).is_empty());
                    if std::env::var_os("OVERHEAR_SHOW").is_some() {
                        println!("{case}");
                    }
                    told += 1;
                }
            }
        }
    }
    assert!(told > 150, "{told} attacks");
}
