//! The lifecycle events: one list with each event's name, and the records that they carry.
//!
//! An event is made where something happens, and goes through [`super::Observer::publish`] to the log and to those who
//! follow the event stream. Its name in both is the one in the list below; a record's fields are written in their order.

use serde::{Serialize, Serializer};
use tracing::Level;

use super::status::{DrainPhase, DrainTrigger, ReloadTrigger};
use super::{ClosingRecord, HandshakeFailure, Opened, RequestHeaders, log};
use crate::session::Cause;

macro_rules! lifecycle_events {
    ($($kind:ident($record:ty) $name:literal;)*) => {
        /// Something that happened to the process or to one of its connections, with its record.
        #[derive(Debug, Serialize)]
        #[serde(untagged)]
        #[expect(missing_docs, reason = "EventKind::name is what each is called")]
        pub enum LifecycleEvent<'a> {
            $($kind($record),)*
        }

        /// Which event it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "EventKind::name is what each is called")]
        pub enum EventKind {
            $($kind,)*
        }

        impl EventKind {
            /// Every kind, in the order of the documents.
            pub const ALL: &[EventKind] = &[$(EventKind::$kind,)*];

            /// The name in the log and in the event stream.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(EventKind::$kind => $name,)*
                }
            }
        }

        impl LifecycleEvent<'_> {
            /// Which event it is.
            #[must_use]
            pub fn kind(&self) -> EventKind {
                match self {
                    $(LifecycleEvent::$kind(_) => EventKind::$kind,)*
                }
            }
        }
    };
}

lifecycle_events! {
    ConnectionOpened(&'a Opened<'a>) "connection_opened";
    ConnectionClosed(&'a ClosingRecord<'a>) "connection_closed";
    HandshakeFailed(&'a HandshakeFailed<'a>) "handshake_failed";
    ConfigReloaded(ConfigReloaded<'a>) "config_reloaded";
    ConfigRejected(ConfigRejected<'a>) "config_rejected";
    Draining(Draining) "draining";
    DrainProgress(DrainProgress) "drain_progress";
    Drained(Draining) "drained";
    UpstreamDown(UpstreamDown<'a>) "upstream_down";
    UpstreamUp(UpstreamUp<'a>) "upstream_up";
    UpgradeMissing(UpgradeMissing<'a>) "upgrade_missing";
    Listening(Listening<'a>) "listening";
    ListeningEnded(Listening<'a>) "listening_ended";
    MetricsListening(Listening<'a>) "metrics_listening";
    MetricsListeningEnded(Listening<'a>) "metrics_listening_ended";
    AdminListening(Listening<'a>) "admin_listening";
    AdminListeningEnded(Listening<'a>) "admin_listening_ended";
    Started(Started<'a>) "started";
    HttpFailed(HttpFailed<'a>) "http_failed";
}

impl EventKind {
    /// Those that the event stream carries.
    pub fn streamed() -> impl Iterator<Item = EventKind> {
        let all = EventKind::ALL.iter().copied();
        all.filter(|kind| kind.is_streamed())
    }

    /// The event of the stream with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<EventKind> {
        EventKind::streamed().find(|kind| kind.name() == name)
    }

    /// Nobody can follow a process that has not started, and a failed plain request is in the log only: there may be
    /// thousands of them.
    pub(super) fn is_streamed(self) -> bool {
        !matches!(self, EventKind::Started | EventKind::HttpFailed)
    }
}

impl LifecycleEvent<'_> {
    /// How severe it is: `WARN` and `ERROR` are for what an operator should look at.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            LifecycleEvent::ConnectionClosed(record) => record.cause.level(),
            LifecycleEvent::HandshakeFailed(record) => record.failure.level(),
            LifecycleEvent::HttpFailed(record) => record.failure.level(),
            LifecycleEvent::ConfigRejected(_) => Level::ERROR,
            LifecycleEvent::UpstreamDown(_) | LifecycleEvent::UpgradeMissing(_) => Level::WARN,
            _ => Level::INFO,
        }
    }

    /// Writes it to the log alone: for events that the stream does not carry.
    pub(crate) fn log(&self) {
        log::emit(self.level(), self.kind().name(), self);
    }

    /// Why a connection ended; `None` for every other event.
    pub(super) fn cause(&self) -> Option<Cause> {
        match self {
            LifecycleEvent::ConnectionClosed(record) => Some(record.cause),
            _ => None,
        }
    }
}

/// Writes the two fields that a failure determines: `initiator` and `reason`.
fn failure_fields<S: Serializer>(
    failure: &HandshakeFailure,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;
    let mut fields = serializer.serialize_map(Some(2))?;
    fields.serialize_entry("initiator", failure.initiator().label())?;
    fields.serialize_entry("reason", failure.label())?;
    fields.end()
}

/// `handshake_failed`.
#[derive(Debug, Serialize)]
pub struct HandshakeFailed<'a> {
    /// The request's id, as in the answer's body; `None` if no request was read.
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
    /// Who caused the failure and why, as `initiator` and `reason`.
    #[serde(flatten, serialize_with = "failure_fields")]
    pub failure: HandshakeFailure,
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
    /// The route's name; `None` if the request was refused before routing.
    pub route: Option<&'a str>,
    /// The upstream's address.
    pub upstream: Option<&'a str>,
    /// Who caused the failure and why, as `initiator` and `reason`.
    #[serde(flatten, serialize_with = "failure_fields")]
    pub failure: HandshakeFailure,
    /// The status of the answer; `None` if the upstream's answer had begun and was cut.
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
    /// What asked for it.
    pub trigger: ReloadTrigger,
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
    pub trigger: ReloadTrigger,
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
    /// What it is at.
    pub phase: DrainPhase,
    /// What asked for the drain.
    pub trigger: DrainTrigger,
}

/// `draining` and `drained`.
#[derive(Debug, Serialize)]
pub struct Draining {
    /// What is waited for and still there: WebSockets, opening handshakes, and plain HTTP in flight.
    pub connections: usize,
    /// What asked for it.
    pub trigger: DrainTrigger,
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
