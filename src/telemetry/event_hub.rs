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
mod tests;
