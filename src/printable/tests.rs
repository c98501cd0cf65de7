use super::*;

/// Each kind of what is escaped, and its escapes.
const UNSAFE: [(&str, &str); 12] = [
    ("\u{0}\u{1b}[2J", "\\u0000\\u001b[2J"),
    ("\u{7f}", "\\u007f"),
    ("\u{80}\u{9b}2J\u{9f}", "\\u0080\\u009b2J\\u009f"),
    ("\u{202a}\u{202e}", "\\u202a\\u202e"),
    ("\u{2066}\u{2069}", "\\u2066\\u2069"),
    ("\u{200e}\u{200f}\u{61c}", "\\u200e\\u200f\\u061c"),
    ("\u{2028}\u{2029}", "\\u2028\\u2029"),
    ("\u{200b}\u{200d}\u{2060}", "\\u200b\\u200d\\u2060"),
    ("\u{feff}\u{ad}", "\\ufeff\\u00ad"),
    ("\u{e0041}", "\\udb40\\udc41"),
    ("é 聊天 ü\u{a0}🙂", "é 聊天 ü\u{a0}🙂"),
    ("plain", "plain"),
];

#[test]
fn what_steers_a_terminal_or_is_not_seen_is_escaped() {
    for (text, safe) in UNSAFE {
        assert_eq!(escaped(text), safe, "{text:?}");
        assert_eq!(escaped_lines(text), safe, "{text:?}");
    }
    assert_eq!(escaped("a\n\tb\r"), "a\\n\\tb\\r");
    assert_eq!(escaped_lines("a\nb\r\u{9b}"), "a\nb\\u000d\\u009b");
}

#[test]
fn escaped_json_means_the_same_and_is_one_line_of_safe_characters() {
    for (text, _) in UNSAFE {
        let value = serde_json::json!({ text: [text, 1] });
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let safe = escaped_json(&pretty);
        assert!(!safe.contains(is_unsafe), "{safe:?}");
        let read: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(read, value);
    }
}

#[test]
fn safe_text_is_not_copied() {
    for text in ["", "plain", "é 聊天"] {
        assert!(matches!(escaped(text), Cow::Borrowed(_)), "{text}");
    }
}
