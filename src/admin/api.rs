//! The API for operators: every answer under `/api`.
//!
//! | file | answers or does |
//! |---|---|
//! | `operations` | the table of all calls: which there are, what they take, which answers they give |
//! | `guard` | who may call |
//! | `query` | parameters |
//! | `summary`, `history` | the whole process |
//! | `connections`, `row`, `paging` | who is connected; pinging and closing them |
//! | `closed` | the records of those who were |
//! | `file` | the configuration in force, and reading it again |
//! | `drain` | ending |
//! | `events` | what happens, as it happens |
//! | `openapi` | all of this, described |

mod closed;
mod connections;
mod drain;
mod events;
mod file;
mod guard;
mod history;
mod openapi;
mod operations;
mod paging;
mod query;
mod row;
mod summary;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as HttpBody;
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;

use super::State;
use super::problem::Problem;
use super::response::{self, Body};
use crate::printable::escaped_json;
use crate::telemetry::log;
use operations::{Found, Operation};
use query::Values;

/// More than anybody has reason to send: no call takes a body.
const MAX_BODY: usize = 64 * 1024;
/// For a body that is not wanted anyway.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A call that may be answered.
struct Call {
    state: Arc<State>,
    /// The `{id}` of its path.
    id: Box<str>,
    values: Values,
}

/// Answers a request, whatever it is.
pub(super) async fn answer<B>(request: Request<B>, state: &Arc<State>) -> Response<Body>
where
    B: HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    match try_answer(request, state).await {
        Ok(response) => response,
        Err(problem) => problem.answer(),
    }
}

async fn try_answer<B>(request: Request<B>, state: &Arc<State>) -> Result<Response<Body>, Problem>
where
    B: HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let nothing = || Problem::not_found(format!("there is no {path}; see /api/openapi.json"));
    if !path.starts_with("/api/") {
        return Err(nothing());
    }
    let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let check = || {
        let config = state.shared.config.load();
        let token = config.admin.as_ref().and_then(|admin| admin.token.as_ref());
        guard::check(&parts, token, changes)
    };
    check()?;
    let (route, id) = match operations::find(&parts.method, path) {
        Found::Route(route, id) => (route, id),
        Found::OtherMethods(allowed) => return Err(Problem::method(&allowed)),
        Found::Nothing => return Err(nothing()),
    };
    let values = Values::read(parts.uri.query().unwrap_or_default(), route.params)?;
    refuse_long(body).await?;
    // The token may be another one by now.
    check()?;
    let call = Call {
        state: Arc::clone(state),
        id: id.into(),
        values,
    };
    perform(route.operation, call).await
}

/// Reads a body to its end, for the sake of the requests that follow it on the connection, and forgets it.
async fn refuse_long<B>(body: B) -> Result<(), Problem>
where
    B: HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    if body.is_end_stream() {
        return Ok(());
    }
    let whole = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await;
    match whole {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => {
            let detail = "no call takes a body, and one of more than 64 KiB is not even read";
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail))
        }
        Err(_) => {
            let detail = "the body, which no call needs, did not come to its end";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}

async fn perform(operation: Operation, call: Call) -> Result<Response<Body>, Problem> {
    // What waits for nobody may walk over all connections instead.
    let work: fn(&Call) -> Result<Response<Body>, Problem> = match operation {
        Operation::Ping => return connections::ping(&call).await,
        Operation::Reload => return file::reload(&call.state).await,
        Operation::Drain => return drain::begin(&call.state).await,
        Operation::Events => return events::listen(&call),
        Operation::Summary => |call| json(StatusCode::OK, &summary::summary(&call.state)),
        Operation::History => |call| json(StatusCode::OK, &history::history(&call.state)),
        Operation::Connections => connections::list,
        Operation::Connection => connections::one,
        Operation::Close => connections::close,
        Operation::Closed => closed::list,
        Operation::Config => |call| json(StatusCode::OK, &file::config(&call.state)),
        Operation::OpenApi => |_| json(StatusCode::OK, &openapi::document()),
    };
    let state = Arc::clone(&call.state);
    state.lists.run(move || work(&call)).await?
}

fn json(status: StatusCode, answer: &impl Serialize) -> Result<Response<Body>, Problem> {
    let body = serde_json::to_string(answer).map_err(|error| {
        let detail = format!("the answer cannot be written: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    let body = escaped_json(&body).into_owned();
    Ok(response::answer(status, "application/json", body))
}

/// RFC 3339, UTC, milliseconds.
fn time(at: SystemTime) -> String {
    log::rfc3339(at)
}

/// A text to look for, in any case.
struct Needle(Option<String>);

impl Needle {
    fn new(text: Option<&str>) -> Self {
        Needle(text.map(str::to_lowercase))
    }

    fn is_in(&self, mut texts: impl Iterator<Item = impl AsRef<str>>) -> bool {
        self.0
            .as_ref()
            .is_none_or(|needle| texts.any(|text| text.as_ref().to_lowercase().contains(needle)))
    }
}
