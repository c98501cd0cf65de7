//! Measuring round trips.

use std::time::{Duration, Instant};

use super::*;
use crate::support::{Frame, Received, op};

/// Begins to ask; the answer is read when it is wanted.
fn begin(admin: SocketAddr, conn: &str, query: &str) -> Wire {
    let mut wire = Wire::connect(admin);
    let line = format!("POST /api/connections/{conn}/ping{query}");
    wire.send(&request(admin, &line).encode());
    wire
}

fn answer_ping(peer: &mut Wire) {
    let ping = peer.frame();
    assert_eq!(ping.opcode, op::PING);
    peer.send_frame(&Frame::pong(&ping.payload));
}

#[test]
fn a_peer_is_pinged_whatever_its_heartbeat_is() {
    for settings in [
        "heartbeat: {client: {ping_interval: off}, upstream: {keepalive: off}}",
        "heartbeat: {client: {ping_interval: 1h}, upstream: {keepalive: pong, ping_interval: 1h}}",
        "heartbeat: {client: {pong_timeout: off}, upstream: {keepalive: {text: alive}, ping_interval: 1h}}",
    ] {
        let (mut relayed, admin) = start(settings);
        let conn = only(admin);
        for (leg, query) in [
            ("client", ""),
            ("client", "?leg=client"),
            ("upstream", "?leg=upstream"),
        ] {
            let mut asking = begin(admin, &conn, query);
            let peer = match leg {
                "client" => &mut relayed.client,
                _ => &mut relayed.upstream,
            };
            answer_ping(peer);
            let answer = asking.answer();
            assert_eq!(answer.status, 200, "{:?}", answer.json());
            let body = answer.json();
            assert_eq!(
                (&body["conn"], &body["leg"]),
                (&conn.clone().into(), &leg.into())
            );
            let rtt = body["rtt_ms"].as_f64().unwrap();
            assert!((0.0..15_000.0).contains(&rtt), "{body}");
        }
        let row = get(admin, &format!("/api/connections/{conn}"));
        assert_eq!(
            (&row["pings_sent"], &row["pongs_received"]),
            (&2.into(), &2.into())
        );
        assert_eq!(row["upstream_pings_sent"], 1);
        assert!(
            row["rtt_ms"].is_f64() && row["upstream_rtt_ms"].is_f64(),
            "{row}"
        );
    }
}

#[test]
fn all_who_ask_at_once_are_answered() {
    let (relayed, admin) = start("heartbeat: {client: {ping_interval: off}}");
    let conn = only(admin);
    let mut client = relayed.client;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Received::Frame(frame) = client.receive() {
                match frame.opcode {
                    op::PING => client.send_frame(&Frame::pong(&frame.payload)),
                    _ => return,
                }
            }
        });
        let mut asking: Vec<Wire> = (0..8).map(|_| begin(admin, &conn, "")).collect();
        for wire in &mut asking {
            assert_eq!(wire.answer().status, 200);
        }
        let row = get(admin, &format!("/api/connections/{conn}"));
        assert!(row["pongs_received"].as_u64() >= Some(1), "{row}");
        ask(admin, &format!("DELETE /api/connections/{conn}"));
    });
}

#[test]
fn one_who_does_not_answer_lives_on() {
    let settings = "heartbeat: {client: {ping_interval: 1h, pong_timeout: 300ms, missed_pongs: 1}}";
    let (relayed, admin) = start(settings);
    let conn = only(admin);
    let began = Instant::now();
    let body = problem(&begin(admin, &conn, "").answer(), 504);
    assert_eq!(body["detail"], "no pong from the client within 0.3 s");
    assert!(began.elapsed() >= Duration::from_millis(300));
    let row = get(admin, &format!("/api/connections/{conn}"));
    assert_eq!(
        (&row["state"], &row["missed_pongs"]),
        (&"open".into(), &0.into())
    );
    drop(relayed);
}

#[test]
fn one_who_leaves_meanwhile_is_gone() {
    let (mut relayed, admin) = start("heartbeat: {client: {ping_interval: off}}");
    let conn = only(admin);
    let mut asking = begin(admin, &conn, "");
    assert_eq!(relayed.client.frame().opcode, op::PING);
    relayed.client.reset();
    drop(relayed.upstream);
    problem(&asking.answer(), 410);
    relayed.sidecar.log_event("connection_closed", TIMEOUT);
    problem(&begin(admin, &conn, "").answer(), 404);
}
