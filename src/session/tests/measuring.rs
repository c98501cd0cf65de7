//! Round trips that an operator asks for.

use super::*;

const NOTHING_SENT: u32 = 0;

/// Every setting of what the sidecar sends by itself.
fn keepalives() -> Vec<Option<Probe>> {
    let kind = |kind: ProbeKind, pong_timeout| Probe {
        kind,
        pong_timeout,
        ..pinging()
    };
    vec![
        None,
        Some(pinging()),
        Some(kind(ProbeKind::Ping, None)),
        Some(kind(ProbeKind::Pong, None)),
        Some(kind(ProbeKind::Text("alive?".into()), None)),
    ]
}

/// The payload of the ping that is sent when somebody asks.
fn ask(bench: &mut Bench, leg: Leg) -> [u8; 8] {
    match bench.tell(Event::Measure { leg })[..] {
        [Action::Measure { to, payload }] if to == leg => payload,
        ref other => panic!("{other:?}"),
    }
}

fn measured(leg: Leg, rtt: Duration) -> Action {
    Action::Measured { leg, rtt }
}

#[test]
fn a_ping_is_sent_at_once_whatever_the_keepalive_is() {
    for leg in Leg::BOTH {
        for probe in keepalives() {
            let mut policy = quiet();
            heartbeat(&mut policy, leg).probe = probe;
            let mut bench = Bench::new(policy);
            bench.until(ms(100));
            let payload = ask(&mut bench, leg);
            bench.until(ms(140));
            assert_eq!(bench.pong(leg, &payload), [measured(leg, ms(40))]);
            let counters = bench.session.counters(leg);
            assert_eq!((counters.pings_sent, counters.pongs_received), (1, 1));
            assert_eq!(counters.rtt, Some(ms(40)));
            assert_eq!(bench.session.counters(leg.other()).pings_sent, NOTHING_SENT);
            assert_eq!(bench.pong(leg, &payload), [], "told once");
        }
    }
}

#[test]
fn a_peer_that_does_not_answer_is_not_closed_for_it() {
    for leg in Leg::BOTH {
        for probe in [None, Some(pinging())] {
            let pings = probe.is_some();
            let mut policy = quiet();
            heartbeat(&mut policy, leg).probe = probe;
            let mut bench = Bench::new(policy);
            for second in 1..=15 {
                bench.until(s(second));
                ask(&mut bench, leg);
            }
            bench.assert_open();
            assert_eq!(bench.session.counters(leg).missed_pongs, 0);
            if !pings {
                bench.until(s(10_000));
                bench.assert_open();
            }
        }
    }
}

#[test]
fn asking_does_not_put_off_the_end_of_a_dead_peer() {
    for leg in Leg::BOTH {
        let end = |asks: bool| {
            let mut policy = quiet();
            heartbeat(&mut policy, leg).probe = Some(pinging());
            let mut bench = Bench::new(policy);
            for second in 1..100 {
                bench.until(s(second));
                if bench.cause().is_some() {
                    return second;
                }
                if asks {
                    ask(&mut bench, leg);
                }
            }
            panic!("it lives");
        };
        assert_eq!(end(false), end(true));
    }
}

#[test]
fn ordinary_pings_are_answered_beside_it() {
    let mut policy = quiet();
    policy.client.probe = Some(pinging());
    let mut bench = Bench::new(policy);
    let ordinary = probes(&bench.until(s(20)), CLIENT)[0].1;
    let asked = ask(&mut bench, CLIENT);
    assert_ne!(ordinary, asked);
    assert_eq!(bench.pong(CLIENT, &ordinary), []);
    assert_eq!(bench.session.counters(CLIENT).pongs_received, 1);
    assert_eq!(bench.pong(CLIENT, &asked), [measured(CLIENT, ms(0))]);
    assert_eq!(bench.session.counters(CLIENT).pongs_received, 2);
}

#[test]
fn those_who_ask_while_the_ping_waits_share_it_and_later_ones_get_their_own() {
    let mut bench = Bench::new(quiet());
    bench.sockets_take = false;
    let first = ask(&mut bench, CLIENT);
    let measure = || Event::Measure { leg: CLIENT };
    assert_eq!(bench.tell(measure()), []);
    assert_eq!(bench.pong(CLIENT, &first), [], "guessed before it left");
    bench.tell(Event::MeasureWritten { to: CLIENT });
    bench.until(s(1));
    let second = ask(&mut bench, CLIENT);
    bench.tell(Event::MeasureWritten { to: CLIENT });
    bench.until(s(3));
    assert_eq!(bench.pong(CLIENT, &first), [], "not the newest any more");
    assert_eq!(bench.pong(CLIENT, &second), [measured(CLIENT, s(2))]);
}

#[test]
fn its_pong_is_not_carried_to_the_other_peer() {
    let mut policy = quiet();
    policy.client.answer_pings = AnswerPings::Forward;
    let mut bench = Bench::opened_at(policy, 0xabcd_ef01_2345_6789, Time::from_micros(0));
    let old = ask(&mut bench, UPSTREAM);
    let new = ask(&mut bench, UPSTREAM);
    assert_eq!(bench.pong(UPSTREAM, &old), []);
    assert_eq!(bench.pong(UPSTREAM, &new), [measured(UPSTREAM, ms(0))]);
}

#[test]
fn time_in_which_the_leg_is_not_read_is_not_measured() {
    let mut bench = Bench::new(quiet());
    let payload = ask(&mut bench, CLIENT);
    bench.until(ms(10));
    bench.tell(Event::ReadingPaused { leg: CLIENT });
    bench.until(s(60));
    bench.tell(Event::ReadingResumed { leg: CLIENT });
    assert_eq!(bench.pong(CLIENT, &payload), [measured(CLIENT, ms(10))]);
}

#[test]
fn nothing_is_asked_once_there_is_a_cause() {
    let mut bench = Bench::new(quiet());
    bench.kill();
    assert_eq!(bench.tell(Event::Measure { leg: CLIENT }), []);
}
