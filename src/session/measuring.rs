//! A round trip that an operator asks for: a ping in addition to the ordinary ones, whatever they are set to.
//!
//! It is counted like them, and its pong is a sign of life like any byte. It need not be
//! answered: missing it ends no connection, and the ordinary pings and their deadlines are unaffected.

use std::time::Duration;

use super::{Action, Actions, Leg, Session, Time};

/// Set in the number of a ping that was asked for, never in an ordinary one's.
pub(super) const ASKED: u32 = 1 << 31;

/// The state of it on one leg; boxed where it is kept, because few connections are ever measured.
#[derive(Debug)]
pub(super) struct Measuring {
    sequence: u32,
    /// When the newest left; none if it has not, or was answered.
    sent: Option<Time>,
    /// The newest was asked for and has not left yet.
    queued: bool,
}

impl Default for Measuring {
    fn default() -> Self {
        Measuring {
            sequence: ASKED,
            sent: None,
            queued: false,
        }
    }
}

impl Measuring {
    /// The number of the ping to send; none if one is queued already, which serves both.
    pub(super) fn ask(&mut self) -> Option<u32> {
        if std::mem::replace(&mut self.queued, true) {
            return None;
        }
        self.sequence = self.sequence.wrapping_add(1) | ASKED;
        self.sent = None;
        Some(self.sequence)
    }

    pub(super) fn written(&mut self, now: Time) {
        self.queued = false;
        self.sent = Some(now);
    }

    /// The round trip, if this number is the newest's. A peer need not answer older ones (RFC 6455 section 5.5.3).
    pub(super) fn answered(&mut self, sequence: u32, now: Time) -> Option<Duration> {
        if sequence != self.sequence {
            return None;
        }
        self.sent.take().map(|sent| now.since(sent))
    }

    /// What had elapsed when a pause in reading began is all that has elapsed.
    pub(super) fn resume(&mut self, paused_at: Time, now: Time) {
        if let Some(sent) = &mut self.sent {
            *sent = now.before(paused_at.since(*sent));
        }
    }
}

impl Session {
    pub(super) fn measure(&mut self, leg: Leg, actions: &mut Actions) {
        if self.closing.is_some() {
            return;
        }
        if let Some(payload) = self.leg_mut(leg).measure() {
            actions.push(Action::Measure { to: leg, payload });
        }
    }
}
