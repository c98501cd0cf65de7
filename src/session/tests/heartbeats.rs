//! What counts as activity where the application has heartbeats of its own.

use super::*;
use crate::heartbeat::{MessageKind, Preset, Rules};

const IDLE: Duration = Duration::from_secs(60);

fn beating(leg: Leg, activity: Activity) -> Policy {
    let mut policy = quiet();
    policy.app = Arc::new(Rules::new(Preset::Json.rules().unwrap()));
    heartbeat(&mut policy, leg).idle_time = Some(IDLE);
    heartbeat(&mut policy, leg).activity = activity;
    policy
}

impl Bench {
    fn speaking(policy: Policy) -> Self {
        let mut bench = Bench::new(policy);
        bench.session.set_subprotocol(None);
        bench
    }

    fn text(&mut self, from: Leg, payload: &str) -> bool {
        let message = Message {
            from,
            kind: MessageKind::Text,
            payload: payload.as_bytes(),
            wire_bytes: payload.len(),
            unix_ms: 0,
            conn: "c",
        };
        self.session
            .message(&message, self.now, &mut Actions::new())
    }

    fn beat(&mut self, from: Leg) {
        self.text(from, r#"{"type":"ping"}"#);
    }

    fn idle_close(&mut self) -> (Duration, String) {
        let at = self.until(s(10_000))[0].0;
        (at, self.session.ending().unwrap().detail.clone())
    }
}

#[test]
fn under_activity_heartbeat_only_what_a_rule_recognises_counts() {
    for leg in Leg::BOTH {
        let mut bench = Bench::speaking(beating(leg, Activity::Heartbeat));
        bench.until(s(50));
        bench.beat(leg);
        bench.until(s(100));
        bench.ping(leg, b"");
        bench.pong(leg, b"");
        bench.data(leg);
        bench.text(leg, "hello");
        bench.beat(leg.other());
        let (at, detail) = bench.idle_close();
        assert_eq!(at, s(110));
        assert_eq!(
            detail,
            "no heartbeat received for 60.0s (2 messages came, which do not count under `activity: heartbeat`)"
        );
    }
}

#[test]
fn an_idle_close_says_which_heartbeats_came_and_did_not_count() {
    for (count, expected) in [
        (0, "no message received for 60.0s"),
        (
            1,
            "no message received for 60.0s (1 heartbeat came, which does not count under `activity: message`)",
        ),
        (
            5,
            "no message received for 60.0s (5 heartbeats came, which do not count under `activity: message`)",
        ),
    ] {
        let mut bench = Bench::speaking(beating(CLIENT, Activity::Message));
        bench.beat(CLIENT);
        bench.until(s(10));
        bench.data(CLIENT);
        for second in 0..count {
            bench.until(s(20 + second));
            bench.beat(CLIENT);
        }
        assert_eq!(bench.idle_close(), (s(70), expected.to_owned()));
    }
}

#[test]
fn a_pause_in_reading_loses_no_heartbeat_of_the_detail() {
    let mut bench = Bench::speaking(beating(CLIENT, Activity::Message));
    bench.beat(CLIENT);
    bench.tell(Event::ReadingPaused { leg: CLIENT });
    bench.until(s(100));
    bench.tell(Event::ReadingResumed { leg: CLIENT });
    bench.beat(CLIENT);
    let (at, detail) = bench.idle_close();
    assert_eq!(at, s(160));
    assert!(detail.contains("(2 heartbeats came"), "{detail}");
}

#[test]
fn the_backends_answer_that_is_kept_back_is_its_heartbeat() {
    let mut policy = beating(UPSTREAM, Activity::Heartbeat);
    let mut rules = Preset::Json.rules().unwrap();
    rules[1].forward = crate::heartbeat::Forward::Always;
    policy.app = Arc::new(Rules::new(rules));
    let mut bench = Bench::speaking(policy);
    bench.until(s(30));
    bench.beat(CLIENT);
    bench.until(s(40));
    assert!(!bench.text(UPSTREAM, r#"{"type":"pong"}"#), "kept back");
    assert_eq!(bench.idle_close().0, s(100));
}

#[test]
fn what_cannot_be_looked_into_may_have_been_a_heartbeat() {
    let mut bench = Bench::speaking(beating(CLIENT, Activity::Heartbeat));
    bench.until(s(30));
    let now = bench.now;
    bench.session.unreadable_message(CLIENT, 20, now);
    let (at, detail) = bench.idle_close();
    assert_eq!((at, &*detail), (s(90), "no heartbeat received for 60.0s"));
    assert_eq!(bench.session.counters(CLIENT).messages, 1);
}

#[test]
fn rules_that_come_with_a_reload_leave_time_for_the_first_heartbeat() {
    let policies = [
        (quiet(), beating(CLIENT, Activity::Heartbeat)),
        (
            {
                let mut policy = beating(CLIENT, Activity::Heartbeat);
                policy.app = Arc::new(Rules::new(Preset::Text.rules().unwrap()));
                policy.client.idle_time = Some(s(5000));
                policy
            },
            beating(CLIENT, Activity::Heartbeat),
        ),
    ];
    for (before, after) in policies {
        let mut bench = Bench::speaking(before);
        bench.until(s(1000));
        bench.tell(Event::PolicyChanged {
            policy: Arc::new(after),
        });
        bench.session.set_subprotocol(None);
        assert_eq!(bench.idle_close().0, s(1060));
    }
}

#[test]
fn the_answer_to_our_own_app_ping_counts_where_a_rule_recognises_it() {
    for (answer, closed) in [(r#"{"type":"pong"}"#, s(90)), ("alive", s(60))] {
        let mut policy = beating(CLIENT, Activity::Heartbeat);
        let expect = if answer == "alive" {
            crate::heartbeat::Matcher::Text(answer.into())
        } else {
            let pattern = serde_json::json!({"type": "pong"});
            crate::heartbeat::Matcher::Json(crate::heartbeat::json::Pattern::from(&pattern))
        };
        policy.client.probe = Some(Probe {
            kind: ProbeKind::App("?".into(), Arc::new(expect)),
            interval: s(30),
            pong_timeout: Some(s(29)),
            missed_pongs: 99,
        });
        let mut bench = Bench::speaking(policy);
        bench.until(s(30));
        assert!(!bench.text(CLIENT, answer), "it is for the sidecar");
        let closes = |(_, action): &Timed| matches!(action, Action::Close { .. });
        let actions = bench.until(s(1000));
        assert_eq!(actions.iter().find(|it| closes(it)).unwrap().0, closed);
    }
}
