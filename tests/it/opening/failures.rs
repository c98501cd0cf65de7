//! Opening handshakes that fail at the backend: what the client is answered, and what the log says.

use crate::support::refusal::{ask, expect_own_answer, failure};
use crate::support::{Backend, Handshake, Received, Request, Sidecar, TIMEOUT, Wire};
use socket2::{Domain, Socket, Type};

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
fn a_long_answer_of_a_backend_is_shortened_in_the_log() {
    let long = "x".repeat(5000);
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    for (extensions, offer) in [
        (long.clone(), "x"),
        (format!("permessage-deflate; {long}"), "permessage-deflate"),
        (
            format!("permessage-deflate; a={long}"),
            "permessage-deflate",
        ),
    ] {
        let handshake = Handshake::accept().header("Sec-WebSocket-Extensions", &extensions);
        backend.answer_with(handshake);
        let request = Request::opening("/").header("Sec-WebSocket-Extensions", offer);
        assert_eq!(ask(&sidecar, &request).status, 502);
        let record = failure(&sidecar, "upstream_bad_handshake", "upstream", "WARN");
        let detail = record["detail"].as_str().unwrap();
        assert!(detail.contains("xxx…") && detail.len() < 1100, "{detail}");
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
fn a_backend_that_switches_protocols_unasked() {
    let backend = Backend::answering(Handshake::accept());
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let plain = Request::line("GET /page HTTP/1.1").header("Host", "chat.example.com");
    let answer = ask(&sidecar, &plain);
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["error"], "upstream_bad_handshake");
    let record = sidecar.log_event("http_failed", TIMEOUT);
    assert_eq!(record["request_id"], answer.json()["request_id"]);
}
