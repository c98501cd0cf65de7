//! The block `upstream`, and the one line that is short for it.

use std::time::Duration;

use super::address::{HOST, TARGET};
use super::kind::{Kind as _, OrOff, Whole};
use super::policy::{HostHeader, Retry, Target, Upstream};
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
        } = self;
        Some(Upstream {
            target: target?,
            connect_timeout,
            handshake_timeout,
            host,
            retry,
        })
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
        &TARGET,
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
    s.absent("hold", Absent::Off);
    s.absent("tls", Absent::Off);
    Backend {
        target,
        connect_timeout,
        handshake_timeout,
        host,
        retry,
    }
}

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
