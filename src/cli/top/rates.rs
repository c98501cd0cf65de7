//! Figures per second: what was counted now, less what was counted a few seconds ago.

use std::collections::{BTreeMap, VecDeque};

use crate::admin::types::Summary;

/// The window of a rate.
const WINDOW_MS: u64 = 10_000;

#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    seen: VecDeque<Counts>,
}

/// What was counted since the process began; time is the process's own, so that a slow answer distorts nothing.
#[derive(Clone, Debug, Default)]
struct Counts {
    at_ms: u64,
    opened: u64,
    closed: u64,
    failed: u64,
    messages: u64,
    bytes: u64,
    reasons: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PerSecond {
    pub(super) opened: f64,
    pub(super) closed: f64,
    pub(super) failed: f64,
    pub(super) messages: f64,
    pub(super) bytes: f64,
}

impl Rates {
    pub(super) fn add(&mut self, summary: &Summary) {
        let now = Counts::of(summary);
        if self.seen.back().is_some_and(|last| last.at_ms >= now.at_ms) {
            // The sidecar was restarted, and its counters began at zero.
            self.seen.clear();
        }
        let too_old = |counts: &Counts| now.at_ms - counts.at_ms > WINDOW_MS;
        while self.seen.len() > 1 && self.seen.front().is_some_and(too_old) {
            self.seen.pop_front();
        }
        self.seen.push_back(now);
    }

    /// `None` until there are two samples.
    pub(super) fn now(&self) -> Option<PerSecond> {
        let (old, new, seconds) = self.ends()?;
        let rate = |old: u64, new: u64| new.saturating_sub(old) as f64 / seconds;
        Some(PerSecond {
            opened: rate(old.opened, new.opened),
            closed: rate(old.closed, new.closed),
            failed: rate(old.failed, new.failed),
            messages: rate(old.messages, new.messages),
            bytes: rate(old.bytes, new.bytes),
        })
    }

    /// Every reason with its count and how often it comes per second; the most frequent first.
    pub(super) fn reasons(&self) -> Vec<(&str, u64, f64)> {
        let Some(new) = self.seen.back() else {
            return Vec::new();
        };
        let rate = |reason: &String, count: u64| {
            let Some((old, _, seconds)) = self.ends() else {
                return 0.0;
            };
            let old = old.reasons.get(reason).copied().unwrap_or_default();
            count.saturating_sub(old) as f64 / seconds
        };
        let reasons = new.reasons.iter();
        let mut reasons: Vec<_> = reasons
            .map(|(reason, count)| (&**reason, *count, rate(reason, *count)))
            .collect();
        reasons.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        reasons
    }

    fn ends(&self) -> Option<(&Counts, &Counts, f64)> {
        let (old, new) = (self.seen.front()?, self.seen.back()?);
        let ms = new.at_ms - old.at_ms;
        (ms > 0).then_some((old, new, ms as f64 / 1000.0))
    }
}

impl Counts {
    fn of(summary: &Summary) -> Self {
        let mut reasons = BTreeMap::new();
        for closed in &summary.closed {
            *reasons.entry(closed.reason.clone()).or_default() += closed.count;
        }
        let failed = summary.handshakes_failed.iter();
        Counts {
            at_ms: summary.uptime_ms,
            opened: summary.routes.iter().map(|route| route.opened).sum(),
            closed: reasons.values().sum(),
            failed: failed.map(|failed| failed.count).sum(),
            messages: summary.client.counters.messages + summary.upstream.counters.messages,
            bytes: summary.client.counters.bytes + summary.upstream.counters.bytes,
            reasons,
        }
    }
}

#[cfg(test)]
mod tests;
