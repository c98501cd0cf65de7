//! When one leg was last heard of, by what counts as activity, and what came without counting.

use super::policy::Activity;
use super::{Time, seconds};

#[derive(Debug)]
pub(super) struct LastReceived {
    /// Any byte.
    pub(super) any: Time,
    /// Bytes of a data frame, application-level heartbeats apart.
    message: Time,
    /// The same with application-level heartbeats: what proves the application alive.
    pub(super) application: Time,
    /// A message that a rule of `heartbeat.app` recognised, or may have.
    heartbeat: Time,
    /// Heartbeats since the last message, which came at `counted_since`.
    heartbeats: u32,
    counted_since: Time,
    /// How many messages had come by the last heartbeat.
    messages_before: u64,
}

impl LastReceived {
    pub(super) fn new(now: Time) -> Self {
        LastReceived {
            any: now,
            message: now,
            application: now,
            heartbeat: now,
            heartbeats: 0,
            counted_since: now,
            messages_before: 0,
        }
    }

    #[inline]
    pub(super) fn message(&mut self, now: Time) {
        self.any = now;
        self.message = now;
        self.application = now;
    }

    /// The application's answer to a ping of the sidecar's own.
    pub(super) fn app_pong(&mut self, now: Time) {
        self.any = now;
        self.application = now;
    }

    /// `messages` had come by then, this one apart.
    pub(super) fn heartbeat(&mut self, messages: u64, now: Time) {
        self.app_pong(now);
        self.heartbeat = now;
        self.messages_before = messages;
        if self.counted_since != self.message {
            self.counted_since = self.message;
            self.heartbeats = 0;
        }
        self.heartbeats = self.heartbeats.saturating_add(1);
    }

    /// Heartbeats are waited for from now on, whether or not there was one before; `messages` have come by now.
    pub(super) fn expect_heartbeats(&mut self, messages: u64, now: Time) {
        self.heartbeat = now;
        self.messages_before = messages;
    }

    pub(super) fn of(&self, activity: Activity) -> Time {
        match activity {
            Activity::Frame => self.any,
            Activity::Message => self.message,
            Activity::Heartbeat => self.heartbeat,
        }
    }

    /// What had elapsed at `paused_at` is all that has elapsed now.
    pub(super) fn resume(&mut self, paused_at: Time, now: Time) {
        for time in [
            &mut self.any,
            &mut self.message,
            &mut self.application,
            &mut self.heartbeat,
            &mut self.counted_since,
        ] {
            *time = now.before(paused_at.since(*time));
        }
    }

    /// `nothing received for 60.2s`, and what did come; `messages` have come in all.
    pub(super) fn idle_detail(&self, activity: Activity, messages: u64, now: Time) -> String {
        let silence = seconds(now.since(self.of(activity)));
        let (expected, came, count) = match activity {
            Activity::Frame => return format!("nothing received for {silence}"),
            Activity::Message if self.counted_since != self.message => ("message", "heartbeat", 0),
            Activity::Message => ("message", "heartbeat", self.heartbeats.into()),
            Activity::Heartbeat => ("heartbeat", "message", messages - self.messages_before),
        };
        let detail = format!("no {expected} received for {silence}");
        let note = format!("not count under `activity: {expected}`");
        match count {
            0 => detail,
            1 => format!("{detail} (1 {came} came, which does {note})"),
            many => format!("{detail} ({many} {came}s came, which do {note})"),
        }
    }
}
