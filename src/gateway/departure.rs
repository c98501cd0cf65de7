//! Noticing that a client has gone while its request is in progress, whatever it sent that nobody has read.
//!
//! A reset is plain. The end of the client's sending side is not: a client may send its request, end its side, and
//! wait for the answer (RFC 9112 section 9.6 allows it), and one that has closed its connection looks the same. Whoever
//! opens a WebSocket, or follows a stream of events, cannot do with half a connection or never does it, and has gone.
//! For any other request the sidecar sends the first byte of the answer as soon as the answer lets wait for itself: the
//! byte is the same whatever the answer will be, a client that waits reads it as the beginning of its answer, and the
//! system of one that has closed its connection answers it with a reset. An answer that has begun can be continued by
//! nothing but its next bytes: if the backend lets the client wait for them as well, the client counts as gone.

use std::time::Duration;

use tokio::time::sleep;

use super::exchange::{Exchange, Kind};
use crate::net::stream::{Ended, Stream};

/// How long an answer may take before it is tried whether the client is still there, and how long one that has begun
/// may pause, once or twice, before the client counts as gone.
const TRY_EVERY: Duration = Duration::from_secs(3);

/// Waits until the client has gone.
pub(crate) async fn departed(stream: &Stream, exchange: &Exchange) {
    match stream.ended().await {
        Ok(Ended::Sending) => {}
        Ok(Ended::Both) | Err(_) => return,
    }
    let mut written = None;
    while exchange.request() == Some(Kind::Plain) {
        tokio::select! {
            () = stream.failed() => return,
            () = sleep(TRY_EVERY) => {}
        }
        // Of a Unix socket the end of both sides is no error.
        if !matches!(stream.ended().await, Ok(Ended::Sending)) {
            return;
        }
        exchange.send_first_byte(stream);
        let now = exchange.written();
        if now.is_some() && now == written {
            return;
        }
        written = now;
    }
}
