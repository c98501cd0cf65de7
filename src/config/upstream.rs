//! The block `upstream`, and the one line that is short for it.

use std::time::Duration;

use serde_json::Value as Json;
use serde_yaml::Value;

use super::address::{HOST, TARGET};
use super::keypath::quoted;
use super::kind::{Choice, Fault, Kind, OrOff, Whole, Word};
use super::model::{Health, HealthMode, HostHeader, Retry, Target, Upstream};
use super::section::{Absent, Section};
use super::units::{TIME, TIME_OR_NONE};

/// The block as it is written: there may be no target yet.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    pub(super) target: Option<Target>,
    connect_timeout: Duration,
    handshake_timeout: Option<Duration>,
    host: HostHeader,
    retry: Retry,
    health: Health,
}

impl Default for Backend {
    fn default() -> Self {
        let (backoff, max_backoff) = (Duration::from_millis(100), Duration::from_secs(2));
        Backend {
            target: None,
            connect_timeout: Duration::from_secs(3),
            handshake_timeout: Some(Duration::from_secs(10)),
            host: HostHeader::Preserve,
            retry: Retry {
                attempts: 3,
                backoff,
                max_backoff,
            },
            health: Health {
                mode: HealthMode::Passive,
                interval: Duration::from_secs(5),
                path: "/".to_owned(),
            },
        }
    }
}

impl Backend {
    /// What the rest of the program uses; none without a target.
    pub(super) fn resolve(self) -> Option<Upstream> {
        let Backend {
            target,
            connect_timeout,
            handshake_timeout,
            host,
            retry,
            health,
        } = self;
        Some(Upstream {
            target: target?,
            connect_timeout,
            handshake_timeout,
            host,
            retry,
            health,
        })
    }
}

/// A backend's URL, with words for the forms that other programs have.
struct Url;

impl Kind for Url {
    type Out = Target;

    fn read(&self, value: &Value) -> Result<Target, Vec<Fault>> {
        match value {
            Value::Sequence(_) => Err(Fault::here(
                "there is one upstream, and this is a list; write the address of a load balancer, or choose by `routes`",
            )),
            Value::Mapping(_) => Err(Fault::here("the address is one text: write ws://host:port")),
            _ => TARGET.read(value),
        }
    }

    fn show(&self, value: &Target) -> Json {
        TARGET.show(value)
    }

    fn schema(&self) -> Json {
        TARGET.schema()
    }
}

/// `upstream:` as a line or as a block.
pub(super) fn upstream(s: &mut Section<'_>, base: &Backend) -> Backend {
    let doc = "The backend: a line such as `ws://127.0.0.1:9501`, or this block.";
    s.line_or_block(
        "upstream",
        "url",
        || TARGET.schema(),
        doc,
        |s| block(s, base),
    )
}

fn block(s: &mut Section<'_>, base: &Backend) -> Backend {
    let target = s.needed(
        "url",
        base.target.as_ref(),
        &Url,
        "The backend's address, such as `ws://127.0.0.1:9501` or `unix:/run/app.sock`.",
    );
    let connect_timeout = s.key(
        "connect_timeout",
        &base.connect_timeout,
        &TIME,
        "For one TCP connection to the backend.",
    );
    let handshake_timeout = s.key(
        "handshake_timeout",
        &base.handshake_timeout,
        &OrOff(TIME),
        "From the request to the response head of an opening handshake.",
    );
    let host = s.key(
        "host",
        &base.host,
        &HOST,
        "The Host header sent to the backend: `preserve` (the client's), `upstream`, or this text.",
    );
    let retry = s.block(
        "retry",
        "Dialling again when a connection to the backend fails, before the client got its answer.",
        |s| retry(s, &base.retry),
    );
    let health = s.block(
        "health",
        "How it is found out whether the backend is up, for readiness, metrics and the log.",
        |s| health(s, &base.health),
    );
    s.absent("hold", Absent::Off);
    s.absent("tls", Absent::Off);
    Backend {
        target,
        connect_timeout,
        handshake_timeout,
        host,
        retry,
        health,
    }
}

fn health(s: &mut Section<'_>, base: &Health) -> Health {
    let modes = OrOff(Choice(&[
        ("passive", HealthMode::Passive),
        ("tcp", HealthMode::Tcp),
        ("http", HealthMode::Http),
    ]));
    let mode = Some(base.mode).filter(|mode| *mode != HealthMode::Off);
    let mode = s.key(
        "mode",
        &mode,
        &modes,
        "`passive`: connections for clients tell, and an empty one is tried only before the first success and while it is down; `tcp`: an empty connection every `interval`; `http`: GET `path` every `interval`, any answer below 500 is up; `off`: nothing is tried, it counts as up.",
    );
    Health {
        mode: mode.unwrap_or(HealthMode::Off),
        interval: s.key(
            "interval",
            &base.interval,
            &TIME,
            "Between two checks, and the most that one takes.",
        ),
        path: s.key("path", &base.path, &CHECK_PATH, "What `http` asks for."),
    }
}

/// What a request line may ask for: a path, maybe with a query (RFC 9112 section 3.2.1).
const CHECK_PATH: Word<String> = Word {
    read: |text| {
        let fits = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#');
        match (text.starts_with('/'), fits && text.len() <= 2048) {
            (true, true) => Ok(text.to_owned()),
            (false, _) => Err(format!(
                "a path begins with `/`; write {}",
                quoted(&format!("/{text}"))
            )),
            (true, false) => Err(format!(
                "{} is no path: write it percent-encoded, without spaces and `#`",
                quoted(text)
            )),
        }
    },
    show: |value| serde_json::json!(value),
    schema: || serde_json::json!({"type": "string", "pattern": "^/[!-\"$-~]*$"}),
};

fn retry(s: &mut Section<'_>, base: &Retry) -> Retry {
    let attempts = Whole {
        least: 1,
        most: 100,
    };
    Retry {
        attempts: s.key(
            "attempts",
            &base.attempts,
            &attempts,
            "All tries, the first included.",
        ),
        backoff: s.key(
            "backoff",
            &base.backoff,
            &TIME_OR_NONE,
            "Before the second try; doubles after each.",
        ),
        max_backoff: s.key(
            "max_backoff",
            &base.max_backoff,
            &TIME_OR_NONE,
            "The most that the backoff grows to.",
        ),
    }
}
