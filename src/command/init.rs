//! `overhear init`: a folder to begin with, of a model, a scenario and their schemas.

use super::{Exit, Failure, print};
use crate::bundle;
use crate::input::Source;
use crate::scenario::TO_DO;
use crate::{report, schema};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const SCENARIO: &str = include_str!("init/my-scenario.json");
const README: &str = include_str!("init/README.md");

/// Writes the files of a beginner's folder into `dir`, all or none, and says what to do next. The model is a copy of
/// the bundled one called `base`.
pub fn init(dir: &Path, base: &str) -> Result<Exit, Failure> {
    let known: Vec<&str> = bundle::model_files().iter().map(|file| file.name).collect();
    if !known.contains(&base) {
        return Err(super::unknown("bundled model", base, known.into_iter()));
    }
    let files = files(&bundle::find_model(base)?, base).map(|(name, text)| (dir.join(name), text));
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(Failure::Message(format!("{} is there already; nothing was written", path.display())));
    }
    let refused = |(path, e): (PathBuf, std::io::Error)| {
        Failure::Message(format!("{}: {}; nothing was written", path.display(), crate::input::reason(&e)))
    };
    report::write_new(&files).map_err(refused)?;
    let wrote = files.iter().map(|(path, _)| format!("wrote {}\n", path.display())).collect::<String>();
    let here = dir.as_os_str().is_empty() || dir == Path::new(".");
    let into = if here { String::new() } else { format!("  cd {}\n", in_shell(&dir.display().to_string())) };
    let next = commands(base).map(|command| format!("  {command}\n")).concat();
    print(&format!("{wrote}\nNext:\n{into}{next}"))
}

/// The files, by their path in the folder.
fn files(base: &Source, name: &str) -> [(&'static str, String); 5] {
    let readme = README.replace("BASE", name).replace("COMMANDS", &commands(name).join("\n"));
    [
        ("my-model.json", model(base, name)),
        ("my-scenario.json", SCENARIO.to_string()),
        ("schemas/model.schema.json", schema::model()),
        ("schemas/scenario.schema.json", schema::scenario()),
        ("README.md", readme),
    ]
}

/// What to do in the folder.
fn commands(base: &str) -> [String; 4] {
    [
        "overhear lint my-model.json my-scenario.json".to_string(),
        "overhear check my-scenario.json --models my-model.json".to_string(),
        "overhear explain my-scenario.json --model my-model.json --property no-rogue-key".to_string(),
        format!("overhear diff my-scenario.json --models {base} my-model.json"),
    ]
}

/// The model file `base` under a name of the user's own; each source says that it is still to be read.
fn model(base: &Source, name: &str) -> String {
    let file: Value = serde_json::from_str(&base.text).expect("a bundled model is JSON");
    let axes = file["axes"].as_object().expect("a model has axes");
    let line = |(axis, choice): (&String, &Value)| {
        let value = &choice["value"];
        let choice = match choice["source"].as_str() {
            None => format!("{{ \"value\": {value} }}"),
            Some(_) => {
                let source = json!(format!("{TO_DO}: where you read this (copied from {name})"));
                format!("{{ \"value\": {value}, \"source\": {source} }}")
            }
        };
        format!("    {}: {choice}", json!(axis))
    };
    let head = json!({
        "$schema": "schemas/model.schema.json",
        "format": 1,
        "name": "my-model",
        "title": format!("My model, begun as a copy of {name}"),
        "about": format!("{TO_DO}: whose behaviour this is, at which version, and what is left out."),
    });
    let head = head.as_object().expect("an object").iter().map(|(key, value)| format!("  {}: {value},\n", json!(key)));
    let axes = axes.iter().map(line).collect::<Vec<_>>().join(",\n");
    format!("{{\n{}  \"axes\": {{\n{axes}\n  }}\n}}\n", head.collect::<String>())
}

/// A path as a word of a shell command.
fn in_shell(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    match path.chars().all(plain) && !path.starts_with('-') {
        true => path.to_string(),
        false => format!("-- '{}'", path.replace('\'', r"'\''")),
    }
}
