//! Text from outside, made safe to show: in a log line, in a terminal, in an answer of the API.
//!
//! Control characters drive terminals and break lines; characters that turn the direction of writing, or that nobody
//! sees, make a line read as another one. All of them are written as `\u` and four hexadecimal digits, as JSON has it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is escaped: C0, DEL and C1 controls, separators of lines, marks of the direction of writing, and
/// what is invisible.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Appends a character as `\u` and four hexadecimal digits, twice for one beyond U+FFFF (RFC 8259 section 7).
pub fn push_escape(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// A text on one line.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    replaced(text, is_unsafe, |out, c| match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => push_escape(out, c),
    })
}

/// A text that may have several lines.
#[must_use]
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    replaced(text, |c| c != '\n' && is_unsafe(c), push_escape)
}

/// The text of a JSON value on one line, with the same meaning. Controls stand only between its tokens, where they
/// are white space: within strings they are escaped already.
#[must_use]
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    replaced(json, is_unsafe, |out, c| match c {
        '\n' | '\r' | '\t' => out.push(' '),
        c => push_escape(out, c),
    })
}

fn replaced(
    text: &str,
    is_unsafe: impl Fn(char) -> bool,
    mut push: impl FnMut(&mut String, char),
) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        match is_unsafe(c) {
            true => push(&mut out, c),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
