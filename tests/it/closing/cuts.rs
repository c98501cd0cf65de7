//! Peers that leave in the middle, and peers that talk nonsense: every byte position, both sides, both ways to go.

use crate::support::{Frame, Received, Relayed, TIMEOUT, Wire, op, wait_until};
use serde_json::Value;

/// A stretch of conversation with every kind of boundary in it.
fn conversation() -> Vec<Frame> {
    vec![
        Frame::text("hi"),
        Frame::ping("p"),
        Frame::text("a").not_final(),
        Frame::pong(""),
        Frame::new(op::CONTINUATION, vec![b'x'; 130]),
        Frame::close(1000, "z"),
    ]
}

/// What the other peer gets of the first `cut` bytes: whole data frames, then how it ends.
fn read_to_end(wire: &mut Wire) -> (Vec<Frame>, Received) {
    let mut frames = Vec::new();
    loop {
        match wire.receive() {
            Received::Frame(frame) if frame.opcode == op::CLOSE => {
                return (frames, Received::Frame(frame));
            }
            Received::Frame(frame) => frames.push(frame),
            end => return (frames, end),
        }
    }
}

/// Cuts one side's conversation at every byte.
fn cut_everywhere(by_client: bool, reset: bool) {
    let relayed = Relayed::start("limits: {close_timeout: 300ms}");
    let open_files = relayed.sidecar.open_files();
    let mask = by_client.then_some([7, 7, 7, 7]);
    let encoded: Vec<Vec<u8>> = conversation()
        .iter()
        .map(|frame| frame.encode(mask))
        .collect();
    let bytes = encoded.concat();
    for cut in 0..=bytes.len() {
        let (client, upstream) = relayed.another();
        let (mut from, mut to) = if by_client {
            (client, upstream)
        } else {
            (upstream, client)
        };
        from.send(&bytes[..cut]);
        if reset {
            from.reset();
        } else {
            from.end_sending();
        }
        let (frames, end) = read_to_end(&mut to);
        drop(to);
        let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);

        let mut at = 0;
        let mut expected = Vec::new();
        let mut within_data = false;
        for (frame, encoded) in conversation().into_iter().zip(&encoded) {
            let end = at + encoded.len();
            let is_data = matches!(frame.opcode, op::TEXT | op::CONTINUATION);
            if end <= cut && is_data {
                expected.push(frame);
            } else if is_data && cut > at {
                // Within a header nothing has been passed on yet.
                let header = encoded.len() - frame.payload.len();
                within_data = cut >= at + header;
            }
            at = end;
        }
        // A reset may overtake what was sent before it.
        if reset {
            assert!(expected.starts_with(&frames), "cut at {cut}: {frames:?}");
        } else {
            assert_eq!(frames, expected, "cut at {cut}");
            assert_eq!(record["mid_frame"], within_data, "cut at {cut}: {record}");
        }
        let whole = cut == bytes.len() && !reset;
        let (peer, initiator) = if by_client {
            ("client", "client")
        } else {
            ("upstream", "upstream")
        };
        let lost = format!("{peer}_lost");
        let closed = format!("{peer}_closed");
        if whole {
            assert_eq!(record["reason"], closed, "cut at {cut}");
        } else {
            assert!(
                record["reason"] == lost || cut == bytes.len(),
                "cut at {cut}: {record}"
            );
        }
        assert_eq!(record["initiator"], initiator);
        match end {
            Received::Frame(close) => {
                assert_eq!(
                    record["mid_frame"], false,
                    "a Close inside a frame: {record}"
                );
                let code = close.close_code().unwrap().0;
                let other = if by_client {
                    "upstream_close"
                } else {
                    "client_close"
                };
                assert_eq!(record[other]["sent"]["code"], code);
            }
            Received::Reset => assert_eq!(record["mid_frame"], true, "cut at {cut}: {record}"),
            Received::End(rest) => {
                panic!("cut at {cut}: an end with {rest:?} and no Close: {record}")
            }
        }
    }
    wait_until("all files are closed", || {
        relayed.sidecar.open_files() <= open_files
    });
}

#[test]
fn a_client_ends_at_any_byte() {
    cut_everywhere(true, false);
}

#[test]
fn a_client_resets_at_any_byte() {
    cut_everywhere(true, true);
}

#[test]
fn a_backend_ends_at_any_byte() {
    cut_everywhere(false, false);
}

#[test]
fn a_backend_resets_at_any_byte() {
    cut_everywhere(false, true);
}

/// Bytes that look random and are the same every time.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..len).map(next).collect()
}

#[test]
fn garbage_ends_a_connection_and_nothing_else() {
    let relayed = Relayed::start("limits: {close_timeout: 300ms}");
    let open_files = relayed.sidecar.open_files();
    for seed in 0..150 {
        let (mut client, mut upstream) = relayed.another();
        let bytes = noise(seed, 400);
        let by_client = seed % 2 == 0;
        let from = if by_client {
            &mut client
        } else {
            &mut upstream
        };
        // A sidecar that has seen enough may reset while this is still being written.
        let _ = from.try_send(&bytes);
        from.end_sending();
        drop((client, upstream));
        let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
        let reason = record["reason"].as_str().unwrap();
        assert!(
            matches!(
                reason.split_once('_').unwrap().1,
                "protocol_error" | "too_big" | "lost" | "closed"
            ),
            "seed {seed}: {record}"
        );
    }
    wait_until("all files are closed", || {
        relayed.sidecar.open_files() <= open_files
    });
    let (mut client, mut upstream) = relayed.another();
    client.text("still at work");
    upstream.expect(&Frame::text("still at work"));
}

#[test]
fn garbage_instead_of_a_request_is_no_connection() {
    let relayed = Relayed::start("");
    let open_files = relayed.sidecar.open_files();
    for seed in 0..100 {
        let mut client = Wire::connect(relayed.sidecar.address());
        let _ = client.try_send(&noise(seed, 300));
        client.end_sending();
        let record = relayed.sidecar.log_event("handshake_failed", TIMEOUT);
        assert_eq!(record["initiator"], "client", "{record}");
        assert_eq!(record["request_id"], Value::Null);
    }
    wait_until("all files are closed", || {
        relayed.sidecar.open_files() <= open_files
    });
}
