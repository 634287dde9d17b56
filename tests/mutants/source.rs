//! The guards that the source text has, and what each is called.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One `guard!` as it is written.
pub struct Written {
    /// File, line and column, the latter two from 1.
    pub place: (String, u32, u32),
    /// What is to hold, without any space.
    pub holds: String,
    /// The function that it stands in, what is to hold, and which one of several it is.
    pub name: String,
}

/// Every guard of the model, in the order of the text.
pub fn guards() -> Vec<Written> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(root.join("src/model")).expect("a folder").map(|e| e.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|f| f.extension().is_some_and(|e| e == "rs")).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        let relative = file.strip_prefix(root).expect("a file of the package").display().to_string();
        let module = file.file_stem().and_then(|s| s.to_str()).expect("a name");
        all.extend(guards_in(&relative, module, &text));
    }
    all
}

fn guards_in(file: &str, module: &str, text: &str) -> Vec<Written> {
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, _) in text.match_indices("guard!(") {
        let line_start = text[..at].rfind('\n').map_or(0, |i| i + 1);
        if text[line_start..at].contains("//") {
            continue;
        }
        let line = text[..at].matches('\n').count() + 1;
        let holds = first_argument(&text[at + "guard!(".len()..]);
        let spaced = holds.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = format!("{module}::{}: {spaced}", function_around(&text[..at]));
        let count = named.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { name } else { format!("{name} ({count})") };
        let place = (file.to_string(), line as u32, (at - line_start + 1) as u32);
        found.push(Written { place, holds: holds.split_whitespace().collect(), name });
    }
    found
}

/// The text up to the comma that ends the first argument.
fn first_argument(text: &str) -> &str {
    let mut depth = 0;
    for (i, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => return &text[..i],
            _ => {}
        }
    }
    panic!("a guard without a comma: {text}")
}

/// The name of the function that the text breaks off in.
fn function_around(before: &str) -> &str {
    let start = before.lines().rev().find_map(|line| {
        let line = line.strip_prefix("pub ").or(line.strip_prefix("pub(super) ")).unwrap_or(line);
        line.strip_prefix("fn ")
    });
    let start = start.expect("a guard stands in a function");
    &start[..start.find(['(', '<']).expect("a function has parameters")]
}
