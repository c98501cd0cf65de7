//! Opening handshakes that fail: what the client is answered, and what the log says.

#![cfg(test)]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use support::{Answer, Backend, Handshake, PATIENCE, Received, Request, Sidecar, Wire, wait_until};

const FIELDS: &[&str] = &[
    "timestamp",
    "level",
    "event",
    "request_id",
    "client",
    "route",
    "host",
    "path",
    "upstream",
    "initiator",
    "reason",
    "phase",
    "status",
    "detail",
    "duration_ms",
];

fn ask(sidecar: &Sidecar, request: &Request) -> Answer {
    Wire::connect(sidecar.address()).ask(request)
}

fn failure(sidecar: &Sidecar, reason: &str, initiator: &str, level: &str) -> Value {
    let record = sidecar.log_event("handshake_failed", PATIENCE);
    let names: Vec<&str> = record
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, FIELDS);
    assert_eq!(record["reason"], reason, "{record}");
    assert_eq!(record["initiator"], initiator, "{record}");
    assert_eq!(record["level"], level, "{record}");
    assert_eq!(record["phase"], "opening");
    record
}

/// Checks an answer of the sidecar's own, and that the log agrees with it.
fn expect_own_answer(answer: &Answer, status: u16, record: &Value) {
    assert_eq!(answer.status, status, "{answer:?} {record}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(record["status"], status);
    let expected = json!({"error": record["reason"], "request_id": record["request_id"]});
    assert_eq!(answer.json(), expected);
}

#[test]
fn upstream_refused() {
    let reserved = Backend::reserve("127.0.0.1:0".parse().unwrap());
    let address = reserved.local_addr().unwrap().as_socket().unwrap();
    let settings =
        format!("upstream: {{url: 'ws://{address}', retry: {{attempts: 2, backoff: 10ms}}}}");
    let sidecar = Sidecar::start(&settings);
    let request = Request::opening("/chat?token=secret").header("X-Request-Id", "mine-1");
    let answer = ask(&sidecar, &request);
    let record = failure(&sidecar, "upstream_refused", "upstream", "WARN");
    expect_own_answer(&answer, 502, &record);
    assert_eq!(record["request_id"], "mine-1");
    assert_eq!(record["upstream"], address.to_string());
    assert_eq!(record["path"], "/chat");
    assert_eq!(record["host"], "chat.example.com");
    assert_eq!(record["route"], "default");
    assert!(
        record["detail"].as_str().unwrap().contains("tries: 2"),
        "{record}"
    );
}

#[test]
fn upstream_timeout_of_the_connection() {
    // A full accept queue: the system answers no further SYN.
    let socket = Backend::reserve("127.0.0.1:0".parse().unwrap());
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap();
    let fillers: Vec<Socket> = (0..8)
        .map(|_| {
            let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            filler.set_nonblocking(true).unwrap();
            // Under way is all that it ever gets.
            let _ = filler.connect(&address);
            filler
        })
        .collect();
    let settings = format!(
        "upstream: {{url: 'ws://{}', connect_timeout: 200ms, retry: {{attempts: 1}}}}",
        address.as_socket().unwrap()
    );
    let sidecar = Sidecar::start(&settings);
    let answer = ask(&sidecar, &Request::opening("/"));
    let record = failure(&sidecar, "upstream_timeout", "upstream", "WARN");
    expect_own_answer(&answer, 504, &record);
    assert!(
        record["detail"]
            .as_str()
            .unwrap()
            .contains("connect_timeout"),
        "{record}"
    );
    drop(fillers);
}

#[test]
fn upstream_timeout_of_the_handshake() {
    let backend = Backend::answering(Handshake::silent());
    let settings = format!(
        "upstream: {{url: '{}', handshake_timeout: 200ms}}",
        backend.url()
    );
    let sidecar = Sidecar::start(&settings);
    let answer = ask(&sidecar, &Request::opening("/"));
    let record = failure(&sidecar, "upstream_timeout", "upstream", "WARN");
    expect_own_answer(&answer, 504, &record);
    assert!(
        record["detail"]
            .as_str()
            .unwrap()
            .contains("handshake_timeout"),
        "{record}"
    );
    // The backend is not left with a socket that nobody wants.
    assert_eq!(backend.accept().wire.receive(), Received::End(Vec::new()));
}

#[test]
fn upstream_rejected_is_passed_on_unchanged() {
    let answers = [
        (
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"chat\"",
            "who are you?",
        ),
        ("302 Found", "Location: /login", ""),
        ("200 OK", "Set-Cookie: a=b", "<h1>A page</h1>"),
        ("503 Service Unavailable", "Retry-After: 77", "full"),
    ];
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    for (status, header, body) in answers {
        backend.answer_with(Handshake::raw(format!(
            "HTTP/1.1 {status}\r\n{header}\r\nX-Odd-Case: 1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )));
        let answer = ask(&sidecar, &Request::opening("/"));
        let code: u16 = status[..3].parse().unwrap();
        assert_eq!(answer.status, code);
        let (name, value) = header.split_once(": ").unwrap();
        assert_eq!(answer.header(name), Some(value));
        assert_eq!(answer.header("x-odd-case"), Some("1"));
        assert_eq!(answer.body, body.as_bytes());
        let record = failure(&sidecar, "upstream_rejected", "upstream", "INFO");
        assert_eq!(record["status"], code);
    }
}

#[test]
fn upstream_bad_handshake() {
    let cases = [
        (Handshake::wrong_accept(), "Sec-WebSocket-Accept"),
        (Handshake::without_upgrade(), "Upgrade: websocket"),
        (
            Handshake::accept().header("Sec-WebSocket-Extensions", "x-unknown"),
            "x-unknown",
        ),
        (
            Handshake::accept().header("Sec-WebSocket-Extensions", "permessage-deflate"),
            "not offered",
        ),
        (
            Handshake::accept().header("Sec-WebSocket-Accept", "twice"),
            "Sec-WebSocket-Accept",
        ),
        (
            Handshake::raw("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
            "Sec-WebSocket-Accept",
        ),
        (
            Handshake::raw("+OK no HTTP server here\r\n\r\n"),
            "not answered",
        ),
    ];
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    for (handshake, detail) in cases {
        backend.answer_with(handshake);
        let answer = ask(&sidecar, &Request::opening("/"));
        let record = failure(&sidecar, "upstream_bad_handshake", "upstream", "WARN");
        expect_own_answer(&answer, 502, &record);
        assert!(
            record["detail"].as_str().unwrap().contains(detail),
            "{detail:?} in {record}"
        );
        let mut upstream = backend.accept().wire;
        let end = upstream.receive();
        assert!(matches!(end, Received::End(_) | Received::Reset), "{end:?}");
    }
}

#[test]
fn a_backend_that_leaves_without_an_answer() {
    let backend = Backend::answering(Handshake::raw(""));
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mut client = Wire::connect(sidecar.address());
    client.send(&Request::opening("/").encode());
    drop(backend.accept());
    let answer = client.answer();
    let record = failure(&sidecar, "upstream_bad_handshake", "upstream", "WARN");
    expect_own_answer(&answer, 502, &record);
}

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
    assert!(sent >= 5, "given up after {sent} bytes");
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
