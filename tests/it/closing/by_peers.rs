//! How connections end when a peer ends them: what both peers got, and what the closing record says of it.

use std::time::Instant;

use crate::support;
use crate::support::record::{FIELDS, closes, record_of};
use crate::support::{Frame, Received, Relayed, Request, Sidecar, TIMEOUT, Wire, op, wait_until};
use serde_json::json;

#[test]
fn every_field_of_the_record_is_true() {
    let backend = support::Backend::answering(
        support::Handshake::accept().header("Sec-WebSocket-Protocol", "chat"),
    );
    let heartbeats = "heartbeat: {check_interval: 10ms, client: {ping_interval: 300ms}, upstream: {ping_interval: 300ms}}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{heartbeats}", backend.url()));
    let began = Instant::now();
    let mut client = Wire::connect(sidecar.address());
    let opening = Request::opening("/chat?token=secret")
        .header("Sec-WebSocket-Protocol", "chat, superchat")
        .header("X-Request-Id", "request-1");
    let answer = client.ask(&opening);
    assert_eq!(answer.header("sec-websocket-protocol"), Some("chat"));
    let mut upstream = backend.accept().wire;
    let opened = sidecar.log_event("connection_opened", TIMEOUT);

    client.text("hello");
    client.send_frame(&Frame::text("he").not_final());
    client.send_frame(&Frame::new(op::CONTINUATION, "llo"));
    client.send_frame(&Frame::ping("mine"));
    upstream.send_frame(&Frame::binary([1, 2, 3]));
    for (leg, last) in [(&mut client, op::BINARY), (&mut upstream, op::CONTINUATION)] {
        let mut seen = [false; 2];
        while seen != [true; 2] {
            let frame = leg.frame();
            seen[0] |= frame.opcode == last;
            if frame.opcode == op::PING {
                leg.send_frame(&Frame::pong(&frame.payload));
                seen[1] = true;
            }
        }
    }
    // Each leg is read in order: a pong that came before the answer to this has been counted.
    upstream.send_frame(&Frame::ping("sync"));
    while upstream.frame().payload != b"sync" {}
    client.send_frame(&Frame::close(4001, "done"));
    let close = upstream.answer_close();
    assert_eq!(close, Some((4001, "done".to_owned())));
    client.expect_close_with(4001, "done");
    client.expect_end();
    upstream.end_sending();
    upstream.expect_end();

    let record = sidecar.log_event("connection_closed", TIMEOUT);
    let took_ms = began.elapsed().as_millis() + 1;
    let names: Vec<&str> = record
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, FIELDS);
    for field in FIELDS[3..11].iter() {
        assert_eq!(record[field], opened[field], "{field}");
    }
    let expected = json!({
        "level": "INFO", "request_id": "request-1", "route": "default", "host": "chat.example.com", "path": "/chat",
        "client": client.local_address().to_string(), "subprotocol": "chat", "upstream": backend.name(),
        "initiator": "client", "reason": "client_closed", "phase": "open", "mid_frame": false,
        "client_close": closes(Some((4001, "done")), Some((4001, "done"))),
        "upstream_close": closes(Some((4001, "done")), Some((4001, "done"))),
        "client_messages": 2, "client_bytes": 10, "upstream_messages": 1, "upstream_bytes": 3,
        "pings_answered": 1, "upstream_pings_answered": 1, "missed_pongs": 0, "upstream_missed_pongs": 0,
        "app_heartbeats": 0, "captured": {},
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&record[field], value, "{field}");
    }
    assert_eq!(record["conn"].as_str().unwrap().len(), 26);
    assert!(
        record["detail"].as_str().unwrap().contains("4001"),
        "{record}"
    );
    for prefix in ["", "upstream_"] {
        let number = |name: &str| record[format!("{prefix}{name}")].as_f64().unwrap();
        assert!(
            number("pings_sent") >= 1.0 && number("pongs_received") >= 1.0,
            "{record}"
        );
        assert!(number("pings_sent") >= number("pongs_received"), "{record}");
        assert!(
            (0.0..took_ms as f64).contains(&number("rtt_ms")),
            "{record}"
        );
    }
    let number = |name: &str| record[name].as_u64().unwrap();
    let duration = u128::from(number("duration_ms"));
    assert!((150..=took_ms).contains(&duration), "{record}");
    assert!(number("client_idle_ms") < number("duration_ms"), "{record}");
    assert!(
        number("upstream_idle_ms") < number("duration_ms"),
        "{record}"
    );
    assert!(
        !record.to_string().contains("secret"),
        "a query carries tokens: {record}"
    );
}

#[test]
fn client_closed_passes_on_what_the_client_said() {
    let cases = [
        (Frame::close(1000, ""), Some((1000, ""))),
        (Frame::close(4999, "привет"), Some((4999, "привет"))),
        (Frame::bare_close(), None),
    ];
    for (frame, close) in cases {
        let mut relayed = Relayed::start("");
        relayed.client.send_frame(&frame);
        relayed.upstream.expect(&frame);
        relayed.upstream.send_frame(&frame);
        relayed.client.expect(&frame);
        relayed.client.expect_end();
        relayed.upstream.end_sending();
        relayed.upstream.expect_end();
        let record = record_of(&relayed, "client_closed", "client", "INFO");
        let told = close.or(Some((1005, "")));
        assert_eq!(record["client_close"], closes(told, told));
        assert_eq!(record["upstream_close"], closes(told, told));
    }
}

#[test]
fn upstream_closed_passes_on_what_the_backend_said() {
    let cases = [
        (Frame::close(1012, "back soon"), Some((1012, "back soon"))),
        (Frame::close(4000, &"x".repeat(123)), Some((4000, "x"))),
        (Frame::bare_close(), None),
    ];
    for (frame, close) in cases {
        let mut relayed = Relayed::start("close: {upstream_lost: {code: 4444}}");
        relayed.upstream.send_frame(&frame);
        relayed.client.expect(&frame);
        relayed.client.send_frame(&frame);
        relayed.upstream.expect(&frame);
        relayed.upstream.end_sending();
        relayed.upstream.expect_end();
        relayed.client.expect_end();
        let record = record_of(&relayed, "upstream_closed", "upstream", "INFO");
        let code = close.map_or(1005, |(code, _)| code);
        for leg in ["client_close", "upstream_close"] {
            assert_eq!(record[leg]["received"]["code"], code);
            assert_eq!(record[leg]["sent"]["code"], code);
        }
    }
}

#[test]
fn a_backend_that_closes_and_leaves_at_once_still_counts_as_having_closed() {
    let mut relayed = Relayed::start("");
    relayed.upstream.text("last words");
    relayed.upstream.send_frame(&Frame::close(1000, "bye"));
    drop(relayed.upstream);
    relayed.client.expect(&Frame::text("last words"));
    assert_eq!(
        relayed.client.answer_close(),
        Some((1000, "bye".to_owned()))
    );
    relayed.client.expect_end();
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "upstream_closed");
    assert_eq!(record["upstream_close"]["received"]["code"], 1000);
}

#[test]
fn a_peer_that_never_answers_the_close_is_given_up_after_close_timeout() {
    let mut relayed = Relayed::start("limits: {close_timeout: 200ms}");
    relayed.client.send_frame(&Frame::close(1000, "bye"));
    relayed.upstream.expect(&Frame::close(1000, "bye"));
    // The backend says nothing; the client gets its answer all the same.
    relayed.client.expect(&Frame::close(1000, "bye"));
    relayed.client.expect_end();
    let record = record_of(&relayed, "client_closed", "client", "INFO");
    assert_eq!(record["upstream_close"], closes(None, Some((1000, "bye"))));
}

#[test]
fn a_client_that_leaves_a_hung_backend_is_answered_and_gives_its_place_back() {
    let settings = "limits: {close_timeout: 60s, max_connections: 1}";
    let mut relayed = Relayed::start(settings);
    relayed.client.send_frame(&Frame::close(1000, "bye"));
    relayed.upstream.expect(&Frame::close(1000, "bye"));
    relayed.client.expect(&Frame::close(1000, "bye"));
    let record = record_of(&relayed, "client_closed", "client", "INFO");
    assert_eq!(
        record["detail"],
        "client sent Close: 1000 bye; the upstream did not answer the Close frame"
    );
    assert_eq!(record["upstream_close"], closes(None, Some((1000, "bye"))));
    let waited = record["duration_ms"].as_u64().unwrap();
    assert!((1000..30_000).contains(&waited), "{record}");
    // Although neither of them has ended its TCP connection.
    let (client, upstream) = relayed.another();
    drop((client, upstream));
}

#[test]
fn a_backend_that_leaves_a_hung_client_likewise() {
    let settings = "limits: {close_timeout: 60s, max_connections: 1}";
    let mut relayed = Relayed::start(settings);
    relayed.upstream.send_frame(&Frame::close(4001, "bye"));
    relayed.client.expect(&Frame::close(4001, "bye"));
    relayed.upstream.expect(&Frame::close(4001, "bye"));
    let record = record_of(&relayed, "upstream_closed", "upstream", "INFO");
    let detail = "upstream sent Close: 4001 bye; the client did not answer the Close frame";
    assert_eq!(record["detail"], detail);
    drop(relayed.another());
}

#[test]
fn a_connection_whose_closing_handshakes_are_done_counts_no_longer() {
    let settings = "limits: {close_timeout: 60s, max_connections: 1}";
    let mut relayed = Relayed::start(settings);
    relayed.client.send_frame(&Frame::close(1000, ""));
    assert_eq!(relayed.upstream.answer_close(), Some((1000, String::new())));
    relayed.client.expect(&Frame::close(1000, ""));
    // Nobody has ended TCP: the record is there all the same, the place is free, and a drain has nobody to wait for.
    let record = record_of(&relayed, "client_closed", "client", "INFO");
    assert!(record["duration_ms"].as_u64().unwrap() < 30_000, "{record}");
    drop(relayed.another());
    relayed.sidecar.log_event("connection_closed", TIMEOUT);
    let (mut client, mut upstream) = relayed.another();
    upstream.send_frame(&Frame::close(1000, ""));
    client.answer_close();
    upstream.expect(&Frame::close(1000, ""));
    relayed.sidecar.signal(rustix::process::Signal::TERM);
    assert!(relayed.sidecar.wait_for_exit(TIMEOUT).success());
}

#[test]
fn client_lost_by_end_of_stream_and_by_reset() {
    for (reset, mid_frame) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut relayed = Relayed::start("limits: {close_timeout: 60s}");
        if mid_frame {
            // The beginning of a text frame of 100 bytes.
            let frame = relayed.client.encode(&Frame::text(&"x".repeat(100)));
            relayed.client.send(&frame[..20]);
            assert_eq!(relayed.upstream.read_exactly(20), frame[..20]);
        }
        if reset {
            relayed.client.reset();
        } else {
            drop(relayed.client);
        }
        let upstream_close = if mid_frame {
            assert_eq!(relayed.upstream.receive(), Received::Reset, "reset {reset}");
            closes(None, None)
        } else {
            relayed
                .upstream
                .expect_close_with(1001, "client connection lost");
            relayed.upstream.send_frame(&Frame::close(1001, ""));
            relayed.upstream.end_sending();
            relayed.upstream.expect_end();
            closes(Some((1001, "")), Some((1001, "client connection lost")))
        };
        let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
        assert_eq!(record["reason"], "client_lost");
        assert_eq!(record["initiator"], "client");
        assert_eq!(record["level"], "INFO");
        assert_eq!(record["mid_frame"], mid_frame, "{record}");
        assert_eq!(record["client_close"], closes(None, None));
        assert_eq!(record["upstream_close"], upstream_close);
    }
}

#[test]
fn upstream_lost_between_frames_within_a_message_and_within_a_frame() {
    enum Cut {
        BetweenMessages,
        WithinMessage,
        WithinHeader,
        WithinFrame,
    }
    use Cut::{BetweenMessages, WithinFrame, WithinHeader, WithinMessage};
    for (cut, reset) in [
        (BetweenMessages, false),
        (BetweenMessages, true),
        (WithinMessage, false),
        (WithinHeader, false),
        (WithinFrame, false),
        (WithinFrame, true),
    ] {
        let mut relayed = Relayed::start("limits: {close_timeout: 60s}");
        let fragment = Frame::text("beginning").not_final();
        let bytes = relayed.upstream.encode(&Frame::text(&"x".repeat(200)));
        match cut {
            BetweenMessages => {}
            WithinMessage => {
                relayed.upstream.send_frame(&fragment);
                relayed.client.expect(&fragment);
            }
            WithinHeader => relayed.upstream.send(&bytes[..3]),
            WithinFrame => {
                relayed.upstream.send(&bytes[..50]);
                assert_eq!(relayed.client.read_exactly(50), bytes[..50]);
            }
        }
        if reset {
            relayed.upstream.reset();
        } else {
            drop(relayed.upstream);
        }
        let mid_frame = matches!(cut, WithinFrame);
        let client_close = if mid_frame {
            assert_eq!(relayed.client.receive(), Received::Reset);
            closes(None, None)
        } else {
            relayed
                .client
                .expect_close_with(1014, "backend connection lost");
            relayed.client.send_frame(&Frame::close(1014, ""));
            relayed.client.expect_end();
            closes(Some((1014, "")), Some((1014, "backend connection lost")))
        };
        let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
        assert_eq!(record["reason"], "upstream_lost");
        assert_eq!(record["initiator"], "upstream");
        assert_eq!(record["level"], "WARN");
        assert_eq!(record["mid_frame"], mid_frame, "{record}");
        assert_eq!(record["client_close"], client_close);
        assert_eq!(record["upstream_close"], closes(None, None));
    }
}

#[test]
fn closing_frees_both_sockets() {
    let relayed = Relayed::start("limits: {close_timeout: 100ms}");
    let open_files = relayed.sidecar.open_files();
    let (client, upstream) = relayed.another();
    // Neither of the two answers or leaves by itself.
    drop(relayed.upstream);
    relayed.sidecar.log_event("connection_closed", TIMEOUT);
    wait_until("the lost connection's files are closed", || {
        relayed.sidecar.open_files() <= open_files
    });
    drop((client, upstream));
}
