//! The events that a session processes, and the actions that it asks for.

use std::sync::Arc;
use std::time::Duration;

use super::policy::{Policy, ProbeKind};
use crate::heartbeat::MessageKind;
use crate::protocol::{Close, ControlPayload, Violation};

use super::{Cause, Leg};

/// Something that happened to a connection.
#[derive(Debug)]
pub enum Event {
    /// A ping came.
    Ping {
        /// The leg it came from.
        from: Leg,
        /// Its payload, to be answered unchanged.
        payload: ControlPayload,
    },
    /// A pong came.
    Pong {
        /// The leg it came from.
        from: Leg,
        /// Its payload.
        payload: ControlPayload,
    },
    /// A Close frame came; nothing that follows it on this leg is to be read as frames.
    Close {
        /// The leg it came from.
        from: Leg,
        /// What it says.
        close: Close,
    },
    /// The client began a message beyond [`super::Session::messages_allowed`]; nothing of that message is passed on.
    MessageFlood,
    /// A peer broke a rule; nothing more can be read from it.
    Violation {
        /// The leg it came from.
        from: Leg,
        /// The rule.
        violation: Violation,
        /// The beginning of the offending frame has been passed on already.
        mid_frame: bool,
    },
    /// A leg's TCP connection ended.
    Lost {
        /// Which leg.
        leg: Leg,
        /// How, for humans.
        detail: String,
        /// It ended inside a data frame whose beginning has been passed on.
        mid_frame: bool,
    },
    /// The probe asked for with [`Action::Ping`], [`Action::Pong`] or [`Action::Text`] left the sidecar.
    ProbeWritten {
        /// The leg it went to.
        to: Leg,
    },
    /// An operator wants a round trip measured now; [`Action::Measured`] reports it when the pong comes.
    Measure {
        /// Which leg.
        leg: Leg,
    },
    /// The ping asked for with [`Action::Measure`] left the sidecar.
    MeasureWritten {
        /// The leg it went to.
        to: Leg,
    },
    /// The Close frame asked for with [`Action::Close`] left the sidecar.
    CloseWritten {
        /// The leg it went to.
        to: Leg,
    },
    /// A leg accepted bytes while, or until, some had to wait; or bytes have begun to wait.
    Progress {
        /// The leg.
        to: Leg,
        /// Whether bytes are waiting now.
        blocked: bool,
    },
    /// A leg is not read for a while, because the other one does not accept bytes.
    ReadingPaused {
        /// The leg that is not read.
        leg: Leg,
    },
    /// A leg is read again.
    ReadingResumed {
        /// The leg.
        leg: Leg,
    },
    /// The time of [`super::Session::next_deadline`] has come, or may have.
    Timeout,
    /// `proxy.yaml` changed.
    PolicyChanged {
        /// What holds from now on.
        policy: Arc<Policy>,
    },
    /// An operator or a shutdown ends the connection.
    Terminate {
        /// [`Cause::Killed`] or [`Cause::Drained`].
        cause: Cause,
        /// What the client is sent, if not the cause's default.
        close: Option<Close>,
        /// For people.
        detail: String,
    },
}

/// The payload of a ping or pong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A peer's, to be answered or passed on.
    Peer(ControlPayload),
    /// A probe of ours.
    Probe([u8; 8]),
}

impl Payload {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Payload::Peer(payload) => payload,
            Payload::Probe(payload) => payload,
        }
    }
}

/// Something to be done to a leg. Frames go in where a frame may begin, in this order: pong, ping, text, Close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a ping.
    Ping {
        /// The leg.
        to: Leg,
        /// Its payload.
        payload: Payload,
    },
    /// Send a ping that an operator asked for; [`Event::MeasureWritten`] reports that it was written.
    Measure {
        /// The leg.
        to: Leg,
        /// Its payload.
        payload: [u8; 8],
    },
    /// Send a pong; a later one replaces one that could not be sent yet (RFC 6455 section 5.5.3).
    Pong {
        /// The leg.
        to: Leg,
        /// Its payload.
        payload: Payload,
    },
    /// Send a text message of the sidecar's, where a message may begin.
    Text {
        /// The leg.
        to: Leg,
        /// The message.
        text: Arc<str>,
    },
    /// Answer an application-level heartbeat, where a message may begin.
    Reply {
        /// The leg.
        to: Leg,
        /// Text or binary.
        kind: MessageKind,
        /// The message.
        payload: Box<[u8]>,
    },
    /// Send a text message that is a probe; [`Event::ProbeWritten`] reports that it was written.
    ProbeText {
        /// The leg.
        to: Leg,
        /// The message.
        text: Arc<str>,
    },
    /// Send a Close frame, and no data after it.
    Close {
        /// The leg.
        to: Leg,
        /// What it says.
        close: Close,
    },
    /// Both Close frames have passed: end the TCP connection, the server first (RFC 6455 section 7.1.1), and report
    /// [`Event::Lost`] when the peer has ended it too.
    Finish {
        /// The leg.
        leg: Leg,
    },
    /// Answer those who asked for it: the newest ping of [`Event::Measure`] was answered.
    Measured {
        /// The leg.
        leg: Leg,
        /// From the ping's leaving to its pong.
        rtt: Duration,
    },
    /// Drop the TCP connection; what was written is still delivered.
    Drop {
        /// The leg.
        leg: Leg,
    },
    /// Reset the TCP connection, so that the peer cannot take what it got for a whole.
    Reset {
        /// The leg.
        leg: Leg,
    },
}

impl Action {
    pub(super) fn probe(to: Leg, kind: &ProbeKind, payload: [u8; 8]) -> Action {
        match kind {
            ProbeKind::Ping => Action::Ping {
                to,
                payload: Payload::Probe(payload),
            },
            ProbeKind::Pong => Action::Pong {
                to,
                payload: Payload::Probe(payload),
            },
            ProbeKind::Text(text) | ProbeKind::App(text, _) => Action::ProbeText {
                to,
                text: Arc::clone(text),
            },
        }
    }
}

/// The list that [`super::Session::handle`] appends to.
pub type Actions = Vec<Action>;
