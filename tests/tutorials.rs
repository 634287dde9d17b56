//! Every command of the tutorials, run as it is printed, in the order of the page.
//!
//! A page is read from its beginning in a folder of its own. Of its fenced blocks, `json FILE` is a file as a whole,
//! `diff FILE` a change of one that is there, and `console` a session: a line that starts with `$ ` is a command, what
//! follows are lines of its output. `…` matches anything: alone on a line any lines, in a line any text. A command
//! succeeds unless `$ echo $?` after it shows another exit code. `yaml FILE` is a workflow, whose commands the page has
//! tried before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGES: [&str; 3] = ["docs/ci.md", "docs/your-own-policy.md", "docs/your-own-scenario.md"];

/// A fenced block: its language, the file it is about, and its text, with the line on which it begins.
struct Block {
    line: usize,
    language: String,
    file: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut all, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (n, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                let (language, file) = info.split_once(' ').unwrap_or((info, ""));
                let [language, file] = [language, file].map(str::to_string);
                open = Some(Block { line: n + 1, language, file, text: String::new() });
            }
            (Some(_), Some(block)) => all.push(block),
            (None, Some(block)) => open = Some(Block { text: block.text + line + "\n", ..block }),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    all
}

/// Where the reader of a page is, and how the last command ended.
struct Reader {
    folder: PathBuf,
    code: i32,
}

impl Reader {
    /// Does a command, and returns what it prints.
    fn run(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["cd", folder] => {
                self.folder.push(folder);
                assert!(self.folder.is_dir(), "there is no folder {folder}");
                String::new()
            }
            ["echo", "$?"] => {
                let code = self.code;
                self.code = 0;
                format!("{code}\n")
            }
            ["overhear", ref arguments @ ..] => {
                let mut program = Command::new(env!("CARGO_BIN_EXE_overhear"));
                program.args(arguments).current_dir(&self.folder).env("NO_COLOR", "1");
                let output = program.output().expect("the program starts");
                self.code = output.status.code().expect("no signal killed it");
                String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8")
            }
            _ => panic!("`{command}` is no command that a page may show"),
        }
    }

    fn session(&mut self, page: &str, block: &Block) {
        let mut shown: Vec<(usize, String, Vec<&str>)> = Vec::new();
        for (n, line) in block.text.lines().enumerate() {
            match (line.strip_prefix("$ "), shown.last_mut()) {
                (Some(command), _) => shown.push((block.line + n + 1, command.to_string(), Vec::new())),
                (None, Some((_, command, _))) if command.ends_with('\\') => {
                    *command = format!("{} {}", command.trim_end_matches('\\'), line.trim());
                }
                (None, Some(last)) => last.2.push(line),
                (None, None) => panic!("{page}:{}: a session starts with a command", block.line),
            }
        }
        for (line, command, expected) in shown {
            if command != "echo $?" {
                assert_eq!(
                    self.code, 0,
                    "{page}:{line}: the command before `{command}` failed, and the page is silent"
                );
            }
            let printed = self.run(&command);
            let lines: Vec<&str> = printed.lines().collect();
            let met = expected.is_empty() || lines_match(&expected, &lines);
            assert!(met, "{page}:{line}: `{command}` prints\n{printed}\nnot\n{}", expected.join("\n"));
        }
    }

    fn change(&self, page: &str, block: &Block) {
        let path = self.folder.join(&block.file);
        let side = |left_out: char| {
            let lines = block.text.lines().filter(|line| !line.starts_with(left_out));
            lines.map(|line| line.get(1..).unwrap_or("").to_string() + "\n").collect::<String>()
        };
        let (before, after) = (side('+'), side('-'));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{page}:{}: {}: {e}", block.line, block.file));
        assert_eq!(text.matches(&before).count(), 1, "{page}:{}: not once in {}:\n{text}", block.line, block.file);
        fs::write(path, text.replace(&before, &after)).expect("written");
    }
}

/// Whether the lines are those that are shown, where `…` alone stands for any.
fn lines_match(shown: &[&str], lines: &[&str]) -> bool {
    match shown {
        [] => lines.is_empty(),
        [first, rest @ ..] if first.trim() == "…" => (0..=lines.len()).any(|n| lines_match(rest, &lines[n..])),
        [first, rest @ ..] => {
            lines.first().is_some_and(|line| text_matches(first, line)) && lines_match(rest, &lines[1..])
        }
    }
}

/// Whether a line is the one that is shown, where `…` stands for any text.
fn text_matches(shown: &str, line: &str) -> bool {
    match shown.split_once('…') {
        None => shown.trim_end() == line.trim_end(),
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|&n| rest.is_char_boundary(n)).any(|n| text_matches(after, &rest[n..]))
        }),
    }
}

/// What follows `before` in each line that begins so, with the lines that go on after a backslash.
fn commands_in(text: &str, before: &str) -> Vec<String> {
    let joined = text.lines().fold(String::new(), |all, line| match line.trim_end().strip_suffix('\\') {
        Some(line) => all + line.trim() + " ",
        None => all + line.trim() + "\n",
    });
    joined.lines().filter_map(|line| line.strip_prefix(before)).map(str::to_string).collect()
}

#[test]
fn every_command_of_the_tutorials_does_what_they_show() {
    for page in PAGES {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("a page");
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut reader = Reader { folder: dir.path().to_path_buf(), code: 0 };
        let mut commands = Vec::new();
        for block in blocks(&text) {
            match (block.language.as_str(), block.file.as_str()) {
                ("console", "") => {
                    commands.extend(commands_in(&block.text, "$ overhear "));
                    reader.session(page, &block);
                }
                ("json", file) if !file.is_empty() => {
                    fs::write(reader.folder.join(file), &block.text).expect("written");
                }
                ("diff", file) if !file.is_empty() => reader.change(page, &block),
                ("yaml", file) if !file.is_empty() => {
                    for command in ["- run: overhear ", "overhear "].iter().flat_map(|b| commands_in(&block.text, b)) {
                        assert!(commands.contains(&command), "{page}:{}: `{command}` was not tried", block.line);
                    }
                }
                (other, _) => panic!("{page}:{}: a block `{other}` that nothing tries", block.line),
            }
        }
        assert_eq!(reader.code, 0, "{page}: its last command fails, and the page is silent");
        assert!(commands.len() >= 4, "{page} shows {} commands", commands.len());
    }
}

#[test]
fn the_ellipsis_matches_anything_and_nothing_else_does() {
    for (shown, lines, met) in [
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("a\n…\nd", "a\nd", true),
        ("a\n…\nd", "a\nb", false),
        ("…\nc", "a\nb\nc", true),
        ("…", "", true),
        ("a", "a\nb", false),
        ("a … c", "a b c", true),
        ("a … c", "a b d", false),
        ("1 search, … states: ok", "1 search, 12 states: ok", true),
        ("a", "b", false),
    ] {
        let [shown_lines, given]: [Vec<&str>; 2] = [shown, lines].map(|text| text.lines().collect());
        assert_eq!(lines_match(&shown_lines, &given), met, "{shown:?} {lines:?}");
    }
}
