//! Time on the data path.

use std::num::NonZeroU64;
use std::time::Duration;

/// Microseconds since the process began: half the size of an `Instant`, and the origin of the `check_interval` grid.
///
/// Kept as that number plus one, so that an `Option<Time>`, where there may be no time at all, is no larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(NonZeroU64);

impl Time {
    /// The time `micros` microseconds after the process began.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Time(NonZeroU64::MIN.saturating_add(micros))
    }

    /// Microseconds since the process began.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0.get() - 1
    }

    /// This much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Time(self.0.saturating_add(micros(duration)))
    }

    /// This much earlier, but not before the beginning.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Time::from_micros(self.micros().saturating_sub(micros(duration)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.micros().saturating_sub(earlier.micros()))
    }

    /// The first point of the grid that is not before this time.
    #[must_use]
    pub fn round_up(self, grid: Duration) -> Self {
        let rounded = self.micros().checked_next_multiple_of(micros(grid).max(1));
        Time::from_micros(rounded.unwrap_or(u64::MAX))
    }
}

/// The earliest of those that there are.
#[must_use]
#[inline]
pub fn earliest<const N: usize>(times: [Option<Time>; N]) -> Option<Time> {
    times.into_iter().flatten().min()
}

/// Whether a deadline has come; no deadline never does.
#[must_use]
#[inline]
pub fn is_due(deadline: Option<Time>, now: Time) -> bool {
    deadline.is_some_and(|deadline| deadline <= now)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
