//! What is said in a terminal.

use std::fmt::Display;
use std::io::{self, Write};

use crate::printable::{escaped_json, escaped_lines};

/// Lines on stdout; nothing in them steers the terminal. A reader that has gone away is no reason to panic, as it is
/// for `println!`.
pub(super) fn print_line(lines: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{}", escaped_lines(&lines.to_string()));
}

/// The same on stderr.
pub(super) fn print_error(lines: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped_lines(&lines.to_string()));
}

/// A JSON value on a line of stdout.
pub(super) fn print_json(value: &serde_json::Value) {
    let _ = writeln!(io::stdout().lock(), "{}", escaped_json(&value.to_string()));
}
