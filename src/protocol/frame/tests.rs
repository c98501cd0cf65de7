//! One module per section of RFC 6455. Whatever is claimed of an input is claimed of every way to cut it.

mod differential;
mod section_5_1_masking;
mod section_5_2_framing;
mod section_5_4_fragmentation;
mod section_5_5_control;
mod section_8_1_utf8;
mod sequences;
mod sizes;

use super::*;

const FIN: u8 = 0x80;
const CONTINUE: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const ROLES: [Role; 2] = [Role::Client, Role::Server];

const RULES: Rules = Rules {
    max_frame: u64::MAX,
    max_message: u64::MAX,
    deflate: false,
    validate_utf8: false,
    whole: 0,
};
const UTF8: Rules = Rules {
    validate_utf8: true,
    whole: 0,
    ..RULES
};

/// What a stream turned out to be, however it came.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    heard: Vec<Heard>,
    /// The bytes of data frames, as they would be passed on.
    passed: Vec<u8>,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    /// A whole message's payload, unmasked.
    Message(Vec<u8>),
    Control(ControlKind, Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Open { boundary: Boundary, held: usize },
    Violation(Violation),
}

/// A whole frame: `first` is FIN, reserved bits and opcode; masked as `sender` must.
fn frame(sender: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(sender, first, payload.len() as u64);
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    if sender == Role::Client {
        apply_mask(&mut bytes[start..], KEY, 0);
    }
    bytes
}

fn header(sender: Role, first: u8, len: u64) -> Vec<u8> {
    let masked = u8::from(sender == Role::Client) << 7;
    let mut bytes = vec![first];
    match len {
        0..=125 => bytes.push(masked | len as u8),
        126..=0xffff => {
            bytes.push(masked | 126);
            bytes.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(masked | 127);
            bytes.extend_from_slice(&len.to_be_bytes());
        }
    }
    if sender == Role::Client {
        bytes.extend_from_slice(&KEY);
    }
    bytes
}

/// Reads pieces as the relay does: what is incomplete is held and put in front of the next piece.
fn read<'a>(sender: Role, rules: &Rules, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut reader = FrameReader::new(sender);
    let (mut heard, mut passed, mut message) = (Vec::new(), Vec::new(), Vec::new());
    let (mut held, mut key, mut offset) = (Vec::new(), [0; 4], 0);
    for piece in pieces {
        let bytes = [&held[..], piece].concat();
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            match reader.next(rest, rules) {
                Ok(Step::Data {
                    len,
                    payload,
                    ends_message,
                }) => {
                    assert!(len > 0, "a step that gets nowhere");
                    let start = len - payload;
                    if start > 0 && sender == Role::Client {
                        key.copy_from_slice(&rest[start - 4..start]);
                    }
                    if start > 0 {
                        offset = 0;
                    }
                    let mut plain = rest[start..len].to_vec();
                    apply_mask(&mut plain, key, offset);
                    offset += payload;
                    message.extend_from_slice(&plain);
                    passed.extend_from_slice(&rest[..len]);
                    at += len;
                    if ends_message {
                        assert_eq!(reader.boundary(), Boundary::Message);
                        heard.push(Heard::Message(std::mem::take(&mut message)));
                    }
                }
                Ok(Step::Message {
                    len, start, mask, ..
                }) => {
                    assert!(len - start <= rules.whole as usize);
                    assert_eq!(reader.boundary(), Boundary::Message);
                    let mut plain = rest[start..len].to_vec();
                    apply_mask(&mut plain, mask.unwrap_or_default(), 0);
                    passed.extend_from_slice(&rest[..len]);
                    at += len;
                    heard.push(Heard::Message(plain));
                }
                Ok(Step::Control {
                    len,
                    kind,
                    start,
                    mask,
                }) => {
                    let payload = ControlPayload::unmasked(&rest[start..len], mask);
                    assert_ne!(reader.boundary(), Boundary::None);
                    heard.push(Heard::Control(kind, payload.to_vec()));
                    at += len;
                }
                Ok(Step::Incomplete) => break,
                Err(violation) => {
                    return Outcome {
                        heard,
                        passed,
                        end: End::Violation(violation),
                    };
                }
            }
        }
        held = bytes[at..].to_vec();
        let most = MAX_HELD.max(rules.whole as usize + 13);
        assert!(held.len() <= most, "{} bytes held", held.len());
    }
    Outcome {
        heard,
        passed,
        end: End::Open {
            boundary: reader.boundary(),
            held: held.len(),
        },
    }
}

/// The outcome of an input, which every way to cut it in two, and byte by byte, must agree with.
#[track_caller]
fn outcome(sender: Role, rules: &Rules, bytes: &[u8]) -> Outcome {
    let whole = read(sender, rules, [bytes]);
    let cuts = (0..=bytes.len()).map(|cut| {
        let (head, tail) = bytes.split_at(cut);
        read(sender, rules, [head, tail])
    });
    for (cut, other) in cuts.enumerate() {
        assert_same(&whole, &other, &format!("cut at {cut}"));
    }
    assert_same(&whole, &read(sender, rules, bytes.chunks(1)), "by bytes");
    whole
}

#[track_caller]
fn assert_same(whole: &Outcome, other: &Outcome, how: &str) {
    if whole.end == End::Violation(Violation::TextNotUtf8) {
        // What came before the bad byte may have been passed on already.
        assert_eq!(
            (&whole.heard, &whole.end),
            (&other.heard, &other.end),
            "{how}"
        );
        assert!(other.passed.starts_with(&whole.passed), "{how}");
    } else {
        assert_eq!(whole, other, "{how}");
    }
}

#[track_caller]
fn rejects(sender: Role, rules: &Rules, bytes: &[u8], violation: Violation) {
    let outcome = outcome(sender, rules, bytes);
    assert_eq!(outcome.end, End::Violation(violation), "{sender:?}");
}

/// Everything is whole messages and control frames, and all data frames are passed on.
#[track_caller]
fn accepts(sender: Role, rules: &Rules, bytes: &[u8], heard: &[Heard]) {
    let outcome = outcome(sender, rules, bytes);
    assert_eq!(outcome.heard, heard, "{sender:?}");
    let end = End::Open {
        boundary: Boundary::Message,
        held: 0,
    };
    assert_eq!(outcome.end, end, "{sender:?}");
}

fn message(payload: impl AsRef<[u8]>) -> Heard {
    Heard::Message(payload.as_ref().to_vec())
}
