//! The API for operators.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};

use super::State;
use super::respond::{Body, problem};

pub(super) async fn answer(request: Request<Incoming>, _state: &Arc<State>) -> Response<Body> {
    let detail = format!("there is no {}", request.uri().path());
    problem(StatusCode::NOT_FOUND, &detail)
}
