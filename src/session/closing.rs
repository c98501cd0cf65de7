//! The closing handshakes of both legs, once there is a cause (RFC 6455 section 7).
//!
//! # How it works
//!
//! If a peer closes, its Close frame is forwarded to the other peer, and is not echoed yet. The echo is sent when the
//! other peer has answered, is gone, or has been silent for a second ([`SILENCE`]). Until then both directions still
//! carry data, so that everything sent before a Close frame arrives; and a client that leaves does not wait for a
//! backend that hangs. If the sidecar closes, both legs get their Close frames at once.
//!
//! A leg's handshake is complete when a Close frame was sent and one was received, or its answer is not waited for any
//! longer. When both are complete, the connection is *over*: it is recorded and no longer counts. It is *finished* when
//! both sockets are gone, which may take until `close_timeout`: the server ends TCP first, and a peer may never do so.
//!
//! Each leg has one deadline, which a queued and a written Close frame set anew. If it passes before the Close frame is
//! written, the leg is reset; after that, the socket is dropped.

use std::time::Duration;

use super::{Action, Actions, Cause};
use crate::leg::Leg;
use crate::per_leg::PerLeg;
use crate::protocol::Close;
use crate::time::{Time, earliest, is_due};

/// How a connection ended, for the closing record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Why: the first cause.
    pub cause: Cause,
    /// The same for humans, with figures.
    pub detail: String,
    /// The Close frames of both legs.
    pub legs: PerLeg<LegClose>,
}

/// The Close frames of one leg.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegClose {
    /// The first one that the peer sent.
    pub received: Option<Close>,
    /// The one that was written.
    pub sent: Option<Close>,
}

/// A peer that is silent for this long after it was sent a Close frame is not waited for.
const SILENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Closing {
    began: Time,
    /// How long each leg had been silent when the closing began.
    silence: PerLeg<Duration>,
    ending: Ending,
    legs: PerLeg<LegState>,
}

#[derive(Debug)]
struct LegState {
    /// Handed to the relay, and not yet written.
    queued: Option<Close>,
    deadline: Option<Time>,
    /// When our Close frame left.
    written: Option<Time>,
    /// The peer has been silent for too long: the peer that began the closing does not wait for its answer.
    silent: bool,
    /// The peer has been silent for too long since our Close frame was written: its answer is not recorded.
    unanswered: bool,
    finishing: bool,
    /// The peer broke the framing, so that its Close frame will never be recognised.
    unreadable: bool,
    gone: bool,
}

impl Closing {
    pub(super) fn new(
        cause: Cause,
        detail: String,
        silence: PerLeg<Duration>,
        began: Time,
    ) -> Self {
        let legs = PerLeg::default();
        let state = |_| LegState {
            queued: None,
            deadline: None,
            written: None,
            silent: false,
            unanswered: false,
            finishing: false,
            unreadable: false,
            gone: false,
        };
        Closing {
            began,
            silence,
            ending: Ending {
                cause,
                detail,
                legs,
            },
            legs: PerLeg::from_fn(state),
        }
    }

    pub(super) fn silence(&self, leg: Leg) -> Duration {
        self.silence[leg]
    }

    pub(super) fn ending(&self) -> &Ending {
        &self.ending
    }

    pub(super) fn is_finished(&self) -> bool {
        self.legs.iter().all(|leg| leg.gone)
    }

    /// Whether both closing handshakes are done, however long the sockets still take.
    pub(super) fn is_over(&self) -> bool {
        Leg::BOTH.into_iter().all(|leg| {
            let (state, closes) = (&self.legs[leg], &self.ending.legs[leg]);
            let answered = closes.received.is_some() || state.unreadable || state.unanswered;
            state.gone || (closes.sent.is_some() && answered)
        })
    }

    /// `heard`: when each leg was last heard of, as for [`Closing::timeout`].
    pub(super) fn next_deadline(
        &self,
        heard: PerLeg<Option<Time>>,
        timeout: Duration,
    ) -> Option<Time> {
        let deadlines = Leg::BOTH.into_iter().map(|leg| {
            let state = &self.legs[leg];
            if state.gone {
                return None;
            }
            let (silent, unanswered) = self.silent_at(leg, heard[leg], timeout);
            earliest([state.deadline, silent, unanswered])
        });
        deadlines.flatten().min()
    }

    /// When a leg's peer has been silent for long enough to be `silent` and `unanswered`; none where that has been
    /// found already, or does not matter.
    fn silent_at(
        &self,
        leg: Leg,
        heard: Option<Time>,
        timeout: Duration,
    ) -> (Option<Time>, Option<Time>) {
        let state = &self.legs[leg];
        let is_awaited = self.begun_by(leg.other())
            && self.ending.legs[leg].received.is_none()
            && !(state.gone || state.unreadable);
        // A leg that is not read may have sent anything.
        let Some(heard) = heard.filter(|_| is_awaited) else {
            return (None, None);
        };
        let after = |since: Time| since.max(heard).after(SILENCE.min(timeout));
        (
            (!state.silent).then(|| after(self.began)),
            state.written.filter(|_| !state.unanswered).map(after),
        )
    }

    /// Sends a Close frame on a leg, unless one was sent already.
    pub(super) fn queue(
        &mut self,
        leg: Leg,
        close: Close,
        now: Time,
        timeout: Duration,
        actions: &mut Actions,
    ) {
        let sent = self.ending.legs[leg].sent.is_some();
        let state = &mut self.legs[leg];
        if sent || state.gone || state.queued.is_some() {
            return;
        }
        state.queued = Some(close.clone());
        state.deadline = Some(now.after(timeout));
        actions.push(Action::Close { to: leg, close });
    }

    /// A Close frame came.
    pub(super) fn received(
        &mut self,
        from: Leg,
        close: Close,
        now: Time,
        timeout: Duration,
        actions: &mut Actions,
    ) {
        let first = self.ending.legs[from].received.get_or_insert(close).clone();
        if self.begun_by(from) {
            self.queue(from.other(), first, now, timeout, actions);
        }
        self.echo_when_answered(now, timeout, actions);
        self.finish_when_complete(from, now, timeout, actions);
    }

    /// Our Close frame left.
    pub(super) fn written(&mut self, to: Leg, now: Time, timeout: Duration, actions: &mut Actions) {
        let state = &mut self.legs[to];
        if let Some(close) = state.queued.take() {
            state.deadline = Some(now.after(timeout));
            state.written = Some(now);
            self.ending.legs[to].sent = Some(close);
        }
        self.finish_when_complete(to, now, timeout, actions);
    }

    /// A peer broke a rule, and nothing can be read from it any more.
    pub(super) fn offended(&mut self, from: Leg, mid_frame: bool, actions: &mut Actions) {
        self.legs[from].unreadable = true;
        if mid_frame {
            self.reset(from.other(), actions);
        }
    }

    /// A leg's TCP connection ended.
    pub(super) fn lost(
        &mut self,
        leg: Leg,
        mid_frame: bool,
        now: Time,
        timeout: Duration,
        actions: &mut Actions,
    ) {
        self.drop_leg(leg, actions);
        if mid_frame {
            self.reset(leg.other(), actions);
        }
        self.echo_when_answered(now, timeout, actions);
    }

    /// A leg accepted bytes. What a peer sent before it closed is delivered for as long as the other one accepts it.
    pub(super) fn progress(&mut self, to: Leg, now: Time, timeout: Duration) {
        let by_peer = matches!(
            self.ending.cause,
            Cause::ClientClosed | Cause::UpstreamClosed | Cause::ClientLost | Cause::UpstreamLost
        );
        let state = &mut self.legs[to];
        if by_peer && state.queued.is_some() {
            state.deadline = Some(now.after(timeout));
        }
    }

    /// A leg has accepted nothing for too long: it will not take its Close frame either.
    pub(super) fn stalled(
        &mut self,
        leg: Leg,
        now: Time,
        timeout: Duration,
        actions: &mut Actions,
    ) {
        self.reset(leg, actions);
        self.echo_when_answered(now, timeout, actions);
    }

    /// Ends legs whose deadline has passed. `heard`: when each leg was last heard of; none while it is not read.
    pub(super) fn timeout(
        &mut self,
        heard: PerLeg<Option<Time>>,
        now: Time,
        timeout: Duration,
        actions: &mut Actions,
    ) {
        for leg in Leg::BOTH {
            let (silent, unanswered) = self.silent_at(leg, heard[leg], timeout);
            let state = &mut self.legs[leg];
            state.silent |= is_due(silent, now);
            if is_due(unanswered, now) {
                state.unanswered = true;
                self.note_unanswered(leg);
            }
            let state = &self.legs[leg];
            if state.gone || !is_due(state.deadline, now) {
                continue;
            }
            if state.queued.is_some() {
                self.reset(leg, actions);
            } else {
                self.note_unanswered(leg);
                self.drop_leg(leg, actions);
            }
        }
        self.echo_when_answered(now, timeout, actions);
    }

    /// Notes in the detail that a forwarded Close frame was not answered in time.
    fn note_unanswered(&mut self, leg: Leg) {
        const NOTE: &str = " did not answer the Close frame";
        let closes = &self.ending.legs[leg];
        let expected = closes.sent.is_some() && closes.received.is_none();
        if self.begun_by(leg.other()) && expected && !self.ending.detail.ends_with(NOTE) {
            self.ending.detail += &format!("; the {}{NOTE}", leg.label());
        }
    }

    /// Whether this leg's peer began the closing with a Close frame.
    fn begun_by(&self, leg: Leg) -> bool {
        matches!(
            (self.ending.cause, leg),
            (Cause::ClientClosed, Leg::Client) | (Cause::UpstreamClosed, Leg::Upstream)
        )
    }

    /// Echoes the Close frame of the peer that began, once the other peer has nothing more to send.
    fn echo_when_answered(&mut self, now: Time, timeout: Duration, actions: &mut Actions) {
        for leg in Leg::BOTH {
            let other = leg.other();
            let state = &self.legs[other];
            let answered = self.ending.legs[other].received.is_some() || state.gone || state.silent;
            if self.begun_by(leg) && answered {
                let echo = self.ending.legs[leg].received.clone().unwrap_or_default();
                self.queue(leg, echo, now, timeout, actions);
            }
        }
    }

    fn finish_when_complete(
        &mut self,
        leg: Leg,
        now: Time,
        timeout: Duration,
        actions: &mut Actions,
    ) {
        let closes = &self.ending.legs[leg];
        let state = &mut self.legs[leg];
        let received = closes.received.is_some() || state.unreadable;
        if received && closes.sent.is_some() && !state.gone && !state.finishing {
            state.finishing = true;
            state.deadline = Some(now.after(timeout));
            actions.push(Action::Finish { leg });
        }
    }

    fn drop_leg(&mut self, leg: Leg, actions: &mut Actions) {
        if !std::mem::replace(&mut self.legs[leg].gone, true) {
            actions.push(Action::Drop { leg });
        }
    }

    fn reset(&mut self, leg: Leg, actions: &mut Actions) {
        if !std::mem::replace(&mut self.legs[leg].gone, true) {
            actions.push(Action::Reset { leg });
        }
    }
}
