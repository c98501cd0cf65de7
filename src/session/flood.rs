//! `limits.pings_per_second` and `limits.messages_per_second`: token buckets with a burst of twice the rate.

use super::{Actions, Cause, Leg, Session, Time};
use crate::per_leg::PerLeg;

/// What a client may still send, in millionths, so that a microsecond's refill is `rate` whole units.
#[derive(Debug)]
pub(super) struct TokenBucket {
    micro_tokens: u64,
    refilled: Time,
}

const TOKEN: u64 = 1_000_000;

impl TokenBucket {
    pub(super) fn new(rate: Option<u32>, now: Time) -> Self {
        TokenBucket {
            // Without a rate, as full as the one that may come.
            micro_tokens: rate.map_or(u64::MAX, capacity),
            refilled: now,
        }
    }

    /// How many tokens there are now.
    fn available(&mut self, rate: u32, now: Time) -> u64 {
        let elapsed = u64::try_from(now.since(self.refilled).as_micros()).unwrap_or(u64::MAX);
        self.micro_tokens = self
            .micro_tokens
            .saturating_add(elapsed.saturating_mul(u64::from(rate)))
            .min(capacity(rate));
        self.refilled = now;
        self.micro_tokens / TOKEN
    }

    fn spend(&mut self, tokens: u64) {
        self.micro_tokens = self.micro_tokens.saturating_sub(tokens * TOKEN);
    }

    /// Takes one token; false: there was none left. No rate: always true.
    pub(super) fn take(&mut self, rate: Option<u32>, now: Time) -> bool {
        let Some(rate) = rate else { return true };
        let has_one = self.available(rate, now) > 0;
        if has_one {
            self.spend(1);
        }
        has_one
    }
}

fn capacity(rate: u32) -> u64 {
    u64::from(rate) * 2 * TOKEN
}

impl Session {
    /// How many messages this peer may begin now; to be asked once for the bytes of a read, so that a frame costs a
    /// comparison and no more. What has begun is reported with [`Session::messages_begun`], and one too many with
    /// [`super::Event::MessageFlood`].
    #[inline]
    pub fn messages_allowed(&mut self, from: Leg, now: Time) -> u64 {
        match (from, self.policy.limits.messages_per_second) {
            (Leg::Client, Some(rate)) if self.closing.is_none() => {
                self.messages.available(rate, now)
            }
            _ => u64::MAX,
        }
    }

    /// So many of the messages that [`Session::messages_allowed`] allowed have begun.
    #[inline]
    pub fn messages_begun(&mut self, from: Leg, count: u64) {
        if from == Leg::Client && self.policy.limits.messages_per_second.is_some() {
            self.messages.spend(count);
        }
    }

    pub(super) fn ping_flood(&mut self, now: Time, actions: &mut Actions) {
        let detail = flood_detail(self.policy.limits.pings_per_second, "pings");
        self.begin_close(Cause::PingFlood, detail, PerLeg::default(), now, actions);
    }

    pub(super) fn message_flood(&mut self, now: Time, actions: &mut Actions) {
        let detail = flood_detail(self.policy.limits.messages_per_second, "messages");
        self.begin_close(Cause::MessageFlood, detail, PerLeg::default(), now, actions);
    }
}

/// `more than 10 pings a second, beyond a burst of 20`.
fn flood_detail(rate: Option<u32>, what: &str) -> String {
    let rate = rate.unwrap_or_default();
    let burst = u64::from(rate) * 2;
    format!("more than {rate} {what} a second, beyond a burst of {burst}")
}

#[cfg(test)]
mod tests;
