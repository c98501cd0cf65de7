//! The whole process at a glance.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;

use super::super::State;
use super::drain::Draining;
use super::file::Outcome;
use super::time;
use crate::session::Leg;
use crate::telemetry::{Handle, LegTotals, Observer, log, millis, rtt_millis};

/// What goes on, and what was counted since the process began.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Summary {
    /// This program's version.
    version: &'static str,
    /// When the process began to serve (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    started: String,
    /// How long ago that was, in milliseconds.
    uptime_ms: u64,
    connections: Connections,
    /// Null: it does not drain.
    draining: Option<Draining>,
    /// The backends that the configuration names.
    upstreams: Vec<Upstream>,
    /// By route.
    routes: Vec<Route>,
    /// Connections that have ended; what has not happened is not there.
    closed: Vec<Closed>,
    /// Opening handshakes that never became a connection; what has not happened is not there.
    handshakes_failed: Vec<HandshakesFailed>,
    /// The clients' legs.
    client: LegSummary,
    /// The upstreams' legs.
    upstream: LegSummary,
    /// Application-level heartbeats that were recognised.
    app_heartbeats: Vec<AppHeartbeats>,
    /// Answers to plain HTTP requests.
    http_requests: Vec<HttpRequests>,
    config: ConfigFile,
    /// Lines that did not go into the log, because nobody read it fast enough.
    log_lines_dropped: u64,
    /// Events that listeners have missed, because they did not read fast enough.
    events_dropped: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Connections {
    /// WebSockets that are open or closing.
    established: u64,
    /// The same and those whose opening handshake is under way.
    admitted: usize,
    /// `limits.max_connections`; null: off.
    max: Option<usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Upstream {
    /// As in logs.
    address: Box<str>,
    /// Whether it took the last connection.
    up: bool,
    /// Since when that is so (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    since: String,
    /// Why it is down.
    detail: Option<Box<str>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct HandshakesFailed {
    /// As in the record `handshake_failed`.
    reason: &'static str,
    count: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct HttpRequests {
    /// `2xx`, …, `other`.
    status_class: &'static str,
    count: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Route {
    route: Box<str>,
    /// Now.
    established: u64,
    /// Since the process began.
    opened: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Closed {
    route: Box<str>,
    /// `client`, `upstream` or `sidecar`.
    initiator: &'static str,
    /// As in the closing record.
    reason: &'static str,
    count: u64,
}

/// What was counted on one leg of all connections.
#[derive(Debug, Serialize, JsonSchema)]
struct LegSummary {
    #[serde(flatten)]
    counters: LegTotals,
    /// The last round trips of those who are connected; null: there was none.
    rtt_ms: Option<Quantiles>,
}

/// In milliseconds.
#[derive(Debug, Serialize, JsonSchema)]
struct Quantiles {
    p50: f64,
    p95: f64,
    p99: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AppHeartbeats {
    rule: Box<str>,
    count: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ConfigFile {
    /// The file.
    path: String,
    /// The last time that the file was read again; null: it was not.
    last_reload: Option<ReloadResult>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReloadResult {
    /// When (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    at: String,
    result: Outcome,
    /// What asked for it: `file`, `signal` or `api`.
    trigger: &'static str,
}

pub(super) fn summary(state: &State) -> Summary {
    let (shared, observer) = (&state.shared, &*state.shared.observer);
    let registry = &observer.registry;
    let aggregates = registry.aggregates();
    let handles = registry.established();
    let routes = aggregates.opened.iter().map(|(route, opened)| Route {
        route: route.clone(),
        established: aggregates
            .established
            .get(route)
            .copied()
            .unwrap_or_default(),
        opened: *opened,
    });
    let closed = aggregates
        .closed
        .iter()
        .map(|((route, cause), count)| Closed {
            route: route.clone(),
            initiator: cause.initiator().label(),
            reason: cause.label(),
            count: *count,
        });
    let app_heartbeats = aggregates.app_heartbeats.iter();
    let started = observer.process_stats.started();
    let uptime = SystemTime::now().duration_since(started);
    Summary {
        version: env!("CARGO_PKG_VERSION"),
        started: time(started),
        // A clock that was set back says nothing of the time since.
        uptime_ms: millis(uptime.unwrap_or_default()),
        connections: Connections {
            established: aggregates.established.values().sum(),
            admitted: registry.admitted(),
            max: shared.config.load().process.max_connections,
        },
        draining: observer.drain().map(|drain| Draining::new(drain, shared)),
        upstreams: upstreams(observer),
        routes: routes.collect(),
        closed: closed.collect(),
        handshakes_failed: handshakes_failed(observer),
        client: leg(aggregates.legs.client, &handles, Leg::Client),
        upstream: leg(aggregates.legs.upstream, &handles, Leg::Upstream),
        app_heartbeats: app_heartbeats
            .map(|(rule, count)| AppHeartbeats {
                rule: rule.clone(),
                count: *count,
            })
            .collect(),
        http_requests: observer
            .process_stats
            .http_answers()
            .map(|(status_class, count)| HttpRequests {
                status_class,
                count,
            })
            .collect(),
        config: ConfigFile {
            path: state.file.load().name.clone(),
            last_reload: observer.last_reload().map(|reload| ReloadResult {
                at: time(reload.at),
                result: Outcome::of(&reload),
                trigger: reload.trigger.label(),
            }),
        },
        log_lines_dropped: log::dropped_lines(),
        events_dropped: observer.event_hub().map_or(0, |hub| hub.dropped()),
    }
}

fn upstreams(observer: &Observer) -> Vec<Upstream> {
    let all = observer.upstreams.all();
    let shown = all.into_iter().map(|it| Upstream {
        address: it.address,
        up: it.up,
        since: time(it.since),
        detail: it.detail,
    });
    shown.collect()
}

fn handshakes_failed(observer: &Observer) -> Vec<HandshakesFailed> {
    let all = observer.process_stats.handshakes_failed();
    let happened = all.filter(|(_, count)| *count > 0);
    let shown = happened.map(|(failure, count)| HandshakesFailed {
        reason: failure.label(),
        count,
    });
    shown.collect()
}

fn leg(counters: LegTotals, handles: &[Arc<Handle>], leg: Leg) -> LegSummary {
    let rtts = handles.iter();
    let rtts = rtts.filter_map(|handle| handle.stats.counters(leg).rtt);
    LegSummary {
        counters,
        rtt_ms: quantiles(rtts.collect()),
    }
}

/// The nearest ranks.
fn quantiles(mut rtts: Vec<Duration>) -> Option<Quantiles> {
    rtts.sort_unstable();
    let count = rtts.len();
    let at = |per_cent: usize| {
        let rank = (count * per_cent).div_ceil(100).max(1);
        rtts.get(rank - 1).map(|rtt| rtt_millis(*rtt))
    };
    Some(Quantiles {
        p50: at(50)?,
        p95: at(95)?,
        p99: at(99)?,
    })
}

#[cfg(test)]
mod tests;
