//! The committed schemas are those of the types that read the files, and every bundled file is valid by them.
//!
//! After a change of the types: `OVERHEAR_BLESS=1 cargo test --test schemas`.

use overhear::bundle::{self, Bundled};
use overhear::report::record::Record;
use overhear::scenario::read_model;
use overhear::schema;
use serde_json::Value;
use std::fs;

fn is_current(path: &str, text: &str) {
    if std::env::var_os("OVERHEAR_BLESS").is_some() {
        fs::write(path, text).expect("the folder can be written");
    }
    assert_eq!(fs::read_to_string(path).expect("a schema"), text, "{path} is not current: set OVERHEAR_BLESS=1");
}

#[test]
fn committed_schemas_are_current() {
    is_current("schemas/scenario.schema.json", &schema::scenario());
    is_current("schemas/model.schema.json", &schema::model());
    is_current("schemas/people.schema.json", &schema::people());
    is_current("schemas/run.schema.json", &schema::run());
    is_current("schemas/simulation.schema.json", &schema::simulation());
    is_current("schemas/walks.schema.json", &schema::walks());
    is_current("schemas/report.schema.json", &schema::report());
}

fn validator(schema: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("a schema is a schema");
    jsonschema::validator_for(&schema).expect("a schema compiles")
}

/// Every file is valid, and starts as every file should.
fn all_valid(files: &[Bundled], schema: &str, reference: &str) {
    let validator = validator(schema);
    for file in files {
        let value: Value = serde_json::from_str(file.text).unwrap_or_else(|e| panic!("{}: {e}", file.path));
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{}: {}: {e}", file.path, e.instance_path())).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        assert_eq!(value["$schema"], reference, "{}", file.path);
        assert_eq!(value["name"], file.name, "{}", file.path);
        let first: Vec<&String> = value.as_object().expect("an object").keys().take(2).collect();
        assert_eq!(first, ["$schema", "format"], "{}", file.path);
    }
}

#[test]
fn bundled_models_are_valid() {
    all_valid(&bundle::model_files(), &schema::model(), "../schemas/model.schema.json");
    for file in bundle::model_files() {
        if let Err(e) = read_model(&file.source()) {
            panic!("{e}");
        }
    }
}

#[test]
fn bundled_people_are_valid() {
    all_valid(&bundle::people_files(), &schema::people(), "../../schemas/people.schema.json");
    let names: Vec<String> = bundle::people().into_iter().map(|people| people.name).collect();
    assert_eq!(names, ["careful", "hurried", "inattentive", "instructed", "journalist", "typical"]);
}

#[test]
fn bundled_scenarios_are_valid() {
    all_valid(&bundle::scenarios(), &schema::scenario(), "../schemas/scenario.schema.json");
}

#[test]
fn results_are_valid_and_read_back_as_they_were() {
    let text = fs::read_to_string("reports/matrix.json").expect("a committed run");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let errors: Vec<String> = validator(&schema::run()).iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let record: Record = serde_json::from_value(value.clone()).expect("a run");
    assert_eq!(serde_json::to_value(record).expect("JSON"), value);
}

#[test]
fn the_schema_refuses_what_the_types_refuse() {
    let scenario = include_str!("bad_input/known/scenario.json");
    let validator = validator(&schema::scenario());
    let valid = |text: &str| validator.is_valid(&serde_json::from_str(text).expect("JSON"));
    assert!(valid(scenario));
    for (right, wrong) in [
        ("\"format\": 1", "\"format\": 2"),
        ("\"senders\"", "\"sender\""),
        ("\"hurried\"", "\"careless\""),
        ("\"joining\": \"password\"", "\"joining\": \"passwort\""),
        ("\"joining\": \"password\"", "\"joins\": \"password\""),
        ("\"name\": \"alice\"", "\"name\": \"Alice\""),
        ("\"no-rogue-key\"", "\"no-rogue-keys\""),
    ] {
        assert!(!valid(&scenario.replacen(right, wrong, 1)), "{wrong} is valid");
    }
}
