//! Round trips that an operator asks for.

use super::*;

fn ask(bench: &mut Bench, leg: Leg) -> oneshot::Receiver<Duration> {
    let (answer, receiver) = oneshot::channel();
    bench.handle.send(Command::Ping { leg, answer });
    bench.settle();
    receiver
}

fn payload_of(heard: &Heard) -> Vec<u8> {
    match heard {
        Heard::Ping(payload) => payload.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_who_asks_is_answered_by_the_newest_pong() {
    for leg in Leg::BOTH {
        let mut bench = Bench::new(policy());
        let mut first = ask(&mut bench, leg);
        let mut second = ask(&mut bench, leg);
        let mut other = ask(&mut bench, leg.other());
        let pings = bench.heard(leg);
        assert_eq!(pings.len(), 2);
        tokio::time::advance(Duration::from_millis(30)).await;
        bench.send(leg, &pong(leg, &payload_of(&pings[0])));
        assert!(first.try_recv().is_err(), "an older one measures nothing");
        bench.send(leg, &pong(leg, &payload_of(&pings[1])));
        assert_eq!(first.try_recv(), Ok(Duration::from_millis(30)));
        assert_eq!(second.try_recv(), Ok(Duration::from_millis(30)));
        assert_eq!(
            other.try_recv(),
            Err(oneshot::error::TryRecvError::Empty),
            "the other leg has not answered"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_ping_waits_for_a_blocked_leg_however_many_ask() {
    let mut bench = Bench::new(policy());
    bench.peer(CLIENT).set_capacity(3);
    bench.send(UPSTREAM, &text(UPSTREAM, b"long enough"));
    let mut askers: Vec<_> = (0..5).map(|_| ask(&mut bench, CLIENT)).collect();
    bench.peer(CLIENT).set_capacity(usize::MAX);
    bench.settle();
    let heard = bench.heard(CLIENT);
    assert_eq!(heard.len(), 2, "{heard:?}");
    bench.send(CLIENT, &pong(CLIENT, &payload_of(&heard[1])));
    for asker in &mut askers {
        assert_eq!(asker.try_recv(), Ok(Duration::ZERO));
    }
    bench.assert_owns_nothing();
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_a_connection_that_ends_are_told() {
    let gone = Err(oneshot::error::TryRecvError::Closed);
    let mut bench = Bench::new(policy());
    let mut before = ask(&mut bench, CLIENT);
    bench.terminate();
    assert_eq!(ask(&mut bench, CLIENT).try_recv(), gone, "not even asked");
    bench.pass(CLOSE_TIMEOUT * 3).await;
    assert!(bench.done);
    drop(bench);
    assert_eq!(before.try_recv(), gone);
}

#[tokio::test(start_paused = true)]
async fn those_who_left_are_forgotten() {
    let mut bench = Bench::new(policy());
    for _ in 0..100 {
        drop(ask(&mut bench, CLIENT));
    }
    assert!(bench.relay.waiting_for_rtt.len() <= 1);
}
