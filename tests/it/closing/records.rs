//! What the records of a request hold of its head: what is asked for, and never a secret.

use crate::support;
use crate::support::refusal::ask;
use crate::support::{Backend, Frame, Handshake, Request, Sidecar, TIMEOUT, Wire};
use serde_json::{Value, json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Stands in everything that is a secret, and nowhere else.
const MARK: &str = "s3cr3t";

fn token() -> String {
    format!("{MARK}.{}", "x".repeat(40))
}

/// A request that carries secrets wherever one can.
fn with_secrets(request: Request) -> Request {
    let token = token();
    request
        .header("Authorization", &format!("Bearer {token}"))
        .header("Cookie", &format!("session={token}"))
        .header("Sec-WebSocket-Protocol", &format!("chat, {token}"))
        .header("Referer", &format!("https://a.example/?token={token}"))
        .header("X-Token", &token)
}

fn opening() -> Request {
    let target = format!("http://user:{MARK}@chat.example.com/chat?token={MARK}");
    with_secrets(Request::opening(&target)).header("Origin", "https://a.example")
}

/// What the program answers to a GET, as it is sent.
fn text(address: &Value, path: &str) -> String {
    let address = address["address"].as_str().unwrap().parse().unwrap();
    let request = Request::line(&format!("GET {path} HTTP/1.1")).header("Host", "127.0.0.1");
    String::from_utf8(Wire::connect(address).ask(&request).body).unwrap()
}

#[test]
fn no_secret_of_a_request_is_shown_anywhere() {
    let chosen = Handshake::accept().header("Sec-WebSocket-Protocol", &token());
    let backend = Backend::answering(chosen.clone());
    let settings = format!(
        "upstream: {}\nlog: {{level: trace}}\nadmin: {{listen: '127.0.0.1:0'}}\n\
         metrics: {{listen: '127.0.0.1:0'}}\nroutes:\n  \
         - {{match: {{path: /denied}}, limits: {{allowed_origins: [b.example]}}}}\n  \
         - {{match: {{path: /down}}, upstream: {{url: 'ws://127.0.0.1:1', retry: {{attempts: 1}}}}}}\n",
        backend.url(),
    );
    let sidecar = Sidecar::start(&settings);
    let admin = sidecar.log_event("admin_listening", TIMEOUT);
    let metrics = sidecar.log_event("metrics_listening", TIMEOUT);

    let mut client = Wire::connect(sidecar.address());
    let answer = client.ask(&opening());
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-protocol"), Some(&*token()));
    let head = backend.accept().head;
    for name in ["host", "x-forwarded-host"] {
        assert_eq!(head.header(name), Some("chat.example.com"), "{head:?}");
    }
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    assert_eq!(opened["host"], "chat.example.com");
    assert_eq!(opened["subprotocol"], format!("{} bytes", token().len()));
    let living = text(&admin, "/api/connections");
    assert!(living.contains("\"host\":\"chat.example.com\""), "{living}");
    assert!(!living.contains(MARK), "{living}");
    client.send_frame(&Frame::close(1000, ""));
    sidecar.log_event("connection_closed", TIMEOUT);

    // Openings that fail, each in another place.
    let query = format!("?token={MARK}");
    let answers = [
        (opening().with("Sec-WebSocket-Key", MARK), 400),
        (opening().with("Sec-WebSocket-Version", MARK), 426),
        (
            opening().with_line(&format!("GET /denied{query} HTTP/1.1")),
            403,
        ),
        (
            opening().with_line(&format!("GET /down{query} HTTP/1.1")),
            502,
        ),
        (
            opening().with_line(&format!("CONNECT user:{MARK}@h:1 HTTP/1.1")),
            404,
        ),
        (
            opening()
                .without("Upgrade")
                .with_line(&format!("GET /down{query} HTTP/1.1")),
            502,
        ),
    ];
    for (request, status) in answers {
        assert_eq!(ask(&sidecar, &request).status, status);
    }
    for (handshake, status) in [
        (
            Handshake::wrong_accept().header("Sec-WebSocket-Protocol", &token()),
            502,
        ),
        (
            Handshake::without_upgrade().header("Sec-WebSocket-Protocol", &token()),
            502,
        ),
        (chosen.header("Sec-WebSocket-Extensions", "x"), 502),
        (
            Handshake::raw(format!(
                "HTTP/1.1 401 No\r\nX: {MARK}\r\nContent-Length: 0\r\n\r\n"
            )),
            401,
        ),
        (Handshake::raw(format!("HTTP/1.1 {MARK}\r\n\r\n")), 502),
    ] {
        backend.answer_with(handshake);
        assert_eq!(ask(&sidecar, &opening()).status, status);
        backend.accept();
    }
    // Heads that are no HTTP, and one that does not come to its end.
    for head in [
        format!("GET /?{MARK} HTTP/9\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{MARK} {MARK}\r\n\r\n"),
        format!("GET /{MARK}\0 HTTP/1.1\r\n\r\n"),
        format!("GET /?{MARK} HTTP/1.1\r\nCookie: {MARK}"),
    ] {
        let mut wire = Wire::connect(sidecar.address());
        wire.send(head.as_bytes());
        wire.end_sending();
        wire.receive();
    }
    sidecar.log_event_where("handshake_failed", TIMEOUT, |record| {
        record["reason"] == "client_gone"
    });
    let shown = [
        sidecar.whole_log(),
        text(&admin, "/api/closed"),
        text(&admin, "/api/summary"),
        text(&metrics, "/metrics"),
    ];
    for shown in shown {
        assert!(!shown.contains(MARK), "{shown}");
    }
}

#[test]
fn log_headers_and_the_trace_are_in_every_record_of_an_opening() {
    let backend = Backend::start();
    let log = "log: {headers: [User-Agent, x-app, x-none]}\n\
               limits: {allowed_origins: [a.example]}\nadmin: {listen: '127.0.0.1:0'}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{log}", backend.url()));
    let admin = sidecar.log_event("admin_listening", TIMEOUT);
    let request = Request::opening("/")
        .header("User-Agent", "Mozilla/5.0 \u{202e}x\u{9b}")
        .header("X-App", "1")
        .header("X-App", &"y".repeat(1000))
        .header("Authorization", "Bearer secret")
        .header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let client = Wire::open(&sidecar, &request);
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    let living = text(&admin, &format!("/api/connections?q={TRACE}"));
    // What steers a terminal is escaped in the API's text, too.
    assert!(living.contains("Mozilla/5.0 \\u202ex\\u009b"), "{living}");
    let living: Value = serde_json::from_str(&living).unwrap();
    drop((client, backend.accept()));
    let denied = request.header("Origin", "https://b.example");
    assert_eq!(ask(&sidecar, &denied).status, 403);
    let closed = sidecar.log_event("connection_closed", TIMEOUT);
    let failed = sidecar.log_event("handshake_failed", TIMEOUT);
    let living = living["connections"][0].clone();
    let app = format!("1, {}…", "y".repeat(253));
    for record in [opened, living, closed, failed] {
        assert_eq!(record["trace_id"], TRACE, "{record}");
        let headers = json!({"user-agent": "Mozilla/5.0 \u{202e}x\u{9b}", "x-app": app});
        assert_eq!(record["headers"], headers, "{record}");
    }
}

#[test]
fn nothing_of_a_head_is_recorded_that_was_not_asked_for() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let request = Request::opening("/")
        .header("User-Agent", "Mozilla/5.0")
        .header("traceparent", &format!("00-{TRACE}-0000000000000000-01"));
    drop(Wire::open(&sidecar, &request));
    for event in ["connection_opened", "connection_closed"] {
        let record = sidecar.log_event(event, TIMEOUT);
        for field in ["headers", "trace_id"] {
            assert_eq!(record.get(field), None, "{record}");
        }
    }
}

#[test]
fn log_headers_follow_a_reload() {
    let backend = Backend::start();
    let upstream = format!("upstream: {}\n", backend.url());
    let sidecar = Sidecar::start(&upstream);
    sidecar.write_config(&format!("{upstream}log: {{headers: [user-agent]}}"));
    sidecar.log_event("config_reloaded", TIMEOUT);
    let request = Request::opening("/").header("User-Agent", "x");
    let _client = Wire::open(&sidecar, &request);
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    assert_eq!(opened["headers"], json!({"user-agent": "x"}), "{opened}");
}

#[test]
fn a_path_that_steers_terminals_is_escaped_in_the_text_of_every_record() {
    let backend = Backend::start();
    let upstream = format!("upstream: {}\n", backend.url());
    let sidecar = Sidecar::start(&upstream);
    sidecar.write_config(&format!("{upstream}log: {{format: text, headers: [x-h]}}"));
    support::wait_until("the log is text", || {
        sidecar.whole_log().contains(" config_reloaded ")
    });
    let request = Request::opening("/\u{9b}2J\u{202e}").header("X-H", "\u{200f}\u{85}");
    let mut client = Wire::open(&sidecar, &request);
    let mut upstream = backend.accept().wire;
    upstream.send_frame(&Frame::close(4000, "\u{9b}2J\u{2066}gone\u{2028}"));
    upstream.end_sending();
    client.answer_close();
    support::wait_until("the closing record is there", || {
        sidecar.whole_log().contains("connection_closed")
    });
    let log = sidecar.whole_log();
    for escape in [
        "\\\\u009b2J\\\\u202e",
        "\\\\u200f\\\\u0085",
        "\\\\u2066gone\\\\u2028",
    ] {
        assert!(log.contains(escape), "{escape} in {log}");
    }
    let raw = [
        '\u{9b}', '\u{202e}', '\u{200f}', '\u{85}', '\u{2066}', '\u{2028}',
    ];
    assert!(!log.contains(raw), "{log}");
}
