//! Compiles the bundled models and scenarios in. `include_dir` would not notice a file that is added.

use std::fmt::Write;
use std::path::Path;

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let code = table("MODELS", &root, "models") + &table("SCENARIOS", &root, "scenarios");
    std::fs::write(Path::new(&out).join("bundle.rs"), code).expect("OUT_DIR can be written");
    println!("cargo::rerun-if-changed=build.rs");
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
