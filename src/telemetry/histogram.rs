//! A histogram of durations that is written by many threads and read by others.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Durations in buckets.
#[derive(Debug)]
pub(super) struct Histogram {
    /// Upper bounds in microseconds, ascending.
    bounds: &'static [u64],
    /// One for each bound, and one for what is longer than all of them.
    counts: Box<[AtomicU64]>,
    /// Microseconds.
    sum: AtomicU64,
}

/// The counts of a histogram at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// An upper bound in seconds, and how many took at most this long; the last bound is infinite.
    pub up_to: Vec<(f64, u64)>,
    /// All of them together, in seconds.
    pub sum: f64,
}

impl Histogram {
    /// Nothing observed; `bounds` are microseconds, ascending.
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        Histogram {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    pub(super) fn observe(&self, duration: Duration) {
        let micros = (duration.as_nanos() + 500) / 1000;
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        let bucket = self.bounds.partition_point(|bound| *bound < micros);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(micros, Relaxed);
    }

    /// The counts so far.
    pub(super) fn distribution(&self) -> Distribution {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let bounds = self.bounds.iter().map(|bound| seconds(*bound));
        let mut so_far = 0;
        let up_to = bounds.chain([f64::INFINITY]).zip(&self.counts);
        let up_to = up_to.map(|(bound, count)| {
            so_far += count.load(Relaxed);
            (bound, so_far)
        });
        Distribution {
            up_to: up_to.collect(),
            sum: seconds(self.sum.load(Relaxed)),
        }
    }
}

impl Distribution {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.up_to.last().map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests;
