//! The two shapes of a log line. Whatever a field holds, one event is one line.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use humantime::format_rfc3339_millis;
use serde_json::{Map, Value};
use tracing::Level;

use crate::printable::{escaped, escaped_json, is_unsafe};

/// The beginning of every line.
pub(super) struct Head<'a> {
    pub(super) time: SystemTime,
    pub(super) level: Level,
    pub(super) event: &'a str,
}

/// Appends `{"timestamp":…,"level":…,"event":…` and `fields`, which is a JSON object's text.
pub(super) fn write_json(out: &mut String, head: &Head<'_>, fields: &str) {
    out.push_str("{\"timestamp\":\"");
    write_timestamp(out, head.time);
    let _ = write!(
        out,
        "\",\"level\":\"{}\",\"event\":{}",
        head.level,
        Value::from(head.event)
    );
    match escaped_json(fields).strip_prefix('{') {
        Some("}") | None => out.push('}'),
        Some(rest) => {
            out.push(',');
            out.push_str(rest);
        }
    }
    out.push('\n');
}

/// Appends `time LEVEL event key=value …`: objects are flattened with dots, null is `-`.
pub(super) fn write_text(
    out: &mut String,
    head: &Head<'_>,
    fields: &Map<String, Value>,
    colours: bool,
) {
    write_timestamp(out, head.time);
    let (level, event) = (head.level, head.event);
    let _ = if colours {
        write!(out, " \x1b[{}m{level:>5}\x1b[0m \x1b[1m", colour(level))
    } else {
        write!(out, " {level:>5} ")
    };
    write_word(out, event);
    if colours {
        out.push_str("\x1b[0m");
    }
    write_fields(out, &mut String::new(), fields);
    out.push('\n');
}

fn write_fields(out: &mut String, path: &mut String, fields: &Map<String, Value>) {
    for (key, value) in fields {
        let parent = path.len();
        if parent > 0 {
            path.push('.');
        }
        path.push_str(key);
        match value {
            Value::Object(inner) if !inner.is_empty() => write_fields(out, path, inner),
            _ => {
                out.push(' ');
                write_word(out, path);
                out.push('=');
                write_value(out, value);
            }
        }
        path.truncate(parent);
    }
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push('-'),
        Value::String(text) => write_word(out, text),
        other => write_word(out, &other.to_string()),
    }
}

/// Writes a word, in quotes if it could be read as something else.
fn write_word(out: &mut String, word: &str) {
    let is_plain = !matches!(word, "" | "-")
        && !word
            .contains(|c: char| c.is_whitespace() || matches!(c, '"' | '=' | '\\') || is_unsafe(c));
    if is_plain {
        out.push_str(word);
        return;
    }
    out.push('"');
    let quoted = word.replace('\\', "\\\\").replace('"', "\\\"");
    out.push_str(&escaped(&quoted));
    out.push('"');
}

fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    }
}

/// Appends `2026-11-21T19:10:47.861Z`: UTC, milliseconds. A clock that is set to a time before 1970 gives 1970.
pub(super) fn write_timestamp(out: &mut String, time: SystemTime) {
    let _ = write!(out, "{}", format_rfc3339_millis(time.max(UNIX_EPOCH)));
}

#[cfg(test)]
mod tests;
