//! What has to go out on one leg and could not go at once: bytes that the socket did not take, and frames of the
//! sidecar's own that wait for a place where a frame may begin.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::heartbeat::MessageKind;
use crate::protocol::{Close, Control, ControlPayload, Data, OpCode, encode_frame};
use crate::session::Payload;

/// The most answers to application-level heartbeats that wait.
const MAX_REPLIES: usize = 16;

/// One leg's outgoing side. Empty, it owns no memory.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    backlog: Vec<u8>,
    /// How much of the backlog the socket has taken.
    taken: usize,
    pending: Option<Box<PendingFrames>>,
    /// A probe is in the backlog.
    probe_buffered: bool,
    /// A ping that an operator asked for is in the backlog.
    measure_buffered: bool,
    /// A Close frame is in the backlog, or has left.
    close: CloseState,
}

/// Frames of the sidecar's own, at most one of each kind but replies, in the order in which they go out.
#[derive(Debug, Default)]
struct PendingFrames {
    pong: Option<ControlPayload>,
    ping: Option<ControlPayload>,
    measure: Option<[u8; 8]>,
    probe: Option<(Control, [u8; 8])>,
    probe_text: Option<Arc<str>>,
    replies: VecDeque<(MessageKind, Box<[u8]>)>,
    text: Option<Arc<str>>,
    close: Option<Close>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CloseState {
    #[default]
    None,
    Buffered,
    Flushed,
}

/// What left the sidecar when a backlog was emptied.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flushed {
    pub(crate) probe: bool,
    pub(crate) measure: bool,
    pub(crate) close: bool,
}

impl Outbox {
    /// The bytes that wait for the socket.
    pub(crate) fn backlog(&self) -> &[u8] {
        &self.backlog[self.taken..]
    }

    pub(crate) fn is_blocked(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Keeps what the socket did not take.
    pub(crate) fn buffer(&mut self, bytes: &[u8]) {
        self.backlog.extend_from_slice(bytes);
    }

    /// The socket took this much of the backlog; says what has left when it took all.
    pub(crate) fn advance(&mut self, len: usize) -> Flushed {
        self.taken += len;
        if self.taken < self.backlog.len() {
            return Flushed::default();
        }
        // Given back, not kept: an idle connection owns no buffer.
        self.backlog = Vec::new();
        self.taken = 0;
        let close = self.close == CloseState::Buffered;
        if close {
            self.close = CloseState::Flushed;
        }
        Flushed {
            probe: std::mem::take(&mut self.probe_buffered),
            measure: std::mem::take(&mut self.measure_buffered),
            close,
        }
    }

    /// The socket takes nothing any more.
    pub(crate) fn discard(&mut self) {
        *self = Outbox {
            close: CloseState::Flushed,
            ..Outbox::default()
        };
    }

    /// Whether a Close frame has been placed: nothing may follow it (RFC 6455 section 5.5.1).
    pub(crate) fn is_closed(&self) -> bool {
        self.close != CloseState::None
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// A probe of ours, or a ping of a peer that is passed on.
    pub(crate) fn push_ping(&mut self, payload: Payload) {
        match payload {
            Payload::Peer(payload) => self.pending().ping = Some(payload),
            Payload::Probe(payload) => self.pending().probe = Some((Control::Ping, payload)),
        }
    }

    /// An answer, a pong carried back, or an unsolicited one as a probe. The newest answer replaces one that still
    /// waits (RFC 6455 section 5.5.3).
    pub(crate) fn push_pong(&mut self, payload: Payload) {
        match payload {
            Payload::Peer(payload) => self.pending().pong = Some(payload),
            Payload::Probe(payload) => self.pending().probe = Some((Control::Pong, payload)),
        }
    }

    /// A ping that an operator asked for.
    pub(crate) fn push_measure(&mut self, payload: [u8; 8]) {
        self.pending().measure = Some(payload);
    }

    pub(crate) fn push_probe_text(&mut self, text: Arc<str>) {
        self.pending().probe_text = Some(text);
    }

    /// An answer to an application-level heartbeat. Each is owed, but a peer that asks and does not read loses the
    /// oldest ones.
    pub(crate) fn push_reply(&mut self, kind: MessageKind, payload: Box<[u8]>) {
        let replies = &mut self.pending().replies;
        if replies.len() == MAX_REPLIES {
            replies.pop_front();
        }
        replies.push_back((kind, payload));
    }

    pub(crate) fn push_text(&mut self, text: Arc<str>) {
        self.pending().text = Some(text);
    }

    pub(crate) fn push_close(&mut self, close: Close) {
        self.pending().close = Some(close);
    }

    /// Moves what waits into the backlog; to be called only where a frame may begin. Messages go only where a message
    /// may begin, unless a Close frame makes that moot. `mask` makes a masking key for each frame towards a server.
    pub(crate) fn encode_pending(
        &mut self,
        message_boundary: bool,
        mask: impl Fn() -> Option<[u8; 4]>,
    ) {
        if self.is_closed() {
            self.pending = None;
            return;
        }
        let Some(pending) = &mut self.pending else {
            return;
        };
        let out = &mut self.backlog;
        let mut write = |opcode, payload: &[u8]| encode_frame(out, opcode, payload, mask());
        if let Some(payload) = pending.pong.take() {
            write(OpCode::Control(Control::Pong), &payload);
        }
        if let Some(payload) = pending.ping.take() {
            write(OpCode::Control(Control::Ping), &payload);
        }
        if let Some(payload) = pending.measure.take() {
            write(OpCode::Control(Control::Ping), &payload);
            self.measure_buffered = true;
        }
        if let Some((kind, payload)) = pending.probe.take() {
            write(OpCode::Control(kind), &payload);
            self.probe_buffered = true;
        }
        if message_boundary {
            for (kind, payload) in pending.replies.drain(..) {
                let kind = match kind {
                    MessageKind::Text => Data::Text,
                    MessageKind::Binary => Data::Binary,
                };
                write(OpCode::Data(kind), &payload);
            }
            if let Some(text) = pending.probe_text.take() {
                write(OpCode::Data(Data::Text), text.as_bytes());
                self.probe_buffered = true;
            }
            if let Some(text) = pending.text.take() {
                write(OpCode::Data(Data::Text), text.as_bytes());
            }
        }
        if let Some(close) = pending.close.take() {
            let mut payload = Vec::with_capacity(2 + close.reason().len());
            close.write_payload(&mut payload);
            write(OpCode::Control(Control::Close), &payload);
            self.close = CloseState::Buffered;
        }
        let message_waits =
            pending.probe_text.is_some() || pending.text.is_some() || !pending.replies.is_empty();
        if self.is_closed() || !message_waits {
            self.pending = None;
        }
    }

    fn pending(&mut self) -> &mut PendingFrames {
        self.pending.get_or_insert_default()
    }

    /// What an idle connection's must be.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn owns_nothing(&self) -> bool {
        self.backlog.capacity() == 0 && self.pending.is_none()
    }
}

#[cfg(test)]
mod tests;
