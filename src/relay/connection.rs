//! The task of one WebSocket connection: from its 101 to its closing record.

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::driver::Relay;
use super::leg_io::READ;
use crate::leg::Leg;
use crate::net::clock::Clock;
use crate::net::stream::Stream;
use crate::per_leg::PerLeg;
use crate::session::{Cause, LegClose};
use crate::telemetry::{ClosingRecord, Handle, Observer, Permit};

/// The size of a thread's scratch buffer: the longest read, after an incomplete frame, which is at most a message to
/// be inspected (16 KiB).
const SCRATCH: usize = READ + 32 * 1024;

thread_local! {
    /// The scratch buffer of [`Relay::poll`]. Contains nothing between two polls, so all connections of a thread share it.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
}

/// An established connection. Dropping it publishes its closing record, if that has not happened yet: a task that
/// panicked or was cancelled is recorded with the cause `internal`.
pub(crate) struct Connection {
    relay: Relay<Stream>,
    handle: Arc<Handle>,
    clock: Clock,
    /// None once the connection is recorded and no longer counts.
    permit: Option<Permit>,
    observer: Arc<Observer>,
    warned: bool,
}

impl Connection {
    pub(crate) fn new(
        relay: Relay<Stream>,
        handle: Arc<Handle>,
        clock: Clock,
        permit: Permit,
        observer: Arc<Observer>,
    ) -> Self {
        Connection {
            relay,
            handle,
            clock,
            permit: Some(permit),
            observer,
            warned: false,
        }
    }

    /// Relays until the end. `read_ahead`: what followed the heads of the opening handshakes.
    pub(crate) async fn run(&mut self, read_ahead: PerLeg<Bytes>) {
        let mut read_ahead = Some(read_ahead);
        let mut timer = pin!(sleep_until(Instant::now() + Duration::from_secs(3600)));
        poll_fn(|cx| {
            if let Some(bytes) = read_ahead.take() {
                for leg in Leg::BOTH {
                    self.relay.read_ahead(cx, leg, &bytes[leg]);
                }
            }
            let done = BUFFER.with_borrow_mut(|buffer| self.relay.poll(cx, timer.as_mut(), buffer));
            if self.relay.uninspected() > 0 {
                self.warn_of_uninspected();
            }
            if self.relay.session().is_over() {
                // Only the sockets are left, which their peers may take a while to end.
                self.record();
            }
            done
        })
        .await;
    }

    /// Logs, once, that messages are forwarded without being inspected.
    fn warn_of_uninspected(&mut self) {
        if std::mem::replace(&mut self.warned, true) {
            return;
        }
        let identity = &self.handle.identity;
        tracing::warn!(
            event = "inspection_limited",
            conn = &*identity.conn,
            client = &*identity.client,
            route = &*identity.route,
            path = &*identity.path,
            "so many small messages come that not all of them are looked into for heartbeats; the others are passed on as they are"
        );
    }

    /// Publishes the closing record, once, and stops counting the connection.
    fn record(&mut self) {
        let Some(mut permit) = self.permit.take() else {
            return;
        };
        let now = self.clock.now();
        let session = self.relay.session();
        let nothing = LegClose::default();
        let (cause, detail, closes) = match session.ending() {
            Some(ending) => (
                ending.cause,
                ending.detail.as_str(),
                PerLeg::from_fn(|leg| &ending.legs[leg]),
            ),
            None => (
                Cause::Internal,
                "the connection's task ended without a cause",
                PerLeg::new(&nothing, &nothing),
            ),
        };
        let detail = match self.relay.uninspected() {
            0 => Cow::Borrowed(detail),
            count => {
                format!("{detail}; {count} small messages passed without being looked into").into()
            }
        };
        let record = ClosingRecord {
            identity: &self.handle.identity,
            cause,
            detail: &detail,
            mid_frame: self.relay.was_cut_mid_frame(),
            closes,
            duration: now.since(self.handle.beginning.opened),
            silence: PerLeg::from_fn(|leg| session.silence(leg, now)),
            counters: PerLeg::from_fn(|leg| session.counters(leg)),
            app_heartbeats: session.app_heartbeats(),
            captured: session.captured().collect(),
        };
        self.handle.stats.publish(session);
        self.observer.closed(&mut permit, &record);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.record();
    }
}
