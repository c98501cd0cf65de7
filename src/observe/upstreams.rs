//! Which backends can be reached, as far as is known.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

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
}

#[derive(Debug)]
struct Known {
    upstream: Upstream,
    /// Before, it is neither up nor down.
    tried: bool,
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
    pub fn follow(&self, addresses: &[String]) {
        let mut known = self.lock();
        let mut old = std::mem::take(&mut *known);
        for address in addresses {
            let at = old.iter().position(|it| *it.upstream.address == **address);
            known.push(match at {
                Some(at) => old.swap_remove(at),
                None => Known::untried(address),
            });
        }
        self.remember(&known);
    }

    /// What is known of each.
    #[must_use]
    pub fn all(&self) -> Vec<Upstream> {
        let known = self.lock();
        known.iter().map(|it| it.upstream.clone()).collect()
    }

    /// A connection to a backend came about, or failed for this reason. What is new about that, if anything.
    pub(super) fn tried(&self, address: &str, outcome: Result<(), &str>) -> Option<Change> {
        let mut known = self.lock();
        let it = known
            .iter_mut()
            .find(|it| *it.upstream.address == *address)?;
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
    }

    /// A panic elsewhere leaves the list whole.
    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn untried(address: &str) -> Self {
        Known {
            upstream: Upstream {
                address: address.into(),
                up: false,
                since: SystemTime::now(),
                detail: Some("not tried yet".into()),
            },
            tried: false,
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
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_news() {
        let upstreams = Upstreams::default();
        assert!(!upstreams.any_down());
        upstreams.follow(&["a".to_owned(), "b".to_owned()]);
        assert!(upstreams.any_down(), "none of them was tried");
        assert_eq!(upstreams.tried("a", Ok(())), None);
        assert_eq!(upstreams.tried("b", Err("refused")), Some(Change::Down));
        assert_eq!(upstreams.tried("b", Err("no route")), None);
        let b = &upstreams.all()[1];
        assert_eq!((b.up, b.detail.as_deref()), (false, Some("no route")));
        assert!(matches!(upstreams.tried("b", Ok(())), Some(Change::Up(_))));
        assert!(!upstreams.any_down());
        assert_eq!(upstreams.all()[1].detail, None);
        assert_eq!(upstreams.tried("a", Ok(())), None);
        assert_eq!(upstreams.tried("c", Err("of no route any more")), None);
    }

    #[test]
    fn what_is_known_survives_a_reload() {
        let upstreams = Upstreams::default();
        upstreams.follow(&["a".to_owned(), "b".to_owned()]);
        upstreams.tried("a", Ok(()));
        upstreams.tried("b", Err("refused"));
        let before = upstreams.all();
        upstreams.follow(&["c".to_owned(), "b".to_owned(), "a".to_owned()]);
        let after = upstreams.all();
        assert_eq!([&after[2], &after[1]], [&before[0], &before[1]]);
        assert_eq!(after[0].detail.as_deref(), Some("not tried yet"));
        upstreams.follow(&["a".to_owned()]);
        assert!(!upstreams.any_down());
    }
}
