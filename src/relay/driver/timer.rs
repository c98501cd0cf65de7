//! The one timer of a connection, and what it is worth when it rings late.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::Sleep;

use super::Relay;
use crate::net::stream::Transport;
use crate::time::{Time, is_due};

/// A timer that rings so late was held up, and so may be what the sockets have to say.
const LATE: Duration = Duration::from_millis(100);
/// How long that is waited for, at most.
const GRACE: Duration = Duration::from_secs(1);

impl<S: Transport> Relay<S> {
    /// Whether a deadline has come: not yet, where the timer was held up and the sockets are to be heard first.
    #[inline]
    pub(super) fn is_due(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) -> bool {
        if !is_due(self.timer_set_for, self.now) {
            return false;
        }
        if self.is_behind() {
            self.ring_at(self.grace_until, cx, timer);
            return false;
        }
        self.timer_set_for = None;
        self.grace_until = None;
        true
    }

    /// Sets the timer to the next deadline. Of one that data moved away it is noticed when it rings.
    pub(super) fn set_timer(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) {
        let deadline = self.session.next_deadline();
        if deadline != self.timer_set_for && self.grace_until.is_none() {
            self.timer_set_for = deadline;
            self.ring_at(deadline, cx, timer);
        }
    }

    /// Whether the timer rings late and a socket has news that tokio has not told of: it soon will.
    fn is_behind(&mut self) -> bool {
        if self
            .timer_set_for
            .is_none_or(|set_for| self.now.since(set_for) < LATE)
        {
            return false;
        }
        let grace_until = *self.grace_until.get_or_insert(self.now.after(GRACE));
        self.now < grace_until
            && self.legs.iter().any(|leg_io| {
                let (to_read, to_write) = (!leg_io.paused, leg_io.out.is_blocked());
                let io = leg_io.io.as_ref();
                io.is_some_and(|io| io.is_ready(to_read, to_write))
            })
    }

    fn ring_at(&self, time: Option<Time>, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) {
        let Some(instant) = time.and_then(|time| self.clock.instant(time)) else {
            return;
        };
        timer.as_mut().reset(instant);
        if timer.poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}
