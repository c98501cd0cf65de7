//! What has happened, for those who look from outside: the records of connections that ended, and a stream of events.
//!
//! Kept only where somebody can look: without `admin` there is none of this.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::events::{EventKind, LifecycleEvent};
use super::log;
use super::registry::lock;
use super::subscriber::{Queue, Subscriber};
use crate::session::Cause;

/// Records of connections that ended; the oldest go first.
pub const MAX_CLOSED: usize = 1000;
/// Who may listen to events at a time.
pub const MAX_SUBSCRIBERS: usize = 32;

/// One event, as it was logged.
#[derive(Debug)]
pub struct Entry {
    /// Counts events from 1 on.
    pub id: u64,
    /// Which event it is.
    pub kind: EventKind,
    /// Why a connection ended; none for other events.
    pub cause: Option<Cause>,
    /// The log line as a JSON object, without a newline.
    pub line: Box<str>,
}

/// The memory of a process whose operators can ask.
#[derive(Debug, Default)]
pub struct EventHub {
    past: Mutex<Past>,
    subscribers: Mutex<Vec<Arc<Queue>>>,
    /// One of them has left.
    unsubscribed: Notify,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Past {
    last_id: u64,
    /// Connections that ended, the newest first.
    closed: VecDeque<Arc<Entry>>,
}

/// As many listen as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManySubscribers;

impl EventHub {
    /// Whether anybody would see an event.
    pub(super) fn is_wanted(&self, event: &LifecycleEvent<'_>) -> bool {
        event.cause().is_some() || self.is_followed(event.kind())
    }

    fn is_followed(&self, kind: EventKind) -> bool {
        kind.is_streamed()
            && lock(&self.subscribers)
                .iter()
                .any(|queue| queue.wants(kind))
    }

    /// Takes an event in; `fields` is its record, a JSON object's text.
    pub(super) fn publish(&self, time: SystemTime, event: &LifecycleEvent<'_>, fields: &str) {
        let (kind, cause) = (event.kind(), event.cause());
        let line = log::json_line(time, event.level(), kind.name(), fields).into();
        self.store(kind, cause, line);
    }

    fn store(&self, kind: EventKind, cause: Option<Cause>, line: Box<str>) {
        // Held until everybody has it, so that everything is in the order of its ids everywhere.
        let mut past = lock(&self.past);
        past.last_id += 1;
        let entry = Arc::new(Entry {
            id: past.last_id,
            kind,
            cause,
            line,
        });
        if cause.is_some() {
            past.closed.truncate(MAX_CLOSED - 1);
            past.closed.push_front(Arc::clone(&entry));
        }
        for queue in lock(&self.subscribers).iter() {
            if queue.wants(kind) && !queue.push(&entry) {
                self.dropped.fetch_add(1, Relaxed);
            }
        }
    }

    /// The records of connections that ended, the newest first.
    #[must_use]
    pub fn closed(&self) -> Vec<Arc<Entry>> {
        lock(&self.past).closed.iter().cloned().collect()
    }

    /// Begins to listen; no events named: to all.
    ///
    /// # Errors
    /// There are too many subscribers.
    pub fn subscribe(
        self: &Arc<Self>,
        events: Option<Vec<EventKind>>,
    ) -> Result<Subscriber, TooManySubscribers> {
        let mut subscribers = lock(&self.subscribers);
        if subscribers.len() >= MAX_SUBSCRIBERS {
            return Err(TooManySubscribers);
        }
        let queue = Arc::new(Queue::new(events));
        subscribers.push(Arc::clone(&queue));
        Ok(Subscriber::new(queue, Arc::clone(self)))
    }

    pub(super) fn remove(&self, queue: &Arc<Queue>) {
        lock(&self.subscribers).retain(|other| !Arc::ptr_eq(other, queue));
        self.unsubscribed.notify_waiters();
    }

    /// Waits until nobody listens.
    pub(super) async fn no_subscribers(&self) {
        loop {
            let unsubscribed = self.unsubscribed.notified();
            if lock(&self.subscribers).is_empty() {
                return;
            }
            unsubscribed.await;
        }
    }

    /// Nothing more will happen: who listens gets what waits, and then the end.
    pub(super) fn end(&self) {
        for queue in lock(&self.subscribers).drain(..) {
            queue.end();
        }
    }

    /// Events that subscribers have missed because they did not keep up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::{Context, Poll, Waker};

    use tracing::Level;

    use super::*;
    use crate::telemetry::subscriber::{MAX_QUEUED, Message};

    fn enter(hub: &EventHub, kind: EventKind, cause: Option<Cause>, fields: &str) {
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
            enter(
                &hub,
                EventKind::ConnectionClosed,
                Some(Cause::ClientIdle),
                &fields,
            );
            enter(&hub, EventKind::ConnectionOpened, None, "{}");
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
    fn what_two_threads_enter_at_once_is_in_the_order_of_its_ids() {
        let ids = |entries: &[Arc<Entry>]| entries.iter().map(|entry| entry.id).collect();
        for _ in 0..50 {
            let hub = Arc::new(EventHub::default());
            let mut subscriber = hub.subscribe(None).unwrap();
            let start = std::sync::Barrier::new(2);
            let work = || {
                start.wait();
                for _ in 0..MAX_QUEUED / 2 {
                    let cause = Some(Cause::ClientIdle);
                    enter(&hub, EventKind::ConnectionClosed, cause, "{}");
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
    async fn listeners_hear_what_they_asked_for() {
        let hub = Arc::new(EventHub::default());
        assert!(!hub.is_followed(EventKind::Drained), "nobody is there");
        let mut all = hub.subscribe(None).unwrap();
        let mut some = hub.subscribe(Some(vec![EventKind::Drained])).unwrap();
        for kind in [EventKind::Draining, EventKind::Drained] {
            enter(&hub, kind, None, "{}");
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
    async fn who_does_not_keep_up_is_told_how_much_was_missed_and_where() {
        let hub = Arc::new(EventHub::default());
        let mut slow = hub.subscribe(None).unwrap();
        let mut elsewhere = hub.subscribe(Some(vec![EventKind::Draining])).unwrap();
        for _ in 0..MAX_QUEUED + 7 {
            enter(&hub, EventKind::Listening, None, "{}");
        }
        assert_eq!(hub.dropped(), 7);
        for _ in 0..MAX_QUEUED {
            assert_eq!(name(&next(&mut slow).await), "listening");
        }
        assert_eq!(name(&next(&mut slow).await), "Dropped(7)");
        enter(&hub, EventKind::Draining, None, "{}");
        assert_eq!(name(&next(&mut slow).await), "draining");
        assert_eq!(name(&next(&mut elsewhere).await), "draining");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_seen_when_the_last_one_leaves() {
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
    fn listeners_are_few_and_places_are_given_back() {
        let hub = Arc::new(EventHub::default());
        let mut subscribers: Vec<_> = (0..MAX_SUBSCRIBERS)
            .map(|_| hub.subscribe(None).unwrap())
            .collect();
        assert_eq!(hub.subscribe(None).err(), Some(TooManySubscribers));
        subscribers.pop();
        assert!(hub.subscribe(None).is_ok());
    }
}
