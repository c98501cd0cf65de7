//! Whose fault it was that a plain request failed.

use super::*;

/// Sends a request with this framing and this of a body, and ends the sending side; the record. The backend has seen
/// the request, or the body was no good from the beginning.
fn abandoned(framing: &str, part: &str) -> serde_json::Value {
    let site = Site::start();
    let mut client = site.client();
    client.send(format!(
        "POST /upload?secret=1 HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{part}"
    ));
    client.end_sending();
    let (_, body) = client.whole_answer(400);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let record = site.sidecar.log_event("http_failed", TIMEOUT);
    assert_eq!(body["error"], record["reason"]);
    assert_eq!(record["initiator"], "client");
    assert_eq!(record["level"], "INFO");
    assert_eq!(record["status"], 400);
    assert!(!record.to_string().contains("secret"), "{record}");
    record
}

#[test]
fn a_client_that_gives_up_its_upload_is_not_the_backends_fault() {
    for (framing, part) in [
        ("Content-Length: 10", "part"),
        ("Transfer-Encoding: chunked", "4\r\npart\r\n"),
        ("Transfer-Encoding: chunked", "a\r\npart"),
    ] {
        assert_eq!(abandoned(framing, part)["reason"], "client_gone");
    }
}

#[test]
fn nor_is_a_body_that_is_none() {
    for part in [
        "zz\r\npart\r\n",
        "4\r\npartXX\r\n",
        "-1\r\n",
        "ffffffffffffffffff\r\n",
    ] {
        let record = abandoned("Transfer-Encoding: chunked", part);
        assert_eq!(record["reason"], "client_bad_handshake", "{part:?}");
    }
}

#[test]
fn a_client_that_resets_its_upload_leaves_no_line_that_blames_the_backend() {
    let site = Site::start();
    let mut client = site.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npart");
    let mut backend = site.origin.accept();
    backend.head();
    client.reset();
    let (body, _) = backend.rest();
    assert_eq!(body, b"part");
    // The next failure is the first that is logged.
    let mut client = site.client();
    client.request(&post("/").header("Content-Length", "0"));
    let mut backend = site.origin.accept();
    backend.head();
    drop(backend);
    let (_, _) = client.whole_answer(502);
    loop {
        let record = site.sidecar.log_event("http_failed", TIMEOUT);
        if record["initiator"] == "upstream" {
            break;
        }
        assert_eq!(record["reason"], "client_gone");
    }
}

#[test]
fn a_name_without_an_address_is_no_backend_that_refuses() {
    let sidecar = Sidecar::start(
        "upstream: {url: 'ws://no-such-host.invalid:9501', connect_timeout: 500ms, retry: {attempts: 1}}",
    );
    let mut client = Peer::connect(sidecar.address());
    client.request(&get("/"));
    let (_, body) = client.whole_answer(502);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["error"], "upstream_unresolved");
    let record = sidecar.log_event("http_failed", TIMEOUT);
    assert_eq!(record["reason"], "upstream_unresolved");
    assert_eq!(record["initiator"], "upstream");
    assert!(
        record["detail"].as_str().unwrap().contains("resolver"),
        "{record}"
    );

    let mut client = Peer::connect(sidecar.address());
    client.request(&Request::opening("/chat"));
    client.whole_answer(502);
    let record = sidecar.log_event("handshake_failed", TIMEOUT);
    assert_eq!(record["reason"], "upstream_unresolved");
}
