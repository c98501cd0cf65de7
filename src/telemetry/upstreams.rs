//! Which backends are up, as far as is known.
//!
//! What is known comes from dialled connections and from health checks. The mode of `upstream.health` decides which of
//! them count: with `http` a connection alone proves nothing, and with `off` a backend is always taken to be up.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use super::lock::lock;
use crate::config::HealthMode;

/// One backend's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// As in logs.
    pub address: Box<str>,
    /// Whether it accepted the last connection or passed the last health check.
    pub up: bool,
    /// When `up` last changed.
    pub since: SystemTime,
    /// Why it is down: the system's error, or that it has not been tried yet.
    pub detail: Option<Box<str>>,
}

/// The backends of the configuration, in its order.
#[derive(Debug, Default)]
pub struct Upstreams {
    known: Mutex<Vec<Known>>,
    /// Whether any backend is down. Spares the lock when a connection succeeds and all are up.
    any_down: AtomicBool,
    /// Notified after every change.
    changed: Notify,
}

#[derive(Debug)]
struct Known {
    upstream: Upstream,
    mode: HealthMode,
    /// False until something is known of it.
    tried: bool,
}

/// Where an outcome comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A connection that was dialled for a client.
    Connection,
    /// A health check.
    Check,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Down,
    /// How long it was down.
    Up(Duration),
}

impl Upstreams {
    /// Sets the backends. What is known of those that stay is kept.
    pub fn follow(&self, backends: &[(String, HealthMode)]) {
        let mut known = self.lock();
        let mut old = std::mem::take(&mut *known);
        for (address, mode) in backends {
            let at = old.iter().position(|it| *it.upstream.address == **address);
            let before = at.map(|at| old.swap_remove(at));
            // Nothing is known of a backend that was only taken to be up, and one that will be taken to be up is not down.
            let is_assumed = |mode| mode == HealthMode::Off;
            let before = before.filter(|it| is_assumed(it.mode) == is_assumed(*mode));
            known.push(match before {
                Some(before) => Known {
                    mode: *mode,
                    ..before
                },
                None => Known::new(address, *mode),
            });
        }
        self.remember(&known);
    }

    /// Whether a backend is up.
    #[must_use]
    pub fn is_up(&self, address: &str) -> bool {
        let known = self.lock();
        let mut known = known.iter();
        known.any(|it| *it.upstream.address == *address && it.upstream.up)
    }

    /// Waits until a backend is down.
    pub async fn wait_until_down(&self, address: &str) {
        loop {
            let changed = self.changed.notified();
            if !self.is_up(address) {
                return;
            }
            changed.await;
        }
    }

    /// Every backend.
    #[must_use]
    pub fn all(&self) -> Vec<Upstream> {
        let known = self.lock();
        known.iter().map(|it| it.upstream.clone()).collect()
    }

    /// Records an outcome. Returns what has changed.
    pub(super) fn record(
        &self,
        address: &str,
        outcome: Result<(), &str>,
        evidence: Evidence,
    ) -> Option<Change> {
        let mut known = self.lock();
        let it = known
            .iter_mut()
            .find(|it| *it.upstream.address == *address)?;
        if !it.counts(outcome, evidence) {
            return None;
        }
        let change = it.record(outcome, SystemTime::now());
        self.remember(&known);
        change
    }

    pub(super) fn any_down(&self) -> bool {
        self.any_down.load(Relaxed)
    }

    fn remember(&self, known: &[Known]) {
        let any_down = known.iter().any(|it| !it.upstream.up);
        self.any_down.store(any_down, Relaxed);
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        lock(&self.known)
    }
}

impl Known {
    fn new(address: &str, mode: HealthMode) -> Self {
        let is_assumed = mode == HealthMode::Off;
        Known {
            upstream: Upstream {
                address: address.into(),
                up: is_assumed,
                since: SystemTime::now(),
                detail: (!is_assumed).then(|| "not tried yet".into()),
            },
            mode,
            tried: false,
        }
    }

    /// Whether an outcome counts. A backend that is never checked must not be found down: without clients, which an
    /// unready process does not get, it could not be found up again.
    fn counts(&self, outcome: Result<(), &str>, evidence: Evidence) -> bool {
        match (self.mode, evidence) {
            (HealthMode::Off, _) => false,
            (HealthMode::Http, Evidence::Connection) => outcome.is_err(),
            (HealthMode::Http | HealthMode::Tcp | HealthMode::Passive, _) => true,
        }
    }

    fn record(&mut self, outcome: Result<(), &str>, now: SystemTime) -> Option<Change> {
        let it = &mut self.upstream;
        let first = !std::mem::replace(&mut self.tried, true);
        let was_up = std::mem::replace(&mut it.up, outcome.is_ok());
        it.detail = outcome.err().map(Into::into);
        if was_up == it.up && !first {
            return None;
        }
        let since = std::mem::replace(&mut it.since, now);
        match (it.up, first) {
            (true, true) => None,
            // Zero if the clock was set back.
            (true, false) => Some(Change::Up(now.duration_since(since).unwrap_or_default())),
            (false, _) => Some(Change::Down),
        }
    }
}

#[cfg(test)]
mod tests;
