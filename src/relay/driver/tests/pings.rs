use super::*;

#[tokio::test(start_paused = true)]
async fn every_ping_is_answered_in_order_where_nothing_blocks() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(policy());
        let pings: Vec<u8> = (0..10).flat_map(|nth| ping(leg, &[nth])).collect();
        bench.send(leg, &pings);
        let pongs: Vec<Heard> = (0..10).map(|nth| Heard::Pong(vec![nth])).collect();
        assert_eq!(bench.heard(leg), pongs);
        assert_eq!(bench.heard(leg.other()), []);
        bench.assert_owns_nothing();
    }
}

#[tokio::test(start_paused = true)]
async fn every_ping_is_passed_on_and_every_pong_carried_back() {
    let mut policy = policy();
    policy.client.answer_pings = AnswerPings::Forward;
    let mut bench = Bench::new(policy);
    bench.send(
        CLIENT,
        &[ping(CLIENT, b"a"), text(CLIENT, b"x"), ping(CLIENT, b"b")].concat(),
    );
    let expected = [
        Heard::Ping(b"a".to_vec()),
        message(b"x"),
        Heard::Ping(b"b".to_vec()),
    ];
    assert_eq!(bench.heard(UPSTREAM), expected);
    assert_eq!(bench.heard(CLIENT), []);
    bench.send(
        UPSTREAM,
        &[pong(UPSTREAM, b"a"), pong(UPSTREAM, b"b")].concat(),
    );
    assert_eq!(
        bench.heard(CLIENT),
        [Heard::Pong(b"a".to_vec()), Heard::Pong(b"b".to_vec())]
    );
}

/// RFC 6455 section 5.5.3.
#[tokio::test(start_paused = true)]
async fn a_blocked_leg_is_answered_with_the_newest_pong_alone() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(policy());
        bench.peer(leg).set_capacity(3);
        bench.send(leg.other(), &text(leg.other(), b"long enough"));
        for nth in 0..10 {
            bench.send(leg, &ping(leg, &[nth]));
        }
        bench.peer(leg).set_capacity(usize::MAX);
        bench.settle();
        assert_eq!(
            bench.heard(leg),
            [message(b"long enough"), Heard::Pong(vec![9])]
        );
        bench.assert_owns_nothing();
    }
}

#[tokio::test(start_paused = true)]
async fn pongs_wait_for_the_end_of_a_frame_and_probe_texts_for_the_end_of_a_message() {
    let mut policy = policy();
    policy.upstream.probe = Some(Probe {
        kind: ProbeKind::Text("alive?".into()),
        interval: Duration::from_secs(20),
        pong_timeout: None,
        missed_pongs: 1,
    });
    let mut bench = Bench::new(policy);
    let first = fragment(CLIENT, Data::Text, false, b"first");
    let (head, tail) = first.split_at(8);
    bench.send(CLIENT, head);
    bench.send(UPSTREAM, &ping(UPSTREAM, b"?"));
    bench.pass(Duration::from_secs(25)).await;
    bench.exchange();
    assert_eq!(bench.upstream.got, head);
    bench.send(CLIENT, tail);
    assert_eq!(bench.heard(UPSTREAM), [Heard::Pong(b"?".to_vec())]);
    bench.send(CLIENT, &fragment(CLIENT, Data::Continue, false, b" middle"));
    assert_eq!(bench.heard(UPSTREAM).len(), 1);
    let last = [
        fragment(CLIENT, Data::Continue, true, b" last"),
        text(CLIENT, b"next"),
    ]
    .concat();
    bench.send(CLIENT, &last);
    let expected = [
        Heard::Pong(b"?".to_vec()),
        message(b"first middle last"),
        message(b"alive?"),
        message(b"next"),
    ];
    assert_eq!(bench.heard(UPSTREAM), expected);
    bench.assert_owns_nothing();
}

#[tokio::test(start_paused = true)]
async fn pings_go_out_and_their_pongs_are_measured() {
    let mut policy = policy();
    policy.client.probe = Some(Probe {
        kind: ProbeKind::Ping,
        interval: Duration::from_secs(20),
        pong_timeout: Some(Duration::from_secs(10)),
        missed_pongs: 2,
    });
    let mut bench = Bench::new(policy);
    let mut answered = 0;
    for _ in 0..12 {
        bench.pass(Duration::from_secs(10)).await;
        let pings = bench.heard(CLIENT);
        for ping in &pings[answered..] {
            let Heard::Ping(payload) = ping else {
                panic!("{ping:?}")
            };
            bench.send(CLIENT, &pong(CLIENT, payload));
        }
        answered = pings.len();
    }
    let counters = bench.relay.session().counters(CLIENT);
    assert!(counters.pings_sent >= 5, "{counters:?}");
    assert_eq!(counters.pongs_received, counters.pings_sent);
    assert_eq!(bench.heard(UPSTREAM), [], "nobody else hears of it");
    bench.assert_owns_nothing();
    // And one that is not answered any more is found out.
    bench.pass(Duration::from_secs(60)).await;
    assert_eq!(bench.cause(), Some(Cause::ClientPongTimeout));
    assert!(bench.done);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_woken_for_a_pong_that_has_come() {
    let mut policy = policy();
    policy.client.probe = Some(Probe {
        kind: ProbeKind::Ping,
        interval: Duration::from_secs(20),
        pong_timeout: Some(Duration::from_secs(10)),
        missed_pongs: 1,
    });
    let mut bench = Bench::new(policy);
    let mut pings = bench.heard(CLIENT);
    while pings.is_empty() {
        bench.pass(Duration::from_millis(250)).await;
        pings = bench.heard(CLIENT);
    }
    let [Heard::Ping(payload)] = &pings[..] else {
        panic!("{pings:?}")
    };
    bench.send(CLIENT, &pong(CLIENT, payload));
    // Past the time for this pong, and before the next ping.
    tokio::time::advance(Duration::from_secs(15)).await;
    assert!(!bench.woken.0.load(Ordering::Relaxed));
    bench.pass(Duration::from_secs(6)).await;
    assert_eq!(bench.heard(CLIENT).len(), 2);
}
