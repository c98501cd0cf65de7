//! Errors as answers: `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::response::uncached;
use crate::printable::escaped_json;

/// What is wrong.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Problem {
    /// The status says what kind of problem it is.
    r#type: ProblemType,
    /// The status in words.
    title: String,
    /// The answer's status.
    status: u16,
    /// What is wrong, and what to do.
    pub(crate) detail: String,
    /// The parameter that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Everything that is wrong with the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    #[serde(skip)]
    header: Option<Box<(HeaderName, &'static str)>>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum ProblemType {
    #[serde(rename = "about:blank")]
    Blank,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem {
            r#type: ProblemType::Blank,
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
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

    /// 401 (RFC 6750 section 3).
    pub(super) fn unauthorized(detail: &str) -> Self {
        Problem {
            header: Some(Box::new((WWW_AUTHENTICATE, "Bearer realm=\"sidebeat\""))),
            ..Problem::new(StatusCode::UNAUTHORIZED, detail)
        }
    }

    /// 503, and after how many seconds to try again.
    pub(super) fn unavailable(detail: impl Into<String>, retry_after: &'static str) -> Self {
        Problem {
            header: Some(Box::new((RETRY_AFTER, retry_after))),
            ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // A struct of strings and numbers always serialises; if it did not, the status would still be right.
        let body = serde_json::to_string(&self).unwrap_or_default();
        let body = escaped_json(&body).into_owned();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = uncached(status, "application/problem+json", body);
        if let Some((name, value)) = self.header.map(|header| *header) {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// 405 (RFC 9110 section 15.5.6); the router adds `Allow`.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let path = uri.path();
    let detail = format!("{path} has no {method}; the header Allow lists the methods it has");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
