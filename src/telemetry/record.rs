//! The records of one connection: its identity, `connection_opened` and `connection_closed`.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::request_headers::RequestHeaders;
use crate::per_leg::PerLeg;
use crate::protocol::Close;
use crate::session::{Cause, Counters, LegClose};

/// Who a connection is. Query strings and headers are not kept, because they carry tokens; `log.headers` names the
/// exceptions.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Identity {
    /// The connection's id: a ULID, so that ids sort by time.
    pub conn: Box<str>,
    /// The request's id, the client's or a new one; the upstream gets it as X-Request-Id.
    pub request_id: Box<str>,
    /// The client's address with its port.
    pub client: Box<str>,
    /// What is recorded of the request's headers.
    #[serde(flatten)]
    pub headers: Option<Box<RequestHeaders>>,
    /// The route's name.
    pub route: Box<str>,
    /// The Host header.
    pub host: Box<str>,
    /// The path.
    pub path: Box<str>,
    /// The subprotocol that the upstream chose; the length of one that is longer than 40 bytes, such as `57 bytes`.
    pub subprotocol: Option<Box<str>>,
    /// The upstream's address, as dialled.
    pub upstream: Box<str>,
}

/// `connection_opened`.
#[derive(Debug, Serialize)]
pub struct Opened<'a> {
    /// Who.
    #[serde(flatten)]
    pub identity: &'a Identity,
    /// Whether permessage-deflate was negotiated.
    pub compressed: bool,
    /// From the request head to the 101; in milliseconds when it is written.
    #[serde(rename = "handshake_ms", serialize_with = "as_millis")]
    pub handshake: Duration,
}

/// `connection_closed`.
#[derive(Debug)]
pub struct ClosingRecord<'a> {
    /// Who.
    pub identity: &'a Identity,
    /// Why.
    pub cause: Cause,
    /// The same in words.
    pub detail: &'a str,
    /// A leg was reset inside a frame, because no Close frame could follow what it had got.
    pub mid_frame: bool,
    /// Close frames of the client's and the upstream's leg.
    pub closes: PerLeg<&'a LegClose>,
    /// From the 101 to now.
    pub duration: Duration,
    /// How long each leg had received nothing when the cause occurred.
    pub silence: PerLeg<Duration>,
    /// What was counted on each leg.
    pub counters: PerLeg<&'a Counters>,
    /// Application-level heartbeats that were recognised.
    pub app_heartbeats: u64,
    /// Fields of them that are kept.
    pub captured: BTreeMap<&'a str, &'a RawValue>,
}

impl Serialize for ClosingRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PerLeg { client, upstream } = self.counters;
        Fields {
            identity: self.identity,
            initiator: self.cause.initiator().label(),
            reason: self.cause.label(),
            phase: "open",
            mid_frame: self.mid_frame,
            detail: self.detail,
            client_close: self.closes.client.into(),
            upstream_close: self.closes.upstream.into(),
            duration_ms: millis(self.duration),
            client_idle_ms: millis(self.silence.client),
            upstream_idle_ms: millis(self.silence.upstream),
            client_messages: client.messages,
            client_bytes: client.bytes,
            upstream_messages: upstream.messages,
            upstream_bytes: upstream.bytes,
            pings_sent: client.pings_sent,
            pongs_received: client.pongs_received,
            missed_pongs: client.missed_pongs,
            pings_answered: client.pings_answered,
            rtt_ms: client.rtt.map(rtt_millis),
            upstream_pings_sent: upstream.pings_sent,
            upstream_pongs_received: upstream.pongs_received,
            upstream_missed_pongs: upstream.missed_pongs,
            upstream_pings_answered: upstream.pings_answered,
            upstream_rtt_ms: upstream.rtt.map(rtt_millis),
            app_heartbeats: self.app_heartbeats,
            captured: &self.captured,
        }
        .serialize(serializer)
    }
}

/// The log line `connection_closed`.
#[derive(Serialize, JsonSchema)]
pub struct ClosedLine<'a> {
    /// When it was written (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// `INFO`, or `WARN` and `ERROR` for what an operator should look at.
    level: &'static str,
    /// `connection_closed`.
    event: &'static str,
    #[serde(flatten)]
    fields: Fields<'a>,
}

/// The closing record's fields, in the order in which they are written. Pings without a prefix are the client's.
#[derive(Serialize, JsonSchema)]
struct Fields<'a> {
    #[serde(flatten)]
    identity: &'a Identity,
    /// Who ended it: `client`, `upstream` or `sidecar`.
    initiator: &'static str,
    /// Why.
    reason: &'static str,
    /// `open`.
    phase: &'static str,
    /// A leg was reset inside a frame, because no Close frame could follow what it had got.
    mid_frame: bool,
    /// Why, in words.
    detail: &'a str,
    /// Close frames of the client's leg.
    client_close: CloseFields<'a>,
    /// Close frames of the upstream's leg.
    upstream_close: CloseFields<'a>,
    /// From the 101 to the end, in milliseconds.
    duration_ms: u64,
    /// How long nothing had come from the client when the cause struck, in milliseconds.
    client_idle_ms: u64,
    /// The same of the upstream.
    upstream_idle_ms: u64,
    /// Messages received whole from the client.
    client_messages: u64,
    /// Payload bytes of data frames received from the client.
    client_bytes: u64,
    /// Messages received whole from the upstream.
    upstream_messages: u64,
    /// Payload bytes of data frames received from the upstream.
    upstream_bytes: u64,
    /// Pings sent to the client.
    pings_sent: u32,
    /// Pongs that answered them.
    pongs_received: u32,
    /// Pings that the client missed.
    missed_pongs: u32,
    /// The client's pings that the sidecar answered.
    pings_answered: u32,
    /// The client's last round trip, in milliseconds.
    rtt_ms: Option<f64>,
    /// Pings sent to the upstream.
    upstream_pings_sent: u32,
    /// Pongs that answered them.
    upstream_pongs_received: u32,
    /// Pings that the upstream missed.
    upstream_missed_pongs: u32,
    /// The upstream's pings that the sidecar answered.
    upstream_pings_answered: u32,
    /// The upstream's last round trip, in milliseconds.
    upstream_rtt_ms: Option<f64>,
    /// Application-level heartbeats that were recognised.
    app_heartbeats: u64,
    /// Fields of them that are kept.
    #[schemars(with = "BTreeMap<String, Value>")]
    captured: &'a BTreeMap<&'a str, &'a RawValue>,
}

/// The Close frames that passed on a leg.
#[derive(Serialize, JsonSchema)]
struct CloseFields<'a> {
    /// The first one that the peer sent.
    received: Option<CodeAndReason<'a>>,
    /// The one that left the sidecar.
    sent: Option<CodeAndReason<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct CodeAndReason<'a> {
    /// 1005 for a Close frame without a code, as APIs show it (RFC 6455 section 7.1.5).
    code: u16,
    reason: &'a str,
}

impl<'a> From<&'a LegClose> for CloseFields<'a> {
    fn from(closes: &'a LegClose) -> Self {
        let fields = |close: &'a Close| CodeAndReason {
            code: close.code().unwrap_or(1005),
            reason: close.reason(),
        };
        CloseFields {
            received: closes.received.as_ref().map(fields),
            sent: closes.sent.as_ref().map(fields),
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn as_millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(millis(*duration))
}

pub(crate) fn rtt_millis(rtt: Duration) -> f64 {
    (rtt.as_secs_f64() * 1e4).round() / 10.0
}
