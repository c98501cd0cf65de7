//! What comes in on a leg: judged, shown to the session where it matters, and passed on.

use std::task::Context;

use super::super::clock;
use super::super::inspect::{self, Small};
use super::super::side::Reading;
use super::super::stream::Transport;
use super::Relay;
use crate::heartbeat::MessageKind;
use crate::protocol::{Boundary, Close, ControlKind, ControlPayload, Rules, Step};
use crate::session::{Actions, Event, Leg, Message};

/// Data frames that the session has not been told of.
#[derive(Default)]
struct Data {
    /// Whether there are any: a header alone is a sign of life.
    any: bool,
    /// Of payload.
    bytes: usize,
    /// How many of them ended.
    messages: u64,
}

/// Messages that begin in the bytes of one read.
struct Messages {
    /// `limits.messages_per_second` lets so many begin.
    allowed: u64,
    begun: u64,
}

impl Messages {
    /// Counts one more; false: it is one too many.
    #[inline]
    fn begin(&mut self) -> bool {
        let is_allowed = self.begun < self.allowed;
        self.begun += u64::from(is_allowed);
        is_allowed
    }
}

impl<S: Transport> Relay<S> {
    /// Judges what came from a leg and passes its data frames on, as few writes as there are runs of them.
    #[inline]
    pub(super) fn take_in(&mut self, cx: &mut Context<'_>, from: Leg, bytes: &[u8]) {
        let mut messages = Messages {
            allowed: self.session.messages_allowed(from, self.now),
            begun: 0,
        };
        self.judge(cx, from, bytes, &mut messages);
        self.session.messages_begun(from, messages.begun);
    }

    #[inline]
    fn judge(&mut self, cx: &mut Context<'_>, from: Leg, bytes: &[u8], messages: &mut Messages) {
        let rules = self.rules(from);
        let to = from.other();
        let (mut run, mut at) = (0, 0);
        let mut data = Data::default();
        let mut boundary = self.side(from).reader.boundary();
        loop {
            let step = self.side_mut(from).reader.next(&bytes[at..], &rules);
            if boundary == Boundary::Message
                && matches!(step, Ok(Step::Data { .. } | Step::Message { .. }))
                && !messages.begin()
            {
                self.data(from, &mut data);
                self.pass(cx, to, &bytes[run..at], boundary);
                self.message_flood(to);
                messages.allowed = u64::MAX;
                run = at;
            }
            match step {
                Ok(Step::Data {
                    len,
                    payload,
                    ends_message,
                }) => {
                    at += len;
                    boundary = self.side(from).reader.boundary();
                    data.any = true;
                    data.bytes += payload;
                    data.messages += u64::from(ends_message);
                    if boundary != Boundary::None && self.side(to).out.has_waiting() {
                        self.pass(cx, to, &bytes[run..at], boundary);
                        self.place(to);
                        run = at;
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
                    let goes_on = self.message(from, text, &small);
                    if !goes_on {
                        self.pass(cx, to, &bytes[run..at], boundary);
                        run = at + len;
                    }
                    at += len;
                    boundary = Boundary::Message;
                    if self.sides.iter().any(|side| side.out.has_waiting()) {
                        self.pass(cx, to, &bytes[run..at], boundary);
                        run = at;
                        self.flush_waiting(cx);
                    }
                }
                Ok(Step::Control {
                    len,
                    kind,
                    start,
                    mask,
                }) => {
                    self.data(from, &mut data);
                    self.pass(cx, to, &bytes[run..at], boundary);
                    let payload = ControlPayload::unmasked(&bytes[at + start..at + len], mask);
                    at += len;
                    run = at;
                    if !self.control(cx, from, kind, payload) {
                        return;
                    }
                }
                Ok(Step::Incomplete) => {
                    self.data(from, &mut data);
                    self.pass(cx, to, &bytes[run..at], boundary);
                    self.side_mut(from).held = bytes[at..].to_vec();
                    return;
                }
                Err(violation) => {
                    self.data(from, &mut data);
                    self.pass(cx, to, &bytes[run..at], boundary);
                    self.side_mut(from).reading = Reading::Broken;
                    let mid_frame = self.is_cut(to);
                    self.tell(Event::Violation {
                        from,
                        violation,
                        mid_frame,
                    });
                    return;
                }
            }
        }
    }

    /// The message that begins now is one too many. The other leg's Close frame takes its place at once, even behind
    /// bytes that still wait, so that nothing of it and of what follows is passed on.
    fn message_flood(&mut self, to: Leg) {
        self.tell(Event::MessageFlood);
        self.place(to);
    }

    /// Tells the session of the data frames since it was last told.
    #[inline]
    fn data(&mut self, from: Leg, data: &mut Data) {
        let Data {
            any,
            bytes,
            messages,
        } = std::mem::take(data);
        if any {
            self.session.data(from, bytes, messages, self.now);
            self.stirred |= self.session.data_moves_deadline();
        }
    }

    /// Tells the session of a control frame; false: it is the last frame that is read from this leg.
    fn control(
        &mut self,
        cx: &mut Context<'_>,
        from: Leg,
        kind: ControlKind,
        payload: ControlPayload,
    ) -> bool {
        match kind {
            ControlKind::Ping => self.tell(Event::Ping { from, payload }),
            ControlKind::Pong => self.tell(Event::Pong { from, payload }),
            ControlKind::Close => {
                let close = Close::parse(&payload);
                self.side_mut(from).reading = match close {
                    Ok(_) => Reading::Closed,
                    Err(_) => Reading::Broken,
                };
                match close {
                    Ok(close) => self.tell(Event::Close { from, close }),
                    Err(violation) => self.tell(Event::Violation {
                        from,
                        violation,
                        mid_frame: false,
                    }),
                }
                return false;
            }
        }
        self.flush_waiting(cx);
        true
    }

    /// Shows the session a small message; true: it goes on.
    fn message(&mut self, from: Leg, text: bool, small: &Small<'_>) -> bool {
        let wire_bytes = small.payload.len();
        let kind = if text {
            MessageKind::Text
        } else {
            MessageKind::Binary
        };
        let mut actions = Actions::new();
        let recognised = self.session.app_heartbeats();
        let readable = !small.compressed || self.extensions.inflates(from);
        let max = self.session.policy().looks_at(from);
        let goes_on = readable.then(|| {
            inspect::with_plain(small, max, |payload| {
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
        let goes_on = goes_on.flatten();
        // What was recognised is to be seen, and the next probe may be due before the timer rings.
        self.stirred |= self.session.app_heartbeats() != recognised
            || goes_on == Some(false)
            || !actions.is_empty()
            || self.session.data_moves_deadline();
        for action in actions {
            self.perform(action);
        }
        goes_on.unwrap_or_else(|| {
            self.session.unreadable_message(from, wire_bytes, self.now);
            true
        })
    }

    /// Writes frames of our own before the next one is judged, which would replace what waits: only a blocked leg is
    /// to be answered with the newest alone.
    fn flush_waiting(&mut self, cx: &mut Context<'_>) {
        for leg in Leg::BOTH {
            if self.side(leg).out.has_waiting() {
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
            whole: self.session.policy().looks_at(from) as u64,
        }
    }
}
