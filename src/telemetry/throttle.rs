//! For events that may happen a thousand times a second and are logged every ten seconds.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::lock::lock;

/// The shortest time between two that are let through.
const INTERVAL: Duration = Duration::from_secs(10);

/// Lets the first of many through, and then one in each interval, with the count of those that it stands for.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the last one went through.
    last: Option<Instant>,
    held_back: u64,
}

impl Throttle {
    /// Counts one. Returns `None` if it is held back, and otherwise how many there were since the last one that was let
    /// through, this one included.
    pub(super) fn count(&self, now: Instant) -> Option<u64> {
        let mut state = lock(&self.state);
        state.held_back += 1;
        let is_early = |last| now.saturating_duration_since(last) < INTERVAL;
        if state.last.is_some_and(is_early) {
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests;
