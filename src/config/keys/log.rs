//! The block `log`: what is logged and how.

use hyper::header::{
    AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL,
};
use serde_json::{Value as Json, json};

use super::super::engine::{
    Block, Choice, List, Scalar, Switch, Value, ValueError, ValueType, quoted,
};
use super::super::model::{Log, LogFormat};

/// The most headers that are recorded: each stays with its connection.
const MAX_HEADERS: usize = 16;

/// Headers that carry secrets.
pub(crate) const SECRETS: [HeaderName; 4] = [
    AUTHORIZATION,
    COOKIE,
    PROXY_AUTHORIZATION,
    SEC_WEBSOCKET_PROTOCOL,
];

pub(crate) fn log(b: &mut impl Block) -> Log {
    let levels = Choice(&[
        ("error", tracing::Level::ERROR),
        ("warn", tracing::Level::WARN),
        ("info", tracing::Level::INFO),
        ("debug", tracing::Level::DEBUG),
        ("trace", tracing::Level::TRACE),
    ]);
    let formats = Choice(&[
        ("auto", LogFormat::Auto),
        ("json", LogFormat::Json),
        ("text", LogFormat::Text),
    ]);
    Log {
        level: b.key(
            "level",
            &tracing::Level::INFO,
            &levels,
            "The least severe level that is written.",
        ),
        format: b.key(
            "format",
            &LogFormat::Auto,
            &formats,
            "`auto` is text on a terminal, else JSON.",
        ),
        opened: b.key(
            "opened",
            &true,
            &Switch,
            "Whether connection_opened is logged.",
        ),
        headers: b.key(
            "headers",
            &Vec::new(),
            &Headers,
            "Headers of the opening handshake that are recorded, such as `user-agent`: at most 16, and 256 bytes of each.",
        ),
    }
}

/// The names of a few headers.
struct Headers;

const NAMES: List<Scalar<HeaderName>> = List {
    item: Scalar {
        read: |text| {
            text.parse().map_err(|_| {
                format!(
                    "{} is no name of a header; write one such as user-agent",
                    quoted(text)
                )
            })
        },
        show: |name| json!(name.as_str()),
        schema: || json!({"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"}),
    },
    is_required: false,
};

impl ValueType for Headers {
    type Out = Vec<HeaderName>;

    fn read(&self, value: &Value) -> Result<Self::Out, Vec<ValueError>> {
        let names = NAMES.read(value)?;
        match names.len() {
            0..=MAX_HEADERS => Ok(names),
            count => Err(ValueError::here(format!(
                "names {count} headers; at most {MAX_HEADERS} are recorded"
            ))),
        }
    }

    fn show(&self, value: &Self::Out) -> Json {
        NAMES.show(value)
    }

    fn schema(&self) -> Json {
        NAMES.schema()
    }
}

#[cfg(test)]
mod tests;
