//! The table of all calls. What answers and what describes the answers both go by it.

use hyper::Method;
use schemars::{Schema, SchemaGenerator};
use serde_json::json;

use super::paging::Order;
use super::query::{Kind, Param};
use super::{closed, connections, drain, file, history, row, summary};
use crate::session::{Cause, Leg};
use crate::telemetry::EventKind;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Summary,
    History,
    Connections,
    Connection,
    Close,
    Ping,
    Closed,
    Config,
    Reload,
    Drain,
    Events,
    OpenApi,
}

/// One call.
pub(super) struct Route {
    pub(super) operation: Operation,
    pub(super) method: Method,
    /// `{id}` stands for one segment.
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) params: &'static [Param],
    pub(super) answer: Answer,
    /// Statuses of errors that only this call has, and when.
    pub(super) problems: &'static [(u16, &'static str)],
}

/// What is answered when all is well.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) doc: &'static str,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
}

const JSON: &str = "application/json";

const LIMIT: Param = Param {
    name: "limit",
    kind: Kind::Whole {
        least: 1,
        most: 1000,
        default: connections::DEFAULT_LIMIT as u64,
    },
    doc: "The most that one answer has.",
};

const CURSOR: Param = Param {
    name: "cursor",
    kind: Kind::Cursor,
    doc: "What the answer before called `next`; empty: from the beginning.",
};

const Q: Param = Param {
    name: "q",
    kind: Kind::Text,
    doc: "Only those that have this text, in any case, in conn, request_id, client, route, host, path, subprotocol or a captured value.",
};

const NO_SUCH: (u16, &str) = (404, "No such connection is established.");
const BAD_FIELD: (u16, &str) = (400, "A parameter is wrong; `field` names it.");

fn causes() -> Vec<String> {
    Cause::ALL.map(|cause| cause.label().to_owned()).into()
}

fn legs() -> Vec<String> {
    Leg::BOTH.map(|leg| leg.label().to_owned()).into()
}

fn event_names() -> Vec<String> {
    EventKind::streamed()
        .map(|kind| kind.name().to_owned())
        .collect()
}

/// Every call.
pub(super) static ROUTES: [Route; 12] = [
    Route {
        operation: Operation::Summary,
        method: Method::GET,
        path: "/api/summary",
        name: "summary",
        doc: "The whole process at a glance.",
        params: &[],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "What goes on.",
            schema: |schemas| schemas.subschema_for::<summary::Summary>(),
        },
        problems: &[],
    },
    Route {
        operation: Operation::History,
        method: Method::GET,
        path: "/api/history",
        name: "history",
        doc: "The last 15 minutes, a sample every 5 seconds.",
        params: &[],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "The samples.",
            schema: |schemas| schemas.subschema_for::<history::History>(),
        },
        problems: &[],
    },
    Route {
        operation: Operation::Connections,
        method: Method::GET,
        path: "/api/connections",
        name: "connections",
        doc: "Who is connected, page by page. A connection that stays is shown once under `sort=opened`, whoever comes or goes meanwhile.",
        params: &[
            LIMIT,
            CURSOR,
            Param {
                name: "sort",
                kind: Kind::Choice {
                    words: Order::words,
                    default: Some(Order::DEFAULT),
                },
                doc: "What comes first; with `-` in front the greatest does.",
            },
            Q,
        ],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "A page.",
            schema: |schemas| schemas.subschema_for::<connections::ConnectionPage<'_>>(),
        },
        problems: &[],
    },
    Route {
        operation: Operation::Connection,
        method: Method::GET,
        path: "/api/connections/{id}",
        name: "connection",
        doc: "One connection.",
        params: &[],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "The connection.",
            schema: |schemas| schemas.subschema_for::<row::Row<'_>>(),
        },
        problems: &[NO_SUCH],
    },
    Route {
        operation: Operation::Close,
        method: Method::DELETE,
        path: "/api/connections/{id}",
        name: "close",
        doc: "Closes a connection: the client is sent a Close frame. What is not given is as `close.killed` of the configuration says.",
        params: &[
            Param {
                name: "code",
                kind: Kind::CloseCode,
                doc: "The Close frame's code.",
            },
            Param {
                name: "reason",
                kind: Kind::CloseReason,
                doc: "Its reason, at most 123 bytes.",
            },
        ],
        answer: Answer {
            status: 202,
            content_type: JSON,
            doc: "It is being closed.",
            schema: |schemas| schemas.subschema_for::<connections::Closing<'_>>(),
        },
        problems: &[NO_SUCH, (409, "It is being closed already.")],
    },
    Route {
        operation: Operation::Ping,
        method: Method::POST,
        path: "/api/connections/{id}/ping",
        name: "ping",
        doc: "Sends a ping now, whatever the heartbeat is set to, and waits for its pong: for `pong_timeout`, or 10 seconds where that is off.",
        params: &[Param {
            name: "leg",
            kind: Kind::Choice {
                words: legs,
                default: Some("client"),
            },
            doc: "Who is asked.",
        }],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "The round trip.",
            schema: |schemas| schemas.subschema_for::<connections::Pinged<'_>>(),
        },
        problems: &[
            NO_SUCH,
            (410, "It has ended, or is ending, meanwhile."),
            (504, "No pong came in time."),
        ],
    },
    Route {
        operation: Operation::Closed,
        method: Method::GET,
        path: "/api/closed",
        name: "closed",
        doc: "The records of the last 1,000 connections that have ended, the newest first.",
        params: &[
            LIMIT,
            CURSOR,
            Q,
            Param {
                name: "reason",
                kind: Kind::Choice {
                    words: causes,
                    default: None,
                },
                doc: "Only those that ended for this.",
            },
        ],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "A page.",
            schema: |schemas| schemas.subschema_for::<closed::ClosedPage<'_>>(),
        },
        problems: &[],
    },
    Route {
        operation: Operation::Config,
        method: Method::GET,
        path: "/api/config",
        name: "config",
        doc: "The configuration in force, without its secrets.",
        params: &[],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "The configuration.",
            schema: |schemas| schemas.subschema_for::<file::Configuration>(),
        },
        problems: &[],
    },
    Route {
        operation: Operation::Reload,
        method: Method::POST,
        path: "/api/reload",
        name: "reload",
        doc: "Reads the configuration's file again. Live connections follow; an invalid file changes nothing.",
        params: &[],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "It is in force.",
            schema: |schemas| schemas.subschema_for::<file::Reloaded>(),
        },
        problems: &[
            (409, "The sidecar is draining, or has no file."),
            (422, "The file cannot be used; `problems` has why."),
            (503, "The process is ending."),
        ],
    },
    Route {
        operation: Operation::Drain,
        method: Method::POST,
        path: "/api/drain",
        name: "drain",
        doc: "Begins to drain, as SIGTERM does: the process ends when every client was closed. Asked again, it tells how far that is.",
        params: &[],
        answer: Answer {
            status: 202,
            content_type: JSON,
            doc: "It drains.",
            schema: |schemas| schemas.subschema_for::<drain::Draining>(),
        },
        problems: &[(503, "The process is ending.")],
    },
    Route {
        operation: Operation::Events,
        method: Method::GET,
        path: "/api/events",
        name: "events",
        doc: "What happens, as it happens: server-sent events with the log's event names, and the log line's fields as data. One who does not keep up misses events, and is told by `dropped` with a `count`.",
        params: &[Param {
            name: "types",
            kind: Kind::Words(event_names),
            doc: "Only these events, with commas between them.",
        }],
        answer: Answer {
            status: 200,
            content_type: "text/event-stream",
            doc: "A stream without an end.",
            schema: |_| text(),
        },
        problems: &[(503, "There are 32 listeners already.")],
    },
    Route {
        operation: Operation::OpenApi,
        method: Method::GET,
        path: "/api/openapi.json",
        name: "openapi",
        doc: "This description.",
        params: &[],
        answer: Answer {
            status: 200,
            content_type: JSON,
            doc: "An OpenAPI 3.1 document.",
            schema: |_| object(),
        },
        problems: &[],
    },
];

/// Statuses of errors that a call of this kind has, whichever it is.
pub(super) fn problems(route: &Route) -> Vec<(u16, &'static str)> {
    let mut all = vec![
        BAD_FIELD,
        (401, "`admin.token` is set, and this is not it."),
        (408, "A body, which no call needs, did not come to its end."),
        (413, "A body, which no call needs, has more than 64 KiB."),
        (
            421,
            "Without a token, the host must be an address or localhost.",
        ),
    ];
    if route.method != Method::GET {
        all.push((403, "A page of another site asks."));
    }
    all.extend(route.problems);
    all.sort_unstable();
    all
}

fn text() -> Schema {
    Schema::try_from(json!({"type": "string"})).unwrap_or_default()
}

fn object() -> Schema {
    Schema::try_from(json!({"type": "object"})).unwrap_or_default()
}

/// What there is for a method and a path.
pub(super) enum Found<'a> {
    /// A call, with the `{id}` of its path.
    Route(&'static Route, &'a str),
    /// The path, for these methods.
    OtherMethods(String),
    Nothing,
}

/// Looks a request up.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    // A server that answers GET answers HEAD (RFC 9110 section 9.1).
    let wanted = match *method {
        Method::HEAD => &Method::GET,
        _ => method,
    };
    let mut allowed: Vec<&str> = Vec::new();
    for route in &ROUTES {
        let Some(id) = id_of(route.path, path) else {
            continue;
        };
        if route.method == *wanted {
            return Found::Route(route, id);
        }
        allowed.push(route.method.as_str());
        if route.method == Method::GET {
            allowed.push("HEAD");
        }
    }
    match allowed.is_empty() {
        true => Found::Nothing,
        false => Found::OtherMethods(allowed.join(", ")),
    }
}

/// The segment of a path that a pattern calls `{id}`, empty if it has none; none: they do not match.
fn id_of<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let Some((before, after)) = pattern.split_once("{id}") else {
        return (pattern == path).then_some("");
    };
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

#[cfg(test)]
mod tests;
