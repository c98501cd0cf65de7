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
mod tests;
