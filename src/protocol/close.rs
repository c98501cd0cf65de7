//! The payload of a Close frame (RFC 6455 sections 5.5.1 and 7.4).

use std::fmt;

use super::Violation;

/// The most bytes that a close reason may have: 125 of a control frame less 2 of the code.
pub const MAX_CLOSE_REASON: usize = 123;

/// What a Close frame says: a code with a reason, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Close {
    code: Option<u16>,
    reason: Box<str>,
}

impl Close {
    /// A Close frame with a code and a reason. A reason of more than 123 bytes is cut at a character's boundary.
    #[must_use]
    pub fn new(code: u16, reason: &str) -> Self {
        let mut end = reason.len().min(MAX_CLOSE_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        Close {
            code: Some(code),
            reason: reason[..end].into(),
        }
    }

    /// Reads an unmasked Close payload.
    ///
    /// # Errors
    /// One byte only, a code that must not be on the wire, or a reason that is not UTF-8.
    pub fn parse(payload: &[u8]) -> Result<Self, Violation> {
        let (code, reason) = match payload {
            [] => return Ok(Close::default()),
            [_] => return Err(Violation::ClosePayloadTooShort),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        if !is_sendable_code(code) {
            return Err(Violation::InvalidCloseCode(code));
        }
        let reason = std::str::from_utf8(reason).map_err(|_| Violation::CloseReasonNotUtf8)?;
        Ok(Close {
            code: Some(code),
            reason: reason.into(),
        })
    }

    /// The code; none for an empty Close frame, which APIs show as 1005.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        self.code
    }

    /// The reason; empty when there is none.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Appends the payload's bytes.
    pub fn write_payload(&self, out: &mut Vec<u8>) {
        if let Some(code) = self.code {
            out.extend_from_slice(&code.to_be_bytes());
            out.extend_from_slice(self.reason.as_bytes());
        }
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            None => f.write_str("no code"),
            Some(code) if self.reason.is_empty() => write!(f, "{code}"),
            Some(code) => write!(f, "{code} {}", self.reason),
        }
    }
}

/// Whether an endpoint may put this code into a Close frame (section 7.4.2 and the IANA registry):
/// never 1004, 1005, 1006 or 1015.
#[must_use]
pub fn is_sendable_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_5_5_1_payload_is_empty_or_code_and_reason() {
        assert_eq!(Close::parse(b""), Ok(Close::default()));
        assert_eq!(Close::parse(&[3]), Err(Violation::ClosePayloadTooShort));
        assert_eq!(Close::parse(b"\x03\xe8bye"), Ok(Close::new(1000, "bye")));
        assert_eq!(
            Close::parse(b"\x03\xe8\xff"),
            Err(Violation::CloseReasonNotUtf8)
        );
    }

    #[test]
    fn section_7_4_2_codes_that_never_go_on_the_wire() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert_eq!(
                Close::parse(&code.to_be_bytes()),
                Err(Violation::InvalidCloseCode(code))
            );
        }
        for code in [
            1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999,
        ] {
            assert!(Close::parse(&code.to_be_bytes()).is_ok(), "{code}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let close = Close::new(1000, &"é".repeat(100));
        assert_eq!(close.reason().len(), 122);
        let mut payload = Vec::new();
        close.write_payload(&mut payload);
        assert_eq!(Close::parse(&payload), Ok(close));
    }
}
