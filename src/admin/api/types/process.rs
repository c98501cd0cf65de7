//! The whole process: its summary, its drain and its recent history.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::configuration::ReloadResult;
use crate::telemetry::LegTotals;

/// The state of the process, and what it has counted since it began.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Summary {
    /// This program's version.
    pub(crate) version: String,
    /// When the process began to serve (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) started: String,
    /// How long ago that was, in milliseconds.
    pub(crate) uptime_ms: u64,
    pub(crate) connections: Connections,
    /// Null: it does not drain.
    pub(crate) draining: Option<Draining>,
    /// The backends that the configuration names.
    pub(crate) upstreams: Vec<Upstream>,
    /// By route.
    pub(crate) routes: Vec<Route>,
    /// Connections that have ended; a cause that has not occurred is left out.
    pub(crate) closed: Vec<Closed>,
    /// Opening handshakes that never became a connection; a reason that has not occurred is left out.
    pub(crate) handshakes_failed: Vec<HandshakesFailed>,
    /// The clients' legs.
    pub(crate) client: LegSummary,
    /// The upstreams' legs.
    pub(crate) upstream: LegSummary,
    /// Application-level heartbeats that were recognised.
    pub(crate) app_heartbeats: Vec<AppHeartbeats>,
    /// Answers to plain HTTP requests.
    pub(crate) http_requests: Vec<HttpRequests>,
    pub(crate) config: ConfigFile,
    /// Lines that did not go into the log, because nobody read it fast enough.
    pub(crate) log_lines_dropped: u64,
    /// Events that clients of `/api/events` have missed, because they did not read fast enough.
    pub(crate) events_dropped: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Connections {
    /// WebSockets that are open or closing.
    pub(crate) established: u64,
    /// The same and those whose opening handshake is under way.
    pub(crate) admitted: usize,
    /// `limits.max_connections`; null: off.
    pub(crate) max: Option<usize>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Upstream {
    /// As in logs.
    pub(crate) address: String,
    /// Whether it took the last connection.
    pub(crate) up: bool,
    /// Since when that is so (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) since: String,
    /// Why it is down.
    pub(crate) detail: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Route {
    pub(crate) route: String,
    /// Now.
    pub(crate) established: u64,
    /// Since the process began.
    pub(crate) opened: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Closed {
    pub(crate) route: String,
    /// `client`, `upstream` or `sidecar`.
    pub(crate) initiator: String,
    /// As in the closing record.
    pub(crate) reason: String,
    pub(crate) count: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct HandshakesFailed {
    /// As in the record `handshake_failed`.
    pub(crate) reason: String,
    pub(crate) count: u64,
}

/// What was counted on one leg of all connections.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct LegSummary {
    #[serde(flatten)]
    pub(crate) counters: LegTotals,
    /// The last round trips of the connections that are open; null: there was none.
    pub(crate) rtt_ms: Option<Quantiles>,
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct AppHeartbeats {
    pub(crate) rule: String,
    pub(crate) count: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct HttpRequests {
    /// `2xx`, …, `other`.
    pub(crate) status_class: String,
    pub(crate) count: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ConfigFile {
    /// The file.
    pub(crate) path: String,
    /// The last time that the file was read again; null: it was not.
    pub(crate) last_reload: Option<ReloadSummary>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ReloadSummary {
    /// When (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) at: String,
    pub(crate) result: ReloadResult,
    /// What asked for it: `file`, `signal` or `api`.
    pub(crate) trigger: String,
}

/// How far a drain has come.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Draining {
    /// What asked for it: `api`, `SIGTERM`, `SIGINT`, or `SIGHUP` of a closed terminal.
    pub(crate) trigger: String,
    /// When (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) since: String,
    pub(crate) phase: DrainPhase,
    /// What is waited for and still there: WebSockets, opening handshakes, and plain HTTP in flight.
    pub(crate) remaining: usize,
    /// How many there were.
    pub(crate) of: usize,
    /// When what is left is cut off (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) deadline: String,
    /// How long that is from now, in milliseconds.
    pub(crate) left_ms: u64,
}

/// `delay`: new connections are accepted until the load balancer has noticed; `closing`: connections are closed one
/// after the other; `finishing`: all have been asked to close.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DrainPhase {
    Delay,
    Closing,
    Finishing,
}

impl fmt::Display for DrainPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DrainPhase::Delay => "delay",
            DrainPhase::Closing => "closing",
            DrainPhase::Finishing => "finishing",
        })
    }
}

/// The last 15 minutes, or as many as there have been.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct History {
    /// Between two samples, in milliseconds.
    pub(crate) interval_ms: u64,
    /// The oldest first.
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Sample {
    /// When (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) at: String,
    /// Connections that were established then.
    pub(crate) established: u64,
    /// Connections established since the process began.
    pub(crate) opened: u64,
    /// Connections that have ended since the process began.
    pub(crate) closed: u64,
}
