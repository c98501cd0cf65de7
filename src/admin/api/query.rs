//! A call's parameters: each is known, written once, and of its kind.

use serde_json::{Value, json};

use super::super::problem::Problem;
use crate::protocol::{MAX_CLOSE_REASON, is_sendable_code};

/// The longest text that is taken, in characters.
const MAX_TEXT: usize = 256;

/// A parameter of a call.
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) doc: &'static str,
}

/// What a parameter may be.
pub(super) enum Kind {
    /// A number in these bounds.
    Whole { least: u64, most: u64, default: u64 },
    /// One of these words.
    Choice {
        words: fn() -> Vec<String>,
        default: Option<&'static str>,
    },
    /// Some of these words, with commas between them.
    Words(fn() -> Vec<String>),
    /// Any text.
    Text,
    /// What the answer before called `next`.
    Cursor,
    /// The code of a Close frame (RFC 6455 section 7.4).
    CloseCode,
    /// Its reason.
    CloseReason,
}

/// The parameters of one call, all of them right.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<(&'static str, String)>);

impl Values {
    /// Reads a query; `known` are the parameters that there are.
    pub(super) fn read(query: &str, known: &[Param]) -> Result<Values, Problem> {
        let mut values = Values::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(param) = known.iter().find(|param| param.name == name) else {
                let names: Vec<&str> = known.iter().map(|param| param.name).collect();
                let detail = match names.is_empty() {
                    true => "this call has no parameters".to_owned(),
                    false => format!("unknown parameter; there are {}", names.join(", ")),
                };
                return Err(Problem::field(&name, detail));
            };
            if values.text(param.name).is_some() {
                return Err(Problem::field(param.name, "is there more than once"));
            }
            if let Err(detail) = param.kind.check(&value) {
                return Err(Problem::field(param.name, detail));
            }
            values.0.push((param.name, value.into_owned()));
        }
        Ok(values)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter();
        let found = values.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}

impl Kind {
    fn check(&self, value: &str) -> Result<(), String> {
        match self {
            Kind::Whole { least, most, .. } => match whole(value) {
                Some(number) if (*least..=*most).contains(&number) => Ok(()),
                _ => Err(format!("must be a whole number from {least} to {most}")),
            },
            Kind::Choice { words, .. } => one_of(value, &words()),
            Kind::Words(words) => {
                let words = words();
                value.split(',').try_for_each(|word| one_of(word, &words))
            }
            Kind::Text | Kind::Cursor if value.chars().count() > MAX_TEXT => {
                Err(format!("must have at most {MAX_TEXT} characters"))
            }
            Kind::Text | Kind::Cursor => Ok(()),
            Kind::CloseCode => match whole(value).and_then(|code| u16::try_from(code).ok()) {
                Some(code) if is_sendable_code(code) => Ok(()),
                _ => Err(
                    "must be a code that may stand in a Close frame (RFC 6455 section 7.4): 1000-1003, 1007-1014 or \
                     3000-4999"
                        .to_owned(),
                ),
            },
            Kind::CloseReason if value.len() > MAX_CLOSE_REASON => Err(format!(
                "a close reason has at most {MAX_CLOSE_REASON} bytes; this one has {}",
                value.len()
            )),
            Kind::CloseReason => Ok(()),
        }
    }

    /// What `check` takes, as a JSON Schema.
    pub(super) fn schema(&self) -> Value {
        match self {
            Kind::Whole {
                least,
                most,
                default,
            } => json!({"type": "integer", "minimum": least, "maximum": most, "default": default}),
            Kind::Choice { words, default } => {
                let mut schema = json!({"type": "string", "enum": words()});
                if let Some(default) = default {
                    schema["default"] = json!(default);
                }
                schema
            }
            Kind::Words(words) => {
                json!({"type": "array", "items": {"type": "string", "enum": words()}, "minItems": 1})
            }
            Kind::Text | Kind::Cursor => json!({"type": "string", "maxLength": MAX_TEXT}),
            Kind::CloseCode => json!({"type": "integer", "anyOf": [
                {"minimum": 1000, "maximum": 1003},
                {"minimum": 1007, "maximum": 1014},
                {"minimum": 3000, "maximum": 4999},
            ]}),
            // A schema counts characters; the bound is on bytes.
            Kind::CloseReason => json!({"type": "string", "maxLength": MAX_CLOSE_REASON}),
        }
    }
}

/// Digits only: no sign, no space.
fn whole(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn one_of(word: &str, words: &[String]) -> Result<(), String> {
    if words.iter().any(|known| known == word) {
        Ok(())
    } else {
        Err(format!("must be one of {}", words.join(", ")))
    }
}
