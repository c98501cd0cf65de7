//! The one timer of a connection, and what it is worth when it rings late.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::Sleep;

use super::Relay;
use crate::net::stream::Transport;
use crate::time::Time;

/// A timer that rings so late was held up, and so may be what the sockets have to say.
const LATE: Duration = Duration::from_millis(100);
/// How long that is waited for, at most.
const GRACE: Duration = Duration::from_secs(1);

impl<S: Transport> Relay<S> {
    /// Whether a deadline has come: not yet, where the timer was held up and the sockets are to be heard first.
    #[inline]
    pub(super) fn is_due(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) -> bool {
        if self.timer_set_for > self.now {
            return false;
        }
        if self.is_behind() {
            self.ring_at(self.grace_until, cx, timer);
            return false;
        }
        self.timer_set_for = Time::NEVER;
        self.grace_until = Time::NEVER;
        true
    }

    /// Sets the timer to the next deadline. Of one that data moved away it is noticed when it rings.
    pub(super) fn set_timer(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) {
        let deadline = self.session.next_deadline();
        if deadline != self.timer_set_for && self.grace_until == Time::NEVER {
            self.timer_set_for = deadline;
            self.ring_at(deadline, cx, timer);
        }
    }

    /// Whether the timer rings late and a socket has news that tokio has not told of: it soon will.
    fn is_behind(&mut self) -> bool {
        if self.now.since(self.timer_set_for) < LATE {
            return false;
        }
        self.grace_until = self.grace_until.min(self.now.after(GRACE));
        self.now < self.grace_until
            && self.sides.iter().any(|side| {
                let (to_read, to_write) = (!side.paused, side.out.is_blocked());
                let io = side.io.as_ref();
                io.is_some_and(|io| io.is_ready(to_read, to_write))
            })
    }

    fn ring_at(&self, time: Time, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) {
        let Some(instant) = self.clock.instant(time) else {
            return;
        };
        timer.as_mut().reset(instant);
        if timer.poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}
