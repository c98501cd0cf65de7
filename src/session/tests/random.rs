//! Random events at random times.

use proptest::prelude::*;

use super::arbitrary::{Happening, alive, any_policy, happening};
use super::*;

/// Keeps what must always hold.
struct Watch {
    bench: Bench,
    newest_ping: PerLeg<Option<[u8; 8]>>,
    close_asked: PerLeg<bool>,
    ended: PerLeg<bool>,
    probes_asked: PerLeg<bool>,
    measure_asked: PerLeg<Option<[u8; 8]>>,
    measure_left: PerLeg<Option<[u8; 8]>>,
    cause: Option<Cause>,
    over: bool,
}

impl Watch {
    fn new(policy: Policy, seed: u64) -> Self {
        let mut bench = Bench::opened_at(policy, seed, Time::from_micros(seed % 5_000_000));
        bench.sockets_take = false;
        Watch {
            bench,
            newest_ping: PerLeg::new(None, None),
            close_asked: PerLeg::new(false, false),
            ended: PerLeg::new(false, false),
            probes_asked: PerLeg::new(false, false),
            measure_asked: PerLeg::new(None, None),
            measure_left: PerLeg::new(None, None),
            cause: None,
            over: false,
        }
    }

    fn tell(&mut self, event: Event) {
        let actions = self.bench.tell(event);
        for action in &actions {
            self.check(action);
        }
        if self.cause.is_some() {
            assert_eq!(self.bench.cause(), self.cause, "a cause changed");
        }
        self.cause = self.bench.cause();
        assert_eq!(
            self.bench.session.is_finished(),
            self.ended == PerLeg::new(true, true)
        );
        let is_over = self.bench.session.is_over();
        assert!(is_over || !self.over, "over, and not any more");
        assert!(is_over || !self.bench.session.is_finished());
        self.over = is_over;
    }

    fn check(&mut self, action: &Action) {
        match action {
            Action::Ping { to, .. }
            | Action::Pong { to, .. }
            | Action::Measure { to, .. }
            | Action::Text { to, .. }
            | Action::Reply { to, .. }
            | Action::ProbeText { to, .. } => {
                assert!(!self.close_asked[*to], "{action:?} after a Close frame");
                assert!(!self.ended[*to], "{action:?} for a leg that is gone");
            }
            Action::Close { to, close } => {
                assert!(
                    !std::mem::replace(&mut self.close_asked[*to], true),
                    "two Close frames"
                );
                assert!(!self.ended[*to]);
                assert!(close.code().is_none_or(crate::protocol::is_sendable_code));
            }
            Action::Finish { leg } => {
                assert!(self.close_asked[*leg] && !self.ended[*leg]);
            }
            Action::Measured { leg, .. } => {
                assert!(
                    self.measure_left[*leg].take().is_some(),
                    "measured without a ping"
                );
            }
            Action::Drop { leg } | Action::Reset { leg } => {
                assert!(
                    !std::mem::replace(&mut self.ended[*leg], true),
                    "ended twice"
                );
            }
        }
        if let Action::Measure { to, payload } = action {
            let asked = self.measure_asked[*to].replace(*payload);
            assert!(asked.is_none(), "a ping while another one has not left");
            self.measure_left[*to] = None;
            assert_ne!(self.newest_ping[*to], Some(*payload));
        }
        if let Action::Ping {
            to,
            payload: Payload::Probe(payload),
        } = action
        {
            self.newest_ping[*to] = Some(*payload);
        }
        if let Action::Ping {
            to,
            payload: Payload::Probe(_),
        }
        | Action::Pong {
            to,
            payload: Payload::Probe(_),
        }
        | Action::ProbeText { to, .. } = action
        {
            let asked = std::mem::replace(&mut self.probes_asked[*to], true);
            assert!(!asked, "a probe while another one has not left");
        }
    }

    fn wait(&mut self, micros: u64) {
        let end = self.bench.now.after(Duration::from_micros(micros));
        while let Some(deadline) = self.bench.session.next_deadline()
            && !self.bench.session.is_finished()
            && deadline <= end
        {
            self.bench.now = self.bench.now.max(deadline);
            self.tell(Event::Timeout);
            let next = self.bench.session.next_deadline();
            assert!(
                self.bench.session.is_finished() || !is_due(next, self.bench.now),
                "woken in vain: {:?}",
                self.bench.session
            );
        }
        self.bench.now = end.max(self.bench.now);
    }

    fn happen(&mut self, happening: Happening) {
        // Sockets that are gone tell nothing.
        let gone = |leg: &Leg| self.ended[*leg];
        match &happening {
            Happening::Data(leg, _)
            | Happening::Ping(leg)
            | Happening::Pong(leg, _)
            | Happening::Answer(leg)
            | Happening::AnswerMeasure(leg)
                if gone(leg) =>
            {
                return;
            }
            Happening::Close(leg, _) | Happening::Violation(leg, _) | Happening::Lost(leg, _)
                if gone(leg) =>
            {
                return;
            }
            Happening::Written(leg) | Happening::Progress(leg, _) if gone(leg) => return,
            _ => {}
        }
        match happening {
            Happening::Wait(micros) => self.wait(micros),
            Happening::Data(from, ends_message) => {
                let now = self.bench.now;
                self.bench.session.data(from, 3, ends_message.into(), now);
            }
            Happening::Ping(from) => self.tell(Event::Ping {
                from,
                payload: ControlPayload::new(b"x"),
            }),
            Happening::Pong(from, len) => self.tell(Event::Pong {
                from,
                payload: ControlPayload::new(&vec![0; len.into()]),
            }),
            Happening::Answer(from) => {
                if let Some(payload) = self.newest_ping[from] {
                    self.tell(Event::Pong {
                        from,
                        payload: ControlPayload::new(&payload),
                    });
                }
            }
            Happening::Measure(leg) => self.tell(Event::Measure { leg }),
            Happening::AnswerMeasure(from) => {
                if let Some(payload) = self.measure_left[from] {
                    self.tell(Event::Pong {
                        from,
                        payload: ControlPayload::new(&payload),
                    });
                    if !self.ended[from] {
                        assert_eq!(self.measure_left[from], None, "no answer");
                    }
                }
            }
            Happening::Close(from, code) => self.tell(Event::Close {
                from,
                close: Close::new(code, ""),
            }),
            Happening::Violation(from, mid_frame) => {
                let violation = if mid_frame {
                    Violation::TextNotUtf8
                } else {
                    Violation::ReservedBit
                };
                self.tell(Event::Violation {
                    from,
                    violation,
                    mid_frame,
                });
            }
            Happening::Lost(leg, mid_frame) => self.tell(Event::Lost {
                leg,
                detail: String::new(),
                mid_frame,
            }),
            Happening::Written(to) => {
                if std::mem::take(&mut self.probes_asked[to]) {
                    self.tell(Event::ProbeWritten { to });
                }
                if let Some(payload) = self.measure_asked[to].take() {
                    self.measure_left[to] = Some(payload);
                    self.tell(Event::MeasureWritten { to });
                }
                if self.close_asked[to] && !self.ended[to] {
                    self.tell(Event::CloseWritten { to });
                }
            }
            Happening::Progress(to, blocked) => self.tell(Event::Progress { to, blocked }),
            Happening::Paused(leg) => self.tell(Event::ReadingPaused { leg }),
            Happening::Resumed(leg) => self.tell(Event::ReadingResumed { leg }),
            Happening::Timeout => self.tell(Event::Timeout),
            Happening::Policy(policy) => self.tell(Event::PolicyChanged {
                policy: Arc::new(*policy),
            }),
            Happening::Terminate => {
                let detail = String::new();
                self.tell(Event::Terminate {
                    cause: Cause::Killed,
                    close: None,
                    detail,
                });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn invariants_hold(policy in any_policy(), seed in any::<u64>(), happenings in prop::collection::vec(happening(), 0..80)) {
        let mut watch = Watch::new(policy, seed);
        for happening in happenings {
            watch.happen(happening);
        }
        // Whatever state it is in, it ends within two close timeouts.
        watch.happen(Happening::Terminate);
        watch.wait(2 * 5_000_000);
        prop_assert!(watch.bench.session.is_finished(), "{:?}", watch.bench.session);
    }

    #[test]
    fn the_living_are_woken_no_more_often_than_they_have_reason(policy in any_policy(), seed in any::<u64>(), happenings in prop::collection::vec(alive(), 0..80)) {
        let mut watch = Watch::new(policy, seed);
        for happening in happenings {
            watch.happen(happening);
        }
    }

    #[test]
    fn the_same_events_at_the_same_times_lead_to_the_same(policy in any_policy(), seed in any::<u64>(), happenings in prop::collection::vec(happening(), 0..30)) {
        let [mut one, mut other] = [Watch::new(policy.clone(), seed), Watch::new(policy, seed)];
        for happening in happenings {
            one.happen(happening.clone());
            other.happen(happening);
        }
        prop_assert_eq!(format!("{:?}", one.bench.session), format!("{:?}", other.bench.session));
    }
}
