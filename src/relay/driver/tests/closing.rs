use super::*;

#[tokio::test(start_paused = true)]
async fn a_closing_handshake_from_end_to_end() {
    for leg in Leg::BOTH {
        let other = leg.other();
        let (done, answer) = (Close::new(4000, "done"), Close::new(1000, "yes"));
        let mut bench = Bench::new(policy());
        bench.send(
            leg,
            &[text(leg, b"last"), close(leg, &done), b"noise".to_vec()].concat(),
        );
        assert_eq!(
            bench.heard(other),
            [message(b"last"), Heard::Close(done.clone())]
        );
        assert_eq!(bench.heard(leg), []);
        bench.send(
            other,
            &[text(other, b"late"), close(other, &answer)].concat(),
        );
        assert_eq!(bench.heard(leg), [message(b"late"), Heard::Close(done)]);
        for leg in Leg::BOTH {
            // Section 7.1.1: the server ends TCP first.
            assert_eq!(bench.peer(leg).sees_end(), leg == Leg::Client);
            assert_eq!(bench.peer(leg).ended(), None);
            bench.peer(leg).end();
        }
        bench.settle();
        assert!(bench.done);
        assert!(!bench.relay.was_cut_mid_frame());
        for leg in Leg::BOTH {
            assert_eq!(bench.peer(leg).ended(), Some(Ended::InOrder));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_slow_peer_is_delivered_before_the_close_frame() {
    for leg in Leg::BOTH {
        let other = leg.other();
        let mut bench = Bench::new(policy());
        bench.peer(other).set_capacity(50);
        let sent = [text(leg, &[b'x'; 300]), close(leg, &Close::new(1000, ""))].concat();
        bench.send(leg, &sent);
        bench.peer(leg).end();
        // Slower than close_timeout as a whole, and never that slow at a time.
        for _ in 0..12 {
            bench.pass(Duration::from_secs(4)).await;
            bench.peer(other).receive_at_most(30);
        }
        assert_eq!(
            bench.heard(other),
            [message(&[b'x'; 300]), Heard::Close(Close::new(1000, ""))]
        );
        bench.pass(2 * CLOSE_TIMEOUT).await;
        assert!(bench.done);
    }
}

/// A Close frame cannot be put into a frame, and a peer may still finish it.
#[tokio::test(start_paused = true)]
async fn a_close_frame_waits_for_the_end_of_a_frame() {
    for leg in Leg::BOTH {
        let source = leg.other();
        let whole = text(source, b"whole");
        let (head, tail) = whole.split_at(whole.len() - 2);
        let mut bench = Bench::new(policy());
        bench.send(source, head);
        bench.terminate();
        bench.exchange();
        assert_eq!(bench.peer(leg).got, head);
        bench.send(source, &[tail, &text(source, b"too late")].concat());
        let heard = bench.heard(leg);
        assert_eq!(heard[0], message(b"whole"));
        assert!(matches!(heard[1..], [Heard::Close(_)]), "{heard:?}");
        bench.pass(CLOSE_TIMEOUT).await;
        assert!(bench.done);
        assert!(!bench.relay.was_cut_mid_frame());
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_not_finished_ends_in_a_reset() {
    for leg in Leg::BOTH {
        let source = leg.other();
        let whole = text(source, b"whole");
        let mut bench = Bench::new(policy());
        bench.send(source, &whole[..whole.len() - 2]);
        bench.terminate();
        bench.pass(CLOSE_TIMEOUT).await;
        assert!(bench.done);
        assert!(bench.relay.was_cut_mid_frame());
        assert_eq!(bench.peer(leg).ended(), Some(Ended::Reset));
        assert_eq!(bench.peer(source).ended(), Some(Ended::InOrder));
        let ending = bench.relay.session().ending().unwrap();
        assert_eq!(ending.legs[leg].sent, None);
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_both_legs_at_once() {
    for leg in Leg::BOTH {
        let source = leg.other();
        let mut bench = Bench::new(policy());
        bench.handle.send(Command::Abort);
        bench.settle();
        assert!(bench.done);
        assert!(matches!(bench.heard(leg)[..], [Heard::Close(_)]));

        // Even then what is cut inside a frame does not look like a whole.
        let mut bench = Bench::new(policy());
        let whole = text(source, b"whole");
        bench.send(source, &whole[..whole.len() - 2]);
        bench.handle.send(Command::Abort);
        bench.settle();
        assert!(bench.done);
        assert_eq!(bench.peer(leg).ended(), Some(Ended::Reset));
        assert_eq!(bench.peer(source).ended(), Some(Ended::InOrder));
        assert!(bench.relay.was_cut_mid_frame());
        assert_eq!(bench.cause(), Some(Cause::Drained));
    }
}

#[tokio::test(start_paused = true)]
async fn a_violation_closes_both_legs_and_passes_on_what_came_before() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(policy());
        let mut bad = text(leg, b"bad");
        bad[0] |= 0x40;
        bench.send(
            leg,
            &[text(leg, b"good"), bad, text(leg, b"unheard")].concat(),
        );
        let (offender, other) = if leg == CLIENT {
            (1002, 1001)
        } else {
            (1002, 1014)
        };
        let heard = bench.heard(leg.other());
        assert_eq!(heard[0], message(b"good"));
        assert!(matches!(&heard[1..], [Heard::Close(close)] if close.code() == Some(other)));
        assert!(
            matches!(&bench.heard(leg)[..], [Heard::Close(close)] if close.code() == Some(offender))
        );
        bench.pass(2 * CLOSE_TIMEOUT).await;
        assert!(bench.done);
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_close_frame_is_a_violation() {
    for leg in Leg::BOTH {
        for (payload, code) in [
            (&b"\x03"[..], 1002),
            (b"\x03\xee", 1002),
            (b"\x03\xe8\xff", 1007),
        ] {
            let mut bench = Bench::new(policy());
            bench.send(leg, &frame(leg, OpCode::Control(Control::Close), payload));
            assert!(
                matches!(&bench.heard(leg)[..], [Heard::Close(close)] if close.code() == Some(code))
            );
            let expected = if leg == CLIENT {
                Cause::ClientProtocolError
            } else {
                Cause::UpstreamProtocolError
            };
            assert_eq!(bench.cause(), Some(expected));
        }
    }
}

/// Bad text that is found when its beginning has been passed on already.
#[tokio::test(start_paused = true)]
async fn a_violation_inside_a_frame_resets_the_other_leg() {
    for leg in Leg::BOTH {
        let mut policy = policy();
        policy.limits.validate_utf8 = true;
        let mut bench = Bench::new(policy);
        let bad = text(leg, b"begins well, and then: \xff and more");
        let (head, tail) = bad.split_at(20);
        bench.send(leg, head);
        bench.send(leg, tail);
        assert!(
            matches!(&bench.heard(leg)[..], [Heard::Close(close)] if close.code() == Some(1007))
        );
        assert_eq!(bench.peer(leg.other()).ended(), Some(Ended::Reset));
        assert!(bench.relay.was_cut_mid_frame());
    }
}

/// A peer that sends Close and hangs up at once makes the next write fail before its Close frame has been read.
#[tokio::test(start_paused = true)]
async fn a_failed_write_does_not_hide_a_close_frame_that_came_before() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(policy());
        let peer = bench.peer(leg);
        peer.refuse_writes();
        peer.send(&close(leg, &Close::new(4000, "done")));
        bench
            .peer(leg.other())
            .send(&text(leg.other(), b"nobody listens"));
        bench.settle();
        let expected = if leg == CLIENT {
            Cause::ClientClosed
        } else {
            Cause::UpstreamClosed
        };
        assert_eq!(bench.cause(), Some(expected));
        assert_eq!(
            bench.heard(leg.other()),
            [Heard::Close(Close::new(4000, "done"))]
        );

        let mut bench = Bench::new(policy());
        bench.peer(leg).refuse_writes();
        bench.send(leg.other(), &text(leg.other(), b"nobody listens"));
        let expected = if leg == CLIENT {
            Cause::ClientLost
        } else {
            Cause::UpstreamLost
        };
        assert_eq!(bench.cause(), Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_from_behind_the_opening_handshake_come_first() {
    let mut bench = Bench::new(policy());
    let whole = text(CLIENT, b"early bird");
    let waker = Waker::from(Arc::clone(&bench.woken));
    let mut cx = Context::from_waker(&waker);
    bench.relay.read_ahead(&mut cx, CLIENT, &whole[..3]);
    bench
        .relay
        .read_ahead(&mut cx, UPSTREAM, &text(UPSTREAM, b"welcome"));
    bench.relay.read_ahead(&mut cx, UPSTREAM, b"");
    bench.send(CLIENT, &whole[3..]);
    assert_eq!(bench.heard(UPSTREAM), [message(b"early bird")]);
    assert_eq!(bench.heard(CLIENT), [message(b"welcome")]);
}

#[tokio::test(start_paused = true)]
async fn what_a_slow_peer_still_sends_is_delivered_before_the_answer_to_a_close_frame() {
    for leg in Leg::BOTH {
        let other = leg.other();
        let bye = Close::new(4000, "done");
        let mut bench = Bench::new(policy());
        bench.send(leg, &close(leg, &bye));
        let mut expected = Vec::new();
        for number in 0..10_u8 {
            bench.pass(Duration::from_millis(450)).await;
            bench.send(other, &text(other, &[number]));
            expected.push(message(&[number]));
            assert_eq!(bench.heard(leg), expected);
        }
        bench.pass(Duration::from_millis(400)).await;
        bench.send(other, &close(other, &bye));
        expected.push(Heard::Close(bye));
        assert_eq!(bench.heard(leg), expected);
        assert!(bench.relay.session().is_over());
    }
}

#[tokio::test(start_paused = true)]
async fn who_leaves_a_hung_peer_is_answered_and_it_is_over() {
    for leg in Leg::BOTH {
        let bye = Close::new(4000, "done");
        let mut bench = Bench::new(policy());
        bench.send(leg, &close(leg, &bye));
        bench.pass(Duration::from_millis(999)).await;
        assert_eq!(bench.heard(leg), []);
        bench.pass(Duration::from_millis(1)).await;
        assert_eq!(bench.heard(leg), [Heard::Close(bye)]);
        assert!(bench.relay.session().is_over() && !bench.done);
        bench.pass(2 * CLOSE_TIMEOUT).await;
        assert!(bench.done);
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_hangs_with_a_full_socket_keeps_nobody() {
    let mut bench = Bench::new(policy());
    bench.upstream.set_capacity(10);
    let bytes = text(CLIENT, b"more than it takes").repeat(100);
    let bye = Close::new(1001, "");
    bench.send(CLIENT, &[bytes, close(CLIENT, &bye)].concat());
    bench.pass(Duration::from_secs(1)).await;
    bench.client.receive();
    let (heard, _) = decode(CLIENT, &bench.client.got);
    assert_eq!(heard, [Heard::Close(bye)]);
    // Its own Close frame has not gone, and the client's messages may still be taken.
    assert!(!bench.relay.session().is_over());
    bench.pass(CLOSE_TIMEOUT).await;
    assert!(bench.relay.session().is_over());
}
