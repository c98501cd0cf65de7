//! The page for operators: its files are part of the program, and hold no data. What they show they ask the API for.

use std::hash::{DefaultHasher, Hash, Hasher};

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use super::respond::{Body, answer};

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
            text: include_str!(concat!("page/", $name)),
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
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use http_body_util::BodyExt;

    use super::*;

    fn get(path: &str, known: Option<&str>) -> Option<Response<Body>> {
        let mut request = Request::get(path);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        respond(&request.body(()).unwrap())
    }

    #[test]
    fn the_folder_is_what_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin/page");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("/{}", entry.unwrap().file_name().to_string_lossy()))
            .collect();
        let served = FILES.iter().map(|file| file.path.to_owned()).collect();
        assert_eq!(there, served);
    }

    /// The characters that the expression `UNSAFE` of `dom.js` has, in so far as each is one unit of UTF-16.
    fn escaped_by_the_page() -> BTreeSet<char> {
        let script = include_str!("page/dom.js");
        let (_, class) = script.split_once("UNSAFE = /[").unwrap();
        let (class, _) = class.split_once(']').unwrap();
        let mut units: Vec<(u32, bool)> = Vec::new();
        for part in class.split("\\u").skip(1) {
            let unit = u32::from_str_radix(&part[..4], 16).unwrap();
            units.push((unit, part.ends_with('-')));
        }
        let mut found = BTreeSet::new();
        let mut first = None;
        for (unit, begins_range) in units {
            if begins_range {
                first = Some(unit);
                continue;
            }
            found.extend((first.take().unwrap_or(unit)..=unit).filter_map(char::from_u32));
        }
        found
    }

    #[test]
    fn the_page_escapes_what_the_log_escapes() {
        let ours = ('\0'..='\u{ffff}').filter(|c| crate::printable::is_unsafe(*c));
        // The page shows texts of several lines.
        let ours: BTreeSet<char> = ours.filter(|c| !matches!(c, '\n' | '\t')).collect();
        assert_eq!(escaped_by_the_page(), ours);
    }

    #[tokio::test]
    async fn a_file_comes_once_and_then_only_when_it_changed() {
        let first = get("/", None).unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        for (name, value) in HEADERS {
            assert_eq!(first.headers()[name], value);
        }
        let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
        let body = first.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, INDEX.text);
        for (known, status) in [
            (tag.clone(), 304),
            (format!("\"other\", W/{tag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
        ] {
            let again = get("/", Some(&known)).unwrap();
            assert_eq!(again.status(), status, "{known}");
            assert_eq!(again.headers()[ETAG], *tag);
        }
    }

    #[test]
    fn only_files_are_served_and_only_read() {
        for path in [
            "/nowhere",
            "/api/summary",
            "/page/index.html",
            "/../page.rs",
            "//",
        ] {
            assert!(get(path, None).is_none(), "{path}");
        }
        for (method, status) in [
            (Method::HEAD, 200),
            (Method::POST, 405),
            (Method::DELETE, 405),
        ] {
            let request = Request::builder()
                .method(method)
                .uri("/page.js")
                .body(())
                .unwrap();
            assert_eq!(respond(&request).unwrap().status(), status);
        }
    }

    #[test]
    fn the_policy_lets_nothing_in_that_the_files_need() {
        for file in &FILES {
            assert!(!file.text.contains("innerHTML"), "{}", file.path);
            let elsewhere = file.text.replace("http://www.w3.org/2000/svg", "");
            assert!(!elsewhere.contains("://"), "{}", file.path);
        }
        let html = INDEX.text;
        for inline in [" style=", "<style", " onclick", "javascript:", "<script>"] {
            assert!(!html.contains(inline), "{inline}");
        }
    }
}
