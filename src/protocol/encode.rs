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
mod tests;
