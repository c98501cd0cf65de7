//! Answers that come before the request is over, and how long the head of an answer may be.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const LARGE: &str = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge";

/// An upload in chunks that goes on for as long as somebody takes it and it is not over.
fn keep_sending(mut sender: Peer, is_over: &AtomicBool) {
    let chunk = [b"4000\r\n", &[0; 0x4000][..], b"\r\n"].concat();
    while !is_over.load(Ordering::SeqCst) && sender.try_send(&chunk) {}
}

#[test]
fn an_answer_reaches_a_client_that_still_sends_when_the_backend_closes() {
    let site = Site::start();
    for round in 0..10 {
        let mut client = site.client();
        client.request(&post("/upload").header("Transfer-Encoding", "chunked"));
        let (sender, is_over) = (client.sender(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| keep_sending(sender, &is_over));
            let mut backend = site.origin.accept();
            backend.head();
            backend.chunks(64 * 1024);
            backend.send(LARGE);
            // With unread bytes in its socket: the connection is reset.
            drop(backend);
            let (_, body) = client.whole_answer(413);
            assert_eq!(body, b"large", "round {round}");
            is_over.store(true, Ordering::SeqCst);
        });
    }
    let failures = site.sidecar.logged("http_failed");
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn an_early_answer_of_a_backend_that_reads_on_arrives_at_once() {
    let site = Site::start();
    let mut client = site.client();
    client.request(&post("/upload").header("Content-Length", "8"));
    client.send("half");
    let mut backend = site.origin.accept();
    backend.head();
    assert_eq!(backend.exactly(4), b"half");
    backend.send("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge");
    assert_eq!(client.whole_answer(413).1, b"large");
    // What the client still sends, the backend still gets, and both connections are used again.
    client.send("rest");
    assert_eq!(backend.exactly(4), b"rest");
    client.request(&get("/next"));
    assert_eq!(backend.head().line, "GET /next HTTP/1.1");
    backend.send(OK);
    assert_eq!(client.whole_answer(200).1, b"ok");
}

#[test]
fn an_answer_sent_before_the_request_was_read_is_forwarded() {
    let site = Site::start();
    for request in [
        get("/"),
        post("/").header("Content-Length", "4").followed_by(b"body"),
        Request::opening("/"),
    ] {
        let mut client = site.client();
        client.request(&request);
        let mut backend = site.origin.accept();
        backend.send("HTTP/1.1 503 Full\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfull");
        drop(backend);
        let (_, body) = client.whole_answer(503);
        assert_eq!(body, b"full");
    }
}

/// An answer whose head has so many bytes, the last line of which is made as long as it has to be.
fn head_of(len: usize, start: &str, lines: usize) -> String {
    let mut head = format!("{start}\r\n");
    for line in 0..lines {
        head.push_str(&format!("X-{line}: {line}\r\n"));
    }
    head.push_str("X-Last: ");
    let rest = len - head.len() - "\r\n\r\n".len();
    head.push_str(&"x".repeat(rest));
    head.push_str("\r\n\r\n");
    assert_eq!(head.len(), len);
    head
}

/// What the client gets when the backend answers with this head.
fn answered(site: &Site, request: &Request, head: &str) -> support::Head {
    let mut client = site.client();
    client.request(request);
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(head);
    client.head()
}

const PLAIN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0";
const REFUSAL: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0";

#[test]
fn the_head_of_an_answer_passes_up_to_max_head() {
    for (setting, max_head) in [("1KiB", 1 << 10), ("16KiB", 16 << 10), ("64KiB", 64 << 10)] {
        let site = Site::with(&format!("limits: {{max_head: {setting}}}"));
        for (request, start, event) in [
            (get("/"), PLAIN, "http_failed"),
            (Request::opening("/"), REFUSAL, "handshake_failed"),
        ] {
            let answer = answered(&site, &request, &head_of(max_head, start, 0));
            assert!(!answer.line.contains(" 502 "), "{setting}: {}", answer.line);
            assert!(answer.header("x-last").is_some());
            for len in [max_head + 1, max_head + 100, 70 << 10] {
                let answer = answered(&site, &request, &head_of(len, start, 0));
                assert!(answer.line.contains(" 502 "), "{setting}: {}", answer.line);
                let record = site.sidecar.log_event_where(event, TIMEOUT, |record| {
                    record["reason"] != "upstream_rejected"
                });
                assert_eq!(record["reason"], "upstream_bad_handshake", "{record}");
                let detail = record["detail"].as_str().unwrap();
                assert!(detail.contains("limits.max_head"), "{detail}");
            }
        }
    }
}

#[test]
fn more_than_a_hundred_lines_are_no_reason_to_refuse_an_answer() {
    let site = Site::start();
    for (request, start) in [(get("/"), PLAIN), (Request::opening("/"), REFUSAL)] {
        let answer = answered(&site, &request, &head_of(16 << 10, start, 450));
        assert!(!answer.line.contains(" 502 "), "{}", answer.line);
        assert_eq!(answer.header("x-449"), Some("449"));
    }
}

#[test]
fn a_reload_of_max_head_holds_for_the_next_answer() {
    let site = Site::start();
    let head = head_of(20 << 10, PLAIN, 0);
    assert!(answered(&site, &get("/"), &head).line.contains(" 502 "));
    let upstream = format!("upstream: ws://{}", site.origin.address());
    let larger = format!("{upstream}\nlimits: {{max_head: 32KiB}}");
    site.sidecar.write_config(&larger);
    site.sidecar.log_event("config_reloaded", TIMEOUT);
    assert!(answered(&site, &get("/"), &head).line.contains(" 200 "));
}
