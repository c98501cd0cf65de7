//! How it is found out whether a backend is up: `upstream.health`.

use serde_json::json;

use super::*;
use crate::support::{Backend, Handshake, wait_until};

/// A sidecar in front of a backend that is checked so, and of another one that is tried all the time: its tries are the
/// clock of tests that something does not happen.
struct Checked {
    sidecar: Sidecar,
    metrics: SocketAddr,
    clock: Backend,
}

impl Checked {
    fn start(upstream: &str) -> Checked {
        let clock = Backend::start();
        let sidecar = Sidecar::start(&Checked::text(upstream, &clock));
        let metrics = address(&sidecar, "metrics");
        Checked {
            sidecar,
            metrics,
            clock,
        }
    }

    fn text(upstream: &str, clock: &Backend) -> String {
        format!(
            "upstream: {upstream}\n{METRICS}\nroutes:\n- match: {{path: /clock}}\n  upstream: {{url: '{}', \
             health: {{mode: tcp, interval: 50ms}}}}\n",
            clock.url()
        )
    }

    fn reload(&self, upstream: &str) {
        self.sidecar
            .write_config(&Checked::text(upstream, &self.clock));
        self.sidecar.log_event("config_reloaded", TIMEOUT);
    }

    /// Lets twenty intervals pass.
    fn wait(&self) {
        let before = self.clock.empty_connections();
        wait_until("the other backend was tried often", || {
            self.clock.empty_connections() >= before + 20
        });
    }

    fn is_ready(&self) -> bool {
        get(self.metrics, "/readyz").status == 200
    }

    fn wait_until_ready(&self, is_ready: bool) {
        wait_until("readiness changes", || self.is_ready() == is_ready);
    }
}

fn answer(status: &str) -> Handshake {
    Handshake::raw(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))
}

fn checked(backend: &Backend, health: &str) -> String {
    format!("{{url: '{}', health: {{{health}}}}}", backend.url())
}

#[test]
fn a_passive_check_makes_no_empty_connection_after_the_first_success() {
    let backend = Backend::start();
    let upstream = checked(&backend, "interval: 50ms");
    let checked = Checked::start(&upstream);
    checked.wait_until_ready(true);
    checked.wait();
    assert_eq!(backend.empty_connections(), 1);
    // Nor does a client that is served, or a reload, make one.
    Wire::open(&checked.sidecar, &Request::opening("/"));
    checked.reload(&upstream.replace("50ms", "60ms"));
    checked.wait();
    assert_eq!(backend.empty_connections(), 1);
    assert!(checked.is_ready());
}

#[test]
fn the_first_success_may_be_a_clients_own() {
    let reserved = Backend::reserve("127.0.0.1:0".parse().unwrap());
    let address = reserved.local_addr().unwrap().as_socket().unwrap();
    let checked = Checked::start(&format!(
        "{{url: 'ws://{address}', health: {{interval: 1h}}}}"
    ));
    checked.sidecar.log_event("upstream_down", TIMEOUT);
    let backend = Backend::on_reserved(reserved, Handshake::accept());
    Wire::open(&checked.sidecar, &Request::opening("/"));
    checked.sidecar.log_event("upstream_up", TIMEOUT);
    assert!(checked.is_ready());
    checked.wait();
    assert_eq!(backend.empty_connections(), 0);
}

#[test]
fn a_backend_that_a_client_finds_down_is_tried_until_it_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("b.sock");
    let backend = Backend::on_unix(&socket, Handshake::accept());
    let upstream = checked(&backend, "interval: 50ms");
    let checked = Checked::start(&upstream);
    checked.wait_until_ready(true);
    drop(backend);
    checked.wait();
    assert!(checked.is_ready(), "nobody has looked");
    let answer = Wire::connect(checked.sidecar.address()).ask(&Request::opening("/"));
    assert_eq!(answer.status, 502);
    let record = checked.sidecar.log_event("upstream_down", TIMEOUT);
    assert_eq!(record["upstream"], format!("unix:{}", socket.display()));
    assert!(!checked.is_ready());

    std::fs::remove_file(&socket).unwrap();
    let back = Backend::on_unix(&socket, Handshake::accept());
    checked.sidecar.log_event("upstream_up", TIMEOUT);
    assert!(checked.is_ready());
    checked.wait();
    assert_eq!(back.empty_connections(), 1, "the one that found it");
}

#[test]
fn an_http_check_asks_for_its_path_and_takes_any_answer_below_500() {
    let backend = Backend::answering(answer("200 OK"));
    let health = "mode: http, interval: 100ms, path: '/healthz?full=1'";
    let checked = Checked::start(&checked(&backend, health));
    checked.wait_until_ready(true);
    let request = backend.accept().head;
    assert_eq!(request.line, "GET /healthz?full=1 HTTP/1.1");
    assert_eq!(request.header("host"), Some(&*backend.name()));
    assert_eq!(request.header("connection"), Some("close"));
    assert_eq!(request.header("upgrade"), None);

    for (bad, detail) in [
        (
            answer("500 Internal Server Error"),
            "GET /healthz?full=1: 500 Internal Server Error",
        ),
        (
            answer("503 Service Unavailable"),
            "GET /healthz?full=1: 503 Service Unavailable",
        ),
        (
            Handshake::raw("no HTTP at all\r\n\r\n"),
            "GET /healthz?full=1: invalid HTTP version parsed",
        ),
        (
            Handshake::silent(),
            "GET /healthz?full=1: no answer within 100ms",
        ),
    ] {
        backend.answer_with(bad);
        let record = checked.sidecar.log_event("upstream_down", TIMEOUT);
        assert_eq!(record["detail"], detail);
        assert!(!checked.is_ready());
        backend.answer_with(answer("404 Not Found"));
        checked.sidecar.log_event("upstream_up", TIMEOUT);
        checked.wait_until_ready(true);
    }
    // That it takes connections does not make it up.
    backend.answer_with(answer("500 Internal Server Error"));
    checked.sidecar.log_event("upstream_down", TIMEOUT);
    let plain = Request::line("GET / HTTP/1.1").header("Host", "a");
    assert_eq!(
        Wire::connect(checked.sidecar.address()).ask(&plain).status,
        500
    );
    assert!(!checked.is_ready());
    assert_eq!(backend.empty_connections(), 0);
}

#[test]
fn a_backend_that_is_not_checked_is_always_up() {
    let reserved = Backend::reserve("127.0.0.1:0".parse().unwrap());
    let address = reserved.local_addr().unwrap().as_socket().unwrap();
    let off = format!("{{url: 'ws://{address}', health: {{mode: off}}, retry: {{attempts: 1}}}}");
    let checked = Checked::start(&off);
    checked.wait_until_ready(true);
    let answer = Wire::connect(checked.sidecar.address()).ask(&Request::opening("/"));
    assert_eq!(answer.status, 502);
    assert!(checked.is_ready());
    assert!(checked.sidecar.logged("upstream_down").is_empty());
    let body = get(checked.metrics, "/readyz").json();
    assert_eq!(
        body["upstreams"][0],
        json!({"address": address.to_string(), "up": true, "detail": null})
    );
}

#[test]
fn checks_follow_the_file() {
    let backend = Backend::answering(answer("500 Internal Server Error"));
    let checked_by = |health: &str| checked(&backend, health);
    let checked = Checked::start(&checked_by("mode: passive"));
    checked.wait_until_ready(true);
    checked.reload(&checked_by("mode: http, interval: 50ms"));
    checked.sidecar.log_event("upstream_down", TIMEOUT);
    checked.reload(&checked_by("mode: tcp, interval: 50ms"));
    checked.sidecar.log_event("upstream_up", TIMEOUT);
    let before = backend.empty_connections();
    wait_until("it is tried", || backend.empty_connections() > before + 5);
    checked.reload(&checked_by("mode: off"));
    // One may be under way.
    checked.wait();
    let before = backend.empty_connections();
    checked.wait();
    assert_eq!(backend.empty_connections(), before);
}
