//! What a live connection does when `proxy.yaml` changes.

use super::*;

fn follow(bench: &mut Bench, policy: Policy) {
    let policy = Arc::new(policy);
    assert_eq!(bench.tell(Event::PolicyChanged { policy }), []);
}

fn with_probe(probe: Option<Probe>) -> Policy {
    let mut policy = quiet();
    policy.client.probe = probe;
    policy
}

#[test]
fn a_shorter_idle_time_holds_at_once() {
    let mut bench = Bench::new(quiet());
    bench.until(s(45));
    let mut policy = quiet();
    policy.client.idle_time = Some(s(50));
    follow(&mut bench, policy.clone());
    assert_eq!(
        bench.session.next_deadline(),
        Some(bench.opened.after(s(50)))
    );
    policy.client.idle_time = Some(s(30));
    follow(&mut bench, policy);
    assert!(is_due(bench.session.next_deadline(), bench.now));
    assert_eq!(bench.until(s(45)).len(), 2);
    assert_eq!(bench.cause(), Some(Cause::ClientIdle));
}

#[test]
fn a_longer_idle_time_holds_too() {
    let mut policy = quiet();
    policy.client.idle_time = Some(s(50));
    let mut bench = Bench::new(policy);
    bench.until(s(45));
    follow(&mut bench, quiet());
    assert_eq!(bench.until(s(5000)), []);
}

#[test]
fn a_new_interval_starts_at_a_random_place_of_it_and_an_old_one_goes_on() {
    let mut bench = Bench::new(with_probe(Some(pinging())));
    bench.until(s(5));
    follow(&mut bench, with_probe(Some(pinging())));
    assert_eq!(times(&probes(&bench.until(s(10)), CLIENT)), [s(10)]);
    follow(
        &mut bench,
        with_probe(Some(Probe {
            interval: s(6),
            ..pinging()
        })),
    );
    assert_eq!(times(&probes(&bench.until(s(14)), CLIENT)), [s(13)]);
}

#[test]
fn pings_switched_off_are_not_waited_for() {
    for change in [
        None,
        Some(Probe {
            pong_timeout: None,
            ..pinging()
        }),
    ] {
        let mut bench = Bench::new(with_probe(Some(pinging())));
        bench.until(s(10));
        follow(&mut bench, with_probe(change));
        bench.until(s(500));
        bench.assert_open();
        assert_eq!(bench.session.counters(CLIENT).missed_pongs, 0);
    }
}

#[test]
fn a_text_that_waits_is_not_taken_for_the_ping_that_follows_it() {
    let text = Probe {
        kind: ProbeKind::Text("alive?".into()),
        pong_timeout: None,
        ..pinging()
    };
    let mut bench = Bench::new(with_probe(Some(text)));
    bench.sockets_take = false;
    bench.until(s(10));
    follow(
        &mut bench,
        with_probe(Some(Probe {
            interval: s(1000),
            ..pinging()
        })),
    );
    bench.tell(Event::ProbeWritten { to: CLIENT });
    bench.until(s(400));
    assert_eq!(bench.session.counters(CLIENT).missed_pongs, 0);
}

#[test]
fn limits_follow() {
    let mut bench = Bench::new(quiet());
    for _ in 0..100 {
        bench.ping(CLIENT, b"");
    }
    let mut policy = quiet();
    policy.limits.pings_per_second = Some(1);
    policy.limits.max_lifetime = Some(s(100));
    follow(&mut bench, policy);
    assert_eq!(bench.ping(CLIENT, b"").len(), 1);
    assert_eq!(bench.ping(CLIENT, b"").len(), 1);
    bench.until(s(111));
    assert_eq!(bench.cause(), Some(Cause::MaxLifetime));
}

#[test]
fn what_the_client_is_sent_follows() {
    let mut bench = Bench::new(quiet());
    let mut policy = quiet();
    policy.close = vec![(Cause::Killed, Close::new(4000, "bye"))];
    follow(&mut bench, policy);
    let expected = [
        close_frame(CLIENT, 4000, "bye"),
        close_frame(UPSTREAM, 1001, "closed by operator"),
    ];
    assert_eq!(bench.kill(), expected);
}

#[test]
fn a_change_while_closing_changes_no_cause() {
    let mut bench = Bench::new(quiet());
    bench.kill();
    let mut policy = quiet();
    policy.client.idle_time = Some(ms(1));
    follow(&mut bench, policy);
    bench.until(s(20));
    assert_eq!(bench.cause(), Some(Cause::Killed));
}
