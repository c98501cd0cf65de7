//! A peer that leaves while the other one is silent, slow, or gone; and when a connection is over.

use super::*;

const SILENCE: Duration = Duration::from_secs(1);

fn leave(bench: &mut Bench, leg: Leg) {
    let expected = [close_frame(leg.other(), 4000, "done")];
    assert_eq!(bench.close(leg, Close::new(4000, "done")), expected);
}

fn closed_by(leg: Leg) -> Cause {
    cause_of(leg, Cause::ClientClosed, Cause::UpstreamClosed)
}

fn echo(leg: Leg) -> Action {
    close_frame(leg, 4000, "done")
}

fn detail(bench: &Bench) -> &str {
    &bench.session.ending().unwrap().detail
}

#[test]
fn who_leaves_waits_a_second_for_one_that_is_silent_and_then_the_connection_is_over() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.until(s(100));
        leave(&mut bench, leg);
        assert!(!bench.session.is_over());
        let at = s(100) + SILENCE;
        assert_eq!(bench.until(at - ms(1)), []);
        assert_eq!(bench.until(at), [(at, echo(leg)), (at, finish(leg))]);
        assert!(bench.session.is_over() && !bench.session.is_finished());
        let other = leg.other();
        let expected = format!(
            "{} sent Close: 4000 done; the {} did not answer the Close frame",
            leg.label(),
            other.label()
        );
        assert_eq!(detail(&bench), expected);
        assert_eq!(bench.cause(), Some(closed_by(leg)));
        // Both keep their TCP connections: not for ever.
        let expected = [
            (s(100) + CLOSE_TIMEOUT, drop_leg(other)),
            (at + CLOSE_TIMEOUT, drop_leg(leg)),
        ];
        assert_eq!(bench.until(s(1000)), expected);
        assert!(bench.session.is_finished());
    }
}

#[test]
fn what_the_other_one_still_sends_comes_before_the_answer() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        leave(&mut bench, leg);
        for tenth in (4..=40).step_by(4) {
            assert_eq!(bench.until(ms(tenth * 100)), []);
            bench.data(leg.other());
        }
        assert_eq!(bench.until(ms(4_900)), []);
        let actions = bench.close(leg.other(), Close::new(4000, ""));
        assert_eq!(actions, [echo(leg), finish(leg.other()), finish(leg)]);
        assert!(bench.session.is_over());
        assert!(!detail(&bench).contains("answer"), "{}", detail(&bench));
    }
}

#[test]
fn any_byte_puts_the_answer_off() {
    for leg in Leg::BOTH {
        let other = leg.other();
        let mut bench = Bench::new(quiet());
        leave(&mut bench, leg);
        bench.until(ms(900));
        bench.ping(other, b"");
        assert_eq!(bench.until(ms(1_899)), []);
        bench.pong(other, b"");
        assert_eq!(bench.until(ms(2_899))[..1], [(ms(2_899), echo(leg))]);
    }
}

#[test]
fn one_that_never_stops_sending_is_cut_off_at_close_timeout() {
    for leg in Leg::BOTH {
        let other = leg.other();
        let mut bench = Bench::new(quiet());
        leave(&mut bench, leg);
        let mut actions = Vec::new();
        for half in 1..100 {
            actions.extend(bench.until(ms(500 * half)));
            if !actions.is_empty() {
                break;
            }
            bench.data(other);
        }
        let at = CLOSE_TIMEOUT;
        let expected = [(at, drop_leg(other)), (at, echo(leg)), (at, finish(leg))];
        assert_eq!(actions, expected);
        assert!(bench.session.is_over());
        assert!(detail(&bench).ends_with("did not answer the Close frame"));
    }
}

#[test]
fn a_close_timeout_below_a_second_is_what_is_waited() {
    let mut policy = quiet();
    policy.limits.close_timeout = ms(300);
    for leg in Leg::BOTH {
        let mut bench = Bench::new(policy.clone());
        leave(&mut bench, leg);
        let actions = bench.until(ms(300));
        assert!(actions.contains(&(ms(300), echo(leg))), "{actions:?}");
        assert!(bench.session.is_over());
    }
}

#[test]
fn a_close_frame_in_the_last_moment_is_an_answer() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        leave(&mut bench, leg);
        bench.until(ms(999));
        let actions = bench.close(leg.other(), Close::new(4000, ""));
        assert_eq!(actions, [echo(leg), finish(leg.other()), finish(leg)]);
        assert!(bench.session.is_over());
        assert!(!detail(&bench).contains("answer"));
    }
}

#[test]
fn an_answer_that_comes_too_late_is_no_second_echo() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        leave(&mut bench, leg);
        bench.until(s(2));
        assert!(bench.session.is_over());
        let late = bench.close(leg.other(), Close::new(4000, ""));
        assert_eq!(late, [finish(leg.other())]);
        assert_eq!(bench.lost(leg.other()), [drop_leg(leg.other())]);
        assert_eq!(bench.lost(leg), [drop_leg(leg)]);
        assert!(bench.session.is_finished());
    }
}

#[test]
fn one_that_leaves_and_goes_away_in_that_second_leaves_no_answer_to_send() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        leave(&mut bench, leg);
        bench.until(ms(500));
        assert_eq!(bench.lost(leg), [drop_leg(leg)]);
        assert!(!bench.session.is_over(), "the other one may answer");
        assert_eq!(bench.until(SILENCE), []);
        assert!(bench.session.is_over());
        assert_eq!(bench.cause(), Some(closed_by(leg)));
        let expected = [(CLOSE_TIMEOUT, drop_leg(leg.other()))];
        assert_eq!(bench.until(s(100)), expected);
    }
}

#[test]
fn close_frames_that_cross_leave_nothing_to_wait_for() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        leave(&mut bench, leg);
        bench.close(leg.other(), Close::new(4001, "me too"));
        assert!(bench.session.is_over());
        assert_eq!(bench.cause(), Some(closed_by(leg)));
        assert_eq!(bench.until(CLOSE_TIMEOUT - ms(1)), []);
    }
}

#[test]
fn a_kill_in_that_second_changes_nothing() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        leave(&mut bench, leg);
        bench.until(ms(500));
        assert_eq!(bench.kill(), []);
        assert_eq!(bench.until(SILENCE)[0], (SILENCE, echo(leg)));
        assert_eq!(bench.cause(), Some(closed_by(leg)));
        assert!(bench.session.is_over());
    }
}

#[test]
fn one_that_has_not_been_sent_the_close_frame_yet_has_a_second_to_answer_it_afterwards() {
    for leg in Leg::BOTH {
        let other = leg.other();
        let mut bench = Bench::new(quiet());
        bench.sockets_take = false;
        leave(&mut bench, leg);
        // Who leaves does not wait for that.
        assert_eq!(bench.until(s(2)), [(SILENCE, echo(leg))]);
        assert_eq!(bench.tell(Event::CloseWritten { to: leg }), [finish(leg)]);
        assert!(!bench.session.is_over());
        bench.tell(Event::CloseWritten { to: other });
        bench.until(ms(2_999));
        assert!(!bench.session.is_over() && !detail(&bench).contains("answer"));
        bench.until(s(3));
        assert!(bench.session.is_over() && detail(&bench).contains("answer"));
    }
}

#[test]
fn a_close_frame_that_never_gets_away_is_not_said_to_be_unanswered() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.sockets_take = false;
        leave(&mut bench, leg);
        let actions = bench.until(s(100));
        assert!(actions.contains(&(CLOSE_TIMEOUT, reset(leg.other()))));
        assert!(!detail(&bench).contains("answer"), "{}", detail(&bench));
    }
}

/// It may have sent what is in our own socket.
#[test]
fn one_that_is_not_being_read_is_not_silent() {
    for leg in Leg::BOTH {
        let other = leg.other();
        let mut bench = Bench::new(quiet());
        bench.until(s(10));
        leave(&mut bench, leg);
        bench.tell(Event::ReadingPaused { leg: other });
        assert_eq!(bench.until(s(14)), []);
        bench.tell(Event::ReadingResumed { leg: other });
        bench.data(other);
        let at = bench.until(s(100))[0].0;
        // It would be a second after the data, but for the time that all of this may take.
        assert_eq!(at, s(15));
    }
}

/// Nobody waits for that, and what the record says of a backend is worth the time.
#[test]
fn when_a_peer_is_lost_it_is_over_when_the_other_one_has_answered_or_at_close_timeout() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.lost(leg);
        bench.until(CLOSE_TIMEOUT - ms(1));
        assert!(!bench.session.is_over());
        bench.until(CLOSE_TIMEOUT);
        assert!(bench.session.is_over());
        assert_eq!(detail(&bench), "gone");

        let mut bench = Bench::new(quiet());
        bench.lost(leg);
        bench.close(leg.other(), Close::default());
        assert!(bench.session.is_over());
    }
}

#[test]
fn what_the_sidecar_closes_is_over_when_both_have_answered_or_at_close_timeout() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.kill();
        bench.close(leg, Close::default());
        bench.until(CLOSE_TIMEOUT - ms(1));
        assert!(!bench.session.is_over());
        bench.until(CLOSE_TIMEOUT);
        assert!(bench.session.is_over());

        let mut bench = Bench::new(quiet());
        bench.kill();
        bench.close(leg, Close::default());
        bench.close(leg.other(), Close::default());
        assert!(bench.session.is_over() && !bench.session.is_finished());
    }
}

#[test]
fn an_offender_needs_only_to_be_told() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(quiet());
        bench.violation(leg, Violation::ReservedBit, false);
        assert!(!bench.session.is_over());
        bench.close(leg.other(), Close::default());
        assert!(bench.session.is_over());
    }
}
