//! What `overhear simulate` prints of what it draws, with rates or without, for the tests of both.

use crate::output::{code, err, out};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::process::{Command, Output};

/// Runs the program.
pub fn overhear(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_overhear")).args(args).output().expect("it starts")
}

/// The same seed gives the same bytes at any number of threads, and another seed others, in every format.
pub fn is_the_same_at_any_number_of_threads(asked: &[&str]) {
    let with = |more: &[&str]| overhear(&[asked, more].concat());
    for format in ["text", "json", "csv"] {
        let one = with(&["--format", format, "--jobs", "1"]);
        assert_eq!(code(&one), 0, "{}", err(&one));
        for jobs in ["2", "7", "8"] {
            assert_eq!(out(&with(&["--format", format, "--jobs", jobs])), out(&one), "{format}, {jobs} jobs");
        }
        assert_ne!(out(&with(&["--format", format, "--seed", "2"])), out(&one), "{format}: another seed");
    }
}

/// What was printed as JSON, which is as the schema says, and which the types read back as it was.
pub fn read_back<T: Serialize + DeserializeOwned>(told: &Output, schema: &str) -> T {
    assert_eq!(code(told), 0, "{}", err(told));
    let value: Value = serde_json::from_str(&out(told)).expect("JSON");
    let schema = serde_json::from_str(schema).expect("a schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let record: T = serde_json::from_value(value.clone()).expect("the types read what they wrote");
    assert_eq!(serde_json::to_value(&record).expect("JSON"), value);
    record
}
