//! The listeners themselves: who answers there, how they follow the file, and when they end.

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use rustix::process::Signal;
use serde_json::json;

use super::*;
use crate::support::{Backend, Request, wait_until};

fn start(settings: &str) -> Sidecar {
    Sidecar::start(&format!("upstream: ws://127.0.0.1:9\n{settings}"))
}

fn is_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let body = answer.json();
    assert_eq!(
        (&body["status"], &body["type"]),
        (&json!(status), &json!("about:blank"))
    );
    assert!(body["detail"].as_str().unwrap().len() > 5, "{body}");
}

#[test]
fn each_answers_what_is_its_own() {
    let sidecar = start(&format!("{METRICS}\n{ADMIN}"));
    let (metrics, admin) = (address(&sidecar, "metrics"), address(&sidecar, "admin"));
    assert_eq!(get(metrics, "/livez").status, 200);
    for path in ["/", "/live", "/livez/", "/api/summary", "/metrics/x"] {
        is_problem(&get(metrics, path), 404);
    }
    is_problem(&get(admin, "/livez"), 404);
    // Clients see none of it: their paths are the backend's.
    assert_eq!(get(sidecar.address(), "/livez").status, 502);
    // Several requests on one connection, and none that changes anything.
    let mut wire = Wire::connect(metrics);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let answer = wire.ask(&request(&format!("{method} /livez")));
        is_problem(&answer, 405);
        assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    }
    assert_eq!(wire.ask(&request("GET /livez?verbose")).status, 200);
}

#[test]
fn head_is_get_without_its_body() {
    let sidecar = start(METRICS);
    let metrics = address(&sidecar, "metrics");
    let mut wire = TcpStream::connect(metrics).unwrap();
    wire.set_read_timeout(Some(TIMEOUT)).unwrap();
    let head = request("HEAD /livez").header("Connection", "close");
    std::io::Write::write_all(&mut wire, &head.encode()).unwrap();
    let mut text = String::new();
    wire.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(
        text.to_lowercase().contains("content-length: 3\r\n"),
        "{text}"
    );
    assert!(text.ends_with("\r\n\r\n"), "{text}");
}

#[test]
fn large_and_malformed_requests_are_refused() {
    let sidecar = start(METRICS);
    let metrics = address(&sidecar, "metrics");
    let large = request("GET /livez").header("X", &"x".repeat(20_000));
    assert_eq!(Wire::connect(metrics).ask(&large).status, 431);
    let bad = Request::line("GET /livez");
    assert_eq!(Wire::connect(metrics).ask(&bad).status, 400);
    assert_eq!(get(metrics, "/livez").status, 200);
}

#[test]
fn they_follow_the_file() {
    let backend = Backend::echo();
    let sidecar = Sidecar::start(&format!("upstream: {}\n{METRICS}", backend.url()));
    let first = address(&sidecar, "metrics");
    let write = |settings: &str| {
        sidecar.write_config(&format!("upstream: {}\n{settings}", backend.url()));
        sidecar.log_event("config_reloaded", TIMEOUT)
    };
    let record = write(&format!("metrics: {{listen: '127.0.0.2:0'}}\n{ADMIN}"));
    assert_eq!(
        record["detail"],
        "metrics.listen: 127.0.0.1:0 -> 127.0.0.2:0; admin: off -> {listen: 127.0.0.1:0}"
    );
    let second = address(&sidecar, "metrics");
    assert_eq!(second.ip().to_string(), "127.0.0.2");
    assert_eq!(get(second, "/livez").status, 200);
    assert_eq!(get(address(&sidecar, "admin"), "/nothing").status, 404);
    let ended = sidecar.log_event("metrics_listening_ended", TIMEOUT);
    assert_eq!(ended["address"], first.to_string());
    wait_until("the old address refuses", || {
        TcpStream::connect(first).is_err()
    });

    // One that cannot be had refuses the whole file, and the old one stays.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_at = taken.local_addr().unwrap();
    sidecar.write_config(&format!(
        "upstream: {}\nmetrics: {{listen: '{taken_at}'}}\n{ADMIN}",
        backend.url()
    ));
    let record = sidecar.log_event("config_rejected", TIMEOUT);
    let told = format!(
        "cannot listen on {taken_at}: the address is in use. Stop what uses it, or change `metrics.listen`"
    );
    assert_eq!(record["problems"], json!([told]));
    assert_eq!(get(second, "/livez").status, 200);

    write("");
    sidecar.log_event("admin_listening_ended", TIMEOUT);
    wait_until("nobody listens any more", || {
        TcpStream::connect(second).is_err()
    });
    Wire::open(&sidecar, &Request::opening("/"));
}

#[test]
fn they_are_the_last_that_end() {
    let backend = Backend::echo();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("m.sock");
    let sidecar = Sidecar::start_in(
        folder,
        &format!(
            "upstream: {}\ndrain: {{spread: 0s, timeout: 60s}}\nlimits: {{close_timeout: 50s}}\nmetrics: {{listen: 'unix:{}'}}\n{ADMIN}",
            backend.url(),
            socket.display()
        ),
    );
    let admin = address(&sidecar, "admin");
    let mut client = Wire::open(&sidecar, &Request::opening("/"));
    // Idle connections hold nobody up.
    let mut idle = Wire::connect_unix(&socket);
    assert_eq!(idle.ask(&request("GET /livez")).status, 200);
    sidecar.signal(Signal::TERM);
    sidecar.log_event("draining", TIMEOUT);
    client.expect_close();
    wait_until("clients are refused", || {
        TcpStream::connect(sidecar.address()).is_err()
    });
    assert_eq!(
        Wire::connect_unix(&socket)
            .ask(&request("GET /livez"))
            .status,
        200
    );
    assert_eq!(get(admin, "/nothing").status, 404);
    drop(client);
    assert_eq!(sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
    assert!(!socket.exists());
}
