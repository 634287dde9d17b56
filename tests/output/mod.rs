//! What a run of the program came to, for the tests of the command line.

use std::process::Output;

/// Its exit code.
pub fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal killed it")
}

/// What it printed.
pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// What it printed on standard error.
pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}
