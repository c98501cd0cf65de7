//! What monitoring asks for: /metrics, /livez and /readyz.

mod accept;

use std::sync::Arc;

use hyper::header::{HeaderValue, VARY};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::json;

use super::State;
use super::problem::Problem;
use super::response::{Body, answer as respond};
use crate::telemetry::{Observer, metrics};

pub(super) async fn answer<B>(request: &Request<B>, state: &Arc<State>) -> Response<Body> {
    let path = request.uri().path();
    if !["/metrics", "/livez", "/readyz"].contains(&path) {
        let detail = format!("there is no {path}; there are /metrics, /livez and /readyz");
        return Problem::not_found(detail).answer();
    }
    // In answer to HEAD, hyper sends the head alone.
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::method("GET, HEAD").answer();
    }
    match path {
        "/metrics" => figures(request.headers(), state).await,
        "/readyz" => readiness(&state.shared.observer),
        _ => respond(StatusCode::OK, "text/plain; charset=utf-8", "ok\n"),
    }
}

async fn figures(headers: &HeaderMap, state: &Arc<State>) -> Response<Body> {
    let format = accept::format(headers);
    let shared = Arc::clone(&state.shared);
    let render = move || metrics::render(&shared.observer, &shared.config.load(), format);
    let page = match state.scrapes.run(render).await {
        Ok(page) => page,
        Err(problem) => return problem.answer(),
    };
    let mut response = respond(StatusCode::OK, format.content_type(), page);
    let vary = HeaderValue::from_static("Accept");
    response.headers_mut().insert(VARY, vary);
    response
}

/// Whether new clients should come: not when the process ends, nor when they would find no backend.
fn readiness(observer: &Observer) -> Response<Body> {
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
    respond(status, "application/json", format!("{body}\n"))
}
