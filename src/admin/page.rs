//! The page for operators: its files are part of the program, and hold no data. What they show they ask the API for.

use std::hash::{DefaultHasher, Hash, Hasher};

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use super::response::{Body, answer};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";

/// Nothing but the page's own files and calls to its own origin; no markup is made from text (Trusted Types).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (CACHE_CONTROL, "no-cache"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// One file: its path, its type and what is in it.
struct File {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

/// A file of the folder `page`.
macro_rules! file {
    ($name:literal, $content_type:expr) => {
        File {
            path: concat!("/", $name),
            content_type: $content_type,
            text: include_str!(concat!("page/assets/", $name)),
        }
    };
}

const INDEX: File = file!("index.html", HTML);

const FILES: [File; 23] = [
    INDEX,
    file!("page.css", CSS),
    file!("icon.svg", SVG),
    file!("reasons.json", JSON),
    file!("api.js", SCRIPT),
    file!("chart.js", SCRIPT),
    file!("closing.js", SCRIPT),
    file!("closings.js", SCRIPT),
    file!("configuration.js", SCRIPT),
    file!("connections.js", SCRIPT),
    file!("detail.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("feed.js", SCRIPT),
    file!("format.js", SCRIPT),
    file!("glance.js", SCRIPT),
    file!("history.js", SCRIPT),
    file!("keys.js", SCRIPT),
    file!("list.js", SCRIPT),
    file!("page.js", SCRIPT),
    file!("reasons.js", SCRIPT),
    file!("record.js", SCRIPT),
    file!("status.js", SCRIPT),
    file!("yaml.js", SCRIPT),
];

/// The file at a path, if it is one of the page's.
pub(super) fn respond<B>(request: &Request<B>) -> Option<Response<Body>> {
    let path = request.uri().path();
    let file = match path {
        "/" => &INDEX,
        _ => FILES.iter().find(|file| file.path == path)?,
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = answer(
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain",
            "GET or HEAD\n",
        );
        refusal
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Some(refusal);
    }
    let tag = file.tag();
    let known = request
        .headers()
        .get(IF_NONE_MATCH)
        .is_some_and(|known| lists(known, &tag));
    let mut response = match known {
        true => answer(StatusCode::NOT_MODIFIED, file.content_type, ""),
        false => answer(StatusCode::OK, file.content_type, file.text),
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Some(response)
}

impl File {
    /// Another one for other contents (RFC 9110 section 8.8.3).
    fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}

/// Whether If-None-Match names this tag, weakly or not (RFC 9110 section 13.1.2).
fn lists(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    let mut each = known
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"));
    known == "*" || each.any(|one| one == tag)
}

#[cfg(test)]
mod tests;
