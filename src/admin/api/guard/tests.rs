use axum::response::IntoResponse as _;
use hyper::Request;

use super::*;

fn parts(method: Method, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri("/api/summary");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn status(headers: &[(&str, &str)], token: Option<&str>, changes: bool) -> u16 {
    let token = token.map(Token::for_tests);
    let method = if changes { Method::POST } else { Method::GET };
    match check(&parts(method, headers), token.as_ref()) {
        Ok(()) => 200,
        Err(problem) => problem.into_response().status().as_u16(),
    }
}

const LOCAL: (&str, &str) = ("host", "127.0.0.1:9901");

#[test]
fn the_token_must_be_there_once_and_right() {
    for (value, expected) in [
        ("Bearer s3cret", 200),
        ("bearer s3cret", 200),
        ("Bearer  s3cret ", 200),
        ("Bearer s3cre", 401),
        ("Bearer s3cret2", 401),
        ("Bearer S3CRET", 401),
        ("Bearer ", 401),
        ("Bearers3cret", 401),
        ("Basic s3cret", 401),
        ("s3cret", 401),
        ("", 401),
    ] {
        let headers = [LOCAL, ("authorization", value)];
        assert_eq!(status(&headers, Some("s3cret"), false), expected, "{value}");
    }
    assert_eq!(status(&[LOCAL], Some("s3cret"), false), 401);
    let twice = [
        LOCAL,
        ("authorization", "Bearer s3cret"),
        ("authorization", "Bearer s3cret"),
    ];
    assert_eq!(status(&twice, Some("s3cret"), false), 401);
}

#[test]
fn without_a_token_only_addresses_and_localhost_are_hosts() {
    for (host, expected) in [
        ("127.0.0.1", 200),
        ("127.0.0.1:9901", 200),
        ("[::1]:9901", 200),
        ("10.0.0.7:80", 200),
        ("localhost:9901", 200),
        ("LOCALHOST", 200),
        ("admin.localhost", 200),
        ("rebound.example.com", 421),
        ("localhost.example.com", 421),
        ("127.0.0.1.example.com", 421),
        ("notlocalhost", 421),
        ("sidebeat", 421),
        ("", 400),
        ("a b", 400),
    ] {
        assert_eq!(status(&[("host", host)], None, false), expected, "{host}");
    }
    let named = [
        ("host", "sidebeat.example.com"),
        ("authorization", "Bearer t"),
    ];
    assert_eq!(status(&named, Some("t"), false), 200, "with a token any");
    assert_eq!(status(&[], None, false), 400);
    assert_eq!(status(&[LOCAL, LOCAL], None, false), 400);
}

#[test]
fn changes_come_from_here_or_from_no_page() {
    for (name, value, expected) in [
        ("sec-fetch-site", "same-origin", 200),
        ("sec-fetch-site", "none", 200),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "", 403),
        ("origin", "http://127.0.0.1:9901", 200),
        ("origin", "http://127.0.0.1", 403),
        ("origin", "http://127.0.0.1:9902", 403),
        ("origin", "https://example.com", 403),
        ("origin", "null", 403),
        ("origin", "file://127.0.0.1:9901", 403),
        ("x-other", "cross-site", 200),
    ] {
        let headers = [LOCAL, (name, value)];
        assert_eq!(status(&headers, None, true), expected, "{name}: {value}");
        assert_eq!(status(&headers, None, false), 200, "reading is free");
    }
    let default_port = [("host", "localhost"), ("origin", "http://localhost:80")];
    assert_eq!(status(&default_port, None, true), 200);
    let behind_tls = [("host", "localhost"), ("origin", "https://localhost")];
    assert_eq!(status(&behind_tls, None, true), 200);
}
