//! Reading frames out of a stream of bytes that arrives in arbitrary pieces (RFC 6455 section 5).
//!
//! The reader never holds payload: a data frame is told in steps as its bytes come, so that memory does not depend on
//! the size of a frame. Only what cannot be judged yet, an incomplete header, control frame or message that is to be
//! told whole, is left to the caller to hold: at most [`MAX_HELD`] bytes, or [`Rules::whole`] and a header, to be put
//! in front of the next piece.

use super::{Control, Data, MAX_CONTROL_PAYLOAD, OpCode, Utf8Validator, Violation, apply_mask};

/// The most bytes that [`Step::Incomplete`] leaves over: a masked control frame less its last byte.
pub const MAX_HELD: usize = 2 + 4 + MAX_CONTROL_PAYLOAD - 1;

/// Whose frames are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A client's, which are masked.
    Client,
    /// A server's, which are not.
    Server,
}

/// What is allowed beyond the fixed rules; may change between any two steps.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Payload bytes of one data frame.
    pub max_frame: u64,
    /// Payload bytes of one message over all its fragments.
    pub max_message: u64,
    /// Whether permessage-deflate was negotiated, so that RSV1 means "compressed" (RFC 7692 section 6).
    pub deflate: bool,
    /// Whether uncompressed text must be UTF-8.
    pub validate_utf8: bool,
    /// Unfragmented messages up to this many payload bytes are told whole, as [`Step::Message`]; 0: none.
    pub whole: u64,
}

/// What may be injected at a point of a stream (RFC 6455 section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// Between messages: anything.
    Message,
    /// Between the fragments of a message: control frames only.
    Frame,
    /// Inside a data frame: nothing.
    None,
}

/// What a piece of the stream begins with.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// `len` bytes of a data frame.
    Data {
        /// Bytes of this step: the header, if the frame begins here, and payload.
        len: usize,
        /// How many of them are payload.
        payload: usize,
        /// Whether they end a message.
        ends_message: bool,
    },
    /// A whole unfragmented message of at most [`Rules::whole`] payload bytes.
    Message {
        /// Bytes of the frame.
        len: usize,
        /// Where in the frame its payload begins.
        start: usize,
        /// Whether it is text.
        text: bool,
        /// RSV1: its payload is compressed.
        compressed: bool,
        /// The key that its payload is masked with.
        mask: Option<[u8; 4]>,
    },
    /// A whole control frame.
    Control {
        /// Bytes of the frame.
        len: usize,
        /// Which one.
        kind: ControlKind,
        /// Where in the frame its payload begins, which goes to its end; see [`ControlPayload::unmasked`].
        start: usize,
        /// The key that its payload is masked with.
        mask: Option<[u8; 4]>,
    },
    /// More bytes are needed; the rest of the piece is to be held.
    Incomplete,
}

/// The three control frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlKind {
    /// Section 5.5.1.
    Close,
    /// Section 5.5.2.
    Ping,
    /// Section 5.5.3.
    Pong,
}

/// The payload of a control frame.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlPayload {
    len: u8,
    bytes: [u8; MAX_CONTROL_PAYLOAD],
}

impl ControlPayload {
    /// A copy of the first 125 bytes.
    #[must_use]
    pub fn new(payload: &[u8]) -> Self {
        let len = payload.len().min(MAX_CONTROL_PAYLOAD);
        let mut bytes = [0; MAX_CONTROL_PAYLOAD];
        bytes[..len].copy_from_slice(&payload[..len]);
        ControlPayload {
            len: len as u8,
            bytes,
        }
    }

    /// A copy of the first 125 bytes without their mask.
    #[must_use]
    pub fn unmasked(payload: &[u8], mask: Option<[u8; 4]>) -> Self {
        let mut plain = ControlPayload::new(payload);
        if let Some(key) = mask {
            apply_mask(&mut plain.bytes[..usize::from(plain.len)], key, 0);
        }
        plain
    }
}

impl std::ops::Deref for ControlPayload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

/// Reads one direction of a connection.
#[derive(Debug)]
pub struct FrameReader {
    sender: Role,
    /// The data frame under way ends its message.
    is_final: bool,
    /// A message was begun and its last frame has not been read to its end.
    in_message: bool,
    /// Text of the message under way is checked.
    check_text: bool,
    mask: [u8; 4],
    utf8: Utf8Validator,
    /// Payload of the data frame under way that is still to come.
    remaining: u64,
    /// Payload of the message under way, up to the end of the frame under way.
    message_len: u64,
}

impl FrameReader {
    /// A reader at the beginning of `sender`'s stream.
    #[must_use]
    pub fn new(sender: Role) -> Self {
        FrameReader {
            sender,
            is_final: false,
            in_message: false,
            check_text: false,
            mask: [0; 4],
            utf8: Utf8Validator::default(),
            remaining: 0,
            message_len: 0,
        }
    }

    /// What the next byte begins; not to be asked after an error.
    #[must_use]
    #[inline]
    pub fn boundary(&self) -> Boundary {
        match (self.remaining, self.in_message) {
            (0, false) => Boundary::Message,
            (0, true) => Boundary::Frame,
            _ => Boundary::None,
        }
    }

    /// Judges what `bytes` begins with. The caller drops the bytes of a step and calls again with what follows.
    ///
    /// # Errors
    /// The first rule that is broken; the reader must not be used any further.
    #[inline]
    pub fn next(&mut self, bytes: &[u8], rules: &Rules) -> Result<Step, Violation> {
        if self.remaining > 0 {
            return if bytes.is_empty() {
                Ok(Step::Incomplete)
            } else {
                self.payload(bytes, 0)
            };
        }
        let [first, second, ..] = *bytes else {
            return Ok(Step::Incomplete);
        };
        let opcode = self.check_first_bytes(first, second, rules)?;
        let Some(header) = Header::parse(bytes, first, second)? else {
            return Ok(Step::Incomplete);
        };
        match opcode {
            OpCode::Data(kind) if self.is_told_whole(&header, rules) => {
                if ((bytes.len() - header.len) as u64) < header.payload_len {
                    return Ok(Step::Incomplete);
                }
                self.begin_data_frame(kind, &header, rules)?;
                self.payload(bytes, header.len)?;
                Ok(Step::Message {
                    len: header.len + header.payload_len as usize,
                    start: header.len,
                    text: kind == Data::Text,
                    compressed: header.rsv1,
                    mask: header.mask,
                })
            }
            OpCode::Data(kind) => {
                self.begin_data_frame(kind, &header, rules)?;
                self.payload(bytes, header.len)
            }
            OpCode::Control(kind) => control_frame(kind, bytes, &header),
        }
    }

    /// Everything that the first two bytes of a frame can do wrong.
    #[inline]
    fn check_first_bytes(&self, first: u8, second: u8, rules: &Rules) -> Result<OpCode, Violation> {
        let opcode = OpCode::from(first & 0x0f);
        let (rsv1, rsv2_3) = (first & 0x40 != 0, first & 0x30 != 0);
        let begins_message = matches!(opcode, OpCode::Data(Data::Text | Data::Binary));
        if rsv2_3 || (rsv1 && !(rules.deflate && begins_message)) {
            return Err(Violation::ReservedBit);
        }
        match opcode {
            OpCode::Data(Data::Reserved(code)) | OpCode::Control(Control::Reserved(code)) => {
                return Err(Violation::UnknownOpcode(code));
            }
            OpCode::Control(_) if first & 0x80 == 0 => return Err(Violation::FragmentedControl),
            OpCode::Control(_) if usize::from(second & 0x7f) > MAX_CONTROL_PAYLOAD => {
                return Err(Violation::ControlTooLong);
            }
            OpCode::Data(Data::Continue) if !self.in_message => {
                return Err(Violation::UnexpectedContinuation);
            }
            OpCode::Data(Data::Text | Data::Binary) if self.in_message => {
                return Err(Violation::ExpectedContinuation);
            }
            _ => {}
        }
        match (self.sender, second & 0x80 != 0) {
            (Role::Client, false) => Err(Violation::Unmasked),
            (Role::Server, true) => Err(Violation::Masked),
            _ => Ok(opcode),
        }
    }

    fn is_told_whole(&self, header: &Header, rules: &Rules) -> bool {
        rules.whole > 0
            && header.payload_len <= rules.whole.min(rules.max_frame)
            && header.is_final
            && !self.in_message
    }

    #[inline]
    fn begin_data_frame(
        &mut self,
        kind: Data,
        header: &Header,
        rules: &Rules,
    ) -> Result<(), Violation> {
        let len = header.payload_len;
        if len > rules.max_frame {
            return Err(Violation::FrameTooBig(len));
        }
        let before = if self.in_message { self.message_len } else { 0 };
        let message_len = before.saturating_add(len);
        if message_len > rules.max_message {
            return Err(Violation::MessageTooBig(message_len));
        }
        if !self.in_message {
            // Decided once a message, so that switching the rule on cannot start in the middle of a character.
            self.check_text = kind == Data::Text && rules.validate_utf8 && !header.rsv1;
        }
        self.message_len = message_len;
        self.in_message = true;
        self.is_final = header.is_final;
        self.mask = header.mask.unwrap_or_default();
        self.remaining = len;
        Ok(())
    }

    /// A step of the frame under way, whose payload begins or goes on at `start`.
    #[inline]
    fn payload(&mut self, bytes: &[u8], start: usize) -> Result<Step, Violation> {
        let available = bytes.len() - start;
        let payload =
            usize::try_from(self.remaining).map_or(available, |remaining| remaining.min(available));
        if self.check_text {
            self.check_utf8(&bytes[start..start + payload])?;
        }
        self.remaining -= payload as u64;
        let ends_message = self.remaining == 0 && self.is_final;
        if ends_message {
            self.in_message = false;
        }
        Ok(Step::Data {
            len: start + payload,
            payload,
            ends_message,
        })
    }

    fn check_utf8(&mut self, payload: &[u8]) -> Result<(), Violation> {
        let mut plain = [0; 1024];
        for piece in payload.chunks(plain.len()) {
            let plain = &mut plain[..piece.len()];
            plain.copy_from_slice(piece);
            apply_mask(plain, self.mask, 0);
            self.mask.rotate_left(piece.len() % 4);
            self.utf8.push(plain).map_err(|_| Violation::TextNotUtf8)?;
        }
        if self.remaining == payload.len() as u64 && self.is_final {
            self.utf8.finish().map_err(|_| Violation::TextNotUtf8)?;
        }
        Ok(())
    }
}

/// A frame's header (section 5.2).
struct Header {
    /// Its own bytes.
    len: usize,
    is_final: bool,
    rsv1: bool,
    mask: Option<[u8; 4]>,
    payload_len: u64,
}

impl Header {
    /// What `bytes` begin with; none: they end before the header does.
    #[inline]
    fn parse(bytes: &[u8], first: u8, second: u8) -> Result<Option<Header>, Violation> {
        let (payload_len, at) = match second & 0x7f {
            126 => match bytes.get(2..4).and_then(|length| length.try_into().ok()) {
                Some(length) => (u64::from(u16::from_be_bytes(length)), 4),
                None => return Ok(None),
            },
            127 => match bytes.get(2..10).and_then(|length| length.try_into().ok()) {
                Some(length) => (u64::from_be_bytes(length), 10),
                None => return Ok(None),
            },
            short => (u64::from(short), 2),
        };
        let (mask, len) = if second & 0x80 == 0 {
            (None, at)
        } else {
            match bytes.get(at..at + 4).and_then(|key| key.try_into().ok()) {
                Some(key) => (Some(key), at + 4),
                None => return Ok(None),
            }
        };
        check_length_encoding(second & 0x7f, payload_len)?;
        Ok(Some(Header {
            len,
            is_final: first & 0x80 != 0,
            rsv1: first & 0x40 != 0,
            mask,
            payload_len,
        }))
    }
}

/// Section 5.2: "the minimal number of bytes MUST be used to encode the length".
fn check_length_encoding(length_byte: u8, len: u64) -> Result<(), Violation> {
    match length_byte {
        126 if len < 126 => Err(Violation::LengthNotMinimal),
        127 if len <= u64::from(u16::MAX) => Err(Violation::LengthNotMinimal),
        127 if len > i64::MAX as u64 => Err(Violation::LengthTooLarge),
        _ => Ok(()),
    }
}

fn control_frame(kind: Control, bytes: &[u8], header: &Header) -> Result<Step, Violation> {
    // At most 125, as was seen from the second byte.
    let len = header.len + header.payload_len as usize;
    if bytes.len() < len {
        return Ok(Step::Incomplete);
    }
    let kind = match kind {
        Control::Close => ControlKind::Close,
        Control::Ping => ControlKind::Ping,
        Control::Pong => ControlKind::Pong,
        Control::Reserved(code) => return Err(Violation::UnknownOpcode(code)),
    };
    Ok(Step::Control {
        len,
        kind,
        start: header.len,
        mask: header.mask,
    })
}

#[cfg(test)]
mod tests;
