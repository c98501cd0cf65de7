//! Whether new clients should come: what /readyz says, and what the log and the metrics say of backends.

use std::net::TcpStream;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::scrape::Scrape;
use super::*;
use crate::support::{Backend, Handshake, wait_until};

/// The probe's status and body.
fn readiness(metrics: SocketAddr) -> (u16, Value) {
    let answer = get(metrics, "/readyz");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    (answer.status, answer.json())
}

fn wait_for(metrics: SocketAddr, status: u16) -> Value {
    let mut last = Value::Null;
    wait_until("the probe's status changes", || {
        let (now, body) = readiness(metrics);
        last = body;
        now == status
    });
    last
}

fn start(upstream: &str) -> (Sidecar, SocketAddr) {
    let sidecar = Sidecar::start(&format!("upstream: {upstream}\n{METRICS}"));
    let metrics = address(&sidecar, "metrics");
    (sidecar, metrics)
}

#[test]
fn a_backend_that_goes_and_comes_back_is_noticed_without_connections() {
    // A socket's file is its own, unlike a port, which may be somebody else's by the time that the backend is back.
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("b.sock");
    let backend = Backend::on_unix(&socket, Handshake::accept());
    let name = backend.name();
    let (sidecar, metrics) = start(&format!(
        "{{url: '{}', health: {{mode: tcp, interval: 300ms}}}}",
        backend.url()
    ));
    let body = wait_for(metrics, 200);
    assert_eq!(
        body,
        json!({"ready": true, "draining": false, "upstreams": [{"address": name, "up": true, "detail": null}]})
    );
    assert!(sidecar.logged("upstream_down").is_empty() && sidecar.logged("upstream_up").is_empty());
    assert_eq!(Scrape::of(metrics).get("sidebeat_upstream_up"), 1.0);

    drop(backend);
    let record = sidecar.log_event("upstream_down", TIMEOUT);
    assert_eq!(
        (&record["level"], &record["upstream"]),
        (&json!("WARN"), &json!(name))
    );
    assert!(
        record["detail"].as_str().unwrap().contains("refused"),
        "{record}"
    );
    let (status, body) = readiness(metrics);
    assert_eq!((status, &body["ready"]), (503, &json!(false)));
    assert_eq!(body["upstreams"][0]["detail"], record["detail"]);
    let scrape = Scrape::of(metrics);
    assert_eq!(scrape.get("sidebeat_upstream_up"), 0.0);
    assert_eq!(
        scrape.get(&format!(
            "sidebeat_upstream_address_up{{upstream=\"{name}\"}}"
        )),
        0.0
    );
    // The process itself is as well as ever.
    assert_eq!(get(metrics, "/livez").status, 200);

    std::fs::remove_file(&socket).unwrap();
    let _back = Backend::on_unix(&socket, Handshake::accept());
    let record = sidecar.log_event("upstream_up", TIMEOUT);
    assert_eq!(
        (&record["level"], &record["upstream"]),
        (&json!("INFO"), &json!(name))
    );
    assert!(record["down_ms"].as_u64().unwrap() > 0, "{record}");
    assert_eq!(readiness(metrics).0, 200);
    assert_eq!(
        sidecar.logged("upstream_down").len(),
        1,
        "told on change, not at every try"
    );
}

#[test]
fn a_failed_dial_makes_the_sidecar_unready_at_once() {
    let reserved = Backend::reserve("127.0.0.1:0".parse().unwrap());
    let address = reserved.local_addr().unwrap().as_socket().unwrap();
    let (sidecar, metrics) = start(&format!(
        "{{url: 'ws://{address}', retry: {{attempts: 1}}}}"
    ));
    sidecar.log_event("upstream_down", TIMEOUT);
    let backend = Backend::on_reserved(reserved, Handshake::accept());
    // A client that gets through is news as well.
    Wire::open(&sidecar, &Request::opening("/"));
    sidecar.log_event("upstream_up", TIMEOUT);
    assert_eq!(readiness(metrics).0, 200);
    drop(backend);
    // For a moment it may live on in a process that another test is just starting.
    wait_until("nobody listens", || TcpStream::connect(address).is_err());
    let answer = Wire::connect(sidecar.address()).ask(&Request::opening("/"));
    assert_eq!(answer.status, 502);
    assert_eq!(readiness(metrics).0, 503);
    sidecar.log_event("upstream_down", TIMEOUT);
}

#[test]
fn one_backend_of_several_that_is_down_is_enough() {
    let backend = Backend::start();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("b.sock");
    let other = Backend::on_unix(&socket, Handshake::accept());
    let sidecar = Sidecar::start_in(
        folder,
        &format!(
            "upstream: {{url: '{}', health: {{mode: tcp, interval: 300ms}}}}\n{METRICS}\nroutes:\n\
             - {{match: {{path: /a}}, upstream: '{}'}}\n- {{match: {{path: /b}}}}",
            backend.url(),
            other.url()
        ),
    );
    let metrics = address(&sidecar, "metrics");
    let body = wait_for(metrics, 200);
    assert_eq!(
        body["upstreams"].as_array().unwrap().len(),
        2,
        "each address once: {body}"
    );
    drop(other);
    let record = sidecar.log_event("upstream_down", TIMEOUT);
    assert_eq!(record["upstream"], format!("unix:{}", socket.display()));
    let (status, body) = readiness(metrics);
    assert_eq!(status, 503);
    assert_eq!(
        (&body["upstreams"][0]["up"], &body["upstreams"][1]["up"]),
        (&json!(true), &json!(false))
    );
    let scrape = Scrape::of(metrics);
    assert_eq!(scrape.get("sidebeat_upstream_up"), 0.0);
    let up = format!(
        "sidebeat_upstream_address_up{{upstream=\"{}\"}}",
        backend.name()
    );
    assert_eq!(scrape.get(&up), 1.0);

    // The file says that it is not needed any more.
    sidecar.write_config(&format!("upstream: {}\n{METRICS}", backend.url()));
    sidecar.log_event("config_reloaded", TIMEOUT);
    assert_eq!(readiness(metrics).0, 200);
}

#[test]
fn backends_follow_the_file() {
    let (first, second) = (Backend::start(), Backend::start());
    let (sidecar, metrics) = start(&first.url());
    wait_for(metrics, 200);
    sidecar.write_config(&format!("upstream: ws://127.0.0.1:9\n{METRICS}"));
    sidecar.log_event("config_reloaded", TIMEOUT);
    let record = sidecar.log_event("upstream_down", TIMEOUT);
    assert_eq!(record["upstream"], "127.0.0.1:9");
    assert_eq!(readiness(metrics).0, 503);
    sidecar.write_config(&format!("upstream: {}\n{METRICS}", second.url()));
    sidecar.log_event("config_reloaded", TIMEOUT);
    wait_for(metrics, 200);
    assert!(
        sidecar.logged("upstream_up").is_empty(),
        "it is another one"
    );
}

#[test]
fn a_draining_sidecar_is_not_ready() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!(
        "upstream: {}\n{METRICS}\ndrain: {{delay: 60s, timeout: 120s}}",
        backend.url()
    ));
    let metrics = address(&sidecar, "metrics");
    wait_for(metrics, 200);
    sidecar.signal(Signal::TERM);
    sidecar.log_event("draining", TIMEOUT);
    // Whoever comes during the delay is served; the probe keeps others from coming.
    let (status, body) = readiness(metrics);
    assert_eq!((status, &body["draining"]), (503, &json!(true)));
    assert_eq!(body["upstreams"][0]["up"], json!(true));
    Wire::open(&sidecar, &Request::opening("/"));
    assert_eq!(get(metrics, "/livez").status, 200);
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
}
