//! Why an opening handshake never became a connection.

use hyper::StatusCode;

use crate::session::Initiator;

/// The reason in the `handshake_failed` record and in the body of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandshakeFailure {
    /// The backend's address refuses or cannot be reached.
    UpstreamRefused,
    /// The name of the backend's host has no address, or the resolver did not answer.
    UpstreamUnresolved,
    /// The backend did not accept, or did not answer, in time.
    UpstreamTimeout,
    /// The backend answered something other than 101, which the client got unchanged.
    UpstreamRejected,
    /// The backend's 101 breaks RFC 6455 section 4.1.
    UpstreamBadHandshake,
    /// The request breaks RFC 6455 section 4.2.1, or is no HTTP.
    ClientBadHandshake,
    /// No whole request head within `limits.handshake_timeout`.
    ClientTimeout,
    /// The client left before its answer.
    ClientGone,
    /// The Origin is not in `limits.allowed_origins`.
    OriginDenied,
    /// `limits.max_connections` is reached.
    OverCapacity,
    /// `limits.max_connections_per_ip` is reached.
    OverCapacityIp,
    /// The sidecar is shutting down.
    Draining,
    /// The TLS handshake failed.
    TlsFailed,
    /// The PROXY protocol header is missing or wrong.
    ProxyProtocolFailed,
    /// The request names nothing that could be routed: CONNECT, or no path.
    NoRoute,
}

impl HandshakeFailure {
    /// Every reason.
    pub const ALL: [HandshakeFailure; 15] = [
        HandshakeFailure::UpstreamRefused,
        HandshakeFailure::UpstreamUnresolved,
        HandshakeFailure::UpstreamTimeout,
        HandshakeFailure::UpstreamRejected,
        HandshakeFailure::UpstreamBadHandshake,
        HandshakeFailure::ClientBadHandshake,
        HandshakeFailure::ClientTimeout,
        HandshakeFailure::ClientGone,
        HandshakeFailure::OriginDenied,
        HandshakeFailure::OverCapacity,
        HandshakeFailure::OverCapacityIp,
        HandshakeFailure::Draining,
        HandshakeFailure::TlsFailed,
        HandshakeFailure::ProxyProtocolFailed,
        HandshakeFailure::NoRoute,
    ];

    /// The label used in logs, answers and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            HandshakeFailure::UpstreamRefused => "upstream_refused",
            HandshakeFailure::UpstreamUnresolved => "upstream_unresolved",
            HandshakeFailure::UpstreamTimeout => "upstream_timeout",
            HandshakeFailure::UpstreamRejected => "upstream_rejected",
            HandshakeFailure::UpstreamBadHandshake => "upstream_bad_handshake",
            HandshakeFailure::ClientBadHandshake => "client_bad_handshake",
            HandshakeFailure::ClientTimeout => "client_timeout",
            HandshakeFailure::ClientGone => "client_gone",
            HandshakeFailure::OriginDenied => "origin_denied",
            HandshakeFailure::OverCapacity => "over_capacity",
            HandshakeFailure::OverCapacityIp => "over_capacity_ip",
            HandshakeFailure::Draining => "draining",
            HandshakeFailure::TlsFailed => "tls_failed",
            HandshakeFailure::ProxyProtocolFailed => "proxy_protocol_failed",
            HandshakeFailure::NoRoute => "no_route",
        }
    }

    /// The status of the answer; `None` if the client gets no answer of the sidecar.
    #[must_use]
    pub fn status(self) -> Option<StatusCode> {
        match self {
            HandshakeFailure::UpstreamRefused
            | HandshakeFailure::UpstreamUnresolved
            | HandshakeFailure::UpstreamBadHandshake => Some(StatusCode::BAD_GATEWAY),
            HandshakeFailure::UpstreamTimeout => Some(StatusCode::GATEWAY_TIMEOUT),
            HandshakeFailure::ClientBadHandshake => Some(StatusCode::BAD_REQUEST),
            HandshakeFailure::OriginDenied => Some(StatusCode::FORBIDDEN),
            HandshakeFailure::OverCapacity
            | HandshakeFailure::OverCapacityIp
            | HandshakeFailure::Draining => Some(StatusCode::SERVICE_UNAVAILABLE),
            HandshakeFailure::NoRoute => Some(StatusCode::NOT_FOUND),
            HandshakeFailure::UpstreamRejected
            | HandshakeFailure::ClientTimeout
            | HandshakeFailure::ClientGone
            | HandshakeFailure::TlsFailed
            | HandshakeFailure::ProxyProtocolFailed => None,
        }
    }

    /// Who caused it.
    #[must_use]
    pub fn initiator(self) -> Initiator {
        match self {
            HandshakeFailure::UpstreamRefused
            | HandshakeFailure::UpstreamUnresolved
            | HandshakeFailure::UpstreamTimeout
            | HandshakeFailure::UpstreamRejected
            | HandshakeFailure::UpstreamBadHandshake => Initiator::Upstream,
            HandshakeFailure::ClientBadHandshake
            | HandshakeFailure::ClientTimeout
            | HandshakeFailure::ClientGone
            | HandshakeFailure::TlsFailed
            | HandshakeFailure::ProxyProtocolFailed => Initiator::Client,
            HandshakeFailure::OriginDenied
            | HandshakeFailure::OverCapacity
            | HandshakeFailure::OverCapacityIp
            | HandshakeFailure::Draining
            | HandshakeFailure::NoRoute => Initiator::Sidecar,
        }
    }

    /// The level of the log record: `WARN` for what an operator can fix.
    #[must_use]
    pub fn level(self) -> tracing::Level {
        match self {
            HandshakeFailure::UpstreamRefused
            | HandshakeFailure::UpstreamUnresolved
            | HandshakeFailure::UpstreamTimeout
            | HandshakeFailure::UpstreamBadHandshake
            | HandshakeFailure::OverCapacity => tracing::Level::WARN,
            _ => tracing::Level::INFO,
        }
    }
}
