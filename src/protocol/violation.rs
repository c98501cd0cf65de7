//! The rules of RFC 6455 that a peer can break, one variant each.

use thiserror::Error;

/// A rule that a peer broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// Section 5.2: RSV1–3 must be 0 unless an extension gives them a meaning.
    #[error("reserved bit set without an extension that uses it (RFC 6455 5.2)")]
    ReservedBit,
    /// Section 5.2: opcodes 3–7 and 11–15 are reserved.
    #[error("unknown opcode {0:#x} (RFC 6455 5.2)")]
    UnknownOpcode(u8),
    /// Section 5.5: control frames must not be fragmented.
    #[error("fragmented control frame (RFC 6455 5.5)")]
    FragmentedControl,
    /// Section 5.5: control frames carry at most 125 bytes.
    #[error("control frame of more than 125 bytes (RFC 6455 5.5)")]
    ControlTooLong,
    /// Section 5.1: a client must mask.
    #[error("unmasked frame from a client (RFC 6455 5.1)")]
    Unmasked,
    /// Section 5.1: a server must not mask.
    #[error("masked frame from a server (RFC 6455 5.1)")]
    Masked,
    /// Section 5.2: the minimal number of bytes must be used for the length.
    #[error("payload length not in its shortest form (RFC 6455 5.2)")]
    LengthNotMinimal,
    /// Section 5.2: the most significant bit of a 64-bit length must be 0.
    #[error("payload length with its highest bit set (RFC 6455 5.2)")]
    LengthTooLarge,
    /// Section 5.4: a continuation frame continues a message.
    #[error("continuation frame with no message to continue (RFC 6455 5.4)")]
    UnexpectedContinuation,
    /// Section 5.4: the fragments of two messages must not be interleaved.
    #[error("new message before the last one was finished (RFC 6455 5.4)")]
    ExpectedContinuation,
    /// Section 5.5.1: a Close payload is empty or begins with a 2-byte code.
    #[error("Close frame with a payload of one byte (RFC 6455 5.5.1)")]
    ClosePayloadTooShort,
    /// Section 7.4: codes that must not be sent.
    #[error("Close frame with the code {0}, which must not be sent (RFC 6455 7.4)")]
    InvalidCloseCode(u16),
    /// Section 5.5.1: a close reason is UTF-8.
    #[error("close reason that is not UTF-8 (RFC 6455 5.5.1)")]
    CloseReasonNotUtf8,
    /// Section 8.1: text is UTF-8; checked under `limits.validate_utf8`.
    #[error("text message that is not UTF-8 (RFC 6455 8.1)")]
    TextNotUtf8,
    /// Longer than `limits.max_frame`.
    #[error("frame of {0} bytes is over limits.max_frame")]
    FrameTooBig(u64),
    /// Longer than `limits.max_message`.
    #[error("message of at least {0} bytes is over limits.max_message")]
    MessageTooBig(u64),
}

impl Violation {
    /// The close code for the peer that did it (RFC 6455 section 7.4.1).
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Violation::FrameTooBig(_) | Violation::MessageTooBig(_) => 1009,
            Violation::TextNotUtf8 | Violation::CloseReasonNotUtf8 => 1007,
            _ => 1002,
        }
    }

    /// Whether it is a limit of ours that was exceeded, rather than a rule of the protocol.
    #[must_use]
    pub fn is_too_big(self) -> bool {
        matches!(
            self,
            Violation::FrameTooBig(_) | Violation::MessageTooBig(_)
        )
    }
}
