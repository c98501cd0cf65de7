//! What is said in a terminal.

use std::fmt::Display;
use std::io::{self, Write};

/// A line on stdout. A reader that has gone away is no reason to panic, as it is for `println!`.
pub(super) fn say(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// A line on stderr, likewise.
pub(super) fn complain(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Text of somebody else's, which must not steer the terminal.
pub(super) fn clean(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_text() {
        assert_eq!(
            clean("/a\u{1b}[2J\u{9b}b\n"),
            "/a\u{fffd}[2J\u{fffd}b\u{fffd}"
        );
    }
}
