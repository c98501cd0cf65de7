//! Connections that are open, and those that have ended.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A connection that is open. Names are those of the closing record; pings without a prefix are the client's.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Connection {
    /// The connection's id: a ULID, so that ids sort by time.
    pub(crate) conn: String,
    /// The request's id; the upstream got it as X-Request-Id.
    pub(crate) request_id: String,
    /// The client's address with its port.
    pub(crate) client: String,
    /// The trace that the request belongs to, from its `traceparent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<String>,
    /// The headers that `log.headers` names, those that the request has; long ones are cut.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// The route's name.
    pub(crate) route: String,
    /// The Host header.
    pub(crate) host: String,
    /// The path, without its query.
    pub(crate) path: String,
    /// The subprotocol that the upstream chose.
    pub(crate) subprotocol: Option<String>,
    /// The upstream's address, as dialled.
    pub(crate) upstream: String,
    /// Whether permessage-deflate was negotiated.
    pub(crate) compressed: bool,
    /// When it was opened (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) opened: String,
    /// How long ago that was, in milliseconds.
    pub(crate) age_ms: u64,
    /// Whether it is being closed.
    pub(crate) state: ConnectionState,
    /// How long nothing has come from the client, in milliseconds.
    pub(crate) client_idle_ms: u64,
    /// The same of the upstream.
    pub(crate) upstream_idle_ms: u64,
    /// The client's last round trip, in milliseconds.
    pub(crate) rtt_ms: Option<f64>,
    /// The upstream's.
    pub(crate) upstream_rtt_ms: Option<f64>,
    /// Messages received whole from the client.
    pub(crate) client_messages: u64,
    /// Payload bytes of data frames received from the client.
    pub(crate) client_bytes: u64,
    /// Messages received whole from the upstream.
    pub(crate) upstream_messages: u64,
    /// Payload bytes of data frames received from the upstream.
    pub(crate) upstream_bytes: u64,
    /// Pings sent to the client.
    pub(crate) pings_sent: u32,
    /// Pongs that answered them.
    pub(crate) pongs_received: u32,
    /// Pings that the client missed.
    pub(crate) missed_pongs: u32,
    /// The client's pings that the sidecar answered.
    pub(crate) pings_answered: u32,
    /// Pings sent to the upstream.
    pub(crate) upstream_pings_sent: u32,
    /// Pongs that answered them.
    pub(crate) upstream_pongs_received: u32,
    /// Pings that the upstream missed.
    pub(crate) upstream_missed_pongs: u32,
    /// The upstream's pings that the sidecar answered.
    pub(crate) upstream_pings_answered: u32,
    /// Application-level heartbeats that were recognised.
    pub(crate) app_heartbeats: u64,
    /// Fields of them that are kept.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub(crate) captured: BTreeMap<String, Box<RawValue>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ConnectionState {
    Open,
    Closing,
}

/// A page of connections.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ConnectionPage {
    pub(crate) connections: Vec<Connection>,
    /// What to ask the next page with, as `cursor`; null: there is none.
    pub(crate) next: Option<String>,
    /// Connections that are established.
    pub(crate) total: usize,
    /// Those of them that match `q`.
    pub(crate) matching: usize,
}

/// A connection that is being closed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Closing {
    pub(crate) conn: String,
    /// The code of the Close frame that the client is sent.
    pub(crate) code: u16,
    /// Its reason.
    pub(crate) reason: String,
}

/// A round trip.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Pinged {
    pub(crate) conn: String,
    /// Who answered: `client` or `upstream`.
    pub(crate) leg: String,
    /// From sending the ping to its pong, in milliseconds.
    pub(crate) rtt_ms: f64,
}

// `R` is a record as far as it is read: the sidecar sends the log's lines as they are.
/// A page of closing records.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClosedPage")]
pub(crate) struct ClosedPage<R> {
    /// As they were logged, the newest first; the last 1,000 are kept.
    pub(crate) closed: Vec<R>,
    /// What to ask the next page with, as `cursor`; null: there is none.
    pub(crate) next: Option<String>,
}
