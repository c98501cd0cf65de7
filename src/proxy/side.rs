//! One leg of a relay: its socket, what is known of its incoming frames, and what has to go out on it.

use std::io;
use std::pin::Pin;
use std::task::Context;

use super::outbox::Outbox;
use super::stream::Transport;
use crate::protocol::{Boundary, FrameReader, Role};

/// How many bytes are read at once, at most: what one segment takes on loopback, whose MTU is 64 KiB. A little more
/// makes two segments of it: with 64 KiB a message of 1 MiB costs twice the CPU, and with 256 KiB a third more.
pub(super) const READ: usize = 63 * 1024;

/// What the bytes that come from a leg are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Frames,
    /// After a Close frame only the end of the stream matters.
    Closed,
    /// After a violation likewise; such a peer cannot be trusted to end it.
    Broken,
}

pub(super) struct Side<S> {
    /// None: dropped.
    pub(super) io: Option<S>,
    pub(super) reader: FrameReader,
    /// An incomplete header or control frame at the end of the last read.
    pub(super) held: Vec<u8>,
    pub(super) out: Outbox,
    /// Where in the other leg's stream the bytes that were passed on to this one end.
    pub(super) boundary: Boundary,
    pub(super) reading: Reading,
    /// Not read, because the other leg is blocked; the session knows.
    pub(super) paused: bool,
    /// The socket takes no bytes; the session knows.
    pub(super) blocked_told: bool,
    /// What writing failed with; told once the leg has nothing more to say.
    pub(super) write_error: Option<io::Error>,
    /// Our side of the connection is to be ended.
    shutting_down: bool,
}

impl<S: Transport> Side<S> {
    pub(super) fn new(io: S, sender: Role) -> Self {
        Side {
            io: Some(io),
            reader: FrameReader::new(sender),
            held: Vec::new(),
            out: Outbox::default(),
            boundary: Boundary::Message,
            reading: Reading::Frames,
            paused: false,
            blocked_told: false,
            write_error: None,
            shutting_down: false,
        }
    }

    /// Ends our side of the connection, once what waits has gone, and waits for the peer to end its own.
    pub(super) fn shut_down(&mut self) {
        self.shutting_down = true;
    }

    /// Whether there is nothing to write and nothing to end.
    #[inline]
    pub(super) fn is_quiet(&self) -> bool {
        !self.out.has_waiting() && !self.out.is_blocked() && !self.shutting_down
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) {
        if let (Some(io), true) = (&mut self.io, self.shutting_down) {
            // Done or failed, the peer's end of the stream is what is awaited next.
            self.shutting_down = Pin::new(io).poll_shutdown(cx).is_pending();
        }
    }

    pub(super) fn drop_io(&mut self) {
        self.io = None;
        self.held = Vec::new();
        self.out.give_up();
    }

    pub(super) fn reset(&mut self) {
        if let Some(io) = &self.io {
            io.reset_on_drop();
        }
        self.drop_io();
    }
}
