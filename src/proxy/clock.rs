//! The one place that reads the time for the data path.

use tokio::time::Instant;

use crate::session::Time;

/// Counts from the moment it was made; tokio's clock, so that tests can pause it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Clock {
            origin: Instant::now(),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Time {
        let micros = self.origin.elapsed().as_micros();
        Time::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// When tokio's timers reach a time; none for [`Time::NEVER`] and what is as far away.
    #[must_use]
    pub fn instant(&self, time: Time) -> Option<Instant> {
        if time == Time::NEVER {
            return None;
        }
        self.origin
            .checked_add(std::time::Duration::from_micros(time.micros()))
    }
}
