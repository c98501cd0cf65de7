//! Client connections that are not WebSockets, or not yet: how many there may be, and which one is dropped for another.
//!
//! Each has an entry here from its acceptance until it ends or has become a WebSocket. It is *silent* while it has no
//! request in progress: until the first whole request head, and between two requests. When a limit is reached, the
//! connection that has been silent for longest is dropped, so that a client that sends nothing, or its head byte by
//! byte, makes room for one that sends a request. Only if none is silent is the new connection refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::open_files::{OpenFile, OpenFiles};
use crate::config::ProcessLimits;
use crate::telemetry::{HandshakeFailure, Observer, Refusal, ip_group};

/// Memory for unfinished request heads in all: a thousand of the longest that are allowed by default. Beyond it, the
/// oldest of them are dropped.
const UNFINISHED_HEADS: usize = 16 << 20;
/// How many dropped connections may still have their sockets before accepting waits for them.
const LEAVING: usize = 8;
/// How long accepting waits for them; their threads may be busy.
const LEAVING_TIME: Duration = Duration::from_millis(50);
/// The shortest time between two log lines about dropped connections.
const REPORT_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct HttpConnections {
    state: Mutex<State>,
    pub(crate) files: OpenFiles,
    observer: Arc<Observer>,
    left: Notify,
    shed: Mutex<Shed>,
}

#[derive(Debug, Default)]
struct State {
    connections: usize,
    /// Of those, the ones that were dropped and have not closed their socket yet.
    leaving: usize,
    next_key: u64,
    /// In the order in which they became silent.
    silent: BTreeMap<u64, Arc<Entry>>,
    /// Those of the silent ones that hold a part of a head.
    unfinished: BTreeSet<u64>,
    /// How many bytes these hold in all.
    held: usize,
    addresses: HashMap<IpAddr, Address>,
}

#[derive(Debug, Default)]
struct Address {
    connections: usize,
    leaving: usize,
    silent: BTreeSet<u64>,
}

#[derive(Debug)]
struct Entry {
    address: Option<IpAddr>,
    /// The key in `silent`; 0 while a request is in progress. Written under the lock only.
    key: AtomicU64,
    /// Bytes of an unfinished head. Written under the lock only.
    held: AtomicUsize,
    /// Whether a request has been in progress.
    had_request: AtomicBool,
    /// Why it is dropped. Written under the lock only.
    dropped: OnceLock<HandshakeFailure>,
    drop: Notify,
}

/// Connections that were dropped and refused since the last log line.
#[derive(Debug, Default)]
struct Shed {
    reporting: bool,
    dropped: u64,
    refused: u64,
}

impl HttpConnections {
    pub(crate) fn new(files: OpenFiles, observer: Arc<Observer>) -> Self {
        HttpConnections {
            state: Mutex::default(),
            files,
            observer,
            left: Notify::new(),
            shed: Mutex::default(),
        }
    }

    /// Enters a connection that was accepted. When a limit is reached, the longest silent one is dropped for it.
    ///
    /// # Errors
    /// A limit is reached, and every connection has a request in progress.
    pub(crate) fn admit(
        self: &Arc<Self>,
        ip: Option<IpAddr>,
        limits: &ProcessLimits,
    ) -> Result<(Place, OpenFile), Refusal> {
        let address = ip.map(ip_group);
        let mut dropped = 0;
        let admitted = self.enter(address, limits, &mut dropped);
        let refusal = admitted.as_ref().err().copied();
        if dropped > 0 || refusal.is_some() {
            self.report(dropped, u64::from(refusal.is_some()));
        }
        if let Some(refusal) = refusal {
            self.observer.connection_refused(failure(refusal));
        }
        admitted
    }

    fn enter(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        limits: &ProcessLimits,
        dropped: &mut u64,
    ) -> Result<(Place, OpenFile), Refusal> {
        let mut state = self.lock();
        if let (Some(address), Some(max)) = (address, limits.max_http_connections_per_ip) {
            while state.staying_of(address) >= max {
                let oldest = state.oldest_of(address).ok_or(Refusal::OverCapacityIp)?;
                *dropped +=
                    u64::from(self.drop_one(&mut state, oldest, HandshakeFailure::OverCapacityIp));
            }
        }
        let max = limits.max_http_connections.unwrap_or(usize::MAX);
        while state.connections - state.leaving >= max
            || !self.files.has_room_for_client(state.leaving)
        {
            let oldest = state.silent.keys().next().copied();
            let oldest = oldest.ok_or(Refusal::OverCapacity)?;
            *dropped +=
                u64::from(self.drop_one(&mut state, oldest, HandshakeFailure::OverCapacity));
        }
        let entry = Arc::new(Entry {
            address,
            key: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            had_request: AtomicBool::new(false),
            dropped: OnceLock::new(),
            drop: Notify::new(),
        });
        state.connections += 1;
        if let Some(address) = address {
            state.addresses.entry(address).or_default().connections += 1;
        }
        state.becomes_silent(&entry);
        let table = Arc::clone(self);
        Ok((Place { table, entry }, self.files.client()))
    }

    /// Makes room for a socket to a backend, and counts it.
    ///
    /// # Errors
    /// There is no room, and every client has a request in progress.
    pub(crate) fn upstream(self: &Arc<Self>) -> Result<OpenFile, Refusal> {
        let mut state = self.lock();
        if !self.files.has_room_for_upstream(state.leaving) {
            let oldest = state.silent.keys().next().copied();
            let oldest = oldest.ok_or(Refusal::OverFiles)?;
            let failure = HandshakeFailure::OverCapacity;
            let dropped = u64::from(self.drop_one(&mut state, oldest, failure));
            drop(state);
            self.report(dropped, 0);
        }
        Ok(self.files.upstream())
    }

    /// Drops a silent connection, because the system has no file left although there should be some. Whether there was
    /// one.
    pub(crate) fn drop_oldest(self: &Arc<Self>) -> bool {
        let mut state = self.lock();
        let Some(oldest) = state.silent.keys().next().copied() else {
            return false;
        };
        let dropped = self.drop_one(&mut state, oldest, HandshakeFailure::OverCapacity);
        drop(state);
        self.report(u64::from(dropped), 0);
        true
    }

    /// Waits while many dropped connections still have their sockets.
    pub(crate) async fn settled(&self) {
        // A busy thread must not keep others from being accepted.
        let _ = timeout(LEAVING_TIME, async {
            loop {
                let left = self.left.notified();
                if self.lock().leaving <= LEAVING {
                    return;
                }
                left.await;
            }
        })
        .await;
    }

    /// Whether it had no request yet, so that it counts as failed.
    fn drop_one(&self, state: &mut State, key: u64, why: HandshakeFailure) -> bool {
        let Some(entry) = state.silent.get(&key).map(Arc::clone) else {
            return false;
        };
        state.is_silent_no_more(&entry);
        state.leaving += 1;
        if let Some(address) = state.address_of(&entry) {
            address.leaving += 1;
        }
        // It is dropped once: whoever is dropped is silent no more.
        let _ = entry.dropped.set(why);
        entry.drop.notify_one();
        let is_failure = !entry.had_request.load(Relaxed);
        if is_failure {
            self.observer.connection_refused(why);
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under it can panic half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs it soon, together with what follows: under attack there may be thousands.
    fn report(self: &Arc<Self>, dropped: u64, refused: u64) {
        let mut shed = self.shed.lock().unwrap_or_else(PoisonError::into_inner);
        shed.dropped += dropped;
        shed.refused += refused;
        if !shed.reporting {
            shed.reporting = true;
            drop(tokio::spawn(Arc::clone(self).report_until_quiet()));
        }
    }

    async fn report_until_quiet(self: Arc<Self>) {
        sleep(Duration::from_secs(1)).await;
        while let Some((dropped, refused)) = self.take_shed() {
            let connections = self.lock().connections;
            tracing::warn!(
                event = "connections_dropped",
                dropped,
                refused,
                connections,
                "{dropped} client connections without a request in progress were dropped for others, {refused} were \
                 refused, {connections} are no WebSocket: limits.max_http_connections, its _per_ip, or the limit of open \
                 files (LimitNOFILE, ulimit -n) is reached"
            );
            sleep(REPORT_EVERY).await;
        }
    }

    /// None if nothing happened since.
    fn take_shed(&self) -> Option<(u64, u64)> {
        let mut shed = self.shed.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = (shed.dropped, shed.refused);
        (shed.dropped, shed.refused) = (0, 0);
        shed.reporting = taken != (0, 0);
        shed.reporting.then_some(taken)
    }
}

fn failure(refusal: Refusal) -> HandshakeFailure {
    match refusal {
        Refusal::OverCapacityIp => HandshakeFailure::OverCapacityIp,
        Refusal::OverCapacity | Refusal::OverFiles => HandshakeFailure::OverCapacity,
    }
}

impl State {
    fn becomes_silent(&mut self, entry: &Arc<Entry>) {
        self.next_key += 1;
        let key = self.next_key;
        entry.key.store(key, Relaxed);
        self.silent.insert(key, Arc::clone(entry));
        if let Some(address) = self.address_of(entry) {
            address.silent.insert(key);
        }
    }

    fn is_silent_no_more(&mut self, entry: &Entry) {
        self.holds(entry, 0);
        let key = entry.key.swap(0, Relaxed);
        self.silent.remove(&key);
        if let Some(address) = self.address_of(entry) {
            address.silent.remove(&key);
        }
    }

    fn holds(&mut self, entry: &Entry, bytes: usize) {
        let before = entry.held.swap(bytes, Relaxed);
        self.held = self.held - before + bytes;
        let key = entry.key.load(Relaxed);
        match (before, bytes) {
            (0, 0) => {}
            (0, _) => drop(self.unfinished.insert(key)),
            (_, 0) => drop(self.unfinished.remove(&key)),
            _ => {}
        }
    }

    fn staying_of(&self, address: IpAddr) -> usize {
        let address = self.addresses.get(&address);
        address.map_or(0, |address| address.connections - address.leaving)
    }

    fn oldest_of(&self, address: IpAddr) -> Option<u64> {
        self.addresses.get(&address)?.silent.first().copied()
    }

    fn address_of(&mut self, entry: &Entry) -> Option<&mut Address> {
        self.addresses.get_mut(&entry.address?)
    }
}

/// A connection's entry, which is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    table: Arc<HttpConnections>,
    entry: Arc<Entry>,
}

impl Place {
    /// A request begins; false if the connection was dropped just before.
    pub(crate) fn begin_request(&self) -> bool {
        self.entry.had_request.store(true, Relaxed);
        let mut state = self.table.lock();
        state.is_silent_no_more(&self.entry);
        self.entry.dropped.get().is_none()
    }

    /// No request is in progress any more.
    pub(crate) fn end_request(&self) {
        let mut state = self.table.lock();
        let is_silent = self.entry.key.load(Relaxed) != 0;
        if !is_silent && self.entry.dropped.get().is_none() {
            state.becomes_silent(&self.entry);
        }
    }

    /// This many bytes of an unfinished request head are held. Beyond [`UNFINISHED_HEADS`], the oldest connections that
    /// hold any are dropped.
    pub(crate) fn hold(&self, bytes: usize) {
        let mut state = self.table.lock();
        if self.entry.key.load(Relaxed) == 0 {
            return;
        }
        state.holds(&self.entry, bytes);
        let mut dropped = 0;
        while state.held > UNFINISHED_HEADS
            && let Some(oldest) = state.unfinished.first().copied()
        {
            let failure = HandshakeFailure::OverCapacity;
            dropped += u64::from(self.table.drop_one(&mut state, oldest, failure));
        }
        drop(state);
        if dropped > 0 {
            self.table.report(dropped, 0);
        }
    }

    /// Whether bytes of an unfinished request head are held.
    pub(crate) fn is_holding(&self) -> bool {
        self.entry.held.load(Relaxed) > 0
    }

    /// Whether a request has been in progress.
    pub(crate) fn had_request(&self) -> bool {
        self.entry.had_request.load(Relaxed)
    }

    /// Waits until the connection is to be dropped.
    pub(crate) async fn dropped(&self) {
        while self.entry.dropped.get().is_none() {
            self.entry.drop.notified().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.table.lock();
        state.is_silent_no_more(&self.entry);
        state.connections -= 1;
        let was_dropped = self.entry.dropped.get().is_some();
        state.leaving -= usize::from(was_dropped);
        if let Some(ip) = self.entry.address
            && let Some(address) = state.addresses.get_mut(&ip)
        {
            address.connections -= 1;
            address.leaving -= usize::from(was_dropped);
            if address.connections == 0 {
                state.addresses.remove(&ip);
            }
        }
        if was_dropped {
            self.table.left.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
