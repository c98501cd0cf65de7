//! Turns a pending connection into a relayed one: registers it, and makes its session and its relay.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use bytes::Bytes;

use super::pending::PendingConnection;
use crate::context::{Context, route_of};
use crate::net::stream::Stream;
use crate::per_leg::PerLeg;
use crate::relay::{Connection, Relay};
use crate::session::{Cause, Session};
use crate::telemetry::{Beginning, Command, Handle, Identity, Opened, shown_subprotocol};

/// The task of a connection whose client has got its 101. `client`: its socket, and what followed its request.
pub(crate) async fn run(
    pending: PendingConnection,
    client: (Stream, Bytes),
    context: Arc<Context>,
) {
    let (mut connection, read_ahead) = establish(pending, client, &context);
    connection.run(read_ahead).await;
}

/// Returns also what followed the heads of the opening handshakes.
fn establish(
    pending: PendingConnection,
    (client, client_bytes): (Stream, Bytes),
    context: &Context,
) -> (Connection, PerLeg<Bytes>) {
    let PendingConnection {
        opening,
        mut permit,
        route,
        routing,
        upstream,
    } = pending;
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
    let clock = context.clock;
    let beginning = Beginning {
        opened: clock.now(),
        opened_at: SystemTime::now(),
        compressed: upstream.extensions.deflate,
    };
    let observer = Arc::clone(&context.observer);
    let handle = Handle::new(identity, beginning, routing, &observer.process_stats);
    let handle = Arc::new(handle);
    let opened = Opened {
        identity: &handle.identity,
        compressed: handle.beginning.compressed,
        handshake: opening.duration(),
    };
    let is_logged = context.config.load().log.opened;
    observer.opened(&mut permit, &handle, &opened, is_logged);
    opening.succeeded();
    // The file may have changed since the route was chosen.
    let config = context.config.load_full();
    let policy = Arc::clone(&route_of(&config, &handle).policy);
    // Only now that it is registered: whoever sets the flag afterwards finds it in the registry.
    if context.aborting.load(Ordering::Acquire) {
        handle.send(Command::Abort);
    } else if context.is_draining() {
        // It was admitted before the drain began, and may have been established too late to be closed with the others.
        let close = config.drain.close.clone();
        handle.send(Command::Terminate {
            cause: Cause::Drained,
            close,
            detail: "the sidecar is shutting down".to_owned(),
        });
    }
    let mut session = Session::new(policy, rand::random(), handle.beginning.opened);
    session.set_subprotocol(upstream.subprotocol.as_deref());
    let relay = Relay::new(
        PerLeg::new(client, upstream_io),
        session,
        Arc::clone(&handle),
        clock,
        upstream.extensions,
    );
    let connection = Connection::new(relay, handle, clock, permit, observer);
    (connection, PerLeg::new(client_bytes, upstream_bytes))
}
