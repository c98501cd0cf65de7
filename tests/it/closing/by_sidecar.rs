//! How connections end when the sidecar ends them, by its clock, by a signal, and with the words of `close:`.

use crate::support::record::{closes, record_of};
use crate::support::{Frame, Relayed, Request, TIMEOUT, Wire};

#[test]
fn idle_and_unanswered_legs_are_closed_by_the_sidecar() {
    // The settings that bring it about, the reason, and what the client and the backend get.
    let off = "ping_interval: off";
    let cases = [
        (
            format!("client: {{idle_time: 150ms, {off}}}, upstream: {{{off}}}"),
            "client_idle",
            "INFO",
            (1001, "idle timeout"),
            (1001, "client idle timeout"),
            "nothing received for ",
        ),
        (
            format!("client: {{idle_time: 150ms, activity: message, {off}}}, upstream: {{{off}}}"),
            "client_idle",
            "INFO",
            (1001, "idle timeout"),
            (1001, "client idle timeout"),
            "no message received for ",
        ),
        (
            format!("client: {{{off}}}, upstream: {{idle_time: 150ms, {off}}}"),
            "upstream_idle",
            "WARN",
            (1014, "backend idle timeout"),
            (1001, "idle timeout"),
            "nothing received for ",
        ),
        (
            format!("client: {{ping_interval: 80ms, pong_timeout: 60ms}}, upstream: {{{off}}}"),
            "client_pong_timeout",
            "INFO",
            (1001, "ping timeout"),
            (1001, "client ping timeout"),
            "2 pings in a row unanswered",
        ),
        (
            format!(
                "client: {{{off}}}, upstream: {{ping_interval: 80ms, pong_timeout: 60ms, missed_pongs: 3}}"
            ),
            "upstream_pong_timeout",
            "WARN",
            (1014, "backend ping timeout"),
            (1001, "ping timeout"),
            "3 pings in a row unanswered",
        ),
    ];
    for (settings, reason, level, to_client, to_upstream, detail) in cases {
        let mut relayed =
            Relayed::start(&format!("heartbeat: {{check_interval: 10ms, {settings}}}"));
        relayed.client.expect_close_with(to_client.0, to_client.1);
        relayed
            .upstream
            .expect_close_with(to_upstream.0, to_upstream.1);
        for leg in [&mut relayed.client, &mut relayed.upstream] {
            leg.send_frame(&Frame::close(1000, ""));
            leg.end_sending();
            leg.expect_end();
        }
        let record = record_of(&relayed, reason, "sidecar", level);
        assert_eq!(
            record["client_close"],
            closes(Some((1000, "")), Some(to_client))
        );
        assert_eq!(
            record["upstream_close"],
            closes(Some((1000, "")), Some(to_upstream))
        );
        assert!(
            record["detail"].as_str().unwrap().starts_with(detail),
            "{record}"
        );
        let (missed, of_upstream) = match reason {
            "client_pong_timeout" => (2, 0),
            "upstream_pong_timeout" => (0, 3),
            _ => (0, 0),
        };
        assert_eq!(record["missed_pongs"], missed);
        assert_eq!(record["upstream_missed_pongs"], of_upstream);
        let silent_leg = if reason.starts_with("client") {
            "client_idle_ms"
        } else {
            "upstream_idle_ms"
        };
        // Never earlier than asked for.
        let least = if reason.ends_with("idle") { 150 } else { 100 };
        assert!(record[silent_leg].as_u64().unwrap() >= least, "{record}");
    }
}

/// Sends until the sidecar has closed, because the other side does not read.
fn flood(from: &mut Wire) {
    let message = from.encode(&Frame::binary(vec![7; 60_000]));
    // More than any socket buffers hold, and what is read and dropped within `close_timeout`.
    for _ in 0..20_000 {
        if from.try_send(&message).is_err() {
            return;
        }
    }
    panic!("1.2 GB went into a leg that nobody reads at the other end");
}

#[test]
fn client_stalled_when_it_reads_nothing() {
    let mut relayed = Relayed::start(
        "limits: {write_stall_timeout: 300ms, close_timeout: 300ms}\nheartbeat: {check_interval: 10ms}",
    );
    flood(&mut relayed.upstream);
    let record = record_of(&relayed, "client_stalled", "sidecar", "INFO");
    assert!(
        record["detail"]
            .as_str()
            .unwrap()
            .starts_with("accepted no byte for "),
        "{record}"
    );
    assert_eq!(
        record["client_close"],
        closes(None, None),
        "a Close frame cannot follow"
    );
    assert_eq!(record["upstream_close"]["sent"]["code"], 1001);
    assert_eq!(
        record["upstream_close"]["sent"]["reason"],
        "client too slow to read"
    );
}

#[test]
fn upstream_stalled_when_it_reads_nothing() {
    let mut relayed = Relayed::start(
        "limits: {write_stall_timeout: 300ms, close_timeout: 300ms}\nheartbeat: {check_interval: 10ms}",
    );
    flood(&mut relayed.client);
    let record = record_of(&relayed, "upstream_stalled", "sidecar", "WARN");
    assert_eq!(record["upstream_close"], closes(None, None));
    assert_eq!(record["client_close"]["sent"]["code"], 1014);
    assert_eq!(
        record["client_close"]["sent"]["reason"],
        "backend too slow to read"
    );
}

#[test]
fn max_lifetime() {
    let mut relayed = Relayed::start("limits: {max_lifetime: 300ms}");
    relayed
        .client
        .expect_close_with(1001, "maximum lifetime reached");
    relayed
        .upstream
        .expect_close_with(1001, "maximum lifetime reached");
    relayed.client.send_frame(&Frame::close(1001, ""));
    relayed.upstream.send_frame(&Frame::close(1001, ""));
    relayed.client.expect_end();
    relayed.upstream.end_sending();
    relayed.upstream.expect_end();
    let record = record_of(&relayed, "max_lifetime", "sidecar", "INFO");
    assert!(record["duration_ms"].as_u64().unwrap() >= 270, "{record}");
}

#[test]
fn drained() {
    let mut relayed = Relayed::start("drain: {spread: 0s, code: 1012, reason: deploy}");
    relayed.sidecar.signal(rustix::process::Signal::TERM);
    relayed.client.expect_close_with(1012, "deploy");
    relayed
        .upstream
        .expect_close_with(1001, "sidecar is draining");
    relayed.client.send_frame(&Frame::close(1012, "deploy"));
    relayed.upstream.send_frame(&Frame::close(1001, ""));
    relayed.client.expect_end();
    relayed.upstream.end_sending();
    relayed.upstream.expect_end();
    let record = record_of(&relayed, "drained", "sidecar", "INFO");
    assert_eq!(
        record["client_close"],
        closes(Some((1012, "deploy")), Some((1012, "deploy")))
    );
    relayed.sidecar.log_event("drained", TIMEOUT);
    assert!(relayed.sidecar.wait_for_exit(TIMEOUT).success());
}

#[test]
fn close_settings_replace_the_clients_code_and_reason() {
    let settings = "\
close:
  upstream_lost: {code: 4014, reason: try again}
  ping_flood: {code: 4008}
  client_too_big: {reason: smaller please}
limits: {pings_per_second: 1, max_frame: 100}
";
    let relayed = Relayed::start(settings);
    let (mut client, upstream) = relayed.another();
    drop(upstream);
    client.expect_close_with(4014, "try again");

    let (mut client, mut upstream) = relayed.another();
    // At once, so that none is forgiven meanwhile.
    let pings = (0..10).flat_map(|number| client.encode(&Frame::ping([number])));
    client.send(&pings.collect::<Vec<u8>>());
    client.expect_close_with(4008, "too many pings");
    upstream.expect_close_with(1001, "client sent too many pings");

    let (mut client, mut upstream) = relayed.another();
    client.send_frame(&Frame::binary(vec![0; 101]));
    client.expect_close_with(1009, "smaller please");
    upstream.expect_close_with(1001, "client message too big");
}

#[test]
fn a_route_may_close_differently() {
    let settings = "\
close: {upstream_lost: {code: 4001}}
routes:
  - match: {path: /other}
    close: {upstream_lost: {code: 4002}}
";
    let relayed = Relayed::start(settings);
    drop(relayed.upstream);
    let mut client = relayed.client;
    client.expect_close_with(4001, "backend connection lost");
    let mut other = Wire::open(&relayed.sidecar, &Request::opening("/other"));
    drop(relayed.backend.accept());
    other.expect_close_with(4002, "backend connection lost");
}
