//! Writing the frames that the sidecar itself sends, and masking.

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

use super::OpCode;

/// Appends one unfragmented frame; `mask` is required towards a server and forbidden towards a client
/// (RFC 6455 section 5.1).
pub fn encode_frame(out: &mut Vec<u8>, opcode: OpCode, payload: &[u8], mask: Option<[u8; 4]>) {
    let header = FrameHeader {
        is_final: true,
        opcode,
        mask,
        ..FrameHeader::default()
    };
    out.reserve(header.len(payload.len() as u64) + payload.len());
    // Writing to a Vec cannot fail; the Result is there for sockets.
    let _ = header.format(payload.len() as u64, out);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = mask {
        apply_mask(&mut out[start..], key, 0);
    }
}

/// Masks or unmasks in place (RFC 6455 section 5.3); `offset` is the position of `bytes` in the frame's payload.
pub fn apply_mask(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte ^= key[(offset + index) % 4];
    }
}

#[cfg(test)]
mod tests {
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
}
