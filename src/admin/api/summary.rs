//! The whole process at a glance.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::response::Response;
use hyper::StatusCode;

use super::super::problem::Problem;
use super::super::state::AdminState;
use super::answer::expensive;
use super::configuration::result;
use super::drain::draining;
use super::query::{NoParameters, Query};
use super::types::{
    AppHeartbeats, Closed, ConfigFile, Connections, HandshakesFailed, HttpRequests, LegSummary,
    Quantiles, ReloadSummary, Route, Summary, Upstream,
};
use crate::session::Leg;
use crate::telemetry::log::{self, rfc3339};
use crate::telemetry::{Handle, LegTotals, Observer, millis, rtt_millis};

pub(super) async fn get(
    State(state): State<Arc<AdminState>>,
    _: Query<NoParameters>,
) -> Result<Response, Problem> {
    expensive(state, StatusCode::OK, |state| Ok(summary(state))).await
}

fn summary(state: &AdminState) -> Summary {
    let (context, observer) = (&state.context, &*state.context.observer);
    let registry = &observer.registry;
    let aggregates = registry.aggregates();
    let handles = registry.established();
    let routes = aggregates.opened.iter().map(|(route, opened)| Route {
        route: route.to_string(),
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
            route: route.to_string(),
            initiator: cause.initiator().label().to_owned(),
            reason: cause.label().to_owned(),
            count: *count,
        });
    let app_heartbeats = aggregates.app_heartbeats.iter();
    let started = observer.process_stats.started();
    let uptime = SystemTime::now().duration_since(started);
    Summary {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: rfc3339(started),
        // A clock that was set back says nothing about the time since.
        uptime_ms: millis(uptime.unwrap_or_default()),
        connections: Connections {
            established: aggregates.established.values().sum(),
            admitted: registry.admitted(),
            max: context.config.load().process.max_connections,
        },
        draining: observer.drain().map(|drain| draining(drain, context)),
        upstreams: upstreams(observer),
        routes: routes.collect(),
        closed: closed.collect(),
        handshakes_failed: handshakes_failed(observer),
        client: leg(aggregates.legs.client, &handles, Leg::Client),
        upstream: leg(aggregates.legs.upstream, &handles, Leg::Upstream),
        app_heartbeats: app_heartbeats
            .map(|(rule, count)| AppHeartbeats {
                rule: rule.to_string(),
                count: *count,
            })
            .collect(),
        http_requests: observer
            .process_stats
            .http_answers()
            .map(|(status_class, count)| HttpRequests {
                status_class: status_class.to_owned(),
                count,
            })
            .collect(),
        config: ConfigFile {
            path: state.file.load().name.clone(),
            last_reload: observer.last_reload().map(|reload| ReloadSummary {
                at: rfc3339(reload.at),
                result: result(&reload),
                trigger: reload.trigger.label().to_owned(),
            }),
        },
        log_lines_dropped: log::dropped_lines(),
        events_dropped: observer.event_hub().map_or(0, |hub| hub.dropped()),
    }
}

fn upstreams(observer: &Observer) -> Vec<Upstream> {
    let all = observer.upstreams.all();
    let shown = all.into_iter().map(|it| Upstream {
        address: it.address.into(),
        up: it.up,
        since: rfc3339(it.since),
        detail: it.detail.map(Into::into),
    });
    shown.collect()
}

fn handshakes_failed(observer: &Observer) -> Vec<HandshakesFailed> {
    let all = observer.process_stats.handshakes_failed();
    let happened = all.filter(|(_, count)| *count > 0);
    let shown = happened.map(|(failure, count)| HandshakesFailed {
        reason: failure.label().to_owned(),
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
