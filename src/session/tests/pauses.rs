//! While a leg is not read, its silence proves nothing.

use super::*;

fn pause(bench: &mut Bench, leg: Leg) {
    assert_eq!(bench.tell(Event::ReadingPaused { leg }), []);
}

fn resume(bench: &mut Bench, leg: Leg) {
    assert_eq!(bench.tell(Event::ReadingResumed { leg }), []);
}

#[test]
fn idle_time_stands_still() {
    for leg in Leg::BOTH {
        let mut policy = quiet();
        heartbeat(&mut policy, leg).idle_time = Some(s(60));
        let mut bench = Bench::new(policy);
        bench.until(s(40));
        pause(&mut bench, leg);
        pause(&mut bench, leg);
        assert_eq!(bench.until(s(1000)), []);
        assert_eq!(bench.session.silence(leg, bench.now), s(40));
        resume(&mut bench, leg);
        resume(&mut bench, leg);
        assert_eq!(bench.until(s(1019)), []);
        assert_eq!(bench.until(s(1020)).len(), 2);
        assert_eq!(
            bench.session.ending().unwrap().detail,
            "nothing received for 60.0s"
        );
    }
}

#[test]
fn a_pause_of_the_other_leg_changes_nothing() {
    let mut policy = quiet();
    policy.client.idle_time = Some(s(60));
    let mut bench = Bench::new(policy);
    pause(&mut bench, UPSTREAM);
    assert_eq!(bench.until(s(60)).len(), 2);
}

#[test]
fn pongs_are_not_missed_while_nobody_looks() {
    for leg in Leg::BOTH {
        let mut policy = quiet();
        heartbeat(&mut policy, leg).probe = Some(pinging());
        let mut bench = Bench::new(policy);
        bench.until(s(15));
        pause(&mut bench, leg);
        bench.until(s(200));
        assert_eq!(bench.session.counters(leg).missed_pongs, 0);
        resume(&mut bench, leg);
        // The newest ping, of 190 s, gets its whole time from now on.
        bench.until(ms(209_999));
        assert_eq!(bench.session.counters(leg).missed_pongs, 0);
        bench.until(s(210));
        assert_eq!(bench.session.counters(leg).missed_pongs, 1);
        bench.assert_open();
    }
}

#[test]
fn what_had_elapsed_of_a_pong_timeout_has_elapsed() {
    let mut policy = quiet();
    policy.client.probe = Some(Probe {
        interval: s(1000),
        ..pinging()
    });
    let mut bench = Bench::new(policy);
    let sent = probes(&bench.until(s(507)), CLIENT);
    assert_eq!(times(&sent), [s(500)]);
    pause(&mut bench, CLIENT);
    bench.until(s(600));
    resume(&mut bench, CLIENT);
    bench.until(s(602));
    assert_eq!(bench.session.counters(CLIENT).missed_pongs, 0);
    bench.until(s(603));
    assert_eq!(bench.session.counters(CLIENT).missed_pongs, 1);
}

/// The backend's own idle timer does not stand still.
#[test]
fn pings_go_on() {
    let mut policy = quiet();
    policy.upstream.probe = Some(pinging());
    let mut bench = Bench::new(policy);
    pause(&mut bench, UPSTREAM);
    let sent = probes(&bench.until(s(90)), UPSTREAM);
    assert_eq!(times(&sent), [s(10), s(30), s(50), s(70), s(90)]);
}

/// A socket that is full and takes bytes: the peer reads, and our ping stands behind what it has not read yet.
#[test]
fn a_peer_that_reads_slowly_is_not_dead() {
    for leg in Leg::BOTH {
        let mut policy = quiet();
        heartbeat(&mut policy, leg).probe = Some(pinging());
        let mut bench = Bench::new(policy);
        let blocked = |bench: &mut Bench| {
            bench.tell(Event::Progress {
                to: leg,
                blocked: true,
            })
        };
        for second in (5..300).step_by(5) {
            bench.until(s(second));
            blocked(&mut bench);
        }
        assert_eq!(bench.session.counters(leg).missed_pongs, 0);
        bench.assert_open();
        // From here on it takes nothing: two pings later it is over.
        bench.until(s(400));
        let dead = cause_of(leg, Cause::ClientPongTimeout, Cause::UpstreamPongTimeout);
        assert_eq!(bench.cause(), Some(dead));
    }
}

#[test]
fn a_socket_that_fills_proves_nothing() {
    for leg in Leg::BOTH {
        let mut policy = quiet();
        heartbeat(&mut policy, leg).probe = Some(pinging());
        let mut bench = Bench::new(policy);
        bench.until(s(15));
        bench.tell(Event::Progress {
            to: leg,
            blocked: true,
        });
        bench.until(s(60));
        assert_eq!(bench.session.counters(leg).missed_pongs, 2);
        assert!(bench.cause().is_some());
    }
}
