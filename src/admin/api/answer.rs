//! JSON answers, and the ones that are expensive to make.

use std::sync::Arc;

use axum::response::Response;
use hyper::StatusCode;
use serde::Serialize;

use super::super::problem::Problem;
use super::super::response::uncached;
use super::super::state::AdminState;
use crate::printable::escaped_json;

pub(super) fn json(status: StatusCode, answer: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_string(answer).map_err(|error| {
        let detail = format!("the answer cannot be written: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    let body = escaped_json(&body).into_owned();
    Ok(uncached(status, "application/json", body))
}

/// Makes an answer that may walk over all connections, away from the thread that accepts and answers probes.
pub(super) async fn expensive<A: Serialize>(
    state: Arc<AdminState>,
    status: StatusCode,
    make: impl FnOnce(&AdminState) -> Result<A, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let work = {
        let state = Arc::clone(&state);
        move || make(&state).and_then(|answer| json(status, &answer))
    };
    state.lists.run(work).await?
}
