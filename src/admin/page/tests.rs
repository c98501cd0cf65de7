use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::{Method, Request};
use tower_service::Service as _;

use super::*;

/// What the router answers to a request of the page.
async fn request(method: Method, path: &str, known: Option<&str>) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(known) = known {
        request = request.header(IF_NONE_MATCH, known);
    }
    let request = request.body(Body::empty()).unwrap();
    router().call(request).await.unwrap()
}

async fn get(path: &str, known: Option<&str>) -> Response {
    request(Method::GET, path, known).await
}

#[test]
fn the_folder_is_what_is_served() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin/page/assets");
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| format!("/{}", entry.unwrap().file_name().to_string_lossy()))
        .collect();
    let served = ASSETS.iter().map(|file| file.path.to_owned()).collect();
    assert_eq!(there, served);
}

/// The characters that the expression `UNSAFE` of `dom.js` has, in so far as each is one unit of UTF-16.
fn escaped_by_the_page() -> BTreeSet<char> {
    let script = include_str!("assets/dom.js");
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
    let first = get("/", None).await;
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
        let again = get("/", Some(&known)).await;
        assert_eq!(again.status(), status, "{known}");
        assert_eq!(again.headers()[ETAG], *tag);
    }
}

#[tokio::test]
async fn only_files_are_served_and_only_read() {
    for path in [
        "/nowhere",
        "/api/summary",
        "/page/index.html",
        "/../page.rs",
        "//",
    ] {
        assert_eq!(get(path, None).await.status(), 404, "{path}");
    }
    for (method, status) in [
        (Method::HEAD, 200),
        (Method::POST, 405),
        (Method::DELETE, 405),
    ] {
        assert_eq!(request(method, "/page.js", None).await.status(), status);
    }
}

#[test]
fn the_policy_lets_nothing_in_that_the_files_need() {
    for file in &ASSETS {
        assert!(!file.text.contains("innerHTML"), "{}", file.path);
        let elsewhere = file.text.replace("http://www.w3.org/2000/svg", "");
        assert!(!elsewhere.contains("://"), "{}", file.path);
    }
    let html = INDEX.text;
    for inline in [" style=", "<style", " onclick", "javascript:", "<script>"] {
        assert!(!html.contains(inline), "{inline}");
    }
}
