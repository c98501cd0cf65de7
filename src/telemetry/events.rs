//! The records that are not about one established connection.

use serde::Serialize;

use super::RequestHeaders;

/// The names of all lifecycle events, which go to the log and to those who listen.
pub const NAMES: [&str; 17] = [
    "connection_opened",
    "connection_closed",
    "handshake_failed",
    "config_reloaded",
    "config_rejected",
    "draining",
    "drain_progress",
    "drained",
    "upstream_down",
    "upstream_up",
    "upgrade_missing",
    "listening",
    "listening_ended",
    "metrics_listening",
    "metrics_listening_ended",
    "admin_listening",
    "admin_listening_ended",
];

/// `handshake_failed`.
#[derive(Debug, Serialize)]
pub struct HandshakeFailed<'a> {
    /// The request's id, as in the answer's body; none if no request was read.
    pub request_id: Option<&'a str>,
    /// The client's address with its port.
    pub client: &'a str,
    /// What is recorded of the request's headers.
    #[serde(flatten)]
    pub headers: Option<&'a RequestHeaders>,
    /// The route's name.
    pub route: Option<&'a str>,
    /// The Host header.
    pub host: Option<&'a str>,
    /// The path, without its query.
    pub path: Option<&'a str>,
    /// The upstream's address.
    pub upstream: Option<&'a str>,
    /// `client`, `upstream` or `sidecar`.
    pub initiator: &'static str,
    /// [`super::HandshakeFailure::label`].
    pub reason: &'static str,
    /// Always `opening`.
    pub phase: &'static str,
    /// The status that the client got.
    pub status: Option<u16>,
    /// In words.
    pub detail: &'a str,
    /// Since the request head, in milliseconds.
    pub duration_ms: u64,
}

/// `http_failed`.
#[derive(Debug, Serialize)]
pub struct HttpFailed<'a> {
    /// The request's id, as in the answer's body.
    pub request_id: &'a str,
    /// The client's address with its port.
    pub client: &'a str,
    /// The route's name; none where it was not asked for.
    pub route: Option<&'a str>,
    /// The upstream's address.
    pub upstream: Option<&'a str>,
    /// `client`, `upstream` or `sidecar`.
    pub initiator: &'static str,
    /// [`super::HandshakeFailure::label`].
    pub reason: &'static str,
    /// The status of the answer; none where the upstream's answer had begun, and was cut.
    pub status: Option<u16>,
    /// In words.
    pub detail: &'a str,
}

/// `started`.
#[derive(Debug, Serialize)]
pub struct Started<'a> {
    /// This program's version.
    pub version: &'static str,
    /// The configuration file.
    pub config: &'a str,
    /// The process.
    pub pid: u32,
}

/// `listening` and `listening_ended`.
#[derive(Debug, Serialize)]
pub struct Listening<'a> {
    /// The address, with the port that the system chose where it was 0.
    pub address: &'a str,
}

/// `config_reloaded`.
#[derive(Debug, Serialize)]
pub struct ConfigReloaded<'a> {
    /// The file.
    pub config: &'a str,
    /// What asked for it: `file`, `signal`, `api`.
    pub trigger: &'static str,
    /// The keys that differ, at most 100 of them.
    pub changed: &'a [String],
    /// The same with their values.
    pub detail: &'a str,
    /// Settings that defeat each other.
    pub warnings: &'a [String],
    /// Live connections that follow.
    pub connections: usize,
}

/// `config_rejected`.
#[derive(Debug, Serialize)]
pub struct ConfigRejected<'a> {
    /// The file.
    pub config: &'a str,
    /// What asked for it.
    pub trigger: &'static str,
    /// Every problem, with file, line and column.
    pub problems: &'a [String],
    /// What now.
    pub detail: &'static str,
}

/// `drain_progress`.
#[derive(Debug, Serialize)]
pub struct DrainProgress {
    /// What is waited for and still there: WebSockets, opening handshakes, and plain HTTP in flight.
    pub remaining: usize,
    /// How many there were.
    pub of: usize,
    /// `delay`, `closing` or `finishing`.
    pub phase: &'static str,
    /// What asked for the drain.
    pub trigger: &'static str,
}

/// `draining` and `drained`.
#[derive(Debug, Serialize)]
pub struct Draining {
    /// What is waited for and still there: WebSockets, opening handshakes, and plain HTTP in flight.
    pub connections: usize,
    /// What asked for it: `SIGTERM`, `SIGINT`, `SIGHUP`, `api`.
    pub trigger: &'static str,
    /// In words.
    pub detail: String,
}

/// `upstream_down`.
#[derive(Debug, Serialize)]
pub struct UpstreamDown<'a> {
    /// The backend's address.
    pub upstream: &'a str,
    /// What the system says.
    pub detail: &'a str,
}

/// `upstream_up`.
#[derive(Debug, Serialize)]
pub struct UpstreamUp<'a> {
    /// The backend's address.
    pub upstream: &'a str,
    /// In words.
    pub detail: &'a str,
    /// How long it was down, in milliseconds.
    pub down_ms: u64,
}

/// `upgrade_missing`.
#[derive(Debug, Serialize)]
pub struct UpgradeMissing<'a> {
    /// The request's id.
    pub request_id: &'a str,
    /// The client's address with its port: that of the proxy in front.
    pub client: &'a str,
    /// The Host header.
    pub host: &'a str,
    /// The path, without its query.
    pub path: &'a str,
    /// How many of these requests there were since the last such line, this one included.
    pub count: u64,
    /// What is missing, and what to do.
    pub detail: &'a str,
}
