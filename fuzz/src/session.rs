//! Operations on a session in virtual time.

use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use sidebeat::per_leg::PerLeg;
use sidebeat::protocol::{Close, ControlPayload, Violation};
use sidebeat::session::policy::{
    Activity, AnswerPings, Heartbeat, IdleNotice, Limits, Policy, Probe, ProbeKind,
};
use sidebeat::session::{Action, Actions, Cause, Event, Leg, Session, Time};
use sidebeat::time::is_due;

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Beat {
    idle_ms: Option<u16>,
    message: bool,
    forward: bool,
    probe: Option<(u8, u16, Option<u16>, u8)>,
    notice_ms: Option<u16>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Settings {
    check_ms: u16,
    client: Beat,
    upstream: Beat,
    stall_ms: Option<u16>,
    close_ms: u16,
    lifetime_s: Option<u16>,
    pings: Option<u8>,
}

#[derive(Arbitrary, Debug)]
enum Operation {
    Wait(u32),
    Data(bool, u16, bool),
    Ping(bool, u8),
    Pong(bool, u8),
    Answer(bool),
    Close(bool, u16),
    Violation(bool, bool, bool),
    Lost(bool, bool),
    Written(bool),
    Progress(bool, bool),
    Paused(bool),
    Resumed(bool),
    Timeout,
    Policy(Box<Settings>),
    Terminate(bool),
}

#[derive(Arbitrary, Debug)]
struct Input {
    settings: Settings,
    seed: u64,
    opened: u32,
    operations: Vec<Operation>,
}

fn ms(millis: u16) -> Duration {
    Duration::from_millis(u64::from(millis).max(1))
}

fn heartbeat(beat: Beat) -> Heartbeat {
    let kind = |kind| match kind % 3 {
        0 => ProbeKind::Ping,
        1 => ProbeKind::Pong,
        _ => ProbeKind::Text("alive?".into()),
    };
    Heartbeat {
        idle_time: beat.idle_ms.map(ms),
        activity: if beat.message {
            Activity::Message
        } else {
            Activity::Frame
        },
        probe: beat.probe.map(|(of, interval, timeout, missed)| Probe {
            kind: kind(of),
            interval: ms(interval.max(20)),
            pong_timeout: timeout.map(ms).filter(|_| kind(of) == ProbeKind::Ping),
            missed_pongs: u32::from(missed).max(1),
        }),
        answer_pings: if beat.forward {
            AnswerPings::Forward
        } else {
            AnswerPings::Local
        },
        idle_notice: beat.notice_ms.map(|before| IdleNotice {
            before: ms(before),
            text: "soon".into(),
        }),
    }
}

fn policy(settings: Settings) -> Policy {
    Policy {
        app: std::sync::Arc::default(),
        check_interval: ms(settings.check_ms),
        client: heartbeat(settings.client),
        upstream: heartbeat(settings.upstream),
        limits: Limits {
            max_frame: None,
            max_message: None,
            write_stall_timeout: settings.stall_ms.map(ms),
            close_timeout: ms(settings.close_ms),
            max_lifetime: settings
                .lifetime_s
                .map(|s| Duration::from_secs(u64::from(s).max(1))),
            pings_per_second: settings.pings.map(|rate| u32::from(rate).max(1)),
            messages_per_second: None,
            validate_utf8: false,
        },
        close: Vec::new(),
    }
}

fn leg(client: bool) -> Leg {
    if client { Leg::Client } else { Leg::Upstream }
}

struct Watch {
    session: Session,
    now: Time,
    newest: PerLeg<[u8; 8]>,
    probe_asked: PerLeg<bool>,
    close_asked: PerLeg<bool>,
    gone: PerLeg<bool>,
    cause: Option<Cause>,
}

impl Watch {
    fn tell(&mut self, event: Event) {
        let mut actions = Actions::new();
        self.session.handle(event, self.now, &mut actions);
        for action in actions {
            self.check(action);
        }
        let cause = self.session.ending().map(|ending| ending.cause);
        assert!(
            self.cause.is_none() || self.cause == cause,
            "the cause changed"
        );
        self.cause = cause;
        assert_eq!(
            self.session.is_finished(),
            self.gone == PerLeg::new(true, true)
        );
    }

    fn check(&mut self, action: Action) {
        let (Action::Ping { to, .. }
        | Action::Pong { to, .. }
        | Action::Measure { to, .. }
        | Action::Measured { leg: to, .. }
        | Action::Text { to, .. }
        | Action::Reply { to, .. }
        | Action::ProbeText { to, .. }
        | Action::Close { to, .. }
        | Action::Finish { leg: to }
        | Action::Drop { leg: to }
        | Action::Reset { leg: to }) = action;
        let at = to;
        assert!(!self.gone[at], "{action:?} for a leg that is gone");
        match &action {
            Action::Finish { .. } => assert!(self.close_asked[at]),
            Action::Measured { .. } => {}
            Action::Drop { .. } | Action::Reset { .. } => self.gone[at] = true,
            _ => assert!(!self.close_asked[at], "{action:?} after a Close frame"),
        }
        match &action {
            Action::Close { .. } => self.close_asked[at] = true,
            Action::ProbeText { .. } => self.probe_asked[at] = true,
            Action::Ping { payload, .. } | Action::Pong { payload, .. } => {
                if let sidebeat::session::Payload::Probe(payload) = payload {
                    self.newest[at] = *payload;
                    self.probe_asked[at] = true;
                }
            }
            _ => {}
        }
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now.after(time);
        // Enough for any run of timers within an input's time.
        for _ in 0..5_000 {
            let deadline = self.session.next_deadline();
            let deadline = deadline.filter(|deadline| *deadline <= end);
            let Some(deadline) = deadline.filter(|_| !self.session.is_finished()) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(deadline);
            self.tell(Event::Timeout);
            assert!(
                self.session.is_finished() || !is_due(self.session.next_deadline(), self.now),
                "woken in vain"
            );
        }
    }

    fn operate(&mut self, operation: Operation) {
        let from = match &operation {
            Operation::Data(of, ..)
            | Operation::Ping(of, _)
            | Operation::Pong(of, _)
            | Operation::Answer(of)
            | Operation::Close(of, _)
            | Operation::Violation(of, ..)
            | Operation::Lost(of, _)
            | Operation::Written(of)
            | Operation::Progress(of, _)
            | Operation::Paused(of)
            | Operation::Resumed(of) => leg(*of),
            _ => Leg::Client,
        };
        let of_a_leg = !matches!(
            operation,
            Operation::Wait(_)
                | Operation::Timeout
                | Operation::Policy(_)
                | Operation::Terminate(_)
        );
        if of_a_leg && self.gone[from] {
            return; // Sockets that are gone tell nothing.
        }
        match operation {
            Operation::Wait(micros) => self.wait(Duration::from_micros(micros.into())),
            Operation::Data(_, bytes, ends_message) => {
                let messages = ends_message.into();
                self.session.data(from, bytes.into(), messages, self.now);
            }
            Operation::Ping(_, len) => self.tell(Event::Ping {
                from,
                payload: ControlPayload::new(&vec![1; len.into()]),
            }),
            Operation::Pong(_, len) => self.tell(Event::Pong {
                from,
                payload: ControlPayload::new(&vec![1; len.into()]),
            }),
            Operation::Answer(_) => self.tell(Event::Pong {
                from,
                payload: ControlPayload::new(&self.newest[from]),
            }),
            Operation::Close(_, code) => {
                let close = Close::parse(&code.to_be_bytes()).unwrap_or_default();
                self.tell(Event::Close { from, close });
            }
            Operation::Violation(_, utf8, mid_frame) => {
                let violation = if utf8 {
                    Violation::TextNotUtf8
                } else {
                    Violation::FrameTooBig(9)
                };
                self.tell(Event::Violation {
                    from,
                    violation,
                    mid_frame,
                });
            }
            Operation::Lost(_, mid_frame) => self.tell(Event::Lost {
                leg: from,
                detail: String::new(),
                mid_frame,
            }),
            Operation::Written(_) => {
                if std::mem::take(&mut self.probe_asked[from]) {
                    self.tell(Event::ProbeWritten { to: from });
                }
                if self.close_asked[from] {
                    self.tell(Event::CloseWritten { to: from });
                }
            }
            Operation::Progress(_, blocked) => self.tell(Event::Progress { to: from, blocked }),
            Operation::Paused(_) => self.tell(Event::ReadingPaused { leg: from }),
            Operation::Resumed(_) => self.tell(Event::ReadingResumed { leg: from }),
            Operation::Timeout => self.tell(Event::Timeout),
            Operation::Policy(settings) => self.tell(Event::PolicyChanged {
                policy: Arc::new(policy(*settings)),
            }),
            Operation::Terminate(killed) => self.tell(Event::Terminate {
                cause: if killed {
                    Cause::Killed
                } else {
                    Cause::Drained
                },
                close: None,
                detail: String::new(),
            }),
        }
    }
}

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(input)) else {
        return;
    };
    let opened = Time::from_micros(input.opened.into());
    let mut watch = Watch {
        session: Session::new(Arc::new(policy(input.settings)), input.seed, opened),
        now: opened,
        newest: PerLeg::new([0; 8], [0; 8]),
        probe_asked: PerLeg::new(false, false),
        close_asked: PerLeg::new(false, false),
        gone: PerLeg::new(false, false),
        cause: None,
    };
    for operation in input.operations.into_iter().take(200) {
        watch.operate(operation);
    }
    watch.operate(Operation::Terminate(true));
    // A deadline that was set under an earlier policy may be the longest that can be written down.
    watch.wait(2 * ms(u16::MAX));
    assert!(watch.session.is_finished(), "{:?}", watch.session);
}
