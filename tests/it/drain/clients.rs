//! Ending: who is told when, what still works meanwhile, and what happens to those who do not answer.

use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support;
use crate::support::{
    Accepted, Backend, Handshake, Received, Relayed, Request, Sidecar, TIMEOUT, Wire,
    retry_interrupted, wait_until,
};
use rustix::process::Signal;
use serde_json::Value;

const GOING: (u16, &str) = (1001, "server is restarting");

fn get() -> Request {
    Request::line("GET / HTTP/1.1").header("Host", "a")
}

fn close_of(frame: (u16, &str)) -> Option<(u16, String)> {
    Some((frame.0, frame.1.to_owned()))
}

/// Sends a signal and waits until the drain has begun.
fn begin(sidecar: &Sidecar, signal: Signal) -> Value {
    sidecar.signal(signal);
    sidecar.log_event("draining", TIMEOUT)
}

/// Waits for the last record and the exit status.
fn check_drained(sidecar: &Sidecar) -> Value {
    let record = sidecar.log_event("drained", TIMEOUT);
    assert_eq!(sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
    assert_eq!(sidecar.stderr(), "");
    record
}

fn wait_for_refusal(sidecar: &Sidecar) {
    wait_until("the listener refuses", || {
        TcpStream::connect(sidecar.address()).is_err()
    });
}

#[test]
fn clients_get_a_close_frame_and_the_process_exits_with_0() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let mut relayed = Relayed::start("drain: {spread: 0s, code: 4005, reason: back soon}");
        let record = begin(&relayed.sidecar, signal);
        assert_eq!(record["trigger"], name);
        assert_eq!(record["connections"], 1);
        assert_eq!(relayed.client.answer_close(), close_of((4005, "back soon")));
        assert_eq!(relayed.upstream.answer_close().unwrap().0, 1001);
        drop(relayed.upstream);
        relayed.client.expect_end();
        drop(relayed.client);

        let closed = relayed.sidecar.log_event("connection_closed", TIMEOUT);
        assert_eq!(closed["reason"], "drained");
        assert_eq!(closed["initiator"], "sidecar");
        assert_eq!(closed["client_close"]["received"]["code"], 4005);
        let record = check_drained(&relayed.sidecar);
        assert_eq!(record["connections"], 0);
        assert_eq!(record["detail"], "every connection has ended");
    }
}

#[test]
fn a_drain_without_clients_ends_at_once() {
    // Both times are longer than anything is waited for here.
    let sidecar = Sidecar::start("upstream: ws://127.0.0.1:9\ndrain: {spread: 60s, timeout: 90s}");
    assert_eq!(begin(&sidecar, Signal::TERM)["connections"], 0);
    check_drained(&sidecar);
}

#[test]
fn clients_are_closed_evenly_and_in_random_order() {
    const COUNT: usize = 60;
    let backend = Backend::echo();
    let upstream = backend.url();
    let settings = "drain: {spread: 60s, timeout: 90s}\nlimits: {close_timeout: 100ms}";
    let sidecar = Sidecar::start(&format!("upstream: {upstream}\n{settings}"));
    let mut clients: Vec<Wire> = (0..COUNT)
        .map(|_| Wire::open(&sidecar, &Request::opening("/")))
        .collect();
    // Before the signal: a test that is slow to read the log must not find the first ones early.
    let began = Instant::now();
    begin(&sidecar, Signal::TERM);
    // One a second, and most of them long after the test's patience: these were not told at the end either.
    let mut told = Vec::new();
    for turn in 0..4 {
        let is_drained = |record: &Value| record["reason"] == "drained";
        let record = sidecar.log_event_where("connection_closed", TIMEOUT, is_drained);
        let time = began.elapsed();
        assert!(time >= Duration::from_secs(turn), "{turn} after {time:?}");
        let is_told = |client: &Wire| record["client"] == client.local_address().to_string();
        let index = clients.iter().position(is_told).unwrap();
        assert_eq!(clients[index].expect_close(), close_of(GOING));
        told.push(index);
    }
    assert_ne!(told, [0, 1, 2, 3], "in the order in which they came");
}

#[test]
fn new_connections_are_accepted_until_the_delay_is_over() {
    const DELAY: Duration = Duration::from_secs(5);
    let relayed = Relayed::start("drain: {delay: 5s, spread: 0s, timeout: 60s}");
    let began = Instant::now();
    begin(&relayed.sidecar, Signal::TERM);
    let (mut client, mut upstream) = relayed.another();
    client.text("still here");
    upstream.expect(&support::Frame::text("still here"));

    let Relayed {
        sidecar,
        client: first,
        upstream: first_upstream,
        ..
    } = relayed;
    for (mut client, mut upstream) in [(first, first_upstream), (client, upstream)] {
        assert_eq!(client.answer_close(), close_of(GOING));
        assert!(began.elapsed() >= DELAY);
        upstream.answer_close();
    }
    wait_for_refusal(&sidecar);
    check_drained(&sidecar);
}

#[test]
fn clients_that_do_not_answer_are_cut_off_at_the_timeout() {
    let mut relayed =
        Relayed::start("limits: {close_timeout: 60s}\ndrain: {spread: 0s, timeout: 3s}");
    let began = Instant::now();
    begin(&relayed.sidecar, Signal::TERM);
    assert_eq!(relayed.client.expect_close(), close_of(GOING));
    // Neither side says another word.
    assert_ne!(
        relayed.client.receive(),
        Received::Frame(support::Frame::bare_close())
    );
    assert!(
        began.elapsed() >= Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    let closed = relayed.closing_record();
    assert_eq!(closed["reason"], "drained");
    assert_eq!(closed["client_close"]["received"], Value::Null);
    let record = check_drained(&relayed.sidecar);
    assert_eq!(record["connections"], 1);
    assert_eq!(
        record["detail"],
        "drain.timeout passed: what was left was cut off"
    );
}

#[test]
fn clients_whose_turn_had_not_come_are_recorded_as_drained() {
    let relayed = Relayed::start("drain: {spread: 60s, timeout: 1s}");
    let _others = [relayed.another(), relayed.another()];
    begin(&relayed.sidecar, Signal::TERM);
    check_drained(&relayed.sidecar);
    let closed = relayed.sidecar.logged("connection_closed");
    assert_eq!(closed.len(), 3);
    for record in closed {
        assert_eq!(record["reason"], "drained", "{record}");
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    for second in [Signal::TERM, Signal::INT] {
        let relayed = Relayed::start("drain: {delay: 60s, spread: 60s, timeout: 120s}");
        begin(&relayed.sidecar, Signal::TERM);
        relayed.sidecar.signal(second);
        let record = check_drained(&relayed.sidecar);
        assert_eq!(
            record["detail"],
            "a second signal: what was left was cut off"
        );
        assert_eq!(relayed.closing_record()["reason"], "drained");
    }
}

#[test]
fn plain_http_in_flight_finishes_and_no_more_is_taken() {
    let backend = Backend::answering(Handshake::silent());
    let upstream = backend.url();
    let sidecar = Sidecar::start(&format!("upstream: {upstream}\ndrain: {{spread: 0s}}"));
    let mut client = Wire::connect(sidecar.address());
    client.send(&get().encode());
    let Accepted { mut wire, .. } = backend.accept();
    begin(&sidecar, Signal::TERM);
    wait_for_refusal(&sidecar);

    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    // The head has come, and the process waits for the body.
    let mut first = [MaybeUninit::uninit()];
    assert_eq!(
        retry_interrupted(|| client.socket().peek(&mut first)).unwrap(),
        1
    );
    wire.send(b"late");
    let answer = client.answer();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"late"[..]));
    assert_eq!(answer.header("connection"), Some("close"));
    client.expect_end();
    check_drained(&sidecar);
}

/// A sidecar, and a client that has begun to read an endless answer of events.
fn streaming(sidecar: &Sidecar, backend: &Backend) -> (Wire, Wire) {
    let mut client = Wire::connect(sidecar.address());
    client.send(&get().encode());
    let mut upstream = backend.accept().wire;
    upstream.send(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    upstream.send(b"9\r\ndata: 1\n\n\r\n");
    assert_eq!(client.answer().status, 200);
    assert_eq!(client.read_exactly(14), b"9\r\ndata: 1\n\n\r\n");
    (client, upstream)
}

#[test]
fn answers_that_stream_events_end_within_the_spread_and_in_good_order() {
    let backend = Backend::answering(Handshake::silent());
    let settings = "drain: {spread: 2s, timeout: 120s}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{settings}", backend.url()));
    let streams: Vec<_> = (0..4).map(|_| streaming(&sidecar, &backend)).collect();
    let began = Instant::now();
    assert_eq!(begin(&sidecar, Signal::TERM)["connections"], 4);
    let mut upstreams = Vec::new();
    for (mut client, upstream) in streams {
        assert_eq!(client.read_exactly(5), b"0\r\n\r\n");
        client.expect_end();
        upstreams.push(upstream);
    }
    // The last of four has its turn after three quarters of the time.
    assert!(began.elapsed() >= Duration::from_millis(1500));
    let record = check_drained(&sidecar);
    assert_eq!(record["detail"], "every connection has ended");
    for mut upstream in upstreams {
        assert!(!matches!(upstream.receive(), Received::Frame(_)));
    }
}

#[test]
fn an_event_stream_that_nobody_reads_does_not_hold_up_a_drain() {
    let backend = Backend::answering(Handshake::silent());
    let settings = "drain: {spread: 0s, timeout: 120s}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{settings}", backend.url()));
    let (client, mut upstream) = streaming(&sidecar, &backend);
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    // Ends with an error when the sidecar ends the stream.
    let writer = std::thread::spawn(move || {
        let event = format!("8000\r\n{:\n>32768}\r\n", "");
        while upstream.try_send(event.as_bytes()).is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut before = 0;
    wait_until("the sockets are full", || {
        std::thread::sleep(Duration::from_millis(500));
        let now = sent.load(Ordering::Relaxed);
        now > 0 && std::mem::replace(&mut before, now) == now
    });
    begin(&sidecar, Signal::TERM);
    check_drained(&sidecar);
    writer.join().unwrap();
    drop(client);
}

#[test]
fn an_answer_that_begins_to_stream_events_late_ends_with_the_others() {
    let backend = Backend::answering(Handshake::silent());
    let settings = "drain: {spread: 1s, timeout: 120s}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{settings}", backend.url()));
    let mut client = Wire::connect(sidecar.address());
    client.send(&get().encode());
    let mut upstream = backend.accept().wire;
    begin(&sidecar, Signal::TERM);
    wait_for_refusal(&sidecar);
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    let answer = client.answer();
    assert_eq!(answer.header("connection"), Some("close"));
    while !matches!(client.receive(), Received::End(_)) {}
    check_drained(&sidecar);
}

#[test]
fn progress_counts_plain_http_and_event_streams() {
    let backend = Backend::answering(Handshake::silent());
    let settings = "admin: {listen: '127.0.0.1:0'}\ndrain: {spread: 0s, timeout: 120s}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{settings}", backend.url()));
    let admin = sidecar.log_event("admin_listening", TIMEOUT);
    let admin: std::net::SocketAddr = admin["address"].as_str().unwrap().parse().unwrap();
    let mut client = Wire::connect(sidecar.address());
    client.send(&get().encode());
    let mut upstream = backend.accept().wire;
    let _stream = streaming(&sidecar, &backend);
    // One that is between two requests is waited for by nobody.
    let mut idle = Wire::connect(sidecar.address());
    idle.send(&get().encode());
    let mut answering = backend.accept().wire;
    answering.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(idle.answer().status, 200);
    assert_eq!(begin(&sidecar, Signal::TERM)["connections"], 2);
    let remaining = || {
        let summary = Request::line("GET /api/summary HTTP/1.1").header("Host", "127.0.0.1");
        let draining = Wire::connect(admin).ask(&summary).json()["draining"].clone();
        (draining["remaining"].clone(), draining["of"].clone())
    };
    wait_until("one is left", || remaining() == (1.into(), 2.into()));
    let progress = sidecar.log_event("drain_progress", TIMEOUT);
    assert_eq!(
        (&progress["remaining"], &progress["of"]),
        (&1.into(), &2.into())
    );
    // The answer is on its way, and its client takes it.
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
    assert_eq!(client.answer().body, b"late");
    check_drained(&sidecar);
}

#[test]
fn answers_during_a_drain_say_that_the_connection_closes() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let backend = Backend::answering(Handshake::raw(answer));
    let settings = "drain: {delay: 60s, timeout: 120s}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{settings}", backend.url()));
    let mut kept = Wire::connect(sidecar.address());
    assert_eq!(kept.ask(&get()).header("connection"), None);
    begin(&sidecar, Signal::TERM);
    let newcomer = Wire::connect(sidecar.address());
    for mut client in [kept, newcomer] {
        let answer = client.ask(&get());
        assert_eq!(
            (answer.status, answer.header("connection")),
            (200, Some("close"))
        );
        client.expect_end();
    }
}

#[test]
fn idle_http_connections_are_closed() {
    let backend = Backend::answering(Handshake::raw(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ));
    let upstream = backend.url();
    let sidecar = Sidecar::start(&format!("upstream: {upstream}\ndrain: {{spread: 0s}}"));
    let mut client = Wire::connect(sidecar.address());
    assert_eq!(client.ask(&get()).status, 200);
    begin(&sidecar, Signal::TERM);
    client.expect_end();
    check_drained(&sidecar);
}

#[test]
fn an_opening_on_an_older_connection_is_refused_while_draining() {
    let backend = Backend::start();
    let upstream = backend.url();
    let sidecar = Sidecar::start(&format!("upstream: {upstream}\ndrain: {{spread: 0s}}"));
    // Half a request head has been read when the drain begins.
    let mut newcomer = Wire::connect(sidecar.address());
    let opening = Request::opening("/chat").encode();
    let (half, rest) = opening.split_at(opening.len() / 2);
    newcomer.send(half);
    wait_until("the half is read", || sidecar.has_read(&newcomer));
    let mut other = Wire::open(&sidecar, &Request::opening("/chat"));
    begin(&sidecar, Signal::TERM);
    wait_for_refusal(&sidecar);
    newcomer.send(rest);
    let answer = newcomer.answer();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["error"], "draining");
    let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    newcomer.expect_end();
    let failed = sidecar.log_event("handshake_failed", TIMEOUT);
    assert_eq!(failed["reason"], "draining");
    assert_eq!(backend.dialled(), 1);

    other.answer_close();
    drop(other);
    backend.accept().wire.answer_close();
    check_drained(&sidecar);
}

#[test]
fn a_silent_connection_does_not_delay_the_drain() {
    let sidecar = Sidecar::start(
        "upstream: ws://127.0.0.1:9\ndrain: {spread: 0s, timeout: 60s}\nlimits: {handshake_timeout: off}",
    );
    let mut silent = Wire::connect(sidecar.address());
    begin(&sidecar, Signal::TERM);
    silent.expect_end();
    check_drained(&sidecar);
}

#[test]
fn an_opening_handshake_under_way_does_not_escape() {
    let backend = Backend::answering(Handshake::accept().after(Duration::from_millis(700)));
    let upstream = backend.url();
    let sidecar = Sidecar::start(&format!("upstream: {upstream}\ndrain: {{spread: 0s}}"));
    let mut client = Wire::connect(sidecar.address());
    client.send(&Request::opening("/").encode());
    wait_until("the backend is asked", || backend.dialled() == 1);
    begin(&sidecar, Signal::TERM);
    wait_for_refusal(&sidecar);
    if client.answer().status == 101 {
        assert_eq!(client.answer_close(), close_of(GOING));
        backend.accept().wire.answer_close();
    }
    drop(client);
    check_drained(&sidecar);
}

#[test]
fn a_unix_sockets_file_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let listen = format!(
        "listen: unix:{}\nupstream: ws://127.0.0.1:9",
        path.display()
    );
    let sidecar = Sidecar::start_in(folder, &listen);
    Wire::connect_unix(&path);
    begin(&sidecar, Signal::TERM);
    check_drained(&sidecar);
    assert!(!path.exists());
}
