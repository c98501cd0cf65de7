//! The one timer of a connection.
//!
//! A timer that fires late means that the process was suspended or starved, and then the sockets' readiness is late as
//! well: bytes that arrived in time are still in the kernel. So a late timer first gives the sockets a short grace
//! period, as long as any of them has something that tokio has not reported yet.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::Sleep;

use super::Relay;
use crate::net::stream::Transport;
use crate::time::{Time, is_due};

/// A timer that fires this late was held up.
const LATE: Duration = Duration::from_millis(100);
/// The longest grace period.
const GRACE: Duration = Duration::from_secs(1);

impl<S: Transport> Relay<S> {
    /// Whether a deadline has come. Not yet during the grace period of a late timer.
    #[inline]
    pub(super) fn is_due(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) -> bool {
        if !is_due(self.timer_set_for, self.now) {
            return false;
        }
        if self.is_behind() {
            self.fire_at(self.grace_until, cx, timer);
            return false;
        }
        self.timer_set_for = None;
        self.grace_until = None;
        true
    }

    /// Sets the timer to the next deadline. A deadline that data moves later leaves the timer alone until it fires.
    pub(super) fn set_timer(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) {
        let deadline = self.session.next_deadline();
        if deadline != self.timer_set_for && self.grace_until.is_none() {
            self.timer_set_for = deadline;
            self.fire_at(deadline, cx, timer);
        }
    }

    /// Whether the timer is late and a socket is ready without tokio having reported it.
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

    fn fire_at(&self, time: Option<Time>, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) {
        let Some(instant) = time.and_then(|time| self.clock.instant(time)) else {
            return;
        };
        timer.as_mut().reset(instant);
        if timer.poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}
