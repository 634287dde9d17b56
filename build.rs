//! Compiles the bundled models and scenarios in. `include_dir` would not notice a file that is added.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let folders = [("MODELS", "models"), ("PEOPLE", "models/people"), ("SCENARIOS", "scenarios")];
    let code: String = folders.iter().map(|(constant, folder)| table(constant, &root, folder)).collect();
    std::fs::write(Path::new(&out).join("bundle.rs"), code).expect("OUT_DIR can be written");
    println!("cargo::rustc-env=OVERHEAR_RULES={:016x}", rules(Path::new(&root)));
    println!("cargo::rerun-if-changed=build.rs");
}

/// A hash of everything that decides what follows a state and how states are kept: a checkpoint is tied to it.
fn rules(root: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    for folder in ["src/model", "src/explore", "src/policy.rs"] {
        println!("cargo::rerun-if-changed={folder}");
        let path = root.join(folder);
        let files = std::fs::read_dir(&path).map(|files| files.filter_map(|file| Some(file.ok()?.path())).collect());
        let mut files: Vec<PathBuf> = files.unwrap_or_else(|_| vec![path]);
        files.sort();
        for file in files {
            std::fs::read(file).expect("a source can be read").hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// A constant with name, path and text of every JSON file in a folder, sorted by name.
fn table(constant: &str, root: &str, folder: &str) -> String {
    println!("cargo::rerun-if-changed={folder}");
    let files = std::fs::read_dir(Path::new(root).join(folder)).expect("the folder can be read");
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    names.sort();
    let mut code = format!("const {constant}: &[(&str, &str, &str)] = &[\n");
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        let path = format!("{folder}/{name}.json");
        let text = Path::new(root).join(&path);
        writeln!(code, "    ({name:?}, {path:?}, include_str!({text:?})),").expect("a String takes everything");
    }
    code + "];\n"
}
