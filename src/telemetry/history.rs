//! Samples of the number of connections over the last 15 minutes, for a chart.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use super::lock::lock;
use super::registry::Counts;

/// Between two samples.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// How many are kept: 15 minutes.
pub const MAX_SAMPLES: usize = 180;

/// The numbers at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When.
    pub at: SystemTime,
    /// Numbers of connections.
    pub counts: Counts,
}

/// The samples; the oldest go first.
#[derive(Debug, Default)]
pub struct History {
    samples: Mutex<VecDeque<Sample>>,
}

impl History {
    /// Adds a sample.
    pub fn push(&self, sample: Sample) {
        let mut samples = lock(&self.samples);
        while samples.len() >= MAX_SAMPLES {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    /// The oldest first.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        lock(&self.samples).iter().copied().collect()
    }
}

#[cfg(test)]
mod tests;
