//! Clients that send more than they may.

use super::*;

fn limited(rate: u32) -> Policy {
    let mut policy = policy();
    policy.limits.messages_per_second = Some(rate);
    policy
}

fn numbered(numbers: std::ops::Range<u32>) -> Vec<u8> {
    let texts = numbers.map(|number| text(CLIENT, number.to_string().as_bytes()));
    texts.flatten().collect()
}

#[tokio::test(start_paused = true)]
async fn nothing_after_the_last_message_that_is_allowed_is_passed_on() {
    for with_more in [false, true] {
        let mut bench = Bench::new(limited(5));
        let mut bytes = numbered(0..200);
        if with_more {
            bytes.extend(ping(CLIENT, b"late"));
        }
        bench.send(CLIENT, &bytes);
        bench.send(CLIENT, &numbered(200..400));
        let mut heard = bench.heard(UPSTREAM);
        let close = Close::new(1001, "client sent too many messages");
        assert_eq!(heard.pop(), Some(Heard::Close(close)));
        let expected: Vec<Heard> = (0..10)
            .map(|number: u32| message(number.to_string().as_bytes()))
            .collect();
        assert_eq!(heard, expected);
        let close = Close::new(1008, "too many messages");
        assert_eq!(bench.heard(CLIENT), [Heard::Close(close)]);
        assert_eq!(bench.cause(), Some(Cause::MessageFlood));
    }
}

#[tokio::test(start_paused = true)]
async fn nor_behind_bytes_that_the_backend_has_not_taken() {
    let mut bench = Bench::new(limited(5));
    bench.upstream.set_capacity(20);
    bench.send(CLIENT, &numbered(0..200));
    let heard = bench.heard(UPSTREAM);
    assert_eq!(heard.len(), 11, "{heard:?}");
    assert!(matches!(heard[10], Heard::Close(_)));
}

#[tokio::test(start_paused = true)]
async fn a_message_counts_once_however_many_fragments_it_has() {
    let mut bench = Bench::new(limited(1));
    let fragments: Vec<u8> = [
        fragment(CLIENT, Data::Text, false, b""),
        fragment(CLIENT, Data::Continue, false, b"a").repeat(50),
        fragment(CLIENT, Data::Continue, true, b"z"),
    ]
    .concat();
    bench.send(CLIENT, &fragments.repeat(2));
    assert_eq!(bench.heard(UPSTREAM).len(), 2);
    assert_eq!(bench.cause(), None);
    // One that only begins counts as well, and nothing of it is passed on.
    bench.send(CLIENT, &fragment(CLIENT, Data::Text, false, b"abc"));
    assert_eq!(bench.cause(), Some(Cause::MessageFlood));
    assert!(matches!(bench.heard(UPSTREAM)[2], Heard::Close(_)));
}

#[tokio::test(start_paused = true)]
async fn a_client_at_the_rate_is_left_alone() {
    let mut bench = Bench::new(limited(4));
    for _ in 0..100 {
        bench.send(CLIENT, &text(CLIENT, b"x"));
        bench.pass(Duration::from_millis(250)).await;
    }
    bench.send(UPSTREAM, &text(UPSTREAM, b"y").repeat(500));
    assert_eq!(bench.cause(), None);
    assert_eq!(bench.heard(UPSTREAM).len(), 100);
    assert_eq!(bench.heard(CLIENT).len(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_flooding_client_may_still_answer_the_close_frame() {
    let mut bench = Bench::new(limited(1));
    bench.send(CLIENT, &numbered(0..50));
    let answer = Close::new(1008, "");
    bench.send(CLIENT, &[numbered(50..99), close(CLIENT, &answer)].concat());
    bench.send(UPSTREAM, &close(UPSTREAM, &Close::new(1001, "")));
    bench.client.end();
    bench.upstream.end();
    bench.settle();
    assert!(bench.done);
    let ending = bench.relay.session().ending().unwrap().clone();
    assert_eq!(ending.legs.client.received, Some(answer));
}

impl Bench {
    /// One turn of this connection.
    fn poll_once(&mut self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut cx = Context::from_waker(&waker);
        self.woken.0.store(false, Ordering::Relaxed);
        let poll = self
            .relay
            .poll(&mut cx, self.timer.as_mut(), &mut self.scratch);
        assert!(poll.is_pending());
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed)
    }
}

/// What is cheap to send and dear to relay, and how much of it there is.
fn floods(from: Leg) -> [(&'static str, Vec<u8>, usize); 4] {
    let data = text(from, b"x");
    let count = 4000;
    [
        (
            "frames of no length",
            text(from, b"").repeat(5 * count),
            5 * count,
        ),
        (
            "frames that pongs part from each other",
            [&data[..], &pong(from, b"")].concat().repeat(count),
            count,
        ),
        (
            "fragments",
            [
                fragment(from, Data::Text, false, b""),
                fragment(from, Data::Continue, false, b"").repeat(5 * count),
                fragment(from, Data::Continue, true, b"end"),
            ]
            .concat(),
            1,
        ),
        (
            "pings",
            [ping(from, b"").repeat(count), data.clone()].concat(),
            1,
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_relayed_in_turns_and_nothing_of_it_is_lost() {
    for leg in Leg::BOTH {
        for (name, bytes, messages) in floods(leg) {
            let other = leg.other();
            let mut bench = Bench::new(policy());
            bench.scratch = vec![0; 96 * 1024];
            bench.peer(leg).send(&bytes);
            let mut turns = 0;
            while bench.is_woken() {
                bench.poll_once();
                turns += 1;
                if turns == 1 {
                    // The other side is heard in every turn, whatever this one sends.
                    bench.peer(other).send(&text(other, b"and I?"));
                    bench.poll_once();
                    bench.peer(leg).receive();
                    let got = decode(leg, &bench.peer(leg).got).0;
                    assert!(got.contains(&message(b"and I?")), "{name}");
                }
            }
            assert!(turns > 1, "{name} from {leg:?}: all at once");
            let heard = bench.heard(other);
            let is_message = |heard: &&Heard| matches!(heard, Heard::Message(_));
            assert_eq!(heard.iter().filter(is_message).count(), messages, "{name}");
            assert_eq!(bench.cause(), None);
            bench.assert_owns_nothing();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_flood_less_is_read_at_once_so_that_little_is_held() {
    let mut bench = Bench::new(policy());
    bench.scratch = vec![0; 96 * 1024];
    let (_, bytes, _) = &floods(CLIENT)[1];
    bench.client.send(&bytes.repeat(3));
    bench.poll_once();
    let held = |bench: &Bench| bench.relay.legs.client.held.len();
    assert!(held(&bench) > 32 * 1024, "{}", held(&bench));
    while held(&bench) > 0 {
        bench.poll_once();
    }
    while bench.is_woken() {
        bench.poll_once();
        assert!(held(&bench) < 16 * 1024, "{}", held(&bench));
    }
    bench.client.receive();
    bench.assert_owns_nothing();
    // Long frames make it grow again.
    bench.client.send(&text(CLIENT, &vec![b'x'; 2 << 20]));
    bench.settle();
    assert_eq!(bench.relay.legs.client.read_size, READ);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_flood_is_seen_after_all_of_it() {
    for reset in [false, true] {
        let mut bench = Bench::new(policy());
        bench.scratch = vec![0; 96 * 1024];
        let (_, bytes, messages) = &floods(UPSTREAM)[1];
        let bye = Close::new(1000, "bye");
        bench.upstream.send(bytes);
        bench.upstream.send(&close(UPSTREAM, &bye));
        bench.upstream.end();
        bench.poll_once();
        if reset {
            bench.upstream.reset();
        }
        bench.settle();
        let heard = bench.heard(CLIENT);
        assert_eq!(heard.len(), messages + 1);
        assert_eq!(heard.last(), Some(&Heard::Close(bye)));
        assert_eq!(bench.cause(), Some(Cause::UpstreamClosed));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_passed_on_when_the_other_leg_takes_bytes_again() {
    let mut bench = Bench::new(policy());
    bench.scratch = vec![0; 96 * 1024];
    bench.upstream.set_capacity(1000);
    let (_, bytes, messages) = &floods(CLIENT)[1];
    bench.send(CLIENT, bytes);
    assert!(!bench.is_woken(), "it waits for the backend");
    assert_eq!(bench.heard(UPSTREAM).len(), *messages);
    bench.assert_owns_nothing();
}

fn beating() -> Policy {
    let mut policy = policy();
    let rules = crate::heartbeat::Preset::Text.rules().unwrap();
    policy.app = Arc::new(crate::heartbeat::Rules::new(rules));
    policy
}

#[tokio::test(start_paused = true)]
async fn messages_beyond_what_may_be_looked_into_are_passed_on_and_counted() {
    let mut bench = Bench::new(beating());
    bench.scratch = vec![0; 96 * 1024];
    bench.relay.session.set_subprotocol(None);
    let count = 100_000;
    bench.send(CLIENT, &text(CLIENT, b"ping").repeat(count));
    let passed_on = bench.heard(UPSTREAM).len();
    let recognised = bench.relay.session().app_heartbeats();
    assert_eq!(passed_on as u64 + recognised, count as u64);
    assert_eq!(bench.relay.uninspected(), passed_on as u64);
    assert!((1000..50_000).contains(&recognised), "{recognised}");
    assert_eq!(bench.cause(), None);
    // A second later some are looked into again.
    bench.pass(Duration::from_secs(1)).await;
    bench.send(CLIENT, &text(CLIENT, b"ping"));
    assert_eq!(bench.relay.session().app_heartbeats(), recognised + 1);
}

#[tokio::test(start_paused = true)]
async fn the_heartbeats_of_a_client_that_sends_hundreds_of_messages_a_second_are_all_found() {
    let mut bench = Bench::new(beating());
    bench.relay.session.set_subprotocol(None);
    let second = [text(CLIENT, b"news").repeat(300), text(CLIENT, b"ping")].concat();
    for seconds in 1..60 {
        bench.send(CLIENT, &second);
        assert_eq!(bench.relay.session().app_heartbeats(), seconds);
        bench.exchange();
        bench.pass(Duration::from_secs(1)).await;
    }
    assert_eq!(bench.relay.uninspected(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_flood_that_is_not_looked_into_is_not_closed_for_its_heartbeats() {
    let mut policy = beating();
    policy.client.idle_time = Some(Duration::from_secs(10));
    policy.client.activity = Activity::Heartbeat;
    let mut bench = Bench::new(policy);
    bench.scratch = vec![0; 96 * 1024];
    bench.relay.session.set_subprotocol(None);
    // So many that a heartbeat among them need not be found.
    for count in [30_000].into_iter().chain([15_000; 12]) {
        bench.send(CLIENT, &text(CLIENT, b"news").repeat(count));
        bench.exchange();
        bench.pass(Duration::from_secs(1)).await;
    }
    assert!(bench.relay.uninspected() > 0);
    assert_eq!(bench.cause(), None);
}
