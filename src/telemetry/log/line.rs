//! The two shapes of a log line. Whatever a field holds, one event is one line.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tracing::Level;

use crate::printable::{escaped, escaped_json, is_unsafe};

/// What a line says before its fields.
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

/// A word as it is, or in quotes where it would be mistaken for something else.
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

/// Appends `2026-11-21T19:10:47.861Z`: UTC, milliseconds.
pub(super) fn write_timestamp(out: &mut String, time: SystemTime) {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (
        since_epoch.as_secs() / 86_400,
        since_epoch.as_secs() % 86_400,
    );
    let (year, month, day) = civil_from_days(days);
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        since_epoch.subsec_millis()
    );
}

/// The Gregorian date of a day counted from 1970-01-01.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, so that a leap day is the last day of its year and of its era of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn head(event: &str) -> Head<'_> {
        let time = UNIX_EPOCH + Duration::from_millis(1_795_288_247_861);
        Head {
            time,
            level: Level::INFO,
            event,
        }
    }

    fn json_line(fields: &Value) -> String {
        let mut out = String::new();
        write_json(&mut out, &head("connection_closed"), &fields.to_string());
        out
    }

    fn text_line(fields: &Value) -> String {
        let mut out = String::new();
        write_text(
            &mut out,
            &head("connection_closed"),
            fields.as_object().unwrap(),
            false,
        );
        out
    }

    #[test]
    fn a_json_line_keeps_the_order_of_its_fields() {
        assert_eq!(
            json_line(
                &json!({"conn": "01JD", "a": null, "client_close": {"sent": {"code": 1001}}})
            ),
            "{\"timestamp\":\"2026-11-21T19:10:47.861Z\",\"level\":\"INFO\",\"event\":\"connection_closed\",\
             \"conn\":\"01JD\",\"a\":null,\"client_close\":{\"sent\":{\"code\":1001}}}\n"
        );
        assert!(json_line(&json!({})).ends_with("\"event\":\"connection_closed\"}\n"));
    }

    #[test]
    fn a_text_line_carries_the_same_fields() {
        let fields = json!({
            "conn": "01JD", "client": "203.0.113.7:51544", "subprotocol": null, "mid_frame": false, "rtt_ms": 18.4,
            "client_close": {"received": null, "sent": {"code": 1001, "reason": "idle timeout"}}, "captured": {},
        });
        assert_eq!(
            text_line(&fields),
            "2026-11-21T19:10:47.861Z  INFO connection_closed conn=01JD client=203.0.113.7:51544 subprotocol=- \
             mid_frame=false rtt_ms=18.4 client_close.received=- client_close.sent.code=1001 \
             client_close.sent.reason=\"idle timeout\" captured={}\n"
        );
    }

    #[test]
    fn text_values_that_could_be_mistaken_are_quoted() {
        for (value, written) in [
            (json!("plain/pfad?ü"), "plain/pfad?ü"),
            (json!(""), "\"\""),
            (json!("-"), "\"-\""),
            (json!("a=b"), "\"a=b\""),
            (json!("a b"), "\"a b\""),
            (json!("say \"hi\" \\"), r#""say \"hi\" \\""#),
            (
                json!("a\n2026 INFO forged\r\t"),
                r#""a\n2026 INFO forged\r\t""#,
            ),
            (
                json!("\u{1b}[2J\u{9b}\u{7f}\0"),
                r#""\u001b[2J\u009b\u007f\u0000""#,
            ),
            (json!("\u{202e}txt\u{2028}"), r#""\u202etxt\u2028""#),
            (json!("日本 語"), "\"日本 語\""),
            (json!(["a", 1]), r#""[\"a\",1]""#),
        ] {
            let line = text_line(&json!({ "key": value }));
            assert_eq!(
                line,
                format!("2026-11-21T19:10:47.861Z  INFO connection_closed key={written}\n")
            );
        }
        assert!(text_line(&json!({"captured": {"a b\n": 1}})).ends_with("\"captured.a b\\n\"=1\n"));
    }

    #[test]
    fn json_values_are_escaped_and_one_line() {
        let line = json_line(&json!({"reason": "a\n\"b\" \u{1b} é"}));
        assert!(
            line.ends_with("\"reason\":\"a\\n\\\"b\\\" \\u001b é\"}\n"),
            "{line}"
        );
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn what_steers_terminals_is_escaped_in_both_shapes() {
        for c in [
            '\u{9b}', '\u{7f}', '\u{202e}', '\u{2067}', '\u{200e}', '\u{61c}', '\u{2028}',
        ] {
            let fields = json!({"path": format!("/a{c}b"), "captured": {"k": [c.to_string()]}});
            let escape = format!("\\u{:04x}", u32::from(c));
            let (json, text) = (json_line(&fields), text_line(&fields));
            for line in [&json, &text] {
                assert!(!line.trim_end().contains(is_unsafe), "{line:?}");
                assert!(line.contains(&escape), "{line}");
            }
            let read: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(read["path"], fields["path"]);
        }
    }

    #[test]
    fn white_space_within_a_captured_value_does_not_break_the_line() {
        let mut out = String::new();
        write_json(&mut out, &head("x"), "{\"captured\":{\"a\":[1,\r\n\t2]}}");
        assert!(out.ends_with("{\"a\":[1,   2]}}\n"), "{out}");
    }

    #[test]
    fn colours_dress_the_level_and_the_event_only() {
        let mut out = String::new();
        let fields = json!({"a": 1});
        write_text(
            &mut out,
            &head("draining"),
            fields.as_object().unwrap(),
            true,
        );
        assert_eq!(
            out,
            "2026-11-21T19:10:47.861Z \x1b[32m INFO\x1b[0m \x1b[1mdraining\x1b[0m a=1\n"
        );
    }

    #[test]
    fn timestamps_know_the_calendar() {
        for (seconds, written) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_704_067_199, "2023-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            let mut out = String::new();
            write_timestamp(&mut out, UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(out, written);
        }
    }
}
