//! Random conversations in both directions through sockets of bad manners.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Said {
    Message(Vec<Vec<u8>>),
    Ping(u8),
    /// The test's peers take what came, and time passes.
    Pause(u8),
}

fn said() -> impl Strategy<Value = (Leg, Said)> {
    let payload = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..30),
        1 => (0..20_000_usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ];
    let said = prop_oneof![
        5 => prop::collection::vec(payload, 1..4).prop_map(Said::Message),
        2 => any::<u8>().prop_map(Said::Ping),
        2 => any::<u8>().prop_map(Said::Pause),
    ];
    (prop_oneof![Just(CLIENT), Just(UPSTREAM)], said)
}

fn probing() -> Policy {
    let mut policy = policy();
    let probe = |kind| {
        Some(Probe {
            kind,
            interval: Duration::from_secs(2),
            pong_timeout: None,
            missed_pongs: 1,
        })
    };
    policy.client.probe = probe(ProbeKind::Ping);
    policy.upstream.probe = probe(ProbeKind::Text("probe".into()));
    policy
}

fn messages(heard: &[Heard]) -> Vec<Vec<u8>> {
    let message = |heard: &Heard| match heard {
        Heard::Message(payload) if payload != b"probe" => Some(payload.clone()),
        _ => None,
    };
    heard.iter().filter_map(message).collect()
}

async fn converse(seed: u64, capacity: usize, conversation: Vec<(Leg, Said)>) {
    let mut bench = Bench::with_manners(probing(), Some(seed));
    bench.client.set_capacity(capacity);
    bench.upstream.set_capacity(capacity);
    let mut sent = PerLeg::new(Vec::new(), Vec::new());
    let mut newest_ping = PerLeg::new(None, None);
    for (leg, said) in conversation {
        match said {
            Said::Message(fragments) => {
                let last = fragments.len() - 1;
                for (index, payload) in fragments.iter().enumerate() {
                    let opcode = if index == 0 {
                        Data::Binary
                    } else {
                        Data::Continue
                    };
                    bench.send(leg, &fragment(leg, opcode, index == last, payload));
                }
                sent[leg].push(fragments.concat());
            }
            Said::Ping(payload) => {
                newest_ping[leg] = Some(payload);
                bench.send(leg, &ping(leg, &[payload]));
            }
            Said::Pause(len) => {
                bench.peer(leg).receive_at_most(usize::from(len));
                bench.pass(Duration::from_millis(300)).await;
            }
        }
    }
    bench.exchange();
    for leg in Leg::BOTH {
        let heard = bench.heard(leg);
        assert_eq!(messages(&heard), sent[leg.other()], "{leg:?}");
        if let Some(newest) = newest_ping[leg] {
            let answers = heard
                .iter()
                .rev()
                .find(|heard| matches!(heard, Heard::Pong(_)));
            assert_eq!(answers, Some(&Heard::Pong(vec![newest])), "{leg:?}");
        }
    }
    assert_eq!(bench.cause(), None);
    bench.assert_owns_nothing();
    // And then it can be closed as ever.
    bench.send(CLIENT, &close(CLIENT, &Close::new(1000, "")));
    bench.exchange();
    bench.send(UPSTREAM, &close(UPSTREAM, &Close::new(1000, "")));
    for leg in Leg::BOTH {
        assert_eq!(
            bench.heard(leg).last(),
            Some(&Heard::Close(Close::new(1000, "")))
        );
        bench.peer(leg).end();
    }
    bench.settle();
    assert!(bench.done);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn what_is_sent_arrives(seed in any::<u64>(), capacity in prop_oneof![1..60_usize, Just(usize::MAX)], conversation in prop::collection::vec(said(), 0..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(converse(seed, capacity, conversation));
    }
}
