use super::*;

#[tokio::test(start_paused = true)]
async fn a_blocked_leg_stops_the_reading_of_the_other_and_little_is_kept() {
    for leg in Leg::BOTH {
        let source = leg.other();
        let mut bench = Bench::new(policy());
        bench.peer(leg).set_capacity(100);
        let big = vec![b'x'; 1 << 18];
        let (whole, small) = (text(source, &big), text(source, b"small"));
        for _ in 0..4 {
            bench.send(source, &whole);
            bench.send(source, &small);
        }
        let kept = bench.relay.leg(leg).out.backlog().len();
        assert!(kept <= SCRATCH, "{kept} bytes kept");
        assert!(
            bench.peer(source).unread() > 3 << 18,
            "the peer is not held back"
        );
        // The other direction is free.
        bench.send(leg, &text(leg, b"still here"));
        assert_eq!(bench.heard(source), [message(b"still here")]);
        for _ in 0..20 {
            bench.exchange();
            bench.pass(Duration::from_secs(1)).await;
        }
        let heard = bench.heard(leg);
        assert_eq!(heard.len(), 8);
        assert!(
            heard
                .chunks(2)
                .all(|pair| pair == [message(&big), message(b"small")])
        );
        bench.assert_owns_nothing();
        assert_eq!(bench.cause(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leg_that_is_not_read_is_not_idle() {
    let mut policy = policy();
    policy.client.idle_time = Some(Duration::from_secs(20));
    policy.limits.write_stall_timeout = None;
    let mut bench = Bench::new(policy);
    bench.upstream.set_capacity(10);
    bench.send(CLIENT, &text(CLIENT, &[b'x'; 100]));
    bench.pass(Duration::from_secs(300)).await;
    assert_eq!(bench.cause(), None);
    bench.exchange();
    bench.upstream.set_capacity(usize::MAX);
    bench.exchange();
    bench.pass(Duration::from_secs(19)).await;
    assert_eq!(bench.cause(), None);
    bench.pass(Duration::from_secs(2)).await;
    assert_eq!(bench.cause(), Some(Cause::ClientIdle));
}

#[tokio::test(start_paused = true)]
async fn a_leg_that_takes_nothing_is_stalled_and_one_that_takes_a_little_is_not() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(policy());
        bench.peer(leg).set_capacity(10);
        bench.send(leg.other(), &text(leg.other(), &[b'x'; 100]));
        for _ in 0..3 {
            bench.pass(Duration::from_secs(29)).await;
            bench.peer(leg).receive_at_most(1);
        }
        bench.pass(Duration::from_secs(29)).await;
        assert_eq!(bench.cause(), None);
        bench.pass(Duration::from_secs(2)).await;
        let expected = if leg == CLIENT {
            Cause::ClientStalled
        } else {
            Cause::UpstreamStalled
        };
        assert_eq!(bench.cause(), Some(expected));
        bench.pass(2 * CLOSE_TIMEOUT).await;
        assert!(bench.done);
        assert_eq!(bench.peer(leg).ended(), Some(Ended::Reset));
    }
}

/// Other connections of the thread have their turn.
#[tokio::test(start_paused = true)]
async fn one_poll_does_not_read_for_ever() {
    let mut bench = Bench::new(policy());
    bench.client.send(&text(CLIENT, &vec![b'x'; 100 * SCRATCH]));
    bench.woken.0.store(false, Ordering::Relaxed);
    let waker = Waker::from(Arc::clone(&bench.woken));
    let mut cx = Context::from_waker(&waker);
    assert!(
        bench
            .relay
            .poll(&mut cx, bench.timer.as_mut(), &mut bench.scratch)
            .is_pending()
    );
    assert!(bench.client.unread() > 50 * SCRATCH);
    assert!(
        bench.woken.0.load(Ordering::Relaxed),
        "and asks to be polled again"
    );
    bench.settle();
    assert_eq!(bench.heard(UPSTREAM).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_header_is_all_that_is_held() {
    let mut bench = Bench::new(policy());
    let whole = text(CLIENT, &[b'x'; 70_000]);
    bench.send(CLIENT, &whole[..13]);
    assert_eq!(bench.relay.legs.client.held.len(), 13);
    bench.send(CLIENT, &whole[13..40_000]);
    bench.exchange();
    assert_eq!(bench.upstream.got.len(), 40_000);
    bench.assert_owns_nothing();
}

#[tokio::test(start_paused = true)]
async fn what_came_while_the_process_was_stopped_is_seen_before_the_time() {
    for leg in Leg::BOTH {
        let mut policy = policy();
        let heartbeat = match leg {
            Leg::Client => &mut policy.client,
            Leg::Upstream => &mut policy.upstream,
        };
        heartbeat.idle_time = Some(Duration::from_secs(20));
        let mut bench = Bench::new(policy);
        // Nobody polls for a minute, in which the peer was not idle.
        tokio::time::advance(Duration::from_secs(60)).await;
        bench.send(leg, &text(leg, b"here"));
        assert_eq!(bench.cause(), None);
        assert_eq!(bench.heard(leg.other()), [message(b"here")]);
        bench.pass(Duration::from_secs(22)).await;
        assert!(bench.cause().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_timer_waits_for_what_the_sockets_have_and_not_for_ever() {
    for is_told in [true, false] {
        let mut policy = policy();
        policy.client.idle_time = Some(Duration::from_secs(20));
        let mut bench = Bench::new(policy);
        bench.client.lag(true);
        bench.client.send(&text(CLIENT, b"here"));
        tokio::time::advance(Duration::from_secs(60)).await;
        bench.settle();
        assert_eq!(bench.cause(), None);
        if is_told {
            bench.client.lag(false);
            bench.pass(Duration::from_secs(19)).await;
            assert_eq!(bench.heard(UPSTREAM), [message(b"here")]);
            assert_eq!(bench.cause(), None);
        }
        bench.pass(Duration::from_secs(3)).await;
        assert_eq!(bench.cause(), Some(Cause::ClientIdle));
    }
}

#[tokio::test(start_paused = true)]
async fn the_sockets_are_as_patient_as_the_policy() {
    let tolerated = |bench: &Bench, leg: Leg| {
        bench
            .relay
            .leg(leg)
            .io
            .as_ref()
            .expect("a socket")
            .tolerated
            .get()
    };
    let mut bench = Bench::new(policy());
    let mut patient = policy();
    for limit in [Some(Duration::from_secs(300)), None] {
        patient.limits.write_stall_timeout = limit;
        bench
            .handle
            .send(Command::Follow(Arc::new(patient.clone())));
        bench.settle();
        let fresh = Bench::new(patient.clone());
        for leg in Leg::BOTH {
            assert_eq!(tolerated(&bench, leg), Some(limit));
            assert_eq!(tolerated(&fresh, leg), Some(limit));
        }
    }
    assert_eq!(tolerated(&Bench::new(policy()), CLIENT), None);
}
