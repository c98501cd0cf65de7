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

/// The size of a thread's read buffer: the longest read, and what a leg holds of an incomplete frame, which is at most
/// a message to be looked into (16 KiB).
const SCRATCH: usize = READ + 32 * 1024;

thread_local! {
    /// What a poll reads into. Nothing stays in it between two polls, so all connections of a thread share it.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
}

/// An established connection. However its task ends, dropping this records it: without a cause, as `internal`.
pub(crate) struct Connection {
    relay: Relay<Stream>,
    handle: Arc<Handle>,
    clock: Clock,
    /// None: it has been recorded, and has given its place back.
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

    /// Relays until the end, and records how it ended. `read_ahead`: what came behind the heads.
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
                // What is left are sockets that their peers may take some time to end.
                self.record();
            }
            done
        })
        .await;
    }

    /// Says, once, that messages pass without being looked into.
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

    /// Publishes the closing record and gives the connection's place back; once.
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
