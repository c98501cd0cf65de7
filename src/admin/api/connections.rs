//! Who is connected: listing, pinging and closing them.

use std::sync::Arc;
use std::time::Duration;

use hyper::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::problem::Problem;
use super::super::response::Body;
use super::paging::{self, Order};
use super::row::{self, Row};
use super::{Call, Needle, json};
use crate::context::route_of;
use crate::protocol::Close;
use crate::session::{Cause, DefaultClose, Leg};
use crate::telemetry::{Command, Handle, rtt_millis};

/// How long a pong is waited for where no `pong_timeout` is set.
const PONG_TIMEOUT: Duration = Duration::from_secs(10);

/// A page of connections.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ConnectionPage<'a> {
    connections: Vec<Row<'a>>,
    /// What to ask the next page with, as `cursor`; null: there is none.
    next: Option<String>,
    /// Connections that are established.
    total: usize,
    /// Those of them that `q` takes.
    matching: usize,
}

/// A connection that is being closed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Closing<'a> {
    conn: &'a str,
    /// The code of the Close frame that the client is sent.
    code: u16,
    /// Its reason.
    reason: &'a str,
}

/// A round trip.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Pinged<'a> {
    conn: &'a str,
    /// Who answered: `client` or `upstream`.
    leg: &'static str,
    /// From the ping's leaving to its pong, in milliseconds.
    rtt_ms: f64,
}

pub(super) fn list(call: &Call) -> Result<Response<Body>, Problem> {
    let word = call.values.text("sort").unwrap_or(Order::DEFAULT);
    let order = Order::read(word).ok_or_else(|| Problem::field("sort", "is no order"))?;
    let after = match call.values.text("cursor") {
        None | Some("") => None,
        Some(cursor) => Some(paging::read_cursor(cursor, order).ok_or_else(|| {
            let detail = "is no `next` of an answer with this `sort`";
            Problem::field("cursor", detail)
        })?),
    };
    let needle = Needle::new(call.values.text("q"));
    let handles = call.state.shared.observer.registry.established();
    let rows: Vec<_> = handles
        .iter()
        .filter(|handle| row::matches(handle, &needle))
        .map(|handle| (row::place(handle, order.sort), handle))
        .collect();
    let matching = rows.len();
    let (page, next) = paging::page(rows, order, after.as_ref(), call.limit());
    let now = call.state.shared.clock.now();
    let answer = ConnectionPage {
        connections: page
            .into_iter()
            .map(|handle| Row::new(handle, now))
            .collect(),
        next,
        total: handles.len(),
        matching,
    };
    json(StatusCode::OK, &answer)
}

pub(super) fn one(call: &Call) -> Result<Response<Body>, Problem> {
    let handle = call.handle()?;
    json(
        StatusCode::OK,
        &Row::new(&handle, call.state.shared.clock.now()),
    )
}

pub(super) fn close(call: &Call) -> Result<Response<Body>, Problem> {
    let handle = call.handle()?;
    if handle.stats.is_closing() {
        let detail = format!("{} is being closed already", call.id);
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let config = call.state.shared.config.load();
    let default = route_of(&config, &handle)
        .policy
        .close_for(Cause::Killed)
        .unwrap_or_else(killed);
    let code = call.values.number("code");
    let code = code
        .and_then(|code| u16::try_from(code).ok())
        .or(default.code())
        .unwrap_or(1001);
    let reason = call
        .values
        .text("reason")
        .unwrap_or_else(|| default.reason());
    handle.send(Command::Terminate {
        cause: Cause::Killed,
        close: Close::new(code, reason),
        detail: "closed over the API".to_owned(),
    });
    let conn = &*call.id;
    json(StatusCode::ACCEPTED, &Closing { conn, code, reason })
}

/// What a client is sent unless `close.killed` says otherwise.
fn killed() -> Close {
    match Cause::Killed.default_close(Leg::Client) {
        DefaultClose::Fixed(code, reason) => Close::new(code, reason),
        DefaultClose::Same | DefaultClose::None => Close::default(),
    }
}

pub(super) async fn ping(call: &Call) -> Result<Response<Body>, Problem> {
    let handle = call.handle()?;
    let leg = match call.values.text("leg") {
        Some("upstream") => Leg::Upstream,
        _ => Leg::Client,
    };
    let patience = patience(call, &handle, leg);
    let (answer, answered) = oneshot::channel();
    handle.send(Command::Ping { leg, answer });
    // It may end while it is asked.
    drop(handle);
    match timeout(patience, answered).await {
        Ok(Ok(rtt)) => {
            let answer = Pinged {
                conn: &call.id,
                leg: leg.label(),
                rtt_ms: rtt_millis(rtt),
            };
            json(StatusCode::OK, &answer)
        }
        Ok(Err(_)) => {
            let detail = format!("{} has ended, or is ending, meanwhile", call.id);
            Err(Problem::new(StatusCode::GONE, detail))
        }
        Err(_) => {
            let detail = format!(
                "no pong from the {} within {:.1} s",
                leg.label(),
                patience.as_secs_f64()
            );
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, detail))
        }
    }
}

fn patience(call: &Call, handle: &Handle, leg: Leg) -> Duration {
    let config = call.state.shared.config.load();
    let policy = &route_of(&config, handle).policy;
    let probe = policy.heartbeat(leg).probe.as_ref();
    probe
        .and_then(|probe| probe.pong_timeout)
        .unwrap_or(PONG_TIMEOUT)
}

impl Call {
    fn handle(&self) -> Result<Arc<Handle>, Problem> {
        let registry = &self.state.shared.observer.registry;
        registry.find(&self.id).ok_or_else(|| {
            let detail = "no such connection is established; GET /api/closed has those that were";
            Problem::not_found(detail)
        })
    }

    pub(super) fn limit(&self) -> usize {
        let limit = self.values.number("limit");
        limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(DEFAULT_LIMIT)
    }
}

/// Rows of a page, unless `limit` says otherwise.
pub(super) const DEFAULT_LIMIT: usize = 100;
