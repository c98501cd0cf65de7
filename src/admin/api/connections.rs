//! The connections that are open: listing, pinging and closing them.

mod row;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path, State};
use axum::response::Response;
use hyper::StatusCode;
use hyper::http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::problem::Problem;
use super::super::state::AdminState;
use super::answer::{expensive, json};
use super::paging;
use super::query::{CloseCode, CloseReason, Limit, NoParameters, OneOf, Query, Text};
use super::search::Search;
use super::types::{Closing, ConnectionPage, Pinged, SortOrder};
use crate::context::route_of;
use crate::protocol::Close;
use crate::session::{Cause, DefaultClose, Leg};
use crate::telemetry::{Command, Handle, rtt_millis};

/// How long a pong is waited for where no `pong_timeout` is set.
const PONG_TIMEOUT: Duration = Duration::from_secs(10);

/// The connection that a request's path names.
pub(super) struct NamedConnection {
    conn: String,
    handle: Arc<Handle>,
}

impl FromRequestParts<Arc<AdminState>> for NamedConnection {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AdminState>,
    ) -> Result<Self, Problem> {
        let conn = Path::<String>::from_request_parts(parts, state).await;
        let Path(conn) =
            conn.map_err(|rejected| Problem::new(rejected.status(), rejected.body_text()))?;
        let found = state.context.observer.registry.find(&conn);
        let handle = found.ok_or_else(|| {
            let detail = "no such connection is established; GET /api/closed has those that were";
            Problem::not_found(detail)
        })?;
        Ok(NamedConnection { conn, handle })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// The most that one answer has.
    #[serde(default)]
    limit: Limit,
    /// What the answer before called `next`; empty: from the beginning.
    cursor: Option<Text>,
    /// What comes first; with `-` in front the greatest does.
    #[schemars(extend("default" = SortOrder::default().to_string()))]
    sort: Option<OneOf<SortOrder>>,
    /// Only those that have this text, in any case, in conn, request_id, client, route, host, path, subprotocol or a captured value.
    q: Option<Text>,
}

pub(super) async fn list(
    State(state): State<Arc<AdminState>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    expensive(state, StatusCode::OK, move |state| page(state, &query)).await
}

fn page(state: &AdminState, query: &ListQuery) -> Result<ConnectionPage, Problem> {
    let order = query.sort.map_or_else(SortOrder::default, |OneOf(it)| it);
    let after = match &query.cursor {
        None => None,
        Some(Text(cursor)) if cursor.is_empty() => None,
        Some(Text(cursor)) => Some(paging::read_cursor(cursor, order).ok_or_else(|| {
            let detail = "is not the `next` of an answer with this `sort`";
            Problem::field("cursor", detail)
        })?),
    };
    let search = Search::new(query.q.as_ref());
    let handles = state.context.observer.registry.established();
    let rows: Vec<_> = handles
        .iter()
        .filter(|handle| row::matches(handle, &search))
        .map(|handle| (row::place(handle, order.key), handle))
        .collect();
    let matching = rows.len();
    let (page, next) = paging::page(rows, order, after.as_ref(), query.limit.get());
    let now = state.context.clock.now();
    Ok(ConnectionPage {
        connections: page
            .into_iter()
            .map(|handle| row::connection(handle, now))
            .collect(),
        next,
        total: handles.len(),
        matching,
    })
}

pub(super) async fn one(
    State(state): State<Arc<AdminState>>,
    _: Query<NoParameters>,
    NamedConnection { handle, .. }: NamedConnection,
) -> Result<Response, Problem> {
    let connection = row::connection(&handle, state.context.clock.now());
    json(StatusCode::OK, &connection)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseQuery {
    /// The Close frame's code.
    code: Option<CloseCode>,
    /// Its reason, at most 123 bytes.
    reason: Option<CloseReason>,
}

pub(super) async fn close(
    State(state): State<Arc<AdminState>>,
    Query(query): Query<CloseQuery>,
    NamedConnection { conn, handle }: NamedConnection,
) -> Result<Response, Problem> {
    if handle.stats.is_closing() {
        let detail = format!("{conn} is being closed already");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let config = state.context.config.load();
    let default = route_of(&config, &handle)
        .policy
        .close_for(Cause::Killed)
        .unwrap_or_else(killed);
    let code = query.code.map(|CloseCode(code)| code);
    let code = code.or(default.code()).unwrap_or(1001);
    let reason = query.reason.map(|CloseReason(reason)| reason);
    let reason = reason.unwrap_or_else(|| default.reason().to_owned());
    handle.send(Command::Terminate {
        cause: Cause::Killed,
        close: Close::new(code, &reason),
        detail: "closed over the API".to_owned(),
    });
    json(StatusCode::ACCEPTED, &Closing { conn, code, reason })
}

/// What a client is sent unless `close.killed` says otherwise.
fn killed() -> Close {
    match Cause::Killed.default_close(Leg::Client) {
        DefaultClose::Fixed(code, reason) => Close::new(code, reason),
        DefaultClose::Same | DefaultClose::None => Close::default(),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PingQuery {
    /// Which peer is pinged.
    #[schemars(extend("default" = Leg::Client.label()))]
    leg: Option<OneOf<Leg>>,
}

pub(super) async fn ping(
    State(state): State<Arc<AdminState>>,
    Query(query): Query<PingQuery>,
    NamedConnection { conn, handle }: NamedConnection,
) -> Result<Response, Problem> {
    let leg = query.leg.map_or(Leg::Client, |OneOf(leg)| leg);
    let pong_timeout = pong_timeout(&state, &handle, leg);
    let (answer, answered) = oneshot::channel();
    handle.send(Command::Ping { leg, answer });
    // The handle must not keep the connection's entry while the pong is awaited.
    drop(handle);
    match timeout(pong_timeout, answered).await {
        Ok(Ok(rtt)) => {
            let answer = Pinged {
                conn,
                leg: leg.label().to_owned(),
                rtt_ms: rtt_millis(rtt),
            };
            json(StatusCode::OK, &answer)
        }
        Ok(Err(_)) => {
            let detail = format!("{conn} has ended meanwhile, or is ending");
            Err(Problem::new(StatusCode::GONE, detail))
        }
        Err(_) => {
            let (leg, seconds) = (leg.label(), pong_timeout.as_secs_f64());
            let detail = format!("no pong from the {leg} within {seconds:.1} s");
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, detail))
        }
    }
}

fn pong_timeout(state: &AdminState, handle: &Handle, leg: Leg) -> Duration {
    let config = state.context.config.load();
    let policy = &route_of(&config, handle).policy;
    let probe = policy.heartbeat(leg).probe.as_ref();
    probe
        .and_then(|probe| probe.pong_timeout)
        .unwrap_or(PONG_TIMEOUT)
}
