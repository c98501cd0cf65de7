//! One open connection: as it is shown, searched and sorted.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::admin::api::paging::{Key, Place};
use crate::admin::api::search::Search;
use crate::admin::api::types::{Connection, ConnectionState, SortKey};
use crate::session::{Leg, Time};
use crate::telemetry::log::rfc3339;
use crate::telemetry::{Handle, millis, rtt_millis};

pub(super) fn connection(handle: &Handle, now: Time) -> Connection {
    let (identity, beginning, stats) = (&handle.identity, &handle.beginning, &handle.stats);
    let [client, upstream] = Leg::BOTH.map(|leg| stats.counters(leg));
    let [client_idle, upstream_idle] = Leg::BOTH.map(|leg| now.since(stats.last_received(leg)));
    let headers = identity.headers.as_deref().cloned().unwrap_or_default();
    let text = |text: &str| text.to_owned();
    Connection {
        conn: text(&identity.conn),
        request_id: text(&identity.request_id),
        client: text(&identity.client),
        trace_id: headers.trace_id.map(Into::into),
        headers: owned(headers.headers),
        route: text(&identity.route),
        host: text(&identity.host),
        path: text(&identity.path),
        subprotocol: identity.subprotocol.as_deref().map(text),
        upstream: text(&identity.upstream),
        compressed: beginning.compressed,
        opened: rfc3339(beginning.opened_at),
        age_ms: millis(now.since(beginning.opened)),
        state: match stats.is_closing() {
            true => ConnectionState::Closing,
            false => ConnectionState::Open,
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
        captured: captured(handle)
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
    }
}

fn owned(headers: BTreeMap<Box<str>, Box<str>>) -> BTreeMap<String, String> {
    let headers = headers.into_iter();
    headers
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn captured(handle: &Handle) -> BTreeMap<Box<str>, Box<RawValue>> {
    // Without heartbeats nothing is captured, and the lock need not be taken: that is most connections.
    match handle.stats.app_heartbeats() {
        0 => BTreeMap::new(),
        _ => handle.stats.app().captured,
    }
}

/// Whether a connection has the text in its identity or in what was captured from its heartbeats.
pub(super) fn matches(handle: &Handle, search: &Search) -> bool {
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
    search.matches(texts) || search.matches(captured(handle).values().map(|value| value.get()))
}

/// A connection's place in the list.
pub(super) fn place(handle: &Handle, sort: SortKey) -> Place {
    let stats = &handle.stats;
    // The longest idle is the one heard from first. Sorting by that time keeps places stable while time passes.
    let idle = |leg| u64::MAX - stats.last_received(leg).micros();
    let key = match sort {
        SortKey::Opened => Key::Number(handle.beginning.opened.micros()),
        SortKey::ClientIdle => Key::Number(idle(Leg::Client)),
        SortKey::UpstreamIdle => Key::Number(idle(Leg::Upstream)),
        SortKey::Rtt => {
            let rtt = stats.counters(Leg::Client).rtt.unwrap_or_default();
            Key::Number(u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX))
        }
        SortKey::Traffic => {
            let bytes = Leg::BOTH.map(|leg| stats.counters(leg).bytes);
            Key::Number(bytes[0].saturating_add(bytes[1]))
        }
        SortKey::Client => Key::Text(handle.identity.client.clone()),
    };
    let conn = handle.identity.conn.clone();
    Place { key, conn }
}
