//! One connection's state machine: every decision about liveness and closing, and the cause of its end.
//!
//! Pure: [`Session::handle`] takes an event and the time, and answers with actions; the same events at the same times
//! give the same actions. [`Session::next_deadline`] says when it wants [`Event::Timeout`]. The relay
//! (`relay::driver`) owns the sockets and performs the actions.
//!
//! | file | decides |
//! |---|---|
//! | [`policy`] | the settings of one connection, replaced when the file changes |
//! | `cause` | the list of causes, and what each puts on the wire |
//! | `liveness` | one leg's heartbeat: idle, pings and their pongs, standing still under backpressure |
//! | `counters` | the list of what is counted on a leg |
//! | `received` | when a leg was last heard of, by what counts as activity |
//! | `measuring` | round trips that an operator asks for |
//! | `application` | application-level heartbeats: answered, passed on, kept back, captured |
//! | `flood` | whether a client sends too many pings or messages |
//! | `ends` | what begins the closing, and which Close frames it sends |
//! | `closing` | the closing handshakes of both legs, once there is a cause |

mod application;
mod cause;
mod closing;
mod counters;
mod ends;
mod event;
mod flood;
mod liveness;
mod measuring;
pub mod policy;
mod received;

use std::sync::Arc;
use std::time::Duration;

pub use crate::leg::Leg;
pub use crate::time::Time;
pub use application::Message;
pub use cause::{Cause, DefaultClose, Initiator};
pub use closing::{Ending, LegClose};
pub use counters::Counters;
pub(crate) use counters::leg_counters;
pub use event::{Action, Actions, Event, Payload};

use crate::per_leg::PerLeg;
use crate::protocol::ControlPayload;
use crate::time::{earliest, is_due};
use application::Application;
use closing::Closing;
use flood::TokenBucket;
use liveness::{Due, Liveness, Pong};
use policy::{AnswerPings, Policy};

/// The state of one relayed WebSocket connection.
#[derive(Debug)]
pub struct Session {
    policy: Arc<Policy>,
    opened: Time,
    /// Where in the ±10 % of `max_lifetime` this connection is, in 1/1024 of the lifetime.
    lifetime_share: u32,
    legs: PerLeg<Liveness>,
    pings: TokenBucket,
    messages: TokenBucket,
    /// Boxed: exists only where messages are looked at.
    application: Option<Box<Application>>,
    /// Boxed: exists only once there is a cause.
    closing: Option<Box<Closing>>,
}

impl Session {
    /// A connection whose client has just been sent its 101. `seed` is any random number: it spreads this
    /// connection's pings and lifetime among the others', and marks its pings as ours.
    #[must_use]
    pub fn new(policy: Arc<Policy>, seed: u64, now: Time) -> Self {
        let legs = PerLeg::new(
            Liveness::new(&policy.client, seed, now),
            Liveness::new(&policy.upstream, seed.rotate_left(32), now),
        );
        let pings = TokenBucket::new(policy.limits.pings_per_second, now);
        let messages = TokenBucket::new(policy.limits.messages_per_second, now);
        let lifetime_share = 922 + (seed >> 20) as u32 % 205;
        Session {
            policy,
            opened: now,
            lifetime_share,
            legs,
            pings,
            messages,
            application: None,
            closing: None,
        }
    }

    /// Processes an event and appends the actions to perform.
    pub fn handle(&mut self, event: Event, now: Time, actions: &mut Actions) {
        match event {
            Event::Ping { from, payload } => self.ping(from, payload, now, actions),
            Event::Pong { from, payload } => self.pong(from, payload, now, actions),
            Event::Close { from, close } => self.close_received(from, close, now, actions),
            Event::MessageFlood => self.message_flood(now, actions),
            Event::Violation {
                from,
                violation,
                mid_frame,
            } => self.violation(from, violation, mid_frame, now, actions),
            Event::Lost {
                leg,
                detail,
                mid_frame,
            } => self.lost(leg, detail, mid_frame, now, actions),
            Event::ProbeWritten { to } => self.probe_written(to, now),
            Event::Measure { leg } => self.measure(leg, actions),
            Event::MeasureWritten { to } => self.leg_mut(to).measure_written(now),
            Event::CloseWritten { to } => {
                if let Some(closing) = &mut self.closing {
                    closing.written(to, now, self.policy.limits.close_timeout, actions);
                }
            }
            Event::Progress { to, blocked } => self.progress(to, blocked, now),
            Event::ReadingPaused { leg } => self.leg_mut(leg).pause(now),
            Event::ReadingResumed { leg } => self.leg_mut(leg).resume(now),
            Event::Timeout => self.timeout(now, actions),
            Event::PolicyChanged { policy } => self.policy_changed(policy, now),
            Event::Terminate {
                cause,
                close,
                detail,
            } => {
                self.begin_close(cause, detail, PerLeg::new(close, None), now, actions);
            }
        }
    }

    /// Processes a run of data frames at once: their payload bytes, and how many messages they ended. It results in no
    /// action, and so is no event: a frame that is only forwarded costs no more than this.
    #[inline]
    pub fn data(&mut self, from: Leg, bytes: usize, messages: u64, now: Time) {
        self.leg_mut(from).data(bytes, messages, now);
    }

    /// When [`Event::Timeout`] is wanted, if at all. To be asked for after every event; data moves it only later,
    /// unless [`Session::data_moves_deadline`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        let stalled = earliest(Leg::BOTH.map(|leg| self.stall_deadline(leg)));
        if let Some(closing) = &self.closing {
            let timeout = self.policy.limits.close_timeout;
            let heard = PerLeg::from_fn(|leg| self.legs[leg].heard());
            return earliest([closing.next_deadline(heard, timeout), stalled]);
        }
        let heartbeat = |leg| self.leg(leg).next_deadline(self.policy.heartbeat(leg));
        let heartbeat = earliest(Leg::BOTH.map(heartbeat));
        let heartbeat = heartbeat.map(|time| time.round_up(self.policy.check_interval));
        earliest([heartbeat, stalled, self.lifetime_deadline()])
    }

    /// Whether data may bring the next deadline nearer: it begins another spell that may end with an idle notice.
    #[must_use]
    #[inline]
    pub fn data_moves_deadline(&self) -> bool {
        self.legs.client.was_noticed() || self.legs.upstream.was_noticed()
    }

    /// Whether both legs are finished, so that the connection can be dropped.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.closing
            .as_ref()
            .is_some_and(|closing| closing.is_finished())
    }

    /// Whether both closing handshakes are done: the connection is recorded and no longer counts, however long
    /// its sockets still take to end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.closing
            .as_ref()
            .is_some_and(|closing| closing.is_over())
    }

    /// Whether there is a cause already.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How it ended; none while it is open.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        self.closing.as_ref().map(|closing| closing.ending())
    }

    /// What was counted on a leg.
    #[must_use]
    pub fn counters(&self, leg: Leg) -> &Counters {
        self.leg(leg).counters()
    }

    /// When a leg was last heard of.
    #[must_use]
    pub fn last_received(&self, leg: Leg) -> Time {
        self.leg(leg).last_received()
    }

    /// How long nothing has been received on a leg; once there is a cause, how long it was then.
    #[must_use]
    pub fn silence(&self, leg: Leg, now: Time) -> Duration {
        match &self.closing {
            Some(closing) => closing.silence(leg),
            None => self.leg(leg).silence(now),
        }
    }

    fn ping(&mut self, from: Leg, payload: ControlPayload, now: Time, actions: &mut Actions) {
        self.leg_mut(from).control(now);
        if self.closing.is_some() {
            return;
        }
        if from == Leg::Client && !self.pings.take(self.policy.limits.pings_per_second, now) {
            self.ping_flood(now, actions);
            return;
        }
        match self.policy.heartbeat(from).answer_pings {
            AnswerPings::Forward => actions.push(Action::Ping {
                to: from.other(),
                payload: Payload::Peer(payload),
            }),
            AnswerPings::Local => {
                self.leg_mut(from).answered_ping();
                actions.push(Action::Pong {
                    to: from,
                    payload: Payload::Peer(payload),
                });
            }
        }
    }

    /// A pong that answers one of our pings is consumed; any other is forwarded only if pings are.
    fn pong(&mut self, from: Leg, payload: ControlPayload, now: Time, actions: &mut Actions) {
        let pong = self.leg_mut(from).pong(&payload, now);
        if let Pong::Measured(rtt) = pong {
            actions.push(Action::Measured { leg: from, rtt });
        }
        if pong == Pong::Foreign
            && self.closing.is_none()
            && self.policy.heartbeat(from.other()).answer_pings == AnswerPings::Forward
        {
            actions.push(Action::Pong {
                to: from.other(),
                payload: Payload::Peer(payload),
            });
        }
    }

    fn probe_written(&mut self, to: Leg, now: Time) {
        let policy = Arc::clone(&self.policy);
        self.leg_mut(to).probe_written(policy.heartbeat(to), now);
    }

    fn progress(&mut self, to: Leg, blocked: bool, now: Time) {
        self.leg_mut(to).progress(blocked, now);
        if let Some(closing) = &mut self.closing {
            closing.progress(to, now, self.policy.limits.close_timeout);
        }
    }

    fn policy_changed(&mut self, policy: Arc<Policy>, now: Time) {
        let before = std::mem::replace(&mut self.policy, Arc::clone(&policy));
        let other_rules = before.app != policy.app;
        for leg in Leg::BOTH {
            let (old, new) = (before.heartbeat(leg), policy.heartbeat(leg));
            self.leg_mut(leg).policy_changed(old, new, other_rules, now);
        }
        if let Some(application) = &mut self.application {
            application.follow(&self.policy.app);
        }
    }

    fn timeout(&mut self, now: Time, actions: &mut Actions) {
        for leg in Leg::BOTH {
            if is_due(self.stall_deadline(leg), now) {
                self.stalled(leg, now, actions);
            }
        }
        if let Some(closing) = &mut self.closing {
            let heard = PerLeg::from_fn(|leg| self.legs[leg].heard());
            closing.timeout(heard, now, self.policy.limits.close_timeout, actions);
            return;
        }
        if is_due(self.lifetime_deadline(), now) {
            let detail = format!("open for {}", seconds(now.since(self.opened)));
            self.begin_close(Cause::MaxLifetime, detail, PerLeg::default(), now, actions);
            return;
        }
        for leg in Leg::BOTH {
            self.heartbeat(leg, now, actions);
        }
    }

    fn heartbeat(&mut self, leg: Leg, now: Time, actions: &mut Actions) {
        if self.closing.is_some() {
            return;
        }
        let policy = Arc::clone(&self.policy);
        let heartbeat = policy.heartbeat(leg);
        match self.leg_mut(leg).due(heartbeat, now) {
            Due::Nothing => {}
            Due::Idle => {
                let cause = match leg {
                    Leg::Client => Cause::ClientIdle,
                    Leg::Upstream => Cause::UpstreamIdle,
                };
                let detail = self.leg(leg).idle_detail(heartbeat, now);
                // Both may fall on the same point of the grid, and an idle time may have shrunk.
                self.notice(leg, now, actions);
                self.begin_close(cause, detail, PerLeg::default(), now, actions);
            }
            Due::PongTimeout { missed } => {
                let cause = match leg {
                    Leg::Client => Cause::ClientPongTimeout,
                    Leg::Upstream => Cause::UpstreamPongTimeout,
                };
                let silence = seconds(self.leg(leg).silence(now));
                let detail =
                    format!("{missed} pings in a row unanswered, nothing received for {silence}");
                self.begin_close(cause, detail, PerLeg::default(), now, actions);
            }
            Due::Probe(payload) => {
                if let Some(probe) = &heartbeat.probe {
                    actions.push(Action::probe(leg, &probe.kind, payload));
                }
                self.notice(leg, now, actions);
            }
            Due::Notice => self.notice(leg, now, actions),
        }
    }

    /// Sends the idle notice, if it is time for it.
    fn notice(&mut self, leg: Leg, now: Time, actions: &mut Actions) {
        let policy = Arc::clone(&self.policy);
        if let Some(notice) = self.leg_mut(leg).take_notice(policy.heartbeat(leg), now) {
            actions.push(Action::Text {
                to: Leg::Client,
                text: Arc::clone(&notice.text),
            });
        }
    }

    fn stall_deadline(&self, leg: Leg) -> Option<Time> {
        let timeout = self.policy.limits.write_stall_timeout?;
        let blocked_since = self.leg(leg).blocked_since()?;
        Some(blocked_since.after(timeout))
    }

    fn lifetime_deadline(&self) -> Option<Time> {
        let lifetime = self.policy.limits.max_lifetime?;
        Some(self.opened.after(lifetime * self.lifetime_share / 1024))
    }

    fn leg(&self, leg: Leg) -> &Liveness {
        &self.legs[leg]
    }

    fn leg_mut(&mut self, leg: Leg) -> &mut Liveness {
        &mut self.legs[leg]
    }
}

/// `60.2s`, for human-readable details.
fn seconds(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests;
