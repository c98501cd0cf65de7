//! Every cause: what leads to it, and the Close frames that follow, as section 5 of the contract has them.

use super::*;

/// Code to the client, code to the upstream; none: no Close frame.
type Codes = (Option<u16>, Option<u16>);

fn strict() -> Policy {
    let mut policy = quiet();
    for leg in Leg::BOTH {
        *heartbeat(&mut policy, leg) = Heartbeat {
            idle_time: Some(s(1000)),
            ..no_heartbeat()
        };
    }
    policy.limits.write_stall_timeout = Some(s(30));
    policy.limits.pings_per_second = Some(1);
    policy
}

fn codes(actions: &[Action]) -> Codes {
    let code = |leg| {
        let mut codes = actions.iter().filter_map(|action| match action {
            Action::Close { to, close } if *to == leg => close.code(),
            _ => None,
        });
        let code = codes.next();
        assert_eq!(codes.next(), None, "two Close frames on a leg");
        code
    };
    (code(CLIENT), code(UPSTREAM))
}

/// Makes it happen on a fresh session; everything that was asked for by then.
fn provoke(cause: Cause, bench: &mut Bench) -> Vec<Action> {
    let actions = |timed: Vec<Timed>| timed.into_iter().map(|(_, action)| action).collect();
    let too_long = Violation::FrameTooBig(9);
    let leg = if cause.label().starts_with("client") {
        CLIENT
    } else {
        UPSTREAM
    };
    match cause {
        Cause::ClientClosed | Cause::UpstreamClosed => {
            let mut all = bench.close(leg, Close::new(4321, "so"));
            all.extend(bench.close(leg.other(), Close::new(1000, "")));
            all
        }
        Cause::ClientLost | Cause::UpstreamLost => bench.lost(leg),
        Cause::ClientIdle | Cause::UpstreamIdle => {
            bench.until(s(500));
            bench.data(leg.other());
            actions(bench.until(s(1000)))
        }
        Cause::ClientPongTimeout | Cause::UpstreamPongTimeout => {
            let mut policy = quiet();
            heartbeat(&mut policy, leg).probe = Some(pinging());
            *bench = Bench::new(policy);
            actions(bench.until(s(40)))
        }
        Cause::ClientStalled | Cause::UpstreamStalled => {
            bench.tell(Event::Progress {
                to: leg,
                blocked: true,
            });
            actions(bench.until(s(30)))
        }
        Cause::ClientProtocolError | Cause::UpstreamProtocolError => {
            bench.violation(leg, Violation::ReservedBit, false)
        }
        Cause::ClientTooBig | Cause::UpstreamTooBig => bench.violation(leg, too_long, false),
        Cause::PingFlood => (0..3).flat_map(|_| bench.ping(CLIENT, b"")).collect(),
        Cause::MessageFlood => bench.tell(Event::MessageFlood),
        Cause::MaxLifetime => {
            let mut policy = quiet();
            policy.limits.max_lifetime = Some(s(10));
            *bench = Bench::new(policy);
            actions(bench.until(s(11)))
        }
        Cause::Killed | Cause::Drained => bench.tell(Event::Terminate {
            cause,
            close: None,
            detail: String::new(),
        }),
        Cause::HoldExpired | Cause::Internal => unreachable!("no event leads there"),
    }
}

#[test]
fn each_puts_its_codes_on_the_wire() {
    let table: [(Cause, Codes); 19] = [
        (Cause::ClientClosed, (Some(4321), Some(4321))),
        (Cause::UpstreamClosed, (Some(4321), Some(4321))),
        (Cause::ClientLost, (None, Some(1001))),
        (Cause::UpstreamLost, (Some(1014), None)),
        (Cause::ClientIdle, (Some(1001), Some(1001))),
        (Cause::UpstreamIdle, (Some(1014), Some(1001))),
        (Cause::ClientPongTimeout, (Some(1001), Some(1001))),
        (Cause::UpstreamPongTimeout, (Some(1014), Some(1001))),
        (Cause::ClientStalled, (Some(1008), Some(1001))),
        (Cause::UpstreamStalled, (Some(1014), Some(1001))),
        (Cause::ClientProtocolError, (Some(1002), Some(1001))),
        (Cause::UpstreamProtocolError, (Some(1014), Some(1002))),
        (Cause::ClientTooBig, (Some(1009), Some(1001))),
        (Cause::UpstreamTooBig, (Some(1014), Some(1009))),
        (Cause::PingFlood, (Some(1008), Some(1001))),
        (Cause::MessageFlood, (Some(1008), Some(1001))),
        (Cause::MaxLifetime, (Some(1001), Some(1001))),
        (Cause::Killed, (Some(1001), Some(1001))),
        (Cause::Drained, (Some(1001), Some(1001))),
    ];
    for (cause, expected) in table {
        let mut bench = Bench::new(strict());
        let actions = provoke(cause, &mut bench);
        assert_eq!(codes(&actions), expected, "{cause:?} {actions:?}");
        assert_eq!(bench.cause(), Some(cause));
        let sent = |leg| bench.sent(leg).and_then(|close| close.code());
        assert_eq!((sent(CLIENT), sent(UPSTREAM)), expected, "{cause:?}");
    }
}

#[test]
fn close_in_the_file_changes_what_the_client_is_sent_and_nothing_else() {
    for cause in Cause::ALL.into_iter().filter(|cause| cause.configurable()) {
        if matches!(
            cause,
            Cause::HoldExpired | Cause::Internal | Cause::MaxLifetime
        ) || matches!(cause, Cause::ClientPongTimeout | Cause::UpstreamPongTimeout)
        {
            continue; // Not provoked under this policy, and decided in the same place.
        }
        let mut policy = strict();
        policy.close = vec![(cause, Close::new(4999, "as configured"))];
        let mut bench = Bench::new(policy);
        let actions = provoke(cause, &mut bench);
        let (client, upstream) = codes(&actions);
        let default = cause
            .default_close(UPSTREAM)
            .resolve(None)
            .and_then(|close| close.code());
        assert_eq!((client, upstream), (Some(4999), default), "{cause:?}");
    }
}

#[test]
fn a_terminator_says_what_the_client_is_sent() {
    let mut bench = Bench::new(quiet());
    let actions = bench.tell(Event::Terminate {
        cause: Cause::Drained,
        close: Some(Close::new(1012, "back soon")),
        detail: "shutting down".to_owned(),
    });
    let expected = [
        close_frame(CLIENT, 1012, "back soon"),
        close_frame(UPSTREAM, 1001, "sidecar is draining"),
    ];
    assert_eq!(actions, expected);
    assert_eq!(bench.session.ending().unwrap().detail, "shutting down");
}

#[test]
fn the_first_cause_wins() {
    for first in Cause::ALL {
        if matches!(first, Cause::HoldExpired | Cause::Internal) {
            continue;
        }
        let mut bench = Bench::new(strict());
        provoke(first, &mut bench);
        bench.kill();
        for leg in Leg::BOTH {
            bench.close(leg, Close::default());
            bench.violation(leg, Violation::ReservedBit, false);
            bench.lost(leg);
        }
        bench.until(s(5000));
        assert_eq!(bench.cause(), Some(first));
    }
}

#[test]
fn text_that_is_not_utf8_is_told_so_to_the_one_who_sent_it() {
    for leg in Leg::BOTH {
        for violation in [Violation::TextNotUtf8, Violation::CloseReasonNotUtf8] {
            let mut bench = Bench::new(quiet());
            let actions = bench.violation(leg, violation, false);
            let cause = cause_of(
                leg,
                Cause::ClientProtocolError,
                Cause::UpstreamProtocolError,
            );
            let other = if leg == CLIENT { 1001 } else { 1014 };
            let expected = if leg == CLIENT {
                (Some(1007), Some(other))
            } else {
                (Some(other), Some(1007))
            };
            assert_eq!(codes(&actions), expected);
            assert_eq!(bench.cause(), Some(cause));
            assert_eq!(bench.sent(leg), Some(Close::new(1007, "not UTF-8")));
        }
    }
}

#[test]
fn what_the_file_says_of_protocol_errors_holds_for_bad_text_too() {
    let mut policy = quiet();
    let configured = Close::new(4002, "set_subprotocol UTF-8");
    policy.close = vec![(Cause::ClientProtocolError, configured.clone())];
    let mut bench = Bench::new(policy);
    bench.violation(CLIENT, Violation::TextNotUtf8, false);
    assert_eq!(bench.sent(CLIENT), Some(configured));
}
