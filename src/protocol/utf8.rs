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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pieces: &[&[u8]]) -> bool {
        let mut validator = Utf8Validator::default();
        pieces.iter().all(|piece| validator.push(piece).is_ok()) && validator.finish().is_ok()
    }

    #[test]
    fn section_8_1_by_example() {
        assert!(check(&["κόσμε 🎉".as_bytes()]));
        assert!(!check(&[b"\xc0\x80"]), "overlong");
        assert!(!check(&[b"\xed\xa0\x80"]), "surrogate");
        assert!(!check(&[b"\xf4\x90\x80\x80"]), "over U+10FFFF");
        assert!(!check(&[b"ab\xe2\x82"]), "cut off");
    }

    #[test]
    fn a_bad_byte_is_told_as_early_as_it_is_certain() {
        let mut validator = Utf8Validator::default();
        assert_eq!(validator.push(b"\xf4"), Ok(()));
        assert_eq!(validator.push(b"\x90"), Err(NotUtf8));
    }

    proptest! {
        #[test]
        fn agrees_with_std_however_it_is_cut(text in prop::collection::vec(any::<u8>(), 0..24), cut in 0usize..24, second in 0usize..24) {
            let (low, high) = (cut.min(second).min(text.len()), cut.max(second).min(text.len()));
            prop_assert_eq!(check(&[&text[..low], &text[low..high], &text[high..]]), str::from_utf8(&text).is_ok());
        }

        #[test]
        fn accepts_every_text_however_it_is_cut(text in "\\PC{0,12}", cut in 0usize..48) {
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            prop_assert!(check(&[&bytes[..cut], &bytes[cut..]]));
        }
    }
}
