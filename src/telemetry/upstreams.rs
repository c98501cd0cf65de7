//! Which backends can be reached, as far as is known.

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
    /// Whether it took the last connection.
    pub up: bool,
    /// Since when that is so.
    pub since: SystemTime,
    /// Why it is down: what the system says, or that it was not tried yet.
    pub detail: Option<Box<str>>,
}

/// All backends that the configuration names, in its order.
#[derive(Debug, Default)]
pub struct Upstreams {
    known: Mutex<Vec<Known>>,
    /// Whether a success is news to anybody: one load for each that is none.
    any_down: AtomicBool,
    /// Notified whenever something may have become known.
    changed: Notify,
}

#[derive(Debug)]
struct Known {
    upstream: Upstream,
    mode: HealthMode,
    /// Before, it is neither up nor down.
    tried: bool,
}

/// What an outcome comes from.
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
    /// After so long.
    Up(Duration),
}

impl Upstreams {
    /// From now on these are the backends; what is known of them stays.
    pub fn follow(&self, backends: &[(String, HealthMode)]) {
        let mut known = self.lock();
        let mut old = std::mem::take(&mut *known);
        for (address, mode) in backends {
            let at = old.iter().position(|it| *it.upstream.address == **address);
            let before = at.map(|at| old.swap_remove(at));
            // Of a backend that was only taken to be up, nothing is known; nor is one that counts as up ever down.
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

    /// Whether a backend is up, as far as is known.
    #[must_use]
    pub fn is_up(&self, address: &str) -> bool {
        let known = self.lock();
        let mut known = known.iter();
        known.any(|it| *it.upstream.address == *address && it.upstream.up)
    }

    /// Waits until a backend is not up.
    pub async fn wait_until_down(&self, address: &str) {
        loop {
            let changed = self.changed.notified();
            if !self.is_up(address) {
                return;
            }
            changed.await;
        }
    }

    /// What is known of each.
    #[must_use]
    pub fn all(&self) -> Vec<Upstream> {
        let known = self.lock();
        known.iter().map(|it| it.upstream.clone()).collect()
    }

    /// A connection to a backend came about, or failed for this reason. What is new about that, if anything.
    pub(super) fn tried(
        &self,
        address: &str,
        outcome: Result<(), &str>,
        evidence: Evidence,
    ) -> Option<Change> {
        let mut known = self.lock();
        let it = known
            .iter_mut()
            .find(|it| *it.upstream.address == *address)?;
        if !it.believes(outcome, evidence) {
            return None;
        }
        let change = it.tried(outcome, SystemTime::now());
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

    /// Whether an outcome counts. One that nothing is tried of must not be found down: readiness would keep the clients
    /// away with whom it could be found up again. And one whose answers count is not up because it takes connections.
    fn believes(&self, outcome: Result<(), &str>, evidence: Evidence) -> bool {
        match (self.mode, evidence) {
            (HealthMode::Off, _) => false,
            (HealthMode::Http, Evidence::Connection) => outcome.is_err(),
            (HealthMode::Http | HealthMode::Tcp | HealthMode::Passive, _) => true,
        }
    }

    fn tried(&mut self, outcome: Result<(), &str>, now: SystemTime) -> Option<Change> {
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
            // A clock that was set back has nothing to say of how long it was.
            (true, false) => Some(Change::Up(now.duration_since(since).unwrap_or_default())),
            (false, _) => Some(Change::Down),
        }
    }
}

#[cfg(test)]
mod tests;
