//! What monitoring asks for: /metrics, /livez and /readyz.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::State;
use super::respond::{Body, answer as respond, problem};

const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn answer(request: &Request<Incoming>, _state: &Arc<State>) -> Response<Body> {
    let answer = match request.uri().path() {
        "/livez" => live,
        path => {
            let detail = format!("there is no {path}; there are /metrics, /livez and /readyz");
            return problem(StatusCode::NOT_FOUND, &detail);
        }
    };
    // A server sends no body in answer to HEAD; hyper sees to it.
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return answer();
    }
    let mut response = problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "only GET and HEAD are answered here",
    );
    let allowed = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// The process serves: there is nothing else to it.
fn live() -> Response<Body> {
    respond(StatusCode::OK, TEXT, "ok\n")
}
