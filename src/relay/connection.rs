//! The task of one WebSocket connection: from its 101 to its closing record.

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::driver::Relay;
use super::side::READ;
use crate::config::Route;
use crate::context::Context;
use crate::context::route_of;
use crate::gateway::opening::Opening;
use crate::gateway::upgrade::Accepted;
use crate::net::stream::Stream;
use crate::session::{Cause, Counters, Leg, LegClose, Session};
use crate::telemetry::{
    Beginning, ClosingRecord, Command, Handle, Identity, Observer, Opened, Permit, Routing,
    shown_subprotocol,
};

/// The size of a thread's read buffer: the longest read, and what a leg holds of an incomplete frame, which is at most
/// a message to be looked into (16 KiB).
const SCRATCH: usize = READ + 32 * 1024;

thread_local! {
    /// What a poll reads into. Nothing stays in it between two polls, so all connections of a thread share it.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
}

/// A connection whose client is about to get its 101.
pub(crate) struct Newcomer {
    pub(crate) opening: Opening,
    pub(crate) permit: Permit,
    pub(crate) route: Arc<Route>,
    pub(crate) routing: Option<Box<Routing>>,
    pub(crate) upstream: Accepted,
}

/// Relays until the end, and tells how it ended. `client`: its socket, and what came behind its request.
pub(crate) async fn run(newcomer: Newcomer, client: (Stream, Bytes), shared: Arc<Context>) {
    let (mut live, read_ahead) = establish(newcomer, client, &shared);
    let mut read_ahead = Some(read_ahead);
    let mut timer = pin!(sleep_until(Instant::now() + Duration::from_secs(3600)));
    poll_fn(|cx| {
        if let Some(bytes) = read_ahead.take() {
            for leg in Leg::BOTH {
                live.relay.read_ahead(cx, leg, &bytes[leg as usize]);
            }
        }
        let done = BUFFER.with_borrow_mut(|buffer| live.relay.poll(cx, timer.as_mut(), buffer));
        if live.relay.uninspected() > 0 {
            live.warn_of_uninspected();
        }
        if live.relay.session().is_over() {
            // What is left are sockets that their peers may take some time to end.
            live.record();
        }
        done
    })
    .await;
}

/// Both sockets, with what came behind the heads.
fn establish(
    newcomer: Newcomer,
    (client, client_bytes): (Stream, Bytes),
    shared: &Context,
) -> (Live, [Bytes; 2]) {
    let Newcomer {
        opening,
        mut permit,
        route,
        routing,
        upstream,
    } = newcomer;
    let (upstream_io, upstream_bytes) = upstream.socket;
    let identity = Identity {
        conn: ulid::Ulid::generate().to_string().into(),
        request_id: opening.request_id.clone(),
        client: opening.client.clone(),
        headers: opening.headers.clone(),
        route: route.name.as_ref().into(),
        host: opening.host.clone(),
        path: opening.path.clone(),
        subprotocol: upstream.subprotocol.as_deref().map(shown_subprotocol),
        upstream: opening.upstream.clone().unwrap_or_default(),
    };
    let clock = shared.clock;
    let beginning = Beginning {
        opened: clock.now(),
        opened_at: SystemTime::now(),
        compressed: upstream.extensions.deflate,
    };
    let observer = Arc::clone(&shared.observer);
    let handle = Handle::new(identity, beginning, routing, &observer.process_stats);
    let handle = Arc::new(handle);
    let opened = Opened {
        identity: &handle.identity,
        compressed: handle.beginning.compressed,
        handshake: opening.duration(),
    };
    let told = shared.config.load().log.opened;
    observer.opened(&mut permit, &handle, &opened, told);
    opening.succeeded();
    // The file may have changed since the route was chosen.
    let config = shared.config.load_full();
    let policy = Arc::clone(&route_of(&config, &handle).policy);
    // Asked once it is in the registry: whoever sets this tells those that he finds there.
    if shared.cut_off.load(Ordering::Acquire) {
        handle.send(Command::Abort);
    } else if shared.is_draining() {
        // It was let in before the drain began, and may have come too late to be told with the others.
        let close = config.drain.close.clone();
        handle.send(Command::Terminate {
            cause: Cause::Drained,
            close,
            detail: "the sidecar is shutting down".to_owned(),
        });
    }
    let mut session = Session::new(policy, rand::random(), handle.beginning.opened);
    session.speak(upstream.subprotocol.as_deref());
    let relay = Relay::new(
        [client, upstream_io],
        session,
        Arc::clone(&handle),
        clock,
        upstream.extensions,
    );
    let live = Live {
        relay,
        handle,
        clock,
        permit: Some(permit),
        observer,
        warned: false,
    };
    (live, [client_bytes, upstream_bytes])
}

/// An established connection. However its task ends, dropping this records it: without a cause, as `internal`.
struct Live {
    relay: Relay<Stream>,
    handle: Arc<Handle>,
    clock: crate::net::clock::Clock,
    /// None: it has been recorded, and has given its place back.
    permit: Option<Permit>,
    observer: Arc<Observer>,
    warned: bool,
}

impl Live {
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
                [&ending.legs[0], &ending.legs[1]],
            ),
            None => (
                Cause::Internal,
                "the connection's task ended without a cause",
                [&nothing, &nothing],
            ),
        };
        let detail = match self.relay.uninspected() {
            0 => Cow::Borrowed(detail),
            count => {
                format!("{detail}; {count} small messages passed without being looked into").into()
            }
        };
        let counters: [&Counters; 2] = [
            session.counters(Leg::Client),
            session.counters(Leg::Upstream),
        ];
        let record = ClosingRecord {
            identity: &self.handle.identity,
            cause,
            detail: &detail,
            mid_frame: self.relay.was_cut_mid_frame(),
            closes,
            duration: now.since(self.handle.beginning.opened),
            silence: [
                session.silence(Leg::Client, now),
                session.silence(Leg::Upstream, now),
            ],
            counters,
            app_heartbeats: session.app_heartbeats(),
            captured: session.captured().collect(),
        };
        self.handle.stats.publish(session);
        self.observer.closed(&mut permit, &record);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.record();
    }
}
