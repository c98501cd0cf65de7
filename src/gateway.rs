//! Requests: a client's connection from its first byte until it ends or has become a WebSocket.
//!
//! | file | does |
//! |---|---|
//! | `accept` | accepting clients, and backing off when the system refuses |
//! | `connection` | one accepted connection: its first head, hyper serving it, and which way each request goes |
//! | `head` | its first request head |
//! | `exchange` | whether it has a request in progress, and its byte stream while hyper serves it |
//! | `departure` | noticing that a client has gone |
//! | `upgrade` | opening handshakes on both sides |
//! | `opening` | one opening handshake's record |
//! | `pending`, `establish` | a connection whose client gets its 101, and making a relayed one of it |
//! | `extensions`, `subprotocol` | what is negotiated in Sec-WebSocket-Extensions and Sec-WebSocket-Protocol |
//! | `lost_upgrade` | requests that would open a WebSocket, had not a proxy in front lost their Upgrade |
//! | `http` | requests that open no WebSocket |
//! | `request_body` | their bodies, and whether it is the client that is waited for |
//! | `host` | the host that a request is for |
//! | `headers` | what of a head is passed on |
//! | `answer_head` | how long the head of a backend's answer may be |
//! | `upstream_io` | a backend's byte stream in hyper's hands |
//! | `respond` | answers of the sidecar's own |
//! | `fuzzing` | what `fuzz/` does to the parts that the library does not show; for fuzzers and tests only |

mod accept;
mod answer_head;
mod connection;
mod departure;
mod establish;
mod exchange;
mod extensions;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod head;
mod headers;
mod host;
mod http;
mod incoming;
mod lost_upgrade;
mod opening;
mod pending;
mod request_body;
mod respond;
mod subprotocol;
mod upgrade;
mod upstream_io;

use std::sync::Arc;

use crate::context::Context;
use crate::net::listener::AcceptFailures;
use http::Clients;

/// What the requests of all clients share.
pub struct Gateway {
    context: Arc<Context>,
    clients: Clients,
    accept_failures: AcceptFailures,
}

impl Gateway {
    /// No client yet.
    #[must_use]
    pub fn new(context: Arc<Context>) -> Self {
        Gateway {
            context,
            clients: Clients::default(),
            accept_failures: AcceptFailures::default(),
        }
    }
}
