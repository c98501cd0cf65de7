//! UTF-8 of a text message, checked as its bytes stream by (RFC 6455 section 8.1).

use std::str;

/// Checks a text piece by piece; keeps only the bytes of a character that is not whole yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8Validator {
    partial: [u8; 4],
    len: u8,
}

/// The text is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl Utf8Validator {
    /// Checks the next piece of the text.
    ///
    /// # Errors
    /// Bytes that no continuation can make UTF-8.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), NotUtf8> {
        while self.len > 0 {
            let Some((first, rest)) = bytes.split_first() else {
                return Ok(());
            };
            self.partial[usize::from(self.len)] = *first;
            self.len += 1;
            bytes = rest;
            match str::from_utf8(&self.partial[..usize::from(self.len)]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_some() => return Err(NotUtf8),
                Err(_) => {}
            }
        }
        if let Err(error) = str::from_utf8(bytes) {
            if error.error_len().is_some() {
                return Err(NotUtf8);
            }
            let tail = &bytes[error.valid_up_to()..];
            self.partial[..tail.len()].copy_from_slice(tail);
            // A tail that may still become a character has at most 3 bytes.
            self.len = tail.len() as u8;
        }
        Ok(())
    }

    /// Ends the text, and is ready for the next one.
    ///
    /// # Errors
    /// The last character is not whole.
    pub fn finish(&mut self) -> Result<(), NotUtf8> {
        match std::mem::take(&mut self.len) {
            0 => Ok(()),
            _ => Err(NotUtf8),
        }
    }
}

#[cfg(test)]
mod tests;
