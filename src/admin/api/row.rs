//! One living connection, as it is shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::paging::{Key, Place, Sort};
use super::{Needle, time};
use crate::session::{Leg, Time};
use crate::telemetry::{Handle, RequestHeaders, millis, rtt_millis};

/// A connection that lives. Names are those of the closing record; pings without a prefix are the client's.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row<'a> {
    /// The connection's id: a ULID, so that ids sort by time.
    conn: &'a str,
    /// The request's id; the upstream got it as X-Request-Id.
    request_id: &'a str,
    /// The client's address with its port.
    client: &'a str,
    /// What is recorded of the request's headers.
    #[serde(flatten)]
    headers: Option<&'a RequestHeaders>,
    /// The route's name.
    route: &'a str,
    /// The Host header.
    host: &'a str,
    /// The path, without its query.
    path: &'a str,
    /// The subprotocol that the upstream chose.
    subprotocol: Option<&'a str>,
    /// The upstream's address, as dialled.
    upstream: &'a str,
    /// Whether permessage-deflate was negotiated.
    compressed: bool,
    /// When it was opened (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    opened: String,
    /// How long ago that was, in milliseconds.
    age_ms: u64,
    /// Whether it is on its way to its end.
    state: Stage,
    /// How long nothing has come from the client, in milliseconds.
    client_idle_ms: u64,
    /// The same of the upstream.
    upstream_idle_ms: u64,
    /// The client's last round trip, in milliseconds.
    rtt_ms: Option<f64>,
    /// The upstream's.
    upstream_rtt_ms: Option<f64>,
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
    /// Pings sent to the upstream.
    upstream_pings_sent: u32,
    /// Pongs that answered them.
    upstream_pongs_received: u32,
    /// Pings that the upstream missed.
    upstream_missed_pongs: u32,
    /// The upstream's pings that the sidecar answered.
    upstream_pings_answered: u32,
    /// Application-level heartbeats that were recognised.
    app_heartbeats: u64,
    /// Fields of them that are kept.
    #[schemars(with = "BTreeMap<String, Value>")]
    captured: BTreeMap<Box<str>, Box<RawValue>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Open,
    Closing,
}

impl<'a> Row<'a> {
    pub(super) fn new(handle: &'a Handle, now: Time) -> Self {
        let (identity, beginning, stats) = (&handle.identity, &handle.beginning, &handle.stats);
        let [client, upstream] = Leg::BOTH.map(|leg| stats.counters(leg));
        let [client_idle, upstream_idle] = Leg::BOTH.map(|leg| now.since(stats.last_received(leg)));
        Row {
            conn: &identity.conn,
            request_id: &identity.request_id,
            client: &identity.client,
            headers: identity.headers.as_deref(),
            route: &identity.route,
            host: &identity.host,
            path: &identity.path,
            subprotocol: identity.subprotocol.as_deref(),
            upstream: &identity.upstream,
            compressed: beginning.compressed,
            opened: time(beginning.opened_at),
            age_ms: millis(now.since(beginning.opened)),
            state: match stats.is_closing() {
                true => Stage::Closing,
                false => Stage::Open,
            },
            client_idle_ms: millis(client_idle),
            upstream_idle_ms: millis(upstream_idle),
            rtt_ms: client.rtt.map(rtt_millis),
            upstream_rtt_ms: upstream.rtt.map(rtt_millis),
            client_messages: client.messages,
            client_bytes: client.bytes,
            upstream_messages: upstream.messages,
            upstream_bytes: upstream.bytes,
            pings_sent: client.pings_sent,
            pongs_received: client.pongs_received,
            missed_pongs: client.missed_pongs,
            pings_answered: client.pings_answered,
            upstream_pings_sent: upstream.pings_sent,
            upstream_pongs_received: upstream.pongs_received,
            upstream_missed_pongs: upstream.missed_pongs,
            upstream_pings_answered: upstream.pings_answered,
            app_heartbeats: stats.app_heartbeats(),
            captured: captured(handle),
        }
    }
}

fn captured(handle: &Handle) -> BTreeMap<Box<str>, Box<RawValue>> {
    // Nobody's heartbeats, nothing captured: most connections are asked no further.
    match handle.stats.app_heartbeats() {
        0 => BTreeMap::new(),
        _ => handle.stats.app().captured,
    }
}

/// Whether a connection has this text in who it is or in what was captured of it.
pub(super) fn matches(handle: &Handle, needle: &Needle) -> bool {
    let identity = &handle.identity;
    let texts = [
        &identity.conn,
        &identity.request_id,
        &identity.client,
        &identity.route,
        &identity.host,
        &identity.path,
    ];
    let headers = identity.headers.iter();
    let headers = headers.flat_map(|it| it.trace_id.iter().chain(it.headers.values()));
    let texts = texts
        .into_iter()
        .chain(&identity.subprotocol)
        .chain(headers);
    needle.is_in(texts) || needle.is_in(captured(handle).values().map(|value| value.get()))
}

/// Where a connection stands among the others.
pub(super) fn place(handle: &Handle, sort: Sort) -> Place {
    let stats = &handle.stats;
    // Who was heard of last is idle for the shortest time. The time itself stays while time passes.
    let idle = |leg| u64::MAX - stats.last_received(leg).micros();
    let key = match sort {
        Sort::Opened => Key::Number(handle.beginning.opened.micros()),
        Sort::ClientIdle => Key::Number(idle(Leg::Client)),
        Sort::UpstreamIdle => Key::Number(idle(Leg::Upstream)),
        Sort::Rtt => {
            let rtt = stats.counters(Leg::Client).rtt.unwrap_or_default();
            Key::Number(u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX))
        }
        Sort::Traffic => {
            let bytes = Leg::BOTH.map(|leg| stats.counters(leg).bytes);
            Key::Number(bytes[0].saturating_add(bytes[1]))
        }
        Sort::Client => Key::Text(handle.identity.client.clone()),
    };
    let conn = handle.identity.conn.clone();
    Place { key, conn }
}
