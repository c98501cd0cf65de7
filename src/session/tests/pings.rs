//! A peer's pings, and pongs that answer none of ours.

use super::*;

fn answering(client: AnswerPings, upstream: AnswerPings) -> Bench {
    let mut policy = quiet();
    policy.client.answer_pings = client;
    policy.upstream.answer_pings = upstream;
    Bench::new(policy)
}

#[test]
fn local_answers_at_once_and_passes_nothing_on() {
    for leg in Leg::BOTH {
        let mut bench = answering(AnswerPings::Local, AnswerPings::Local);
        assert_eq!(bench.ping(leg, b"abc"), [pong_to(leg, b"abc")]);
        assert_eq!(bench.ping(leg, b""), [pong_to(leg, b"")]);
        assert_eq!(bench.pong(leg, b"abc"), []);
        assert_eq!(bench.session.counters(leg).pings_answered, 2);
        assert_eq!(bench.session.counters(leg.other()).pings_answered, 0);
    }
}

#[test]
fn forward_passes_the_ping_on_and_carries_the_pong_back() {
    for leg in Leg::BOTH {
        let mode = |of| {
            if of == leg {
                AnswerPings::Forward
            } else {
                AnswerPings::Local
            }
        };
        let mut bench = answering(mode(CLIENT), mode(UPSTREAM));
        let passed_on = Action::Ping {
            to: leg.other(),
            payload: Payload::Peer(ControlPayload::new(b"abc")),
        };
        assert_eq!(bench.ping(leg, b"abc"), [passed_on]);
        assert_eq!(bench.session.counters(leg).pings_answered, 0);
        assert_eq!(bench.pong(leg.other(), b"abc"), [pong_to(leg, b"abc")]);
        // The other direction is answered locally.
        assert_eq!(bench.ping(leg.other(), b"x"), [pong_to(leg.other(), b"x")]);
        assert_eq!(bench.pong(leg, b"x"), []);
    }
}

#[test]
fn pongs_that_answer_our_pings_stay_here() {
    let mut policy = quiet();
    policy.client.answer_pings = AnswerPings::Forward;
    policy.upstream.probe = Some(pinging());
    let mut bench = Bench::opened_at(policy, 0xabcd_ef01_2345_6789, Time::from_micros(0));
    let sent = probes(&bench.until(s(31)), UPSTREAM);
    assert_eq!(sent.len(), 2);
    for (_, payload) in &sent {
        assert_eq!(bench.pong(UPSTREAM, payload), [], "nor do late ones go on");
    }
    assert_eq!(bench.session.counters(UPSTREAM).pongs_received, 1);
    assert_eq!(
        bench.pong(UPSTREAM, b"12345678"),
        [pong_to(CLIENT, b"12345678")]
    );
}

#[test]
fn nothing_is_answered_once_there_is_a_cause() {
    for mode in [AnswerPings::Local, AnswerPings::Forward] {
        let mut bench = answering(mode, mode);
        bench.close(CLIENT, Close::new(1000, ""));
        for leg in Leg::BOTH {
            assert_eq!(bench.ping(leg, b"x"), []);
            assert_eq!(bench.pong(leg, b"x"), []);
        }
    }
}
