//! Looking into a small message: unmasked, and inflated; and how much of that one peer gets.

use std::cell::RefCell;

use crate::protocol::{Inflater, apply_mask};
use crate::time::Time;

thread_local! {
    /// Nothing of a message is read after it, so all connections of a thread share these.
    static PLAIN: RefCell<(Vec<u8>, Inflater)> = RefCell::default();
}

/// A message as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Small<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) compressed: bool,
    pub(crate) mask: Option<[u8; 4]>,
}

/// Calls `look` with the plain payload; none when it cannot be inflated on its own to at most `max` bytes. Adds what
/// inflating cost to `cost`, about in nanoseconds.
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

/// What looking into one peer's messages may cost: 10 ms a second, which is some 500 compressed messages or several
/// thousand others, and twice that at once. Nobody's heartbeat comes near it; a client that sends nothing but small
/// messages would otherwise have a core for itself.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// Nanoseconds; below zero by what the newest message cost too much.
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

    /// Whether another message may be looked into.
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
mod tests {
    use super::*;

    fn plain(payload: &[u8], compressed: bool, mask: Option<[u8; 4]>) -> Option<Vec<u8>> {
        let small = Small {
            payload,
            compressed,
            mask,
        };
        with_plain(&small, 1024, &mut 0, <[u8]>::to_vec)
    }

    #[test]
    fn masks_come_off_before_anything_is_inflated() {
        let key = Some([1, 2, 3, 4]);
        let compressed = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        for (message, is_compressed) in [(&b"Hello"[..], false), (&compressed, true)] {
            let mut masked = message.to_vec();
            apply_mask(&mut masked, [1, 2, 3, 4], 0);
            assert_eq!(plain(&masked, is_compressed, key).unwrap(), b"Hello");
            assert_eq!(plain(message, is_compressed, None).unwrap(), b"Hello");
        }
    }

    #[test]
    fn one_message_does_not_see_another() {
        assert_eq!(
            plain(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], true, None).unwrap(),
            b"Hello"
        );
        // RFC 7692 section 7.2.3.2: the same again, by reference.
        assert_eq!(plain(&[0xf2, 0x00, 0x11, 0x00, 0x00], true, None), None);
    }

    #[test]
    fn a_peer_gets_a_burst_and_then_its_share_of_every_second() {
        let cost = 20_000;
        let seen = |from: u64, to: u64, allowance: &mut Allowance| {
            let mut seen = 0;
            for millis in from..to {
                for _ in 0..100 {
                    if allowance.has_some(Time::from_micros(millis * 1000)) {
                        allowance.spend(cost);
                        seen += 1;
                    }
                }
            }
            seen
        };
        let mut allowance = Allowance::new(Time::from_micros(0));
        assert_eq!(seen(0, 1, &mut allowance), 100);
        let first_second = seen(1, 1000, &mut allowance);
        assert!((1390..=1410).contains(&first_second), "{first_second}");
        let next_second = seen(1000, 2000, &mut allowance);
        assert!((490..=510).contains(&next_second), "{next_second}");
        // An hour of silence is worth no more than the burst.
        let hour = 3_600_000;
        let burst = seen(hour, hour + 11, &mut allowance);
        assert!((1000..=1010).contains(&burst), "{burst}");
    }

    #[test]
    fn what_one_message_costs_too_much_is_made_up_for() {
        let mut allowance = Allowance::new(Time::from_micros(0));
        allowance.spend(1_000_000_000);
        assert!(!allowance.has_some(Time::from_micros(90_000_000)));
        assert!(allowance.has_some(Time::from_micros(99_000_000)));
    }
}
