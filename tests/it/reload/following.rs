//! Who follows what: live connections their heartbeat, limits and close; newcomers everything.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

#[test]
fn live_connections_follow_a_shorter_idle_time() {
    let mut relayed = Relayed::start("");
    let record = reload(
        &relayed,
        "heartbeat: {check_interval: 100ms, client: {idle_time: 1s}}\nlimits: {close_timeout: 200ms}\nclose: {client_idle: {code: 4001, reason: hush}}",
    );
    assert_eq!(record["connections"], 1);
    relayed.client.expect_close_with(4001, "hush");
    let record = relayed.closing_record();
    assert_eq!(record["reason"], "client_idle");
    let idle = record["client_idle_ms"].as_u64().unwrap();
    assert!(idle >= 1000, "{record}");
}

#[test]
fn live_connections_follow_a_longer_idle_time() {
    let mut relayed = Relayed::start("heartbeat: {check_interval: 100ms, client: {idle_time: 5s}}");
    reload(
        &relayed,
        "heartbeat: {check_interval: 100ms, client: {idle_time: off}}",
    );
    relayed.client.expect_silence(Duration::from_millis(5200));
    check_alive(&mut relayed.client, &mut relayed.upstream);
}

#[test]
fn live_connections_follow_limits() {
    let mut relayed = Relayed::start("");
    relayed.client.text(&"x".repeat(2000));
    relayed.upstream.frame();
    reload(
        &relayed,
        "limits: {max_frame: 1KiB, max_message: 1KiB, close_timeout: 200ms}",
    );
    // Told by the time the record is written, followed before anything else is read.
    check_alive(&mut relayed.client, &mut relayed.upstream);
    relayed.client.text(&"x".repeat(2000));
    assert_eq!(relayed.client.expect_close().unwrap().0, 1009);
    assert_eq!(relayed.closing_record()["reason"], "client_too_big");
}

#[test]
fn live_connections_follow_a_route_that_is_new() {
    let mut relayed = Relayed::start("");
    let mut other = Wire::open(&relayed.sidecar, &Request::opening("/other"));
    let mut other_upstream = relayed.backend.accept().wire;
    let route = "routes:\n  - match: {path: /chat}\n    heartbeat: {check_interval: 100ms, client: {idle_time: 500ms}}\n    limits: {close_timeout: 200ms}";
    reload(&relayed, route);
    relayed.client.expect_close_with(1001, "idle timeout");
    check_alive(&mut other, &mut other_upstream);
    // The record keeps the name under which it was opened; a newcomer has the route's own.
    assert_eq!(relayed.closing_record()["route"], "default");
    Wire::open(&relayed.sidecar, &Request::opening("/chat"));
    let opened = relayed
        .sidecar
        .log_event_where("connection_opened", TIMEOUT, |record| {
            record["route"] != "default"
        });
    assert_eq!(opened["path"], "/chat");
}

#[test]
fn another_upstream_applies_to_new_connections() {
    let mut relayed = Relayed::start("");
    relayed.backend.answer_with(Handshake::raw(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold",
    ));
    assert_eq!(ask(&relayed.sidecar).body, b"old");
    let dialled = relayed.backend.dialled();

    let new = Backend::answering(Handshake::raw(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew",
    ));
    relayed
        .sidecar
        .write_config(&format!("upstream: {}", new.url()));
    assert_eq!(reloaded(&relayed.sidecar)["changed"], json!(["upstream"]));
    check_alive(&mut relayed.client, &mut relayed.upstream);
    // The old one's kept connection is not used for it.
    assert_eq!(ask(&relayed.sidecar).body, b"new");
    new.answer_with(Handshake::accept());
    Wire::open(&relayed.sidecar, &Request::opening("/chat"));
    assert_eq!(new.dialled(), 2);
    assert_eq!(relayed.backend.dialled(), dialled);
}

#[test]
fn a_lower_max_connections_drops_no_connection() {
    let mut relayed = Relayed::start("limits: {max_connections: 1}");
    let opening = Request::opening("/chat");
    let refused = Wire::connect(relayed.sidecar.address()).ask(&opening);
    assert_eq!(refused.status, 503);
    reload(&relayed, "limits: {max_connections: 2}");
    let (mut client, mut upstream) = relayed.another();
    reload(&relayed, "limits: {max_connections: 1}");
    check_alive(&mut client, &mut upstream);
    check_alive(&mut relayed.client, &mut relayed.upstream);
    let refused = Wire::connect(relayed.sidecar.address()).ask(&opening);
    assert_eq!(refused.json()["error"], "over_capacity");
}

#[test]
fn the_log_follows_its_level_and_its_keys() {
    let relayed = Relayed::start("log: {level: info}");
    relayed.backend.answer_with(Handshake::raw(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ));
    let leaves_early = || {
        let mut client = Wire::connect(relayed.sidecar.address());
        client.ask(&Request::line("GET / HTTP/1.1").header("Host", "a"));
        client.send(b"garbage behind a request\r\n\r\n");
        // 400, and then the end.
        client.answer();
        client.expect_end();
        relayed.backend.accept();
    };
    leaves_early();
    assert!(relayed.sidecar.logged("http_connection_ended").is_empty());
    reload(&relayed, "log: {level: debug, opened: false}");
    leaves_early();
    relayed.sidecar.log_event("http_connection_ended", TIMEOUT);

    relayed.sidecar.log_event("connection_opened", TIMEOUT);
    relayed.backend.answer_with(Handshake::accept());
    let (client, upstream) = relayed.another();
    client.reset();
    drop(upstream);
    relayed.closing_record();
    assert_eq!(relayed.sidecar.logged("connection_opened").len(), 1);
}

/// A process that does not outlive its test, even one that fails.
struct KilledInTheEnd(Child);

impl Drop for KilledInTheEnd {
    fn drop(&mut self) {
        // Ended already is as good as killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_log_follows_its_format() {
    let folder = tempfile::tempdir().unwrap();
    let (config, log) = (folder.path().join("proxy.yaml"), folder.path().join("log"));
    let write = |format: &str| {
        let text = format!(
            "listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: off\nlog: {{format: {format}}}\n"
        );
        fs::write(&config, text).unwrap();
    };
    write("json");
    let child = Command::new(env!("CARGO_BIN_EXE_sidebeat"))
        .args(["run", "-c"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(File::create(&log).unwrap())
        .spawn();
    let _process = KilledInTheEnd(child.unwrap());
    let lines = |what: &str| {
        let text = fs::read_to_string(&log).unwrap();
        let lines = text.lines().filter(|line| line.contains(what));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    support::wait_until("it listens", || {
        !lines("\"event\":\"listening\"").is_empty()
    });
    write("text");
    support::wait_until("it writes text", || {
        !lines("  INFO config_reloaded ").is_empty()
    });
    write("json");
    support::wait_until("it writes JSON again", || {
        !lines("\"event\":\"config_reloaded\"").is_empty()
    });
    assert!(lines("  INFO config_reloaded ")[0].contains(" changed=\"[\\\"log.format\\\"]\""));
}
