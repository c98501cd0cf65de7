//! Where every lifecycle event is told, once: from here it goes to the log, and into the sums.

use std::sync::Arc;

use serde::Serialize;
use tracing::Level;

use super::events::HandshakeFailed;
use super::upstreams::Change;
use super::{
    ClosingRecord, Handle, HandshakeFailure, Opened, Permit, Registry, Tally, Upstreams, events,
    log, millis,
};

/// Everything that a process knows of its connections.
#[derive(Debug, Default)]
pub struct Observer {
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// What else is counted.
    pub tally: Arc<Tally>,
    /// Which backends can be reached.
    pub upstreams: Upstreams,
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
        self.tally.opened(opened.handshake);
        if told {
            self.tell(Level::INFO, "connection_opened", opened);
        }
    }

    /// An established connection has ended; its place is free when its permit is dropped.
    pub fn closed(&self, permit: &mut Permit, record: &ClosingRecord<'_>) {
        permit.closed(record.cause);
        self.tally.closed(record.duration);
        self.tell(record.cause.level(), "connection_closed", record);
    }

    /// An opening handshake never became a connection.
    pub fn handshake_failed(&self, failure: HandshakeFailure, record: &HandshakeFailed<'_>) {
        self.tally.handshake_failed(failure);
        self.tell(failure.level(), "handshake_failed", record);
    }

    /// A connection to a backend came about.
    pub fn upstream_reached(&self, address: &impl ToString) {
        if self.upstreams.any_down() {
            self.upstream_tried(&address.to_string(), Ok(()));
        }
    }

    /// A connection to a backend did not come about, for this reason.
    pub fn upstream_failed(&self, address: &impl ToString, reason: &str) {
        self.upstream_tried(&address.to_string(), Err(reason));
    }

    fn upstream_tried(&self, upstream: &str, outcome: Result<(), &str>) {
        let detail = outcome.err();
        match self.upstreams.tried(upstream, outcome) {
            Some(Change::Down) => {
                let record = events::UpstreamDown {
                    upstream,
                    detail: detail.unwrap_or_default(),
                };
                self.tell(Level::WARN, "upstream_down", &record);
            }
            Some(Change::Up(after)) => {
                let record = events::UpstreamUp {
                    upstream,
                    detail: "it takes connections again",
                    down_ms: millis(after),
                };
                self.tell(Level::INFO, "upstream_up", &record);
            }
            None => {}
        }
    }

    /// Any other event.
    pub fn tell(&self, level: Level, event: &'static str, record: &impl Serialize) {
        log::emit(level, event, record);
    }
}
