use super::*;
use crate::protocol::{Control, Data};

#[test]
fn section_5_7_examples() {
    let mut out = Vec::new();
    encode_frame(&mut out, OpCode::Data(Data::Text), b"Hello", None);
    assert_eq!(out, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);

    out.clear();
    encode_frame(
        &mut out,
        OpCode::Data(Data::Text),
        b"Hello",
        Some([0x37, 0xfa, 0x21, 0x3d]),
    );
    assert_eq!(
        out,
        [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58
        ]
    );

    out.clear();
    encode_frame(&mut out, OpCode::Control(Control::Ping), b"Hello", None);
    assert_eq!(out, [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);

    out.clear();
    encode_frame(&mut out, OpCode::Data(Data::Binary), &[0; 256], None);
    assert_eq!(out[..4], [0x82, 0x7e, 0x01, 0x00]);
}

#[test]
fn masking_continues_at_an_offset() {
    let key = [1, 2, 3, 4];
    let mut whole = *b"abcdefgh";
    apply_mask(&mut whole, key, 0);
    let mut parts = *b"abcdefgh";
    let (head, tail) = parts.split_at_mut(3);
    apply_mask(head, key, 0);
    apply_mask(tail, key, 3);
    assert_eq!(whole, parts);
}
