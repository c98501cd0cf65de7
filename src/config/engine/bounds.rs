//! How much a file may hold, so that no file costs more than a moment and a few MiB, whatever is in it.
//!
//! YAML lets a small text stand for a large tree (aliases, merge keys, variables), and the parser takes quadratic time
//! over some texts that no person writes. Each bound is far above what a configuration needs.

use super::diagnostic::Finding;
use super::path::KeyPath;
use super::tree::Mark;

/// `[` and `{` in a text: the parser looks at every open one for each token, and this bounds how many can be open. They
/// are counted wherever they stand, so that no quotation mark or comment can hide one.
const MAX_OPENINGS: usize = 10_000;
/// Lines that begin with `%`: the parser compares each directive with all earlier ones.
const MAX_DIRECTIVES: usize = 16;
/// Values of a whole file, aliases unfolded.
pub(crate) const MAX_VALUES: usize = 100_000;
/// Bytes of all texts of a file, aliases unfolded and variables expanded.
pub(crate) const MAX_UNFOLDED: usize = 4 * 1024 * 1024;
/// Bytes of one text.
pub(crate) const MAX_TEXT: usize = 64 * 1024;
/// Items of one list.
pub(crate) const MAX_ITEMS: usize = 10_000;
/// Blocks and lists in each other.
pub(crate) const MAX_DEPTH: usize = 32;

/// Refuses texts that the parser would take too long over.
pub(crate) fn check(text: &str) -> Result<(), Finding> {
    if let Some((at, _)) = text.match_indices(['[', '{']).nth(MAX_OPENINGS) {
        let message = format!(
            "more than {MAX_OPENINGS} `[` and `{{` in one file; write long lists with `- ` and blocks on lines of their own"
        );
        return Err(at_byte(text, at, message));
    }
    let begins_line = |at: usize| at == 0 || matches!(text.as_bytes()[at - 1], b'\n' | b'\r');
    let mut directives = text.match_indices('%').filter(|(at, _)| begins_line(*at));
    if let Some((at, _)) = directives.nth(MAX_DIRECTIVES) {
        let message = format!("more than {MAX_DIRECTIVES} lines begin with `%`; remove them");
        return Err(at_byte(text, at, message));
    }
    Ok(())
}

/// The text of a whole file, as far as it may go.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: usize,
}

impl Texts {
    /// One more text of this length; an error says what is too much.
    pub(crate) fn add(&mut self, length: usize) -> Result<(), String> {
        if length > MAX_TEXT {
            return Err(too_long());
        }
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes > MAX_UNFOLDED {
            return Err(format!(
                "the file unfolds to more than {} MiB of text through aliases and variables; write less of them",
                MAX_UNFOLDED >> 20
            ));
        }
        Ok(())
    }
}

pub(crate) fn too_deep() -> String {
    format!("more than {MAX_DEPTH} blocks and lists in each other")
}

pub(crate) fn too_long() -> String {
    format!("this text has more than {} KiB", MAX_TEXT >> 10)
}

fn at_byte(text: &str, at: usize, message: String) -> Finding {
    let before = &text[..at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let mark = Mark {
        line: 1 + before.matches('\n').count(),
        column: 1 + line.chars().count(),
    };
    Finding::at(KeyPath::default(), mark, message)
}

#[cfg(test)]
mod tests;
