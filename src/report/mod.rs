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
use std::path::Path;

/// Writes a file whole: what is at `path` is either what was there before or all of `text`.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(text.as_bytes())?;
    // Temporary files are private; a report is not.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|e| e.error)?;
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
