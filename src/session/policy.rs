//! The settings of one connection: heartbeats of both legs, limits, Close frames. The state machine owns these types;
//! [`crate::config`] builds them from `proxy.yaml`.

use std::sync::Arc;
use std::time::Duration;

use super::{Cause, Leg};
use crate::heartbeat::{Matcher, Rules};
use crate::protocol::Close;

/// What a live connection follows; replaced as a whole when the file changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Deadlines of the heartbeats are rounded up to this grid.
    pub check_interval: Duration,
    /// Heartbeat of the client's leg.
    pub client: Heartbeat,
    /// Heartbeat of the upstream's leg.
    pub upstream: Heartbeat,
    /// Limits of one connection.
    pub limits: Limits,
    /// Application-level heartbeats that are recognised.
    pub app: Arc<Rules>,
    /// Close codes that differ from `Cause::default_close`, sent to the client.
    pub close: Vec<(Cause, Close)>,
}

impl Policy {
    /// The heartbeat of a leg.
    #[must_use]
    pub fn heartbeat(&self, leg: Leg) -> &Heartbeat {
        match leg {
            Leg::Client => &self.client,
            Leg::Upstream => &self.upstream,
        }
    }

    /// The longest message of this leg's peer that has to be looked at whole, in payload bytes; 0: none.
    #[must_use]
    pub fn inspect_limit(&self, from: Leg) -> usize {
        let by_rules = self.app.max_size(from);
        match &self.heartbeat(from).probe {
            Some(Probe {
                kind: ProbeKind::App(..),
                ..
            }) => by_rules.max(MAX_APP_PONG),
            _ => by_rules,
        }
    }

    /// Whether any message has to be looked at.
    #[must_use]
    pub fn inspects_messages(&self) -> bool {
        Leg::BOTH.into_iter().any(|leg| self.inspect_limit(leg) > 0)
    }

    /// What `close:` says the client is sent for a cause.
    #[must_use]
    pub fn close_for(&self, cause: Cause) -> Option<Close> {
        self.close
            .iter()
            .find(|(of, _)| *of == cause)
            .map(|(_, close)| close.clone())
    }
}

/// The longest message that may answer an `app_ping`.
const MAX_APP_PONG: usize = 1024;

/// One leg's heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// Nothing received for this long ends the connection.
    pub idle_time: Option<Duration>,
    /// What resets `idle_time`.
    pub activity: Activity,
    /// What the sidecar itself sends to keep the leg alive or to prove it.
    pub probe: Option<Probe>,
    /// What happens to a ping that this leg's peer sends.
    pub answer_pings: AnswerPings,
    /// A message sent to the client before an idle close of this leg.
    pub idle_notice: Option<IdleNotice>,
}

/// What counts as a sign of life for `idle_time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Any byte.
    Frame,
    /// Bytes of data frames only, application-level heartbeats apart.
    Message,
    /// Messages that a rule of `heartbeat.app` recognises.
    Heartbeat,
}

/// A heartbeat that the sidecar sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// What is sent.
    pub kind: ProbeKind,
    /// How often; the first one after a random half to whole of it.
    pub interval: Duration,
    /// A ping is missed when no byte came for this long after it was sent; none: pongs are not waited for.
    pub pong_timeout: Option<Duration>,
    /// This many missed in a row end the connection; at least 1.
    pub missed_pongs: u32,
}

/// The frame of a heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub enum ProbeKind {
    /// A ping; its pong proves the peer alive.
    Ping,
    /// An unsolicited pong (RFC 6455 section 5.5.3), which nobody answers.
    Pong,
    /// A text message for the application.
    Text(Arc<str>),
    /// A text message that the peer's application answers with one that the matcher recognises.
    App(Arc<str>, Arc<Matcher>),
}

/// Who answers a peer's ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerPings {
    /// The sidecar, at once.
    Local,
    /// The other peer: the ping is passed on and its pong carried back.
    Forward,
}

/// A last word before an idle close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleNotice {
    /// How long before the close it is sent.
    pub before: Duration,
    /// The text message.
    pub text: Arc<str>,
}

/// Limits of one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Payload bytes of one frame.
    pub max_frame: Option<u64>,
    /// Payload bytes of one message, summed over its fragments, as they are on the wire.
    pub max_message: Option<u64>,
    /// A leg that accepts no byte for this long ends the connection.
    pub write_stall_timeout: Option<Duration>,
    /// How long a closing handshake may take.
    pub close_timeout: Duration,
    /// Connections end at this age, give or take 10 %.
    pub max_lifetime: Option<Duration>,
    /// Pings received from the client; the burst is twice this.
    pub pings_per_second: Option<u32>,
    /// Data messages received from the client; the burst is twice this.
    pub messages_per_second: Option<u32>,
    /// Whether text must be UTF-8 (RFC 6455 section 8.1).
    pub validate_utf8: bool,
}
