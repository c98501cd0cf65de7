//! What to change where YAML reads something else than was meant, or cannot read at all.
//!
//! The parser says where it could not go on, which is often a line or more behind the mistake, in words of its own
//! grammar. [`explain`] looks at the lines around that place (`slip`: a line alone; `layout`: how lines fit together;
//! `quoting`: quotes and brackets) and says what to write instead. No value is shown that may be a secret.

mod advice;
mod layout;
mod quoting;
mod slip;

use super::bounds;
use super::diagnostic::{Diagnostic, Finding, Severity};
pub(crate) use super::source::IsKey;
use super::source::{Line, lines};
use super::tree::Mark;
use advice::Advice;
pub(crate) use slip::{is_odd_space, misspelt};

/// Lines that are reported of a file that is no YAML throughout.
const MAX_SLIPS: usize = 20;

/// Why the parser gave up.
struct Failure {
    /// In its own words, without positions.
    said: String,
    at: (usize, usize),
    /// Where that began which it could not finish.
    begun: (usize, usize),
}

impl Failure {
    fn new(error: &serde_yaml::Error) -> Failure {
        let at = error
            .location()
            .map_or((1, 1), |at| (at.line(), at.column()));
        let full = error.to_string();
        let said = full.replacen(&format!(" at line {} column {}", at.0, at.1), "", 1);
        let begun = said.rsplit_once(" at line ").and_then(|(_, place)| {
            let (line, column) = place.split_once(" column ")?;
            Some((line.parse().ok()?, column.parse().ok()?))
        });
        // The parser leaves out the beginning of the file, and what is the same as where it gave up.
        let whole = said.contains("while parsing a block") || said.contains("while parsing a flow");
        let begun = begun.unwrap_or(if whole { (1, 1) } else { at });
        Failure { said, at, begun }
    }
}

/// A syntax error in the words of the person who has to change the file.
pub(crate) fn explain(text: &str, error: &serde_yaml::Error, is_key: IsKey<'_>) -> Finding {
    let failure = Failure::new(error);
    let lines = lines(text);
    let advice = advice(&lines, &failure, is_key);
    let advice = advice.unwrap_or_else(|| Advice {
        line: failure.at.0,
        column: failure.at.1,
        message: format!("not valid YAML: {}", failure.said),
    });
    advice.finding()
}

fn advice(lines: &[Line<'_>], failure: &Failure, is_key: IsKey<'_>) -> Option<Advice> {
    let said = |words: &str| failure.said.contains(words);
    let too_much = if said("recursion limit exceeded") {
        Some(bounds::too_deep())
    } else if said("repetition limit exceeded") {
        Some("the aliases in this file unfold to too much; write less of them".to_owned())
    } else {
        None
    };
    if let Some(message) = too_much {
        let (line, column) = failure.at;
        return Some(Advice {
            line,
            column,
            message,
        });
    }
    if said("control characters") {
        return control_character(lines);
    }
    let line_at = |at: (usize, usize)| lines.get(at.0.saturating_sub(1));
    let line = line_at(failure.at)?;
    let column = failure.at.1;
    if let Some(slip) = slip::indentation(line) {
        return Advice::of(line, slip);
    }
    if said("while scanning a quoted scalar") {
        let line = line_at(failure.begun)?;
        let at = line.byte(failure.begun.1);
        let quote = line.text[at..].chars().next()?;
        return Some(quoting::never_closed(line, at, quote));
    }
    if said("escape") || said("hexdecimal") || said("quoted scalar") {
        let message = "in double quotes `\\` begins an escape; put the text in single quotes, or write `\\\\`";
        return Advice::at(line, line.byte(column), message.to_owned());
    }
    if said("an alias") || said("an anchor") || said("a tag") || said("block scalar") {
        let line = line_at(failure.begun)?;
        return quoting::reserved(line, failure.begun.1);
    }
    if said("unknown anchor") {
        let message = "nothing before this has the name that `*` refers to (`&name`); a text that begins with `*` needs quotes";
        return Advice::at(line, line.byte(column), message.to_owned());
    }
    if said("cannot start any token") || said("mapping keys are not allowed") {
        return quoting::reserved(line, column);
    }
    if said("directive") {
        return quoting::reserved(line, 1 + line.indent());
    }
    if said("block sequence entries are not allowed") {
        let is_item = line.text[..line.byte(column)].trim().is_empty();
        return match is_item {
            true => layout::indentation(lines, line, is_key),
            false => quoting::reserved(line, column),
        };
    }
    if said("mapping values are not allowed") {
        return layout::second_value(lines, line, column, is_key);
    }
    if said("could not find expected ':'") {
        return layout::no_key(line_at(failure.begun)?, is_key);
    }
    if said("flow") {
        let begun = match said("flow node") {
            true => last_opening(lines, failure.at)?,
            false => failure.begun,
        };
        return quoting::in_flow(lines, line, column, begun);
    }
    if said("did not find expected key") || said("did not find expected '-' indicator") {
        let begins_line = line.text[..line.byte(column)].trim().is_empty();
        return match begins_line {
            true => layout::indentation(lines, line, is_key),
            false => quoting::behind_a_value(lines, line, column),
        };
    }
    None
}

fn control_character(lines: &[Line<'_>]) -> Option<Advice> {
    lines.iter().find_map(|line| {
        let is_control = |c: char| c.is_control() && c != '\t';
        let at = line.text.find(is_control)?;
        let c = line.text[at..].chars().next()?;
        let code = u32::from(c);
        let message = format!("a control character (U+{code:04X}) stands here; remove it");
        Advice::at(line, at, message)
    })
}

/// The last `[` or `{` before a place that is not closed before it.
fn last_opening(lines: &[Line<'_>], at: (usize, usize)) -> Option<(usize, usize)> {
    let mut open = Vec::new();
    for line in lines.iter().take(at.0) {
        for (column, c) in (1..).zip(line.text.chars()) {
            if (line.number, column) >= at {
                break;
            }
            match c {
                '[' | '{' => open.push((line.number, column)),
                ']' | '}' => drop(open.pop()),
                _ => {}
            }
        }
    }
    open.pop()
}

/// What to say of a text that is not even a block of keys: its lines that were meant to be keys.
pub(crate) fn no_keys(text: &str, is_key: IsKey<'_>) -> Vec<Finding> {
    let lines = lines(text);
    let lines = lines.iter().filter(|line| !line.is_blank());
    let advice = lines.filter_map(|line| Advice::of(line, slip::slip(line, is_key)?));
    advice.take(MAX_SLIPS).map(Advice::finding).collect()
}

/// Why a second document begins at a place, and where.
pub(crate) fn second_document(text: &str, at: Mark) -> Finding {
    let lines = lines(text);
    let before = &lines[..at.line.min(lines.len())];
    let is_mark = |line: &&Line<'_>| line.text.starts_with("---") || line.text.starts_with("...");
    let first = lines.iter().find(|line| !line.is_blank());
    let is_first = |line: &Line<'_>| first.is_some_and(|first| first.number == line.number);
    let mark = before
        .iter()
        .rev()
        .find(|line| is_mark(line) && !is_first(line));
    let advice = match (mark, first) {
        (Some(mark), _) => Advice {
            line: mark.number,
            column: 1,
            message: format!(
                "a second YAML document begins here; a file holds one, so remove the `{}`",
                &mark.text[..3]
            ),
        },
        (None, Some(first)) if first.indent() > 0 => Advice {
            line: first.number,
            column: 1,
            message: format!(
                "this line begins in column {} and line {} in column {}: all keys of the top level begin in one column",
                first.indent() + 1,
                at.line,
                at.column
            ),
        },
        _ => Advice {
            line: at.line,
            column: at.column,
            message: "the file ends before this, as YAML reads it; a file holds one document"
                .to_owned(),
        },
    };
    advice.finding()
}

/// What to say of a file that is not text in UTF-8; `at` is its first byte that shows it.
pub(crate) fn not_a_text(name: &str, bytes: &[u8], at: usize) -> Diagnostic {
    let before = String::from_utf8_lossy(&bytes[..at]);
    let lines = lines(&before);
    let line = lines.last().map_or("", |line| line.text);
    let message = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this file is UTF-16; save it as UTF-8",
        _ if bytes.get(at) == Some(&0) => {
            "a zero byte: this file is UTF-16, or no text; save it as UTF-8"
        }
        _ => "this byte is not UTF-8; save the file as UTF-8",
    };
    Diagnostic {
        file: name.to_owned(),
        line: lines.len(),
        column: 1 + line.chars().count(),
        path: String::new(),
        severity: Severity::Error,
        message: message.to_owned(),
    }
}

/// Why there is nothing behind the key at this line and column.
pub(crate) fn missing_value(lines: &[Line<'_>], Mark { line, column }: Mark) -> String {
    let behind = lines
        .get(line.saturating_sub(1))
        .and_then(|line| line.from(column).split_once(':'))
        .map_or("", |(_, behind)| behind.trim_start());
    let taken_for = match behind.chars().next() {
        Some('#') => "YAML takes what begins with `#` for a comment",
        Some('&') => "YAML takes what begins with `&` for a name that `*` refers to",
        Some('!') => "YAML takes what begins with `!` for a tag",
        Some('~' | 'n' | 'N') => "YAML takes `~` and `null` for no value",
        _ => return "there is no value; write one, or remove the key".to_owned(),
    };
    format!("there is no value: {taken_for}; write a text in quotes, or remove the key")
}

#[cfg(test)]
mod tests;
