//! What goes in comes out, whatever its shape and size.

use std::time::Duration;

use crate::support::{Frame, Received, Relayed, TIMEOUT, Wire, op};

/// Pings would come between what is compared byte by byte, or message by message, if that takes long.
const QUIET: &str =
    "heartbeat: {client: {idle_time: off, ping_interval: off}, upstream: {ping_interval: off}}";

#[test]
fn frames_of_every_length_pass_byte_for_byte() {
    let mut relayed = Relayed::start(QUIET);
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
    let mut relayed = Relayed::start(QUIET);
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
    let record = sidecar.log_event("connection_closed", TIMEOUT);
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
        let mut relayed = Relayed::start(QUIET);
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
fn an_unread_end_is_an_end() {
    let mut relayed = Relayed::start("");
    relayed.client.end_sending();
    relayed
        .upstream
        .expect_close_with(1001, "client connection lost");
    relayed.upstream.send_frame(&Frame::bare_close());
    assert!(!matches!(relayed.client.receive(), Received::Frame(_)));
}
