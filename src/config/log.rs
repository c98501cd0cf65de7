//! The block `log`: what is logged and how.

use hyper::header::{
    AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL,
};
use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::keypath::quoted;
use super::kind::{Choice, Fault, Kind, List, Switch, Word};
use super::model::{Log, LogFormat};
use super::section::Section;

/// The most headers that are recorded: each stays with its connection.
const MAX_HEADERS: usize = 16;

/// Headers that carry secrets.
pub(super) const SECRETS: [HeaderName; 4] = [
    AUTHORIZATION,
    COOKIE,
    PROXY_AUTHORIZATION,
    SEC_WEBSOCKET_PROTOCOL,
];

pub(super) fn log(s: &mut Section<'_>) -> Log {
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
        level: s.key(
            "level",
            &tracing::Level::INFO,
            &levels,
            "The least severe level that is written.",
        ),
        format: s.key(
            "format",
            &LogFormat::Auto,
            &formats,
            "`auto` is text on a terminal, else JSON.",
        ),
        opened: s.key(
            "opened",
            &true,
            &Switch,
            "Whether connection_opened is logged.",
        ),
        headers: s.key(
            "headers",
            &Vec::new(),
            &Headers,
            "Headers of the opening handshake that are recorded, such as `user-agent`: at most 16, and 256 bytes of each.",
        ),
    }
}

/// The names of a few headers.
struct Headers;

const NAMES: List<Word<HeaderName>> = List {
    item: Word {
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
    needs_one: false,
};

impl Kind for Headers {
    type Out = Vec<HeaderName>;

    fn read(&self, value: &Value) -> Result<Self::Out, Vec<Fault>> {
        let names = NAMES.read(value)?;
        match names.len() {
            0..=MAX_HEADERS => Ok(names),
            count => Err(Fault::here(format!(
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
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<HeaderName>, String> {
        let value = serde_yaml::from_str(text).unwrap();
        let faults = |faults: Vec<Fault>| faults[0].message.clone();
        Headers.read(&value).map_err(faults)
    }

    #[test]
    fn headers_are_named_in_any_case_and_are_few() {
        let names = [HeaderName::from_static("user-agent"), COOKIE];
        assert_eq!(read("[User-Agent, cookie]").as_deref(), Ok(&names[..]));
        assert_eq!(read("User-Agent").as_deref(), Ok(&names[..1]));
        assert_eq!(read("[]").as_deref(), Ok(&[][..]));
        let many: Vec<String> = (0..17).map(|name| format!("x{name}")).collect();
        for (text, help) in [
            ("[a b]", "\"a b\" is no name"),
            ("['']", "is no name"),
            ("['a:']", "is no name"),
            ("[a, A]", "in the list already"),
            (&format!("[{}]", many.join(", ")), "names 17 headers"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(help), "{text}: {message}");
        }
    }
}
