//! The process at a glance.

use serde_json::json;

use super::*;
use crate::support::wait_until;

#[test]
fn a_summary_adds_up() {
    let (relayed, admin) =
        start("limits: {max_connections: 5}\nheartbeat: {app: [{preset: text, name: hello}]}");
    let (mut client, mut upstream) = relayed.another();
    client.text("12345");
    upstream.expect(&support::Frame::text("12345"));
    client.text("ping");
    client.expect(&support::Frame::text("pong"));
    client.send_frame(&support::Frame::close(1000, ""));
    drop((client, upstream));
    relayed.sidecar.log_event("connection_closed", TIMEOUT);
    wait_until("its place is free", || {
        get(admin, "/api/summary")["connections"]["admitted"] == 1
    });
    let refused = Request::opening("/").with("Sec-WebSocket-Version", "12");
    let answer = Wire::connect(relayed.sidecar.address()).ask(&refused);
    assert_eq!(answer.status, 426);
    wait_until("the backend was tried", || {
        get(admin, "/api/summary")["upstreams"][0]["up"] == true
    });
    let summary = get(admin, "/api/summary");
    for (pointer, value) in [
        ("/version", json!(env!("CARGO_PKG_VERSION"))),
        (
            "/connections",
            json!({"established": 1, "admitted": 1, "max": 5}),
        ),
        ("/draining", json!(null)),
        (
            "/routes",
            json!([{"route": "default", "established": 1, "opened": 2}]),
        ),
        (
            "/closed",
            json!([{"route": "default", "initiator": "client", "reason": "client_closed", "count": 1}]),
        ),
        (
            "/handshakes_failed",
            json!([{"reason": "client_bad_handshake", "count": 1}]),
        ),
        (
            "/http_requests/0",
            json!({"status_class": "2xx", "count": 0}),
        ),
        ("/upstreams/0/address", json!(relayed.backend.name())),
        ("/upstreams/0/detail", json!(null)),
        ("/client/messages", json!(1)),
        ("/client/bytes", json!(9)),
        ("/client/rtt_ms", json!(null)),
        ("/upstream/messages", json!(0)),
        ("/app_heartbeats", json!([{"rule": "hello", "count": 1}])),
        (
            "/config/path",
            json!(relayed.sidecar.config_path().to_str()),
        ),
        ("/config/last_reload", json!(null)),
        ("/log_lines_dropped", json!(0)),
        ("/events_dropped", json!(0)),
    ] {
        assert_eq!(
            summary.pointer(pointer),
            Some(&value),
            "{pointer}: {summary}"
        );
    }
    let uptime = summary["uptime_ms"].as_u64().unwrap();
    assert!(get(admin, "/api/summary")["uptime_ms"].as_u64().unwrap() >= uptime);
}

#[test]
fn the_history_has_a_sample_from_the_start_on() {
    let (relayed, admin) = start("");
    let history = get(admin, "/api/history");
    assert_eq!(history["interval_ms"], 5000);
    wait_until("a sample saw the connection", || {
        let history = get(admin, "/api/history");
        let samples = history["samples"].as_array().unwrap();
        let last = samples.last().unwrap();
        last["established"] == 1 && last["opened"] == 1 && last["closed"] == 0
    });
    drop(relayed);
}
