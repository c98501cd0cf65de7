//! The connections of the process: the limits on their number, and a handle for each.
//!
//! A connection takes a [`Permit`] when its opening handshake begins, and with it a place under `limits.max_connections`.
//! It is established when its handle is added, and closed when its closing record is written: then its place is free and
//! its counters are added to those of all closed connections. The permit itself lives until the record is out, because a
//! drain waits for all permits.
//!
//! The registry's lock is taken when a connection opens or closes, and by whoever lists or sums connections. No frame
//! takes it.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::Notify;

use super::aggregates::Aggregates;
use super::handle::Handle;
use super::ip_group::ip_group;
use super::lock::lock;
use crate::config::ProcessLimits;
use crate::session::Cause;

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `limits.max_connections`.
    OverCapacity,
    /// `limits.max_connections_per_ip`.
    OverCapacityIp,
    /// The limit of open files leaves no room.
    OverFiles,
}

/// Numbers of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Established now.
    pub established: u64,
    /// Established since the process began.
    pub opened: u64,
    /// Ended since the process began.
    pub closed: u64,
}

/// All connections of the process.
#[derive(Debug, Default)]
pub struct Registry {
    state: Mutex<State>,
    emptied: Notify,
    /// How many connections the limit of open files leaves room for.
    max_by_files: OnceLock<usize>,
}

#[derive(Debug, Default)]
struct State {
    /// Connections that are opening or established.
    admitted: usize,
    /// The admitted connections, and those whose closing record is being written.
    permits: usize,
    by_ip: HashMap<IpAddr, usize>,
    established: HashSet<ById>,
    /// The sums over closed connections, and how many were opened.
    aggregates: Aggregates,
}

/// A handle in a set that is keyed by the connection's id.
#[derive(Debug)]
struct ById(Arc<Handle>);

impl Borrow<str> for ById {
    fn borrow(&self) -> &str {
        &self.0.identity.conn
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &ById) -> bool {
        self.0.identity.conn == other.0.identity.conn
    }
}

impl Eq for ById {}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.identity.conn.hash(state);
    }
}

impl Registry {
    /// Admits a connection whose opening handshake begins. `ip` is `None` for a client on a Unix socket.
    ///
    /// # Errors
    /// A limit is reached.
    pub fn admit(
        self: &Arc<Self>,
        ip: Option<IpAddr>,
        limits: &ProcessLimits,
    ) -> Result<Permit, Refusal> {
        let ip = ip.map(ip_group);
        let mut state = lock(&self.state);
        if limits
            .max_connections
            .is_some_and(|max| state.admitted >= max)
        {
            return Err(Refusal::OverCapacity);
        }
        let max_by_files = self.max_by_files.get();
        if max_by_files.is_some_and(|max| state.admitted >= *max) {
            return Err(Refusal::OverFiles);
        }
        if let Some(ip) = ip {
            let here = state.by_ip.get(&ip).copied().unwrap_or_default();
            if limits.max_connections_per_ip.is_some_and(|max| here >= max) {
                return Err(Refusal::OverCapacityIp);
            }
            state.by_ip.insert(ip, here + 1);
        }
        state.admitted += 1;
        state.permits += 1;
        Ok(Permit {
            registry: Arc::clone(self),
            ip,
            handle: None,
            is_admitted: true,
        })
    }

    /// Limits the number of connections by the limit of open files as well. Can be set once.
    pub(crate) fn limit_by_open_files(&self, max: usize) {
        // The limit of a process does not change.
        let _ = self.max_by_files.set(max);
    }

    /// Every established connection.
    #[must_use]
    pub fn established(&self) -> Vec<Arc<Handle>> {
        lock(&self.state).handles()
    }

    /// Sums over all connections, established and closed. Walks over the established ones.
    #[must_use]
    pub fn aggregates(&self) -> Aggregates {
        let (mut aggregates, living) = self.snapshot();
        // Without the lock, which the workers need. A connection that closes now was not closed in the snapshot, so that
        // it is counted once.
        aggregates.add_established(&living);
        aggregates
    }

    /// The sums over closed connections and the established ones, at one moment.
    fn snapshot(&self) -> (Aggregates, Vec<Arc<Handle>>) {
        let state = lock(&self.state);
        (state.aggregates.clone(), state.handles())
    }

    /// The established connection with this id.
    #[must_use]
    pub fn find(&self, conn: &str) -> Option<Arc<Handle>> {
        let state = lock(&self.state);
        let found = state.established.get(conn)?;
        Some(Arc::clone(&found.0))
    }

    /// Numbers of connections, without a walk over them.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let state = lock(&self.state);
        Counts {
            established: state.established.len() as u64,
            opened: state.aggregates.opened.values().sum(),
            closed: state.aggregates.closed.values().sum(),
        }
    }

    /// How many connections are opening or established.
    #[must_use]
    pub fn admitted(&self) -> usize {
        lock(&self.state).admitted
    }

    /// Waits until no connection is left and every closing record is out.
    pub async fn wait_until_empty(&self) {
        loop {
            let notified = self.emptied.notified();
            if lock(&self.state).permits == 0 {
                return;
            }
            notified.await;
        }
    }
}

impl State {
    fn handles(&self) -> Vec<Arc<Handle>> {
        let handles = self.established.iter();
        handles.map(|handle| Arc::clone(&handle.0)).collect()
    }

    fn release(&mut self, ip: Option<IpAddr>) {
        self.admitted -= 1;
        if let Some(ip) = ip
            && let Some(count) = self.by_ip.get_mut(&ip)
        {
            *count -= 1;
            if *count == 0 {
                self.by_ip.remove(&ip);
            }
        }
    }
}

/// A connection's place under the limits. It is free when the connection is closed, or when this is dropped.
#[derive(Debug)]
pub struct Permit {
    registry: Arc<Registry>,
    ip: Option<IpAddr>,
    /// Set while the connection is established.
    handle: Option<Arc<Handle>>,
    is_admitted: bool,
}

impl Permit {
    /// Adds the connection to the established ones.
    pub fn establish(&mut self, handle: &Arc<Handle>) {
        let mut state = lock(&self.registry.state);
        state.aggregates.opened(handle);
        state.established.insert(ById(Arc::clone(handle)));
        self.handle = Some(Arc::clone(handle));
    }

    /// Moves the connection to the closed ones and frees its place.
    pub fn closed(&mut self, cause: Cause) {
        let mut state = lock(&self.registry.state);
        if std::mem::take(&mut self.is_admitted) {
            state.release(self.ip);
        }
        if let Some(handle) = self.handle.take() {
            state.established.remove(&*handle.identity.conn);
            state.aggregates.closed(&handle, cause);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = lock(&self.registry.state);
        if self.is_admitted {
            state.release(self.ip);
        }
        if let Some(handle) = &self.handle {
            state.established.remove(&*handle.identity.conn);
        }
        state.permits -= 1;
        if state.permits == 0 {
            self.registry.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
