//! Heads: what is passed on, what is removed and added, and what is no request at all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

/// The head that the backend gets for a request, which is answered.
fn passed_on(site: &Site, request: &Request) -> support::Head {
    let mut client = site.client();
    client.request(request);
    let mut backend = site.origin.accept();
    let head = backend.head();
    backend.send(OK);
    client.whole_answer(200);
    head
}

#[test]
fn hop_by_hop_headers_are_not_forwarded() {
    let site = Site::start();
    let mut client = site.client();
    let request = get("/")
        .header("Connection", "keep-alive, X-Private, Content-Length")
        .header("X-Private", "1")
        .header("Keep-Alive", "timeout=5")
        .header("Proxy-Connection", "keep-alive")
        .header("Proxy-Authorization", "Basic YTpi")
        .header("TE", "trailers")
        .header("Trailer", "X-Sum")
        .header("X-Public", "2")
        .header("Authorization", "Bearer kept");
    client.request(&request);
    let mut backend = site.origin.accept();
    let head = backend.head();
    for name in [
        "connection",
        "x-private",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
    ] {
        assert_eq!(head.header(name), None, "{name} in {head:?}");
    }
    assert_eq!(head.header("x-public"), Some("2"));
    assert_eq!(head.header("authorization"), Some("Bearer kept"));

    backend.send(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\
         Keep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\nX-End: 2\r\n\r\nok",
    );
    let (head, _) = client.whole_answer(200);
    for name in ["connection", "x-hop", "keep-alive", "proxy-authenticate"] {
        assert_eq!(head.header(name), None, "{name} in {head:?}");
    }
    assert_eq!(head.header("x-end"), Some("2"));
}

#[test]
fn a_body_whose_length_is_named_as_hop_by_hop_keeps_its_bounds() {
    let site = Site::start();
    let mut client = site.client();
    let request = post("/")
        .header("Connection", "Content-Length")
        .header("Content-Length", "4");
    client.request(&request.followed_by(b"body"));
    let mut backend = site.origin.accept();
    let head = backend.head();
    assert_eq!(head.header("content-length"), Some("4"), "{head:?}");
    assert_eq!(backend.exactly(4), b"body");
    backend.send(OK);
    client.whole_answer(200);
}

#[test]
fn the_backend_learns_who_asks() {
    let site = Site::start();
    let head = passed_on(&site, &get("/"));
    assert_eq!(head.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(head.header("x-real-ip"), Some("127.0.0.1"));
    assert_eq!(head.header("x-forwarded-proto"), Some("http"));
    assert_eq!(head.header("x-forwarded-host"), Some("chat.example.com"));
    assert_eq!(head.header("host"), Some("chat.example.com"));
    assert_eq!(head.header("x-request-id").map(str::len), Some(26));

    let request = get("/")
        .header("X-Forwarded-For", "192.0.2.1")
        .header("X-Forwarded-For", "192.0.2.2, 192.0.2.3")
        .header("X-Real-IP", "192.0.2.3")
        .header("X-Sidebeat-User", "root")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "outside.example.com")
        .header("X-Request-Id", "abc-123");
    let head = passed_on(&site, &request);
    assert_eq!(
        head.header("x-forwarded-for"),
        Some("192.0.2.1, 192.0.2.2, 192.0.2.3, 127.0.0.1")
    );
    assert_eq!(head.header("x-real-ip"), Some("192.0.2.3"));
    assert_eq!(head.header("x-sidebeat-user"), None);
    assert_eq!(head.header("x-forwarded-proto"), Some("https"));
    assert_eq!(head.header("x-forwarded-host"), Some("outside.example.com"));
    assert_eq!(head.header("x-request-id"), Some("abc-123"));
}

#[test]
fn names_keep_their_case_and_repeated_headers_their_order() {
    let site = Site::start();
    let mut client = site.client();
    let request = get("/")
        .header("x-CamelCASE", "1")
        .header("Cookie", "a=1")
        .header("Cookie", "b=2");
    client.request(&request);
    let mut backend = site.origin.accept();
    let head = backend.head();
    let cookies: Vec<&str> = head
        .headers
        .iter()
        .filter(|(name, _)| name == "Cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert!(head.headers.iter().any(|(name, _)| name == "x-CamelCASE"));

    backend.send(
        "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\nX-wEird: 1\r\nContent-Length: 0\r\n\r\n",
    );
    let head = client.answer(200);
    let shown: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    for line in ["Set-Cookie: a", "set-cookie: b", "X-wEird: 1"] {
        assert!(
            shown.iter().any(|shown| shown == line),
            "{line} in {shown:?}"
        );
    }
}

#[test]
fn an_upgrade_to_anything_else_is_a_plain_request() {
    let site = Site::start();
    let h2c = get("/")
        .header("Connection", "Upgrade, HTTP2-Settings")
        .header("Upgrade", "h2c")
        .header("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA");
    let head = passed_on(&site, &h2c);
    for name in ["upgrade", "connection", "http2-settings"] {
        assert_eq!(head.header(name), None, "{head:?}");
    }
    // Nor is this one: `Connection` does not name it.
    let head = passed_on(&site, &get("/").header("Upgrade", "websocket"));
    assert_eq!(head.header("upgrade"), None);
}

#[test]
fn a_backend_cannot_switch_a_plain_request_to_another_protocol() {
    let site = Site::start();
    let mut client = site.client();
    client.request(&get("/"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
    let (_, body) = client.whole_answer(502);
    let body = String::from_utf8(body).unwrap();
    assert!(
        body.contains(r#""error":"upstream_bad_handshake""#),
        "{body}"
    );
    backend.expect_end();
}

#[test]
fn an_old_client_is_answered_as_it_can_read() {
    let site = Site::start();
    let mut client = site.client();
    client.send("GET /old HTTP/1.0\r\n\r\n");
    let mut backend = site.origin.accept();
    assert_eq!(backend.head().line, "GET /old HTTP/1.1");
    backend.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
    );
    let head = client.head();
    assert!(head.line.starts_with("HTTP/1.0 200 "), "{head:?}");
    assert_eq!(head.header("transfer-encoding"), None);
    assert_eq!(client.rest().0, b"onetwo");
}

#[test]
fn requests_in_one_segment_are_answered_in_their_order() {
    let site = Site::start();
    let mut client = site.client();
    let mut both = post("/one")
        .header("Content-Length", "3")
        .followed_by(b"abc")
        .encode();
    both.extend(get("/two").encode());
    client.send(both);
    let mut backend = site.origin.accept();
    assert_eq!(backend.head().line, "POST /one HTTP/1.1");
    assert_eq!(backend.exactly(3), b"abc");
    backend.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
    assert_eq!(client.whole_answer(200).1, b"one");
    assert_eq!(backend.head().line, "GET /two HTTP/1.1");
    backend.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
    assert_eq!(client.whole_answer(200).1, b"two");
}

#[test]
fn a_kept_connection_may_be_idle_for_longer_than_a_first_request_may_take() {
    let site = Site::with("limits: {handshake_timeout: 500ms}");
    let mut client = site.client();
    client.request(&get("/one"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(OK);
    client.whole_answer(200);
    // Nothing is to happen meanwhile.
    std::thread::sleep(Duration::from_millis(1500));
    client.request(&get("/two"));
    assert_eq!(backend.head().line, "GET /two HTTP/1.1");
    backend.send(OK);
    client.whole_answer(200);
}

#[test]
fn request_targets_of_every_form() {
    let site = Site::start();
    let absolute = get("/").with_line("GET http://other.example.com:81/a?b HTTP/1.1");
    let head = passed_on(&site, &absolute);
    assert_eq!(head.line, "GET /a?b HTTP/1.1");
    assert_eq!(head.header("host"), Some("other.example.com:81"));

    let asterisk = get("*").with_line("OPTIONS * HTTP/1.1");
    assert_eq!(passed_on(&site, &asterisk).line, "OPTIONS * HTTP/1.1");

    let mut client = site.client();
    client.send(
        "CONNECT elsewhere.example.com:443 HTTP/1.1\r\nHost: elsewhere.example.com:443\r\n\r\n",
    );
    let (_, body) = client.whole_answer(404);
    assert!(String::from_utf8_lossy(&body).contains(r#""error":"no_route""#));
}

#[test]
fn a_head_without_end_is_refused() {
    let site = Site::start();
    let long = get("/").header("X-Long", &"x".repeat(70 * 1024)).encode();
    let mut client = site.client();
    client.fill(&long);
    client.answer(431);
    let record = site.sidecar.log_event("handshake_failed", TIMEOUT);
    assert_eq!(record["reason"], "client_bad_handshake");
    assert_eq!(record["status"], 431);

    // What is long but bounded passes.
    let head = passed_on(&site, &get("/").header("X-Long", &"x".repeat(12 * 1024)));
    assert_eq!(head.header("x-long").map(str::len), Some(12 * 1024));
}

#[test]
fn malformed_http_gets_400_and_a_record() {
    let site = Site::start();
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"hello there\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    ] {
        let mut client = site.client();
        client.send(garbage);
        client.answer(400);
        client.rest();
        let record = site.sidecar.log_event("handshake_failed", TIMEOUT);
        assert_eq!(record["reason"], "client_bad_handshake", "{record}");
        assert_eq!(record["initiator"], "client");
        assert_eq!(record["status"], 400);
    }
    site.origin.expect_nobody(Duration::from_millis(100));
}

/// What two parsers could cut at different places either has one meaning when it leaves, or does not pass.
#[test]
fn requests_are_not_smuggled() {
    let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let hidden = format!("0\r\n\r\n{inner}");
    let len = hidden.len();
    let plain = inner.len();
    for (name, request) in [
        (
            "both lengths, Content-Length first",
            format!(
                "POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\nTransfer-Encoding: chunked\r\n\r\n{hidden}"
            ),
        ),
        (
            "both lengths, Transfer-Encoding first",
            format!(
                "POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: {len}\r\n\r\n{hidden}"
            ),
        ),
        (
            "two lengths that differ",
            format!(
                "POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: {plain}\r\n\r\n{inner}"
            ),
        ),
        (
            "a list of lengths",
            format!("POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: 0, {plain}\r\n\r\n{inner}"),
        ),
        (
            "a signed length",
            format!("POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: +{plain}\r\n\r\n{inner}"),
        ),
        (
            "a coding behind chunked",
            format!(
                "POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, x\r\n\r\n{hidden}"
            ),
        ),
        (
            "a coding nobody knows",
            format!(
                "POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: {len}\r\n\r\n{hidden}"
            ),
        ),
        (
            "a space before the colon",
            format!(
                "POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: {len}\r\n\r\n{hidden}"
            ),
        ),
        (
            "a folded line",
            format!(
                "POST /outer HTTP/1.1\r\nHost: a\r\nX: y\r\n Transfer-Encoding: chunked\r\nContent-Length: {len}\r\n\r\n{hidden}"
            ),
        ),
        (
            "chunked over HTTP/1.0",
            format!(
                "POST /outer HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: {len}\r\n\r\n{hidden}"
            ),
        ),
    ] {
        let site = Site::start();
        let mut client = site.client();
        let is_over = AtomicBool::new(false);
        let seen = std::thread::scope(|scope| {
            let backend = scope.spawn(|| all_requests(&site.origin, &is_over));
            client.send(&request);
            let head = client.head();
            if head.line.contains(" 400 ") {
                client.rest();
            } else {
                assert!(head.line.contains(" 200 "), "{name}: {head:?}");
                client.expect_end_or_silence(Duration::from_millis(200));
            }
            is_over.store(true, Ordering::SeqCst);
            backend.join().unwrap()
        });
        assert!(seen.len() <= 1, "{name}: {seen:?}");
        for (head, body) in seen {
            assert!(head.line.starts_with("POST /outer "), "{name}: {head:?}");
            let framings = ["content-length", "transfer-encoding"];
            let framings = framings.iter().filter(|name| head.header(name).is_some());
            assert!(framings.count() <= 1, "{name}: {head:?}");
            let body = String::from_utf8_lossy(&body);
            let is_data = head.header("content-length").is_some();
            assert!(
                is_data || !body.contains("/smuggled"),
                "{name}: {head:?} {body:?}"
            );
        }
    }
}

/// Every request that reaches the backend, read as its head says and answered: head and body.
fn all_requests(origin: &Origin, is_over: &AtomicBool) -> Vec<(support::Head, Vec<u8>)> {
    let mut seen = Vec::new();
    while !is_over.load(Ordering::SeqCst) {
        let Some(mut backend) = origin.accept_within(Duration::from_millis(20)) else {
            continue;
        };
        let head = backend.head();
        let mut body = Vec::new();
        if let Some(len) = head.header("content-length") {
            body = backend.exactly(len.parse().unwrap());
        } else if head.header("transfer-encoding").is_some() {
            while let chunk @ [_, ..] = &backend.chunk()[..] {
                body.extend_from_slice(chunk);
            }
        }
        backend.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let (rest, _) = backend.rest();
        assert_eq!(String::from_utf8_lossy(&rest), "", "behind {head:?}");
        seen.push((head, body));
    }
    seen
}
