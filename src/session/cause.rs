//! Why a connection ended: the one type that log, metrics and API read.
//!
//! The first cause wins; everything that happens afterwards is only its consequence.

use crate::leg::Leg;
use crate::protocol::Close;

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Initiator {
    /// The client, or the network between it and the sidecar.
    Client,
    /// The backend.
    Upstream,
    /// The sidecar itself, by one of its rules.
    Sidecar,
}

impl Initiator {
    /// The label used in logs and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Initiator::Client => "client",
            Initiator::Upstream => "upstream",
            Initiator::Sidecar => "sidecar",
        }
    }
}

/// Why an established connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The client sent a Close frame.
    ClientClosed,
    /// The upstream sent a Close frame.
    UpstreamClosed,
    /// The client's TCP connection ended (EOF or reset) without a Close frame.
    ClientLost,
    /// The upstream's TCP connection ended (EOF or reset) without a Close frame.
    UpstreamLost,
    /// Nothing that counts as activity came from the client for `heartbeat.client.idle_time`.
    ClientIdle,
    /// Nothing that counts as activity came from the upstream for `heartbeat.upstream.idle_time`.
    UpstreamIdle,
    /// The client left `heartbeat.client.missed_pongs` pings in a row unanswered.
    ClientPongTimeout,
    /// The upstream left `heartbeat.upstream.missed_pongs` pings in a row unanswered.
    UpstreamPongTimeout,
    /// The client accepted no byte for `limits.write_stall_timeout`.
    ClientStalled,
    /// The upstream accepted no byte for `limits.write_stall_timeout`.
    UpstreamStalled,
    /// The client broke a rule of RFC 6455.
    ClientProtocolError,
    /// The upstream broke a rule of RFC 6455.
    UpstreamProtocolError,
    /// The client sent more than `limits.max_frame` or `limits.max_message`.
    ClientTooBig,
    /// The upstream sent more than `limits.max_frame` or `limits.max_message`.
    UpstreamTooBig,
    /// The client sent more pings than `limits.pings_per_second`.
    PingFlood,
    /// The client sent more messages than `limits.messages_per_second`.
    MessageFlood,
    /// The connection reached `limits.max_lifetime`.
    MaxLifetime,
    /// An operator closed it.
    Killed,
    /// The sidecar is shutting down.
    Drained,
    /// The upstream was lost and did not come back within `upstream.hold.timeout`.
    HoldExpired,
    /// A bug in the sidecar: the connection's task ended without saying why.
    Internal,
}

/// Where a Close code comes from when a cause does not fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultClose {
    /// This code and reason.
    Fixed(u16, &'static str),
    /// The Close frame that the peer named by the cause sent, code and reason unchanged.
    Same,
    /// None: that leg is gone already.
    None,
}

impl Cause {
    /// Every cause, in the order of the README's table.
    pub const ALL: [Cause; 21] = [
        Cause::ClientClosed,
        Cause::UpstreamClosed,
        Cause::ClientLost,
        Cause::UpstreamLost,
        Cause::ClientIdle,
        Cause::UpstreamIdle,
        Cause::ClientPongTimeout,
        Cause::UpstreamPongTimeout,
        Cause::ClientStalled,
        Cause::UpstreamStalled,
        Cause::ClientProtocolError,
        Cause::UpstreamProtocolError,
        Cause::ClientTooBig,
        Cause::UpstreamTooBig,
        Cause::PingFlood,
        Cause::MessageFlood,
        Cause::MaxLifetime,
        Cause::Killed,
        Cause::Drained,
        Cause::HoldExpired,
        Cause::Internal,
    ];

    /// The `reason` of the closing record and the key under `close:` in `proxy.yaml`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Cause::ClientClosed => "client_closed",
            Cause::UpstreamClosed => "upstream_closed",
            Cause::ClientLost => "client_lost",
            Cause::UpstreamLost => "upstream_lost",
            Cause::ClientIdle => "client_idle",
            Cause::UpstreamIdle => "upstream_idle",
            Cause::ClientPongTimeout => "client_pong_timeout",
            Cause::UpstreamPongTimeout => "upstream_pong_timeout",
            Cause::ClientStalled => "client_stalled",
            Cause::UpstreamStalled => "upstream_stalled",
            Cause::ClientProtocolError => "client_protocol_error",
            Cause::UpstreamProtocolError => "upstream_protocol_error",
            Cause::ClientTooBig => "client_too_big",
            Cause::UpstreamTooBig => "upstream_too_big",
            Cause::PingFlood => "ping_flood",
            Cause::MessageFlood => "message_flood",
            Cause::MaxLifetime => "max_lifetime",
            Cause::Killed => "killed",
            Cause::Drained => "drained",
            Cause::HoldExpired => "hold_expired",
            Cause::Internal => "internal",
        }
    }

    /// Who ended the connection.
    #[must_use]
    pub fn initiator(self) -> Initiator {
        match self {
            Cause::ClientClosed
            | Cause::ClientLost
            | Cause::ClientProtocolError
            | Cause::ClientTooBig
            | Cause::PingFlood
            | Cause::MessageFlood => Initiator::Client,
            Cause::UpstreamClosed
            | Cause::UpstreamLost
            | Cause::UpstreamProtocolError
            | Cause::UpstreamTooBig
            | Cause::HoldExpired => Initiator::Upstream,
            Cause::ClientIdle
            | Cause::UpstreamIdle
            | Cause::ClientPongTimeout
            | Cause::UpstreamPongTimeout
            | Cause::ClientStalled
            | Cause::UpstreamStalled
            | Cause::MaxLifetime
            | Cause::Killed
            | Cause::Drained
            | Cause::Internal => Initiator::Sidecar,
        }
    }

    /// The Close frame this cause puts on a leg unless `close:` in `proxy.yaml` says otherwise.
    #[must_use]
    pub fn default_close(self, leg: Leg) -> DefaultClose {
        use DefaultClose::{Fixed, None, Same};
        match (self, leg) {
            (Cause::ClientClosed | Cause::UpstreamClosed, _) => Same,
            (Cause::ClientLost, Leg::Client) => None,
            (Cause::ClientLost, Leg::Upstream) => Fixed(1001, "client connection lost"),
            (Cause::UpstreamLost, Leg::Client) => Fixed(1014, "backend connection lost"),
            (Cause::UpstreamLost, Leg::Upstream) => None,
            (Cause::ClientIdle, Leg::Client) => Fixed(1001, "idle timeout"),
            (Cause::ClientIdle, Leg::Upstream) => Fixed(1001, "client idle timeout"),
            (Cause::UpstreamIdle, Leg::Client) => Fixed(1014, "backend idle timeout"),
            (Cause::UpstreamIdle, Leg::Upstream) => Fixed(1001, "idle timeout"),
            (Cause::ClientPongTimeout, Leg::Client) => Fixed(1001, "ping timeout"),
            (Cause::ClientPongTimeout, Leg::Upstream) => Fixed(1001, "client ping timeout"),
            (Cause::UpstreamPongTimeout, Leg::Client) => Fixed(1014, "backend ping timeout"),
            (Cause::UpstreamPongTimeout, Leg::Upstream) => Fixed(1001, "ping timeout"),
            (Cause::ClientStalled, Leg::Client) => Fixed(1008, "too slow to read"),
            (Cause::ClientStalled, Leg::Upstream) => Fixed(1001, "client too slow to read"),
            (Cause::UpstreamStalled, Leg::Client) => Fixed(1014, "backend too slow to read"),
            (Cause::UpstreamStalled, Leg::Upstream) => Fixed(1001, "too slow to read"),
            (Cause::ClientProtocolError, Leg::Client) => Fixed(1002, "protocol error"),
            (Cause::ClientProtocolError, Leg::Upstream) => Fixed(1001, "client protocol error"),
            (Cause::UpstreamProtocolError, Leg::Client) => Fixed(1014, "backend protocol error"),
            (Cause::UpstreamProtocolError, Leg::Upstream) => Fixed(1002, "protocol error"),
            (Cause::ClientTooBig, Leg::Client) => Fixed(1009, "message too big"),
            (Cause::ClientTooBig, Leg::Upstream) => Fixed(1001, "client message too big"),
            (Cause::UpstreamTooBig, Leg::Client) => Fixed(1014, "backend message too big"),
            (Cause::UpstreamTooBig, Leg::Upstream) => Fixed(1009, "message too big"),
            (Cause::PingFlood, Leg::Client) => Fixed(1008, "too many pings"),
            (Cause::PingFlood, Leg::Upstream) => Fixed(1001, "client sent too many pings"),
            (Cause::MessageFlood, Leg::Client) => Fixed(1008, "too many messages"),
            (Cause::MessageFlood, Leg::Upstream) => Fixed(1001, "client sent too many messages"),
            (Cause::MaxLifetime, _) => Fixed(1001, "maximum lifetime reached"),
            (Cause::Killed, _) => Fixed(1001, "closed by operator"),
            (Cause::Drained, Leg::Client) => Fixed(1001, "server is restarting"),
            (Cause::Drained, Leg::Upstream) => Fixed(1001, "sidecar is draining"),
            (Cause::HoldExpired, Leg::Client) => Fixed(1014, "backend did not come back"),
            (Cause::HoldExpired, Leg::Upstream) => None,
            (Cause::Internal, _) => Fixed(1011, "internal error"),
        }
    }

    /// Whether `close:` in `proxy.yaml` may set what the client is sent: not where the peers say it themselves.
    #[must_use]
    pub fn configurable(self) -> bool {
        matches!(self.default_close(Leg::Client), DefaultClose::Fixed(..)) && self != Cause::Drained
    }

    /// How loudly the closing record is logged: `WARN` for what an operator should look at.
    #[must_use]
    pub fn level(self) -> tracing::Level {
        match self {
            Cause::Internal => tracing::Level::ERROR,
            Cause::UpstreamLost
            | Cause::UpstreamIdle
            | Cause::UpstreamPongTimeout
            | Cause::UpstreamStalled
            | Cause::UpstreamProtocolError
            | Cause::UpstreamTooBig
            | Cause::HoldExpired
            | Cause::ClientProtocolError
            | Cause::ClientTooBig
            | Cause::PingFlood
            | Cause::MessageFlood => tracing::Level::WARN,
            _ => tracing::Level::INFO,
        }
    }

    /// The cause with this label.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.label() == label)
    }
}

impl DefaultClose {
    /// The Close frame to send, given the one that the peer sent.
    #[must_use]
    pub fn resolve(self, received: Option<&Close>) -> Option<Close> {
        match self {
            DefaultClose::Fixed(code, reason) => Some(Close::new(code, reason)),
            DefaultClose::Same => Some(received.cloned().unwrap_or_default()),
            DefaultClose::None => None,
        }
    }
}

#[cfg(test)]
mod tests;
