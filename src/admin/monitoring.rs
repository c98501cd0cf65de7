//! What monitoring asks for: /metrics, /livez and /readyz.
//!
//! The probes take no permit of `expensive`, which scrapes may have used up: an unanswered probe gets the process
//! killed.

mod accept;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hyper::header::VARY;
use hyper::{HeaderMap, StatusCode, Uri};
use serde_json::json;

use super::problem::{Problem, method_not_allowed};
use super::response::uncached;
use super::state::AdminState;
use crate::telemetry::metrics;

pub(super) fn router(state: Arc<AdminState>) -> Router {
    Router::new()
        .route("/metrics", get(scrape))
        .route("/livez", get(liveness))
        .route("/readyz", get(readiness))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state)
}

async fn not_found(uri: Uri) -> Problem {
    let path = uri.path();
    Problem::not_found(format!(
        "there is no {path}; there are /metrics, /livez and /readyz"
    ))
}

async fn scrape(
    State(state): State<Arc<AdminState>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let format = accept::format(&headers);
    let context = Arc::clone(&state.context);
    let render = move || metrics::render(&context.observer, &context.config.load(), format);
    let page = state.scrapes.run(render).await?;
    let response = uncached(StatusCode::OK, format.content_type(), page);
    Ok(([(VARY, "Accept")], response).into_response())
}

async fn liveness() -> Response {
    uncached(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")
}

/// Whether new clients should come: not while the process drains, nor while a backend is down.
async fn readiness(State(state): State<Arc<AdminState>>) -> Response {
    let observer = &state.context.observer;
    let draining = observer.process_stats.is_draining();
    let upstreams = observer.upstreams.all();
    let ready = !draining && upstreams.iter().all(|upstream| upstream.up);
    let upstreams: Vec<_> = upstreams
        .iter()
        .map(|it| json!({"address": it.address, "up": it.up, "detail": it.detail}))
        .collect();
    let body = json!({"ready": ready, "draining": draining, "upstreams": upstreams});
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    uncached(status, "application/json", format!("{body}\n"))
}
