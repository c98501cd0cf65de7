//! Opening handshakes that end before the backend has a say in it: bad requests, slow clients, and our own limits.

use std::time::Duration;

use crate::support::refusal::{ask, expect_own_answer, failure};
use crate::support::{Backend, Handshake, Received, Request, Sidecar, Wire, wait_until};
use serde_json::Value;

#[test]
fn client_bad_handshake() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let opening = || Request::opening("/");
    let cases = [
        (opening().without("Sec-WebSocket-Key"), 400, "Key"),
        (opening().with("Sec-WebSocket-Key", "too-short"), 400, "Key"),
        (
            opening().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ-_"),
            400,
            "Key",
        ),
        (
            opening().header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            400,
            "Key",
        ),
        (opening().with("Sec-WebSocket-Version", "8"), 426, "Version"),
        (opening().without("Sec-WebSocket-Version"), 426, "Version"),
        (opening().with_line("POST / HTTP/1.1"), 400, "GET"),
        (opening().with_line("GET / HTTP/1.0"), 400, "HTTP/1.1"),
        (opening().without("Host"), 400, "Host"),
        (
            opening()
                .header("Content-Length", "5")
                .followed_by(b"hello"),
            400,
            "body",
        ),
    ];
    for (request, status, detail) in cases {
        let answer = ask(&sidecar, &request);
        assert_eq!(answer.status, status, "{detail}");
        let record = failure(&sidecar, "client_bad_handshake", "client", "INFO");
        expect_own_answer(&answer, status, &record);
        assert!(
            record["detail"].as_str().unwrap().contains(detail),
            "{detail:?} in {record}"
        );
        if status == 426 {
            assert_eq!(answer.header("sec-websocket-version"), Some("13"));
            assert_eq!(answer.header("upgrade"), Some("websocket"));
        }
    }
    assert_eq!(backend.dialled(), 0, "bad requests are not passed on");
}

#[test]
fn client_bad_handshake_of_what_is_no_http() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(300_000));
    for (bytes, status) in [("\x16\x03\x01 TLS?\r\n\r\n", 400), (long.as_str(), 431)] {
        let mut client = Wire::connect(sidecar.address());
        // The sidecar may be done with it before it has read everything.
        let _ = client.try_send(bytes.as_bytes());
        let record = failure(&sidecar, "client_bad_handshake", "client", "INFO");
        assert_eq!(record["status"], status);
        assert_eq!(record["request_id"], Value::Null);
        assert_eq!(record["client"], client.local_address().to_string());
        if status == 400 {
            assert_eq!(client.answer().status, 400);
        }
    }
}

#[test]
fn client_timeout() {
    let backend = Backend::start();
    let settings = format!(
        "upstream: {}\nlimits: {{handshake_timeout: 300ms}}",
        backend.url()
    );
    let sidecar = Sidecar::start(&settings);
    // One says nothing, the other a byte now and then.
    let mut silent = Wire::connect(sidecar.address());
    let mut slow = Wire::connect(sidecar.address());
    let head = Request::opening("/").encode();
    let mut sent = 0;
    while slow.try_send(&head[sent..=sent]).is_ok() {
        sent += 1;
        assert!(sent < head.len() - 1, "the slow client is still there");
        std::thread::sleep(Duration::from_millis(50));
    }
    for _ in 0..2 {
        let record = failure(&sidecar, "client_timeout", "client", "INFO");
        assert_eq!(record["request_id"], Value::Null);
        assert!(record["duration_ms"].as_u64().unwrap() >= 290, "{record}");
    }
    assert_eq!(silent.receive(), Received::End(Vec::new()));
    assert_eq!(backend.dialled(), 0);
}

#[test]
fn client_gone() {
    let backend = Backend::answering(Handshake::silent());
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mut client = Wire::connect(sidecar.address());
    client.send(&Request::opening("/").encode());
    let mut upstream = backend.accept().wire;
    client.reset();
    let record = failure(&sidecar, "client_gone", "client", "INFO");
    assert_eq!(record["status"], Value::Null);
    assert_eq!(record["upstream"], backend.name());
    // The backend is told by the end of its connection.
    assert!(!matches!(upstream.receive(), Received::Frame(_)));
}

#[test]
fn origin_denied() {
    let backend = Backend::start();
    let settings = "limits: {allowed_origins: ['https://chat.example.com', '*.example.org']}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{settings}", backend.url()));
    let from = |origin: &str| Request::opening("/").header("Origin", origin);
    for origin in [
        "https://evil.example",
        "http://chat.example.com",
        "https://example.org",
        "null",
    ] {
        let answer = ask(&sidecar, &from(origin));
        let record = failure(&sidecar, "origin_denied", "sidecar", "INFO");
        expect_own_answer(&answer, 403, &record);
        assert!(
            record["detail"].as_str().unwrap().contains(origin),
            "{record}"
        );
    }
    assert_eq!(backend.dialled(), 0);
    for origin in ["https://chat.example.com", "http://a.b.example.org:8080"] {
        drop(Wire::open(&sidecar, &from(origin)));
    }
    drop(Wire::open(&sidecar, &Request::opening("/")));
}

#[test]
fn over_capacity_before_anything_is_dialled() {
    for (limit, reason, level) in [
        ("max_connections", "over_capacity", "WARN"),
        ("max_connections_per_ip", "over_capacity_ip", "INFO"),
    ] {
        let backend = Backend::start();
        let settings = format!("upstream: {}\nlimits: {{{limit}: 1}}", backend.url());
        let sidecar = Sidecar::start(&settings);
        let first = Wire::open(&sidecar, &Request::opening("/"));
        let upstream = backend.accept();
        let answer = ask(&sidecar, &Request::opening("/"));
        let record = failure(&sidecar, reason, "sidecar", level);
        expect_own_answer(&answer, 503, &record);
        let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
        assert_eq!(backend.dialled(), 1);
        // The place is free again once the first has gone.
        drop((first, upstream));
        wait_until("there is room", || {
            ask(&sidecar, &Request::opening("/")).status == 101
        });
    }
}

#[test]
fn a_failed_opening_gives_its_place_back() {
    let backend = Backend::answering(Handshake::wrong_accept());
    let settings = format!(
        "upstream: {}\nlimits: {{max_connections: 1}}",
        backend.url()
    );
    let sidecar = Sidecar::start(&settings);
    for _ in 0..3 {
        assert_eq!(ask(&sidecar, &Request::opening("/")).status, 502);
    }
    backend.answer_with(Handshake::accept());
    drop(Wire::open(&sidecar, &Request::opening("/")));
}

#[test]
fn no_route() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let request = Request::line("CONNECT chat.example.com:443 HTTP/1.1").header("Host", "x");
    let answer = ask(&sidecar, &request);
    let record = failure(&sidecar, "no_route", "sidecar", "INFO");
    expect_own_answer(&answer, 404, &record);
    assert_eq!(backend.dialled(), 0);
}
