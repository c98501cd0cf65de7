//! The API for operators: every answer under `/api`.
//!
//! [`operations`] lists every call once; the router and the OpenAPI document are both made from that list. A request
//! passes `guard` (who may call, and a body that nobody needs), then the extractors of its handler (`query`, and the
//! connection that its path names), then the handler, which makes one of the `types`. Errors are [`Problem`]s.
//!
//! | file | does |
//! |---|---|
//! | `guard` | lets in who may call |
//! | `operation` | what a call is: its route, handler and description |
//! | `query` | reads query parameters |
//! | `types` | what is answered; the command line reads the same types |
//! | `summary`, `history` | the whole process |
//! | `connections`, `paging`, `search` | open connections: listing, pinging and closing them |
//! | `closed` | the records of those that have ended |
//! | `configuration` | the configuration in force, and reloading it |
//! | `drain` | draining the process |
//! | `events` | a stream of events |
//! | `answer` | JSON |
//! | `openapi` | the description of all this |

mod answer;
mod closed;
mod configuration;
mod connections;
mod drain;
mod events;
mod guard;
mod history;
mod openapi;
mod operation;
mod paging;
mod query;
mod search;
mod summary;
#[cfg(test)]
mod tests;
pub(crate) mod types;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use hyper::{StatusCode, Uri};

use super::problem::{Problem, method_not_allowed};
use super::state::AdminState;
use crate::telemetry::ClosedLine;
use operation::Operation;
use query::{NoParameters, Query};
use types::{
    ClosedPage, Closing, Configuration, Connection, ConnectionPage, Draining, History, Pinged,
    Reloaded, Summary,
};

const NO_CONNECTION: &str = "No such connection is established.";
const ENDING: &str = "The process is ending.";

pub(super) fn router(state: Arc<AdminState>) -> Router {
    let operations = operations().into_iter();
    let router = operations.fold(Router::new(), |router, operation| {
        router.route(operation.path, operation.handler)
    });
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&state), guard::guard))
        .with_state(state)
}

async fn not_found(uri: Uri) -> Problem {
    let path = uri.path();
    Problem::not_found(format!("there is no {path}; see /api/openapi.json"))
}

async fn describe(
    State(state): State<Arc<AdminState>>,
    _: Query<NoParameters>,
) -> Result<Response, Problem> {
    let describe = |_: &AdminState| Ok(openapi::document(&operations()));
    answer::expensive(state, StatusCode::OK, describe).await
}

/// Every call.
fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/summary", "summary", summary::get)
            .summary("The whole process at a glance.")
            .answers::<Summary>("The state of the process."),
        Operation::get("/api/history", "history", history::get)
            .summary("The last 15 minutes, a sample every 5 seconds.")
            .answers::<History>("The samples."),
        Operation::get("/api/connections", "connections", connections::list)
            .summary("The open connections, page by page. Under `sort=opened`, a connection that stays open is shown exactly once, whatever else opens or closes meanwhile.")
            .query::<connections::ListQuery>()
            .answers::<ConnectionPage>("A page."),
        Operation::get("/api/connections/{id}", "connection", connections::one)
            .summary("One connection.")
            .answers::<Connection>("The connection.")
            .problem(404, NO_CONNECTION),
        Operation::delete("/api/connections/{id}", "close", connections::close)
            .summary("Closes a connection: the client is sent a Close frame. What is not given is as `close.killed` of the configuration says.")
            .query::<connections::CloseQuery>()
            .status(StatusCode::ACCEPTED)
            .answers::<Closing>("It is being closed.")
            .problem(404, NO_CONNECTION)
            .problem(409, "It is being closed already."),
        Operation::post("/api/connections/{id}/ping", "ping", connections::ping)
            .summary("Sends a ping now, whatever the heartbeat's settings, and waits for its pong: for `pong_timeout`, or 10 seconds where that is off.")
            .query::<connections::PingQuery>()
            .answers::<Pinged>("The round trip.")
            .problem(404, NO_CONNECTION)
            .problem(410, "It has ended meanwhile, or is ending.")
            .problem(504, "No pong came in time."),
        Operation::get("/api/closed", "closed", closed::list)
            .summary("The records of the last 1,000 connections that have ended, the newest first.")
            .query::<closed::ListQuery>()
            .answers::<ClosedPage<ClosedLine<'static>>>("A page."),
        Operation::get("/api/config", "config", configuration::get)
            .summary("The configuration in force, without its secrets.")
            .answers::<Configuration>("The configuration."),
        Operation::post("/api/reload", "reload", configuration::reload)
            .summary("Reloads the configuration's file. Live connections follow; an invalid file changes nothing.")
            .answers::<Reloaded>("It is in force.")
            .problem(409, "The sidecar is draining, or has no file.")
            .problem(422, "The file cannot be used; `problems` says why.")
            .problem(503, ENDING),
        Operation::post("/api/drain", "drain", drain::begin)
            .summary("Begins to drain, as SIGTERM does: the process ends when every connection has been closed. Called again, it reports how far that is.")
            .status(StatusCode::ACCEPTED)
            .answers::<Draining>("It drains.")
            .problem(503, ENDING),
        Operation::get("/api/events", "events", events::stream)
            .summary("What happens, as it happens: server-sent events with the log's event names, and the log line's fields as data. A client that does not keep up misses events; an event `dropped` with a `count` says how many.")
            .query::<events::StreamQuery>()
            .answers_with("text/event-stream", "A stream without an end.")
            .problem(503, "32 event streams are open already."),
        Operation::get("/api/openapi.json", "openapi", describe)
            .summary("This description.")
            .answers_with("application/json", "An OpenAPI 3.1 document."),
    ]
}
