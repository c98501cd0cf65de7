//! Frames as a test writes them down, valid or not (RFC 6455 section 5.2).

/// Opcodes.
pub(crate) mod op {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// One frame; the payload is in the clear.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The last one of its message.
    pub(crate) fin: bool,
    /// RSV1, RSV2 and RSV3 as the three low bits, RSV1 the highest.
    pub(crate) rsv: u8,
    /// One of [`op`], or worse.
    pub(crate) opcode: u8,
    /// Unmasked.
    pub(crate) payload: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.payload[..self.payload.len().min(64)];
        write!(
            f,
            "Frame(fin {}, rsv {}, opcode {}, {} bytes: {:?})",
            self.fin,
            self.rsv,
            self.opcode,
            self.payload.len(),
            String::from_utf8_lossy(shown)
        )
    }
}

impl Frame {
    /// A final frame.
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Frame {
        Frame {
            fin: true,
            rsv: 0,
            opcode,
            payload: payload.as_ref().to_vec(),
        }
    }

    pub(crate) fn text(text: &str) -> Frame {
        Frame::new(op::TEXT, text)
    }

    pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Frame {
        Frame::new(op::BINARY, payload)
    }

    pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Frame {
        Frame::new(op::PING, payload)
    }

    pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Frame {
        Frame::new(op::PONG, payload)
    }

    pub(crate) fn close(code: u16, reason: &str) -> Frame {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        Frame::new(op::CLOSE, payload)
    }

    /// A Close frame without a code.
    pub(crate) fn bare_close() -> Frame {
        Frame::new(op::CLOSE, "")
    }

    pub(crate) fn not_final(mut self) -> Frame {
        self.fin = false;
        self
    }

    pub(crate) fn with_rsv(mut self, rsv: u8) -> Frame {
        self.rsv = rsv;
        self
    }

    /// Code and reason of a Close frame; none: it has no code.
    pub(crate) fn close_code(&self) -> Option<(u16, String)> {
        assert_eq!(self.opcode, op::CLOSE, "{self:?}");
        let (code, reason) = self.payload.split_first_chunk::<2>()?;
        let reason = String::from_utf8(reason.to_vec()).expect("a reason is UTF-8");
        Some((u16::from_be_bytes(*code), reason))
    }

    /// As it goes on the wire.
    pub(crate) fn encode(&self, mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut out = header(
            u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode,
            self.payload.len() as u64,
            mask,
        );
        match mask {
            None => out.extend_from_slice(&self.payload),
            Some(key) => {
                let key = key.iter().cycle();
                out.extend(self.payload.iter().zip(key).map(|(byte, key)| byte ^ key));
            }
        }
        out
    }

    /// Takes a whole frame off the front of `bytes`; the flag says whether it was masked.
    pub(crate) fn take(bytes: &mut Vec<u8>) -> Option<(Frame, bool)> {
        let [first, second] = *bytes.first_chunk::<2>()?;
        let masked = second & 0x80 != 0;
        let (mut at, len) = match second & 0x7f {
            126 => (
                4,
                u64::from(u16::from_be_bytes(*bytes[2..].first_chunk::<2>()?)),
            ),
            127 => (10, u64::from_be_bytes(*bytes[2..].first_chunk::<8>()?)),
            len => (2, u64::from(len)),
        };
        let mut key = [0; 4];
        if masked {
            key = *bytes.get(at..)?.first_chunk::<4>()?;
            at += 4;
        }
        let end = at + usize::try_from(len).expect("a length that fits");
        let payload = bytes.get(at..end)?;
        let key = key.iter().cycle();
        let frame = Frame {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: first & 0x0f,
            payload: payload
                .iter()
                .zip(key)
                .map(|(byte, key)| byte ^ key)
                .collect(),
        };
        bytes.drain(..end);
        Some((frame, masked))
    }
}

/// A frame's header alone, with the shortest length encoding.
pub(crate) fn header(first: u8, len: u64, mask: Option<[u8; 4]>) -> Vec<u8> {
    let mask_bit = if mask.is_some() { 0x80 } else { 0 };
    let mut out = vec![first];
    match len {
        0..126 => out.push(mask_bit | len as u8),
        126..0x1_0000 => {
            out.push(mask_bit | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(mask_bit | 127);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
    out.extend_from_slice(&mask.unwrap_or_default()[..mask.map_or(0, |key| key.len())]);
    out
}
