//! Input of a leg: splits it into frames, forwards data frames, and hands the session what it must decide on.

use std::task::Context;

use super::Relay;
use crate::heartbeat::MessageKind;
use crate::leg::Leg;
use crate::net::clock;
use crate::net::stream::Transport;
use crate::protocol::{Boundary, Close, ControlKind, ControlPayload, Rules, Step};
use crate::relay::inspect::{self, Small};
use crate::relay::leg_io::Reading;
use crate::session::{Actions, Event, Message};

/// Data frames that are not reported to the session yet.
#[derive(Default)]
struct Data {
    /// Whether there are any: even a header without payload is a sign of life.
    any: bool,
    /// Payload bytes.
    bytes: usize,
    /// Messages that ended.
    messages: u64,
}

/// The budget for processing one read.
struct Turn {
    /// Nanoseconds, as in [`TURN`](crate::relay::leg_io::TURN).
    left: u32,
    /// How many messages may begin under `limits.messages_per_second`.
    messages: u64,
    begun: u64,
}

/// Estimated costs in nanoseconds, on a machine that is not the fastest: a frame; a frame that the session decides on;
/// a write to a socket; inspecting a message; each rule that it is compared with.
const FRAME: u32 = 20;
const DECISION: u32 = 200;
const WRITE: u32 = 4_000;
const INSPECTION: u32 = 500;
const RULE: u32 = 100;

impl Turn {
    #[inline]
    fn spend(&mut self, cost: u32) {
        self.left = self.left.saturating_sub(cost);
    }

    /// Counts a message; false if it is one too many.
    #[inline]
    fn begin_message(&mut self) -> bool {
        let is_allowed = self.begun < self.messages;
        self.begun += u64::from(is_allowed);
        is_allowed
    }
}

impl<S: Transport> Relay<S> {
    /// Processes bytes from a leg until they end, or the turn does. Each run of data frames is forwarded with one write.
    #[inline]
    pub(super) fn process_input(&mut self, cx: &mut Context<'_>, from: Leg, bytes: &[u8]) {
        let mut turn = Turn {
            left: self.leg(from).turn,
            messages: self.session.messages_allowed(from, self.now),
            begun: 0,
        };
        self.judge(cx, from, bytes, &mut turn);
        self.leg_mut(from).turn = turn.left;
        self.session.messages_begun(from, turn.begun);
    }

    #[inline]
    fn judge(&mut self, cx: &mut Context<'_>, from: Leg, bytes: &[u8], turn: &mut Turn) {
        let rules = self.rules(from);
        let to = from.other();
        let (mut run, mut at) = (0, 0);
        let mut data = Data::default();
        let mut boundary = self.leg(from).reader.boundary();
        // A byte that is only forwarded costs a quarter of a nanosecond; one that is validated, a few times that.
        let byte_shift = if rules.validate_utf8 { 0 } else { 2 };
        loop {
            if turn.left == 0 && at < bytes.len() {
                self.data(from, &mut data);
                self.forward(cx, to, &bytes[run..at], boundary);
                let leg_io = self.leg_mut(from);
                leg_io.held = bytes[at..].to_vec();
                leg_io.unfinished = true;
                return;
            }
            let writes = self.writes;
            let step = self.leg_mut(from).reader.next(&bytes[at..], &rules);
            if boundary == Boundary::Message
                && matches!(step, Ok(Step::Data { .. } | Step::Message { .. }))
                && !turn.begin_message()
            {
                self.data(from, &mut data);
                self.forward(cx, to, &bytes[run..at], boundary);
                self.message_flood(to);
                turn.messages = u64::MAX;
                run = at;
            }
            match step {
                Ok(Step::Data {
                    len,
                    payload,
                    ends_message,
                }) => {
                    at += len;
                    turn.spend(FRAME + (len as u32 >> byte_shift));
                    boundary = self.leg(from).reader.boundary();
                    data.any = true;
                    data.bytes += payload;
                    data.messages += u64::from(ends_message);
                    if boundary != Boundary::None && self.leg(to).out.has_pending() {
                        self.forward(cx, to, &bytes[run..at], boundary);
                        self.encode_pending(to);
                        run = at;
                        turn.spend(WRITE);
                    }
                }
                Ok(Step::Message {
                    len,
                    start,
                    text,
                    compressed,
                    mask,
                }) => {
                    self.data(from, &mut data);
                    let payload = &bytes[at + start..at + len];
                    let small = Small {
                        payload,
                        compressed,
                        mask,
                    };
                    let should_forward = self.message(from, text, &small, turn);
                    if !should_forward {
                        self.forward(cx, to, &bytes[run..at], boundary);
                        run = at + len;
                    }
                    at += len;
                    boundary = Boundary::Message;
                    if self.legs.iter().any(|leg_io| leg_io.out.has_pending()) {
                        self.forward(cx, to, &bytes[run..at], boundary);
                        run = at;
                        self.flush_pending(cx);
                    }
                    turn.spend(DECISION + self.writes.wrapping_sub(writes) * WRITE);
                }
                Ok(Step::Control {
                    len,
                    kind,
                    start,
                    mask,
                }) => {
                    self.data(from, &mut data);
                    self.forward(cx, to, &bytes[run..at], boundary);
                    let payload = ControlPayload::unmasked(&bytes[at + start..at + len], mask);
                    at += len;
                    run = at;
                    if !self.control(cx, from, kind, payload) {
                        return;
                    }
                    turn.spend(DECISION + self.writes.wrapping_sub(writes) * WRITE);
                }
                Ok(Step::Incomplete) => {
                    self.data(from, &mut data);
                    self.forward(cx, to, &bytes[run..at], boundary);
                    self.leg_mut(from).held = bytes[at..].to_vec();
                    return;
                }
                Err(violation) => {
                    self.data(from, &mut data);
                    self.forward(cx, to, &bytes[run..at], boundary);
                    self.leg_mut(from).reading = Reading::Broken;
                    let mid_frame = self.is_cut(to);
                    self.dispatch(Event::Violation {
                        from,
                        violation,
                        mid_frame,
                    });
                    return;
                }
            }
        }
    }

    /// The message that begins now is one too many. The other leg's Close frame is encoded at once in its place, even
    /// after a backlog, so that nothing of this message or of what follows is forwarded.
    fn message_flood(&mut self, to: Leg) {
        self.dispatch(Event::MessageFlood);
        self.encode_pending(to);
    }

    /// Reports data frames to the session.
    #[inline]
    fn data(&mut self, from: Leg, data: &mut Data) {
        let Data {
            any,
            bytes,
            messages,
        } = std::mem::take(data);
        if any {
            self.session.data(from, bytes, messages, self.now);
            self.dirty |= self.session.data_moves_deadline();
        }
    }

    /// Reports a control frame to the session; false if it is the last frame that is read from this leg.
    fn control(
        &mut self,
        cx: &mut Context<'_>,
        from: Leg,
        kind: ControlKind,
        payload: ControlPayload,
    ) -> bool {
        match kind {
            ControlKind::Ping => self.dispatch(Event::Ping { from, payload }),
            ControlKind::Pong => self.dispatch(Event::Pong { from, payload }),
            ControlKind::Close => {
                let close = Close::parse(&payload);
                self.leg_mut(from).reading = match close {
                    Ok(_) => Reading::Closed,
                    Err(_) => Reading::Broken,
                };
                match close {
                    Ok(close) => self.dispatch(Event::Close { from, close }),
                    Err(violation) => self.dispatch(Event::Violation {
                        from,
                        violation,
                        mid_frame: false,
                    }),
                }
                return false;
            }
        }
        self.flush_pending(cx);
        true
    }

    /// Has the session inspect a small message; true if it should be forwarded.
    fn message(&mut self, from: Leg, text: bool, small: &Small<'_>, turn: &mut Turn) -> bool {
        let wire_bytes = small.payload.len();
        let kind = if text {
            MessageKind::Text
        } else {
            MessageKind::Binary
        };
        let mut actions = Actions::new();
        let recognised = self.session.app_heartbeats();
        let readable = !small.compressed || self.extensions.inflates(from);
        let policy = self.session.policy();
        let max = policy.inspect_limit(from);
        let rules = u32::try_from(policy.app.len()).unwrap_or(u32::MAX);
        let now = self.now;
        let may_look = readable && self.leg_mut(from).inspections.has_some(now);
        self.uninspected += u64::from(readable && !may_look);
        let (mut cost, mut plain_bytes) = (0_u32, 0);
        let should_forward = may_look.then(|| {
            inspect::with_plain(small, max, &mut cost, |payload| {
                plain_bytes = payload.len();
                let message = Message {
                    from,
                    kind,
                    payload,
                    wire_bytes,
                    unix_ms: clock::unix_ms(),
                    conn: &self.handle.identity.conn,
                };
                self.session.message(&message, self.now, &mut actions)
            })
        });
        let should_forward = should_forward.flatten();
        if may_look {
            let rule = RULE.saturating_add(u32::try_from(plain_bytes).unwrap_or(u32::MAX));
            let matching = INSPECTION.saturating_add(rules.saturating_mul(rule));
            let cost = cost.saturating_add(matching);
            self.leg_mut(from).inspections.spend(cost);
            turn.spend(cost);
        }
        // A recognised heartbeat is published, and the next probe may be due before the timer fires.
        self.dirty |= self.session.app_heartbeats() != recognised
            || should_forward == Some(false)
            || !actions.is_empty()
            || self.session.data_moves_deadline();
        for action in actions {
            self.perform(action);
        }
        should_forward.unwrap_or_else(|| {
            self.session.unreadable_message(from, wire_bytes, self.now);
            true
        })
    }

    /// Writes pending frames before the next input frame, whose answer would replace them: only on a blocked leg may
    /// one answer stand for several.
    fn flush_pending(&mut self, cx: &mut Context<'_>) {
        for leg in Leg::BOTH {
            if self.leg(leg).out.has_pending() {
                self.flush(cx, leg);
            }
        }
    }

    fn rules(&self, from: Leg) -> Rules {
        let limits = &self.session.policy().limits;
        Rules {
            max_frame: limits.max_frame.unwrap_or(u64::MAX),
            max_message: limits.max_message.unwrap_or(u64::MAX),
            deflate: self.extensions.deflate,
            validate_utf8: limits.validate_utf8,
            whole: self.session.policy().inspect_limit(from) as u64,
        }
    }
}
