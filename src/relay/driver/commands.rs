//! Commands from outside: of a reload, a drain, and operators.

use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Relay;
use crate::leg::Leg;
use crate::net::stream::{Transport, user_timeout};
use crate::session::{Action, Cause, Event};
use crate::telemetry::Command;

impl<S: Transport> Relay<S> {
    pub(super) fn handle_commands(&mut self, cx: &mut Context<'_>) {
        let handle = Arc::clone(&self.handle);
        for command in handle.take_commands(cx.waker()) {
            match command {
                Command::Follow(policy) => {
                    let before = self.session.policy().limits.write_stall_timeout;
                    self.dispatch(Event::PolicyChanged { policy });
                    self.set_user_timeout(before);
                    self.session
                        .set_subprotocol(handle.identity.subprotocol.as_deref());
                }
                Command::Terminate {
                    cause,
                    close,
                    detail,
                } => {
                    self.dispatch(Event::Terminate {
                        cause,
                        close: Some(close),
                        detail,
                    });
                }
                Command::Ping { leg, answer } => self.measure(leg, answer),
                Command::Abort => self.abort(cx),
            }
        }
    }

    /// Sets TCP_USER_TIMEOUT if the policy asks for another one than `before`, the stall timeout it was set for.
    pub(super) fn set_user_timeout(&self, before: Option<Duration>) {
        let now = self.session.policy().limits.write_stall_timeout;
        if user_timeout(now) != user_timeout(before) {
            for io in self.legs.iter().filter_map(|leg_io| leg_io.io.as_ref()) {
                io.set_user_timeout(now);
            }
        }
    }

    /// An operator wants a round trip measured. Dropping `answer` reports that the connection is closing.
    fn measure(&mut self, leg: Leg, answer: oneshot::Sender<Duration>) {
        if self.session.is_closing() {
            return;
        }
        self.waiting_for_rtt
            .retain(|(_, answer)| !answer.is_closed());
        self.waiting_for_rtt.push((leg, answer));
        self.dispatch(Event::Measure { leg });
    }

    pub(super) fn measured(&mut self, leg: Leg, rtt: Duration) {
        // Before the answer, so that whoever receives it finds the ping counted.
        self.handle.stats.publish(&self.session);
        for (_, answer) in self
            .waiting_for_rtt
            .extract_if(.., |(asked, _)| *asked == leg)
        {
            // The receiver may have given up.
            let _ = answer.send(rtt);
        }
        if self.waiting_for_rtt.is_empty() {
            self.waiting_for_rtt = Vec::new();
        }
    }

    /// Ends both legs now; their Close frames still go if the sockets take them at once.
    fn abort(&mut self, cx: &mut Context<'_>) {
        let detail = "drain.timeout passed".to_owned();
        self.dispatch(Event::Terminate {
            cause: Cause::Drained,
            close: None,
            detail,
        });
        for leg in Leg::BOTH {
            self.flush(cx, leg);
            // A peer that received a part of a frame must notice that the rest is missing.
            if self.is_cut(leg) || self.leg(leg).out.is_blocked() {
                self.perform(Action::Reset { leg });
            }
            self.dispatch(Event::Lost {
                leg,
                detail: String::new(),
                mid_frame: false,
            });
        }
    }
}
