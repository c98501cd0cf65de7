//! The relay of one connection: reads both legs, forwards data frames, reports everything else to the session, and
//! performs the session's actions.
//!
//! # How it works
//!
//! Both legs belong to one task, and [`Relay::poll`] is its whole loop. A poll first handles commands from outside. It
//! then alternates between the legs: write what is buffered for a leg, read once from the other. A read goes into the
//! scratch buffer of the worker thread, behind the few bytes that the last read left incomplete. `intake` splits it
//! into frames. Runs of data frames are written to the other leg straight from the scratch buffer, with one write a
//! run; only what that socket does not accept is copied, into the leg's `Outbox`. Control frames, the end of a stream
//! and small messages that may be heartbeats become events: [`Relay::dispatch`] hands each to the session and performs
//! the resulting actions at once, which usually means to queue a frame in an `Outbox`.
//!
//! A frame of our own may only start where a frame of the peer ends. So each leg knows at which boundary the bytes
//! stop that were forwarded to it; queued frames are encoded when that is a frame boundary (a message boundary, for
//! text), and wait otherwise.
//!
//! A leg is not read while the other has bytes buffered: that is all the backpressure there is. To keep one connection
//! from starving the others of its thread, a poll ends after [`ROUNDS_PER_POLL`] rounds, or when a leg has used up its
//! `turn`, and wakes itself. At the end, statistics are published and the timer is set to the session's next deadline.
//!
//! All progress is in fields, so nothing is lost between two polls, and the task can be dropped at any time.

mod commands;
mod intake;
mod timer;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::leg_io::{LegIo, READ, Reading, TURN};
use crate::leg::Leg;
use crate::net::clock::Clock;
use crate::net::stream::Transport;
use crate::per_leg::PerLeg;
use crate::protocol::Extensions;
use crate::protocol::{Boundary, Role};
use crate::session::{Action, Actions, Event, Session};
use crate::telemetry::Handle;
use crate::time::Time;

/// How often a poll reads both legs before other connections have their turn.
const ROUNDS_PER_POLL: usize = 8;

/// After so many writes in a poll, runs that are shorter than this are gathered into one: control frames between small
/// messages would otherwise make a system call of each.
const FEW_WRITES: u32 = 8;
const SHORT_RUN: usize = 1024;

/// The outcome of reading a leg once.
enum Read {
    /// Bytes, or the end of the stream.
    Some,
    /// The socket has nothing to read, and wakes the task when it has.
    Nothing,
    /// The socket was not read: it is gone, or the other leg is blocked.
    NotNow,
    /// The leg has used up its turn: other connections come first.
    TurnOver,
}

/// One established connection.
pub(crate) struct Relay<S> {
    legs: PerLeg<LegIo<S>>,
    session: Session,
    handle: Arc<Handle>,
    clock: Clock,
    /// When this poll began.
    now: Time,
    extensions: Extensions,
    /// Operators who wait for a measured round trip.
    waiting_for_rtt: Vec<(Leg, oneshot::Sender<Duration>)>,
    /// Small messages that were not inspected, because there were too many.
    uninspected: u64,
    /// Writes in this poll.
    writes: u32,
    /// A leg was reset inside a frame.
    mid_frame: bool,
    /// An event other than data was handled: the next deadline may be earlier than the timer.
    dirty: bool,
    timer_set_for: Option<Time>,
    /// While a late timer waits for the sockets: until when.
    grace_until: Option<Time>,
    first_poll: bool,
}

impl<S: Transport> Relay<S> {
    pub(crate) fn new(
        PerLeg { client, upstream }: PerLeg<S>,
        session: Session,
        handle: Arc<Handle>,
        clock: Clock,
        extensions: Extensions,
    ) -> Self {
        let now = clock.now();
        let relay = Relay {
            legs: PerLeg::new(
                LegIo::new(client, Role::Client, now),
                LegIo::new(upstream, Role::Server, now),
            ),
            session,
            handle,
            clock,
            now,
            extensions,
            waiting_for_rtt: Vec::new(),
            uninspected: 0,
            writes: 0,
            mid_frame: false,
            dirty: true,
            timer_set_for: None,
            grace_until: None,
            first_poll: true,
        };
        relay.set_user_timeout(Some(Duration::ZERO));
        relay
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn uninspected(&self) -> u64 {
        self.uninspected
    }

    pub(crate) fn was_cut_mid_frame(&self) -> bool {
        self.mid_frame
    }

    /// Does what can be done now; ready when both legs are finished.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        scratch: &mut [u8],
    ) -> Poll<()> {
        self.now = self.clock.now();
        self.writes = 0;
        for leg_io in self.legs.iter_mut() {
            leg_io.turn = TURN;
        }
        if std::mem::take(&mut self.first_poll) || self.handle.has_commands() {
            self.handle_commands(cx);
        }
        let mut more = self.relay(cx, scratch);
        // The timer comes after the sockets: a process that was suspended must first see what arrived meanwhile.
        if self.is_due(cx, timer.as_mut()) {
            self.dispatch(Event::Timeout);
            more |= self.relay(cx, scratch);
        }
        if self.session.is_finished() {
            return Poll::Ready(());
        }
        if more {
            cx.waker().wake_by_ref();
        }
        if std::mem::take(&mut self.dirty) {
            self.handle.stats.publish(&self.session);
            self.set_timer(cx, timer);
        } else {
            self.handle.stats.publish_data(&self.session);
        }
        Poll::Pending
    }

    /// Processes bytes that followed the head of the opening handshake; before the first poll.
    pub(crate) fn read_ahead(&mut self, cx: &mut Context<'_>, from: Leg, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.process_input(cx, from, bytes);
        }
    }

    /// Reads and writes until neither leg can make progress, or the turn is over; true in the latter case.
    fn relay(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> bool {
        // A socket that had nothing to read wakes the task, so it is not read again in this poll, unless a write failed:
        // the read then finds out why.
        let mut drained = PerLeg::new(false, false);
        let mut turn_over = false;
        for _ in 0..ROUNDS_PER_POLL {
            let mut progress = false;
            for leg in Leg::BOTH {
                progress |= self.flush(cx, leg);
            }
            for leg in Leg::BOTH {
                if !drained[leg] || self.leg(leg).write_error.is_some() {
                    match self.read(cx, leg, scratch) {
                        Read::Some => progress = true,
                        Read::Nothing => drained[leg] = true,
                        Read::NotNow => {}
                        Read::TurnOver => turn_over = true,
                    }
                }
            }
            if !progress {
                return turn_over;
            }
        }
        true
    }

    fn read(&mut self, cx: &mut Context<'_>, leg: Leg, scratch: &mut [u8]) -> Read {
        let to = &self.leg(leg.other()).out;
        let wait = to.is_blocked() && !to.is_closed();
        let leg_io = self.leg_mut(leg);
        if leg_io.io.is_none() {
            return Read::NotNow;
        }
        if wait && leg_io.reading == Reading::Frames {
            if !std::mem::replace(&mut leg_io.paused, true) {
                self.dispatch(Event::ReadingPaused { leg });
            }
            return Read::NotNow;
        }
        if std::mem::take(&mut leg_io.paused) {
            self.dispatch(Event::ReadingResumed { leg });
        }
        let leg_io = self.leg_mut(leg);
        if leg_io.turn == 0 {
            return Read::TurnOver;
        }
        if std::mem::take(&mut leg_io.unfinished) {
            let held = std::mem::take(&mut leg_io.held);
            self.process_input(cx, leg, &held);
            return Read::Some;
        }
        self.read_bytes(cx, leg, scratch)
    }

    fn read_bytes(&mut self, cx: &mut Context<'_>, leg: Leg, scratch: &mut [u8]) -> Read {
        let leg_io = self.leg_mut(leg);
        let Some(io) = &mut leg_io.io else {
            return Read::NotNow;
        };
        let held = leg_io.held.len();
        scratch[..held].copy_from_slice(&leg_io.held);
        let room = scratch.len().min(held + leg_io.read_size);
        let mut buf = ReadBuf::new(&mut scratch[held..room]);
        let lost = match Pin::new(io).poll_read(cx, &mut buf) {
            Poll::Pending => match leg_io.write_error.take() {
                Some(error) => error.to_string(),
                None => return Read::Nothing,
            },
            Poll::Ready(Err(error)) => error.to_string(),
            Poll::Ready(Ok(())) if buf.filled().is_empty() => {
                "TCP connection ended without a Close frame".to_owned()
            }
            Poll::Ready(Ok(())) => {
                let end = held + buf.filled().len();
                if leg_io.reading == Reading::Frames {
                    if held > 0 {
                        leg_io.held = Vec::new();
                    }
                    self.process_input(cx, leg, &scratch[..end]);
                    let leg_io = self.leg_mut(leg);
                    if leg_io.unfinished || leg_io.read_size < READ {
                        leg_io.adapt_read_size(end - leg_io.held.len());
                    }
                }
                return Read::Some;
            }
        };
        let mid_frame = self.is_cut(leg.other());
        self.dispatch(Event::Lost {
            leg,
            detail: lost,
            mid_frame,
        });
        Read::Some
    }

    /// Writes a run of data frames to a leg, up to `boundary`, and buffers what the socket does not accept.
    fn forward(&mut self, cx: &mut Context<'_>, to: Leg, run: &[u8], boundary: Boundary) {
        let is_gathered = self.writes > FEW_WRITES && run.len() < SHORT_RUN;
        let leg_io = self.leg_mut(to);
        if run.is_empty() || leg_io.out.is_closed() {
            return;
        }
        leg_io.boundary = boundary;
        // The next flush writes what is buffered.
        if leg_io.out.is_blocked() || is_gathered {
            leg_io.out.buffer(run);
            return;
        }
        let Some(io) = &mut leg_io.io else { return };
        let written = Pin::new(io).poll_write(cx, run);
        self.writes = self.writes.wrapping_add(1);
        let leg_io = self.leg_mut(to);
        match written {
            Poll::Ready(Ok(taken)) if taken == run.len() => {}
            Poll::Ready(Ok(taken)) => {
                leg_io.out.buffer(&run[taken..]);
                self.blocked(to);
            }
            Poll::Pending => {
                leg_io.out.buffer(run);
                self.blocked(to);
            }
            Poll::Ready(Err(error)) => self.write_failed(to, error),
        }
    }

    /// Writes what is buffered for a leg; true if its socket accepted some.
    #[inline]
    fn flush(&mut self, cx: &mut Context<'_>, leg: Leg) -> bool {
        !self.leg(leg).is_quiet() && self.write_out(cx, leg)
    }

    fn write_out(&mut self, cx: &mut Context<'_>, leg: Leg) -> bool {
        let mut progress = false;
        loop {
            self.encode_pending_if_free(leg);
            let leg_io = self.leg_mut(leg);
            let (Some(io), false) = (&mut leg_io.io, leg_io.out.backlog().is_empty()) else {
                leg_io.poll_shutdown(cx);
                return progress;
            };
            let written = Pin::new(io).poll_write(cx, leg_io.out.backlog());
            self.writes = self.writes.wrapping_add(1);
            let leg_io = self.leg_mut(leg);
            match written {
                Poll::Ready(Ok(taken)) if taken > 0 => {
                    progress = true;
                    self.advance(leg, taken);
                }
                Poll::Ready(Ok(_)) => self.write_failed(leg, std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => self.write_failed(leg, error),
                Poll::Pending => {
                    if !leg_io.blocked_reported {
                        self.blocked(leg);
                    }
                    return progress;
                }
            }
        }
    }

    fn advance(&mut self, to: Leg, len: usize) {
        let leg_io = self.leg_mut(to);
        let flushed = leg_io.out.advance(len);
        let blocked = leg_io.out.is_blocked();
        let was_reported = std::mem::replace(&mut leg_io.blocked_reported, blocked);
        if blocked || was_reported {
            self.dispatch(Event::Progress { to, blocked });
        }
        if flushed.probe {
            self.dispatch(Event::ProbeWritten { to });
        }
        if flushed.measure {
            self.dispatch(Event::MeasureWritten { to });
        }
        if flushed.close {
            self.dispatch(Event::CloseWritten { to });
        }
    }

    fn blocked(&mut self, to: Leg) {
        self.leg_mut(to).blocked_reported = true;
        self.dispatch(Event::Progress { to, blocked: true });
    }

    /// A leg accepts no more bytes. It counts as lost only when it has nothing more to read either, so that a Close
    /// frame that it sent before is still read.
    fn write_failed(&mut self, to: Leg, error: std::io::Error) {
        let leg_io = self.leg_mut(to);
        leg_io.write_error = Some(error);
        leg_io.out.discard();
        if std::mem::take(&mut leg_io.blocked_reported) {
            self.dispatch(Event::Progress { to, blocked: false });
        }
        self.dirty = true;
    }

    /// Hands an event to the session and performs its actions.
    fn dispatch(&mut self, event: Event) {
        let mut actions = Actions::new();
        self.session.handle(event, self.now, &mut actions);
        self.dirty = true;
        for action in actions {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Ping { to, payload } => self.leg_mut(to).out.push_ping(payload),
            Action::Measure { to, payload } => self.leg_mut(to).out.push_measure(payload),
            Action::Measured { leg, rtt } => self.measured(leg, rtt),
            Action::Pong { to, payload } => self.leg_mut(to).out.push_pong(payload),
            Action::Text { to, text } => self.leg_mut(to).out.push_text(text),
            Action::ProbeText { to, text } => self.leg_mut(to).out.push_probe_text(text),
            Action::Reply { to, kind, payload } => self.leg_mut(to).out.push_reply(kind, payload),
            Action::Close { to, close } => self.leg_mut(to).out.push_close(close),
            // RFC 6455 section 7.1.1: the server ends TCP first, so that TIME_WAIT is on its side, not on the client's.
            Action::Finish { leg } => {
                let leg_io = self.leg_mut(leg);
                if leg == Leg::Client || leg_io.reading == Reading::Broken {
                    leg_io.shut_down();
                }
            }
            Action::Drop { leg } => {
                let is_inside_a_frame = self.is_cut(leg) || self.leg(leg).out.is_blocked();
                // A peer that broke a rule and is still there must not see an orderly end of stream inside a frame.
                match self.leg(leg).reading == Reading::Broken && is_inside_a_frame {
                    true => self.reset(leg),
                    false => self.leg_mut(leg).drop_io(),
                }
            }
            Action::Reset { leg } => self.reset(leg),
        }
    }

    fn reset(&mut self, leg: Leg) {
        self.mid_frame |= self.is_cut(leg);
        self.leg_mut(leg).reset();
    }

    fn encode_pending_if_free(&mut self, leg: Leg) {
        let leg_io = self.leg(leg);
        if leg_io.out.has_pending() && !leg_io.out.is_blocked() && leg_io.boundary != Boundary::None
        {
            self.encode_pending(leg);
        }
    }

    fn encode_pending(&mut self, leg: Leg) {
        let leg_io = self.leg_mut(leg);
        let message_boundary = leg_io.boundary == Boundary::Message;
        match leg {
            Leg::Client => leg_io.out.encode_pending(message_boundary, || None),
            // Section 5.3: a masking key must not be predictable.
            Leg::Upstream => leg_io
                .out
                .encode_pending(message_boundary, || Some(rand::random())),
        }
    }

    /// Whether a leg has received the start of a frame without its end.
    fn is_cut(&self, leg: Leg) -> bool {
        let leg_io = self.leg(leg);
        leg_io.boundary == Boundary::None && !leg_io.out.is_closed()
    }

    fn leg(&self, leg: Leg) -> &LegIo<S> {
        &self.legs[leg]
    }

    fn leg_mut(&mut self, leg: Leg) -> &mut LegIo<S> {
        &mut self.legs[leg]
    }
}

#[cfg(test)]
mod tests;

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
