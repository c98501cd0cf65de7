//! tungstenite as the oracle: both must hear the same and refuse the same, except where noted.

use std::io::{self, Read, Write};

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::{self, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

use super::sequences::{role, spoken, write};
use super::*;
use crate::protocol::Close;

const LIMITED: Rules = Rules {
    max_frame: 400,
    max_message: 700,
    deflate: false,
    // tungstenite always checks.
    validate_utf8: true,
    whole: 0,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Open,
    Closed,
    Refused,
}

/// Bytes to read and nobody who reads what is answered.
struct Recording<'a>(&'a [u8]);

impl Read for Recording<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Recording<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn oracle(sender: Role, bytes: &[u8]) -> (Vec<Heard>, Verdict) {
    let receiver = match sender {
        Role::Client => protocol::Role::Server,
        Role::Server => protocol::Role::Client,
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_frame_size(Some(LIMITED.max_frame as usize))
        .max_message_size(Some(LIMITED.max_message as usize));
    let mut socket = WebSocket::from_raw_socket(Recording(bytes), receiver, Some(config));
    let mut heard = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => heard.push(message(text.as_bytes())),
            Ok(Message::Binary(payload)) => heard.push(message(payload)),
            Ok(Message::Ping(payload)) => {
                heard.push(Heard::Control(ControlKind::Ping, payload.to_vec()));
            }
            Ok(Message::Pong(payload)) => {
                heard.push(Heard::Control(ControlKind::Pong, payload.to_vec()));
            }
            Ok(Message::Close(_)) => return (heard, Verdict::Closed),
            Ok(Message::Frame(_)) => unreachable!("never given to readers"),
            Err(Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => return (heard, Verdict::Open),
            Err(_) => return (heard, Verdict::Refused),
        }
    }
}

/// The same with our reader; nothing is heard after a Close frame.
fn ours(sender: Role, bytes: &[u8]) -> (Vec<Heard>, Verdict, Option<Violation>) {
    let Outcome { mut heard, end, .. } = read(sender, &LIMITED, [bytes]);
    let close = heard
        .iter()
        .position(|heard| matches!(heard, Heard::Control(ControlKind::Close, _)));
    if let Some(at) = close {
        let Some(Heard::Control(_, payload)) = heard.drain(at..).next() else {
            unreachable!("found there");
        };
        return match Close::parse(&payload) {
            Ok(_) => (heard, Verdict::Closed, None),
            // tungstenite hears these, and answers 1002.
            Err(Violation::InvalidCloseCode(_)) if std::str::from_utf8(&payload[2..]).is_ok() => {
                (heard, Verdict::Closed, None)
            }
            Err(violation) => (heard, Verdict::Refused, Some(violation)),
        };
    }
    match end {
        End::Open { .. } => (heard, Verdict::Open, None),
        End::Violation(violation) => (heard, Verdict::Refused, Some(violation)),
    }
}

fn compare(sender: Role, bytes: &[u8]) {
    let (heard, verdict, violation) = ours(sender, bytes);
    let (oracle_heard, oracle_verdict) = oracle(sender, bytes);
    if let Some(
        Violation::LengthNotMinimal | Violation::LengthTooLarge | Violation::ControlTooLong,
    ) = violation
    {
        // tungstenite takes lengths in any form; what was heard before is the same.
        assert!(oracle_heard.starts_with(&heard), "{violation:?}");
        return;
    }
    assert_eq!(heard, oracle_heard, "{sender:?} {violation:?}");
    if verdict == Verdict::Refused && oracle_verdict == Verdict::Open {
        // It waits for whole frames where the rule is broken for certain already; given the rest it refuses, too.
        let (_, with_more) = oracle(sender, &[bytes, &[0; 1024]].concat());
        assert_eq!(with_more, Verdict::Refused, "{sender:?} {violation:?}");
        return;
    }
    assert_eq!(verdict, oracle_verdict, "{sender:?} {violation:?}");
}

#[test]
fn every_pair_of_first_bytes() {
    for sender in ROLES {
        for first in 0..=255 {
            for second in 0..=255 {
                compare(sender, &[&[first, second][..], &[0; 150]].concat());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn noise(sender in role(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        compare(sender, &bytes);
    }

    #[test]
    fn damaged_conversations(
        sender in role(),
        spoken in prop::collection::vec(spoken(200), 1..5),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = write(sender, &spoken, &mut Vec::new());
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        compare(sender, &bytes);
        compare(sender, &bytes[..end.index(bytes.len())]);
    }

    #[test]
    fn frames_of_any_kind(
        sender in role(),
        frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..130)), 0..8),
        nibbles in prop::collection::vec(prop::sample::select(vec![0x00, 0x80]), 8),
    ) {
        let bytes: Vec<u8> = frames
            .iter()
            .zip(nibbles)
            .flat_map(|((opcode, payload), fin)| frame(sender, fin | (opcode & 0x0b), payload))
            .collect();
        compare(sender, &bytes);
    }
}
