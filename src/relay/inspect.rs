//! Inspecting small messages: unmasking and inflating them, within a budget for each peer.

use std::cell::RefCell;

use crate::protocol::{Inflater, apply_mask};
use crate::time::Time;

thread_local! {
    /// Contains nothing between two calls, so all connections of a thread share it.
    static PLAIN: RefCell<(Vec<u8>, Inflater)> = RefCell::default();
}

/// A message as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Small<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) compressed: bool,
    pub(crate) mask: Option<[u8; 4]>,
}

/// Calls `look` with the plain payload; returns none if it cannot be inflated on its own to at most `max` bytes. Adds
/// the estimated cost of inflating to `cost`, in nanoseconds.
pub(crate) fn with_plain<R>(
    small: &Small<'_>,
    max: usize,
    cost: &mut u32,
    look: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    PLAIN.with_borrow_mut(|(plain, inflater)| {
        plain.clear();
        plain.extend_from_slice(small.payload);
        if let Some(key) = small.mask {
            apply_mask(plain, key, 0);
        }
        if !small.compressed {
            return Some(look(plain));
        }
        let looked = inflater.inflate(plain, max).map(look);
        *cost = cost.saturating_add(inflater.cost());
        looked
    })
}

/// The budget for inspecting one peer's messages: 10 ms a second, with a burst of twice that. That is about 500
/// compressed messages or several thousand others, far more than any heartbeat needs; without it, a client that sends
/// nothing but small messages would keep a core busy.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// Nanoseconds; negative if the last message cost more than was left.
    left: i64,
    refilled: Time,
}

/// Nanoseconds in a microsecond.
const RATE: i64 = 10;
const CAPACITY: i64 = 2 * 1_000_000 * RATE;

impl Allowance {
    pub(crate) fn new(now: Time) -> Self {
        Allowance {
            left: CAPACITY,
            refilled: now,
        }
    }

    /// Whether another message may be inspected.
    pub(crate) fn has_some(&mut self, now: Time) -> bool {
        let elapsed = i64::try_from(now.since(self.refilled).as_micros()).unwrap_or(i64::MAX);
        let earned = elapsed.saturating_mul(RATE);
        self.left = self.left.saturating_add(earned).min(CAPACITY);
        self.refilled = now;
        self.left > 0
    }

    pub(crate) fn spend(&mut self, cost: u32) {
        self.left = self.left.saturating_sub(cost.into());
    }
}

#[cfg(test)]
mod tests;
