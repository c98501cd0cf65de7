//! The block `upstream`, and the one line that is short for it.

use std::time::Duration;

use serde_json::Value as Json;

use super::super::engine::{
    Block, Choice, Integer, OrOff, Reserved, Scalar, TIME, TIME_OR_NONE, Value, ValueError,
    ValueType, quoted,
};
use super::super::model::{Health, HealthMode, HostHeader, Retry, Target, Upstream};
use super::address::{HOST, TARGET};

/// The block as it is written: there may be no target yet.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub(crate) target: Option<Target>,
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
    pub(crate) fn resolve(self) -> Option<Upstream> {
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

/// A backend's URL, with advice for the forms that other programs have.
struct Url;

impl ValueType for Url {
    type Out = Target;

    fn read(&self, value: &Value) -> Result<Target, Vec<ValueError>> {
        match value {
            Value::List(_) => Err(ValueError::here(
                "there is one upstream, and this is a list; write the address of a load balancer, or choose by `routes`",
            )),
            Value::Map(_) => Err(ValueError::here(
                "the address is one text: write ws://host:port",
            )),
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
pub(crate) fn upstream(b: &mut impl Block, base: &Backend) -> Backend {
    let doc = "The backend: a line such as `ws://127.0.0.1:9501`, or this block.";
    b.line_or_block(
        "upstream",
        "url",
        || TARGET.schema(),
        doc,
        |b| block(b, base),
    )
}

fn block(b: &mut impl Block, base: &Backend) -> Backend {
    let target = b.required(
        "url",
        base.target.as_ref(),
        &Url,
        "The backend's address, such as `ws://127.0.0.1:9501` or `unix:/run/app.sock`.",
    );
    let connect_timeout = b.key(
        "connect_timeout",
        &base.connect_timeout,
        &TIME,
        "For one TCP connection to the backend.",
    );
    let handshake_timeout = b.key(
        "handshake_timeout",
        &base.handshake_timeout,
        &OrOff(TIME),
        "From the request to the response head of an opening handshake.",
    );
    let host = b.key(
        "host",
        &base.host,
        &HOST,
        "The Host header sent to the backend: `preserve` (the client's), `upstream`, or this text.",
    );
    let retry = b.block(
        "retry",
        "Dialling again when a connection to the backend fails, before the client got its answer.",
        |b| retry(b, &base.retry),
    );
    let health = b.block(
        "health",
        "How it is found out whether the backend is up, for readiness, metrics and the log.",
        |b| health(b, &base.health),
    );
    b.reserved("hold", Reserved::Off);
    b.reserved("tls", Reserved::Off);
    Backend {
        target,
        connect_timeout,
        handshake_timeout,
        host,
        retry,
        health,
    }
}

fn health(b: &mut impl Block, base: &Health) -> Health {
    let modes = OrOff(Choice(&[
        ("passive", HealthMode::Passive),
        ("tcp", HealthMode::Tcp),
        ("http", HealthMode::Http),
    ]));
    let mode = Some(base.mode).filter(|mode| *mode != HealthMode::Off);
    let mode = b.key(
        "mode",
        &mode,
        &modes,
        "`passive`: connections for clients tell, and an empty one is tried only before the first success and while it is down; `tcp`: an empty connection every `interval`; `http`: GET `path` every `interval`, any answer below 500 is up; `off`: nothing is tried, it counts as up.",
    );
    Health {
        mode: mode.unwrap_or(HealthMode::Off),
        interval: b.key(
            "interval",
            &base.interval,
            &TIME,
            "Between two checks, and the most that one takes.",
        ),
        path: b.key("path", &base.path, &CHECK_PATH, "What `http` asks for."),
    }
}

/// What a request line may ask for: a path, maybe with a query (RFC 9112 section 3.2.1).
const CHECK_PATH: Scalar<String> = Scalar {
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

fn retry(b: &mut impl Block, base: &Retry) -> Retry {
    let attempts = Integer { min: 1, max: 100 };
    Retry {
        attempts: b.key(
            "attempts",
            &base.attempts,
            &attempts,
            "All tries, the first included.",
        ),
        backoff: b.key(
            "backoff",
            &base.backoff,
            &TIME_OR_NONE,
            "Before the second try; doubles after each.",
        ),
        max_backoff: b.key(
            "max_backoff",
            &base.max_backoff,
            &TIME_OR_NONE,
            "The most that the backoff grows to.",
        ),
    }
}
