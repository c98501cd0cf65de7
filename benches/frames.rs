//! Frame reading: what is paid per frame, and what a large payload costs (nothing).

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use sidebeat::protocol::{Data, FrameReader, OpCode, Role, Rules, Step, encode_frame};
use sidebeat::relay::READ;

const RULES: Rules = Rules {
    max_frame: 16 << 20,
    max_message: 64 << 20,
    deflate: false,
    validate_utf8: false,
    whole: 0,
};

fn main() {
    divan::main();
}

/// As many masked text frames as fit into one read.
fn frames(payload: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_frame(
        &mut frame,
        OpCode::Data(Data::Text),
        &vec![b'a'; payload],
        Some([1, 2, 3, 4]),
    );
    frame.repeat(READ / frame.len())
}

/// Reads a whole number of frames; how many bytes of payload they had.
fn read_all(reader: &mut FrameReader, mut bytes: &[u8], rules: &Rules) -> usize {
    let mut total = 0;
    while let Ok(Step::Data { len, payload, .. }) = reader.next(bytes, rules) {
        total += payload;
        bytes = &bytes[len..];
    }
    total
}

#[divan::bench(args = [2, 128, 1024])]
fn small_frames(bencher: Bencher, payload: usize) {
    let bytes = frames(payload);
    let frame = payload + if payload < 126 { 6 } else { 8 };
    let mut reader = FrameReader::new(Role::Client);
    bencher
        .counter(ItemsCount::new(bytes.len() / frame))
        .bench_local(|| read_all(&mut reader, black_box(&bytes), &RULES));
}

#[divan::bench]
fn small_frames_with_validate_utf8(bencher: Bencher) {
    let bytes = frames(128);
    let rules = Rules {
        validate_utf8: true,
        ..RULES
    };
    let mut reader = FrameReader::new(Role::Client);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| read_all(&mut reader, black_box(&bytes), &rules));
}

/// One frame of 1 MiB in the pieces in which it is read.
#[divan::bench]
fn a_large_frame(bencher: Bencher) {
    let mut bytes = Vec::new();
    encode_frame(
        &mut bytes,
        OpCode::Data(Data::Binary),
        &vec![7; 1 << 20],
        Some([1, 2, 3, 4]),
    );
    let mut reader = FrameReader::new(Role::Client);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| {
            black_box(&bytes)
                .chunks(READ)
                .map(|piece| read_all(&mut reader, piece, &RULES))
                .sum::<usize>()
        });
}
