//! What ends a connection: how each event begins the closing handshakes, or carries them on.

use std::time::Duration;

use super::closing::Closing;
use super::{Actions, Cause, Leg, Session, Time, seconds};
use crate::per_leg::PerLeg;
use crate::protocol::{Close, Violation};

impl Session {
    pub(super) fn close_received(
        &mut self,
        from: Leg,
        close: Close,
        now: Time,
        actions: &mut Actions,
    ) {
        self.leg_mut(from).control(now);
        let cause = match from {
            Leg::Client => Cause::ClientClosed,
            Leg::Upstream => Cause::UpstreamClosed,
        };
        if self.closing.is_none() {
            let detail = format!("{} sent Close: {close}", from.label());
            self.closing = Some(Box::new(Closing::new(
                cause,
                detail,
                self.silences(now),
                now,
            )));
        }
        if let Some(closing) = &mut self.closing {
            closing.received(from, close, now, self.policy.limits.close_timeout, actions);
        }
    }

    pub(super) fn violation(
        &mut self,
        from: Leg,
        violation: Violation,
        mid_frame: bool,
        now: Time,
        actions: &mut Actions,
    ) {
        if self.closing.is_some() {
            // What is left of a peer that breaks rules while it is being closed is not worth another word.
            self.lost(from, violation.to_string(), mid_frame, now, actions);
            return;
        }
        let cause = match (from, violation.is_too_big()) {
            (Leg::Client, false) => Cause::ClientProtocolError,
            (Leg::Client, true) => Cause::ClientTooBig,
            (Leg::Upstream, false) => Cause::UpstreamProtocolError,
            (Leg::Upstream, true) => Cause::UpstreamTooBig,
        };
        let mut closes = PerLeg::default();
        if violation.close_code() == 1007 {
            // 1002 and 1009 are the cause's defaults.
            let configured = self.configured_close(cause, from);
            closes[from] = configured.or_else(|| Some(Close::new(1007, "not UTF-8")));
        }
        self.begin_close(cause, violation.to_string(), closes, now, actions);
        if let Some(closing) = &mut self.closing {
            closing.offended(from, mid_frame, actions);
        }
    }

    pub(super) fn lost(
        &mut self,
        leg: Leg,
        detail: String,
        mid_frame: bool,
        now: Time,
        actions: &mut Actions,
    ) {
        if self.closing.is_none() {
            let cause = match leg {
                Leg::Client => Cause::ClientLost,
                Leg::Upstream => Cause::UpstreamLost,
            };
            self.begin_close(cause, detail, PerLeg::default(), now, actions);
        }
        if let Some(closing) = &mut self.closing {
            closing.lost(
                leg,
                mid_frame,
                now,
                self.policy.limits.close_timeout,
                actions,
            );
        }
    }

    pub(super) fn stalled(&mut self, leg: Leg, now: Time, actions: &mut Actions) {
        if let Some(closing) = &mut self.closing {
            closing.stalled(leg, now, self.policy.limits.close_timeout, actions);
        } else {
            let cause = match leg {
                Leg::Client => Cause::ClientStalled,
                Leg::Upstream => Cause::UpstreamStalled,
            };
            let detail = format!(
                "accepted no byte for {}",
                seconds(self.leg(leg).blocked_for(now))
            );
            self.begin_close(cause, detail, PerLeg::default(), now, actions);
        }
        self.leg_mut(leg).progress(false, now);
    }

    /// Starts to close both legs for a reason that no peer gave with a Close frame. `closes` are what the legs get
    /// instead of what is configured or else the cause's default.
    pub(super) fn begin_close(
        &mut self,
        cause: Cause,
        detail: String,
        mut closes: PerLeg<Option<Close>>,
        now: Time,
        actions: &mut Actions,
    ) {
        if self.closing.is_some() {
            return;
        }
        let mut closing = Closing::new(cause, detail, self.silences(now), now);
        for leg in Leg::BOTH {
            let close = closes[leg]
                .take()
                .or_else(|| self.configured_close(cause, leg))
                .or_else(|| cause.default_close(leg).resolve(None));
            if let Some(close) = close {
                closing.queue(leg, close, now, self.policy.limits.close_timeout, actions);
            }
        }
        self.closing = Some(Box::new(closing));
    }

    fn configured_close(&self, cause: Cause, leg: Leg) -> Option<Close> {
        match leg {
            Leg::Client => self.policy.close_for(cause),
            Leg::Upstream => None,
        }
    }

    fn silences(&self, now: Time) -> PerLeg<Duration> {
        PerLeg::from_fn(|leg| self.leg(leg).silence(now))
    }
}
