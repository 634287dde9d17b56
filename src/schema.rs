//! The JSON schemas of the files that people write, generated from the types that read them.

use crate::report::page::Page;
use crate::report::record::Record;
use crate::report::simulation::SimulationRecord;
use crate::report::simulation::walks::WalksRecord;
use crate::scenario::{ModelFile, PeopleFile, ScenarioFile};
use schemars::{JsonSchema, SchemaGenerator};

/// The schema of scenario files, as the text of `schemas/scenario.schema.json`.
pub fn scenario() -> String {
    text::<ScenarioFile>()
}

/// The schema of model files, as the text of `schemas/model.schema.json`.
pub fn model() -> String {
    text::<ModelFile>()
}

/// The schema of files about people, as the text of `schemas/people.schema.json`.
pub fn people() -> String {
    text::<PeopleFile>()
}

/// The schema of results, as the text of `schemas/run.schema.json`.
pub fn run() -> String {
    text::<Record>()
}

/// The schema of what a simulation comes to, as the text of `schemas/simulation.schema.json`.
pub fn simulation() -> String {
    text::<SimulationRecord>()
}

/// The schema of what walks without rates come to, as the text of `schemas/walks.schema.json`.
pub fn walks() -> String {
    text::<WalksRecord>()
}

/// The schema of the report for people as programs read it, as the text of `schemas/report.schema.json`.
pub fn report() -> String {
    text::<Page>()
}

fn text<T: JsonSchema>() -> String {
    let schema = SchemaGenerator::default().into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}
