//! What every task of the process shares.

pub(crate) mod requests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::config::{Config, Route};
use crate::net::clock::Clock;
use crate::net::http_connections::HttpConnections;
use crate::net::open_files::OpenFiles;
use crate::net::workers::Workers;
use crate::telemetry::{Handle, Observer};
use requests::Requests;

/// What every task of a process shares.
pub struct Context {
    /// The configuration in force.
    pub config: ArcSwap<Config>,
    /// Publishes events.
    pub observer: Arc<Observer>,
    /// The data path's time.
    pub clock: Clock,
    /// The threads that connections run on.
    pub workers: Workers,
    /// Plain HTTP in flight.
    pub(crate) requests: Arc<Requests>,
    pub(crate) http_connections: Arc<HttpConnections>,
    /// True once the sidecar is shutting down; each HTTP connection holds a receiver for as long as it lives.
    pub(crate) draining: watch::Sender<bool>,
    /// True once the drain is over and what is left is aborted.
    pub(crate) aborting: AtomicBool,
}

impl Context {
    /// Without connections yet.
    #[must_use]
    pub fn new(config: Arc<Config>, workers: Workers) -> Self {
        let observer = Arc::<Observer>::default();
        let files = OpenFiles::of_this_process();
        observer
            .registry
            .limit_by_open_files(files.max_websockets());
        let http_connections = HttpConnections::new(files, Arc::clone(&observer));
        Context {
            config: ArcSwap::new(config),
            observer,
            http_connections: Arc::new(http_connections),
            clock: Clock::start(),
            workers,
            requests: Arc::default(),
            draining: watch::Sender::new(false),
            aborting: AtomicBool::new(false),
        }
    }

    /// From now on opening handshakes get 503, and HTTP connections end after the request they are in.
    pub fn refuse_new_connections(&self) {
        self.draining.send_replace(true);
    }

    /// From now on a connection is aborted as soon as it is established. The caller aborts those that are already.
    pub fn abort_new_connections(&self) {
        self.aborting.store(true, Ordering::Release);
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

    pub(crate) fn is_draining(&self) -> bool {
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
