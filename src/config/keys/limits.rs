//! The block `limits`: those of one connection, and at the top level also those of the process.

use std::time::Duration;

use super::super::engine::{Block, Integer, List, OrOff, Size, SizeUpTo, Switch, TIME};
use super::super::model::{OriginPattern, ProcessLimits};
use super::origin::ORIGIN;
use crate::session::policy::Limits;

const COUNT: Integer = Integer {
    min: 1,
    max: 100_000_000,
};

/// The longest head that may be allowed: what is held of it has to be paid for by every client that sends one slowly.
const MAX_HEAD: SizeUpTo = SizeUpTo(64 << 10);

/// What routes inherit of the block.
#[derive(Clone, Debug)]
pub(crate) struct RouteLimits {
    pub(crate) connection: Limits,
    pub(crate) http_timeout: Option<Duration>,
    pub(crate) allowed_origins: Vec<OriginPattern>,
}

impl Default for RouteLimits {
    fn default() -> Self {
        let connection = Limits {
            max_frame: Some(16 << 20),
            max_message: Some(64 << 20),
            write_stall_timeout: Some(Duration::from_secs(30)),
            close_timeout: Duration::from_secs(5),
            max_lifetime: None,
            pings_per_second: Some(10),
            messages_per_second: None,
            validate_utf8: false,
        };
        RouteLimits {
            connection,
            http_timeout: Some(Duration::from_secs(5 * 60)),
            allowed_origins: Vec::new(),
        }
    }
}

/// The defaults of the process's limits.
pub(crate) fn process_defaults() -> ProcessLimits {
    ProcessLimits {
        max_connections: Some(10_000),
        max_connections_per_ip: None,
        max_http_connections: Some(4096),
        max_http_connections_per_ip: None,
        max_http_requests: Some(1024),
        max_head: 16 << 10,
        handshake_timeout: Some(Duration::from_secs(10)),
    }
}

/// The keys that only the top level has.
pub(crate) fn process_limits(b: &mut impl Block, base: &ProcessLimits) -> ProcessLimits {
    let mut count = |name, base: Option<usize>, doc| {
        let base = base.and_then(|base| u32::try_from(base).ok());
        b.key(name, &base, &OrOff(COUNT), doc)
            .and_then(|count| usize::try_from(count).ok())
    };
    let max_connections = count(
        "max_connections",
        base.max_connections,
        "WebSocket connections of the whole process; past it a 503 with Retry-After.",
    );
    let max_connections_per_ip = count(
        "max_connections_per_ip",
        base.max_connections_per_ip,
        "The same, for one client address (IPv6: one /64).",
    );
    let max_http_connections = count(
        "max_http_connections",
        base.max_http_connections,
        "Client connections that are no WebSocket (yet); never more than the open files leave. Past it the one that has \
         been without a request for longest is dropped.",
    );
    let max_http_connections_per_ip = count(
        "max_http_connections_per_ip",
        base.max_http_connections_per_ip,
        "The same, for one client address (IPv6: one /64).",
    );
    let max_http_requests = count(
        "max_http_requests",
        base.max_http_requests,
        "Plain HTTP requests in flight; past it a 503 with Retry-After.",
    );
    let max_head = b.key(
        "max_head",
        &(base.max_head as u64),
        &MAX_HEAD,
        "The head of a request or of an answer, at most 64KiB; past it 431, or 502.",
    );
    let max_head = usize::try_from(max_head).unwrap_or(base.max_head);
    let handshake_timeout = b.key(
        "handshake_timeout",
        &base.handshake_timeout,
        &OrOff(TIME),
        "From accept to a whole request head.",
    );
    ProcessLimits {
        max_connections,
        max_connections_per_ip,
        max_http_connections,
        max_http_connections_per_ip,
        max_http_requests,
        max_head,
        handshake_timeout,
    }
}

/// The same keys inside a route.
pub(crate) fn refuse_process_limits(b: &mut impl Block) {
    for name in [
        "max_connections",
        "max_connections_per_ip",
        "max_http_connections",
        "max_http_connections_per_ip",
        "max_http_requests",
        "max_head",
        "handshake_timeout",
    ] {
        let why = format!(
            "holds before a route is known; write it under `limits` at the top level, as `limits.{name}`"
        );
        b.refused(name, &why);
    }
}

/// The keys that routes have too.
pub(crate) fn route_limits(b: &mut impl Block, base: &RouteLimits) -> RouteLimits {
    let old = &base.connection;
    let connection = Limits {
        max_frame: b.key("max_frame", &old.max_frame, &OrOff(Size), "Payload of one frame; past it 1009."),
        max_message: b.key(
            "max_message",
            &old.max_message,
            &OrOff(Size),
            "Payload of one message, summed over its fragments; past it 1009.",
        ),
        write_stall_timeout: b.key(
            "write_stall_timeout",
            &old.write_stall_timeout,
            &OrOff(TIME),
            "A peer that accepts no byte for this long is closed: client_stalled, upstream_stalled.",
        ),
        close_timeout: b.key("close_timeout", &old.close_timeout, &TIME, "How long a closing handshake may take; who leaves waits at most 1 s for a peer that is silent."),
        max_lifetime: b.key(
            "max_lifetime",
            &old.max_lifetime,
            &OrOff(TIME),
            "Connections end at this age, give or take 10 %: max_lifetime.",
        ),
        pings_per_second: b.key(
            "pings_per_second",
            &old.pings_per_second,
            &OrOff(COUNT),
            "Pings received from the client, with bursts of twice this: ping_flood.",
        ),
        messages_per_second: b.key(
            "messages_per_second",
            &old.messages_per_second,
            &OrOff(COUNT),
            "Data messages received from the client, with bursts of twice this: message_flood.",
        ),
        validate_utf8: b.key(
            "validate_utf8",
            &old.validate_utf8,
            &Switch,
            "Whether text messages must be UTF-8 (1007); Swoole does not check.",
        ),
    };
    let http_timeout = b.key(
        "http_timeout",
        &base.http_timeout,
        &OrOff(TIME),
        "Plain HTTP in which no byte moved for so long: 504 before the answer's head, else it is cut.",
    );
    let origins = List {
        item: ORIGIN,
        is_required: false,
    };
    let allowed_origins = b.key(
        "allowed_origins",
        &base.allowed_origins,
        &origins,
        "Origins that may open a WebSocket, else 403: `https://chat.example.com`, `example.com`, `*.example.com`; empty: any.",
    );
    RouteLimits {
        connection,
        http_timeout,
        allowed_origins,
    }
}
