//! Texts that need quotes, quotes that end too early or never, and brackets.

use super::super::path::is_secret;
use super::super::source::{Line, above};
use super::advice::Advice;
use super::slip::{is_odd_space, is_wide_colon, space_name};

/// A value as it would be right; not if it is a secret, since diagnostics are logged.
pub(super) fn in_quotes(key: &str, value: &str) -> String {
    const LONGEST: usize = 60;
    let value = value.split(" #").next().unwrap_or_default().trim_end();
    if is_secret(key) || value.chars().count() > LONGEST || value.contains('\'') {
        return "'…'".to_owned();
    }
    format!("'{value}'")
}

/// A text that begins with a sign of YAML's own.
pub(super) fn reserved(line: &Line<'_>, column: usize) -> Option<Advice> {
    let at = line.byte(column);
    let text = &line.text[at..];
    let sign = text.chars().next()?;
    let why = match sign {
        '\t' => return Advice::at(line, at, "a tab stands here; YAML wants spaces".to_owned()),
        '*' => " (YAML takes it for a reference to `&…`)",
        '&' => " (YAML takes it for a name that `*…` refers to)",
        '!' => " (YAML takes it for a tag)",
        '|' | '>' => " (YAML takes it for the beginning of a text of several lines)",
        '-' | '?' | '%' => " (it has a meaning of its own in YAML)",
        _ => "",
    };
    let is_in_flow = line.text[..at].contains(['{', '[']);
    let end = text.find(|c| is_in_flow && matches!(c, ',' | ']' | '}'));
    let value = &text[..end.unwrap_or(text.len())];
    let message = format!(
        "a text that begins with `{sign}` needs quotes{why}: write {}",
        in_quotes(key_before(line, at), value)
    );
    Advice::at(line, at, message)
}

/// What follows a text in quotes, or closes what is not open.
pub(super) fn behind_a_value(lines: &[Line<'_>], line: &Line<'_>, column: usize) -> Option<Advice> {
    let at = line.byte(column);
    if let Some(opening) = unclosed_above(lines, line) {
        return Some(opening);
    }
    let before = line.text[..at].trim_end();
    let here = line.text[at..].chars().next()?;
    let last = before.chars().next_back()?;
    let message = match (here, last) {
        (',', _) => "nothing follows this comma; remove it".to_owned(),
        ('}' | ']', _) => format!("this `{here}` closes nothing; remove it"),
        (_, '\'') => "the text in quotes ends before this; a `'` inside single quotes is written twice (''), or put the text in double quotes".to_owned(),
        (_, '"') => "the text in quotes ends before this; a `\"` inside double quotes is written `\\\"`, or put the text in single quotes".to_owned(),
        (_, ']' | '}') => format!("the `{last}` ends the value before this; put the whole text in quotes"),
        _ => return None,
    };
    Advice::at(line, at, message)
}

/// A line above whose value begins with a quotation mark and does not end with one.
fn unclosed_above(lines: &[Line<'_>], line: &Line<'_>) -> Option<Advice> {
    const FARTHEST: usize = 100;
    let before = lines[..line.number - 1].iter().rev().take(FARTHEST);
    let mut opening = before.filter_map(|line| {
        let (at, value) = line.entry().value()?;
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let is_closed = value[1..].contains(quote);
        (!is_closed).then(|| never_closed(line, at, quote))
    });
    opening.next()
}

pub(super) fn never_closed(line: &Line<'_>, at: usize, quote: char) -> Advice {
    Advice {
        line: line.number,
        column: line.column(at),
        message: format!("the `{quote}` that begins here is not closed on this line"),
    }
}

/// What is wrong between `{` or `[`, which begins at `begun`, and the place where YAML gave up.
pub(super) fn in_flow(
    lines: &[Line<'_>],
    line: &Line<'_>,
    column: usize,
    begun: (usize, usize),
) -> Option<Advice> {
    let at = line.byte(column);
    let first = lines.get(begun.0.saturating_sub(1))?;
    let opening = first
        .from(begun.1)
        .chars()
        .next()
        .filter(|c| matches!(c, '{' | '['))?;
    let closing = if opening == '{' { '}' } else { ']' };
    let within = lines.get(first.number - 1..line.number)?;
    if let Some(odd) = within.iter().find_map(odd_sign) {
        return Some(odd);
    }
    let here = line.text[at..].chars().next();
    let before = line.text[..at].trim_end();
    if here == Some('{') && before.ends_with('$') {
        let whole = line
            .entry()
            .value()
            .filter(|(_, value)| value.starts_with("{\""));
        let (start, text) = match whole {
            Some((start, text)) if matches!(line.entry().word(), "reply" | "text") => (start, text),
            _ => {
                let start = token_start(before);
                let end = line.text[at..]
                    .find('}')
                    .map_or(line.text.len(), |end| at + end + 1);
                (start, &line.text[start..end])
            }
        };
        let message = format!(
            "between `{opening}` and `{closing}` a text with `${{…}}` needs quotes: write {}",
            in_quotes(key_before(line, start), text)
        );
        return Advice::at(line, start, message);
    }
    match (here, before.chars().next_back()) {
        (Some(':'), _) => {
            let start = token_start(before);
            let end = line.text[at..].find([',', '}', ']']);
            let text = &line.text[start..end.map_or(line.text.len(), |end| at + end)];
            // The key of the text stands before it.
            let start = line.text[..start].trim_end().len();
            let skipped = line.text[start..].len() - line.text[start..].trim_start().len();
            let message = format!(
                "a text with `: ` in it needs quotes: write {}",
                in_quotes(key_before(line, start + skipped), text.trim())
            );
            return Advice::at(line, start + skipped, message);
        }
        (Some(c @ (']' | '}')), _) if c != closing => {
            let message = format!(
                "`{closing}` is expected before this `{c}`: the `{opening}` in line {}, column {}, is still open",
                begun.0, begun.1
            );
            return Advice::at(line, at, message);
        }
        (Some(','), Some(',' | '{' | '[')) => {
            let message = "a value is missing before this comma; remove the comma";
            return Advice::at(line, at, message.to_owned());
        }
        (Some(c), Some('\'' | '"')) if first.number == line.number && c.is_alphanumeric() => {
            return behind_a_value(lines, line, column);
        }
        _ => {}
    }
    let last = above(lines, line).filter(|_| before.is_empty())?;
    // Where the line goes on as the ones before it, only the comma is missing.
    let goes_on = here.is_some_and(|c| matches!(c, '"' | '\''))
        && lines[line.number - 1..]
            .iter()
            .any(|line| line.text.trim_start().starts_with(closing));
    if goes_on {
        let end = last.text.trim_end().len();
        return Advice::at(last, end, "a `,` is missing here".to_owned());
    }
    let message =
        format!("the `{opening}` that begins here is never closed: a `{closing}` is missing");
    Advice::at(first, first.byte(begun.1), message)
}

/// The key of the value that begins at a byte, as far as the line tells; secrets are known by it.
fn key_before<'t>(line: &Line<'t>, at: usize) -> &'t str {
    let before = line.text[..at].trim_end();
    let before = before
        .strip_suffix(':')
        .unwrap_or(before)
        .trim_end_matches(['"', '\'']);
    let is_key = |c: char| c.is_alphanumeric() || c == '_';
    let key = &before[before.trim_end_matches(is_key).len()..];
    if key.is_empty() {
        line.entry().word()
    } else {
        key
    }
}

/// The byte at which the plain text begins that ends a line's beginning.
fn token_start(before: &str) -> usize {
    let end = before.rfind([',', '[', '{']).map_or(0, |end| end + 1);
    let start = before[end..]
        .rfind(": ")
        .map_or(end, |colon| end + colon + 2);
    before.len() - before[start..].trim_start().len()
}

/// Punctuation that only looks like YAML's.
pub(super) fn odd_sign(line: &Line<'_>) -> Option<Advice> {
    let comment = line.text.trim_start();
    if comment.starts_with("//") {
        let at = line.text.len() - comment.len();
        return Advice::at(line, at, "a comment begins with `#`".to_owned());
    }
    let odd = line.text.char_indices().find_map(|(at, c)| {
        let write = match c {
            '，' | '、' => ",",
            '“' | '”' | '„' | '＂' => "\"",
            '‘' | '’' | '＇' => "'",
            '｛' => "{",
            '｝' => "}",
            '［' => "[",
            '］' => "]",
            c if is_wide_colon(c) => ":",
            c if is_odd_space(c) => {
                let message = format!("{} stands here; write an ordinary one", space_name(c));
                return Some((at, message));
            }
            _ => return None,
        };
        Some((at, format!("`{c}` means nothing to YAML; write `{write}`")))
    });
    let (at, message) = odd?;
    Advice::at(line, at, message)
}
