//! One leg of a relay: its socket, what is known of its incoming frames, and what has to go out on it.

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
pub(crate) const READ: usize = 63 * 1024;

/// What may be done in one poll with what comes from a leg, about in nanoseconds, before other connections have their
/// turn. Reading and writing 8 × 63 KiB of long frames stays below it.
pub(crate) const TURN: u32 = 200_000;
/// The least that is read at once.
const MIN_READ: usize = 1024;

/// What the bytes that come from a leg are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Frames,
    /// After a Close frame only the end of the stream matters.
    Closed,
    /// After a violation likewise; such a peer cannot be trusted to end it.
    Broken,
}

pub(crate) struct LegIo<S> {
    /// None: dropped.
    pub(crate) io: Option<S>,
    pub(crate) reader: FrameReader,
    /// What is left of the last read: an incomplete frame, or all that this leg's turn did not suffice for.
    pub(crate) held: Vec<u8>,
    /// There are whole frames among what is held; they come before anything else is read.
    pub(crate) unfinished: bool,
    /// How much may be read at once: less where the last read was more than a turn is enough for.
    pub(crate) read_size: usize,
    /// What may still be done with what comes from this leg until others have had their turn, about in nanoseconds.
    pub(crate) turn: u32,
    /// What may still be looked into.
    pub(crate) inspections: Allowance,
    pub(crate) out: Outbox,
    /// Where in the other leg's stream the bytes that were passed on to this one end.
    pub(crate) boundary: Boundary,
    pub(crate) reading: Reading,
    /// Not read, because the other leg is blocked; the session knows.
    pub(crate) paused: bool,
    /// The socket takes no bytes; the session knows.
    pub(crate) blocked_reported: bool,
    /// What writing failed with; told once the leg has nothing more to say.
    pub(crate) write_error: Option<io::Error>,
    /// Our side of the connection is to be ended.
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

    /// The last read was, or was not, more than a turn is enough for: `done` bytes of it have been dealt with.
    pub(crate) fn adapt_read_size(&mut self, done: usize) {
        self.read_size = if self.unfinished {
            done.clamp(MIN_READ, READ)
        } else {
            READ.min(self.read_size * 2)
        };
    }

    /// Ends our side of the connection, once what waits has gone, and waits for the peer to end its own.
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
            // Done or failed, the peer's end of the stream is what is awaited next.
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
