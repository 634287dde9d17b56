//! Findings and stories, written down.

pub mod claims;
pub mod coverage;
pub mod diff;
pub mod itf;
pub mod matrix;
pub mod sok;
pub mod terminal;

use crate::run::Cell;
use crate::scenario::Model;
use matrix::PolicyCost;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file whole: what is at `path` is either what was there before or all of `text`.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    std::fs::create_dir_all(folder_of(path))?;
    beside(path, text)?.persist(path).map_err(|e| e.error)?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A temporary file with `text`, in the folder in which `path` is to be.
fn beside(path: &Path, text: &str) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    // Temporary files are private; a report is not.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    Ok(file)
}

/// Writes files where there are none, all or none of them; if not, says which one could not be written.
pub fn write_new(files: &[(PathBuf, String)]) -> Result<(), (PathBuf, io::Error)> {
    let mut made = Vec::new();
    let written =
        files.iter().try_for_each(|(path, text)| write_one_new(path, text, &mut made).map_err(|e| (path.clone(), e)));
    if written.is_err() {
        // Newest first, so that each folder is empty by its turn. What others have put there meanwhile stays.
        for path in made.iter().rev() {
            std::fs::remove_file(path).or_else(|_| std::fs::remove_dir(path)).ok();
        }
    }
    written
}

/// Writes a file where there is none; `made` gets it and the folders that had to be made for it.
fn write_one_new(path: &Path, text: &str, made: &mut Vec<PathBuf>) -> io::Result<()> {
    let missing = folder_of(path).ancestors().filter(|d| !d.as_os_str().is_empty() && !d.exists());
    for dir in missing.collect::<Vec<_>>().into_iter().rev() {
        std::fs::create_dir(dir)?;
        made.push(dir.to_owned());
    }
    beside(path, text)?.persist_noclobber(path).map_err(|e| e.error)?;
    made.push(path.to_owned());
    Ok(())
}

/// Writes the reports of a run into the folder `dir`.
pub fn write_all(dir: &Path, cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> io::Result<()> {
    for (name, text) in all(cells, models, costs) {
        write_whole(&dir.join(name), &text)?;
    }
    Ok(())
}

/// The reports of a run: file name and content.
pub fn all(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> Vec<(&'static str, String)> {
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).expect("a JSON value") + "\n";
    vec![
        ("matrix.md", matrix::markdown(cells, models, costs)),
        ("matrix.json", pretty(&matrix::json(cells, models, costs))),
        ("states.csv", matrix::states(cells)),
        ("claims.md", claims::markdown(cells)),
        ("claims.json", pretty(&claims::json(cells))),
        ("attacks.md", claims::attacks_markdown(cells)),
        ("attacks.json", pretty(&claims::attacks_json(cells))),
        ("sok.md", sok::markdown(cells, models, costs)),
        ("sok.json", pretty(&sok::json(cells, models, costs))),
        ("coverage.md", coverage::markdown(cells, models)),
        ("coverage.json", pretty(&coverage::json(cells, models))),
    ]
}
