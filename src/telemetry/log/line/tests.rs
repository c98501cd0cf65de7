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
        json_line(&json!({"conn": "01JD", "a": null, "client_close": {"sent": {"code": 1001}}})),
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
fn a_time_before_1970_is_written_as_1970() {
    for (time, written) in [
        (UNIX_EPOCH, "1970-01-01T00:00:00.000Z"),
        (
            UNIX_EPOCH - Duration::from_secs(1),
            "1970-01-01T00:00:00.000Z",
        ),
        (
            UNIX_EPOCH + Duration::from_secs(951_782_400),
            "2000-02-29T00:00:00.000Z",
        ),
    ] {
        let mut out = String::new();
        write_timestamp(&mut out, time);
        assert_eq!(out, written);
    }
}
