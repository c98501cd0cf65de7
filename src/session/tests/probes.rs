use super::*;

fn probing(leg: Leg, probe: Probe) -> Policy {
    let mut policy = quiet();
    heartbeat(&mut policy, leg).probe = Some(probe);
    policy
}

fn patient(kind: ProbeKind) -> Probe {
    Probe {
        kind,
        pong_timeout: None,
        ..pinging()
    }
}

#[test]
fn the_first_ping_comes_after_a_random_half_to_whole_interval() {
    let mut policy = probing(CLIENT, patient(ProbeKind::Ping));
    policy.upstream.probe = policy.client.probe.clone();
    policy.check_interval = ms(1);
    let (mut early, mut late, mut together) = (0, 0, 0);
    for seed in 0..400_u64 {
        let seed = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
        let mut bench = Bench::opened_at(policy.clone(), seed, Time::from_micros(5));
        let actions = bench.until(ms(20_001));
        let first = |leg| probes(&actions, leg)[0].0;
        for leg in Leg::BOTH {
            assert!(
                first(leg) >= s(10) && first(leg) <= ms(20_001),
                "{:?}",
                first(leg)
            );
            early += u32::from(first(leg) < s(15));
            late += u32::from(first(leg) >= s(15));
        }
        together += u32::from(first(CLIENT) == first(UPSTREAM));
    }
    assert!(early > 300 && late > 300, "{early} and {late}");
    assert!(together < 10, "{together}");
}

#[test]
fn then_each_interval_without_drift() {
    for leg in Leg::BOTH {
        for (kind, interval) in [(ProbeKind::Ping, ms(2700)), (ProbeKind::Pong, s(20))] {
            let probe = Probe {
                interval,
                ..patient(kind)
            };
            let mut bench = Bench::new(probing(leg, probe));
            let sent = probes(&bench.until(s(400)), leg);
            assert!(sent.len() > 18);
            for (nth, (at, _)) in (0..).zip(&sent) {
                // Each is rounded up by itself, so that the error does not add up.
                let exact = interval / 2 + interval * nth;
                assert!(
                    *at >= exact && *at < exact + s(1),
                    "{nth}: {at:?} for {exact:?}"
                );
            }
            assert_eq!(bench.session.counters(leg).pings_sent, sent.len() as u32);
        }
    }
}

#[test]
fn every_ping_is_another_and_legs_do_not_share_them() {
    let mut policy = probing(CLIENT, patient(ProbeKind::Ping));
    policy.upstream.probe = policy.client.probe.clone();
    let mut bench = Bench::opened_at(policy, 0x1234_5678_9abc_def0, Time::from_micros(0));
    let actions = bench.until(s(200));
    let mut all: Vec<_> = Leg::BOTH
        .into_iter()
        .flat_map(|leg| probes(&actions, leg))
        .map(|(_, payload)| payload)
        .collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((count, all.len()), (20, 20));
}

#[test]
fn pings_missed_in_a_row_end_it() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(probing(leg, pinging()));
        let actions = bench.until(s(39));
        assert_eq!(times(&probes(&actions, leg)), [s(10), s(30)]);
        bench.assert_open();
        assert_eq!(bench.session.counters(leg).missed_pongs, 1);
        let actions = bench.until(s(40));
        let code = if leg == CLIENT { 1001 } else { 1014 };
        assert!(
            matches!(&actions[..], [(_, Action::Close { to: CLIENT, close }), (_, Action::Close { to: UPSTREAM, .. })] if close.code() == Some(code))
        );
        assert_eq!(
            bench.cause(),
            Some(cause_of(
                leg,
                Cause::ClientPongTimeout,
                Cause::UpstreamPongTimeout
            ))
        );
        assert_eq!(bench.session.counters(leg).missed_pongs, 2);
    }
}

#[test]
fn any_byte_is_an_answer() {
    for leg in Leg::BOTH {
        let answers: [fn(&mut Bench, Leg); 4] = [
            |bench, leg| bench.data(leg),
            |bench, leg| _ = bench.ping(leg, b""),
            |bench, leg| _ = bench.pong(leg, b"unasked"),
            |bench, leg| bench.session.data(leg, 1, 0, bench.now),
        ];
        for answer in answers {
            let mut bench = Bench::new(probing(leg, pinging()));
            for round in 0..10 {
                bench.until(s(11 + 20 * round));
                answer(&mut bench, leg);
            }
            assert_eq!(bench.session.counters(leg).missed_pongs, 0);
            assert_eq!(bench.session.counters(leg).pongs_received, 0);
            bench.assert_open();
        }
    }
}

#[test]
fn what_the_other_leg_sends_is_no_answer() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(probing(leg, pinging()));
        for second in 0..60 {
            bench.until(s(second));
            if bench.cause().is_none() {
                bench.data(leg.other());
            }
        }
        assert_eq!(
            bench.cause(),
            Some(cause_of(
                leg,
                Cause::ClientPongTimeout,
                Cause::UpstreamPongTimeout
            ))
        );
    }
}

#[test]
fn an_answer_in_between_starts_the_row_anew() {
    let mut bench = Bench::new(probing(CLIENT, pinging()));
    // Missed at 20; the ping of 30 is answered, those of 50 and 70 are not.
    bench.until(s(31));
    bench.data(CLIENT);
    bench.until(s(79));
    bench.assert_open();
    assert_eq!(bench.session.counters(CLIENT).missed_pongs, 2);
    bench.until(s(80));
    assert_eq!(bench.cause(), Some(Cause::ClientPongTimeout));
    assert_eq!(bench.session.counters(CLIENT).missed_pongs, 3);
}

#[test]
fn a_pong_measures_the_round_trip() {
    let mut bench = Bench::new(probing(CLIENT, pinging()));
    let sent = probes(&bench.until(s(10)), CLIENT);
    bench.until(ms(10_123));
    assert_eq!(bench.pong(CLIENT, &sent[0].1), []);
    let counters = bench.session.counters(CLIENT);
    assert_eq!((counters.pongs_received, counters.rtt), (1, Some(ms(123))));
    // The same one again is activity and nothing else.
    bench.until(s(11));
    bench.pong(CLIENT, &sent[0].1);
    let counters = bench.session.counters(CLIENT);
    assert_eq!((counters.pongs_received, counters.rtt), (1, Some(ms(123))));
}

#[test]
fn a_late_pong_still_counts_and_ends_the_row() {
    let mut bench = Bench::new(probing(CLIENT, pinging()));
    let sent = probes(&bench.until(s(25)), CLIENT);
    assert_eq!(bench.session.counters(CLIENT).missed_pongs, 1);
    bench.pong(CLIENT, &sent[0].1);
    let counters = bench.session.counters(CLIENT);
    assert_eq!((counters.pongs_received, counters.rtt), (1, Some(s(15))));
    bench.until(s(45));
    bench.assert_open();
}

#[test]
fn a_pong_for_an_older_ping_or_for_the_other_leg_measures_nothing() {
    let mut policy = probing(CLIENT, pinging());
    policy.upstream.probe = Some(patient(ProbeKind::Ping));
    let mut bench = Bench::opened_at(policy, 0x1234_5678_0000_0000, Time::from_micros(0));
    let actions = bench.until(s(30));
    let (client, upstream) = (probes(&actions, CLIENT), probes(&actions, UPSTREAM));
    for foreign in [
        &client[0].1[..],
        &upstream[0].1,
        b"",
        b"12345678",
        &[0; 125],
    ] {
        bench.pong(CLIENT, foreign);
    }
    assert_eq!(bench.session.counters(CLIENT).pongs_received, 0);
    assert_eq!(bench.session.counters(CLIENT).rtt, None);
}

#[test]
fn the_time_counts_from_when_the_ping_left() {
    let mut bench = Bench::new(probing(CLIENT, pinging()));
    bench.sockets_take = false;
    let sent = probes(&bench.until(s(500)), CLIENT);
    assert_eq!(times(&sent), [s(10)], "one at a time");
    assert_eq!(bench.session.counters(CLIENT).pings_sent, 0);
    bench.sockets_take = true;
    bench.tell(Event::ProbeWritten { to: CLIENT });
    bench.until(ms(500_250));
    bench.pong(CLIENT, &sent[0].1);
    assert_eq!(bench.session.counters(CLIENT).rtt, Some(ms(250)));
    // Those that had no place are not made up for.
    let sent = probes(&bench.until(s(530)), CLIENT);
    assert_eq!(sent.len(), 2, "{sent:?}");
}

#[test]
fn nobody_answers_an_unsolicited_pong_or_a_text() {
    let kinds = [ProbeKind::Pong, ProbeKind::Text("alive?".into())];
    for kind in kinds {
        let mut bench = Bench::new(probing(UPSTREAM, patient(kind.clone())));
        let actions = bench.until(s(90));
        let at = |second| (s(second), Action::probe(UPSTREAM, &kind, [0; 8]));
        let expected = [at(10), at(30), at(50), at(70), at(90)];
        let without_payload = actions.iter().map(|(at, action)| match action {
            Action::Pong { to, .. } => (
                *at,
                Action::Pong {
                    to: *to,
                    payload: Payload::Probe([0; 8]),
                },
            ),
            other => (*at, other.clone()),
        });
        assert_eq!(without_payload.collect::<Vec<_>>(), expected);
        assert_eq!(bench.session.counters(UPSTREAM).pings_sent, 5);
        assert_eq!(bench.session.counters(UPSTREAM).missed_pongs, 0);
    }
}

#[test]
fn a_timeout_longer_than_the_interval_waits_with_the_next_ping() {
    let probe = Probe {
        pong_timeout: Some(s(50)),
        ..pinging()
    };
    let mut bench = Bench::new(probing(CLIENT, probe));
    assert_eq!(times(&probes(&bench.until(s(109)), CLIENT)), [s(10), s(60)]);
    bench.until(s(110));
    assert_eq!(bench.cause(), Some(Cause::ClientPongTimeout));
}
