//! `limits.http_timeout` and `limits.max_http_requests`.

use super::*;
use crate::support::wait_until;

const LIMIT: &str = "limits: {http_timeout: 1s}";

fn failure(site: &Site, reason: &str, initiator: &str) -> serde_json::Value {
    let record = site.sidecar.log_event("http_failed", TIMEOUT);
    assert_eq!(record["reason"], reason, "{record}");
    assert_eq!(record["initiator"], initiator, "{record}");
    assert!(!record.to_string().contains("secret"), "{record}");
    record
}

/// No socket of any client or backend is left.
fn expect_quiet(site: &Site, files: usize) {
    wait_until("no connection is left", || {
        site.sidecar.open_files() <= files
    });
}

#[test]
fn a_backend_that_does_not_answer_is_a_gateway_timeout() {
    let site = Site::with(LIMIT);
    let files = site.sidecar.open_files();
    for request in [
        get("/?secret=1"),
        post("/").header("Content-Length", "4").followed_by(b"body"),
    ] {
        let mut client = site.client();
        client.request(&request);
        let mut backend = site.origin.accept();
        backend.head();
        let (_, body) = client.whole_answer(504);
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"], "upstream_timeout");
        assert_eq!(
            failure(&site, "upstream_timeout", "upstream")["status"],
            504
        );
        backend.rest();
    }
    expect_quiet(&site, files);
}

#[test]
fn a_client_that_stops_inside_its_body_gets_an_error_and_the_blame() {
    let site = Site::with(LIMIT);
    let files = site.sidecar.open_files();
    let mut client = site.client();
    client.request(
        &post("/")
            .header("Content-Length", "100")
            .followed_by(b"part"),
    );
    let mut backend = site.origin.accept();
    backend.head();
    let (head, body) = client.whole_answer(408);
    assert_eq!(head.header("connection"), Some("close"));
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["error"], "client_timeout");
    assert_eq!(failure(&site, "client_timeout", "client")["status"], 408);
    assert_eq!(backend.rest().0, b"part");
    drop((client, backend));
    expect_quiet(&site, files);
}

#[test]
fn an_answer_that_stops_is_cut_and_is_the_backends_fault() {
    let site = Site::with(LIMIT);
    let files = site.sidecar.open_files();
    for request in [get("/"), Request::opening("/")] {
        let mut client = site.client();
        client.request(&request);
        let mut backend = site.origin.accept();
        backend.head();
        backend.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\npart");
        client.answer(403);
        assert_eq!(client.rest().0, b"part");
        let record = failure(&site, "upstream_timeout", "upstream");
        assert_eq!(record["route"], "default");
        assert!(record["status"].is_null(), "{record}");
        backend.rest();
    }
    expect_quiet(&site, files);
}

#[test]
fn an_answer_that_the_client_does_not_take_is_cut_and_is_the_clients_fault() {
    let site = Site::with(LIMIT);
    let files = site.sidecar.open_files();
    let mut client = site.client();
    client.request(&get("/"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send("HTTP/1.1 200 OK\r\nContent-Length: 80000000\r\n\r\n");
    let sending = std::thread::spawn(move || while backend.try_send(&[0; 100_000]) {});
    failure(&site, "client_timeout", "client");
    drop(client);
    sending.join().unwrap();
    expect_quiet(&site, files);
}

#[test]
fn a_slow_transfer_is_not_cut() {
    let site = Site::with(LIMIT);
    let mut client = site.client();
    let pause = || std::thread::sleep(Duration::from_millis(300));
    client.request(&post("/").header("Content-Length", "6"));
    let mut backend = site.origin.accept();
    backend.head();
    for byte in *b"upload" {
        pause();
        client.send([byte]);
        assert_eq!(backend.exactly(1), [byte]);
    }
    backend.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
    client.answer(200);
    for byte in *b"answer" {
        pause();
        backend.send([byte]);
        assert_eq!(client.exactly(1), [byte]);
    }
    assert!(site.sidecar.logged("http_failed").is_empty());
}

#[test]
fn a_backend_that_takes_a_body_slowly_is_left_alone() {
    let site = Site::with(LIMIT);
    let mut client = site.client();
    let body = vec![7; 40_000_000];
    client.request(&post("/").header("Content-Length", &body.len().to_string()));
    let mut backend = site.origin.accept();
    backend.head();
    let mut sender = client.sender();
    let rest = body.clone();
    let sending = std::thread::spawn(move || sender.send(rest));
    // The client's socket is full, and so is the sidecar's: only the backend's side moves.
    let mut taken = 0;
    for _ in 0..6 {
        std::thread::sleep(Duration::from_millis(400));
        taken += backend.exactly(3_000_000).len();
    }
    backend.exactly(body.len() - taken);
    sending.join().unwrap();
    backend.send(OK);
    client.whole_answer(200);
}

#[test]
fn requests_beyond_the_most_in_flight_are_refused_at_once() {
    let site = Site::with("limits: {max_http_requests: 2}");
    let mut busy: Vec<(Peer, Peer)> = Vec::new();
    for _ in 0..2 {
        let mut client = site.client();
        client.request(&get("/busy"));
        let mut backend = site.origin.accept();
        backend.head();
        busy.push((client, backend));
    }
    let mut client = site.client();
    client.request(&get("/?secret=1"));
    let (head, body) = client.whole_answer(503);
    assert!(head.header("retry-after").is_some(), "{head:?}");
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["error"], "over_capacity");
    let record = failure(&site, "over_capacity", "sidecar");
    assert!(
        record["detail"]
            .as_str()
            .unwrap()
            .contains("limits.max_http_requests")
    );
    let (first, mut backend) = busy.pop().unwrap();
    let mut first = first;
    backend.send(OK);
    first.whole_answer(200);
    // The same connection of the client goes on.
    client.request(&get("/"));
    assert_eq!(backend.head().line, "GET / HTTP/1.1");
    backend.send(OK);
    client.whole_answer(200);
}
