//! What monitoring asks for: /metrics, /livez and /readyz.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};

use super::State;
use super::problem::Problem;
use super::respond::{Body, answer as respond};

const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn answer(request: &Request<Incoming>, _state: &Arc<State>) -> Response<Body> {
    let answer = match request.uri().path() {
        "/livez" => live,
        path => {
            let detail = format!("there is no {path}; there are /metrics, /livez and /readyz");
            return Problem::not_found(detail).answer();
        }
    };
    // A server sends no body in answer to HEAD; hyper sees to it.
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return answer();
    }
    Problem::method("GET, HEAD").answer()
}

/// The process serves: there is nothing else to it.
fn live() -> Response<Body> {
    respond(StatusCode::OK, TEXT, "ok\n")
}
