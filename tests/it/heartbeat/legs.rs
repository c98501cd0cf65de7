//! Both legs' heartbeats as the peers see them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Frame, Received, Relayed, TIMEOUT, Wire, op, wait_until};

/// Reads pings until there are `count`, answering each; anything else fails the test.
fn answer_pings(leg: &mut Wire, count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|_| {
            let ping = leg.frame();
            assert_eq!(ping.opcode, op::PING, "{ping:?}");
            leg.send_frame(&Frame::pong(&ping.payload));
            ping.payload
        })
        .collect()
}

/// Proves by order that everything which came from a leg before has been dealt with.
fn round_trip(leg: &mut Wire) {
    leg.send_frame(&Frame::ping("sync"));
    loop {
        if leg.frame() == Frame::pong("sync") {
            return;
        }
    }
}

#[test]
fn each_leg_is_pinged_and_its_round_trip_measured() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, client: {ping_interval: 60ms}, upstream: {ping_interval: 90ms}}",
    );
    let to_client = answer_pings(&mut relayed.client, 4);
    let to_upstream = answer_pings(&mut relayed.upstream, 4);
    for pings in [&to_client, &to_upstream] {
        assert!(pings.iter().all(|payload| payload.len() == 8));
        assert!(pings.windows(2).all(|two| two[0] != two[1]), "{pings:?}");
    }
    assert_ne!(
        to_client[0][..4],
        to_upstream[0][..4],
        "each leg has its own mark"
    );
    round_trip(&mut relayed.client);
    relayed.client.send_frame(&Frame::bare_close());
    relayed.upstream.answer_close();
    drop((relayed.client, relayed.upstream));
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "client_closed");
    assert!(record["pongs_received"].as_u64().unwrap() >= 4, "{record}");
    assert!(record["rtt_ms"].is_number(), "{record}");
}

#[test]
fn the_first_ping_comes_after_half_an_interval_at_the_earliest() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the time as a user's watch has it"
    )]
    let now = Instant::now;
    let before = now();
    let mut relayed =
        Relayed::start("heartbeat: {check_interval: 10ms, client: {ping_interval: 400ms}}");
    answer_pings(&mut relayed.client, 1);
    assert!(now() - before >= Duration::from_millis(200));
}

#[test]
fn local_pings_are_answered_and_go_no_further() {
    let mut relayed = Relayed::start("");
    let longest = "p".repeat(125);
    for payload in ["", "hello", longest.as_str()] {
        relayed.client.send_frame(&Frame::ping(payload));
        relayed.client.expect(&Frame::pong(payload));
        relayed.upstream.send_frame(&Frame::ping(payload));
        relayed.upstream.expect(&Frame::pong(payload));
    }
    // Pongs that nobody asked for are signs of life and nothing more.
    relayed.client.send_frame(&Frame::pong("unasked"));
    relayed.upstream.send_frame(&Frame::pong("unasked"));
    relayed.client.text("next");
    relayed.upstream.expect(&Frame::text("next"));
    relayed.upstream.text("next");
    relayed.client.expect(&Frame::text("next"));
}

#[test]
fn forwarded_pings_are_answered_by_the_other_peer_once() {
    let mut relayed = Relayed::start(
        "heartbeat: {client: {answer_pings: forward}, upstream: {answer_pings: forward}}",
    );
    relayed.client.send_frame(&Frame::ping("end to end"));
    relayed.upstream.expect(&Frame::ping("end to end"));
    relayed.upstream.send_frame(&Frame::pong("end to end"));
    relayed.client.expect(&Frame::pong("end to end"));
    relayed.upstream.send_frame(&Frame::ping("and back"));
    relayed.client.expect(&Frame::ping("and back"));
    relayed.client.send_frame(&Frame::pong("and back"));
    relayed.upstream.expect(&Frame::pong("and back"));
    relayed.client.text("no second pong before this");
    relayed
        .upstream
        .expect(&Frame::text("no second pong before this"));
    relayed.upstream.text("no second pong before this");
    relayed
        .client
        .expect(&Frame::text("no second pong before this"));
}

#[test]
fn our_own_pongs_are_not_forwarded() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, client: {ping_interval: 60ms, answer_pings: forward}, \
         upstream: {answer_pings: forward}}",
    );
    answer_pings(&mut relayed.client, 3);
    relayed.client.text("first");
    relayed.upstream.expect(&Frame::text("first"));
}

#[test]
fn keepalive_pong_asks_for_no_answer() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, upstream: {keepalive: pong, ping_interval: 50ms}}",
    );
    for _ in 0..5 {
        assert_eq!(relayed.upstream.frame().opcode, op::PONG);
    }
    relayed.client.text("still open");
    while relayed.upstream.frame() != Frame::text("still open") {}
}

#[test]
fn keepalive_text_waits_for_the_end_of_a_message() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, upstream: {keepalive: {text: alive}, ping_interval: 100ms}}",
    );
    relayed.upstream.expect(&Frame::text("alive"));
    relayed.client.send_frame(&Frame::text("one ").not_final());
    // Either a keepalive came first, or the message has begun; none may come inside it.
    let mut frame = relayed.upstream.frame();
    while frame == Frame::text("alive") {
        frame = relayed.upstream.frame();
    }
    assert_eq!(frame, Frame::text("one ").not_final());
    relayed.upstream.expect_silence(Duration::from_millis(400));
    relayed
        .client
        .send_frame(&Frame::new(op::CONTINUATION, "message"));
    relayed
        .upstream
        .expect(&Frame::new(op::CONTINUATION, "message"));
    relayed.upstream.expect(&Frame::text("alive"));
}

#[test]
fn keepalive_off_and_no_pings_mean_silence() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, client: {ping_interval: off}, \
         upstream: {keepalive: off, ping_interval: 50ms}}",
    );
    relayed.upstream.expect_silence(Duration::from_millis(300));
    relayed.client.expect_silence(Duration::from_millis(50));
}

#[test]
fn the_idle_notice_is_a_message_before_the_close_and_once_a_spell() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, client: {idle_time: 4s, ping_interval: off, \
         idle_notice: {before: 3500ms, text: 'still there?'}}}",
    );
    relayed.client.expect(&Frame::text("still there?"));
    // A sign of life ends the spell, and the next one has its own notice.
    relayed.client.text("yes");
    relayed.client.expect(&Frame::text("still there?"));
    relayed.client.expect(&Frame::close(1001, "idle timeout"));
    relayed.upstream.expect(&Frame::text("yes"));
    relayed.client.send_frame(&Frame::bare_close());
    relayed.upstream.answer_close();
    drop((relayed.client, relayed.upstream));
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "client_idle");
    assert!(
        record["client_idle_ms"].as_u64().unwrap() >= 4000,
        "{record}"
    );
    assert!(record["duration_ms"].as_u64().unwrap() >= 4500, "{record}");
}

#[test]
fn activity_keeps_a_client_from_being_idle() {
    // Pings count as frames but not as messages; what the backend sends counts for neither.
    let is_closed_within = |activity: &str, rounds: usize| {
        let mut relayed = Relayed::start(&format!(
            "heartbeat: {{check_interval: 10ms, client: {{idle_time: 3s, activity: {activity}, ping_interval: off}}}}\n\
             limits: {{pings_per_second: off}}"
        ));
        (0..rounds).any(|_| {
            relayed.upstream.text("news");
            relayed.client.send_frame(&Frame::ping("alive"));
            loop {
                match relayed.client.frame().opcode {
                    op::PONG => break std::thread::sleep(ROUND),
                    op::CLOSE => return true,
                    _ => {}
                }
            }
            false
        })
    };
    const ROUND: Duration = Duration::from_millis(50);
    std::thread::scope(|scope| {
        // For longer than the idle time, and until it strikes, however late that is.
        scope.spawn(|| assert!(!is_closed_within("frame", 80)));
        scope.spawn(|| assert!(is_closed_within("message", 300)));
    });
}

#[test]
fn a_dead_backend_is_found_although_the_clients_pings_are_answered() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, client: {ping_interval: off}, \
         upstream: {ping_interval: 1s, pong_timeout: 1s}}\nlimits: {pings_per_second: off}",
    );
    let mut answered = 0;
    let close = loop {
        if relayed
            .client
            .try_send(&relayed.client.encode(&Frame::ping("you?")))
            .is_err()
        {
            panic!("closed without a word");
        }
        let frame = relayed.client.frame();
        if frame.opcode == op::CLOSE {
            break frame.close_code();
        }
        answered += 1;
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(close, Some((1014, "backend ping timeout".to_owned())));
    assert!(answered > 0);
}

#[test]
fn other_bytes_are_as_good_as_a_pong() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, client: {ping_interval: 300ms, pong_timeout: 3s, missed_pongs: 1}}",
    );
    let mut pings = 0;
    relayed.client.send_frame(&Frame::pong("anything"));
    while pings < 3 {
        assert_eq!(relayed.client.frame().opcode, op::PING);
        pings += 1;
        relayed.client.text("busy");
        relayed.upstream.expect(&Frame::text("busy"));
    }
    relayed.client.send_frame(&Frame::bare_close());
    relayed.upstream.answer_close();
    drop((relayed.client, relayed.upstream));
    let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "client_closed");
    assert_eq!(record["missed_pongs"], 0);
    assert_eq!(record["pongs_received"], 0);
}

/// While the sidecar does not read the backend, because the client does not read, the backend's silence proves
/// nothing; neither does the client's, to which no ping can be sent.
#[test]
fn backpressure_is_not_taken_for_a_dead_peer() {
    const MESSAGE: usize = 50_000;
    // More than the buffers of four sockets hold at their largest.
    const COUNT: usize = 2_400;
    let calm = "heartbeat: {client: {idle_time: off, ping_interval: off}, upstream: {ping_interval: off}}\n\
         limits: {write_stall_timeout: off}";
    let relayed = Relayed::start(calm);
    let Relayed {
        sidecar,
        backend,
        mut client,
        mut upstream,
    } = relayed;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let writer = std::thread::spawn(move || {
        let message = Frame::binary(vec![7; MESSAGE]);
        for _ in 0..COUNT {
            upstream.send_frame(&message);
            counter.fetch_add(1, Ordering::Relaxed);
        }
        while let Received::Frame(frame) = upstream.receive() {
            if frame.opcode == op::PING {
                upstream.send_frame(&Frame::pong(&frame.payload));
            } else if frame.opcode == op::CLOSE {
                upstream.send_frame(&frame);
            }
        }
    });
    let mut before = 0;
    wait_until("the sockets are full", || {
        std::thread::sleep(Duration::from_secs(1));
        let now = sent.load(Ordering::Relaxed);
        now > 0 && std::mem::replace(&mut before, now) == now
    });
    // No timer runs before that: a ping that found room would have to be answered.
    let url = backend.url();
    sidecar.write_config(&format!(
        "upstream: {url}\nheartbeat: {{check_interval: 50ms, \
         client: {{idle_time: off, ping_interval: 1s, pong_timeout: 6s, missed_pongs: 1}}, \
         upstream: {{idle_time: 6s, ping_interval: 1s, pong_timeout: 6s, missed_pongs: 1}}}}\n\
         limits: {{write_stall_timeout: off}}"
    ));
    sidecar.log_event("config_reloaded", TIMEOUT);
    // Long enough for every timer of these to strike, were it running.
    std::thread::sleep(Duration::from_millis(8500));
    assert_eq!(sidecar.logged("connection_closed").len(), 0);
    let mut messages = 0;
    while messages < COUNT {
        let frame = client.frame();
        match frame.opcode {
            op::BINARY => messages += 1,
            op::PING => client.send_frame(&Frame::pong(&frame.payload)),
            _ => panic!("{frame:?}"),
        }
    }
    client.send_frame(&Frame::close(1000, "got it all"));
    assert_eq!(client.expect_close(), Some((1000, "got it all".to_owned())));
    drop(client);
    let record = sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "client_closed", "{record}");
    assert_eq!(record["upstream_messages"], COUNT);
    assert_eq!(record["upstream_bytes"], COUNT * MESSAGE);
    writer.join().unwrap();
    drop(backend);
}
