//! What connections cost: memory that does not grow with messages or slow readers, and files that are given back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Backend, Frame, Handshake, Relayed, Request, Sidecar, Wire, op, wait_until};

/// Pings would come between what is counted byte by byte, or message by message, if that takes long.
const QUIET: &str =
    "heartbeat: {client: {idle_time: off, ping_interval: off}, upstream: {ping_interval: off}}";

/// The most memory that a process had while `work` ran, over what it had before, in KiB.
fn growth_during(sidecar: &Sidecar, work: impl FnOnce()) -> u64 {
    let before = sidecar.memory_kib();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let most = scope.spawn(|| {
            let mut most = sidecar.memory_kib();
            while !done.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
                most = most.max(sidecar.memory_kib());
            }
            most
        });
        work();
        done.store(true, Ordering::Relaxed);
        most.join().unwrap().saturating_sub(before)
    })
}

fn send_big(from: &mut Wire, to: &mut Wire, len: usize) {
    let chunk = vec![0x2a; 256 * 1024];
    let header = from.encode(&Frame::binary("")).len();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let masked = header == 6;
            let mut head = vec![0x82, if masked { 0xff } else { 0x7f }];
            head.extend_from_slice(&(len as u64).to_be_bytes());
            if masked {
                head.extend_from_slice(&[0; 4]);
            }
            from.send(&head);
            for _ in 0..len / chunk.len() {
                from.send(&chunk);
            }
        });
        let mut left = len + header + 8;
        while left > 0 {
            left -= to.read_exactly(left.min(chunk.len())).len();
        }
    });
}

#[test]
fn a_message_of_64_mib_takes_no_memory() {
    let limits = "limits: {max_frame: 64MiB, max_message: 64MiB}";
    let mut relayed = Relayed::start(&format!("{QUIET}\n{limits}"));
    send_big(&mut relayed.client, &mut relayed.upstream, 1024 * 1024);
    send_big(&mut relayed.upstream, &mut relayed.client, 1024 * 1024);
    let Relayed {
        sidecar,
        mut client,
        mut upstream,
        ..
    } = relayed;
    let growth = growth_during(&sidecar, || {
        send_big(&mut client, &mut upstream, 64 * 1024 * 1024);
        send_big(&mut upstream, &mut client, 64 * 1024 * 1024);
    });
    assert!(growth < 1024, "{growth} KiB more");
    client.text("and on");
    upstream.expect(&Frame::text("and on"));
}

#[test]
fn a_reader_that_stops_costs_no_memory_and_loses_nothing() {
    // More than the buffers of four sockets hold at their largest.
    const COUNT: u32 = 12_000;
    let relayed = Relayed::start(&format!("{QUIET}\nlimits: {{write_stall_timeout: off}}"));
    let Relayed {
        sidecar,
        mut client,
        mut upstream,
        backend,
    } = relayed;
    let message = |number: u32| {
        let mut payload = number.to_be_bytes().to_vec();
        payload.resize(10_000, number as u8);
        Frame::binary(payload)
    };
    let sent = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..COUNT {
                upstream.send_frame(&message(number));
            }
            sent.store(true, Ordering::SeqCst);
        });
        let growth = growth_during(&sidecar, || std::thread::sleep(Duration::from_millis(700)));
        assert!(
            !sent.load(Ordering::SeqCst),
            "120 MB found room in socket buffers"
        );
        assert!(growth < 1024, "{growth} KiB more");
        for number in 0..COUNT {
            client.expect(&message(number));
        }
    });
    drop(backend);
}

#[test]
fn deflate_bombs_take_no_memory() {
    let accept = Handshake::accept().header("Sec-WebSocket-Extensions", "permessage-deflate");
    let backend = Backend::answering(accept);
    let sidecar = Sidecar::start(&format!(
        "upstream: {}\nheartbeat: {{app: [{{preset: json, max_size: 16KiB}}]}}",
        backend.url()
    ));
    let request = Request::opening("/").header("Sec-WebSocket-Extensions", "permessage-deflate");
    let mut pairs: Vec<(Wire, Wire)> = (0..8)
        .map(|_| (Wire::open(&sidecar, &request), backend.accept().wire))
        .collect();
    let spaces = format!(r#"{{"type":"ping"}}{}"#, " ".repeat(15 << 20));
    let bomb = miniz_oxide::deflate::compress_to_vec(spaces.as_bytes(), 9);
    assert!(bomb.len() <= 16 * 1024, "{}", bomb.len());
    let bomb = Frame::new(op::TEXT, bomb).with_rsv(4);
    let mut send = |times| {
        for _ in 0..times {
            for (client, upstream) in &mut pairs {
                client.send_frame(&bomb);
                assert_eq!(upstream.frame_but_heartbeats(), bomb);
            }
        }
    };
    send(2);
    let growth = growth_during(&sidecar, || send(50));
    assert!(growth < 1024, "{growth} KiB more");
}

#[test]
fn two_hundred_connections_leave_no_file_open() {
    let relayed = Relayed::start("limits: {close_timeout: 100ms}");
    let before = relayed.sidecar.open_files();
    for round in 0..5 {
        let pairs: Vec<(Wire, Wire)> = (0..40).map(|_| relayed.another()).collect();
        assert!(relayed.sidecar.open_files() >= before + 80);
        for (number, (mut client, mut upstream)) in pairs.into_iter().enumerate() {
            match (number + round) % 6 {
                0 => client.send_frame(&Frame::close(1000, "")),
                1 => upstream.send_frame(&Frame::close(1000, "")),
                2 => client.reset(),
                3 => upstream.reset(),
                4 => client.send(&[0xff; 20]),
                _ => upstream.send(&[0x82, 0x7e, 0xff]),
            }
        }
    }
    wait_until("all files of 200 connections are closed", || {
        relayed.sidecar.open_files() <= before
    });
    wait_until("all of them are recorded", || {
        relayed.sidecar.logged("connection_closed").len() == 200
    });
    assert_eq!(relayed.sidecar.logged("handshake_failed").len(), 0);
}

#[test]
fn a_long_offer_of_subprotocols_is_not_kept() {
    let relayed = Relayed::start("limits: {max_head: 64KiB}");
    let offer = vec!["a"; 30_000].join(",");
    let request = Request::opening("/").header("Sec-WebSocket-Protocol", &offer);
    let mut held = Vec::new();
    let growth = growth_during(&relayed.sidecar, || {
        for _ in 0..10 {
            let client = Wire::open(&relayed.sidecar, &request);
            held.push((client, relayed.backend.accept()));
        }
    });
    assert!(growth < 4096, "{growth} KiB more");
}
