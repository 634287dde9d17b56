//! The models and scenarios that are compiled in, and how a name or a path leads to a file.

use crate::input::{Diagnostic, Place, Source, quoted};
use crate::scenario::{Model, Profile, read_model, read_people};

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// A file that is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// The file's name without its extension.
    pub name: &'static str,
    /// Its path in the repository.
    pub path: &'static str,
    /// What it says.
    pub text: &'static str,
}

impl Bundled {
    /// The file, ready to be read.
    pub fn source(&self) -> Source {
        Source::new(self.path, self.text)
    }
}

/// The bundled model files, sorted by name.
pub fn model_files() -> Vec<Bundled> {
    MODELS.iter().map(|&(name, path, text)| Bundled { name, path, text }).collect()
}

/// The bundled scenario files, sorted by name.
pub fn scenarios() -> Vec<Bundled> {
    SCENARIOS.iter().map(|&(name, path, text)| Bundled { name, path, text }).collect()
}

/// Whether a scenario is one that is compiled in, by name or by path.
pub fn is_bundled(scenario: &Source) -> bool {
    SCENARIOS.iter().any(|&(_, _, text)| text == scenario.text)
}

/// The word by which commands find a file again: its name if it is compiled in, else its path.
pub fn word(file: &Source) -> &str {
    let all = MODELS.iter().chain(PEOPLE).chain(SCENARIOS);
    all.into_iter().find(|(_, _, text)| *text == file.text).map_or(&file.path, |(name, ..)| name)
}

/// The bundled models, sorted by name.
///
/// # Panics
/// If a bundled file is wrong: it was compiled in, so no user can mend it.
pub fn models() -> Vec<Model> {
    let read = |file: Bundled| read_model(&file.source()).unwrap_or_else(|e| panic!("a bundled model is wrong: {e}"));
    model_files().into_iter().map(read).collect()
}

/// The scenario file of that name, or at that path.
pub fn find_scenario(name_or_path: &str) -> Result<Source, Box<Diagnostic>> {
    find(name_or_path, &scenarios(), "E021", "scenario")
}

/// The model file of that name, or at that path.
pub fn find_model(name_or_path: &str) -> Result<Source, Box<Diagnostic>> {
    find(name_or_path, &model_files(), "E020", "model")
}

/// The bundled files about people, sorted by name.
pub fn people_files() -> Vec<Bundled> {
    PEOPLE.iter().map(|&(name, path, text)| Bundled { name, path, text }).collect()
}

/// The bundled people, sorted by name.
///
/// # Panics
/// If a bundled file is wrong: it was compiled in, so no user can mend it.
pub fn people() -> Vec<Profile> {
    let read = |file: Bundled| read_people(&file.source()).unwrap_or_else(|e| panic!("a bundled file is wrong: {e}"));
    people_files().into_iter().map(read).collect()
}

/// The file about people of that name, or at that path.
pub fn find_people(name_or_path: &str) -> Result<Source, Box<Diagnostic>> {
    find(name_or_path, &people_files(), "E024", "file about people")
}

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A trust model.
    Model,
    /// People.
    People,
    /// A scenario.
    Scenario,
}

/// The model, people or scenario of that name, or at that path, and which of them it is. A file that is none of them by
/// its keys is refused; one that is no JSON object counts as a scenario, and is refused by whoever reads it.
pub fn find_either(name_or_path: &str) -> Result<(Kind, Source), Box<Diagnostic>> {
    if is_path(name_or_path) {
        let source = Source::read(name_or_path)?;
        return Ok((kind(&source)?, source));
    }
    let named = |files: &[Bundled]| files.iter().find(|file| file.name == name_or_path).map(Bundled::source);
    for (kind, files) in [(Kind::Model, model_files()), (Kind::People, people_files())] {
        if let Some(source) = named(&files) {
            return Ok((kind, source));
        }
    }
    let all = [model_files(), scenarios(), people_files()].concat();
    Ok((Kind::Scenario, find(name_or_path, &all, "E022", "model, scenario or file about people")?))
}

fn kind(source: &Source) -> Result<Kind, Box<Diagnostic>> {
    let value = serde_json::from_str::<serde_json::Value>(&source.text).unwrap_or_default();
    let Some(file) = value.as_object() else { return Ok(Kind::Scenario) };
    let of_scenario = ["people", "senders", "adversary", "expectations"];
    match of_scenario.iter().any(|key| file.contains_key(*key)) {
        _ if file.contains_key("axes") => Ok(Kind::Model),
        _ if file.contains_key("habits") => Ok(Kind::People),
        true => Ok(Kind::Scenario),
        false => {
            let message = "the file is neither a model nor a scenario, nor about people";
            let help = "a model has the key `axes`, a scenario `people`, a file about people `habits`";
            let help = format!("{help}; `overhear init` writes one of each of the first two");
            Err(source.error("E023", source.at(&Place::root()), message).help(help))
        }
    }
}

/// Whether a word from the command line is a path, not the name of a bundled file.
fn is_path(word: &str) -> bool {
    word.ends_with(".json") || word.contains(['/', std::path::MAIN_SEPARATOR])
}

fn find(word: &str, bundled: &[Bundled], code: &'static str, kind: &str) -> Result<Source, Box<Diagnostic>> {
    if is_path(word) {
        return Source::read(word);
    }
    bundled.iter().find(|file| file.name == word).map(Bundled::source).ok_or_else(|| {
        let names: Vec<&str> = bundled.iter().map(|file| file.name).collect();
        let message = format!("no bundled {kind} has the name {}", quoted(word));
        let help = "a path to a file of your own ends in `.json` or contains a `/`";
        Diagnostic::of_file(code, "", message).known(word, &names).help(help)
    })
}
