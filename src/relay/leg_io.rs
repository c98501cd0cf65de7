//! One leg of a relay: its socket, the state of its incoming frames, and its outbox.

use std::io;
use std::pin::Pin;
use std::task::Context;

use super::inspect::Allowance;
use super::outbox::Outbox;
use crate::net::stream::Transport;
use crate::protocol::{Boundary, FrameReader, Role};
use crate::time::Time;

/// How many bytes are read at once, at most: what one segment takes on loopback, whose MTU is 64 KiB. A little more
/// makes two segments of it: with 64 KiB a message of 1 MiB costs twice the CPU, and with 256 KiB a third more.
pub const READ: usize = 63 * 1024;

/// The budget for one leg's input in one poll, in estimated nanoseconds, before other connections have their turn.
/// Reading and writing 8 × 63 KiB of long frames stays below it.
pub(crate) const TURN: u32 = 200_000;
/// The least that is read at once.
const MIN_READ: usize = 1024;

/// How bytes from a leg are interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Frames,
    /// After a Close frame only the end of the stream matters.
    Closed,
    /// After a violation likewise; such a peer cannot be trusted to end it.
    Broken,
}

pub(crate) struct LegIo<S> {
    /// None once it is dropped.
    pub(crate) io: Option<S>,
    pub(crate) reader: FrameReader,
    /// The rest of the last read: an incomplete frame, or all that the turn was too short for.
    pub(crate) held: Vec<u8>,
    /// `held` contains whole frames, which are processed before anything else is read.
    pub(crate) unfinished: bool,
    /// How much is read at once: less if the last read was too much for one turn.
    pub(crate) read_size: usize,
    /// What is left of [`TURN`] in this poll.
    pub(crate) turn: u32,
    /// The budget for inspecting messages.
    pub(crate) inspections: Allowance,
    pub(crate) out: Outbox,
    /// At which boundary of the other leg's frames the bytes end that were forwarded to this one.
    pub(crate) boundary: Boundary,
    pub(crate) reading: Reading,
    /// Not read, because the other leg is blocked; reported to the session.
    pub(crate) paused: bool,
    /// The socket accepts no bytes; reported to the session.
    pub(crate) blocked_reported: bool,
    /// Why writing failed; reported once there is nothing more to read.
    pub(crate) write_error: Option<io::Error>,
    /// Our side of the TCP connection is to be shut down.
    shutting_down: bool,
}

impl<S: Transport> LegIo<S> {
    pub(crate) fn new(io: S, sender: Role, now: Time) -> Self {
        LegIo {
            io: Some(io),
            reader: FrameReader::new(sender),
            held: Vec::new(),
            unfinished: false,
            read_size: READ,
            turn: TURN,
            inspections: Allowance::new(now),
            out: Outbox::default(),
            boundary: Boundary::Message,
            reading: Reading::Frames,
            paused: false,
            blocked_reported: false,
            write_error: None,
            shutting_down: false,
        }
    }

    /// Shrinks reads that are too much for one turn, of which `done` bytes were processed, and grows them again.
    pub(crate) fn adapt_read_size(&mut self, done: usize) {
        self.read_size = if self.unfinished {
            done.clamp(MIN_READ, READ)
        } else {
            READ.min(self.read_size * 2)
        };
    }

    /// Shuts our side of the TCP connection down as soon as the outbox is empty.
    pub(crate) fn shut_down(&mut self) {
        self.shutting_down = true;
    }

    /// Whether there is nothing to write and nothing to end.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        !self.out.has_pending() && !self.out.is_blocked() && !self.shutting_down
    }

    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) {
        if let (Some(io), true) = (&mut self.io, self.shutting_down) {
            // Whether it succeeds or fails, the next thing to wait for is the peer's end of stream.
            self.shutting_down = Pin::new(io).poll_shutdown(cx).is_pending();
        }
    }

    pub(crate) fn drop_io(&mut self) {
        self.io = None;
        self.held = Vec::new();
        self.unfinished = false;
        self.out.discard();
    }

    pub(crate) fn reset(&mut self) {
        if let Some(io) = &self.io {
            io.reset_on_drop();
        }
        self.drop_io();
    }
}
