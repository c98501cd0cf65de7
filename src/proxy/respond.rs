//! Answers of the sidecar's own.

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

/// A body that is streamed from a backend, or one of ours.
pub(super) type Body = BoxBody<Bytes, hyper::Error>;

/// `{"error":"upstream_refused","request_id":"…"}`.
pub(super) fn error(status: StatusCode, label: &str, request_id: &str) -> Response<Body> {
    let body = serde_json::json!({ "error": label, "request_id": request_id }).to_string();
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        // Jittered, so that those who are turned away together do not come back together.
        response.headers_mut().insert(
            RETRY_AFTER,
            HeaderValue::from(rand::random_range(1_u16..=5)),
        );
    }
    response
}

pub(super) fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into())
        .map_err(|never| match never {})
        .boxed()
}
