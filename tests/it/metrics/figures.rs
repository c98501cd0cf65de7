//! The figures of a running sidecar against what its log says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::scrape::{Scrape, open_metrics};
use super::*;
use crate::support::{Backend, Frame, Handshake, Relayed, op, wait_until};

const SETTINGS: &str = "metrics: {listen: '127.0.0.1:0'}
heartbeat:
  check_interval: 50ms
  client: {ping_interval: 200ms}
  upstream: {ping_interval: 200ms}
  app: [{preset: json}, {name: hello, match: {text: hi}, reply: there}]
limits: {allowed_origins: [example.com], pings_per_second: off}
routes:
  - match: {path: /quiet}
    heartbeat: {app: []}
";

#[test]
fn an_opening_without_its_upgrade_is_passed_on_counted_and_logged_once_in_a_while() {
    let page = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";
    let backend = Backend::answering(Handshake::raw(page));
    let settings = format!("upstream: {}\n{METRICS}", backend.url());
    let sidecar = Sidecar::start(&settings);
    let metrics = address(&sidecar, "metrics");
    let series = "sidebeat_upgrades_missing_total";
    assert_eq!(Scrape::of(metrics).get(series), 0.0);
    let opening = Request::opening("/chat?token=secret");
    let cases = [
        // As nginx passes it on without its lines.
        opening
            .clone()
            .without("Upgrade")
            .with("Connection", "close"),
        opening.clone().without("Upgrade").without("Connection"),
        opening.clone().with("Connection", "keep-alive"),
        opening.clone().with("Upgrade", "h2c"),
    ];
    for (nth, request) in cases.iter().enumerate() {
        let answer = Wire::connect(sidecar.address()).ask(request);
        assert_eq!((answer.status, &answer.body[..]), (200, &b"page"[..]));
        let head = backend.accept().head;
        assert!(head.header("sec-websocket-key").is_some(), "{head:?}");
        wait_until("it is counted", || {
            Scrape::of(metrics).get(series) == nth as f64 + 1.0
        });
    }
    let record = sidecar.log_event("upgrade_missing", TIMEOUT);
    assert_eq!(record["level"], "WARN");
    assert_eq!(record["count"], 1);
    assert_eq!(record["path"], "/chat");
    let detail = record["detail"].as_str().unwrap();
    for part in [
        "without `Upgrade: websocket`",
        "proxy_set_header Upgrade $http_upgrade",
    ] {
        assert!(detail.contains(part), "{detail}");
    }
    // A plain request is none, and neither is an opening handshake as it should be.
    Wire::connect(sidecar.address()).ask(&request("GET /"));
    Wire::connect(sidecar.address()).ask(&opening);
    assert_eq!(Scrape::of(metrics).get(series), 4.0);
    assert_eq!(sidecar.logged("upgrade_missing").len(), 1);
}

/// What the log says of all connections that have ended.
fn logged(sidecar: &Sidecar, field: &str) -> f64 {
    let records = sidecar.logged("connection_closed");
    records
        .iter()
        .map(|record| record[field].as_f64().unwrap())
        .sum()
}

#[test]
fn every_figure_is_what_the_log_says() {
    let backend = Backend::echo();
    let sidecar = Sidecar::start(&format!("upstream: {}\n{SETTINGS}", backend.url()));
    let metrics = address(&sidecar, "metrics");
    let mut client = Wire::open(&sidecar, &Request::opening("/"));
    client.text("hello");
    client.text("{\"type\":\"ping\"}");
    client.text("hi");
    client.text("hi");
    client.send_frame(&Frame::ping(b"you?"));
    let (mut replies, mut pings, mut pongs) = (0, 0, 0);
    while replies < 4 || pings < 2 || pongs < 1 {
        let frame = client.frame();
        match frame.opcode {
            op::PING => {
                client.send_frame(&Frame::pong(&frame.payload));
                pings += 1;
            }
            op::PONG => pongs += 1,
            _ => replies += 1,
        }
    }
    let mut second = Wire::open(&sidecar, &Request::opening("/quiet"));
    second.send_frame(&Frame::close(1000, ""));
    second.expect_close_with(1000, "");
    sidecar.log_event("connection_closed", TIMEOUT);

    // The first is counted while it lives. A figure follows what the client sees; it does not come before.
    for (series, value) in [
        ("sidebeat_connections{route=\"default\"}", 1.0),
        ("sidebeat_connections{route=\"/quiet\"}", 0.0),
        ("sidebeat_connections_admitted", 1.0),
        ("sidebeat_max_connections", 10000.0),
        ("sidebeat_connections_opened_total{route=\"default\"}", 1.0),
        ("sidebeat_connections_opened_total{route=\"/quiet\"}", 1.0),
        ("sidebeat_app_heartbeats_total{rule=\"json\"}", 1.0),
        ("sidebeat_app_heartbeats_total{rule=\"hello\"}", 2.0),
        (
            "sidebeat_messages_total{direction=\"client_to_upstream\"}",
            1.0,
        ),
        (
            "sidebeat_messages_total{direction=\"upstream_to_client\"}",
            1.0,
        ),
        ("sidebeat_pings_answered_total{peer=\"client\"}", 1.0),
        ("sidebeat_upstream_up", 1.0),
    ] {
        wait_until(&format!("{series} is {value}"), || {
            Scrape::of(metrics).get(series) == value
        });
    }
    wait_until("pongs of both are counted", || {
        let scrape = Scrape::of(metrics);
        scrape.get("sidebeat_pongs_received_total{peer=\"client\"}") >= 2.0
            && scrape.get("sidebeat_pongs_received_total{peer=\"upstream\"}") >= 1.0
    });

    // Failures and plain requests, and then everything against the log.
    drop(client);
    sidecar.log_event("connection_closed", TIMEOUT);
    let mut denied = Wire::connect(sidecar.address());
    let origin = Request::opening("/").header("Origin", "https://elsewhere.test");
    assert_eq!(denied.ask(&origin).status, 403);
    let scrape = Scrape::of(metrics);
    for (metric, label, fields) in [
        (
            "messages_total",
            "direction",
            ["client_messages", "upstream_messages"],
        ),
        (
            "bytes_total",
            "direction",
            ["client_bytes", "upstream_bytes"],
        ),
        (
            "pings_sent_total",
            "peer",
            ["pings_sent", "upstream_pings_sent"],
        ),
        (
            "pongs_received_total",
            "peer",
            ["pongs_received", "upstream_pongs_received"],
        ),
        (
            "rtt_seconds_count",
            "peer",
            ["pongs_received", "upstream_pongs_received"],
        ),
        (
            "pongs_missed_total",
            "peer",
            ["missed_pongs", "upstream_missed_pongs"],
        ),
        (
            "pings_answered_total",
            "peer",
            ["pings_answered", "upstream_pings_answered"],
        ),
    ] {
        let values = match label {
            "peer" => ["client", "upstream"],
            _ => ["client_to_upstream", "upstream_to_client"],
        };
        for (value, field) in values.into_iter().zip(fields) {
            let series = format!("sidebeat_{metric}{{{label}=\"{value}\"}}");
            assert_eq!(scrape.get(&series), logged(&sidecar, field), "{series}");
        }
    }
    let heartbeats = scrape.sum("sidebeat_app_heartbeats_total");
    assert_eq!(heartbeats, logged(&sidecar, "app_heartbeats"));
    let lasted = scrape.get("sidebeat_connection_duration_seconds_sum") * 1e3;
    let told = logged(&sidecar, "duration_ms");
    assert!((lasted - told).abs() <= 2.0, "{lasted} and {told}");
    let opened = scrape.get("sidebeat_handshake_duration_seconds_count");
    assert_eq!(opened, sidecar.logged("connection_opened").len() as f64);
    for record in sidecar.logged("connection_closed") {
        let label = |field: &str| record[field].as_str().unwrap().to_owned();
        let series = format!(
            "sidebeat_connections_closed_total{{route=\"{}\",initiator=\"{}\",reason=\"{}\"}}",
            label("route"),
            label("initiator"),
            label("reason")
        );
        assert_eq!(scrape.get(&series), 1.0, "{series}");
    }
    for (series, value) in [
        ("sidebeat_connections{route=\"default\"}", 0.0),
        (
            "sidebeat_handshakes_failed_total{reason=\"origin_denied\"}",
            1.0,
        ),
    ] {
        assert_eq!(scrape.get(series), value, "{series}");
    }
    assert_eq!(scrape.sum("sidebeat_handshakes_failed_total"), 1.0);
}

#[test]
fn plain_requests_are_counted_by_the_class_of_their_answer() {
    let status = |line: &str| {
        Handshake::raw(format!(
            "HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ))
    };
    let backend = Backend::answering(status("200 OK"));
    let sidecar = Sidecar::start(&format!("upstream: {}\n{METRICS}", backend.url()));
    let metrics = address(&sidecar, "metrics");
    for line in [
        "200 OK",
        "204 No Content",
        "302 Found",
        "404 Not Found",
        "503 No",
        "799 What",
    ] {
        backend.answer_with(status(line));
        assert!(get(sidecar.address(), "/").head.line.contains(&line[..3]));
    }
    // One that is no request, and one that opens a WebSocket, are none of these.
    let connect = Request::line("CONNECT a:1 HTTP/1.1").header("Host", "a");
    assert_eq!(Wire::connect(sidecar.address()).ask(&connect).status, 404);
    backend.answer_with(Handshake::accept());
    Wire::open(&sidecar, &Request::opening("/"));
    let scrape = Scrape::of(metrics);
    for (class, count) in [
        ("2xx", 2.0),
        ("3xx", 1.0),
        ("4xx", 1.0),
        ("5xx", 1.0),
        ("other", 1.0),
    ] {
        let series = format!("sidebeat_http_requests_total{{status_class=\"{class}\"}}");
        assert_eq!(scrape.get(&series), count, "{series}");
    }
    let no_route = "sidebeat_handshakes_failed_total{reason=\"no_route\"}";
    assert_eq!(scrape.get(no_route), 1.0);
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs_f64()
}

#[test]
fn the_process_began_when_it_was_started_and_not_anew_at_each_look() {
    let before = now();
    let relayed = Relayed::start(METRICS);
    let metrics = address(&relayed.sidecar, "metrics");
    let began = || Scrape::of(metrics).get("process_start_time_seconds");
    let first = began();
    assert!(before <= first && first <= now(), "{before} {first}");
    assert_eq!(began(), first);
}

#[test]
fn reloads_are_counted_and_dated() {
    let relayed = Relayed::start(METRICS);
    let metrics = address(&relayed.sidecar, "metrics");
    let loaded = "sidebeat_config_last_reload_timestamp_seconds";
    let first = Scrape::of(metrics);
    let write = |settings: &str, event: &str| {
        let upstream = relayed.backend.url();
        relayed
            .sidecar
            .write_config(&format!("upstream: {upstream}\n{METRICS}\n{settings}"));
        relayed.sidecar.log_event(event, TIMEOUT)
    };
    write("limits: {max_frame: much}", "config_rejected");
    let second = Scrape::of(metrics);
    let result = |result: &str| format!("sidebeat_config_reloads_total{{result=\"{result}\"}}");
    assert_eq!(second.get(&result("failure")), 1.0);
    assert_eq!(second.get(&result("success")), 0.0);
    assert!(second.get(loaded) == first.get(loaded), "nothing was taken");
    write("limits: {max_connections: 7}", "config_reloaded");
    let third = Scrape::of(metrics);
    assert_eq!(third.get(&result("success")), 1.0);
    assert!(third.get(loaded) > first.get(loaded));
    assert_eq!(third.get("sidebeat_max_connections"), 7.0);
}

#[test]
fn both_formats_have_the_same_series() {
    let relayed = Relayed::start(&format!("{METRICS}\nlimits: {{max_connections: off}}"));
    let metrics = address(&relayed.sidecar, "metrics");
    let answer = get(metrics, "/metrics");
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert_eq!(answer.header("vary"), Some("Accept"));
    let text = Scrape::of(metrics);
    let page = open_metrics(metrics);
    assert!(page.ends_with("\n# EOF\n"));
    let open = Scrape::parse(&page);
    assert!(text.names().eq(open.names()));
    assert_eq!(text.get("sidebeat_max_connections"), f64::INFINITY);
    for there in [
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ] {
        assert!(text.get(there) >= 0.0);
    }
    assert!(text.get("process_open_fds") > 5.0);
}

#[test]
fn figures_can_be_read_to_the_end() {
    let settings = "drain: {spread: 0s, timeout: 60s}\nlimits: {close_timeout: 50s}";
    let relayed = Relayed::start(&format!("{METRICS}\n{settings}"));
    let metrics = address(&relayed.sidecar, "metrics");
    assert_eq!(Scrape::of(metrics).get("sidebeat_draining"), 0.0);
    relayed.sidecar.signal(rustix::process::Signal::TERM);
    relayed.sidecar.log_event("draining", TIMEOUT);
    let scrape = Scrape::of(metrics);
    assert_eq!(scrape.get("sidebeat_draining"), 1.0);
    assert_eq!(scrape.get("sidebeat_connections{route=\"default\"}"), 1.0);
    // Both legs have their Close frame, and nobody answers.
    let (mut client, mut upstream) = (relayed.client, relayed.upstream);
    client.expect_close();
    upstream.expect_close();
    assert_eq!(Scrape::of(metrics).get("sidebeat_draining"), 1.0);
    drop((client, upstream));
    assert_eq!(relayed.sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
}

#[test]
fn round_trips_are_where_they_belong() {
    let relayed = Relayed::start(&format!(
        "{METRICS}\nheartbeat: {{check_interval: 10ms, client: {{ping_interval: 100ms}}, upstream: {{keepalive: off}}}}"
    ));
    let metrics = address(&relayed.sidecar, "metrics");
    let mut client = relayed.client;
    let Frame {
        payload, opcode, ..
    } = client.frame();
    assert_eq!(opcode, op::PING);
    std::thread::sleep(Duration::from_millis(120));
    client.send_frame(&Frame::pong(&payload));
    let bucket =
        |bound: &str| format!("sidebeat_rtt_seconds_bucket{{peer=\"client\",le=\"{bound}\"}}");
    wait_until("the pong is counted", || {
        Scrape::of(metrics).get(&bucket("+Inf")) == 1.0
    });
    let scrape = Scrape::of(metrics);
    assert_eq!(scrape.get(&bucket("0.1")), 0.0);
    assert!(scrape.get("sidebeat_rtt_seconds_sum{peer=\"client\"}") >= 0.12);
    assert_eq!(
        scrape.get("sidebeat_rtt_seconds_count{peer=\"upstream\"}"),
        0.0
    );
    drop(relayed.upstream);
}
