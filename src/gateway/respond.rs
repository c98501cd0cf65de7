//! Answers of the sidecar's own.

use std::error::Error as _;
use std::io;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use thiserror::Error;

/// A body that is streamed from a client or from an upstream, or one of ours.
pub(crate) type Body = BoxBody<Bytes, BodyError>;

/// Why a body did not come to its end.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    #[error("the request's body: {}", with_causes(.0))]
    Client(hyper::Error),
    #[error("the answer's body: {}", with_causes(.0))]
    Upstream(hyper::Error),
}

impl BodyError {
    /// Whether the peer sent a malformed body, instead of closing the connection.
    pub(crate) fn is_malformed(&self) -> bool {
        let (BodyError::Client(error) | BodyError::Upstream(error)) = self;
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        // The kinds of hyper's chunk decoder; errors of a socket have others.
        cause.is_some_and(|cause: &io::Error| {
            matches!(
                cause.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            )
        })
    }
}

/// An error with what caused it.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The body of an upstream's answer.
pub(crate) fn from_upstream(body: Incoming) -> Body {
    body.map_err(BodyError::Upstream).boxed()
}

/// `{"error":"upstream_refused","request_id":"…"}`.
pub(crate) fn error(status: StatusCode, label: &str, request_id: &str) -> Response<Body> {
    let body = serde_json::json!({ "error": label, "request_id": request_id }).to_string();
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        // Jittered, so that clients that are refused together do not retry together.
        response.headers_mut().insert(
            RETRY_AFTER,
            HeaderValue::from(rand::random_range(1_u16..=5)),
        );
    }
    response
}

pub(crate) fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into())
        .map_err(|never| match never {})
        .boxed()
}
