//! What a rule recognises.

use super::MessageKind;
use super::json::{self, Pattern};

/// How a message is recognised.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// A text message that is JSON and contains this.
    Json(Pattern),
    /// The same with one record separator (0x1E) behind it, as SignalR has it.
    JsonRecord(Pattern),
    /// A text message that is exactly this.
    Text(Box<str>),
    /// A binary message that is exactly this.
    Binary(Box<[u8]>),
    /// A message of either kind that is exactly this.
    Bytes(Box<[u8]>),
}

impl Matcher {
    /// Whether this is such a message; allocates only for JSON keys and texts with escapes.
    #[must_use]
    pub fn matches(&self, kind: MessageKind, payload: &[u8]) -> bool {
        match self {
            Matcher::Json(pattern) => kind == MessageKind::Text && may_contain(payload, pattern),
            Matcher::JsonRecord(pattern) => {
                kind == MessageKind::Text
                    && payload
                        .strip_suffix(b"\x1e")
                        .is_some_and(|json| may_contain(json, pattern))
            }
            Matcher::Text(text) => kind == MessageKind::Text && payload == text.as_bytes(),
            Matcher::Binary(bytes) => kind == MessageKind::Binary && payload == &**bytes,
            Matcher::Bytes(bytes) => payload == &**bytes,
        }
    }
}

/// Looks at the first character before anything is parsed.
fn may_contain(payload: &[u8], pattern: &Pattern) -> bool {
    let first = payload.iter().find(|byte| !byte.is_ascii_whitespace());
    let fits = match pattern {
        Pattern::Object(_) => first == Some(&b'{'),
        Pattern::List(_) => first == Some(&b'['),
        Pattern::Any | Pattern::Exactly(_) => true,
    };
    fits && json::contains(payload, pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_kind_of_message_matters() {
        let json = Matcher::Json(Pattern::from(&json!({"type": "ping"})));
        assert!(json.matches(MessageKind::Text, br#" {"type":"ping"}"#));
        assert!(!json.matches(MessageKind::Binary, br#"{"type":"ping"}"#));
        let text = Matcher::Text("ping".into());
        assert!(text.matches(MessageKind::Text, b"ping"));
        assert!(!text.matches(MessageKind::Text, b"ping "));
        assert!(!text.matches(MessageKind::Binary, b"ping"));
        let binary = Matcher::Binary(Box::new([0xc0, 0]));
        assert!(binary.matches(MessageKind::Binary, &[0xc0, 0]));
        assert!(!binary.matches(MessageKind::Text, &[0xc0, 0]));
        assert!(Matcher::Bytes(Box::new(*b"\n")).matches(MessageKind::Binary, b"\n"));
    }

    #[test]
    fn a_record_is_one_record() {
        let record = Matcher::JsonRecord(Pattern::from(&json!({"type": 6})));
        assert!(record.matches(MessageKind::Text, b"{\"type\":6}\x1e"));
        assert!(!record.matches(MessageKind::Text, b"{\"type\":6}"));
        assert!(!record.matches(MessageKind::Text, b"{\"type\":6}\x1e{\"type\":1}\x1e"));
    }
}
