//! The Explorer in a browser: it loads, asks nobody else, and goes from state to state in words.

use overhear_browser::{folder, node, overhear};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// A running Explorer, ended with the test.
struct Explorer(Child);

impl Drop for Explorer {
    fn drop(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }
}

#[test]
fn a_browser_goes_from_state_to_state() {
    let mut command = overhear();
    command.args(["explore", "password-thief", "--model", "matrix-tofu", "--port", "0"]).stderr(Stdio::piped());
    let mut explorer = Explorer(command.env("NO_COLOR", "1").spawn().expect("it starts"));
    let mut line = String::new();
    BufReader::new(explorer.0.stderr.as_mut().expect("piped")).read_line(&mut line).expect("it says where it is");
    let url = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).expect("an address");
    let pictures = folder("pictures-explorer");
    let (passed, said) = node("explorer.mjs", &[url, pictures.to_str().expect("UTF-8")]);
    println!("{said}");
    assert!(passed, "see above");
}
