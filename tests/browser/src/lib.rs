//! What the tests here have in common: npm's packages, node, the program, folders, and hostile names.

#[path = "../../hostile_input/mod.rs"]
mod hostile_input;
pub use hostile_input::TEXTS;

use hostile_input::spoil;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// Texts that end, begin or run something in one format or another. None has a blank at its end or two in a row.
pub const HOSTILE: &str = concat!(
    "<script>window.__hit=1;alert(1)</script> <img src=x onerror=window.__hit=1> \"><svg onload=window.__hit=1> ",
    "</title></style></script>--> ]]> \"'`|*_ [a](javascript:window.__hit=1) %0A::error:: {{x}} ${x} ",
    "\u{202e}right-to-left\u{202c} \u{200f} end; #quot; &lt; \\n ``` p0->>p1: x \u{1f4a5} ",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
);

/// This package's folder.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder in which cargo puts what it builds under this profile: the tests' own, less `deps/NAME`.
fn built() -> PathBuf {
    std::env::current_exe().expect("a test").ancestors().nth(2).expect("it is two folders deep").to_path_buf()
}

/// An empty folder of that name beside what cargo builds, for reports and for pictures to look at.
pub fn folder(name: &str) -> PathBuf {
    let folder = built().parent().expect("the target folder").join("browser").join(name);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// Runs a command to its end: whether it passed, and what it said.
fn run(command: &mut Command) -> (bool, String) {
    let ended = command.stdin(Stdio::null()).output();
    let ended = ended.unwrap_or_else(|e| panic!("{} is not here: {e}", command.get_program().display()));
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The npm packages of the lock file. They are installed once; none of them may run a script or name a host.
// What was installed is known by a copy of the lock file, written last. Tests may run as processes side by side.
static PACKAGES: LazyLock<()> = LazyLock::new(|| {
    let lock = fs::read_to_string(here().join("package-lock.json")).expect("UTF-8");
    assert!(!lock.contains("\"resolved\""), "the lock file says where packages come from: see .npmrc");
    let alone = fs::File::create(built().join(".overhear-npm")).expect("the target folder can be written");
    alone.lock().expect("files can be locked");
    let installed = here().join("node_modules/.overhear-lock");
    if fs::read_to_string(&installed).ok().as_ref() == Some(&lock) {
        return;
    }
    let (passed, said) = run(Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(here()));
    assert!(passed, "npm ci: {said}");
    fs::write(installed, lock).expect("the folder was just made");
});

/// Runs one of this package's scripts: whether it passed, and what it said.
pub fn node(script: &str, arguments: &[&str]) -> (bool, String) {
    LazyLock::force(&PACKAGES);
    run(Command::new("node").arg(here().join(script)).args(arguments))
}

/// The program: the one that `OVERHEAR_BIN` names, or one that is built as the tests are.
pub fn overhear() -> Command {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(path) = std::env::var_os("OVERHEAR_BIN") {
            return PathBuf::from(path);
        }
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--quiet", "--profile", profile, "-p", "overhear", "--bin", "overhear"]);
        let (passed, said) = run(cargo.current_dir(here()));
        assert!(passed, "cargo build: {said}");
        built().join("overhear")
    });
    Command::new(&*BUILT)
}

/// Writes the report of a comparison into a folder of that name: `index.html`, `report.md` and what goes with them.
pub fn report_folder(name: &str, compared: &[&str]) -> PathBuf {
    let out = folder(name);
    let (passed, said) = run(overhear().arg("compare").args(compared).arg("--out").arg(&out).env("NO_COLOR", "1"));
    assert!(passed, "compare {compared:?}: {said}");
    out
}

/// The paths of a scenario and a model in which every name and every text is hostile.
pub fn hostile_files() -> (PathBuf, PathBuf) {
    let folder = folder("hostile-input");
    let write = |text: &str, path: &str, rename: Option<&str>| {
        let mut value: Value = serde_json::from_str(text).expect("bundled files are JSON");
        spoil(&mut value, HOSTILE);
        if let Some(name) = rename {
            value["name"] = json!(name);
        }
        let path = folder.join(path);
        fs::write(&path, value.to_string()).expect("an empty folder");
        path
    };
    // The files themselves: with the library these tests would be built for a minute.
    let bundled = |path: &str| fs::read_to_string(here().join("../..").join(path)).expect("it is bundled");
    let (scenario, model) = (bundled("scenarios/password-thief.json"), bundled("models/matrix-tofu.json"));
    (write(&scenario, "scenario.json", None), write(&model, "model.json", Some("graph")))
}
