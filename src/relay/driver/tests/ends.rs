//! A peer's end at every byte of a conversation.

use super::*;

/// A bit of everything.
fn conversation(from: Leg) -> Vec<u8> {
    [
        text(from, b"hello"),
        ping(from, b"?"),
        fragment(from, Data::Binary, false, &[7; 130]),
        pong(from, b"!"),
        fragment(from, Data::Continue, true, b""),
        text(from, b""),
        close(from, &Close::new(1000, "bye")),
    ]
    .concat()
}

#[derive(Clone, Copy, Debug)]
enum How {
    End,
    Reset,
    /// Nothing more comes, and nothing is taken.
    Silence,
}

async fn end_at(leg: Leg, cut: usize, how: How, capacity: usize, seed: Option<u64>) {
    let bytes = conversation(leg);
    let what = format!(
        "{leg:?} {how:?} at {cut} of {} capacity {capacity}",
        bytes.len()
    );
    let mut policy = policy();
    policy.client.idle_time = Some(Duration::from_secs(60));
    policy.upstream.idle_time = Some(Duration::from_secs(60));
    let mut bench = Bench::with_manners(policy, seed);
    bench.peer(leg.other()).set_capacity(capacity);
    bench.send(leg, &bytes[..cut]);
    match how {
        How::End => bench.peer(leg).end(),
        How::Reset => bench.peer(leg).reset(),
        How::Silence => bench.peer(leg).set_capacity(0),
    }
    for _ in 0..100 {
        bench.pass(Duration::from_secs(1)).await;
        bench.peer(leg.other()).receive();
    }
    bench.peer(leg).receive();
    assert!(bench.done, "{what}: {:?}", bench.relay.session());
    let (heard, boundary) = decode(leg.other(), &bench.peer(leg.other()).got);
    let closes = heard
        .iter()
        .filter(|heard| matches!(heard, Heard::Close(_)))
        .count();
    let is_reset = bench.peer(leg.other()).ended() == Some(Ended::Reset);
    if boundary == Boundary::None {
        assert!(
            is_reset && bench.relay.was_cut_mid_frame() && closes == 0,
            "{what}"
        );
    } else if capacity == usize::MAX {
        assert!(!is_reset && closes == 1, "{what}: {heard:?}");
    }
    let (_, boundary) = decode(leg, &bench.peer(leg).got);
    assert_ne!(boundary, Boundary::None, "{what}");
    let closed = cut == bytes.len();
    let labels = match (leg, how) {
        _ if closed => PerLeg::new("client_closed", "upstream_closed"),
        (_, How::Silence) => PerLeg::new("client_idle", "client_idle"),
        _ => PerLeg::new("client_lost", "upstream_lost"),
    };
    let cause = bench.cause().unwrap();
    if capacity == usize::MAX && !matches!(how, How::Silence) {
        assert_eq!(cause.label(), labels[leg], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_at_every_byte_ends_in_an_orderly_way() {
    for leg in Leg::BOTH {
        for cut in 0..=conversation(leg).len() {
            for how in [How::End, How::Reset, How::Silence] {
                end_at(leg, cut, how, usize::MAX, None).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn and_so_it_does_with_slow_peers_and_short_reads_and_writes() {
    for leg in Leg::BOTH {
        for cut in 0..=conversation(leg).len() {
            end_at(leg, cut, How::End, 7, None).await;
            end_at(leg, cut, How::End, usize::MAX, Some(cut as u64)).await;
            end_at(leg, cut, How::Reset, 7, Some(cut as u64 + 1)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_inside_a_frame_resets_the_other_leg_at_once() {
    for leg in Leg::BOTH {
        for end in [Peer::end, Peer::reset] {
            let whole = text(leg, b"whole");
            let mut bench = Bench::new(policy());
            bench.send(leg, &[&whole[..], &whole[..whole.len() - 1]].concat());
            end(bench.peer(leg));
            bench.settle();
            assert!(bench.done);
            assert!(bench.relay.was_cut_mid_frame());
            assert_eq!(bench.peer(leg.other()).ended(), Some(Ended::Reset));
        }
    }
}
