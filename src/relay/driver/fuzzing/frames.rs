//! What a stream of frames must look like, read with a parser of its own (RFC 6455 section 5.2), and which of its data
//! frames a peer sent.

use crate::leg::Leg;

/// Texts that only the sidecar sends.
pub(super) const OWN_TEXTS: [&[u8]; 3] = [b"sidecar: pong", b"sidecar: alive?", b"sidecar: idle"];
/// The application heartbeat that the sidecar may keep to itself.
pub(super) const HEARTBEAT: &[u8] = b"ping";
/// The same, compressed on its own (RFC 7692 section 7.2.1).
pub(super) const COMPRESSED_HEARTBEAT: &[u8] = &[0x2a, 0xc8, 0xcc, 0x4b, 0x07, 0x00];

/// One frame, as it is on the wire.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) raw: &'a [u8],
    start: usize,
    key: Option<[u8; 4]>,
}

impl Frame<'_> {
    pub(super) fn opcode(&self) -> u8 {
        self.raw[0] & 0x0f
    }

    pub(super) fn is_data(&self) -> bool {
        self.opcode() < 8
    }

    fn fin(&self) -> bool {
        self.raw[0] & 0x80 != 0
    }

    pub(super) fn payload(&self) -> Vec<u8> {
        let key = self.key.unwrap_or_default();
        let bytes = self.raw[self.start..].iter().zip(key.iter().cycle());
        bytes.map(|(byte, key)| byte ^ key).collect()
    }

    /// What the sidecar may answer itself instead of passing it on.
    fn is_heartbeat(&self) -> bool {
        let payload = self.payload();
        (self.raw[0] == 0x81 && payload == HEARTBEAT)
            || (self.raw[0] == 0xc1 && payload == COMPRESSED_HEARTBEAT)
    }

    fn is_own(&self) -> bool {
        self.raw[0] == 0x81 && OWN_TEXTS.contains(&&*self.payload())
    }
}

/// The whole frames at the beginning, and what is left of an unfinished one.
pub(super) fn split(mut bytes: &[u8]) -> (Vec<Frame<'_>>, &[u8]) {
    let mut frames = Vec::new();
    while let Some((start, key, payload)) = header(bytes) {
        let Some(len) = usize::try_from(payload)
            .ok()
            .and_then(|payload| start.checked_add(payload))
            .filter(|len| *len <= bytes.len())
        else {
            break;
        };
        let (raw, rest) = bytes.split_at(len);
        frames.push(Frame { raw, start, key });
        bytes = rest;
    }
    (frames, bytes)
}

/// Where the payload starts, its masking key and its length; none: the header is not whole.
fn header(bytes: &[u8]) -> Option<(usize, Option<[u8; 4]>, u64)> {
    let second = *bytes.get(1)?;
    let (at, len) = match second & 0x7f {
        126 => (
            4,
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        len => (2, u64::from(len)),
    };
    if second & 0x80 == 0 {
        return Some((at, None, len));
    }
    let key = bytes.get(at..at + 4)?.try_into().ok()?;
    Some((at + 4, Some(key), len))
}

/// Panics unless these are frames that a peer on this leg may get.
pub(super) fn assert_valid(to: Leg, frames: &[Frame<'_>], deflate: bool) {
    let mut fragmented = false;
    for (index, frame) in frames.iter().enumerate() {
        let (first, second) = (frame.raw[0], frame.raw[1]);
        assert_eq!(
            frame.key.is_some(),
            to == Leg::Upstream,
            "section 5.1: masking"
        );
        assert_eq!(first & 0x30, 0, "section 5.2: reserved bits");
        let len = frame.raw.len() - frame.start;
        let shortest = match len {
            0..126 => second & 0x7f == len as u8,
            126..0x1_0000 => second & 0x7f == 126,
            _ => second & 0x7f == 127,
        };
        assert!(shortest, "section 5.2: the length is not the shortest");
        let opcode = frame.opcode();
        if frame.is_data() {
            assert!(opcode <= 2, "section 5.2: opcode {opcode}");
            assert_eq!(opcode == 0, fragmented, "section 5.4: fragments");
            assert!(
                first & 0x40 == 0 || (deflate && opcode != 0),
                "RFC 7692 section 6"
            );
            fragmented = !frame.fin();
            continue;
        }
        assert!((8..=10).contains(&opcode), "section 5.2: opcode {opcode}");
        assert!(
            frame.fin() && len <= 125 && first & 0x40 == 0,
            "section 5.5: control frames"
        );
        if opcode == 8 {
            assert_eq!(
                index + 1,
                frames.len(),
                "section 5.5.1: something follows a Close frame"
            );
            assert_close(&frame.payload());
        }
    }
}

fn assert_close(payload: &[u8]) {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return assert!(payload.is_empty(), "section 5.5.1: half a code");
    };
    let code = u16::from_be_bytes(*code);
    let sendable = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    assert!(sendable, "section 7.4: code {code}");
    assert!(
        std::str::from_utf8(reason).is_ok(),
        "section 5.5.1: the reason"
    );
}

/// Whether a stream ends where a message may begin.
pub(super) fn is_at_message_boundary(bytes: &[u8]) -> bool {
    let (frames, rest) = split(bytes);
    let last = frames.iter().rev().find(|frame| frame.is_data());
    rest.is_empty() && last.is_none_or(Frame::fin)
}

/// Panics unless the data frames that came are those that were sent, as far as they came, without any that the sidecar
/// answered itself. `all`: every one that was sent whole has to have come.
pub(super) fn assert_delivered(sent: &[u8], came: &[u8], all: bool) {
    let (sent, sent_rest) = split(sent);
    let (came, came_rest) = split(came);
    let mut expected = sent
        .iter()
        .take_while(|frame| frame.opcode() != 8)
        .filter(|frame| frame.is_data());
    for frame in came
        .iter()
        .filter(|frame| frame.is_data() && !frame.is_own())
    {
        let found = loop {
            match expected.next() {
                Some(next) if next.raw == frame.raw => break true,
                Some(next) if next.is_heartbeat() => {}
                _ => break false,
            }
        };
        assert!(found, "not what was sent: {:x?}", frame.raw);
    }
    let mut expected = expected.peekable();
    if !came_rest.is_empty() && came_rest[0] & 0x0f < 8 && !may_be_own(came_rest) {
        while expected
            .next_if(|next| !next.raw.starts_with(came_rest) && next.is_heartbeat())
            .is_some()
        {}
        let next = expected.peek().map_or(sent_rest, |next| next.raw);
        assert!(
            next.starts_with(came_rest),
            "not what was sent: {came_rest:x?}"
        );
    }
    if all {
        let lost = expected.find(|frame| !frame.is_heartbeat());
        assert!(lost.is_none(), "lost: {lost:x?}");
    }
}

/// Whether the beginning of a frame may be one of the sidecar's own texts.
fn may_be_own(bytes: &[u8]) -> bool {
    let Some((start, key, len)) = header(bytes) else {
        return bytes[0] == 0x81;
    };
    let frame = Frame {
        raw: bytes,
        start,
        key,
    };
    let begun = frame.payload();
    bytes[0] == 0x81
        && OWN_TEXTS
            .iter()
            .any(|text| text.len() as u64 == len && text.starts_with(&begun))
}
