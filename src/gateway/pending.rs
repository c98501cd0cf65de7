//! A connection whose client is about to get its 101.

use std::sync::Arc;

use bytes::Bytes;

use super::opening::Opening;
use crate::config::Route;
use crate::net::stream::Stream;
use crate::protocol::Extensions;
use crate::telemetry::{Permit, Routing};

/// Everything that relaying it needs but the client's socket.
pub(crate) struct PendingConnection {
    pub(crate) opening: Opening,
    pub(crate) permit: Permit,
    pub(crate) route: Arc<Route>,
    pub(crate) routing: Option<Box<Routing>>,
    pub(crate) upstream: UpstreamLeg,
}

/// An upstream's leg that is ready to be relayed.
pub(crate) struct UpstreamLeg {
    /// The one that the upstream chose.
    pub(crate) subprotocol: Option<Box<str>>,
    /// The socket, and what followed the head.
    pub(crate) socket: (Stream, Bytes),
    pub(crate) extensions: Extensions,
}
