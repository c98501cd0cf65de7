use super::*;
use miniz_oxide::deflate::{compress_to_vec, core as deflate};
use proptest::prelude::*;

/// Whatever was inflated or given up before, the result is the same.
fn inflated(payload: &[u8], max: usize) -> Option<Vec<u8>> {
    let before = [
        &[][..],
        &[0xff; 40],
        &code_after_code(3),
        &[0xf2, 0x48, 0xcd],
    ];
    let mut results = before.map(|before| {
        let mut inflater = Inflater {
            plain: vec![0xee; max / 2],
            ..Inflater::default()
        };
        let _ = inflater.inflate(before, max + 7);
        inflater.inflate(payload, max).map(<[u8]>::to_vec)
    });
    let first = results[0].take();
    assert!(results[1..].iter().all(|result| *result == first));
    first
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
fn a_bomb_stops_at_the_bound() {
    let zeros = deflated(&[0; 1 << 20], 9);
    assert!(zeros.len() < 2048);
    assert_eq!(inflated(&zeros, 16 * 1024), None);
}

#[test]
fn blocks_are_counted() {
    let stored = |count| [&[0x00, 0x00, 0x00, 0xff, 0xff].repeat(count)[..], &[0x00]].concat();
    assert_eq!(inflated(&stored(MAX_DEFLATE_BLOCKS), 16).unwrap(), b"");
    assert_eq!(inflated(&stored(MAX_DEFLATE_BLOCKS + 1), 16), None);
    // A hundred blocks of 90 bits, each a new code and nothing written in it.
    assert_eq!(inflated(&code_after_code(100), 16), None);
    assert_eq!(
        inflated(&code_after_code(MAX_DEFLATE_BLOCKS), 16).unwrap(),
        b""
    );
}

/// Blocks of a code that has an end of block alone (RFC 1951 section 3.2.7), and their end.
fn code_after_code(count: usize) -> Vec<u8> {
    let mut block: Vec<(u8, u32)> = vec![(0, 1), (2, 2), (0, 5), (0, 5), (14, 4)];
    // The code lengths of 16, 17, 18, 0, 8, …, 14, 1: those of 18 and 1 are 1.
    block.extend((0..18).map(|at| (u8::from(at == 2 || at == 17), 3)));
    // 138 and 118 zeros, a one for the end of block and a zero for distances; then the end of block.
    block.extend([(1, 1), (127, 7), (1, 1), (107, 7), (0, 1), (0, 1), (0, 1)]);
    let bits: Vec<u8> = block
        .iter()
        .flat_map(|(value, len)| (0..*len).map(move |bit| value >> bit & 1))
        .collect();
    let mut bits = bits.repeat(count);
    bits.extend([0; 3]);
    bits.chunks(8)
        .map(|byte| byte.iter().rev().fold(0, |value, bit| value << 1 | bit))
        .collect()
}

#[test]
fn what_costs_much_is_said_to_cost_much() {
    let mut inflater = Inflater::default();
    let mut cost = |payload: &[u8], max| {
        let _ = inflater.inflate(payload, max);
        inflater.cost()
    };
    let hello = cost(&deflated(b"Hello", 6), 1024);
    assert!(hello <= 2 * BLOCK_COST + 5 * BYTE_COST, "{hello}");
    let bomb = deflated(&[b' '; 1 << 16], 9);
    assert!(cost(&bomb, 16 << 10) > BYTE_COST * (16 << 10));
    assert!(cost(&code_after_code(8), 16) > 8 * BLOCK_COST);
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
