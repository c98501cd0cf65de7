use super::*;

fn idle(leg: Leg, activity: Activity) -> Policy {
    let mut policy = quiet();
    heartbeat(&mut policy, leg).idle_time = Some(s(60));
    heartbeat(&mut policy, leg).activity = activity;
    policy
}

fn noticing() -> Policy {
    noticing_on(CLIENT)
}

fn noticing_on(leg: Leg) -> Policy {
    let mut policy = idle(leg, Activity::Frame);
    heartbeat(&mut policy, leg).idle_notice = Some(IdleNotice {
        before: s(10),
        text: "soon".into(),
    });
    policy
}

fn notices(actions: &[Timed]) -> Vec<Duration> {
    let text =
        |(at, action): &Timed| matches!(action, Action::Text { to: CLIENT, .. }).then_some(*at);
    actions.iter().filter_map(text).collect()
}

#[test]
fn silence_of_idle_time_ends_it() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(idle(leg, Activity::Frame));
        assert_eq!(bench.until(ms(59_999)), []);
        bench.assert_open();
        let actions = bench.until(s(60));
        let (client, upstream) = match leg {
            Leg::Client => ((1001, "idle timeout"), (1001, "client idle timeout")),
            Leg::Upstream => ((1014, "backend idle timeout"), (1001, "idle timeout")),
        };
        let expected = [
            (s(60), close_frame(CLIENT, client.0, client.1)),
            (s(60), close_frame(UPSTREAM, upstream.0, upstream.1)),
        ];
        assert_eq!(actions, expected);
        assert_eq!(
            bench.cause(),
            Some(cause_of(leg, Cause::ClientIdle, Cause::UpstreamIdle))
        );
        assert_eq!(
            bench.session.ending().unwrap().detail,
            "nothing received for 60.0s"
        );
    }
}

#[test]
fn no_earlier_than_idle_time_and_no_later_than_a_check_interval_more() {
    for check in [ms(10), ms(700), s(1), s(30)] {
        for opened in [0, 1, 999_999, 1_000_000, 123_456_789] {
            for last in [0, 1, 59_999, 30_500] {
                let mut policy = idle(CLIENT, Activity::Frame);
                policy.check_interval = check;
                let mut bench = Bench::opened_at(policy, 7, Time::from_micros(opened));
                bench.until(ms(last));
                bench.data(CLIENT);
                let closed = bench.until(s(1000))[0].0;
                let silent = closed - ms(last);
                assert!(
                    silent >= s(60) && silent < s(60) + check,
                    "{silent:?} {check:?} {opened}"
                );
            }
        }
    }
}

#[test]
fn any_frame_is_activity_or_messages_only() {
    let frames = |bench: &mut Bench, leg| {
        bench.until(s(30));
        bench.ping(leg, b"");
        bench.until(s(50));
        bench.pong(leg, b"");
        bench.until(s(300))[0].0
    };
    for leg in Leg::BOTH {
        let mut bench = Bench::new(idle(leg, Activity::Frame));
        assert_eq!(frames(&mut bench, leg), s(110));
        let mut bench = Bench::new(idle(leg, Activity::Message));
        assert_eq!(frames(&mut bench, leg), s(60));
        assert_eq!(
            bench.session.ending().unwrap().detail,
            "no message received for 60.0s"
        );
    }
}

#[test]
fn a_part_of_a_message_counts_and_what_the_other_leg_sends_does_not() {
    for activity in [Activity::Frame, Activity::Message] {
        let mut bench = Bench::new(idle(CLIENT, activity));
        bench.until(s(50));
        bench.session.data(CLIENT, 0, 0, bench.now);
        for second in 50..110 {
            assert_eq!(bench.until(s(second)), []);
            bench.data(UPSTREAM);
            bench.ping(UPSTREAM, b"");
        }
        assert_eq!(bench.until(s(200))[0].0, s(110));
    }
}

#[test]
fn the_notice_comes_once_a_spell_and_before_the_close() {
    let mut bench = Bench::new(noticing());
    let actions = bench.until(s(200));
    assert_eq!(notices(&actions), [s(50)]);
    assert_eq!(
        actions[1],
        (s(60), close_frame(CLIENT, 1001, "idle timeout"))
    );

    let mut bench = Bench::new(noticing());
    assert_eq!(notices(&bench.until(s(55))), [s(50)]);
    bench.data(CLIENT);
    assert_eq!(notices(&bench.until(s(110))), [s(105)]);
}

#[test]
fn the_client_is_told_of_a_backend_that_falls_idle_too() {
    let mut bench = Bench::new(noticing_on(UPSTREAM));
    let actions = bench.until(s(200));
    assert_eq!(notices(&actions), [s(50)]);
    assert_eq!(
        actions[1],
        (s(60), close_frame(CLIENT, 1014, "backend idle timeout"))
    );
}

#[test]
fn activity_in_the_very_moment_of_the_notice_begins_a_new_spell() {
    let mut bench = Bench::new(noticing());
    assert_eq!(notices(&bench.until(s(50))), [s(50)]);
    bench.data(CLIENT);
    assert_eq!(notices(&bench.until(s(109))), [s(100)]);
}

#[test]
fn a_pause_does_not_repeat_the_notice() {
    let mut bench = Bench::new(noticing());
    assert_eq!(notices(&bench.until(s(55))), [s(50)]);
    bench.tell(Event::ReadingPaused { leg: CLIENT });
    assert_eq!(bench.until(s(155)), []);
    bench.tell(Event::ReadingResumed { leg: CLIENT });
    assert_eq!(bench.until(s(159)), []);
    assert_eq!(
        bench.until(s(160))[0].1,
        close_frame(CLIENT, 1001, "idle timeout")
    );
}

/// As with Swoole's, a grid coarser than the notice is no reason to close in silence.
#[test]
fn the_notice_comes_even_when_it_is_due_together_with_the_close() {
    let mut policy = noticing();
    policy.check_interval = s(40);
    let mut bench = Bench::new(policy);
    let actions = bench.until(s(100));
    assert_eq!(notices(&actions), [s(80)]);
    assert_eq!(
        actions[1],
        (s(80), close_frame(CLIENT, 1001, "idle timeout"))
    );
}

#[test]
fn off_is_never() {
    let bench = Bench::new(quiet());
    assert_eq!(bench.session.next_deadline(), None);
}
