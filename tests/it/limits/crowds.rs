//! Many connections that ask for nothing: whoever asks for something is served, and the process keeps its files.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support;
use crate::support::{Backend, Frame, Received, Request, Sidecar, TIMEOUT, Wire, wait_until};

/// Connections that send nothing, or only what is given.
fn crowd(sidecar: &Sidecar, count: usize, bytes: &[u8]) -> Vec<Wire> {
    (0..count)
        .map(|_| {
            let mut client = Wire::connect(sidecar.address());
            // One that is dropped already does not take it.
            let _ = client.try_send(bytes);
            client
        })
        .collect()
}

/// The same in this order, in whichever thread of the sidecar each is accepted.
fn one_by_one(sidecar: &Sidecar, count: usize) -> Vec<Wire> {
    let one = |_| {
        let client = crowd(sidecar, 1, b"GET").remove(0);
        wait_until("it is known", || sidecar.has_read(&client));
        client
    };
    (0..count).map(one).collect()
}

fn logged_address(sidecar: &Sidecar, event: &str) -> SocketAddr {
    let record = sidecar.log_event(event, TIMEOUT);
    record["address"].as_str().unwrap().parse().unwrap()
}

fn status(address: SocketAddr, path: &str) -> u16 {
    let request = Request::line(&format!("GET {path} HTTP/1.1")).header("Host", "localhost");
    Wire::connect(address).ask(&request).status
}

#[test]
fn silent_connections_take_no_file_from_those_who_ask() {
    let backend = Backend::echo();
    let sidecar = Sidecar::start_with_files(
        300,
        &format!(
            "upstream: {}\nlimits: {{max_connections: 20}}\nmetrics: {{listen: '127.0.0.1:0'}}\nadmin: {{listen: '127.0.0.1:0'}}\n",
            backend.url()
        ),
    );
    let metrics = logged_address(&sidecar, "metrics_listening");
    let admin = logged_address(&sidecar, "admin_listening");
    let mut early = Wire::open(&sidecar, &Request::opening("/"));
    let unfinished = b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ";
    let mut crowds = Vec::new();
    for (count, bytes) in [(290, &b""[..]), (300, unfinished)] {
        crowds.push(crowd(&sidecar, count, bytes));
        let mut websockets: Vec<Wire> = (0..10)
            .map(|_| Wire::open(&sidecar, &Request::opening("/")))
            .collect();
        for client in &mut websockets {
            client.text("hello");
            client.expect(&Frame::text("hello"));
        }
        assert_eq!(status(metrics, "/livez"), 200);
        assert_eq!(status(metrics, "/metrics"), 200);
        assert_eq!(status(admin, "/api/summary"), 200);
        assert!(sidecar.open_files() < 220, "{}", sidecar.open_files());
    }
    early.text("still there?");
    early.expect(&Frame::text("still there?"));
    let record = sidecar.log_event("connections_dropped", TIMEOUT);
    assert_eq!(record["level"], "WARN");
    assert!(record["dropped"].as_u64() > Some(100), "{record}");
    assert!(
        sidecar.logged("handshake_failed").is_empty(),
        "one line, not one each"
    );
    assert!(sidecar.logged("accept_failed").is_empty());
}

#[test]
fn websockets_leave_room_for_those_who_learn_that_there_is_none() {
    let backend = Backend::echo();
    let sidecar = Sidecar::start_with_files(
        150,
        &format!(
            "upstream: {}\nmetrics: {{listen: '127.0.0.1:0'}}\n",
            backend.url()
        ),
    );
    let metrics = logged_address(&sidecar, "metrics_listening");
    let warning = sidecar.log_event("open_files_limit_low", TIMEOUT);
    assert_eq!(warning["limit"], 150);
    let mut websockets = Vec::new();
    let refused = loop {
        let mut client = Wire::connect(sidecar.address());
        let answer = client.ask(&Request::opening("/"));
        if answer.status != 101 {
            break answer;
        }
        websockets.push(client);
        assert!(websockets.len() < 75, "more than the files allow");
    };
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["error"], "over_capacity");
    assert!(websockets.len() >= 20, "{}", websockets.len());
    let record = sidecar.log_event("handshake_failed", TIMEOUT);
    let detail = record["detail"].as_str().unwrap();
    assert!(detail.contains("open files"), "{record}");
    let _crowd = crowd(&sidecar, 100, b"");
    assert_eq!(status(metrics, "/livez"), 200);
    let mut first = websockets.swap_remove(0);
    first.text("hello");
    first.expect(&Frame::text("hello"));
    first.reset();
    wait_until("a place is free", || {
        Wire::connect(sidecar.address())
            .ask(&Request::opening("/"))
            .status
            == 101
    });
}

/// The next that comes is the end, however it comes.
fn expect_gone(client: &mut Wire) {
    let end = client.receive();
    assert!(matches!(end, Received::End(_) | Received::Reset), "{end:?}");
}

#[test]
fn a_head_that_comes_slowly_counts_as_silent_and_a_websocket_not_at_all() {
    let backend = Backend::echo();
    let sidecar = Sidecar::start(&format!(
        "upstream: {}\nlimits: {{max_http_connections: 3, handshake_timeout: off}}",
        backend.url()
    ));
    let mut websockets: Vec<Wire> = (0..6)
        .map(|_| Wire::open(&sidecar, &Request::opening("/")))
        .collect();
    let mut slow = one_by_one(&sidecar, 3);
    for client in slow.iter_mut().rev() {
        client.send(b" / HTTP/1.1\r\nH");
        wait_until("it is read", || sidecar.has_read(client));
    }
    let mut late_client = Wire::open(&sidecar, &Request::opening("/"));
    expect_gone(&mut slow[0]);
    // The others go on, and the end of the head is not too late for them.
    for client in &mut slow[1..] {
        client.send(b"ost: chat.example.com\r\n\r\n");
        // A backend that only speaks WebSocket has no better answer to plain HTTP.
        assert!(client.answer().status >= 200);
    }
    for client in websockets.iter_mut().chain([&mut late_client]) {
        client.text("hello");
        client.expect(&Frame::text("hello"));
    }
}

#[test]
fn where_all_are_busy_the_newest_is_refused() {
    let backend = Backend::answering(support::Handshake::silent());
    let settings = format!(
        "upstream: {{url: '{}', handshake_timeout: off}}\nlimits: {{max_http_connections: 2}}",
        backend.url()
    );
    let sidecar = Sidecar::start(&settings);
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut client = Wire::connect(sidecar.address());
        client.send(&Request::opening("/").encode());
        busy.push((client, backend.accept()));
    }
    let mut refused = Wire::connect(sidecar.address());
    let _ = refused.try_send(b"");
    let answer = refused.answer();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["error"], "over_capacity");
    assert!(answer.header("retry-after").is_some());
    let record = sidecar.log_event("connections_dropped", TIMEOUT);
    assert_eq!(record["refused"], 1);
    // Whoever goes leaves its place.
    let (client, upstream) = busy.remove(0);
    client.reset();
    drop(upstream);
    wait_until("there is a place", || {
        let mut client = Wire::connect(sidecar.address());
        let is_in = client.try_send(b"GET").is_ok();
        is_in && !matches!(try_end(&client), Some(true))
    });
}

/// Whether it has ended or been answered by now; none while nothing came.
fn try_end(client: &Wire) -> Option<bool> {
    let socket = client.socket();
    socket
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let peeked = socket.peek(&mut [std::mem::MaybeUninit::uninit(); 1]);
    match peeked {
        Ok(_) => Some(true),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Some(true),
        Err(_) => None,
    }
}

#[test]
fn one_address_loses_its_own_oldest_and_a_reload_changes_the_bound() {
    let backend = Backend::echo();
    let config = |bound: &str| {
        format!(
            "upstream: {}\nlimits: {{max_http_connections_per_ip: {bound}, handshake_timeout: off}}",
            backend.url()
        )
    };
    let sidecar = Sidecar::start(&config("3"));
    let mut clients = one_by_one(&sidecar, 4);
    expect_gone(&mut clients[0]);
    assert_eq!(try_end(&clients[1]), None);
    sidecar.write_config(&config("1"));
    sidecar.log_event("config_reloaded", TIMEOUT);
    let _newest = crowd(&sidecar, 1, b"GET");
    for client in &mut clients[1..] {
        expect_gone(client);
    }
    let record = sidecar.log_event("connections_dropped", TIMEOUT);
    assert!(record["dropped"].as_u64() >= Some(1), "{record}");
}

#[test]
fn an_unfinished_head_costs_what_was_sent_of_it() {
    let backend = Backend::echo();
    let sidecar = Sidecar::start(&format!(
        "upstream: {}\nlimits: {{handshake_timeout: off}}",
        backend.url()
    ));
    let before = sidecar.memory_kib();
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(1000));
    let clients = crowd(&sidecar, 400, head.as_bytes());
    for client in clients.iter().rev().take(8) {
        wait_until("all heads have been read", || sidecar.has_read(client));
    }
    wait_until("all of them are accepted", || sidecar.open_files() >= 400);
    let growth = sidecar.memory_kib().saturating_sub(before);
    assert!(growth < 400 * 8, "{growth} KiB more for 400 heads of 1 KiB");
}
