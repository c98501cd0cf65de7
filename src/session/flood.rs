//! `limits.pings_per_second`: a token bucket with a burst of twice the rate.

use super::Time;

/// Pings that a client may still send, in millionths, so that a microsecond's refill is `rate` whole units.
#[derive(Debug)]
pub(super) struct PingBucket {
    micro_tokens: u64,
    refilled: Time,
}

impl PingBucket {
    pub(super) fn new(rate: Option<u32>, now: Time) -> Self {
        PingBucket {
            // Without a rate, as full as the one that may come.
            micro_tokens: rate.map_or(u64::MAX, capacity),
            refilled: now,
        }
    }

    /// Takes one ping; false: there was none left. No rate: always true.
    pub(super) fn take(&mut self, rate: Option<u32>, now: Time) -> bool {
        let Some(rate) = rate else { return true };
        let elapsed = u64::try_from(now.since(self.refilled).as_micros()).unwrap_or(u64::MAX);
        self.micro_tokens = self
            .micro_tokens
            .saturating_add(elapsed.saturating_mul(u64::from(rate)))
            .min(capacity(rate));
        self.refilled = now;
        match self.micro_tokens.checked_sub(1_000_000) {
            Some(rest) => {
                self.micro_tokens = rest;
                true
            }
            None => false,
        }
    }
}

fn capacity(rate: u32) -> u64 {
    u64::from(rate) * 2 * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_twice_the_rate_and_then_the_rate() {
        let rate = Some(10);
        let mut bucket = PingBucket::new(rate, Time::from_micros(0));
        for _ in 0..20 {
            assert!(bucket.take(rate, Time::from_micros(0)));
        }
        assert!(!bucket.take(rate, Time::from_micros(99_999)));
        assert!(bucket.take(rate, Time::from_micros(100_000)));
        assert!(!bucket.take(rate, Time::from_micros(100_000)));
    }

    #[test]
    fn a_rate_that_comes_later_begins_with_its_burst() {
        let mut bucket = PingBucket::new(None, Time::from_micros(0));
        for _ in 0..20 {
            assert!(bucket.take(Some(10), Time::from_micros(1)));
        }
        assert!(!bucket.take(Some(10), Time::from_micros(1)));
    }

    #[test]
    fn off_takes_any_number() {
        let mut bucket = PingBucket::new(None, Time::from_micros(0));
        assert!((0..1000).all(|_| bucket.take(None, Time::from_micros(0))));
    }
}
