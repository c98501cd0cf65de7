//! Accepting clients, and backing off when the system refuses.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::Gateway;
use super::connection;
use crate::net::http_connections::Place;
use crate::net::listener::{Listener, is_out_of_files};
use crate::net::peer::Peer;
use crate::net::stream::{Detached, Stream};

/// How long accepting pauses when the process or the system has no room for another connection.
const BACK_OFF: Duration = Duration::from_millis(100);
/// The same where a connection was dropped that gives its file back.
const SHORT_BACK_OFF: Duration = Duration::from_millis(1);

impl Gateway {
    /// Accepts clients until `end` is ready, and those whom the system has let in by then.
    pub async fn serve(self: Arc<Self>, listener: Listener, end: impl Future) {
        let mut end = pin!(end);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = self.next_client(&listener) => accepted,
                _ = &mut end => break,
            };
            self.admit(stream, peer);
            self.context.http_connections.settled().await;
        }
        for (stream, peer) in listener.last() {
            self.admit(stream, peer);
        }
    }

    /// The next client, however long the system refuses to give one. Where there is no file left, a client without a
    /// request gives its own.
    async fn next_client(&self, listener: &Listener) -> (Stream, Peer) {
        let connections = &self.context.http_connections;
        loop {
            let error = match listener.try_next().await {
                Ok(accepted) => return accepted,
                Err(error) => error,
            };
            self.accept_failure.tell(listener, &error);
            if is_out_of_files(&error) && connections.drop_oldest() {
                connections.settled().await;
                sleep(SHORT_BACK_OFF).await;
            } else {
                sleep(BACK_OFF).await;
            }
        }
    }

    /// Serves a client here, or where there is less to do.
    fn admit(self: &Arc<Self>, stream: Stream, peer: Peer) {
        let limits = &self.context.config.load().process;
        let (place, stream) = match self.context.http_connections.admit(peer.ip(), limits) {
            Ok((place, file)) => (place, stream.counted(file)),
            Err(refusal) => return connection::refuse(&stream, refusal),
        };
        match self.context.workers.least_loaded() {
            None => drop(tokio::spawn(connection::serve(
                stream,
                peer,
                place,
                Arc::clone(self),
            ))),
            Some(least_loaded) => migrate(least_loaded, stream, peer, place, Arc::clone(self)),
        }
    }
}

/// Makes a connection another runtime's.
fn migrate(to: &Handle, stream: Stream, peer: Peer, place: Place, gateway: Arc<Gateway>) {
    let detached = stream.detach();
    to.spawn(async move {
        match detached.and_then(Detached::attach) {
            Ok(stream) => connection::serve(stream, peer, place, gateway).await,
            Err(error) => {
                tracing::error!(event = "accept_failed", "{error}; this client is let go");
            }
        }
    });
}

#[cfg(test)]
mod tests;
