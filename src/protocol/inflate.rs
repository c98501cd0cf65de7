//! One compressed message on its own (RFC 7692 section 7.2.2): no context from those before it, and a bound on what it
//! may become.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// What a compressor leaves off at the end of each message (section 7.2.1).
const TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];
/// An empty last block: taken as such only where the message ended between two blocks.
const LAST_BLOCK: &[u8] = &[0x01, 0x00, 0x00, 0xff, 0xff];
const FLAGS: u32 = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
    | inflate_flags::TINFL_FLAG_IGNORE_ADLER32
    | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;

/// Inflates the payload of a message into `buffer`; the at most `max` bytes that it becomes.
///
/// None: it is no deflate, it is cut off inside a block, it refers to what came before it (section 7.1.1.2), it has more
/// behind a last block than the padding of section 7.2.3.4, or it becomes longer. The work is bounded by the length of
/// `payload` and `max`; what `buffer` held before is never read.
#[must_use]
pub fn inflate_message<'b>(
    payload: &[u8],
    max: usize,
    buffer: &'b mut Vec<u8>,
) -> Option<&'b [u8]> {
    // The inflater calls a buffer full before it has seen that nothing more comes.
    buffer.resize(max + 1, 0);
    let len = inflate(payload, buffer).filter(|len| *len <= max)?;
    Some(&buffer[..len])
}

fn inflate(payload: &[u8], plain: &mut [u8]) -> Option<usize> {
    let mut inflater = DecompressorOxide::new();
    let (status, read, len) = decompress(&mut inflater, payload, plain, 0, FLAGS);
    match status {
        TINFLStatus::Done if matches!(payload[read..], [] | [0x00]) => return Some(len),
        TINFLStatus::NeedsMoreInput => {}
        _ => return None,
    }
    let (status, read, more) = decompress(&mut inflater, TAIL, plain, len, FLAGS);
    let len = len + more;
    match status {
        TINFLStatus::Done if read == TAIL.len() => return Some(len),
        TINFLStatus::NeedsMoreInput => {}
        _ => return None,
    }
    let end = decompress(&mut inflater, LAST_BLOCK, plain, len, FLAGS);
    (end == (TINFLStatus::Done, LAST_BLOCK.len(), 0)).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::{compress_to_vec, core as deflate};
    use proptest::prelude::*;

    /// Whatever the buffer held before, the result is the same.
    fn inflated(payload: &[u8], max: usize) -> Option<Vec<u8>> {
        let [zeros, ones] = [0x00, 0xff].map(|filler| {
            let mut buffer = vec![filler; max + 1];
            inflate_message(payload, max, &mut buffer).map(<[u8]>::to_vec)
        });
        assert_eq!(zeros, ones);
        zeros
    }

    /// As section 7.2.1 has it: flushed to a byte boundary, and the tail taken off.
    fn deflated(plain: &[u8], level: u8) -> Vec<u8> {
        let flags = deflate::create_comp_flags_from_zip_params(level.into(), -15, 0);
        let mut compressor = deflate::CompressorOxide::new(flags);
        let mut payload = vec![0; plain.len() * 2 + 100];
        let (status, read, wrote) = deflate::compress(
            &mut compressor,
            plain,
            &mut payload,
            deflate::TDEFLFlush::Sync,
        );
        assert_eq!((status, read), (deflate::TDEFLStatus::Okay, plain.len()));
        payload.truncate(wrote);
        assert!(payload.ends_with(TAIL));
        payload.truncate(wrote - TAIL.len());
        payload
    }

    #[test]
    fn section_7_2_3_examples() {
        for payload in [
            // 7.2.3.1: one block, and in two fragments.
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            // 7.2.3.3: stored.
            &[
                0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
            ],
            // 7.2.3.4: a last block.
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            // 7.2.3.5: two blocks.
            &[
                0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
            ],
        ] {
            assert_eq!(inflated(payload, 1024).unwrap(), b"Hello", "{payload:x?}");
        }
        // 7.2.3.6: an empty message.
        assert_eq!(inflated(&[0x00], 1024).unwrap(), b"");
        assert_eq!(inflated(&[0x00], 0).unwrap(), b"");
        assert_eq!(inflated(&[0x01], 0).unwrap(), b"");
    }

    #[test]
    fn what_fits_exactly_fits() {
        assert_eq!(inflated(&deflated(b"Hello", 6), 5).unwrap(), b"Hello");
        assert_eq!(inflated(&deflated(b"Hello", 6), 4), None);
    }

    #[test]
    fn a_lost_context_is_seen() {
        // 7.2.3.2: the second "Hello" refers to the first one.
        assert_eq!(inflated(&[0xf2, 0x00, 0x11, 0x00, 0x00], 1024), None);
    }

    #[test]
    fn bombs_of_every_kind_stop_at_the_bound() {
        let zeros = deflated(&[0; 1 << 20], 9);
        assert!(zeros.len() < 2048);
        assert_eq!(inflated(&zeros, 16 * 1024), None);
        let empty_blocks = [&[0x00, 0x00, 0x00, 0xff, 0xff].repeat(3000)[..], &[0x00]].concat();
        assert_eq!(inflated(&empty_blocks, 16).unwrap(), b"");
        // Each a fixed block of ten bits: 0, 10, 0000000.
        let empty_fixed_blocks = [0x02, 0x08, 0x20, 0x80, 0x00].repeat(3000);
        assert!(inflated(&empty_fixed_blocks, 16).is_none_or(|plain| plain.is_empty()));
    }

    #[test]
    fn garbage_and_what_is_cut_off_are_no_messages() {
        assert_eq!(inflated(&[], 1024), None);
        assert_eq!(inflated(&[0xff; 20], 1024), None);
        let hello = deflated(b"Hello, hello, hello", 9);
        for end in 0..hello.len() - 1 {
            assert_eq!(inflated(&hello[..end], 1024), None, "{end}");
        }
        // A stored block that reaches beyond the message: the tail would be taken for its text.
        for missing in 5..30 {
            let stored = [0x00, missing, 0x00, !missing, 0xff];
            assert_eq!(inflated(&stored, 1024), None, "{missing}");
        }
    }

    #[test]
    fn nothing_hides_behind_a_last_block() {
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        for behind in [&[0x01][..], &[0x00, 0x00], &last] {
            assert_eq!(inflated(&[&last[..], behind].concat(), 1024), None);
        }
    }

    proptest! {
        #[test]
        fn what_was_deflated_is_inflated_if_it_fits(
            plain in prop::collection::vec(prop_oneof![Just(b'a'), any::<u8>()], 0..2000),
            level in 0_u8..10,
            max in 0_usize..2500,
        ) {
            let expected = (plain.len() <= max).then(|| plain.clone());
            prop_assert_eq!(inflated(&deflated(&plain, level), max), expected.clone());
            prop_assert_eq!(inflated(&compress_to_vec(&plain, level), max), expected);
        }

        #[test]
        fn bytes_of_any_kind_stay_within_the_bound(payload in prop::collection::vec(any::<u8>(), 0..200), max in 0_usize..300) {
            prop_assert!(inflated(&payload, max).is_none_or(|plain| plain.len() <= max));
        }
    }
}
