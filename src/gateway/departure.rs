//! Notices that a client has gone while its request is in progress, even with unread bytes.
//!
//! A reset is unambiguous. The end of the client's sending side is not: a client may send its request, shut its sending
//! side down, and wait for the answer (RFC 9112 section 9.6 allows it), which looks like a closed connection. A client
//! that opens a WebSocket or follows a stream of events never does that, so it has gone.
//!
//! For any other request, the sidecar sends the first byte of the answer as soon as the answer takes long. This byte is
//! the same whatever the answer will be. A client that still waits reads it as the beginning of the answer; a closed
//! connection answers it with a reset. An answer that has begun can only be continued with its next bytes: if the
//! backend pauses then as well, the client counts as gone.

use std::time::Duration;

use tokio::time::sleep;

use super::exchange::{Exchange, Kind};
use crate::net::stream::{Ended, Stream};

/// How long an answer may take before the first byte is sent, and how long one that has begun may pause, once or twice,
/// before the client counts as gone.
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
        // On a Unix socket, a closed connection is no error.
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
