//! The Host header (RFC 9112 section 3.2): what is refused, and what the backend gets.

use super::*;

/// Answers to requests that no backend sees.
fn refused(site: &Site, request: impl AsRef<[u8]>) {
    let mut client = site.client();
    client.send(request);
    let head = client.head();
    assert_eq!(head.line.split(' ').nth(1), Some("400"), "{head:?}");
    let length = head.header("content-length").unwrap().parse().unwrap();
    let body: serde_json::Value = serde_json::from_slice(&client.exactly(length)).unwrap();
    assert_eq!(body["error"], "client_bad_handshake");
    let record = site.sidecar.log_event("handshake_failed", TIMEOUT);
    assert_eq!(record["initiator"], "client");
    let detail = record["detail"].as_str().unwrap();
    assert!(detail.contains("Host"), "{record}");
    assert!(!record.to_string().contains("password"), "{record}");
}

const OPENING: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[test]
fn a_request_without_exactly_one_host_is_refused() {
    let site = Site::start();
    for hosts in [
        "",
        "Host: a\r\nHost: b\r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: a b\r\n",
        "Host: user:password@a\r\n",
        "Host: \r\n",
        "Host: a/b\r\n",
        "Host: a:99999\r\n",
    ] {
        for opening in ["", OPENING] {
            refused(&site, format!("GET / HTTP/1.1\r\n{hosts}{opening}\r\n"));
        }
        if !hosts.is_empty() {
            refused(&site, format!("GET / HTTP/1.0\r\n{hosts}\r\n"));
        }
        // What the URI says does not mend it.
        refused(&site, format!("GET http://a/ HTTP/1.1\r\n{hosts}\r\n"));
    }
    site.origin.expect_nobody(Duration::from_millis(100));
}

#[test]
fn an_old_client_without_host_reaches_a_strict_backend() {
    let site = Site::start();
    let mut client = site.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let mut backend = site.origin.accept();
    let head = backend.head();
    let authority = site.origin.address().to_string();
    assert_eq!(head.header("host"), Some(&*authority));
    assert_eq!(head.header("x-forwarded-host"), None);
    backend.send(OK);
    assert!(client.head().line.starts_with("HTTP/1.0 200 "));
}

#[test]
fn user_and_password_of_a_uri_go_nowhere() {
    let site = Site::start();
    let mut client = site.client();
    client.send("GET http://user:password@chat.example.com:81/x HTTP/1.1\r\nHost: other\r\n\r\n");
    let mut backend = site.origin.accept();
    let head = backend.head();
    assert_eq!(head.line, "GET /x HTTP/1.1");
    assert_eq!(head.header("host"), Some("chat.example.com:81"));
    assert_eq!(head.header("x-forwarded-host"), Some("chat.example.com:81"));
    backend.send(OK);
    client.whole_answer(200);

    client.send(format!(
        "GET http://user:password@chat.example.com/ws HTTP/1.1\r\nHost: chat.example.com\r\n{OPENING}\r\n"
    ));
    let mut backend = site.origin.accept();
    let head = backend.head();
    assert_eq!(head.header("host"), Some("chat.example.com"));
    backend.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    client.answer(403);
    let record = site.sidecar.log_event("handshake_failed", TIMEOUT);
    assert_eq!(record["host"], "chat.example.com");
    assert!(!record.to_string().contains("password"), "{record}");
}
