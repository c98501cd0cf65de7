//! What has happened, for those who look from outside: the records of connections that ended, and a stream of events.
//!
//! Kept only where somebody can look: without `admin` there is none of this.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::events::{EventKind, LifecycleEvent};
use super::listener::{Listener, Queue};
use super::log;
use super::registry::lock;
use crate::session::Cause;

/// Records of connections that ended; the oldest go first.
pub const MAX_CLOSED: usize = 1000;
/// Who may listen to events at a time.
pub const MAX_LISTENERS: usize = 32;

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
pub struct Journal {
    past: Mutex<Past>,
    listeners: Mutex<Vec<Arc<Queue>>>,
    /// One of them has left.
    left: Notify,
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
pub struct TooManyListeners;

impl Journal {
    /// Whether anybody would see an event.
    pub(super) fn wants(&self, event: &LifecycleEvent<'_>) -> bool {
        event.cause().is_some() || self.is_followed(event.kind())
    }

    fn is_followed(&self, kind: EventKind) -> bool {
        kind.is_streamed() && lock(&self.listeners).iter().any(|queue| queue.wants(kind))
    }

    /// Takes an event in; `fields` is its record, a JSON object's text.
    pub(super) fn enter(&self, time: SystemTime, event: &LifecycleEvent<'_>, fields: &str) {
        let (kind, cause) = (event.kind(), event.cause());
        let line = log::json_line(time, event.level(), kind.name(), fields).into();
        self.keep(kind, cause, line);
    }

    fn keep(&self, kind: EventKind, cause: Option<Cause>, line: Box<str>) {
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
        for queue in lock(&self.listeners).iter() {
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
    /// There are too many listeners.
    pub fn listen(
        self: &Arc<Self>,
        events: Option<Vec<EventKind>>,
    ) -> Result<Listener, TooManyListeners> {
        let mut listeners = lock(&self.listeners);
        if listeners.len() >= MAX_LISTENERS {
            return Err(TooManyListeners);
        }
        let queue = Arc::new(Queue::new(events));
        listeners.push(Arc::clone(&queue));
        Ok(Listener::new(queue, Arc::clone(self)))
    }

    pub(super) fn leave(&self, queue: &Arc<Queue>) {
        lock(&self.listeners).retain(|other| !Arc::ptr_eq(other, queue));
        self.left.notify_waiters();
    }

    /// Waits until nobody listens.
    pub(super) async fn deserted(&self) {
        loop {
            let left = self.left.notified();
            if lock(&self.listeners).is_empty() {
                return;
            }
            left.await;
        }
    }

    /// Nothing more will happen: who listens gets what waits, and then the end.
    pub(super) fn end(&self) {
        for queue in lock(&self.listeners).drain(..) {
            queue.end();
        }
    }

    /// Events that listeners have missed because they did not keep up.
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
    use crate::telemetry::listener::{Heard, MAX_WAITING};

    fn enter(journal: &Journal, kind: EventKind, cause: Option<Cause>, fields: &str) {
        let line = log::json_line(SystemTime::now(), Level::INFO, kind.name(), fields);
        journal.keep(kind, cause, line.into());
    }

    async fn hear(listener: &mut Listener) -> Heard {
        poll_fn(|cx| listener.poll_next(cx)).await
    }

    fn name(heard: &Heard) -> String {
        match heard {
            Heard::Event(entry) => entry.kind.name().to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_newest_thousand_are_kept_as_they_were_logged() {
        let journal = Journal::default();
        for nth in 0..=MAX_CLOSED {
            let fields = format!("{{\"nth\":{nth}}}");
            enter(
                &journal,
                EventKind::ConnectionClosed,
                Some(Cause::ClientIdle),
                &fields,
            );
            enter(&journal, EventKind::ConnectionOpened, None, "{}");
        }
        let closed = journal.closed();
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
            let journal = Arc::new(Journal::default());
            let mut listener = journal.listen(None).unwrap();
            let start = std::sync::Barrier::new(2);
            let work = || {
                start.wait();
                for _ in 0..MAX_WAITING / 2 {
                    let cause = Some(Cause::ClientIdle);
                    enter(&journal, EventKind::ConnectionClosed, cause, "{}");
                }
            };
            std::thread::scope(|scope| [scope.spawn(work), scope.spawn(work)].map(drop));
            let mut cx = Context::from_waker(Waker::noop());
            let mut heard = Vec::new();
            while let Poll::Ready(Heard::Event(entry)) = listener.poll_next(&mut cx) {
                heard.push(entry);
            }
            let in_order: Vec<u64> = (1..=MAX_WAITING as u64).collect();
            let heard: Vec<u64> = ids(&heard);
            assert_eq!(heard, in_order);
            let mut closed: Vec<u64> = ids(&journal.closed());
            closed.reverse();
            assert_eq!(closed, in_order);
        }
    }

    #[tokio::test]
    async fn listeners_hear_what_they_asked_for() {
        let journal = Arc::new(Journal::default());
        assert!(!journal.is_followed(EventKind::Drained), "nobody is there");
        let mut all = journal.listen(None).unwrap();
        let mut some = journal.listen(Some(vec![EventKind::Drained])).unwrap();
        for kind in [EventKind::Draining, EventKind::Drained] {
            enter(&journal, kind, None, "{}");
        }
        assert_eq!(name(&hear(&mut all).await), "draining");
        assert_eq!(name(&hear(&mut all).await), "drained");
        assert_eq!(name(&hear(&mut some).await), "drained");
        drop(all);
        assert!(
            !journal.is_followed(EventKind::Draining),
            "who wanted it has left"
        );
        journal.end();
        assert_eq!(name(&hear(&mut some).await), "End");
    }

    #[tokio::test]
    async fn who_does_not_keep_up_is_told_how_much_was_missed_and_where() {
        let journal = Arc::new(Journal::default());
        let mut slow = journal.listen(None).unwrap();
        let mut elsewhere = journal.listen(Some(vec![EventKind::Draining])).unwrap();
        for _ in 0..MAX_WAITING + 7 {
            enter(&journal, EventKind::Listening, None, "{}");
        }
        assert_eq!(journal.dropped(), 7);
        for _ in 0..MAX_WAITING {
            assert_eq!(name(&hear(&mut slow).await), "listening");
        }
        assert_eq!(name(&hear(&mut slow).await), "Dropped(7)");
        enter(&journal, EventKind::Draining, None, "{}");
        assert_eq!(name(&hear(&mut slow).await), "draining");
        assert_eq!(name(&hear(&mut elsewhere).await), "draining");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_seen_when_the_last_one_leaves() {
        let journal = Arc::new(Journal::default());
        journal.deserted().await;
        let (one, other) = (journal.listen(None).unwrap(), journal.listen(None).unwrap());
        let waiting = Arc::clone(&journal);
        let mut waiting = tokio::spawn(async move { waiting.deserted().await });
        drop(one);
        let hour = std::time::Duration::from_secs(3600);
        let still = tokio::time::timeout(hour, &mut waiting).await;
        assert!(still.is_err(), "the other one is there");
        drop(other);
        waiting.await.unwrap();
    }

    #[test]
    fn listeners_are_few_and_places_are_given_back() {
        let journal = Arc::new(Journal::default());
        let mut listeners: Vec<_> = (0..MAX_LISTENERS)
            .map(|_| journal.listen(None).unwrap())
            .collect();
        assert_eq!(journal.listen(None).err(), Some(TooManyListeners));
        listeners.pop();
        assert!(journal.listen(None).is_ok());
    }
}
