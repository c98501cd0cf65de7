use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use tracing::Level;

use super::*;
use crate::telemetry::MAX_QUEUED;

fn store(hub: &EventHub, kind: EventKind, cause: Option<Cause>, fields: &str) {
    let line = log::json_line(SystemTime::now(), Level::INFO, kind.name(), fields);
    hub.store(kind, cause, line.into());
}

async fn next(subscriber: &mut Subscriber) -> Message {
    poll_fn(|cx| subscriber.poll_next(cx)).await
}

fn name(message: &Message) -> String {
    match message {
        Message::Event(entry) => entry.kind.name().to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_newest_thousand_are_kept_as_they_were_logged() {
    let hub = EventHub::default();
    for nth in 0..=MAX_CLOSED {
        let fields = format!("{{\"nth\":{nth}}}");
        store(
            &hub,
            EventKind::ConnectionClosed,
            Some(Cause::ClientIdle),
            &fields,
        );
        store(&hub, EventKind::ConnectionOpened, None, "{}");
    }
    let closed = hub.closed();
    assert_eq!(closed.len(), MAX_CLOSED);
    assert!(closed[0].line.ends_with(",\"nth\":1000}"));
    assert!(closed[MAX_CLOSED - 1].line.ends_with(",\"nth\":1}"));
    let line: serde_json::Value = serde_json::from_str(&closed[0].line).unwrap();
    let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["timestamp", "level", "event", "nth"]);
}

#[test]
fn events_of_two_threads_are_in_the_order_of_their_ids() {
    let ids = |entries: &[Arc<Entry>]| entries.iter().map(|entry| entry.id).collect();
    for _ in 0..50 {
        let hub = Arc::new(EventHub::default());
        let mut subscriber = hub.subscribe(None).unwrap();
        let start = std::sync::Barrier::new(2);
        let work = || {
            start.wait();
            for _ in 0..MAX_QUEUED / 2 {
                let cause = Some(Cause::ClientIdle);
                store(&hub, EventKind::ConnectionClosed, cause, "{}");
            }
        };
        std::thread::scope(|scope| [scope.spawn(work), scope.spawn(work)].map(drop));
        let mut cx = Context::from_waker(Waker::noop());
        let mut received = Vec::new();
        while let Poll::Ready(Message::Event(entry)) = subscriber.poll_next(&mut cx) {
            received.push(entry);
        }
        let in_order: Vec<u64> = (1..=MAX_QUEUED as u64).collect();
        let received: Vec<u64> = ids(&received);
        assert_eq!(received, in_order);
        let mut closed: Vec<u64> = ids(&hub.closed());
        closed.reverse();
        assert_eq!(closed, in_order);
    }
}

#[tokio::test]
async fn subscribers_receive_the_events_they_asked_for() {
    let hub = Arc::new(EventHub::default());
    assert!(!hub.is_followed(EventKind::Drained), "nobody is there");
    let mut all = hub.subscribe(None).unwrap();
    let mut some = hub.subscribe(Some(vec![EventKind::Drained])).unwrap();
    for kind in [EventKind::Draining, EventKind::Drained] {
        store(&hub, kind, None, "{}");
    }
    assert_eq!(name(&next(&mut all).await), "draining");
    assert_eq!(name(&next(&mut all).await), "drained");
    assert_eq!(name(&next(&mut some).await), "drained");
    drop(all);
    assert!(
        !hub.is_followed(EventKind::Draining),
        "who wanted it has left"
    );
    hub.end();
    assert_eq!(name(&next(&mut some).await), "End");
}

#[tokio::test]
async fn a_slow_subscriber_learns_how_many_events_it_missed_and_where() {
    let hub = Arc::new(EventHub::default());
    let mut slow = hub.subscribe(None).unwrap();
    let mut elsewhere = hub.subscribe(Some(vec![EventKind::Draining])).unwrap();
    for _ in 0..MAX_QUEUED + 7 {
        store(&hub, EventKind::Listening, None, "{}");
    }
    assert_eq!(hub.dropped(), 7);
    for _ in 0..MAX_QUEUED {
        assert_eq!(name(&next(&mut slow).await), "listening");
    }
    assert_eq!(name(&next(&mut slow).await), "Dropped(7)");
    store(&hub, EventKind::Draining, None, "{}");
    assert_eq!(name(&next(&mut slow).await), "draining");
    assert_eq!(name(&next(&mut elsewhere).await), "draining");
}

#[tokio::test(start_paused = true)]
async fn no_subscribers_waits_for_the_last_one() {
    let hub = Arc::new(EventHub::default());
    hub.no_subscribers().await;
    let (one, other) = (hub.subscribe(None).unwrap(), hub.subscribe(None).unwrap());
    let waiting = Arc::clone(&hub);
    let mut waiting = tokio::spawn(async move { waiting.no_subscribers().await });
    drop(one);
    let hour = std::time::Duration::from_secs(3600);
    let still = tokio::time::timeout(hour, &mut waiting).await;
    assert!(still.is_err(), "the other one is there");
    drop(other);
    waiting.await.unwrap();
}

#[test]
fn the_number_of_subscribers_is_limited() {
    let hub = Arc::new(EventHub::default());
    let mut subscribers: Vec<_> = (0..MAX_SUBSCRIBERS)
        .map(|_| hub.subscribe(None).unwrap())
        .collect();
    assert_eq!(hub.subscribe(None).err(), Some(TooManySubscribers));
    subscribers.pop();
    assert!(hub.subscribe(None).is_ok());
}
