//! Output on stdout and stderr, with control characters escaped.

use std::fmt::Display;
use std::io::{self, Write};

use crate::printable::{escaped_json, escaped_lines};

/// Writes to stdout. Unlike `println!` it does not panic if nobody reads stdout any more.
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
