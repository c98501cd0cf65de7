//! permessage-deflate (RFC 7692) as no library would do it: odd offers, wrong answers, payload that is no deflate.

use crate::support::refusal::{ask, expect_own_answer, failure};
use crate::support::{Accepted, Backend, Frame, Handshake, Request, Sidecar, TIMEOUT, Wire, op};
use miniz_oxide::deflate::compress_to_vec;

const HEADER: &str = "Sec-WebSocket-Extensions";
const QUIET: &str = "client: {ping_interval: off}, upstream: {ping_interval: off}";
const RULES: &str = "app: [{preset: json, max_size: 16KiB}]";
const PING: &str = r#"{"type":"ping","id":7}"#;

fn sidecar(backend: &Backend, heartbeat: &str) -> Sidecar {
    let url = backend.url();
    Sidecar::start(&format!(
        "upstream: {url}\nheartbeat: {{{QUIET}, {heartbeat}}}"
    ))
}

fn opening(offers: &[&str]) -> Request {
    let request = Request::opening("/");
    offers
        .iter()
        .fold(request, |request, offer| request.header(HEADER, offer))
}

/// Client, sidecar and backend, with rules; the backend grants no more than the extension itself.
fn compressed() -> (Wire, Sidecar, Wire) {
    let accept = Handshake::accept().header(HEADER, "permessage-deflate");
    let backend = Backend::answering(accept);
    let sidecar = sidecar(&backend, RULES);
    let client = Wire::open(&sidecar, &opening(&["permessage-deflate"]));
    (client, sidecar, backend.accept().wire)
}

fn deflated(payload: impl AsRef<[u8]>) -> Frame {
    Frame::new(op::TEXT, payload).with_rsv(4)
}

fn expect_pong(client: &mut Wire) {
    let frame = client.frame();
    assert_eq!((frame.opcode, frame.rsv), (op::TEXT, 0), "{frame:?}");
    assert!(frame.payload.starts_with(br#"{"id":7,"type":"pong""#));
}

#[test]
fn offers_reach_the_backend_as_configured() {
    let backend = Backend::start();
    let with_rules = sidecar(&backend, RULES);
    let without = sidecar(&backend, "app: []");
    for (offers, arrives, arrives_with_rules) in [
        (
            &["permessage-deflate"][..],
            "permessage-deflate",
            "permessage-deflate; client_no_context_takeover",
        ),
        (
            &[
                "permessage-deflate; client_max_window_bits, permessage-deflate;client_max_window_bits=\"9\"",
            ],
            "permessage-deflate; client_max_window_bits, permessage-deflate;client_max_window_bits=\"9\"",
            "permessage-deflate; client_max_window_bits; client_no_context_takeover, \
             permessage-deflate;client_max_window_bits=\"9\"; client_no_context_takeover",
        ),
        (
            &[
                "foo; a=\"x, permessage-deflate\", permessage-deflate; server_max_window_bits=10",
                "bar, permessage-deflate",
            ],
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "permessage-deflate; server_max_window_bits=10; client_no_context_takeover, \
             permessage-deflate; client_no_context_takeover",
        ),
        // Whether an offer makes sense is for the backend to say.
        (
            &["permessage-deflate; client_max_window_bits=99; huh=1"],
            "permessage-deflate; client_max_window_bits=99; huh=1",
            "permessage-deflate; client_max_window_bits=99; huh=1; client_no_context_takeover",
        ),
    ] {
        for (sidecar, arrives) in [(&without, arrives), (&with_rules, arrives_with_rules)] {
            let answer = ask(sidecar, &opening(offers));
            assert_eq!((answer.status, answer.header(HEADER)), (101, None));
            let Accepted { head, .. } = backend.accept();
            assert_eq!(head.header(HEADER), Some(arrives));
        }
    }
    for unknown in [
        "foo",
        "permessage-deflated",
        "x-webkit-deflate-frame",
        ",,",
        "\"permessage-deflate",
    ] {
        assert_eq!(ask(&with_rules, &opening(&[unknown])).status, 101);
        assert_eq!(backend.accept().head.header(HEADER), None, "{unknown}");
    }
}

#[test]
fn an_answer_that_no_client_can_accept_is_the_backends_fault() {
    let backend = Backend::start();
    let sidecar = sidecar(&backend, RULES);
    for (answer, detail) in [
        ("permessage-deflate; client_max_window_bits=10", "window"),
        (
            "permessage-deflate; server_max_window_bits",
            "server_max_window_bits",
        ),
        (
            "permessage-deflate; server_max_window_bits=16",
            "server_max_window_bits=16",
        ),
        (
            "permessage-deflate; client_no_context_takeover=1",
            "client_no_context_takeover=1",
        ),
        ("permessage-deflate; huh", "huh"),
        (
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "server_no_context_takeover twice",
        ),
        ("permessage-deflate, permessage-deflate", "more than once"),
        ("permessage-deflate, foo", "foo"),
    ] {
        backend.answer_with(Handshake::accept().header(HEADER, answer));
        let refused = ask(&sidecar, &opening(&["permessage-deflate"]));
        let record = failure(&sidecar, "upstream_bad_handshake", "upstream", "WARN");
        expect_own_answer(&refused, 502, &record);
        let told = record["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{told}");
    }
}

#[test]
fn client_no_context_takeover_is_required_only_with_rules() {
    let backend = Backend::answering(Handshake::accept().header(HEADER, "permessage-deflate"));
    let with_rules = ask(&sidecar(&backend, RULES), &opening(&["permessage-deflate"]));
    let parameter = "permessage-deflate; client_no_context_takeover";
    assert_eq!(with_rules.header(HEADER), Some(parameter));
    let without = ask(
        &sidecar(&backend, "app: []"),
        &opening(&["permessage-deflate"]),
    );
    assert_eq!(without.header(HEADER), Some("permessage-deflate"));
}

#[test]
fn a_heartbeat_may_be_compressed_in_any_way() {
    let (mut client, sidecar, mut upstream) = compressed();
    let whole = compress_to_vec(PING.as_bytes(), 9); // one last block
    let padded = [&whole[..], &[0]].concat();
    let len = PING.len() as u8;
    let stored = [&[0, len, 0, !len, 0xff], PING.as_bytes(), &[0]].concat();
    let flushed = [&[0, 0, 0, 0xff, 0xff], &stored[..]].concat();
    let ways = [whole, padded, stored, flushed];
    for payload in &ways {
        client.send_frame(&deflated(payload));
        expect_pong(&mut client);
    }
    client.text("next");
    upstream.expect(&Frame::text("next"));
    drop(client);
    let record = sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["app_heartbeats"], ways.len());
    assert_eq!(record["client_messages"], 1);
}

#[test]
fn messages_that_cannot_be_inflated_pass_unchanged() {
    let (mut client, sidecar, mut upstream) = compressed();
    let ping = compress_to_vec(PING.as_bytes(), 9);
    let spaces = compress_to_vec(format!("{PING}{}", " ".repeat(17 << 20)).as_bytes(), 9);
    let many_spaces = compress_to_vec(format!("{PING}{}", " ".repeat(1 << 20)).as_bytes(), 9);
    assert!(many_spaces.len() < 16 * 1024 && spaces.len() > 16 * 1024);
    let messages = [
        many_spaces,
        spaces,
        [&ping[..], &ping].concat(),
        [0x02, 0x08, 0x20, 0x80].repeat(4000),
        [&[0, 0, 0, 0xff, 0xff].repeat(3000)[..], &[0]].concat(),
        ping[..ping.len() - 3].to_vec(),
        vec![0xff; 16 * 1024],
        vec![0x00, 0xff, 0xff, 0x00, 0x00],
        vec![0xf2, 0x00, 0x11, 0x00, 0x00],
        vec![],
    ];
    for _ in 0..3 {
        for payload in &messages {
            let frame = deflated(payload);
            client.send_frame(&frame);
            upstream.expect(&frame);
            upstream.send_frame(&frame);
            client.expect(&frame);
        }
        client.send_frame(&deflated(&ping));
        expect_pong(&mut client);
    }
    // A heartbeat in fragments is not whole.
    let (first, second) = ping.split_at(4);
    let fragments = [
        deflated(first).not_final(),
        Frame::new(op::CONTINUATION, second),
    ];
    for fragment in &fragments {
        client.send_frame(fragment);
        upstream.expect(fragment);
    }
    client.send_frame(&Frame::close(1000, ""));
    upstream.answer_close();
    let record = sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "client_closed");
    assert_eq!(record["app_heartbeats"], 3);
    assert_eq!(record["client_messages"], 3 * messages.len() + 1);
    assert_eq!(record["upstream_messages"], 3 * messages.len());
}

#[test]
fn a_backend_may_not_accept_a_stripped_extension() {
    let backend = Backend::start();
    let url = backend.url();
    let sidecar = Sidecar::start(&format!("upstream: {url}\ncompression: strip"));
    let mut client = Wire::open(&sidecar, &opening(&["permessage-deflate"]));
    let Accepted { head, mut wire } = backend.accept();
    assert_eq!(head.header(HEADER), None);
    client.send_frame(&deflated(compress_to_vec(b"x", 9)));
    assert_eq!(client.expect_close().map(|(code, _)| code), Some(1002));
    assert_eq!(wire.expect_close().map(|(code, _)| code), Some(1001));
    backend.answer_with(Handshake::accept().header(HEADER, "permessage-deflate"));
    let refused = ask(&sidecar, &opening(&["permessage-deflate"]));
    let record = failure(&sidecar, "upstream_bad_handshake", "upstream", "WARN");
    expect_own_answer(&refused, 502, &record);
}
