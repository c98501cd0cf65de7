//! Bodies: their framing, streaming both ways, and how little memory they take.

use super::*;

/// Bytes without a pattern that a lost or doubled piece could hide in.
fn content(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next)
        .flatten()
        .take(len)
        .collect()
}

const MIB: usize = 1024 * 1024;

#[test]
fn a_body_with_a_length_passes_both_ways() {
    let site = Site::start();
    let mut client = site.client();
    let request = post("/orders?id=1&x=%20").header("Content-Length", "5");
    client.request(&request.followed_by(b"hello"));

    let mut backend = site.origin.accept();
    let head = backend.head();
    assert_eq!(head.line, "POST /orders?id=1&x=%20 HTTP/1.1");
    assert_eq!(head.header("content-length"), Some("5"));
    assert_eq!(head.header("transfer-encoding"), None);
    assert_eq!(backend.exactly(5), b"hello");
    backend.send("HTTP/1.1 201 Created\r\nContent-Length: 3\r\nX-Answer: 42\r\n\r\nyes");

    let (head, body) = client.whole_answer(201);
    assert_eq!(head.header("x-answer"), Some("42"));
    assert_eq!(body, b"yes");
}

#[test]
fn chunks_arrive_in_both_directions_before_the_body_ends() {
    let site = Site::start();
    let mut client = site.client();
    client.request(&post("/").header("Transfer-Encoding", "chunked"));
    client.send("3\r\none\r\n");

    let mut backend = site.origin.accept();
    let head = backend.head();
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    assert_eq!(head.header("content-length"), None);
    assert_eq!(backend.chunks(3), b"one");
    // The answer overtakes the request's end.
    backend.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n");
    let head = client.answer(200);
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    assert_eq!(client.chunks(4), b"four");

    client.send("3\r\ntwo\r\n0\r\n\r\n");
    assert_eq!(backend.chunks(3), b"two");
    assert_eq!(backend.chunk(), b"");
    backend.send("4\r\nfive\r\n0\r\n\r\n");
    assert_eq!(client.chunks(4), b"five");
    assert_eq!(client.chunk(), b"");
}

#[test]
fn the_body_of_a_get_without_a_length_is_passed_on() {
    let site = Site::start();
    let mut client = site.client();
    let request = get("/search").header("Transfer-Encoding", "chunked");
    client.request(&request.followed_by(b"5\r\nquery\r\n0\r\n\r\n"));

    let mut backend = site.origin.accept();
    let head = backend.head();
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    assert_eq!(backend.chunks(5), b"query");
    assert_eq!(backend.chunk(), b"");
    backend.send(OK);
    assert_eq!(client.whole_answer(200).1, b"ok");
}

#[test]
fn a_large_request_waits_for_a_slow_backend_outside_of_memory() {
    let site = Site::start();
    let body = content(80 * MIB);
    let mut client = site.client();
    let before = site.sidecar.memory_kib();
    client.request(&post("/upload").header("Content-Length", &body.len().to_string()));
    let mut backend = site.origin.accept();
    backend.head();

    let sent = client.fill(&body);
    assert!(sent < body.len(), "all was taken, and nobody has read it");
    let grown = site.sidecar.memory_kib().saturating_sub(before);
    assert!(grown < 3 * 1024, "{grown} KiB more for {sent} bytes");

    let mut sender = client.sender();
    let rest = body[sent..].to_vec();
    let sending = std::thread::spawn(move || sender.send(rest));
    assert!(backend.exactly(body.len()) == body, "not what was sent");
    sending.join().unwrap();
    backend.send(OK);
    client.whole_answer(200);
    let grown = site.sidecar.memory_kib().saturating_sub(before);
    assert!(grown < 3 * 1024, "{grown} KiB more afterwards");
}

#[test]
fn a_large_answer_waits_for_a_slow_client_outside_of_memory() {
    let site = Site::start();
    let body = content(80 * MIB);
    let mut client = site.client();
    let before = site.sidecar.memory_kib();
    client.request(&get("/download"));
    let mut backend = site.origin.accept();
    backend.head();
    let len = body.len();
    backend.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n"));

    let sent = backend.fill(&body);
    assert!(sent < body.len(), "all was taken, and nobody has read it");
    let grown = site.sidecar.memory_kib().saturating_sub(before);
    assert!(grown < 3 * 1024, "{grown} KiB more for {sent} bytes");

    let rest = body[sent..].to_vec();
    let sending = std::thread::spawn(move || backend.send(rest));
    let (_, received) = client.whole_answer(200);
    assert!(received == body, "not what was sent");
    sending.join().unwrap();
}

#[test]
fn an_answer_that_ends_with_its_connection_is_whole() {
    let site = Site::start();
    let mut client = site.client();
    client.request(&get("/"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    drop(backend);

    let head = client.answer(200);
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    assert_eq!(client.chunks(13), b"until the end");
    assert_eq!(client.chunk(), b"");
}

#[test]
fn the_answer_to_head_keeps_its_length_and_has_no_body() {
    let site = Site::start();
    let mut client = site.client();
    let head = get("/file").with_line("HEAD /file HTTP/1.1");
    client.request(&head);
    let mut backend = site.origin.accept();
    assert_eq!(backend.head().line, "HEAD /file HTTP/1.1");
    backend.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    assert_eq!(client.answer(200).header("content-length"), Some("1234"));

    // Nothing of a body stands between it and the next answer, on either connection.
    client.request(&head);
    backend.head();
    backend.send("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.answer(404);
    client.request(&get("/"));
    backend.head();
    backend.send(OK);
    assert_eq!(client.whole_answer(200).1, b"ok");
}

#[test]
fn answers_without_a_body_have_none() {
    let site = Site::start();
    let mut client = site.client();
    for (answer, status) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", 204),
        (
            "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 99\r\n\r\n",
            304,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
    ] {
        client.request(&get("/"));
        let mut backend = site.origin.accept();
        backend.head();
        backend.send(answer);
        let head = client.answer(status);
        assert_eq!(head.header("transfer-encoding"), None, "{head:?}");
        if status == 304 {
            assert_eq!(head.header("etag"), Some("\"a\""));
        }
        // Another connection for the next round.
        drop(backend);
    }
    // Had one of them had a body, this answer would not be the next thing to be read.
    client.request(&get("/"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(OK);
    client.whole_answer(200);
}

#[test]
fn expect_100_continue_is_answered_when_somebody_wants_the_body() {
    let site = Site::start();
    let mut client = site.client();
    let request = post("/")
        .header("Content-Length", "4")
        .header("Expect", "100-continue");
    client.request(&request);
    let mut backend = site.origin.accept();
    assert_eq!(backend.head().header("expect"), None);
    client.answer(100);
    client.send("body");
    assert_eq!(backend.exactly(4), b"body");
    backend.send(OK);
    client.whole_answer(200);
}

#[test]
fn a_client_that_expects_100_continue_keeps_its_body_when_the_backend_is_down() {
    // It never listened: a socket that did may live on for a moment in a process that another test is just starting.
    let refusing = support::Backend::reserve("127.0.0.1:0".parse().unwrap());
    let address = refusing.local_addr().unwrap().as_socket().unwrap();
    let sidecar = Sidecar::start(&format!("upstream: ws://{address}"));
    let mut client = Peer::connect(sidecar.address());
    let request = post("/")
        .header("Content-Length", "4")
        .header("Expect", "100-continue");
    client.request(&request);
    client.whole_answer(502);
}

#[test]
fn informational_answers_do_not_take_the_place_of_the_final_one() {
    let site = Site::start();
    let mut client = site.client();
    client.request(&post("/").header("Content-Length", "0"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    backend.send(OK);
    loop {
        let head = client.head();
        if head.line.starts_with("HTTP/1.1 1") {
            continue;
        }
        assert!(head.line.starts_with("HTTP/1.1 200 "), "{head:?}");
        assert_eq!(client.exactly(2), b"ok");
        return;
    }
}
