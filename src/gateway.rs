//! Requests: a client's connection from its first byte until it ends or has become a WebSocket.
//!
//! | file | does |
//! |---|---|
//! | `connection` | one accepted connection: its first head, hyper serving it, and which way each request goes |
//! | `head` | its first request head |
//! | `exchange` | whether it has a request in progress, and its byte stream while hyper serves it |
//! | `departure` | noticing that a client has gone |
//! | `upgrade` | opening handshakes on both sides |
//! | `opening` | one opening handshake's record |
//! | `extensions`, `subprotocol` | what is negotiated in Sec-WebSocket-Extensions and Sec-WebSocket-Protocol |
//! | `lost_upgrade` | requests that would open a WebSocket, had not a proxy in front lost their Upgrade |
//! | `http` | requests that open no WebSocket |
//! | `requests` | those of them that are in flight |
//! | `request_body` | their bodies, and whether it is the client that is waited for |
//! | `host` | the host that a request is for |
//! | `headers` | what of a head is passed on |
//! | `answer_head` | how long the head of a backend's answer may be |
//! | `upstream_io` | a backend's byte stream in hyper's hands |
//! | `respond` | answers of the sidecar's own |
//! | `fuzzing` | what `fuzz/` does to the parts that the library does not show; for fuzzers and tests only |

mod answer_head;
pub(crate) mod connection;
mod departure;
mod exchange;
pub(crate) mod extensions;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod head;
pub(crate) mod headers;
mod host;
pub(crate) mod http;
mod lost_upgrade;
pub(crate) mod opening;
mod request_body;
pub(crate) mod requests;
pub(crate) mod respond;
mod subprotocol;
pub(crate) mod upgrade;
mod upstream_io;
