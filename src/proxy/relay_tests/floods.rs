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
    assert_eq!(ending.legs[0].received, Some(answer));
}
