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

/// How long accepting pauses when the process or the system is out of files or memory.
const BACK_OFF: Duration = Duration::from_millis(100);
/// The same after a connection was dropped to free its file.
const SHORT_BACK_OFF: Duration = Duration::from_millis(1);

impl Gateway {
    /// Accepts clients until `end` is ready, including those in the accept queue by then.
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
        for (stream, peer) in listener.into_waiting() {
            self.admit(stream, peer);
        }
    }

    /// The next client, however long the system refuses. If there is no file left, a silent connection is dropped for it.
    async fn next_client(&self, listener: &Listener) -> (Stream, Peer) {
        let connections = &self.context.http_connections;
        loop {
            let error = match listener.try_next().await {
                Ok(accepted) => return accepted,
                Err(error) => error,
            };
            self.accept_failures.report(listener, &error);
            if is_out_of_files(&error) && connections.drop_oldest() {
                connections.settled().await;
                sleep(SHORT_BACK_OFF).await;
            } else {
                sleep(BACK_OFF).await;
            }
        }
    }

    /// Serves a client on this worker, or on the least loaded one.
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

/// Moves a connection to another runtime.
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
