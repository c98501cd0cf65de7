//! Looking into a small message: unmasked, and inflated.

use std::cell::RefCell;

use crate::protocol::{apply_mask, inflate_message};

thread_local! {
    /// Nothing of a message is read after it, so all connections of a thread share these.
    static PLAIN: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// A message as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Small<'a> {
    pub(super) payload: &'a [u8],
    pub(super) compressed: bool,
    pub(super) mask: Option<[u8; 4]>,
}

/// Calls `look` with the plain payload; none when it cannot be inflated on its own to at most `max` bytes.
pub(super) fn with_plain<R>(
    small: &Small<'_>,
    max: usize,
    look: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    PLAIN.with_borrow_mut(|(plain, inflated)| {
        plain.clear();
        plain.extend_from_slice(small.payload);
        if let Some(key) = small.mask {
            apply_mask(plain, key, 0);
        }
        if !small.compressed {
            return Some(look(plain));
        }
        inflate_message(plain, max, inflated).map(look)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(payload: &[u8], compressed: bool, mask: Option<[u8; 4]>) -> Option<Vec<u8>> {
        let small = Small {
            payload,
            compressed,
            mask,
        };
        with_plain(&small, 1024, <[u8]>::to_vec)
    }

    #[test]
    fn masks_come_off_before_anything_is_inflated() {
        let key = Some([1, 2, 3, 4]);
        let compressed = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        for (message, is_compressed) in [(&b"Hello"[..], false), (&compressed, true)] {
            let mut masked = message.to_vec();
            apply_mask(&mut masked, [1, 2, 3, 4], 0);
            assert_eq!(plain(&masked, is_compressed, key).unwrap(), b"Hello");
            assert_eq!(plain(message, is_compressed, None).unwrap(), b"Hello");
        }
    }

    #[test]
    fn one_message_does_not_see_another() {
        assert_eq!(
            plain(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], true, None).unwrap(),
            b"Hello"
        );
        // RFC 7692 section 7.2.3.2: the same again, by reference.
        assert_eq!(plain(&[0xf2, 0x00, 0x11, 0x00, 0x00], true, None), None);
    }
}
