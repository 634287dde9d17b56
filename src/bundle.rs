//! The models and scenarios that are compiled in, and how a name or a path leads to a file.

use crate::input::{Diagnostic, Source, quoted};
use crate::scenario::{Model, read_model};

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
        let help = format!("a path to a {kind} file of your own ends in `.json` or contains a `/`");
        Diagnostic::of_file(code, "", message).known(word, &names).help(help)
    })
}
