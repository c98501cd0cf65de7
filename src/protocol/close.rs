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
mod tests;
