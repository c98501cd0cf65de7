//! One end goes away, or was never there; and connections that are used again.

use std::time::Duration;

use super::peer::End;
use super::*;
use crate::support::wait_until;

#[test]
fn a_backend_that_is_down_is_reported_to_client_and_log() {
    // It never listened: a socket that did may live on for a moment in a process that another test is just starting.
    let refusing = support::Backend::reserve("127.0.0.1:0".parse().unwrap());
    let address = refusing.local_addr().unwrap().as_socket().unwrap();
    let sidecar = Sidecar::start(&format!("upstream: ws://{address}"));
    let mut client = Peer::connect(sidecar.address());
    client.request(&get("/secret?token=1").header("X-Request-Id", "req-7"));
    let (head, body) = client.whole_answer(502);
    assert_eq!(head.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let told = serde_json::json!({"error": "upstream_refused", "request_id": "req-7"});
    assert_eq!(body, told);

    let record = sidecar.log_event("http_failed", TIMEOUT);
    assert_eq!(record["level"], "WARN");
    assert_eq!(record["request_id"], "req-7");
    assert_eq!(record["reason"], "upstream_refused");
    assert_eq!(record["status"], 502);
    assert!(!record.to_string().contains("token"), "{record}");

    // The connection goes on, and an id is made up where none came.
    client.request(&get("/"));
    let (_, body) = client.whole_answer(502);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["request_id"].as_str().map(str::len), Some(26));
}

#[test]
fn an_answer_that_is_no_http_is_a_bad_gateway() {
    let site = Site::start();
    for answer in ["SSH-2.0-OpenSSH_9.2\r\n\r\n", ""] {
        let mut client = site.client();
        client.request(&post("/").header("Content-Length", "0"));
        let mut backend = site.origin.accept();
        backend.head();
        backend.send(answer);
        drop(backend);
        let (_, body) = client.whole_answer(502);
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"], "upstream_bad_handshake");
        let record = site.sidecar.log_event("http_failed", TIMEOUT);
        assert_eq!(record["reason"], "upstream_bad_handshake");
    }
}

/// An answer of `len` bytes of which only a part comes before the backend goes; how the client sees it.
fn cut_off(framing: &str, part: &str) -> (Vec<u8>, End) {
    let site = Site::start();
    let mut client = site.client();
    client.request(&get("/"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{part}"));
    client.answer(200);
    drop(backend);
    client.rest()
}

#[test]
fn an_answer_that_is_cut_off_looks_cut_off() {
    let (body, _) = cut_off("Content-Length: 10", "01234");
    assert_eq!(body, b"01234");
    let (body, _) = cut_off("Transfer-Encoding: chunked", "5\r\n01234\r\n");
    let body = String::from_utf8(body).unwrap();
    assert!(body.ends_with("01234\r\n"), "no last chunk: {body:?}");
}

#[test]
fn a_client_that_leaves_takes_the_backends_connection_with_it() {
    let site = Site::start();
    // While the backend thinks; in the middle of the answer; in the middle of its own body.
    let waits = get("/");
    let sends = post("/")
        .header("Content-Length", "100")
        .followed_by(b"part");
    for (request, answer) in [
        (&waits, ""),
        (&waits, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"),
        (&sends, ""),
    ] {
        for resets in [false, true] {
            let mut client = site.client();
            client.request(request);
            let mut backend = site.origin.accept();
            backend.head();
            if answer.is_empty() {
                backend.send("HTTP/1.1 103 Early Hints\r\n\r\n");
            } else {
                backend.send(answer);
                client.answer(200);
            }
            if resets {
                client.reset();
            } else {
                drop(client);
            }
            let (rest, _) = backend.rest();
            assert!(b"part".starts_with(&rest), "{rest:?}");
        }
    }
    let quiet = site.sidecar.open_files();
    wait_until("no connection is left", || {
        site.sidecar.open_files() <= quiet
    });
}

#[test]
fn connections_to_the_backend_are_used_again() {
    let site = Site::start();
    let mut client = site.client();
    client.request(&get("/first"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(OK);
    client.whole_answer(200);

    client.request(&get("/second"));
    assert_eq!(backend.head().line, "GET /second HTTP/1.1");
    backend.send(OK);
    client.whole_answer(200);

    // By another client, too. This answer is the sidecar's own: whoever served the first client has come so far that
    // the connection is free.
    client.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    client.whole_answer(404);
    let mut client = site.client();
    client.request(&get("/third"));
    assert_eq!(backend.head().line, "GET /third HTTP/1.1");
    backend.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    client.whole_answer(200);

    // The backend's `close` ends its connection and not the client's.
    client.request(&get("/fourth"));
    let mut other = site.origin.accept();
    assert_eq!(other.head().line, "GET /fourth HTTP/1.1");
    other.send(OK);
    client.whole_answer(200);
    backend.expect_end();
}

/// One request, so that the sidecar keeps a connection to the backend.
fn with_kept_connection(site: &Site) -> (Peer, Peer) {
    let mut client = site.client();
    client.request(&get("/"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(OK);
    client.whole_answer(200);
    (client, backend)
}

#[test]
fn a_kept_connection_that_the_backend_has_closed_is_not_used() {
    let site = Site::start();
    for request in [get("/again"), post("/again").header("Content-Length", "0")] {
        let (mut client, backend) = with_kept_connection(&site);
        let before = site.sidecar.open_files();
        drop(backend);
        wait_until("the sidecar has noticed", || {
            site.sidecar.open_files() < before
        });
        client.request(&request);
        let mut backend = site.origin.accept();
        assert!(backend.head().line.contains(" /again "));
        backend.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        client.whole_answer(200);
    }
}

/// The backend's end and the next request meet on their way (RFC 9112 section 9.3.1).
#[test]
fn a_kept_connection_that_is_just_being_closed_costs_a_get_nothing() {
    let site = Site::start();
    let (mut client, mut old) = with_kept_connection(&site);
    client.request(&get("/again").header("X-Kept", "1"));
    old.head();
    old.reset();
    let mut backend = site.origin.accept();
    let head = backend.head();
    assert_eq!(head.line, "GET /again HTTP/1.1");
    assert_eq!(head.header("x-kept"), Some("1"));
    assert_eq!(head.header("x-forwarded-for"), Some("127.0.0.1"));
    backend.send(OK);
    client.whole_answer(200);
}

#[test]
fn unsafe_requests_are_not_retried() {
    let site = Site::start();
    let (mut client, mut old) = with_kept_connection(&site);
    client.request(&post("/pay").header("Content-Length", "0"));
    old.head();
    drop(old);
    client.whole_answer(502);
    site.origin.expect_nobody(Duration::from_millis(200));

    // Nor is a GET whose connection had not been used before: the backend itself is ill.
    client.request(&get("/"));
    let mut backend = site.origin.accept();
    backend.head();
    drop(backend);
    client.whole_answer(502);
    site.origin.expect_nobody(Duration::from_millis(200));
}
