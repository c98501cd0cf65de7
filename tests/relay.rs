//! What goes in comes out, whatever its shape and size, in memory that does not grow with it.

#![cfg(test)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::{Frame, PATIENCE, Received, Relayed, Sidecar, Wire, op, wait_until};

#[test]
fn frames_of_every_length_pass_byte_for_byte() {
    let mut relayed = Relayed::start("");
    let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000];
    for (number, len) in lengths.into_iter().enumerate() {
        let payload: Vec<u8> = (0..len).map(|index| (index * 7 + number) as u8).collect();
        let key = [number as u8, 0x80, 0xff, 0x01];
        let bytes = Frame::binary(&payload).encode(Some(key));
        std::thread::scope(|scope| {
            scope.spawn(|| relayed.client.send(&bytes));
            // Masking key and masked payload included.
            assert!(
                relayed.upstream.read_exactly(bytes.len()) == bytes,
                "{len} bytes to the backend"
            );
        });
        let bytes = Frame::binary(&payload).encode(None);
        std::thread::scope(|scope| {
            scope.spawn(|| relayed.upstream.send(&bytes));
            assert!(
                relayed.client.read_exactly(bytes.len()) == bytes,
                "{len} bytes to the client"
            );
        });
    }
}

#[test]
fn control_frames_between_fragments_are_dealt_with_on_the_way() {
    let mut relayed = Relayed::start("");
    let first = Frame::text("one ").not_final();
    let empty = Frame::new(op::CONTINUATION, "").not_final();
    let last = Frame::new(op::CONTINUATION, "two");
    for by_client in [true, false] {
        let (from, to) = if by_client {
            (&mut relayed.client, &mut relayed.upstream)
        } else {
            (&mut relayed.upstream, &mut relayed.client)
        };
        let sent = [
            first.clone(),
            Frame::ping("a"),
            empty.clone(),
            Frame::pong("b"),
            Frame::ping("c"),
            last.clone(),
        ];
        let bytes: Vec<u8> = sent.iter().flat_map(|frame| from.encode(frame)).collect();
        // In one segment and in as many as there are bytes.
        from.send(&bytes);
        from.send_slowly(&bytes);
        for _ in 0..2 {
            for frame in [&first, &empty, &last] {
                to.expect(frame);
            }
        }
        // Pings that came together may be answered by the newest alone.
        from.send_frame(&Frame::ping("end"));
        loop {
            let pong = from.frame();
            assert!(pong.opcode == op::PONG && pong.payload != b"b", "{pong:?}");
            if pong.payload == b"end" {
                break;
            }
        }
    }
}

#[test]
fn byte_by_byte_both_ways() {
    let mut relayed = Relayed::start("");
    let frames = [
        Frame::text("short"),
        Frame::binary(vec![3; 200]),
        Frame::text("frag").not_final(),
        Frame::new(op::CONTINUATION, "ment"),
        Frame::binary(""),
    ];
    for by_client in [true, false] {
        let (from, to) = if by_client {
            (&mut relayed.client, &mut relayed.upstream)
        } else {
            (&mut relayed.upstream, &mut relayed.client)
        };
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| from.encode(frame)).collect();
        from.send_slowly(&bytes);
        for frame in &frames {
            to.expect(frame);
        }
    }
}

#[test]
fn thousands_of_frames_in_one_write() {
    let mut relayed = Relayed::start("");
    let frames: Vec<Frame> = (0..5_000_u32)
        .map(|number| Frame::binary(number.to_be_bytes()))
        .collect();
    let bytes: Vec<u8> = frames
        .iter()
        .flat_map(|frame| relayed.client.encode(frame))
        .collect();
    std::thread::scope(|scope| {
        scope.spawn(|| relayed.client.send(&bytes));
        for frame in &frames {
            relayed.upstream.expect(frame);
        }
    });
}

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
    let mut relayed = Relayed::start("limits: {max_frame: 64MiB, max_message: 64MiB}");
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
    const COUNT: u32 = 3_000;
    let relayed = Relayed::start("limits: {write_stall_timeout: off}");
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
            "30 MB found room in socket buffers"
        );
        assert!(growth < 1024, "{growth} KiB more");
        for number in 0..COUNT {
            client.expect(&message(number));
        }
    });
    drop(backend);
}

#[test]
fn both_directions_at_once_with_pings_in_between() {
    let relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, client: {ping_interval: 10ms, pong_timeout: off}, upstream: {ping_interval: 10ms, pong_timeout: off}}",
    );
    let Relayed {
        sidecar,
        backend,
        mut client,
        mut upstream,
    } = relayed;
    let payload = |number: usize| vec![number as u8; (number * number * 31) % 90_000];
    std::thread::scope(|scope| {
        for leg in [&mut client, &mut upstream] {
            let mut reader = Wire::new(leg.socket().try_clone().unwrap(), leg.masks());
            scope.spawn(move || {
                for number in 0..400 {
                    leg.send_frame(&Frame::binary(payload(number)));
                }
            });
            scope.spawn(move || {
                for number in 0..400 {
                    let frame = reader.frame_but_heartbeats();
                    assert!(
                        frame == Frame::binary(payload(number)),
                        "{number}: {frame:?}"
                    );
                }
            });
        }
    });
    drop((client, upstream));
    let record = sidecar.log_event("connection_closed", PATIENCE);
    for leg in ["client_messages", "upstream_messages"] {
        assert_eq!(record[leg], 400, "{record}");
    }
    for leg in ["pings_sent", "upstream_pings_sent"] {
        assert!(record[leg].as_u64().unwrap() > 0, "{record}");
    }
    drop(backend);
}

#[test]
fn a_ping_of_ours_waits_for_the_end_of_a_frame() {
    let mut relayed = Relayed::start(
        "heartbeat: {check_interval: 10ms, client: {idle_time: off, ping_interval: 20ms, pong_timeout: off}}",
    );
    let frame = Frame::binary(vec![1; 1000]);
    let bytes = frame.encode(None);
    let mut got = Vec::new();
    for piece in bytes.chunks(100) {
        relayed.upstream.send(piece);
        std::thread::sleep(Duration::from_millis(40));
    }
    while got != [frame.clone()] {
        let frame = relayed.client.frame();
        if frame.opcode != op::PING {
            got.push(frame);
        }
        assert!(got.len() < 2);
    }
    assert_eq!(relayed.client.frame().opcode, op::PING);
}

#[test]
fn end_of_stream_after_the_last_message_delivers_it() {
    for size in [10, 5_000_000] {
        let mut relayed = Relayed::start("");
        let last = Frame::binary(vec![9; size]);
        let mut client = relayed.client;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                client.send_frame(&last);
                client.send_frame(&Frame::close(1000, "sent"));
            });
            // A reader that takes its time.
            std::thread::sleep(Duration::from_millis(200));
            assert!(relayed.upstream.frame() == last);
            relayed.upstream.expect_close_with(1000, "sent");
        });
    }
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
        relayed.sidecar.open_files() == before
    });
    wait_until("all of them are recorded", || {
        relayed.sidecar.logged("connection_closed").len() == 200
    });
    assert_eq!(relayed.sidecar.logged("handshake_failed").len(), 0);
}

#[test]
fn an_unread_end_is_an_end() {
    let mut relayed = Relayed::start("");
    relayed.client.end_sending();
    relayed
        .upstream
        .expect_close_with(1001, "client connection lost");
    relayed.upstream.send_frame(&Frame::bare_close());
    assert!(!matches!(relayed.client.receive(), Received::Frame(_)));
}
