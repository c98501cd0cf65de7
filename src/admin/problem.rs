//! Errors as answers (RFC 9457).

use hyper::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::response::{Body, answer};
use crate::printable::escaped_json;

/// What is wrong.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// The status says what kind of problem it is.
    r#type: ProblemType,
    /// The status in words.
    title: &'static str,
    /// The answer's status.
    status: u16,
    /// What is wrong, and what to do.
    detail: String,
    /// The parameter that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Everything that is wrong with the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    #[serde(skip)]
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
enum ProblemType {
    #[serde(rename = "about:blank")]
    Blank,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem {
            r#type: ProblemType::Blank,
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            problems: Vec::new(),
            header: None,
        }
    }

    /// 404.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }

    /// 400 for a parameter.
    pub(super) fn field(field: &str, detail: impl Into<String>) -> Self {
        Problem {
            field: Some(field.to_owned()),
            ..Problem::new(StatusCode::BAD_REQUEST, detail)
        }
    }

    /// 422 for a file with these problems.
    pub(super) fn file(problems: Vec<String>, detail: impl Into<String>) -> Self {
        Problem {
            problems,
            ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }

    /// 405 (RFC 9110 section 15.5.6).
    pub(super) fn method(allowed: &str) -> Self {
        let detail = format!("this is answered to {allowed} only");
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        problem.with(ALLOW, allowed)
    }

    /// 401 (RFC 6750 section 3).
    pub(super) fn unauthorized(detail: &str) -> Self {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, detail);
        problem.with(WWW_AUTHENTICATE, "Bearer realm=\"sidebeat\"")
    }

    /// 503 with when to come back, in seconds.
    pub(super) fn unavailable(detail: &str, retry_after: &str) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(RETRY_AFTER, retry_after)
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        // Only ever written in this file's callers, of visible ASCII.
        let value = HeaderValue::from_str(value).ok();
        self.header = value.map(|value| Box::new((name, value)));
        self
    }

    pub(super) fn answer(self) -> Response<Body> {
        // A struct of strings and numbers always serialises; were it not so, the status still tells.
        let body = serde_json::to_string(&self).unwrap_or_default();
        let body = escaped_json(&body).into_owned();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = answer(status, "application/problem+json", body);
        if let Some((name, value)) = self.header.map(|header| *header) {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
