//! Opening handshakes that succeed: what the backend is asked, what the client is answered, and that no byte behind
//! the heads is lost.

use std::time::Duration;

use crate::support::refusal::{ask, expect_own_answer, failure};
use crate::support::{Backend, Frame, Handshake, Request, Sidecar, TIMEOUT, Wire};

fn names(headers: &[(String, String)]) -> Vec<String> {
    headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect()
}

#[test]
fn the_backend_gets_the_clients_headers_but_not_those_of_its_connection() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let request = Request::opening("/a%20b/c?q=1&r=%2F")
        .with("Connection", "keep-alive, Upgrade, X-Hop")
        .header("Keep-Alive", "timeout=5")
        .header("Proxy-Authorization", "Basic secret")
        .header("TE", "trailers")
        .header("X-Hop", "1")
        .header("Cookie", "a=1")
        .header("Authorization", "Bearer t")
        .header("X-Two", "first")
        .header("X-Two", "second")
        .header("X-Sidebeat-Conn", "1")
        .header("x-sidebeat-state", "1")
        .header("X-Forwarded-For", "192.0.2.1");
    drop(Wire::open(&sidecar, &request));
    let head = backend.accept().head;
    assert_eq!(head.line, "GET /a%20b/c?q=1&r=%2F HTTP/1.1");
    assert_eq!(head.header("host"), Some("chat.example.com"));
    assert_eq!(head.header("connection"), Some("Upgrade"));
    assert_eq!(head.header("upgrade"), Some("websocket"));
    assert_eq!(head.header("sec-websocket-version"), Some("13"));
    assert_eq!(head.header("cookie"), Some("a=1"));
    assert_eq!(head.header("authorization"), Some("Bearer t"));
    assert_eq!(head.header("x-forwarded-for"), Some("192.0.2.1, 127.0.0.1"));
    assert_eq!(head.header("x-real-ip"), Some("127.0.0.1"));
    assert_eq!(head.header("x-forwarded-proto"), Some("http"));
    assert_eq!(head.header("x-forwarded-host"), Some("chat.example.com"));
    for gone in [
        "keep-alive",
        "proxy-authorization",
        "te",
        "x-hop",
        "x-sidebeat-conn",
        "x-sidebeat-state",
    ] {
        assert!(
            !names(&head.headers).iter().any(|name| name == gone),
            "{gone} in {head:?}"
        );
    }
    let two = head
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-two"));
    assert_eq!(
        two.map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
        ["first", "second"]
    );
}

#[test]
fn keys_and_request_ids_are_fresh_and_the_clients_id_is_kept() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mut keys = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut client = Wire::connect(sidecar.address());
        let answer = client.ask(&Request::opening("/"));
        assert_eq!(answer.header("sec-websocket-accept"), Some(Request::ACCEPT));
        let head = backend.accept().head;
        keys.push(head.header("sec-websocket-key").unwrap().to_owned());
        let id = head.header("x-request-id").unwrap().to_owned();
        assert_eq!(
            sidecar.log_event("connection_opened", TIMEOUT)["request_id"],
            *id
        );
        ids.push(id);
    }
    for values in [&mut keys, &mut ids] {
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 3, "{values:?}");
    }
    assert!(!keys.contains(&"dGhlIHNhbXBsZSBub25jZQ==".to_owned()));
    let request = Request::opening("/").header("X-Request-Id", "from-the-ingress");
    drop(Wire::open(&sidecar, &request));
    assert_eq!(
        backend.accept().head.header("x-request-id"),
        Some("from-the-ingress")
    );
}

#[test]
fn the_host_header_as_configured() {
    let backend = Backend::start();
    let name = backend.name();
    for (host, expected) in [
        ("preserve", "chat.example.com"),
        ("upstream", name.as_str()),
        ("inner.example:81", "inner.example:81"),
    ] {
        let settings = format!("upstream: {{url: '{}', host: '{host}'}}", backend.url());
        let sidecar = Sidecar::start(&settings);
        drop(Wire::open(&sidecar, &Request::opening("/")));
        let head = backend.accept().head;
        assert_eq!(head.header("host"), Some(expected));
        assert_eq!(head.header("x-forwarded-host"), Some("chat.example.com"));
    }
}

#[test]
fn the_clients_101_is_the_backends() {
    let handshake = Handshake::accept()
        .header("Sec-WebSocket-Protocol", "superchat")
        .header(
            "Sec-WebSocket-Extensions",
            "permessage-deflate; server_no_context_takeover",
        )
        .header("Set-Cookie", "a=1")
        .header("Set-Cookie", "b=2")
        .header("Keep-Alive", "timeout=5");
    let backend = Backend::answering(handshake);
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let offers = "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits";
    let request = Request::opening("/")
        .header("Sec-WebSocket-Protocol", "chat")
        .header("Sec-WebSocket-Protocol", "superchat")
        .header("Sec-WebSocket-Extensions", offers);
    let mut client = Wire::connect(sidecar.address());
    let answer = client.ask(&request);
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-protocol"), Some("superchat"));
    let extensions = "permessage-deflate; server_no_context_takeover";
    assert_eq!(answer.header("sec-websocket-extensions"), Some(extensions));
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert_eq!(answer.header("connection"), Some("Upgrade"));
    assert_eq!(answer.header("keep-alive"), None);
    assert_eq!(
        names(&answer.head.headers)
            .iter()
            .filter(|name| *name == "set-cookie")
            .count(),
        2
    );
    let mut upstream = backend.accept();
    let offered = upstream.head.header("sec-websocket-extensions");
    assert_eq!(offered, Some("permessage-deflate; client_max_window_bits"));
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    assert_eq!(opened["subprotocol"], "superchat");
    assert_eq!(opened["compressed"], true);
    // RSV1 means something now.
    let compressed = Frame::binary([0xaa, 0x00]).with_rsv(4);
    client.send_frame(&compressed);
    upstream.wire.expect(&compressed);
}

#[test]
fn header_names_and_lines_of_the_clients_101_are_the_backends() {
    let handshake = Handshake::accept()
        .header("X-wEird", "1")
        .header("set-COOKIE", "a=1")
        .header("Content-Length", "0")
        .header("Set-Cookie", "b=2")
        .header("X-Two", "first")
        .header("x-two", "second");
    let backend = Backend::answering(handshake);
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mut client = Wire::connect(sidecar.address());
    let answer = client.ask(&Request::opening("/"));
    assert_eq!(answer.status, 101);
    let lines: Vec<String> = answer
        .head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    for line in [
        "Upgrade: websocket",
        "Connection: Upgrade",
        &format!("Sec-WebSocket-Accept: {}", Request::ACCEPT),
        "X-wEird: 1",
    ] {
        assert!(
            lines.iter().any(|known| known == line),
            "{line} in {lines:?}"
        );
    }
    for several in [
        ["set-COOKIE: a=1", "Set-Cookie: b=2"],
        ["X-Two: first", "x-two: second"],
    ] {
        let found = lines.windows(2).any(|pair| pair == several);
        assert!(found, "{several:?} in {lines:?}");
    }
    assert_eq!(answer.header("content-length"), None);
    // The sockets are relayed all the same.
    let frame = Frame::text("behind it");
    backend.accept().wire.send_frame(&frame);
    client.expect(&frame);
}

/// RFC 6455 section 4.1: the client would have to fail the connection.
#[test]
fn a_101_with_a_subprotocol_that_was_not_asked_for_is_refused() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let token = "t".repeat(41);
    for (offered, chosen, detail) in [
        (
            &[][..],
            &["chat"][..],
            "\"chat\", although none was offered",
        ),
        (&["chat, v2"], &["v3"], "\"v3\", which was not offered"),
        (&["chat"], &["Chat"], "\"Chat\", which was not offered"),
        (&["chat"], &[&token], "a subprotocol of 41 bytes"),
        (&["chat, v2"], &["chat", "v2"], "more than one"),
        (&["chat, v2"], &["chat", "chat"], "more than one"),
        (&["chat, v2"], &["chat, v2"], "more than one"),
        (&["chat"], &[""], "an empty subprotocol"),
    ] {
        let mut handshake = Handshake::accept();
        for value in chosen {
            handshake = handshake.header("Sec-WebSocket-Protocol", value);
        }
        backend.answer_with(handshake);
        let mut request = Request::opening("/");
        for value in offered {
            request = request.header("Sec-WebSocket-Protocol", value);
        }
        let answer = ask(&sidecar, &request);
        let record = failure(&sidecar, "upstream_bad_handshake", "upstream", "WARN");
        expect_own_answer(&answer, 502, &record);
        let told = record["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{detail:?} in {told:?}");
        assert!(!told.contains(&token), "{told:?}");
    }
}

#[test]
fn a_long_subprotocol_reaches_the_client_whole_and_the_log_as_its_length() {
    let long = "x".repeat(5000);
    let handshake = Handshake::accept().header("Sec-WebSocket-Protocol", &long);
    let backend = Backend::answering(handshake);
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mut client = Wire::connect(sidecar.address());
    let answer = client.ask(&Request::opening("/").header("Sec-WebSocket-Protocol", &long));
    assert_eq!(answer.header("sec-websocket-protocol"), Some(&*long));
    drop((client, backend.accept()));
    for event in ["connection_opened", "connection_closed"] {
        let record = sidecar.log_event(event, TIMEOUT);
        assert_eq!(record["subprotocol"], "5000 bytes", "{record}");
    }
}

#[test]
fn bytes_after_the_heads_are_not_lost() {
    let early = Frame::text("from the backend, with its 101");
    let backend = Backend::answering(Handshake::accept().followed_by(&early.encode(None)));
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let eager = Frame::text("from the client, before its 101");
    let ping = Frame::ping("early");
    let bytes = [eager.encode(Some([1, 2, 3, 4])), ping.encode(Some([0; 4]))].concat();
    let mut client = Wire::open(&sidecar, &Request::opening("/").followed_by(&bytes));
    let mut upstream = backend.accept().wire;
    upstream.expect(&eager);
    // The pong may overtake: it is the sidecar's own.
    let got = [client.frame(), client.frame()];
    assert!(
        got.contains(&early) && got.contains(&Frame::pong("early")),
        "{got:?}"
    );
}

#[test]
fn many_bytes_and_partial_frames_after_the_heads_are_not_lost() {
    let big = Frame::binary(vec![5; 50_000]);
    let bytes = big.encode(None);
    let backend = Backend::answering(Handshake::accept().followed_by(&bytes[..40_001]));
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mask = Some([3, 1, 4, 1]);
    let from_client = big.encode(mask);
    let request = Request::opening("/").followed_by(&from_client[..30_001]);
    let mut client = Wire::open(&sidecar, &request);
    let mut upstream = backend.accept().wire;
    client.send(&from_client[30_001..]);
    upstream.expect(&big);
    upstream.send(&bytes[40_001..]);
    client.expect(&big);
}

#[test]
fn a_backend_that_closes_with_its_101() {
    let close = Frame::close(4003, "not you").encode(None);
    let backend = Backend::answering(Handshake::accept().followed_by(&close));
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mut client = Wire::open(&sidecar, &Request::opening("/"));
    assert_eq!(client.answer_close(), Some((4003, "not you".to_owned())));
    client.expect_end();
    drop(backend.accept());
    let record = sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "upstream_closed");
}

#[test]
fn a_request_head_byte_by_byte_and_a_slow_answer() {
    let handshake = Handshake::accept().after(Duration::from_millis(200));
    let backend = Backend::answering(handshake);
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mut client = Wire::connect(sidecar.address());
    client.send_slowly(&Request::opening("/").encode());
    assert_eq!(client.answer().status, 101);
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    assert!(opened["handshake_ms"].as_u64().unwrap() >= 190, "{opened}");
}
