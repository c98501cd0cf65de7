//! What is counted for the whole process. Relaxed atomics; no frame touches them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::StatusCode;

use super::HandshakeFailure;
use super::histogram::{Distribution, Histogram};
use crate::per_leg::PerLeg;
use crate::session::Leg;

/// 1 ms to 30 s, in microseconds.
const HANDSHAKE: [u64; 14] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000,
];
/// 1 s to a week, in microseconds.
const CONNECTION: [u64; 14] = [
    1_000_000,
    5_000_000,
    15_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    900_000_000,
    1_800_000_000,
    3_600_000_000,
    10_800_000_000,
    21_600_000_000,
    43_200_000_000,
    86_400_000_000,
    604_800_000_000,
];
/// 100 µs to 30 s, in microseconds.
const RTT: [u64; 17] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000,
];

/// Answers to plain HTTP requests by the first digit of their status.
pub const STATUS_CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "other"];

/// Passes the list of counters of the whole process, those without labels, to the macro `$generate`. A new counter is a
/// line here and a `count` where it happens.
macro_rules! process_counters {
    ($generate:ident) => {
        $generate! {
            upgrades_missing, "sidebeat_upgrades_missing",
                "Opening handshakes that came without Upgrade, because a proxy in front did not pass it on.";
        }
    };
}
pub(super) use process_counters;

macro_rules! define_process_counters {
    ($($field:ident, $metric:literal, $help:literal;)*) => {
        /// What is counted for the whole process, each without a label.
        #[derive(Debug, Default)]
        pub(super) struct ProcessCounters {
            $(pub(super) $field: ProcessCounter,)*
        }

        /// The values of [`ProcessCounters`] at one moment.
        #[derive(Clone, Copy, Debug)]
        pub(super) struct ProcessCounts {
            $(pub(super) $field: u64,)*
        }

        impl ProcessCounters {
            pub(super) fn values(&self) -> ProcessCounts {
                ProcessCounts {
                    $($field: self.$field.0.load(Relaxed),)*
                }
            }
        }
    };
}
process_counters!(define_process_counters);

#[derive(Debug, Default)]
pub(super) struct ProcessCounter(AtomicU64);

impl ProcessCounter {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Counts and distributions of the whole process.
#[derive(Debug)]
pub struct ProcessStats {
    started: SystemTime,
    /// In the order of [`HandshakeFailure::ALL`].
    handshakes_failed: [AtomicU64; HandshakeFailure::ALL.len()],
    pub(super) counters: ProcessCounters,
    /// In the order of [`STATUS_CLASSES`].
    http_answers: [AtomicU64; STATUS_CLASSES.len()],
    reloads_accepted: AtomicU64,
    reloads_rejected: AtomicU64,
    /// Milliseconds since 1970.
    loaded_at: AtomicU64,
    draining: AtomicBool,
    handshake: Histogram,
    connection: Histogram,
    /// By leg.
    rtt: PerLeg<Histogram>,
}

impl Default for ProcessStats {
    /// The process starts now, and its configuration has been loaded now.
    fn default() -> Self {
        let process_stats = ProcessStats {
            started: SystemTime::now(),
            handshakes_failed: Default::default(),
            counters: ProcessCounters::default(),
            http_answers: Default::default(),
            reloads_accepted: AtomicU64::default(),
            reloads_rejected: AtomicU64::default(),
            loaded_at: AtomicU64::default(),
            draining: AtomicBool::default(),
            handshake: Histogram::new(&HANDSHAKE),
            connection: Histogram::new(&CONNECTION),
            rtt: PerLeg::from_fn(|_| Histogram::new(&RTT)),
        };
        process_stats.loaded();
        process_stats
    }
}

impl ProcessStats {
    /// When the process began.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.started
    }

    pub(super) fn observe_handshake(&self, handshake: Duration) {
        self.handshake.observe(handshake);
    }

    pub(super) fn observe_connection(&self, duration: Duration) {
        self.connection.observe(duration);
    }

    pub(super) fn observe_rtt(&self, leg: Leg, rtt: Duration) {
        self.rtt[leg].observe(rtt);
    }

    pub(super) fn count_handshake_failure(&self, failure: HandshakeFailure) {
        let mut all = HandshakeFailure::ALL.iter().zip(&self.handshakes_failed);
        if let Some((_, count)) = all.find(|(known, _)| **known == failure) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Counts an answer to a plain HTTP request.
    pub fn count_http_answer(&self, status: StatusCode) {
        let class = match status.as_u16() / 100 {
            class @ 2..=5 => usize::from(class) - 2,
            _ => STATUS_CLASSES.len() - 1,
        };
        self.http_answers[class].fetch_add(1, Relaxed);
    }

    /// Counts a reload. An accepted one sets the time of the configuration in force.
    pub fn count_reload(&self, accepted: bool) {
        if accepted {
            self.reloads_accepted.fetch_add(1, Relaxed);
            self.loaded();
        } else {
            self.reloads_rejected.fetch_add(1, Relaxed);
        }
    }

    fn loaded(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = now.map_or(0, super::millis);
        self.loaded_at.store(millis, Relaxed);
    }

    /// The process drains from now on.
    pub fn start_draining(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Whether the process drains.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Opening handshakes that failed, for every reason.
    pub fn handshakes_failed(&self) -> impl Iterator<Item = (HandshakeFailure, u64)> {
        let counts = self.handshakes_failed.iter();
        let counts = counts.map(|count| count.load(Relaxed));
        HandshakeFailure::ALL.into_iter().zip(counts)
    }

    /// Answers to plain HTTP requests, for every class of statuses.
    pub fn http_answers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.http_answers.iter();
        let counts = counts.map(|count| count.load(Relaxed));
        STATUS_CLASSES.into_iter().zip(counts)
    }

    /// Accepted and rejected reloads.
    #[must_use]
    pub fn reloads(&self) -> [u64; 2] {
        [&self.reloads_accepted, &self.reloads_rejected].map(|count| count.load(Relaxed))
    }

    /// When the configuration in force was read.
    #[must_use]
    pub fn loaded_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.loaded_at.load(Relaxed))
    }

    /// From the request head to the 101.
    #[must_use]
    pub fn handshake_durations(&self) -> Distribution {
        self.handshake.distribution()
    }

    /// From the 101 to the end, of connections that have ended.
    #[must_use]
    pub fn connection_durations(&self) -> Distribution {
        self.connection.distribution()
    }

    /// From a ping to its pong.
    #[must_use]
    pub fn round_trips(&self, leg: Leg) -> Distribution {
        self.rtt[leg].distribution()
    }
}

#[cfg(test)]
mod tests;
