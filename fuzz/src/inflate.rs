//! The payload of a compressed message, against zlib: two bytes of bound, one of which way, and the payload, or what is
//! to be compressed.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use sidebeat::protocol::{Inflater, MAX_DEFLATE_BLOCKS};

const TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];
const LAST_BLOCK: &[u8] = &[0x01, 0x00, 0x00, 0xff, 0xff];

/// Reads all of it, as far as there is room; none: it is no deflate, or too long.
fn push(zlib: &mut Decompress, input: &[u8], out: &mut Vec<u8>) -> Option<(bool, usize)> {
    let before = zlib.total_in();
    loop {
        let read = (zlib.total_in() - before) as usize;
        let (in_before, out_before) = (zlib.total_in(), out.len());
        let status = zlib
            .decompress_vec(&input[read..], out, FlushDecompress::Sync)
            .ok()?;
        let read = (zlib.total_in() - before) as usize;
        match status {
            Status::StreamEnd => return Some((true, read)),
            _ if out.len() == out.capacity() => return None,
            _ if read == input.len() => return Some((false, read)),
            _ => assert!(
                zlib.total_in() > in_before || out.len() > out_before,
                "stuck"
            ),
        }
    }
}

/// What RFC 7692 section 7.2.2 makes of it, with the rules that `Inflater` documents.
fn expected(payload: &[u8], max: usize) -> Option<Vec<u8>> {
    let mut zlib = Decompress::new(false);
    let mut out = Vec::with_capacity(max + 64);
    let mut ends = false;
    for piece in [payload, TAIL] {
        let (ended, read) = push(&mut zlib, piece, &mut out)?;
        let rest = &piece[read..];
        if ended && !(rest.is_empty() || (piece == payload && rest == [0x00])) {
            return None;
        }
        if ended {
            ends = true;
            break;
        }
    }
    let len = out.len();
    if !ends && push(&mut zlib, LAST_BLOCK, &mut out)? != (true, LAST_BLOCK.len()) {
        return None;
    }
    (out.len() == len && len <= max).then_some(out)
}

/// Whether what becomes at most `max` bytes has more blocks before its last one than are looked at.
fn has_too_many_blocks(payload: &[u8], max: usize) -> bool {
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
        | inflate_flags::TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
    let (mut inflater, mut out) = (DecompressorOxide::new(), vec![0; max + 1]);
    let (mut rest, mut len, mut blocks) = (payload, 0, 0);
    loop {
        let (status, read, written) = decompress(&mut inflater, rest, &mut out, len, flags);
        (rest, len) = (&rest[read..], len + written);
        if status != TINFLStatus::BlockBoundary {
            return blocks > MAX_DEFLATE_BLOCKS;
        }
        blocks += 1;
    }
}

fn compressed(plain: &[u8], level: u8) -> Vec<u8> {
    let mut zlib = Compress::new(Compression::new(u32::from(level % 10)), false);
    let mut out = Vec::with_capacity(plain.len() * 2 + 1024);
    zlib.compress_vec(plain, &mut out, FlushCompress::Sync)
        .expect("zlib compresses anything");
    assert_eq!(zlib.total_in() as usize, plain.len());
    out.truncate(out.len() - TAIL.len());
    out
}

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let [low, high, way, rest @ ..] = input else {
        return;
    };
    let max = usize::from(u16::from_le_bytes([*low, *high])) % (16 * 1024 + 1);
    let payload = if *way >= 0x80 {
        compressed(rest, *way)
    } else {
        rest.to_vec()
    };
    let expected = expected(&payload, max);
    let expected = expected.filter(|_| !has_too_many_blocks(&payload, max));
    if *way >= 0x80 && rest.len() <= max {
        assert_eq!(expected.as_deref(), Some(rest));
    }
    let mut inflater = Inflater::default();
    for before in [&[][..], &[0xff; 9], &payload] {
        let _ = inflater.inflate(before, max / 2);
        assert_eq!(inflater.inflate(&payload, max), expected.as_deref());
    }
}
