//! The data path's IO.
//!
//! | file | does |
//! |---|---|
//! | `listener` | accepts, and backs off when the system refuses |
//! | `socket_file` | the file of a Unix socket that is listened on |
//! | `workers` | the threads that connections run on |
//! | `http_connections` | all client connections that are no WebSocket: how many there may be, and which one goes |
//! | `open_files` | how the limit of open files is shared out |
//! | `connection` | one accepted connection from its first byte until it ends or is a WebSocket |
//! | `head` | its first request head |
//! | `exchange` | whether it has a request in progress, and its byte stream while hyper serves it |
//! | `departure` | noticing that a client has gone |
//! | `upgrade` | opening handshakes on both sides |
//! | `lost_upgrade` | requests that would open a WebSocket, had not a proxy in front lost their Upgrade |
//! | `opening` | one opening handshake's record, told however it ends |
//! | `http` | requests that open no WebSocket |
//! | `requests` | those of them that are in flight |
//! | `request_body` | their bodies, and whether it is the client that is waited for |
//! | `progress` | when bytes of them last moved |
//! | `host` | the host that a request is for |
//! | `headers` | what of a head is passed on |
//! | `answer_head` | how long the head of a backend's answer may be |
//! | `upstream` | dialling |
//! | `upstream_io` | a backend's byte stream in hyper's hands |
//! | `health` | whether backends are up, found out in the background |
//! | `established` | the task of one WebSocket connection, from its 101 to its closing record |
//! | `extensions`, `subprotocol` | what was negotiated in Sec-WebSocket-Extensions and Sec-WebSocket-Protocol |
//! | `inspect` | small messages, unmasked and inflated, for application-level heartbeats |
//! | `relay`, `side`, `outbox` | the relay itself |
//! | `stream`, `clock` | sockets and time |
//! | `fuzzing` | what `fuzz/` does to the parts that the library does not show; for fuzzers and tests only |

mod answer_head;
pub mod clock;
mod connection;
mod departure;
mod established;
mod exchange;
mod extensions;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod head;
mod headers;
pub mod health;
mod host;
mod http;
mod http_connections;
mod inspect;
pub mod listener;
mod lost_upgrade;
pub(crate) mod open_files;
mod opening;
mod outbox;
mod progress;
mod relay;
mod request_body;
pub(crate) mod requests;
mod respond;
mod side;
pub(crate) mod socket_file;
pub mod stream;
mod subprotocol;
mod upgrade;
mod upstream;
mod upstream_io;
pub mod workers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::config::{Config, Route};
use crate::telemetry::{Handle, Observer};
use clock::Clock;
use http::Clients;
use http_connections::HttpConnections;
use listener::Failure;
use open_files::OpenFiles;
use requests::Requests;
use workers::Workers;

/// What every connection of a process shares.
pub struct Shared {
    /// The configuration in force.
    pub config: ArcSwap<Config>,
    /// Where everything that happens is told.
    pub observer: Arc<Observer>,
    /// The data path's time.
    pub clock: Clock,
    /// The threads that connections run on.
    pub workers: Workers,
    /// Plain HTTP in flight.
    pub(crate) requests: Arc<Requests>,
    http_connections: Arc<HttpConnections>,
    clients: Clients,
    accept_failure: Failure,
    /// True once the sidecar is shutting down; each HTTP connection holds a receiver for as long as it lives.
    draining: watch::Sender<bool>,
    /// True once what is left is cut off.
    cut_off: AtomicBool,
}

impl Shared {
    /// Nobody connected yet.
    #[must_use]
    pub fn new(config: Arc<Config>, workers: Workers) -> Self {
        let observer = Arc::<Observer>::default();
        let files = OpenFiles::of_this_process();
        observer.registry.bound_by_files(files.max_websockets());
        let http_connections = HttpConnections::new(files, Arc::clone(&observer));
        Shared {
            config: ArcSwap::new(config),
            observer,
            http_connections: Arc::new(http_connections),
            clock: Clock::start(),
            workers,
            requests: Arc::default(),
            clients: Clients::default(),
            accept_failure: Failure::default(),
            draining: watch::Sender::new(false),
            cut_off: AtomicBool::new(false),
        }
    }

    /// From now on newcomers on connections that are still open get 503, and HTTP connections end after the request
    /// they are in.
    pub fn refuse_newcomers(&self) {
        self.draining.send_replace(true);
    }

    /// From now on a connection that becomes established is cut off at once; those that are are to be told.
    pub fn cut_off_newcomers(&self) {
        self.cut_off.store(true, Ordering::Release);
    }

    /// Waits until there is no HTTP connection.
    pub async fn http_finished(&self) {
        self.draining.closed().await;
    }

    /// How many a drain waits for: WebSockets, opening handshakes, and plain HTTP.
    #[must_use]
    pub fn remaining(&self) -> usize {
        let registry = &self.observer.registry;
        let admitted = registry.admitted();
        let http = match self.is_draining() {
            false => self.requests.in_flight(),
            // Of HTTP connections only those are left that are in the middle of something, which may be the rest of an
            // answer that the client is slow to take; the ones with an opening handshake are counted already.
            true => {
                let established = usize::try_from(registry.counts().established);
                let opening = admitted.saturating_sub(established.unwrap_or(admitted));
                self.draining.receiver_count().saturating_sub(opening)
            }
        };
        admitted + http
    }

    fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }
}

/// The route that a live connection's request takes under a configuration, which may be another than the one under
/// which it was opened.
#[must_use]
pub fn route_of<'a>(config: &'a Config, handle: &Handle) -> &'a Arc<Route> {
    let (path, host) = (&handle.identity.path, &handle.identity.host);
    let Some(routing) = &handle.routing else {
        return config.route_for(path, host, &[]);
    };
    let offered: Vec<&str> = routing.subprotocols.split(',').collect();
    match &routing.path {
        Some(normal) => config.route_for_normal(normal, host, &offered),
        None => config.route_for(path, host, &offered),
    }
}
