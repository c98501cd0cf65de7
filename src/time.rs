//! Time on the data path.

use std::time::Duration;

/// Microseconds since the process began: half the size of an `Instant`, and the origin of the `check_interval` grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// Later than any other.
    pub const NEVER: Time = Time(u64::MAX);

    /// The time `micros` microseconds after the process began.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Time(micros)
    }

    /// Microseconds since the process began.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// This much later; never stays never.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Time(
            self.0
                .saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)),
        )
    }

    /// This much earlier, but not before the beginning.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        if self == Time::NEVER {
            return self;
        }
        Time(
            self.0
                .saturating_sub(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The first point of the grid that is not before this time.
    #[must_use]
    pub fn round_up(self, grid: Duration) -> Self {
        let grid = u64::try_from(grid.as_micros()).unwrap_or(u64::MAX).max(1);
        Time(self.0.checked_next_multiple_of(grid).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_up_is_never_early_and_less_than_a_step_late() {
        let grid = Duration::from_secs(1);
        for micros in [0, 1, 999_999, 1_000_000, 1_000_001] {
            let time = Time::from_micros(micros);
            let rounded = time.round_up(grid);
            assert!(rounded >= time && rounded.since(time) < grid, "{micros}");
            assert_eq!(rounded.micros() % 1_000_000, 0);
        }
        assert_eq!(Time::NEVER.round_up(grid), Time::NEVER);
    }

    #[test]
    fn never_is_not_moved() {
        assert_eq!(Time::NEVER.after(Duration::from_secs(1)), Time::NEVER);
        assert_eq!(Time::NEVER.before(Duration::from_secs(1)), Time::NEVER);
    }
}
