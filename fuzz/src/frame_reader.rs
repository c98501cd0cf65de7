//! A stream of bytes, whole and in pieces.

use sidebeat::protocol::{
    Close, ControlKind, ControlPayload, FrameReader, MAX_HELD, Role, Rules, Step, Violation,
};

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    controls: Vec<(ControlKind, Vec<u8>)>,
    messages: Vec<u64>,
    passed: Vec<u8>,
    violation: Option<Violation>,
}

fn read<'a>(role: Role, rules: &Rules, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut reader = FrameReader::new(role);
    let mut outcome = Outcome::default();
    let (mut held, mut message) = (Vec::new(), 0);
    for piece in pieces {
        let bytes = [&held[..], piece].concat();
        let mut at = 0;
        loop {
            match reader.next(&bytes[at..], rules) {
                Ok(Step::Data {
                    len,
                    payload,
                    ends_message,
                }) => {
                    assert!(len > 0 && payload <= len);
                    outcome.passed.extend_from_slice(&bytes[at..at + len]);
                    at += len;
                    message += payload as u64;
                    if ends_message {
                        outcome.messages.push(std::mem::take(&mut message));
                    }
                }
                Ok(Step::Message { len, start, .. }) => {
                    assert!(start < len + 1 && len - start <= rules.whole as usize);
                    outcome.passed.extend_from_slice(&bytes[at..at + len]);
                    at += len;
                    outcome.messages.push((len - start) as u64);
                }
                Ok(Step::Control {
                    len,
                    kind,
                    start,
                    mask,
                }) => {
                    let payload = ControlPayload::unmasked(&bytes[at + start..at + len], mask);
                    if kind == ControlKind::Close {
                        let _ = Close::parse(&payload);
                    }
                    outcome.controls.push((kind, payload.to_vec()));
                    at += len;
                }
                Ok(Step::Incomplete) => break,
                Err(violation) => {
                    outcome.violation = Some(violation);
                    return outcome;
                }
            }
        }
        held = bytes[at..].to_vec();
        assert!(held.len() <= MAX_HELD.max(rules.whole as usize + 13));
    }
    outcome
}

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let [options, step, stream @ ..] = input else {
        return;
    };
    let role = if options & 1 == 0 {
        Role::Client
    } else {
        Role::Server
    };
    let limit = |on: bool, limit| if on { limit } else { u64::MAX };
    let rules = Rules {
        max_frame: limit(options & 2 != 0, 100),
        max_message: limit(options & 4 != 0, 300),
        deflate: options & 8 != 0,
        validate_utf8: options & 16 != 0,
        whole: if options & 32 != 0 { 50 } else { 0 },
    };
    let whole = read(role, &rules, std::iter::once(stream));
    let mut pieces = read(role, &rules, stream.chunks(usize::from(*step).max(1)));
    if whole.violation == Some(Violation::TextNotUtf8) {
        // What came before the bad byte may have been passed on already.
        assert!(pieces.passed.starts_with(&whole.passed));
        pieces.passed.truncate(whole.passed.len());
    }
    assert_eq!(whole, pieces);
}
