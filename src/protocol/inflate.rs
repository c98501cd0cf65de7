//! One compressed message on its own (RFC 7692 section 7.2.2): no context from those before it, and a bound on what it
//! may become.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// The most blocks before the last one that a message may have. Any compressor makes one or two of a message this small;
/// a block of a dozen bytes that is nothing but a code costs a few microseconds, so that 16 KiB of them would take ten
/// milliseconds.
pub const MAX_DEFLATE_BLOCKS: usize = 8;

/// What a compressor leaves off at the end of each message (section 7.2.1).
const TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];
const FLAGS: u32 = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
    | inflate_flags::TINFL_FLAG_IGNORE_ADLER32
    | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT
    | inflate_flags::TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;

/// What inflating costs, about, in nanoseconds: a block whose code has to be built, and a byte that is written.
const BLOCK_COST: u32 = 10_000;
const BYTE_COST: u32 = 3;

/// Inflates one message after the other, none of which sees anything of those before it.
#[derive(Default)]
pub struct Inflater {
    /// 10 KiB, which are not worth making anew for each message.
    state: Option<Box<DecompressorOxide>>,
    plain: Vec<u8>,
    /// Of the newest message.
    blocks: usize,
    written: usize,
}

impl Inflater {
    /// Inflates the payload of a message; the at most `max` bytes that it becomes.
    ///
    /// None: it is no deflate, it is cut off inside a block, it refers to what came before it (section 7.1.1.2), it has
    /// more behind a last block than the padding of section 7.2.3.4, it becomes longer, or it has more than
    /// [`MAX_DEFLATE_BLOCKS`]. So the work is bounded.
    pub fn inflate(&mut self, payload: &[u8], max: usize) -> Option<&[u8]> {
        // The inflater calls a buffer full before it has seen that nothing more comes.
        self.plain.resize(max + 1, 0);
        (self.blocks, self.written) = (0, 0);
        let is_whole = self.decompress(payload) && self.written <= max;
        is_whole.then(|| &self.plain[..self.written])
    }

    /// What the newest message cost, about, in nanoseconds; whether or not it could be inflated.
    #[must_use]
    pub fn cost(&self) -> u32 {
        let blocks = u32::try_from(self.blocks + 1).unwrap_or(u32::MAX);
        let written = u32::try_from(self.written).unwrap_or(u32::MAX);
        blocks
            .saturating_mul(BLOCK_COST)
            .saturating_add(written.saturating_mul(BYTE_COST))
    }

    /// Whether `payload` is a whole message, which has been written.
    fn decompress(&mut self, payload: &[u8]) -> bool {
        let state = self.state.get_or_insert_default();
        state.init();
        let (mut rest, mut in_tail) = (payload, false);
        loop {
            let (status, read, written) =
                decompress(state, rest, &mut self.plain, self.written, FLAGS);
            rest = &rest[read..];
            self.written += written;
            match status {
                TINFLStatus::Done if rest.is_empty() || (!in_tail && rest == [0x00]) => {
                    return true;
                }
                TINFLStatus::BlockBoundary if in_tail && rest.is_empty() => return true,
                TINFLStatus::BlockBoundary if self.blocks < MAX_DEFLATE_BLOCKS => self.blocks += 1,
                TINFLStatus::NeedsMoreInput if !in_tail => (rest, in_tail) = (TAIL, true),
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests;
