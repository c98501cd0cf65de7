//! Where every lifecycle event is told, once: from here it goes to the log, and into the sums.

use std::sync::Arc;

use serde::Serialize;
use tracing::Level;

use super::events::HandshakeFailed;
use super::{ClosingRecord, Handle, HandshakeFailure, Opened, Permit, Registry, log};

/// Everything that a process knows of its connections.
#[derive(Debug, Default)]
pub struct Observer {
    /// Who is connected.
    pub registry: Arc<Registry>,
}

impl Observer {
    /// A connection is established. `told`: `log.opened`.
    pub fn opened(
        &self,
        permit: &mut Permit,
        handle: &Arc<Handle>,
        opened: &Opened<'_>,
        told: bool,
    ) {
        permit.establish(handle);
        if told {
            self.tell(Level::INFO, "connection_opened", opened);
        }
    }

    /// An established connection has ended; its place is free when its permit is dropped.
    pub fn closed(&self, permit: &mut Permit, record: &ClosingRecord<'_>) {
        permit.closed(record.cause);
        self.tell(record.cause.level(), "connection_closed", record);
    }

    /// An opening handshake never became a connection.
    pub fn handshake_failed(&self, failure: HandshakeFailure, record: &HandshakeFailed<'_>) {
        self.tell(failure.level(), "handshake_failed", record);
    }

    /// Any other event.
    pub fn tell(&self, level: Level, event: &'static str, record: &impl Serialize) {
        log::emit(level, event, record);
    }
}
