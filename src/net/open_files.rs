//! A budget for open files, so that connections never take the last one.
//!
//! Every client connection may need two files: its own socket, and one to the backend. Only so many clients are accepted
//! that both fit, whatever they ask for, and a part of the limit is kept for everything else: probes, the admin
//! listeners, health checks, name lookups, the log, the configuration. The counts are those of sockets that exist, not
//! of connections that are registered, because a connection whose closing handshake is done may keep its sockets for a
//! while.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustix::process::{Resource, getrlimit};

/// Files that are kept for the process itself, at least: its listeners, its threads, its outputs.
const PROCESS: usize = 64;
/// The most that is kept beyond that for probes, scrapes, operators and health checks: the listeners of metrics and of
/// the admin API have 64 connections each.
const MANAGEMENT: usize = 160;
/// Clients that can connect however many WebSockets there are: they get a 503 instead of waiting in vain.
const SPARE_CLIENTS: usize = 32;

/// The files that connections may have open.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    limit: usize,
    clients: Arc<AtomicUsize>,
    upstreams: Arc<AtomicUsize>,
}

/// One open socket, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenFile(Arc<AtomicUsize>);

impl OpenFile {
    fn count(of: &Arc<AtomicUsize>) -> OpenFile {
        of.fetch_add(1, Relaxed);
        OpenFile(Arc::clone(of))
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl OpenFiles {
    /// Within the limit that this process has now.
    pub(crate) fn of_this_process() -> Self {
        let limit = getrlimit(Resource::Nofile).current;
        OpenFiles::within(limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)))
    }

    /// Within a limit of the process; none: without one.
    pub(crate) fn within(limit: Option<usize>) -> Self {
        OpenFiles {
            limit: limit.map_or(usize::MAX, for_connections),
            clients: Arc::default(),
            upstreams: Arc::default(),
        }
    }

    /// A client's socket.
    pub(crate) fn client(&self) -> OpenFile {
        OpenFile::count(&self.clients)
    }

    /// A socket to a backend.
    pub(crate) fn upstream(&self) -> OpenFile {
        OpenFile::count(&self.upstreams)
    }

    /// Whether another client, and a socket to the backend for each client, fit. `leaving`: clients that are about to
    /// close their socket.
    pub(crate) fn has_room_for_client(&self, leaving: usize) -> bool {
        let clients = self.clients.load(Relaxed).saturating_sub(leaving) + 1;
        let upstreams = self.upstreams.load(Relaxed);
        clients.saturating_add(clients.max(upstreams)) <= self.limit
    }

    /// Whether another socket to a backend fits.
    pub(crate) fn has_room_for_upstream(&self, leaving: usize) -> bool {
        let clients = self.clients.load(Relaxed).saturating_sub(leaving);
        clients + self.upstreams.load(Relaxed) < self.limit
    }

    /// How many WebSockets fit.
    pub(crate) fn max_websockets(&self) -> usize {
        let clients = self.limit / 2;
        clients - spare_clients(clients)
    }
}

/// The part of a limit that is for connections.
fn for_connections(limit: usize) -> usize {
    let kept = PROCESS + (limit / 3).min(MANAGEMENT);
    limit.saturating_sub(kept).max(limit / 2)
}

fn spare_clients(clients: usize) -> usize {
    SPARE_CLIENTS.min(clients / 8)
}

/// The lowest limit of open files under which this many WebSockets fit.
pub(crate) fn needed_for(websockets: usize) -> usize {
    let fits = |limit: usize| OpenFiles::within(Some(limit)).max_websockets() >= websockets;
    let (mut low, mut high) = (0, 16);
    while !fits(high) && high < usize::MAX / 2 {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match fits(middle) {
            true => high = middle,
            false => low = middle,
        }
    }
    high
}

#[cfg(test)]
mod tests;
