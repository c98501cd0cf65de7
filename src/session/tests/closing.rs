//! The closing handshakes of both legs.

use super::*;

fn closed_by(leg: Leg) -> Cause {
    cause_of(leg, Cause::ClientClosed, Cause::UpstreamClosed)
}

#[test]
fn a_peers_close_goes_on_and_comes_back_when_the_other_has_answered() {
    for leg in Leg::BOTH {
        for close in [
            Close::new(4000, "done"),
            Close::new(1000, ""),
            Close::default(),
        ] {
            let other = leg.other();
            let passed_on = Action::Close {
                to: other,
                close: close.clone(),
            };
            let echo = Action::Close {
                to: leg,
                close: close.clone(),
            };
            let mut bench = Bench::new(quiet());
            assert_eq!(bench.close(leg, close.clone()), [passed_on]);
            // What the other one still has to say is not cut off by the echo.
            bench.until(ms(900));
            bench.data(other);
            assert_eq!(
                bench.close(other, Close::new(1001, "answer")),
                [echo, finish(other), finish(leg)]
            );
            assert_eq!(bench.lost(other), [drop_leg(other)]);
            assert!(!bench.session.is_finished());
            assert_eq!(bench.lost(leg), [drop_leg(leg)]);
            assert!(bench.session.is_finished());
            let ending = bench.session.ending().unwrap();
            assert_eq!(ending.cause, closed_by(leg));
            assert_eq!(ending.legs[leg].received, Some(close.clone()));
            assert_eq!(ending.legs[leg].sent, Some(close.clone()));
            assert_eq!(
                ending.legs[other].received,
                Some(Close::new(1001, "answer"))
            );
            assert_eq!(ending.legs[other].sent, Some(close));
        }
    }
}

#[test]
fn the_echo_comes_when_the_other_leg_is_gone() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.close(leg, Close::new(4000, "done"));
        let expected = [
            drop_leg(leg.other()),
            close_frame(leg, 4000, "done"),
            finish(leg),
        ];
        assert_eq!(bench.lost(leg.other()), expected);
        assert_eq!(bench.cause(), Some(closed_by(leg)));
    }
}

#[test]
fn close_frames_that_cross_are_each_answered_by_the_others() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.sockets_take = false;
        let (first, second) = (Close::new(4000, "first"), Close::new(4001, "second"));
        assert_eq!(
            bench.close(leg, first.clone()),
            [close_frame(leg.other(), 4000, "first")]
        );
        assert_eq!(
            bench.close(leg.other(), second),
            [close_frame(leg, 4000, "first")]
        );
        assert_eq!(bench.tell(Event::CloseWritten { to: leg }), [finish(leg)]);
        assert_eq!(
            bench.tell(Event::CloseWritten { to: leg.other() }),
            [finish(leg.other())]
        );
        assert_eq!(bench.cause(), Some(closed_by(leg)));
    }
}

#[test]
fn when_the_sidecar_closes_each_leg_finishes_by_itself() {
    let mut bench = Bench::new(quiet());
    bench.kill();
    assert_eq!(bench.close(CLIENT, Close::new(1001, "")), [finish(CLIENT)]);
    assert_eq!(bench.lost(CLIENT), [drop_leg(CLIENT)]);
    assert_eq!(
        bench.close(UPSTREAM, Close::new(1001, "")),
        [finish(UPSTREAM)]
    );
    assert_eq!(bench.until(s(60)), [(CLOSE_TIMEOUT, drop_leg(UPSTREAM))]);
    assert!(bench.session.is_finished());
    // Who had a cause before has received the peer's own Close as its answer.
    assert_eq!(
        bench.session.ending().unwrap().legs.client.received,
        Some(Close::new(1001, ""))
    );
}

#[test]
fn a_peer_that_does_not_answer_is_dropped_at_close_timeout() {
    let mut bench = Bench::new(quiet());
    bench.kill();
    let at = CLOSE_TIMEOUT;
    assert_eq!(
        bench.until(s(60)),
        [(at, drop_leg(CLIENT)), (at, drop_leg(UPSTREAM))]
    );
    assert!(bench.session.is_finished());
}

#[test]
fn a_close_frame_that_does_not_get_away_ends_in_a_reset() {
    let mut bench = Bench::new(quiet());
    bench.sockets_take = false;
    bench.kill();
    bench.until(s(2));
    bench.tell(Event::CloseWritten { to: CLIENT });
    let expected = [
        (CLOSE_TIMEOUT, reset(UPSTREAM)),
        (s(2) + CLOSE_TIMEOUT, drop_leg(CLIENT)),
    ];
    assert_eq!(bench.until(s(60)), expected);
    assert_eq!(
        (bench.sent(CLIENT).is_some(), bench.sent(UPSTREAM)),
        (true, None)
    );
}

#[test]
fn close_timeout_of_a_finishing_leg_runs_from_its_last_frame() {
    let mut bench = Bench::new(quiet());
    bench.kill();
    bench.until(s(3));
    bench.close(CLIENT, Close::default());
    let expected = [(s(5), drop_leg(UPSTREAM)), (s(8), drop_leg(CLIENT))];
    assert_eq!(bench.until(s(60)), expected);
}

/// What a peer sent before it closed is delivered, however slowly.
#[test]
fn bytes_that_still_go_put_the_timeout_off_after_a_peers_end() {
    let ends: [fn(&mut Bench) -> Vec<Action>; 2] = [
        |bench| bench.lost(CLIENT),
        |bench| bench.close(CLIENT, Close::new(1000, "")),
    ];
    for end in ends {
        let mut bench = Bench::new(quiet());
        bench.sockets_take = false;
        end(&mut bench);
        // Whoever has left does not wait for that.
        bench.until(s(3));
        bench.tell(Event::CloseWritten { to: CLIENT });
        bench.lost(CLIENT);
        for second in (4..100).step_by(4) {
            assert_eq!(bench.until(s(second)), []);
            bench.tell(Event::Progress {
                to: UPSTREAM,
                blocked: true,
            });
        }
        assert_eq!(bench.until(s(102))[0], (s(101), reset(UPSTREAM)));
    }
}

#[test]
fn bytes_that_still_go_do_not_put_off_what_the_sidecar_decided() {
    let mut bench = Bench::new(quiet());
    bench.sockets_take = false;
    bench.kill();
    bench.until(s(4));
    bench.tell(Event::Progress {
        to: UPSTREAM,
        blocked: true,
    });
    let expected = [(s(5), reset(CLIENT)), (s(5), reset(UPSTREAM))];
    assert_eq!(bench.until(s(60)), expected);
    assert!(bench.session.is_finished());
}

#[test]
fn a_source_that_dies_inside_a_frame_resets_the_other_leg() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.sockets_take = false;
        let actions = bench.lost_inside(leg, true);
        assert!(
            actions.ends_with(&[drop_leg(leg), reset(leg.other())]),
            "{actions:?}"
        );
        assert!(bench.session.is_finished());
        assert_eq!(bench.sent(leg.other()), None);
        assert_eq!(
            bench.cause(),
            Some(cause_of(leg, Cause::ClientLost, Cause::UpstreamLost))
        );
    }
}

#[test]
fn a_source_that_dies_inside_a_frame_while_the_sidecar_closes_does_so_too() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.sockets_take = false;
        bench.kill();
        assert_eq!(
            bench.lost_inside(leg, true),
            [drop_leg(leg), reset(leg.other())]
        );
        assert_eq!(bench.cause(), Some(Cause::Killed));
    }
}

#[test]
fn an_offender_inside_a_frame_gets_its_code_and_the_other_one_a_reset() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.sockets_take = false;
        let actions = bench.violation(leg, Violation::TextNotUtf8, true);
        assert!(
            actions.contains(&close_frame(leg, 1007, "not UTF-8")),
            "{actions:?}"
        );
        assert_eq!(actions.last(), Some(&reset(leg.other())));
        assert_eq!(bench.tell(Event::CloseWritten { to: leg }), [finish(leg)]);
        assert_eq!(bench.until(s(60)), [(s(5), drop_leg(leg))]);
    }
}

#[test]
fn an_offenders_close_frame_is_not_waited_for() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        let actions = bench.violation(leg, Violation::ReservedBit, false);
        assert_eq!(actions.last(), Some(&finish(leg)));
        assert!(!actions.contains(&finish(leg.other())));
        assert_eq!(bench.lost(leg), [drop_leg(leg)]);
        assert_eq!(
            bench.close(leg.other(), Close::default()),
            [finish(leg.other())]
        );
    }
}

#[test]
fn an_offence_while_closing_is_not_worth_another_word() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.kill();
        assert_eq!(
            bench.violation(leg, Violation::ReservedBit, false),
            [drop_leg(leg)]
        );
        assert_eq!(bench.violation(leg, Violation::ReservedBit, false), []);

        let mut bench = Bench::new(quiet());
        bench.close(leg, Close::new(4000, ""));
        let expected = [
            drop_leg(leg.other()),
            close_frame(leg, 4000, ""),
            finish(leg),
        ];
        assert_eq!(
            bench.violation(leg.other(), Violation::ReservedBit, false),
            expected
        );
        assert_eq!(bench.cause(), Some(closed_by(leg)));
    }
}

#[test]
fn a_leg_that_stalls_while_closing_is_reset() {
    let mut policy = quiet();
    policy.limits.write_stall_timeout = Some(s(2));
    let mut bench = Bench::new(policy);
    bench.sockets_take = false;
    bench.close(CLIENT, Close::new(4000, ""));
    bench.tell(Event::Progress {
        to: UPSTREAM,
        blocked: true,
    });
    let expected = [
        (s(1), close_frame(CLIENT, 4000, "")),
        (s(2), reset(UPSTREAM)),
        (s(6), reset(CLIENT)),
    ];
    assert_eq!(bench.until(s(60)), expected);
}

#[test]
fn silence_is_told_as_it_was_when_the_cause_struck() {
    let mut bench = Bench::new(quiet());
    bench.until(s(10));
    bench.data(CLIENT);
    bench.until(s(17));
    bench.kill();
    bench.until(s(60));
    assert_eq!(bench.session.silence(CLIENT, bench.now), s(7));
    assert_eq!(bench.session.silence(UPSTREAM, bench.now), s(17));
}
