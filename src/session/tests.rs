//! Tables of events and the actions they lead to, in virtual time.

mod arbitrary;
mod causes;
mod closing;
mod heartbeats;
mod idle;
mod leaving;
mod limits;
mod measuring;
mod pauses;
mod pings;
mod probes;
mod random;
mod reload;

use super::policy::{Activity, Heartbeat, IdleNotice, Limits, Probe, ProbeKind};
use super::*;
use crate::protocol::{Close, Violation};

const CLIENT: Leg = Leg::Client;
const UPSTREAM: Leg = Leg::Upstream;
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A heartbeat that does nothing.
fn no_heartbeat() -> Heartbeat {
    Heartbeat {
        idle_time: None,
        activity: Activity::Frame,
        probe: None,
        answer_pings: AnswerPings::Local,
        idle_notice: None,
    }
}

/// Nothing but the closing handshake has a limit.
fn quiet() -> Policy {
    Policy {
        check_interval: s(1),
        app: Arc::default(),
        client: no_heartbeat(),
        upstream: no_heartbeat(),
        limits: Limits {
            max_frame: None,
            max_message: None,
            write_stall_timeout: None,
            close_timeout: CLOSE_TIMEOUT,
            max_lifetime: None,
            pings_per_second: None,
            messages_per_second: None,
            validate_utf8: false,
        },
        close: Vec::new(),
    }
}

fn heartbeat(policy: &mut Policy, leg: Leg) -> &mut Heartbeat {
    match leg {
        Leg::Client => &mut policy.client,
        Leg::Upstream => &mut policy.upstream,
    }
}

/// Pings every 20 s, lost after 10 s, twice in a row.
fn pinging() -> Probe {
    Probe {
        kind: ProbeKind::Ping,
        interval: s(20),
        pong_timeout: Some(s(10)),
        missed_pongs: 2,
    }
}

fn cause_of(leg: Leg, of_client: Cause, of_upstream: Cause) -> Cause {
    match leg {
        Leg::Client => of_client,
        Leg::Upstream => of_upstream,
    }
}

/// A session, the time since it was opened, and sockets that take everything at once.
struct Bench {
    session: Session,
    opened: Time,
    now: Time,
    /// Frames that are asked for leave at once.
    sockets_take: bool,
}

/// An action with the time since the opening at which it was asked for.
type Timed = (Duration, Action);

impl Bench {
    fn new(policy: Policy) -> Self {
        Bench::opened_at(policy, 0, Time::from_micros(0))
    }

    fn opened_at(policy: Policy, seed: u64, opened: Time) -> Self {
        Bench {
            session: Session::new(Arc::new(policy), seed, opened),
            opened,
            now: opened,
            sockets_take: true,
        }
    }

    fn since_opened(&self) -> Duration {
        self.now.since(self.opened)
    }

    /// Tells what happens now, and what its consequences lead to.
    fn tell(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Actions::new();
        self.session.handle(event, self.now, &mut actions);
        let mut done = 0;
        while let (true, Some(action)) = (self.sockets_take, actions.get(done)) {
            let written = match action {
                Action::Ping {
                    to,
                    payload: Payload::Probe(_),
                }
                | Action::Pong {
                    to,
                    payload: Payload::Probe(_),
                }
                | Action::ProbeText { to, .. } => Some(Event::ProbeWritten { to: *to }),
                Action::Measure { to, .. } => Some(Event::MeasureWritten { to: *to }),
                Action::Close { to, .. } => Some(Event::CloseWritten { to: *to }),
                _ => None,
            };
            done += 1;
            if let Some(event) = written {
                self.session.handle(event, self.now, &mut actions);
            }
        }
        actions
    }

    /// Time passes; the session is woken when it wants to be.
    fn until(&mut self, elapsed: Duration) -> Vec<Timed> {
        let end = self.opened.after(elapsed);
        let mut all = Vec::new();
        while let Some(deadline) = self.session.next_deadline()
            && !self.session.is_finished()
            && deadline <= end
        {
            self.now = self.now.max(deadline);
            let actions = self.tell(Event::Timeout);
            let at = self.since_opened();
            all.extend(actions.into_iter().map(|action| (at, action)));
            assert!(
                self.session.is_finished() || !is_due(self.session.next_deadline(), self.now),
                "woken in vain at {at:?}: {:?}",
                self.session
            );
        }
        self.now = end.max(self.now);
        all
    }

    fn data(&mut self, from: Leg) {
        self.session.data(from, 1, 1, self.now);
    }

    fn ping(&mut self, from: Leg, payload: &[u8]) -> Vec<Action> {
        let payload = ControlPayload::new(payload);
        self.tell(Event::Ping { from, payload })
    }

    fn pong(&mut self, from: Leg, payload: &[u8]) -> Vec<Action> {
        let payload = ControlPayload::new(payload);
        self.tell(Event::Pong { from, payload })
    }

    fn close(&mut self, from: Leg, close: Close) -> Vec<Action> {
        self.tell(Event::Close { from, close })
    }

    fn lost(&mut self, leg: Leg) -> Vec<Action> {
        self.lost_inside(leg, false)
    }

    fn lost_inside(&mut self, leg: Leg, mid_frame: bool) -> Vec<Action> {
        let detail = "gone".to_owned();
        self.tell(Event::Lost {
            leg,
            detail,
            mid_frame,
        })
    }

    fn violation(&mut self, from: Leg, violation: Violation, mid_frame: bool) -> Vec<Action> {
        self.tell(Event::Violation {
            from,
            violation,
            mid_frame,
        })
    }

    fn kill(&mut self) -> Vec<Action> {
        self.tell(Event::Terminate {
            cause: Cause::Killed,
            close: None,
            detail: String::new(),
        })
    }

    fn cause(&self) -> Option<Cause> {
        self.session.ending().map(|ending| ending.cause)
    }

    #[track_caller]
    fn assert_open(&self) {
        assert_eq!(self.session.ending(), None);
    }

    fn sent(&self, leg: Leg) -> Option<Close> {
        self.session
            .ending()
            .and_then(|ending| ending.legs[leg].sent.clone())
    }
}

fn close_frame(to: Leg, code: u16, reason: &str) -> Action {
    Action::Close {
        to,
        close: Close::new(code, reason),
    }
}

fn finish(leg: Leg) -> Action {
    Action::Finish { leg }
}

fn drop_leg(leg: Leg) -> Action {
    Action::Drop { leg }
}

fn reset(leg: Leg) -> Action {
    Action::Reset { leg }
}

fn pong_to(to: Leg, payload: &[u8]) -> Action {
    Action::Pong {
        to,
        payload: Payload::Peer(ControlPayload::new(payload)),
    }
}

/// The probes among the actions: when, and what to answer them with.
fn probes(actions: &[Timed], leg: Leg) -> Vec<(Duration, [u8; 8])> {
    let probe = |(at, action): &Timed| match action {
        Action::Ping {
            to,
            payload: Payload::Probe(payload),
        }
        | Action::Pong {
            to,
            payload: Payload::Probe(payload),
        } if *to == leg => Some((*at, *payload)),
        _ => None,
    };
    actions.iter().filter_map(probe).collect()
}

fn times(probes: &[(Duration, [u8; 8])]) -> Vec<Duration> {
    probes.iter().map(|(at, _)| *at).collect()
}
