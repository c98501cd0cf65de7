//! Answers.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

/// A whole answer, or a stream of events.
pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// An answer that is not to be kept.
pub(super) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).boxed());
    *response.status_mut() = status;
    for (name, value) in [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
