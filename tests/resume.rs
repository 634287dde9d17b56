//! A search that is cut short, or killed at any moment, goes on from its checkpoint to the same bytes; and a checkpoint
//! that is damaged, or of something else, is refused.

mod output;

use output::{code, err, out};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

const SEARCH: [&str; 6] = ["check", "server-of-sender", "--models", "matrix-identity-based", "--format", "json"];

fn overhear(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overhear"));
    command.args(SEARCH).args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    overhear(arguments).output().expect("the program starts")
}

/// Goes on with the searches that are kept in `dir`, and keeps them after every round.
fn resumed(dir: &Path, arguments: &[&str]) -> Command {
    let dir = dir.to_str().expect("UTF-8");
    let mut command = overhear(&["--resume", dir, "--checkpoint-every", "0s"]);
    command.args(arguments);
    command
}

fn kept(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "checkpoint")).collect();
    files.sort();
    files
}

#[test]
fn a_search_that_is_killed_again_and_again_comes_to_the_same_bytes() {
    let started = Instant::now();
    let whole = run(&["--jobs", "1"]);
    let takes = started.elapsed();
    assert_eq!(code(&whole), 0, "{}", err(&whole));
    let dir = tempfile::tempdir().expect("a folder");
    // Pauses that look random and are not.
    let (mut pause, mut kills, mut went_on) = (7u64, 0, 0);
    let last = loop {
        pause = (pause * 48_271) % 2_147_483_647;
        // The number of threads may be another one each time.
        let jobs = ["1", "2", "3"][kills % 3];
        let mut child = resumed(dir.path(), &["--jobs", jobs])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // Between a twentieth and a quarter of what all of it takes, so that it is killed a few times at least.
        std::thread::sleep(takes * (50 + pause as u32 % 200) / 1000);
        if child.try_wait().expect("it can be asked").is_some() {
            break child.wait_with_output().expect("it ends");
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        kills += 1;
        went_on += usize::from(!kept(dir.path()).is_empty());
        assert!(kills < 500, "it never ends");
    };
    assert!(kills >= 2 && went_on >= 1, "{kills} kills, {went_on} of which left something to go on from");
    assert_eq!(out(&last), out(&whole), "{}", err(&last));
    assert_eq!(code(&last), 0);
}

#[test]
fn limits_leave_something_to_go_on_from() {
    let whole = run(&[]);
    let dir = tempfile::tempdir().expect("a folder");
    for limit in [["--max-states", "500"], ["--max-states", "9000"], ["--max-depth", "9"], ["--max-memory", "1MiB"]] {
        let cut = resumed(dir.path(), &limit).output().expect("the program starts");
        assert_eq!(code(&cut), 3, "{}", err(&cut));
        assert!(err(&cut).contains("--resume"), "{}", err(&cut));
        assert_eq!(kept(dir.path()).len(), 2);
    }
    let done = resumed(dir.path(), &[]).output().expect("the program starts");
    assert_eq!(out(&done), out(&whole));
    // Once it is over, what it came to is read and not searched again.
    let again = resumed(dir.path(), &["--max-states", "1"]).output().expect("the program starts");
    assert_eq!((code(&again), out(&again)), (0, out(&whole)), "{}", err(&again));
    assert!(kept(dir.path()).iter().all(|file| len(file) < 10_000), "what is over needs no states");
}

fn len(file: &Path) -> u64 {
    fs::metadata(file).expect("a file").len()
}

/// Writes `bytes`, a checkpoint but for its last four bytes, to `file` with the right checksum.
fn write_summed(file: &Path, bytes: &[u8]) {
    fs::write(file, [bytes, &crc32fast::hash(bytes).to_le_bytes()].concat()).expect("it can be written");
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let cut = resumed(dir.path(), &["--max-states", "3000"]).output().expect("the program starts");
    assert_eq!(code(&cut), 3, "{}", err(&cut));
    let [later, start] = &kept(dir.path())[..] else { panic!("two searches are kept") };
    let right = fs::read(start).expect("a file");
    let refused = |says: &str| {
        let refused = resumed(dir.path(), &[]).output().expect("the program starts");
        assert_eq!(code(&refused), 2, "{}", err(&refused));
        assert!(err(&refused).contains(says) && err(&refused).contains(start.to_str().unwrap()), "{}", err(&refused));
        assert_eq!(out(&refused), "");
    };
    for at in [25, 60, 200, right.len() / 2, right.len() - 9, right.len() - 1] {
        let mut damaged = right.clone();
        damaged[at] ^= 0x10;
        fs::write(start, &damaged).expect("it can be written");
        refused("is damaged");
    }
    for len in [30, right.len() / 3, right.len() - 1] {
        fs::write(start, &right[..len]).expect("it can be written");
        refused("is damaged");
    }
    fs::write(start, "{}\n").expect("it can be written");
    refused("is no checkpoint");
    fs::copy(later, start).expect("it can be written");
    refused("another scenario or model");
    let rules = right.windows(9).position(|word| word == b"\"rules\":\"").expect("the rules are named") + 9;
    let mut others = right[..right.len() - 4].to_vec();
    others[rules] = if others[rules] == b'0' { b'1' } else { b'0' };
    write_summed(start, &others);
    refused("other rules");
    fs::write(start, &right).expect("it can be written");
    assert_eq!(out(&resumed(dir.path(), &[]).output().expect("the program starts")), out(&run(&[])));
}
