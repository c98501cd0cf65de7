//! Application-level heartbeats, as clients, the backend and the log see them.

use crate::support;
use crate::support::{Backend, Frame, Handshake, Relayed, Request, Sidecar, TIMEOUT, Wire, op};

const QUIET: &str = "ping_interval: off";

fn relayed(app: &str) -> Relayed {
    Relayed::start(&format!(
        "heartbeat: {{client: {{{QUIET}}}, upstream: {{{QUIET}}}, app: {app}}}"
    ))
}

fn text_of(wire: &mut Wire) -> String {
    let frame = wire.frame();
    assert_eq!(frame.opcode, op::TEXT);
    String::from_utf8(frame.payload).unwrap()
}

#[test]
fn a_heartbeat_is_answered_and_stays_here() {
    let mut relayed = relayed("[{preset: json}]");
    relayed
        .client
        .text(r#"{ "timestamp": 1, "type": "p\u0069ng" }"#);
    let pong: serde_json::Value = serde_json::from_str(&text_of(&mut relayed.client)).unwrap();
    assert_eq!(pong["type"], "pong");
    assert!(pong["timestamp"].as_u64().unwrap() > 1_700_000_000);
    relayed.client.text(r#"{"type":"ping","id":"a-1"}"#);
    assert!(text_of(&mut relayed.client).starts_with(r#"{"id":"a-1","type":"pong""#));
    // The backend sees the next message, and nothing before it.
    relayed.client.text("business");
    assert_eq!(text_of(&mut relayed.upstream), "business");
    drop(relayed.client);
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["app_heartbeats"], 2);
    assert_eq!(record["client_messages"], 1);
}

#[test]
fn a_heartbeat_in_pieces_and_among_others_in_one_segment() {
    let mut relayed = relayed("[{preset: text}]");
    let ping = relayed.client.encode(&Frame::text("ping"));
    let other = relayed.client.encode(&Frame::text("other"));
    for byte in &ping {
        relayed.client.send(&[*byte]);
    }
    relayed.client.expect(&Frame::text("pong"));
    relayed
        .client
        .send(&[&other[..], &ping, &ping, &other, &ping[..3]].concat());
    for _ in 0..2 {
        relayed.upstream.expect(&Frame::text("other"));
        relayed.client.expect(&Frame::text("pong"));
    }
    relayed.client.send(&ping[3..]);
    relayed.client.expect(&Frame::text("pong"));
    relayed
        .upstream
        .expect_silence(std::time::Duration::from_millis(50));
}

#[test]
fn other_messages_pass_unchanged() {
    let mut relayed = relayed("[{preset: json}, {preset: text}, {preset: engine.io}]");
    let long = format!(r#"{{"type":"ping","pad":"{}"}}"#, "x".repeat(1024));
    for message in [
        "pinG",
        "2probe",
        r#"{"type":"ping""#,
        r#"[{"type":"ping"}]"#,
        &long,
    ] {
        relayed.client.text(message);
        assert_eq!(text_of(&mut relayed.upstream), message);
    }
    let binary = Frame::binary(b"ping");
    relayed.client.send_frame(&binary);
    relayed.upstream.expect(&binary);
}

#[test]
fn a_reply_waits_for_the_end_of_a_message() {
    let mut relayed = relayed("[{preset: text}]");
    let big = Frame::text(&"y".repeat(5000));
    let bytes = big.encode(None);
    relayed.upstream.send(&bytes[..500]);
    assert_eq!(relayed.client.read_exactly(500), bytes[..500]);
    relayed.client.text("ping");
    relayed.client.text("seen");
    relayed.upstream.expect(&Frame::text("seen"));
    relayed.upstream.send(&bytes[500..]);
    assert_eq!(relayed.client.read_exactly(bytes.len() - 500), bytes[500..]);
    relayed.client.expect(&Frame::text("pong"));
}

#[test]
fn a_rule_of_ones_own_captures_and_lets_one_through_now_and_then() {
    let mut relayed = relayed(
        "[{name: mine, match: {json: {type: hb}}, reply: '{\"ok\":${json.n}}', forward: every 1h, capture: [version]}]",
    );
    for n in 0..3 {
        relayed
            .client
            .text(&format!(r#"{{"type":"hb","n":{n},"version":"2.{n}"}}"#));
        assert_eq!(text_of(&mut relayed.client), format!(r#"{{"ok":{n}}}"#));
    }
    assert!(text_of(&mut relayed.upstream).contains(r#""n":0"#));
    relayed.client.text("next");
    assert_eq!(text_of(&mut relayed.upstream), "next");
    drop(relayed.client);
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["captured"], serde_json::json!({"version": "2.2"}));
    assert_eq!(record["app_heartbeats"], 3);
}

#[test]
fn an_answer_that_the_client_has_already_is_kept_back() {
    let mut relayed = relayed("[{preset: mqtt}]");
    let (ping, pong) = (Frame::binary(vec![0xc0, 0]), Frame::binary(vec![0xd0, 0]));
    relayed.client.send_frame(&ping);
    relayed.client.expect(&pong);
    relayed.upstream.expect(&ping);
    relayed.upstream.send_frame(&pong);
    relayed.upstream.text("after");
    assert_eq!(text_of(&mut relayed.client), "after");
}

#[test]
fn heartbeats_are_no_messages_for_activity_message() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 50ms, client: {activity: message, idle_time: 700ms, ping_interval: off}, \
         upstream: {ping_interval: off}, app: [{preset: text}]}",
    );
    let mut answers = (0..1500).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        relayed.client.text("ping");
        relayed.client.frame()
    });
    let last = answers.find(|frame| *frame != Frame::text("pong"));
    let closed = last.expect("an end of the pongs").close_code();
    assert_eq!(closed, Some((1001, "idle timeout".to_owned())));
}

#[test]
fn the_applications_answer_is_what_app_ping_waits_for() {
    let settings = "heartbeat: {check_interval: 20ms, upstream: {ping_interval: off}, client: {ping_interval: 500ms, \
         pong_timeout: 2s, missed_pongs: 2, app_ping: {text: 'are you there', expect: {json: {type: here}}}}}";
    let mut relayed = Relayed::start(settings);
    for _ in 0..2 {
        relayed.client.expect(&Frame::text("are you there"));
        relayed.client.text(r#"{"type":"here"}"#);
    }
    relayed.client.text("mark");
    assert_eq!(text_of(&mut relayed.upstream), "mark");
    // A WebSocket layer that still answers pings does not count.
    let mut answers = (0..20).map(|_| {
        relayed.client.send_frame(&Frame::pong(""));
        relayed.client.frame()
    });
    let last = answers.find(|frame| frame.opcode != op::TEXT);
    let closed = last.expect("an end of the questions").close_code();
    assert_eq!(closed, Some((1001, "ping timeout".to_owned())));
    drop((relayed.client, relayed.upstream));
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "client_pong_timeout");
    assert!(record["pongs_received"].as_u64().unwrap() >= 2);
    assert!(record["rtt_ms"].is_number());
}

#[test]
fn an_answered_app_ping_is_followed_by_the_next_whatever_pong_timeout_is() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 20ms, upstream: {ping_interval: off}, client: {ping_interval: 200ms, \
         pong_timeout: 5m, app_ping: {text: 'are you there', expect: {text: here}}}}",
    );
    for _ in 0..3 {
        relayed.client.expect(&Frame::text("are you there"));
        relayed.client.text("here");
    }
}

#[test]
fn the_subprotocol_chooses_the_preset() {
    let accept = Handshake::accept().header("Sec-WebSocket-Protocol", "graphql-transport-ws");
    let backend = Backend::answering(accept);
    let sidecar = Sidecar::start(&format!(
        "upstream: {}\nheartbeat: {{app: [{{preset: auto}}]}}",
        backend.url()
    ));
    let request = Request::opening("/").header("Sec-WebSocket-Protocol", "graphql-transport-ws");
    let mut client = Wire::open(&sidecar, &request);
    let mut upstream = backend.accept().wire;
    client.text(r#"{"type":"ping","payload":{"a":[1]}}"#);
    assert_eq!(
        text_of(&mut client),
        r#"{"type":"pong","payload":{"a":[1]}}"#
    );
    client.text("ping");
    assert_eq!(text_of(&mut upstream), "ping");
}

#[test]
fn small_compressed_messages_are_looked_into() {
    let accept = Handshake::accept().header("Sec-WebSocket-Extensions", "permessage-deflate");
    let backend = Backend::answering(accept);
    let sidecar = Sidecar::start(&format!(
        "upstream: {}\nheartbeat: {{app: [{{name: hello, match: {{text: Hello}}, reply: seen}}]}}",
        backend.url()
    ));
    let request = Request::opening("/").header("Sec-WebSocket-Extensions", "permessage-deflate");
    let mut client = Wire::open(&sidecar, &request);
    let accepted = backend.accept();
    let mut upstream = accepted.wire;
    // RFC 7692 section 7.2.3.1.
    let hello = [
        0xc1, 0x87, 0, 0, 0, 0, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00,
    ];
    client.send(&hello);
    assert_eq!(text_of(&mut client), "seen");
    // Garbage is none of ours to judge: it goes through as it is.
    let garbage = [0xc1, 0x83, 0, 0, 0, 0, 0xff, 0xff, 0xff];
    client.send(&garbage);
    assert_eq!(upstream.frame().payload, [0xff, 0xff, 0xff]);
}

#[test]
fn live_connections_follow_new_rules() {
    let mut relayed = Relayed::start("");
    relayed.client.text("ping");
    assert_eq!(text_of(&mut relayed.upstream), "ping");
    let url = relayed.backend.url();
    relayed.sidecar.write_config(&format!(
        "upstream: {url}\nheartbeat: {{app: [{{preset: text}}]}}"
    ));
    relayed.sidecar.log_event("config_reloaded", TIMEOUT);
    support::wait_until("the rule holds", || {
        relayed.client.text("ping");
        relayed.client.text("mark");
        let mut answered = true;
        while text_of(&mut relayed.upstream) != "mark" {
            answered = false;
        }
        answered
    });
    relayed.client.expect(&Frame::text("pong"));
}

#[test]
fn captured_fields_cannot_forge_a_log_line() {
    let app = "[{match: {json: {type: hb}}, reply: ok, capture: [a, b, c, d, e]}]";
    let mut relayed = relayed(app);
    let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
    relayed.client.text(&format!(
        "{{\"type\":\"hb\",\"a\":{{\n\"x y\"\t:\r\n[1.50, \"\\n \"]}},\"b\":{deep},\"c\":1e999,\"d\":\"\\ud800\",\"e\":[[1]]}}"
    ));
    assert_eq!(text_of(&mut relayed.client), "ok");
    drop((relayed.client, relayed.upstream));
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    let expected = serde_json::json!({"a": {"x y": [1.5, "\n "]}, "e": [[1]]});
    assert_eq!(record["captured"], expected);
}
