//! The data path's IO.
//!
//! | file | does |
//! |---|---|
//! | `listener` | accepts, and backs off when the system refuses |
//! | `connection` | one accepted connection: its request heads, and which way each request goes |
//! | `upgrade` | opening handshakes on both sides |
//! | `opening` | one opening handshake's record, told however it ends |
//! | `http` | requests that open no WebSocket |
//! | `headers` | what of a head is passed on |
//! | `upstream` | dialling |
//! | `established` | the task of one WebSocket connection, from its 101 to its closing record |
//! | `relay`, `side`, `outbox` | the relay itself |
//! | `stream`, `clock` | sockets and time |

pub mod clock;
mod connection;
mod established;
mod headers;
mod http;
pub mod listener;
mod opening;
mod outbox;
mod relay;
mod respond;
mod side;
pub mod stream;
mod upgrade;
mod upstream;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};

use crate::config::policy::{Config, Route};
use crate::observe::{Handle, Registry};
use clock::Clock;
use http::Clients;

/// What every connection of a process shares.
pub struct Shared {
    /// The configuration in force.
    pub config: ArcSwap<Config>,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// The data path's time.
    pub clock: Clock,
    clients: Clients,
    /// None: shut down.
    graceful: Mutex<Option<GracefulShutdown>>,
    draining: AtomicBool,
}

impl Shared {
    /// Nobody connected yet.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Shared {
            config: ArcSwap::new(config),
            registry: Arc::default(),
            clock: Clock::start(),
            clients: Clients::default(),
            graceful: Mutex::new(Some(GracefulShutdown::new())),
            draining: AtomicBool::new(false),
        }
    }

    /// Newcomers on connections that are still open get 503 from now on.
    pub fn refuse_newcomers(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Lets every HTTP connection finish the request it is in, and waits for them.
    pub async fn finish_http(&self) {
        let graceful = self.graceful.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(graceful) = graceful {
            graceful.shutdown().await;
        }
    }

    fn watcher(&self) -> Option<Watcher> {
        self.graceful.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(GracefulShutdown::watcher)
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

/// The route that a live connection's request takes under a configuration, which may be another than the one under
/// which it was opened.
#[must_use]
pub fn route_of<'a>(config: &'a Config, handle: &Handle) -> &'a Arc<Route> {
    let offered: Vec<&str> = handle.offered_subprotocols.iter().map(|offer| &**offer).collect();
    config.route_for(&handle.identity.path, &handle.identity.host, &offered)
}
