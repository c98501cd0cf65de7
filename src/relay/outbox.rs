//! What could not be written to a leg at once: bytes that the socket did not accept (the backlog), and frames of our
//! own that wait until a frame may start (the pending frames).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::heartbeat::MessageKind;
use crate::protocol::{Close, Control, ControlPayload, Data, OpCode, encode_frame};
use crate::session::Payload;

/// The longest queue of replies to application-level heartbeats.
const MAX_REPLIES: usize = 16;

/// One leg's outgoing side. An empty one owns no memory.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    backlog: Vec<u8>,
    /// How much of the backlog is written.
    taken: usize,
    pending: Option<Box<PendingFrames>>,
    /// A probe is in the backlog.
    probe_buffered: bool,
    /// A ping that an operator asked for is in the backlog.
    measure_buffered: bool,
    close: CloseState,
}

/// Frames of our own in the order in which they are encoded; at most one of each kind, except for replies.
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

/// Which frames of our own were written when the backlog became empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flushed {
    pub(crate) probe: bool,
    pub(crate) measure: bool,
    pub(crate) close: bool,
}

impl Outbox {
    pub(crate) fn backlog(&self) -> &[u8] {
        &self.backlog[self.taken..]
    }

    pub(crate) fn is_blocked(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Appends what the socket did not accept.
    pub(crate) fn buffer(&mut self, bytes: &[u8]) {
        self.backlog.extend_from_slice(bytes);
    }

    /// `len` more bytes of the backlog are written; returns which frames left with the last of them.
    pub(crate) fn advance(&mut self, len: usize) -> Flushed {
        self.taken += len;
        if self.taken < self.backlog.len() {
            return Flushed::default();
        }
        // Freed, not reused: an idle connection owns no buffer.
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

    /// Drops everything: the socket accepts nothing any more.
    pub(crate) fn discard(&mut self) {
        *self = Outbox {
            close: CloseState::Flushed,
            ..Outbox::default()
        };
    }

    /// Whether a Close frame is encoded: nothing may follow it (RFC 6455 section 5.5.1).
    pub(crate) fn is_closed(&self) -> bool {
        self.close != CloseState::None
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// A probe of ours, or a forwarded ping.
    pub(crate) fn push_ping(&mut self, payload: Payload) {
        match payload {
            Payload::Peer(payload) => self.pending().ping = Some(payload),
            Payload::Probe(payload) => self.pending().probe = Some((Control::Ping, payload)),
        }
    }

    /// An answer, a forwarded pong, or an unsolicited pong as a probe. A new answer replaces one that still waits
    /// (RFC 6455 section 5.5.3).
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

    /// A reply to an application-level heartbeat. Each request gets one, but a peer that does not read loses the oldest.
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

    /// Encodes pending frames into the backlog. Only to be called at a frame boundary; messages wait for a message
    /// boundary. `mask` returns a new masking key for each frame to a server.
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

    /// Holds for every idle connection.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn owns_nothing(&self) -> bool {
        self.backlog.capacity() == 0 && self.pending.is_none()
    }
}

#[cfg(test)]
mod tests;
