//! The relay of one connection: reads both legs, passes data on, tells the session what happened and performs what it
//! decides.
//!
//! One task, polled by hand: a poll reads each leg into the worker thread's scratch buffer, writes whole runs of data
//! frames to the other leg straight from there, and leaves nothing behind but what a socket did not take. All progress
//! is in fields, so nothing is lost between two polls.

mod intake;
mod mail;
mod timer;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::side::{READ, Reading, Side, TURN};
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

/// What came of reading a leg.
enum Read {
    /// Bytes, or the end of the stream.
    Some,
    /// The socket has nothing, and wakes the task when it has.
    Nothing,
    /// The socket was not asked: it is gone, or there is nowhere to pass its bytes on to.
    NotNow,
    /// It has had its turn: others come first.
    TurnOver,
}

/// One established connection.
pub(crate) struct Relay<S> {
    sides: PerLeg<Side<S>>,
    session: Session,
    handle: Arc<Handle>,
    clock: Clock,
    /// When this poll began.
    now: Time,
    extensions: Extensions,
    /// Those who wait for a round trip to be measured.
    asking: Vec<(Leg, oneshot::Sender<Duration>)>,
    /// Small messages that were not looked into, because there were too many.
    uninspected: u64,
    /// How often a socket has been written to in this poll.
    writes: u32,
    /// A leg was reset inside a frame.
    mid_frame: bool,
    /// Something other than data happened: the next deadline may be nearer than the timer, and there may be more to do.
    stirred: bool,
    timer_set_for: Option<Time>,
    /// Until when a timer that was held up waits for the sockets.
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
            sides: PerLeg::new(
                Side::new(client, Role::Client, now),
                Side::new(upstream, Role::Server, now),
            ),
            session,
            handle,
            clock,
            now,
            extensions,
            asking: Vec::new(),
            uninspected: 0,
            writes: 0,
            mid_frame: false,
            stirred: true,
            timer_set_for: None,
            grace_until: None,
            first_poll: true,
        };
        relay.tolerate(Some(Duration::ZERO));
        relay
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// How many small messages were not looked into, because there were too many.
    pub(crate) fn uninspected(&self) -> u64 {
        self.uninspected
    }

    pub(crate) fn was_cut_mid_frame(&self) -> bool {
        self.mid_frame
    }

    /// Does what can be done now; ready when both legs are done with.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        scratch: &mut [u8],
    ) -> Poll<()> {
        self.now = self.clock.now();
        self.writes = 0;
        for side in self.sides.iter_mut() {
            side.turn = TURN;
        }
        if std::mem::take(&mut self.first_poll) || self.handle.has_commands() {
            self.read_mail(cx);
        }
        let mut more = self.relay(cx, scratch);
        // Time after the sockets: a process that was stopped for a while has yet to see what came meanwhile.
        if self.is_due(cx, timer.as_mut()) {
            self.tell(Event::Timeout);
            more |= self.relay(cx, scratch);
        }
        if self.session.is_finished() {
            return Poll::Ready(());
        }
        if more {
            cx.waker().wake_by_ref();
        }
        if std::mem::take(&mut self.stirred) {
            self.handle.stats.publish(&self.session);
            self.set_timer(cx, timer);
        } else {
            self.handle.stats.publish_data(&self.session);
        }
        Poll::Pending
    }

    /// Takes in bytes that came behind the head of the opening handshake; before the first poll.
    pub(crate) fn read_ahead(&mut self, cx: &mut Context<'_>, from: Leg, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.take_in(cx, from, bytes);
        }
    }

    /// Reads and writes until both legs have nothing more for now; true: until it was enough for one turn.
    fn relay(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> bool {
        // A socket that had nothing to read will wake the task: it is not asked again in this poll, unless for what
        // writing to it has failed with.
        let mut drained = PerLeg::new(false, false);
        let mut turn_over = false;
        for _ in 0..ROUNDS_PER_POLL {
            let mut progress = false;
            for leg in Leg::BOTH {
                progress |= self.flush(cx, leg);
            }
            for leg in Leg::BOTH {
                if !drained[leg] || self.side(leg).write_error.is_some() {
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

    /// Reads a leg once.
    fn read(&mut self, cx: &mut Context<'_>, leg: Leg, scratch: &mut [u8]) -> Read {
        let to = &self.side(leg.other()).out;
        let wait = to.is_blocked() && !to.is_closed();
        let side = self.side_mut(leg);
        if side.io.is_none() {
            return Read::NotNow;
        }
        if wait && side.reading == Reading::Frames {
            if !std::mem::replace(&mut side.paused, true) {
                self.tell(Event::ReadingPaused { leg });
            }
            return Read::NotNow;
        }
        if std::mem::take(&mut side.paused) {
            self.tell(Event::ReadingResumed { leg });
        }
        let side = self.side_mut(leg);
        if side.turn == 0 {
            return Read::TurnOver;
        }
        if std::mem::take(&mut side.unfinished) {
            let held = std::mem::take(&mut side.held);
            self.take_in(cx, leg, &held);
            return Read::Some;
        }
        self.read_bytes(cx, leg, scratch)
    }

    fn read_bytes(&mut self, cx: &mut Context<'_>, leg: Leg, scratch: &mut [u8]) -> Read {
        let side = self.side_mut(leg);
        let Some(io) = &mut side.io else {
            return Read::NotNow;
        };
        let held = side.held.len();
        scratch[..held].copy_from_slice(&side.held);
        let room = scratch.len().min(held + side.read_size);
        let mut buf = ReadBuf::new(&mut scratch[held..room]);
        let lost = match Pin::new(io).poll_read(cx, &mut buf) {
            Poll::Pending => match side.write_error.take() {
                Some(error) => error.to_string(),
                None => return Read::Nothing,
            },
            Poll::Ready(Err(error)) => error.to_string(),
            Poll::Ready(Ok(())) if buf.filled().is_empty() => {
                "TCP connection ended without a Close frame".to_owned()
            }
            Poll::Ready(Ok(())) => {
                let end = held + buf.filled().len();
                if side.reading == Reading::Frames {
                    if held > 0 {
                        side.held = Vec::new();
                    }
                    self.take_in(cx, leg, &scratch[..end]);
                    let side = self.side_mut(leg);
                    if side.unfinished || side.read_size < READ {
                        side.adapt_read_size(end - side.held.len());
                    }
                }
                return Read::Some;
            }
        };
        let mid_frame = self.is_cut(leg.other());
        self.tell(Event::Lost {
            leg,
            detail: lost,
            mid_frame,
        });
        Read::Some
    }

    /// Writes a run of data frames to a leg, up to `boundary`; what the socket does not take is kept.
    fn pass(&mut self, cx: &mut Context<'_>, to: Leg, run: &[u8], boundary: Boundary) {
        let is_gathered = self.writes > FEW_WRITES && run.len() < SHORT_RUN;
        let side = self.side_mut(to);
        if run.is_empty() || side.out.is_closed() {
            return;
        }
        side.boundary = boundary;
        // The next flush writes what is kept.
        if side.out.is_blocked() || is_gathered {
            side.out.keep(run);
            return;
        }
        let Some(io) = &mut side.io else { return };
        let written = Pin::new(io).poll_write(cx, run);
        self.writes = self.writes.wrapping_add(1);
        let side = self.side_mut(to);
        match written {
            Poll::Ready(Ok(taken)) if taken == run.len() => {}
            Poll::Ready(Ok(taken)) => {
                side.out.keep(&run[taken..]);
                self.blocked(to);
            }
            Poll::Pending => {
                side.out.keep(run);
                self.blocked(to);
            }
            Poll::Ready(Err(error)) => self.write_failed(to, error),
        }
    }

    /// Writes what waits for a leg's socket; true: it took some.
    #[inline]
    fn flush(&mut self, cx: &mut Context<'_>, leg: Leg) -> bool {
        !self.side(leg).is_quiet() && self.write_out(cx, leg)
    }

    fn write_out(&mut self, cx: &mut Context<'_>, leg: Leg) -> bool {
        let mut progress = false;
        loop {
            self.place_if_free(leg);
            let side = self.side_mut(leg);
            let (Some(io), false) = (&mut side.io, side.out.backlog().is_empty()) else {
                side.poll_shutdown(cx);
                return progress;
            };
            let written = Pin::new(io).poll_write(cx, side.out.backlog());
            self.writes = self.writes.wrapping_add(1);
            let side = self.side_mut(leg);
            match written {
                Poll::Ready(Ok(taken)) if taken > 0 => {
                    progress = true;
                    self.took(leg, taken);
                }
                Poll::Ready(Ok(_)) => self.write_failed(leg, std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => self.write_failed(leg, error),
                Poll::Pending => {
                    if !side.blocked_told {
                        self.blocked(leg);
                    }
                    return progress;
                }
            }
        }
    }

    fn took(&mut self, to: Leg, len: usize) {
        let side = self.side_mut(to);
        let left = side.out.took(len);
        let blocked = side.out.is_blocked();
        let was_told = std::mem::replace(&mut side.blocked_told, blocked);
        if blocked || was_told {
            self.tell(Event::Progress { to, blocked });
        }
        if left.probe {
            self.tell(Event::ProbeWritten { to });
        }
        if left.measure {
            self.tell(Event::MeasureWritten { to });
        }
        if left.close {
            self.tell(Event::CloseWritten { to });
        }
    }

    fn blocked(&mut self, to: Leg) {
        self.side_mut(to).blocked_told = true;
        self.tell(Event::Progress { to, blocked: true });
    }

    /// A leg takes no more bytes. It is lost only when it has nothing more to say either, so that a Close frame that
    /// it sent before is still read.
    fn write_failed(&mut self, to: Leg, error: std::io::Error) {
        let side = self.side_mut(to);
        side.write_error = Some(error);
        side.out.give_up();
        if std::mem::take(&mut side.blocked_told) {
            self.tell(Event::Progress { to, blocked: false });
        }
        self.stirred = true;
    }

    /// Tells the session what happened and performs what it decides.
    fn tell(&mut self, event: Event) {
        let mut actions = Actions::new();
        self.session.handle(event, self.now, &mut actions);
        self.stirred = true;
        for action in actions {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Ping { to, payload } => self.side_mut(to).out.push_ping(payload),
            Action::Measure { to, payload } => self.side_mut(to).out.push_measure(payload),
            Action::Measured { leg, rtt } => self.measured(leg, rtt),
            Action::Pong { to, payload } => self.side_mut(to).out.push_pong(payload),
            Action::Text { to, text } => self.side_mut(to).out.push_text(text),
            Action::ProbeText { to, text } => self.side_mut(to).out.push_probe_text(text),
            Action::Reply { to, kind, payload } => self.side_mut(to).out.push_reply(kind, payload),
            Action::Close { to, close } => self.side_mut(to).out.push_close(close),
            // RFC 6455 section 7.1.1: the server ends TCP first, so that it, not its clients, keeps TIME_WAIT.
            Action::Finish { leg } => {
                let side = self.side_mut(leg);
                if leg == Leg::Client || side.reading == Reading::Broken {
                    side.shut_down();
                }
            }
            Action::Drop { leg } => {
                let is_inside_a_frame = self.is_cut(leg) || self.side(leg).out.is_blocked();
                // A peer that broke a rule and is still there must not see its stream end in good order inside a frame.
                match self.side(leg).reading == Reading::Broken && is_inside_a_frame {
                    true => self.reset(leg),
                    false => self.side_mut(leg).drop_io(),
                }
            }
            Action::Reset { leg } => self.reset(leg),
        }
    }

    fn reset(&mut self, leg: Leg) {
        self.mid_frame |= self.is_cut(leg);
        self.side_mut(leg).reset();
    }

    fn place_if_free(&mut self, leg: Leg) {
        let side = self.side(leg);
        if side.out.has_waiting() && !side.out.is_blocked() && side.boundary != Boundary::None {
            self.place(leg);
        }
    }

    fn place(&mut self, leg: Leg) {
        let side = self.side_mut(leg);
        let message_boundary = side.boundary == Boundary::Message;
        match leg {
            Leg::Client => side.out.place(message_boundary, || None),
            // Section 5.3: a masking key must not be predictable.
            Leg::Upstream => side.out.place(message_boundary, || Some(rand::random())),
        }
    }

    /// Whether a leg has got the beginning of a frame without its end.
    fn is_cut(&self, leg: Leg) -> bool {
        let side = self.side(leg);
        side.boundary == Boundary::None && !side.out.is_closed()
    }

    fn side(&self, leg: Leg) -> &Side<S> {
        &self.sides[leg]
    }

    fn side_mut(&mut self, leg: Leg) -> &mut Side<S> {
        &mut self.sides[leg]
    }
}

#[cfg(test)]
mod tests;

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
