//! Just enough of RFC 6455 to be a client and a backend; written apart from sidebeat's own, which is what is measured.

pub const TEXT_OR_BINARY: [u8; 3] = [0, 1, 2];
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// The head of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub opcode: u8,
    pub is_final: bool,
    pub mask: Option<[u8; 4]>,
    pub len: u64,
}

/// What a piece of the stream has of one frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    pub head: Head,
    pub begins: bool,
    pub ends: bool,
    pub payload: &'a [u8],
    /// Where in the frame's payload this one begins.
    pub offset: u64,
}

/// Finds frames in bytes that come in any pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    held: Vec<u8>,
    /// The frame under way, and how much of its payload has passed.
    current: Option<(Head, u64)>,
}

impl Decoder {
    /// The next piece of a frame; none: more bytes are needed.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        let begins = self.current.is_none();
        let (head, offset) = match self.current {
            Some(current) => current,
            None => (self.head(input)?, 0),
        };
        if !begins && input.is_empty() {
            return None;
        }
        let here = input.len().min((head.len - offset) as usize);
        let (payload, rest) = input.split_at(here);
        *input = rest;
        let passed = offset + here as u64;
        let ends = passed == head.len;
        self.current = (!ends).then_some((head, passed));
        Some(Piece {
            head,
            begins,
            ends,
            payload,
            offset,
        })
    }

    fn head(&mut self, input: &mut &[u8]) -> Option<Head> {
        if self.held.is_empty() {
            if let Some((head, len)) = parse(input) {
                *input = &input[len..];
                return Some(head);
            }
            self.held = input.to_vec();
            *input = &[];
            return None;
        }
        while let Some((first, rest)) = input.split_first() {
            self.held.push(*first);
            *input = rest;
            if let Some((head, _)) = parse(&self.held) {
                self.held = Vec::new();
                return Some(head);
            }
        }
        None
    }
}

fn parse(bytes: &[u8]) -> Option<(Head, usize)> {
    let [first, second, rest @ ..] = bytes else {
        return None;
    };
    let (len, extended) = match second & 0x7f {
        126 => (u16::from_be_bytes(*rest.first_chunk()?).into(), 2),
        127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
        short => (short.into(), 0),
    };
    let (mask, mask_len) = match second & 0x80 {
        0 => (None, 0),
        _ => (Some(*rest[extended..].first_chunk()?), 4),
    };
    let head = Head {
        opcode: first & 0x0f,
        is_final: first & 0x80 != 0,
        mask,
        len,
    };
    Some((head, 2 + extended + mask_len))
}

/// Appends the head of a frame.
pub fn encode_head(out: &mut Vec<u8>, head: &Head) {
    out.push(u8::from(head.is_final) << 7 | head.opcode);
    let masked = if head.mask.is_some() { 0x80 } else { 0 };
    match head.len {
        0..=125 => out.push(masked | head.len as u8),
        126..=0xffff => {
            out.push(masked | 126);
            out.extend((head.len as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend(head.len.to_be_bytes());
        }
    }
    out.extend(head.mask.into_iter().flatten());
}

/// A client's frame. Its masking key is zero, so that masking costs the load and the backend nothing.
pub fn from_client(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    let head = Head {
        opcode,
        is_final: true,
        mask: Some([0; 4]),
        len: payload.len() as u64,
    };
    encode_head(&mut out, &head);
    out.extend_from_slice(payload);
    out
}

/// Masks or unmasks; `offset` is the place of `bytes` in the frame's payload.
pub fn apply_mask(bytes: &mut [u8], mask: [u8; 4], offset: u64) {
    if mask != [0; 4] {
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte ^= mask[(offset as usize + index) % 4];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_gives_the_same_frames() {
        let mut stream = Vec::new();
        for len in [0, 5, 125, 126, 70_000] {
            stream.extend(from_client(2, &vec![7; len]));
        }
        for step in [1, 2, 3, 7, 1000, stream.len()] {
            let mut decoder = Decoder::default();
            let mut lens = Vec::new();
            let mut payload = 0;
            for mut piece in stream.chunks(step) {
                while let Some(found) = decoder.next(&mut piece) {
                    payload += found.payload.len();
                    if found.ends {
                        lens.push(found.head.len);
                    }
                }
            }
            assert_eq!(lens, [0, 5, 125, 126, 70_000], "step {step}");
            assert_eq!(payload, 5 + 125 + 126 + 70_000);
        }
    }

    #[test]
    fn masking_goes_on_at_an_offset() {
        let mut bytes = [1, 2, 3, 4, 5, 6, 7];
        apply_mask(&mut bytes[..3], [9, 8, 7, 6], 0);
        apply_mask(&mut bytes[3..], [9, 8, 7, 6], 3);
        assert_eq!(bytes, [8, 10, 4, 2, 12, 14, 0]);
    }
}
