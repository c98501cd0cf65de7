//! Write stalls, ping floods, lifetimes.

use super::*;

fn stalling() -> Policy {
    let mut policy = quiet();
    policy.limits.write_stall_timeout = Some(s(30));
    policy
}

fn progress(bench: &mut Bench, to: Leg, blocked: bool) {
    assert_eq!(bench.tell(Event::Progress { to, blocked }), []);
}

#[test]
fn a_leg_that_accepts_no_byte_is_stalled() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(stalling());
        bench.until(s(10));
        progress(&mut bench, leg, true);
        assert_eq!(bench.until(ms(39_999)), []);
        let actions = bench.until(s(40));
        assert_eq!(actions.len(), 2);
        assert_eq!(
            bench.cause(),
            Some(cause_of(leg, Cause::ClientStalled, Cause::UpstreamStalled))
        );
        assert_eq!(
            bench.session.ending().unwrap().detail,
            "accepted no byte for 30.0s"
        );
    }
}

#[test]
fn every_byte_that_goes_starts_the_time_anew() {
    let mut bench = Bench::new(stalling());
    progress(&mut bench, CLIENT, true);
    for second in (29..300).step_by(29) {
        bench.until(s(second));
        progress(&mut bench, CLIENT, true);
    }
    bench.assert_open();
    progress(&mut bench, CLIENT, false);
    assert_eq!(bench.session.next_deadline(), None);
}

#[test]
fn a_stalled_leg_has_close_timeout_left_to_take_its_close_frame() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(stalling());
        bench.sockets_take = false;
        progress(&mut bench, leg, true);
        bench.until(s(30));
        bench.tell(Event::CloseWritten { to: leg.other() });
        assert_eq!(
            bench.close(leg.other(), Close::new(1001, "")),
            [finish(leg.other())]
        );
        assert_eq!(bench.lost(leg.other()), [drop_leg(leg.other())]);
        assert_eq!(bench.until(s(100)), [(s(35), reset(leg))]);
        assert!(bench.session.is_finished());
        assert_eq!(bench.sent(leg), None);
    }
}

#[test]
fn both_legs_may_stall_at_once() {
    let mut bench = Bench::new(stalling());
    bench.sockets_take = false;
    for leg in Leg::BOTH {
        progress(&mut bench, leg, true);
    }
    bench.until(s(100));
    assert_eq!(bench.cause(), Some(Cause::ClientStalled));
    assert!(bench.session.is_finished());
}

#[test]
fn a_client_may_ping_at_the_rate_after_a_burst_of_twice_that() {
    let mut policy = quiet();
    policy.limits.pings_per_second = Some(10);
    let mut bench = Bench::new(policy);
    for _ in 0..20 {
        assert_eq!(bench.ping(CLIENT, b"").len(), 1);
    }
    for tenth in 1..50 {
        bench.until(ms(100 * tenth));
        assert_eq!(bench.ping(CLIENT, b"").len(), 1);
    }
    let actions = bench.ping(CLIENT, b"");
    let expected = [
        close_frame(CLIENT, 1008, "too many pings"),
        close_frame(UPSTREAM, 1001, "client sent too many pings"),
    ];
    assert_eq!(actions, expected);
    assert_eq!(bench.cause(), Some(Cause::PingFlood));
}

#[test]
fn the_backend_may_ping_as_it_likes() {
    let mut policy = quiet();
    policy.limits.pings_per_second = Some(1);
    let mut bench = Bench::new(policy);
    for _ in 0..100 {
        assert_eq!(bench.ping(UPSTREAM, b"").len(), 1);
    }
}

#[test]
fn a_client_may_send_messages_at_the_rate_after_a_burst_of_twice_that() {
    let mut policy = quiet();
    policy.limits.messages_per_second = Some(10);
    let mut bench = Bench::new(policy);
    assert_eq!(bench.session.messages_allowed(CLIENT, bench.now), 20);
    bench.session.messages_begun(CLIENT, 20);
    assert_eq!(bench.session.messages_allowed(CLIENT, bench.now), 0);
    bench.until(ms(350));
    assert_eq!(bench.session.messages_allowed(CLIENT, bench.now), 3);
    bench.until(s(100));
    assert_eq!(bench.session.messages_allowed(CLIENT, bench.now), 20);
    let expected = [
        close_frame(CLIENT, 1008, "too many messages"),
        close_frame(UPSTREAM, 1001, "client sent too many messages"),
    ];
    assert_eq!(bench.tell(Event::MessageFlood), expected);
    let ending = bench.session.ending().unwrap();
    assert_eq!(ending.cause, Cause::MessageFlood);
    assert_eq!(
        ending.detail,
        "more than 10 messages a second, beyond a burst of 20"
    );
    // What still comes meanwhile is no second offence.
    assert_eq!(bench.session.messages_allowed(CLIENT, bench.now), u64::MAX);
}

#[test]
fn the_backend_may_send_messages_as_it_likes_and_so_may_all_without_a_limit() {
    let mut policy = quiet();
    policy.limits.messages_per_second = Some(1);
    let mut bench = Bench::new(policy);
    assert_eq!(
        bench.session.messages_allowed(UPSTREAM, bench.now),
        u64::MAX
    );
    let policy = Arc::new(quiet());
    bench.tell(Event::PolicyChanged { policy });
    assert_eq!(bench.session.messages_allowed(CLIENT, bench.now), u64::MAX);
}

#[test]
fn lifetimes_spread_over_ten_per_cent_each_way() {
    let mut policy = quiet();
    policy.limits.max_lifetime = Some(s(1000));
    let (mut least, mut most) = (s(9999), s(0));
    for seed in 0..2000_u64 {
        let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut bench = Bench::opened_at(policy.clone(), seed, Time::from_micros(1_234));
        // Nothing that happens puts it off.
        bench.data(CLIENT);
        let ended = bench.until(s(2000))[0].0;
        assert!(ended >= s(900) && ended <= s(1100), "{ended:?}");
        (least, most) = (least.min(ended), most.max(ended));
        assert_eq!(bench.cause(), Some(Cause::MaxLifetime));
    }
    assert!(least < s(905) && most > s(1095), "{least:?} to {most:?}");
}
