//! A request on its way to a backend.

use hyper::Request;
use hyper::body::Incoming;

use crate::net::peer::Peer;

/// A request, and what is known about it before a backend is dialled.
pub(crate) struct IncomingRequest {
    pub(crate) request: Request<Incoming>,
    pub(crate) peer: Peer,
    pub(crate) host: Box<str>,
    pub(crate) request_id: Box<str>,
}
