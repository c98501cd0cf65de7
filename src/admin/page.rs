//! The page for operators: its files are part of the program and hold no data; the page's script asks the API.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{HeaderMap, StatusCode};

use super::problem::method_not_allowed;
use super::response::uncached;

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

struct Asset {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

/// A file of the folder `page/assets`.
macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        Asset {
            path: concat!("/", $name),
            content_type: $content_type,
            text: include_str!(concat!("page/assets/", $name)),
        }
    };
}

static INDEX: Asset = asset!("index.html", HTML);

static ASSETS: [Asset; 23] = [
    asset!("index.html", HTML),
    asset!("page.css", CSS),
    asset!("icon.svg", SVG),
    asset!("reasons.json", JSON),
    asset!("api.js", SCRIPT),
    asset!("chart.js", SCRIPT),
    asset!("closing.js", SCRIPT),
    asset!("closings.js", SCRIPT),
    asset!("configuration.js", SCRIPT),
    asset!("connections.js", SCRIPT),
    asset!("detail.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("feed.js", SCRIPT),
    asset!("format.js", SCRIPT),
    asset!("glance.js", SCRIPT),
    asset!("history.js", SCRIPT),
    asset!("keys.js", SCRIPT),
    asset!("list.js", SCRIPT),
    asset!("page.js", SCRIPT),
    asset!("reasons.js", SCRIPT),
    asset!("record.js", SCRIPT),
    asset!("status.js", SCRIPT),
    asset!("yaml.js", SCRIPT),
];

pub(super) fn router() -> Router {
    let index = [("/", &INDEX)].into_iter();
    let assets = index.chain(ASSETS.iter().map(|asset| (asset.path, asset)));
    let router = assets.fold(Router::new(), |router, (path, asset)| {
        let serve = async move |headers: HeaderMap| asset.serve(&headers);
        router.route(path, get(serve))
    });
    router.method_not_allowed_fallback(method_not_allowed)
}

impl Asset {
    fn serve(&self, headers: &HeaderMap) -> Response {
        let tag = self.tag();
        let known = headers.get(IF_NONE_MATCH);
        let is_known = known.is_some_and(|known| lists(known, &tag));
        let (status, text) = match is_known {
            true => (StatusCode::NOT_MODIFIED, ""),
            false => (StatusCode::OK, self.text),
        };
        let response = uncached(status, self.content_type, text);
        (HEADERS, [(ETAG, tag)], response).into_response()
    }

    /// Differs for different contents (RFC 9110 section 8.8.3).
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
        .map(|one| one.trim_ascii().trim_start_matches("W/"));
    known == "*" || each.any(|one| one == tag)
}

#[cfg(test)]
mod tests;
