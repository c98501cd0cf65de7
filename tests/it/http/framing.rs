//! How long an answer is (RFC 9112 section 6.3): both ends must see the same.

use super::*;

/// What the client gets for a request when the backend answers with these bytes and ends.
fn answered(site: &Site, request: &str, answer: &str) -> (support::Head, Vec<u8>) {
    let mut client = site.client();
    client.send(request);
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(answer);
    drop(backend);
    let head = client.head();
    let (body, _) = client.rest();
    (head, body)
}

fn request(method: &str, version: &str) -> String {
    format!("{method} / HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n")
}

const OPENING: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const BOTH: &str = "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

#[test]
fn transfer_encoding_overrides_content_length() {
    let site = Site::start();
    for status in ["200 OK", "404 Not Found"] {
        for answer in [
            format!("HTTP/1.1 {status}\r\n{BOTH}"),
            format!(
                "HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            ),
            format!(
                "HTTP/1.1 {status}\r\ncontent-length: 2\r\nContent-Length: 5\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            ),
        ] {
            let (head, body) = answered(&site, &request("GET", "1.1"), &answer);
            assert_eq!(head.header("content-length"), None, "{head:?}");
            assert_eq!(body, b"3\r\nabc\r\n0\r\n\r\n");
            let (head, body) = answered(&site, &request("GET", "1.0"), &answer);
            assert_eq!(head.header("content-length"), None, "{head:?}");
            assert_eq!(head.header("transfer-encoding"), None, "{head:?}");
            assert_eq!(body, b"abc");
        }
    }
}

#[test]
fn so_it_does_where_an_opening_is_answered_otherwise() {
    let site = Site::start();
    let mut client = site.client();
    client.send(OPENING);
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(format!("HTTP/1.1 403 Forbidden\r\n{BOTH}"));
    let head = client.answer(403);
    assert_eq!(head.header("content-length"), None, "{head:?}");
    assert_eq!(client.chunks(3), b"abc");
    assert_eq!(client.chunk(), b"");
}

#[test]
fn an_answer_without_a_body_may_say_how_long_it_would_be() {
    let site = Site::start();
    let (head, body) = answered(
        &site,
        &request("HEAD", "1.1"),
        "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n",
    );
    assert_eq!(head.header("content-length"), Some("12"));
    assert_eq!(body, b"");
    let (head, body) = answered(
        &site,
        &request("HEAD", "1.1"),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    assert_eq!(head.header("content-length"), None, "{head:?}");
    assert_eq!(body, b"");
}

#[test]
fn a_length_or_coding_that_cannot_be_understood_is_a_bad_gateway() {
    let site = Site::start();
    for framing in [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2, 3",
        "Content-Length: +2",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, chunked",
    ] {
        for request in [&request("GET", "1.1"), OPENING] {
            let answer = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\nab");
            let mut client = site.client();
            client.send(request);
            let mut backend = site.origin.accept();
            backend.head();
            backend.send(answer);
            let (_, body) = client.whole_answer(502);
            let body = String::from_utf8(body).unwrap();
            assert!(body.contains("upstream_bad_handshake"), "{framing}: {body}");
            backend.expect_end();
        }
    }
}
