//! Findings and stories, written down.

pub mod ci;
pub mod chart;
pub mod claims;
pub mod coverage;
mod csv;
pub mod diff;
pub mod explain;
pub mod itf;
pub mod markdown;
pub mod matrix;
pub mod page;
pub mod plots;
pub mod record;
pub mod results;
pub mod simulation;
pub mod sok;
pub mod terminal;

use crate::run::Cell;
use crate::scenario::Model;
use matrix::PolicyCost;
use record::Record;
use serde_json::json;
use simulation::SimulationRecord;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder of traces within that of the reports.
const TRACES: &str = "traces";
/// The folder of plots, likewise.
const PLOTS: &str = "plots";

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

/// Writes the reports of a run into the folder `dir`, with what was simulated beside it, and takes away traces, plots
/// and parts that this run has not.
pub fn write_all(
    dir: &Path,
    cells: &[Cell],
    models: &[Model],
    costs: &[PolicyCost],
    simulated: Option<&SimulationRecord>,
) -> io::Result<()> {
    let results = simulated.map(simulation::results).unwrap_or_default();
    write_files(dir, &[all(cells, models, costs), for_people(cells, models, costs, simulated), results].concat())
}

/// Writes `files` into the folder `dir`, and takes away traces, plots and parts that are none of them.
pub fn write_files(dir: &Path, files: &[(String, String)]) -> io::Result<()> {
    for (name, text) in files {
        write_whole(&dir.join(name), text)?;
    }
    stale(dir, files)?.iter().try_for_each(std::fs::remove_file)
}

/// The report of a run for people, with plots of what was simulated beside it, and all that it shows for programs: file
/// name and content.
pub fn for_people(
    cells: &[Cell],
    models: &[Model],
    costs: &[PolicyCost],
    simulated: Option<&SimulationRecord>,
) -> Vec<(String, String)> {
    let mut plots = plots::all(cells, models, costs);
    plots.extend(simulated.map(plots::simulated::plots).unwrap_or_default());
    let plot_files = plot_files(&plots);
    let (page, traces) = page::page(cells, models, costs, plots);
    let json = serde_json::to_string_pretty(&page).expect("a page is JSON") + "\n";
    let files = [("index.html".to_string(), page::html(&page)), ("report.json".to_string(), json)];
    let traces = traces.into_iter().map(|(name, text)| (format!("{TRACES}/{name}"), text));
    files.into_iter().chain(page::markdown(&page)).chain(plot_files).chain(traces).collect()
}

fn plot_files(plots: &[plots::Plot]) -> Vec<(String, String)> {
    let files = |plot: &plots::Plot| {
        [("svg", plot.svg.clone()), ("csv", plot.csv())].map(|(kind, text)| (plot_file(&plot.name, kind), text))
    };
    plots.iter().flat_map(files).collect()
}

/// The traces, plots, parts and simulated results in the folder of reports `dir` that are none of `files`. What a run
/// has not written under the name that it gives to these is left alone.
pub fn stale(dir: &Path, files: &[(String, String)]) -> io::Result<Vec<PathBuf>> {
    let plots = stale_plots(dir, files, |name| plots::NAMES.contains(&name) || plots::simulated::is_named(name))?;
    let written = |name: &str| files.iter().any(|(file, _)| file == name);
    let results = simulation::RESULTS.into_iter().filter(|name| !written(name)).map(|name| dir.join(name));
    let results = results.filter(|path| path.is_file());
    Ok(plots.into_iter().chain(results).chain(stale_traces(dir, files)?).chain(stale_parts(dir, files)?).collect())
}

/// Writes what was simulated into the folder `dir`, and takes away plots of earlier simulations.
pub fn write_simulated(dir: &Path, record: &SimulationRecord) -> io::Result<()> {
    let mut files = simulation::results(record);
    files.extend(plot_files(&plots::simulated::plots(record)));
    files.iter().try_for_each(|(name, text)| write_whole(&dir.join(name), text))?;
    stale_plots(dir, &files, plots::simulated::is_named)?.iter().try_for_each(std::fs::remove_file)
}

fn stale_plots(dir: &Path, files: &[(String, String)], is_ours: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let stale = |path: &PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let written = files.iter().any(|(file, _)| *file == plot_file(name, kind));
        is_ours(name) && ["svg", "csv"].contains(&kind) && !written
    };
    Ok(folder(&dir.join(PLOTS))?.into_iter().filter(stale).collect())
}

/// What is in a folder, by name; nothing if there is none.
fn folder(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let entries: Vec<std::fs::DirEntry> = std::fs::read_dir(path)?.collect::<Result<_, _>>()?;
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).filter(|path| path.is_file()).collect();
    paths.sort();
    Ok(paths)
}

fn plot_file(name: &str, kind: &str) -> String {
    format!("{PLOTS}/{name}.{kind}")
}

fn stale_parts(dir: &Path, files: &[(String, String)]) -> io::Result<Vec<PathBuf>> {
    let written = |path: &Path| files.iter().any(|(file, _)| dir.join(file) == *path);
    let part = |path: &Path| std::fs::read_to_string(path).is_ok_and(|text| page::is_part(&text));
    Ok(folder(&dir.join(page::PARTS))?.into_iter().filter(|path| !written(path) && part(path)).collect())
}

fn stale_traces(dir: &Path, files: &[(String, String)]) -> io::Result<Vec<PathBuf>> {
    let meta = |path: &Path| Some(itf::read(&std::fs::read_to_string(path).ok()?).ok()?.meta);
    let stale = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let spoken_of = files.iter().any(|(file, _)| *file == format!("{TRACES}/{name}"));
        !spoken_of && meta(path).is_some_and(|meta| results::trace_name(&meta) == name)
    };
    Ok(folder(&dir.join(TRACES))?.into_iter().filter(stale).collect())
}

/// The tables of a run, its plots and the traces that they speak of: file name and content.
pub fn all(cells: &[Cell], models: &[Model], costs: &[PolicyCost]) -> Vec<(String, String)> {
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).expect("a JSON value") + "\n";
    let run = results::of_cells(cells, models, costs);
    let sections = results::sections(&run);
    let sok = sok::table(cells, models, costs);
    let page = results::markdown(&run, &sections);
    let traces = results::traces(cells, &page).into_iter().map(|(name, text)| (format!("{TRACES}/{name}"), text));
    let reports = [
        ("matrix.md", matrix::markdown(cells, models, costs)),
        ("matrix.json", pretty(&json!(Record::of(cells, models, costs)))),
        ("states.csv", matrix::states(cells)),
        ("claims.md", claims::markdown(cells, models)),
        ("claims.json", pretty(&claims::json(cells))),
        ("attacks.md", claims::attacks_markdown(cells, models)),
        ("attacks.json", pretty(&claims::attacks_json(cells))),
        ("results.md", page),
        ("results.json", pretty(&results::json(&sections))),
        ("sok.md", sok::markdown(&sok)),
        ("sok.json", pretty(&sok::json(&sok))),
        ("coverage.md", coverage::markdown(cells, models)),
        ("coverage.json", pretty(&coverage::json(cells, models))),
    ];
    let plots = plot_files(&plots::all(cells, models, costs));
    reports.into_iter().map(|(name, text)| (name.to_string(), text)).chain(traces).chain(plots).collect()
}
