//! Looking into a small message: unmasked, and inflated where that needs no context (RFC 7692 section 7.2.2).

use std::cell::RefCell;

use miniz_oxide::inflate::decompress_slice_iter_to_slice;

use crate::protocol::apply_mask;

/// What a compressor leaves off at the end of each message.
const TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];
/// An empty last block, so that the inflater knows where the message ends.
const LAST_BLOCK: &[u8] = &[0x01, 0x00, 0x00, 0xff, 0xff];

thread_local! {
    /// Nothing stays in these between two messages, so all connections of a thread share them.
    static PLAIN: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// A message as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Small<'a> {
    pub(super) payload: &'a [u8],
    pub(super) compressed: bool,
    pub(super) mask: Option<[u8; 4]>,
}

/// Calls `look` with the plain payload; none when it is no deflate or becomes longer than `max` bytes.
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
        inflated.resize(max, 0);
        let pieces = [plain.as_slice(), TAIL, LAST_BLOCK];
        let len = decompress_slice_iter_to_slice(inflated, pieces.into_iter(), false, true).ok()?;
        Some(look(&inflated[..len]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(
        payload: &[u8],
        compressed: bool,
        mask: Option<[u8; 4]>,
        max: usize,
    ) -> Option<Vec<u8>> {
        with_plain(
            &Small {
                payload,
                compressed,
                mask,
            },
            max,
            <[u8]>::to_vec,
        )
    }

    #[test]
    fn masks_come_off() {
        let mut masked = *b"Hello";
        apply_mask(&mut masked, [1, 2, 3, 4], 0);
        assert_eq!(
            plain(&masked, false, Some([1, 2, 3, 4]), 1024).unwrap(),
            b"Hello"
        );
        assert_eq!(plain(b"Hello", false, None, 1024).unwrap(), b"Hello");
    }

    #[test]
    fn rfc_7692_section_7_2_3_examples() {
        assert_eq!(
            plain(
                &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
                true,
                None,
                1024
            )
            .unwrap(),
            b"Hello"
        );
        let stored = [
            0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
        ];
        assert_eq!(plain(&stored, true, None, 1024).unwrap(), b"Hello");
        let with_last_block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(plain(&with_last_block, true, None, 1024).unwrap(), b"Hello");
        let two_blocks = [
            0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
        ];
        assert_eq!(plain(&two_blocks, true, None, 1024).unwrap(), b"Hello");
    }

    #[test]
    fn a_bomb_garbage_and_a_lost_context_are_no_messages() {
        let bomb = miniz_oxide::deflate::compress_to_vec(&[0; 100_000], 9);
        assert!(bomb.len() < 1024);
        assert_eq!(plain(&bomb, true, None, 1024), None);
        assert_eq!(plain(&[0xff; 20], true, None, 1024), None);
        // The second "Hello" of section 7.2.3.2 refers to the first one, which is not there.
        assert_eq!(
            plain(&[0xf2, 0x00, 0x11, 0x00, 0x00], true, None, 1024),
            None
        );
    }
}
