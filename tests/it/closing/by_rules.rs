//! How connections end when a peer breaks a rule of RFC 6455 or a limit.

use crate::support::record::record_of;
use crate::support::{Frame, Received, Relayed, op};

#[test]
fn a_broken_rule_closes_both_legs() {
    let masked = Some([1, 2, 3, 4]);
    let too_long = |mask: Option<[u8; 4]>| {
        let bit = if mask.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![0x82, bit | 126, 0, 5];
        bytes.extend_from_slice(&mask.unwrap_or_default()[..mask.map_or(0, |key| key.len())]);
        bytes.extend_from_slice(b"12345");
        bytes
    };
    // What is sent with the masking that is right for the side, and the code the offender gets.
    let frames = [
        (Frame::text("x").with_rsv(4), 1002),
        (Frame::text("x").with_rsv(1), 1002),
        (Frame::new(3, "x"), 1002),
        (Frame::new(11, ""), 1002),
        (Frame::ping("x").not_final(), 1002),
        (Frame::ping("x".repeat(126)), 1002),
        (Frame::new(op::CONTINUATION, "x"), 1002),
        (Frame::new(op::CLOSE, "x"), 1002),
        (Frame::close(1005, ""), 1002),
        (Frame::close(1006, ""), 1002),
        (Frame::new(op::CLOSE, [0x03, 0xe8, 0xff]), 1007),
    ];
    let relayed = Relayed::start("limits: {validate_utf8: on}");
    for by_client in [true, false] {
        let mask = by_client.then_some([1, 2, 3, 4]);
        let mut sent: Vec<(Vec<u8>, u16)> = frames
            .iter()
            .map(|(frame, code)| (frame.encode(mask), *code))
            .collect();
        let wrong_mask = if by_client { None } else { masked };
        sent.push((Frame::text("x").encode(wrong_mask), 1002));
        sent.push((too_long(mask), 1002));
        sent.push((Frame::new(op::TEXT, [b'a', 0xc3, 0x28]).encode(mask), 1007));
        let two = [Frame::text("x").not_final(), Frame::text("y")].map(|frame| frame.encode(mask));
        sent.push((two.concat(), 1002));
        for (bytes, code) in sent {
            let (mut client, mut upstream) = relayed.another();
            let (offender, other) = if by_client {
                (&mut client, &mut upstream)
            } else {
                (&mut upstream, &mut client)
            };
            offender.send(&bytes);
            let to_offender = offender.expect_close().unwrap();
            assert_eq!(to_offender.0, code, "{bytes:x?}");
            let mut frame = other.frame();
            if frame.opcode == op::TEXT {
                // The first fragment had done nothing wrong.
                frame = other.frame();
            }
            let to_other = frame.close_code().unwrap();
            let (expected, name) = if by_client {
                (1001, "client")
            } else {
                (1014, "backend")
            };
            assert_eq!(
                to_other,
                (expected, format!("{name} protocol error")),
                "{bytes:x?}"
            );
            other.send_frame(&Frame::close(1000, ""));
            offender.expect_end();
            other.end_sending();
            other.expect_end();
            drop((client, upstream));
            let record = relayed.closing_record();
            let initiator = if by_client { "client" } else { "upstream" };
            assert_eq!(
                record["reason"],
                format!("{initiator}_protocol_error"),
                "{bytes:x?}"
            );
            assert_eq!(record["initiator"], initiator);
            assert_eq!(record["level"], "WARN");
            assert!(
                record["detail"].as_str().unwrap().contains("RFC 6455"),
                "{record}"
            );
        }
    }
}

#[test]
fn a_rule_broken_inside_a_frame_cuts_the_other_leg_off() {
    let relayed = Relayed::start("limits: {validate_utf8: on}");
    for by_client in [true, false] {
        let (mut client, mut upstream) = relayed.another();
        let (offender, other) = if by_client {
            (&mut client, &mut upstream)
        } else {
            (&mut upstream, &mut client)
        };
        let mut payload = vec![b'a'; 100];
        payload[60] = 0xff;
        let bytes = offender.encode(&Frame::new(op::TEXT, &payload));
        offender.send(&bytes[..40]);
        assert_eq!(other.read_exactly(40), bytes[..40]);
        offender.send(&bytes[40..]);
        offender.expect_close_with(1007, "not UTF-8");
        // A Close frame would be taken for the rest of the text.
        assert_eq!(other.receive(), Received::Reset);
        offender.expect_end();
        let record = relayed.closing_record();
        assert_eq!(record["mid_frame"], true, "{record}");
        let leg = if by_client { "client" } else { "upstream" };
        assert_eq!(record["reason"], format!("{leg}_protocol_error"));
    }
}

#[test]
fn a_frame_header_alone_shows_that_it_is_too_big() {
    let relayed = Relayed::start("limits: {max_frame: 1000, max_message: 1500}");
    for by_client in [true, false] {
        let mask = by_client.then_some([1, 2, 3, 4]);
        let part = Frame::binary(vec![7; 1000]).not_final();
        let frame = [
            Frame::binary(vec![0; 1001]).encode(mask)[..8].to_vec(),
            [
                part.encode(mask),
                Frame::new(op::CONTINUATION, vec![0; 501]).encode(mask),
            ]
            .concat(),
        ];
        for (case, bytes) in frame.iter().enumerate() {
            let (mut client, mut upstream) = relayed.another();
            let (offender, other) = if by_client {
                (&mut client, &mut upstream)
            } else {
                (&mut upstream, &mut client)
            };
            offender.send(bytes);
            offender.expect_close_with(1009, "message too big");
            if case == 1 {
                other.expect(&part);
            }
            if by_client {
                other.expect_close_with(1001, "client message too big");
            } else {
                other.expect_close_with(1014, "backend message too big");
            }
            drop((client, upstream));
            let record = relayed.closing_record();
            let initiator = if by_client { "client" } else { "upstream" };
            assert_eq!(record["reason"], format!("{initiator}_too_big"));
            assert_eq!(record["initiator"], initiator);
            assert_eq!(record["mid_frame"], false);
            let limit = ["limits.max_frame", "limits.max_message"][case];
            assert!(
                record["detail"].as_str().unwrap().contains(limit),
                "{record}"
            );
        }
    }
}

#[test]
fn exactly_the_limits_are_allowed() {
    let mut relayed = Relayed::start("limits: {max_frame: 1000, max_message: 1500}");
    let frames = [
        Frame::binary(vec![1; 1000]).not_final(),
        Frame::new(op::CONTINUATION, vec![2; 500]),
        Frame::binary(vec![3; 1000]),
    ];
    for frame in &frames {
        relayed.client.send_frame(frame);
        relayed.upstream.expect(frame);
    }
}

#[test]
fn ping_flood() {
    let mut relayed = Relayed::start("limits: {pings_per_second: 2}");
    let pings: Vec<u8> = (0..40)
        .flat_map(|number: u8| Frame::ping([number]).encode(Some([9, 9, 9, 9])))
        .collect();
    relayed.client.send(&pings);
    relayed.client.expect_close_with(1008, "too many pings");
    relayed
        .upstream
        .expect_close_with(1001, "client sent too many pings");
    relayed.client.send_frame(&Frame::close(1008, ""));
    relayed.upstream.send_frame(&Frame::close(1001, ""));
    relayed.client.expect_end();
    relayed.upstream.end_sending();
    relayed.upstream.expect_end();
    let record = record_of(&relayed, "ping_flood", "client", "WARN");
    assert!(record["pings_answered"].as_u64().unwrap() >= 4, "{record}");
    assert!(record["pings_answered"].as_u64().unwrap() < 40, "{record}");
}

#[test]
fn a_client_that_sends_too_many_messages_is_closed() {
    let mut relayed = Relayed::start("limits: {messages_per_second: 2}");
    let flood = relayed.client.encode(&Frame::text("x")).repeat(100);
    relayed.client.send(&flood);
    for _ in 0..4 {
        relayed.upstream.expect(&Frame::text("x"));
    }
    relayed
        .upstream
        .expect_close_with(1001, "client sent too many messages");
    relayed.client.expect_close_with(1008, "too many messages");
    relayed.client.send_frame(&Frame::close(1008, ""));
    relayed.upstream.send_frame(&Frame::close(1001, ""));
    relayed.client.expect_end();
    relayed.upstream.end_sending();
    let record = record_of(&relayed, "message_flood", "client", "WARN");
    assert_eq!(
        record["detail"],
        "more than 2 messages a second, beyond a burst of 4"
    );
}
