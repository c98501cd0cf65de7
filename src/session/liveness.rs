//! One leg's heartbeat: when the peer was last heard from, when it is sent a ping, and when it is given up.
//!
//! # How it works
//!
//! Nothing here runs by itself. Events update a few times (`received`, `probe_sent`, `blocked_since` and so on), and
//! four deadlines are computed from them and the policy: the newest ping is missed, the leg is idle, the next ping is
//! due, the idle notice is due. [`Liveness::next_deadline`] is the earliest of them, and [`Liveness::due`] says which
//! one has come. So a data frame costs a few stores, and a changed policy applies at once.
//!
//! Pings are sent every `interval`, the first one after a random half to whole interval. A ping is missed if neither
//! its pong nor any other byte arrives within `pong_timeout`; `missed_pongs` misses in a row end the connection. At
//! most one ping is outstanding.
//!
//! Silence proves something only while the peer could be heard. While the sidecar does not read a leg (because the
//! other leg is blocked), its timers stand still: on resuming, all times are moved by the length of the pause. And while
//! a full socket still accepts bytes, the peer reads, but has not reached the ping yet: then it is not missed either.

use std::time::Duration;

use super::counters::Counters;
use super::measuring::{ASKED, Measuring};
use super::policy::{Heartbeat, IdleNotice, Probe, ProbeKind};
use super::received::LastReceived;
use crate::time::{Time, earliest, is_due};

/// What a leg's heartbeat wants now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Idle,
    PongTimeout { missed: u32 },
    Probe([u8; 8]),
    Notice,
}

/// What a pong answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pong {
    /// Nothing of ours.
    Foreign,
    /// A ping of ours, if not necessarily the newest.
    Ours,
    /// The ping that an operator asked for, this long ago.
    Measured(Duration),
}

#[derive(Debug)]
pub(super) struct Liveness {
    received: LastReceived,
    /// Since when the leg is not read.
    paused_at: Option<Time>,
    /// Since when bytes wait without any being accepted.
    blocked_since: Option<Time>,
    /// When a socket that was full last took bytes.
    last_taken: Time,
    next_probe: Option<Time>,
    /// When the newest ping left, until it is answered.
    probe_sent: Option<Time>,
    /// The last activity before the newest idle notice, which marks the spell it was for.
    noticed: Option<Time>,
    missed_in_a_row: u32,
    /// Marks the pings of this leg as ours.
    nonce: u32,
    sequence: u32,
    /// A probe was asked for and has not left yet.
    probe_queued: bool,
    /// It is a ping, whatever the policy says by the time it leaves.
    ping_queued: bool,
    /// The newest ping has been neither answered nor missed yet.
    awaiting_pong: bool,
    measuring: Option<Box<Measuring>>,
    counters: Counters,
}

impl Liveness {
    pub(super) fn new(policy: &Heartbeat, seed: u64, now: Time) -> Self {
        let mut liveness = Liveness {
            received: LastReceived::new(now),
            paused_at: None,
            blocked_since: None,
            last_taken: now,
            next_probe: None,
            probe_sent: None,
            noticed: None,
            missed_in_a_row: 0,
            nonce: seed as u32,
            sequence: 0,
            probe_queued: false,
            ping_queued: false,
            awaiting_pong: false,
            measuring: None,
            counters: Counters::default(),
        };
        liveness.schedule_first_probe(policy.probe.as_ref(), now);
        liveness
    }

    #[inline]
    pub(super) fn data(&mut self, bytes: usize, messages: u64, now: Time) {
        self.received.message(now);
        self.counters.bytes += bytes as u64;
        self.counters.messages += messages;
    }

    /// A message that is a heartbeat: no message for `activity: message`, nor in the count of them.
    pub(super) fn heartbeat(&mut self, bytes: usize, now: Time) {
        self.received.heartbeat(self.counters.messages, now);
        self.counters.bytes += bytes as u64;
    }

    /// A message that answers the sidecar's own ping to the application.
    pub(super) fn app_ping_answered(&mut self, bytes: usize, now: Time) {
        self.received.app_pong(now);
        self.counters.bytes += bytes as u64;
    }

    /// A small message that could not be inspected: counts both as a message and as a heartbeat.
    pub(super) fn unreadable(&mut self, bytes: usize, now: Time) {
        self.data(bytes, 1, now);
        self.received.expect_heartbeats(self.counters.messages, now);
    }

    /// The application's answer to the newest probe.
    pub(super) fn app_pong(&mut self, now: Time) {
        self.answered(now);
    }

    /// Whether an answer of the application's is waited for.
    pub(super) fn expects_app_pong(&self) -> bool {
        self.probe_sent.is_some()
    }

    pub(super) fn control(&mut self, now: Time) {
        self.received.any = now;
    }

    pub(super) fn last_received(&self) -> Time {
        self.received.any
    }

    /// When it was last heard of; none while it is not read, so that its silence proves nothing.
    pub(super) fn heard(&self) -> Option<Time> {
        (!self.is_paused()).then_some(self.received.any)
    }

    pub(super) fn answered_ping(&mut self) {
        self.counters.pings_answered = self.counters.pings_answered.saturating_add(1);
    }

    pub(super) fn pong(&mut self, payload: &[u8], now: Time) -> Pong {
        self.received.any = now;
        let Some(sequence) = self.sequence_of(payload) else {
            return Pong::Foreign;
        };
        let measured = self
            .measuring
            .as_mut()
            .and_then(|measuring| measuring.answered(sequence, now));
        if let Some(rtt) = measured {
            self.counters.pongs_received = self.counters.pongs_received.saturating_add(1);
            self.counters.rtt = Some(rtt);
            return Pong::Measured(rtt);
        }
        if sequence == self.sequence && self.probe_sent.is_some() {
            self.answered(now);
        }
        Pong::Ours
    }

    /// The payload of a ping that an operator asks for; none: the one that waits will do.
    pub(super) fn measure(&mut self) -> Option<[u8; 8]> {
        let sequence = self.measuring.get_or_insert_default().ask()?;
        Some(self.payload(sequence))
    }

    pub(super) fn measure_written(&mut self, now: Time) {
        self.counters.pings_sent = self.counters.pings_sent.saturating_add(1);
        if let Some(measuring) = &mut self.measuring {
            measuring.written(now);
        }
    }

    fn answered(&mut self, now: Time) {
        self.counters.pongs_received = self.counters.pongs_received.saturating_add(1);
        self.counters.rtt = self.probe_sent.take().map(|sent| now.since(sent));
        self.awaiting_pong = false;
        self.missed_in_a_row = 0;
    }

    pub(super) fn probe_written(&mut self, policy: &Heartbeat, now: Time) {
        self.probe_queued = false;
        self.counters.pings_sent = self.counters.pings_sent.saturating_add(1);
        if std::mem::take(&mut self.ping_queued) {
            let probe = policy.probe.as_ref();
            self.probe_sent = Some(now);
            self.awaiting_pong = probe.is_some_and(|probe| probe.pong_timeout.is_some());
        }
    }

    pub(super) fn progress(&mut self, blocked: bool, now: Time) {
        if self.blocked_since.is_some() {
            self.last_taken = now;
        }
        self.blocked_since = blocked.then_some(now);
    }

    pub(super) fn pause(&mut self, now: Time) {
        self.paused_at.get_or_insert(now);
    }

    /// What had elapsed when the pause began has elapsed now, and nothing more.
    pub(super) fn resume(&mut self, now: Time) {
        let Some(paused_at) = self.paused_at.take() else {
            return;
        };
        if let Some(measuring) = &mut self.measuring {
            measuring.resume(paused_at, now);
        }
        self.received.resume(paused_at, now);
        let last_taken = Some(&mut self.last_taken);
        let others = [self.noticed.as_mut(), self.probe_sent.as_mut()];
        for time in others.into_iter().chain([last_taken]).flatten() {
            *time = now.before(paused_at.since(*time));
        }
    }

    /// `other_rules`: those of `heartbeat.app` changed, too.
    pub(super) fn policy_changed(
        &mut self,
        old: &Heartbeat,
        new: &Heartbeat,
        other_rules: bool,
        now: Time,
    ) {
        let shape = |policy: &Heartbeat| {
            policy
                .probe
                .as_ref()
                .map(|probe| (probe.kind.clone(), probe.interval))
        };
        if other_rules || old.activity != new.activity {
            // There may have been no rule that would have recognised one.
            self.received.expect_heartbeats(self.counters.messages, now);
        }
        if shape(old) != shape(new) {
            self.awaiting_pong = false;
            self.missed_in_a_row = 0;
            self.schedule_first_probe(new.probe.as_ref(), now);
        }
        if new
            .probe
            .as_ref()
            .is_none_or(|probe| probe.pong_timeout.is_none())
        {
            self.awaiting_pong = false;
        }
    }

    /// What is due at `now`; to be asked once per timeout.
    pub(super) fn due(&mut self, policy: &Heartbeat, now: Time) -> Due {
        if is_due(self.pong_deadline(policy), now)
            && let Some(missed) = self.pong_overdue(policy)
        {
            return Due::PongTimeout { missed };
        }
        if is_due(self.idle_deadline(policy), now) {
            return Due::Idle;
        }
        if let (Some(deadline), Some(probe)) = (self.probe_deadline(policy), &policy.probe)
            && deadline <= now
        {
            let next = deadline.after(probe.interval);
            self.next_probe = Some(if next > now {
                next
            } else {
                now.after(probe.interval)
            });
            self.probe_queued = true;
            self.ping_queued = matches!(probe.kind, ProbeKind::Ping | ProbeKind::App(..));
            self.sequence = self.sequence.wrapping_add(1) & !ASKED;
            return Due::Probe(self.payload(self.sequence));
        }
        if is_due(self.notice_deadline(policy), now) {
            Due::Notice
        } else {
            Due::Nothing
        }
    }

    /// The idle notice, if it is time for it; once per idle spell.
    pub(super) fn take_notice<'a>(
        &mut self,
        policy: &'a Heartbeat,
        now: Time,
    ) -> Option<&'a IdleNotice> {
        if !is_due(self.notice_deadline(policy), now) {
            return None;
        }
        self.noticed = Some(self.last_activity(policy));
        policy.idle_notice.as_ref()
    }

    pub(super) fn next_deadline(&self, policy: &Heartbeat) -> Option<Time> {
        earliest([
            self.pong_deadline(policy),
            self.idle_deadline(policy),
            self.probe_deadline(policy),
            self.notice_deadline(policy),
        ])
    }

    /// Whether an idle notice was ever sent: then activity may bring the next one nearer than the timer.
    pub(super) fn was_noticed(&self) -> bool {
        self.noticed.is_some()
    }

    pub(super) fn silence(&self, now: Time) -> Duration {
        self.paused_at
            .unwrap_or(now)
            .min(now)
            .since(self.received.any)
    }

    /// `nothing received for 60.2s`.
    pub(super) fn idle_detail(&self, policy: &Heartbeat, now: Time) -> String {
        let messages = self.counters.messages;
        self.received.idle_detail(policy.activity, messages, now)
    }

    pub(super) fn blocked_since(&self) -> Option<Time> {
        self.blocked_since
    }

    pub(super) fn blocked_for(&self, now: Time) -> Duration {
        self.blocked_since
            .map_or(Duration::ZERO, |since| now.since(since))
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The newest ping's time is over: counts it as missed unless some byte came; the number in a row, if that is
    /// too many.
    fn pong_overdue(&mut self, policy: &Heartbeat) -> Option<u32> {
        self.awaiting_pong = false;
        // A WebSocket layer that answers pings proves nothing about its application.
        let heard = match policy.probe.as_ref().map(|probe| &probe.kind) {
            Some(ProbeKind::App(..)) => self.received.application,
            _ => self.received.any,
        };
        let last_sign = heard.max(self.last_taken);
        if self.probe_sent.is_some_and(|sent| last_sign > sent) {
            self.missed_in_a_row = 0;
            return None;
        }
        self.missed_in_a_row += 1;
        self.counters.missed_pongs = self.counters.missed_pongs.saturating_add(1);
        let limit = policy.probe.as_ref()?.missed_pongs;
        (self.missed_in_a_row >= limit).then_some(self.missed_in_a_row)
    }

    fn pong_deadline(&self, policy: &Heartbeat) -> Option<Time> {
        match &policy.probe {
            Some(Probe {
                pong_timeout: Some(timeout),
                ..
            }) if self.awaiting_pong && !self.is_paused() => {
                self.probe_sent.map(|sent| sent.after(*timeout))
            }
            _ => None,
        }
    }

    fn idle_deadline(&self, policy: &Heartbeat) -> Option<Time> {
        match policy.idle_time {
            Some(idle_time) if !self.is_paused() => {
                Some(self.last_activity(policy).after(idle_time))
            }
            _ => None,
        }
    }

    fn notice_deadline(&self, policy: &Heartbeat) -> Option<Time> {
        match &policy.idle_notice {
            Some(notice) if self.noticed != Some(self.last_activity(policy)) => {
                let idle = self.idle_deadline(policy)?;
                Some(idle.before(notice.before))
            }
            _ => None,
        }
    }

    /// One ping is asked at a time, except while the leg is not read: then they only keep it from falling idle.
    fn probe_deadline(&self, policy: &Heartbeat) -> Option<Time> {
        if policy.probe.is_none() || self.probe_queued || (self.awaiting_pong && !self.is_paused())
        {
            return None;
        }
        self.next_probe
    }

    fn last_activity(&self, policy: &Heartbeat) -> Time {
        self.received.of(policy.activity)
    }

    fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    fn payload(&self, sequence: u32) -> [u8; 8] {
        (u64::from(self.nonce) << 32 | u64::from(sequence)).to_be_bytes()
    }

    /// The number of the ping of ours that had this payload.
    fn sequence_of(&self, payload: &[u8]) -> Option<u32> {
        let number = u64::from_be_bytes(payload.try_into().ok()?);
        (number >> 32 == u64::from(self.nonce)).then_some(number as u32)
    }

    /// A random half to whole interval from now, so that connections opened together do not ping together.
    fn schedule_first_probe(&mut self, probe: Option<&Probe>, now: Time) {
        self.next_probe =
            probe.map(|probe| now.after(probe.interval.mul_f64(0.5 + 0.5 * self.phase())));
    }

    /// This leg's place among the others, 0 to 1: the nonce is random, its product with an odd number is no less so.
    fn phase(&self) -> f64 {
        f64::from(self.nonce.wrapping_mul(0x9e37_79b1)) / f64::from(u32::MAX)
    }
}
