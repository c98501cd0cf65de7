//! Events for readers outside the process: the stream of events, and the records of connections that have ended.
//!
//! The hub exists only while the admin listener does, because nobody else can ask for what it keeps. Publishing takes
//! one lock until every subscriber has the event: ids are therefore in the same order in every queue and in the list of
//! closed connections.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::event_queue::{Entry, EventQueue, Message};
use super::events::{EventKind, LifecycleEvent};
use super::lock::lock;
use super::log;
use crate::session::Cause;

/// The most records of closed connections that are kept; the oldest are removed first.
pub const MAX_CLOSED: usize = 1000;
/// The most subscribers at a time.
pub const MAX_SUBSCRIBERS: usize = 32;

/// The subscribers, and the newest closing records.
#[derive(Debug, Default)]
pub struct EventHub {
    published: Mutex<Published>,
    subscribers: Mutex<Vec<Arc<EventQueue>>>,
    /// Notified when a subscriber is removed.
    unsubscribed: Notify,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Published {
    last_id: u64,
    /// The newest first.
    closed: VecDeque<Arc<Entry>>,
}

/// There are [`MAX_SUBSCRIBERS`] already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManySubscribers;

impl EventHub {
    /// Whether the event would be kept or reach a subscriber.
    pub(super) fn is_wanted(&self, event: &LifecycleEvent<'_>) -> bool {
        event.cause().is_some() || self.is_followed(event.kind())
    }

    fn is_followed(&self, kind: EventKind) -> bool {
        kind.is_streamed()
            && lock(&self.subscribers)
                .iter()
                .any(|queue| queue.wants(kind))
    }

    /// `fields` is the event's record as the text of a JSON object.
    pub(super) fn publish(&self, time: SystemTime, event: &LifecycleEvent<'_>, fields: &str) {
        let (kind, cause) = (event.kind(), event.cause());
        let line = log::json_line(time, event.level(), kind.name(), fields).into();
        self.store(kind, cause, line);
    }

    fn store(&self, kind: EventKind, cause: Option<Cause>, line: Box<str>) {
        let mut published = lock(&self.published);
        published.last_id += 1;
        let entry = Arc::new(Entry {
            id: published.last_id,
            kind,
            cause,
            line,
        });
        if cause.is_some() {
            published.closed.truncate(MAX_CLOSED - 1);
            published.closed.push_front(Arc::clone(&entry));
        }
        for queue in lock(&self.subscribers).iter() {
            if queue.wants(kind) && !queue.push(&entry) {
                self.dropped.fetch_add(1, Relaxed);
            }
        }
    }

    /// The records of connections that have ended, the newest first.
    #[must_use]
    pub fn closed(&self) -> Vec<Arc<Entry>> {
        lock(&self.published).closed.iter().cloned().collect()
    }

    /// Subscribes to these events; `None` is all of them.
    ///
    /// # Errors
    /// There are too many subscribers.
    pub fn subscribe(
        self: &Arc<Self>,
        kinds: Option<Vec<EventKind>>,
    ) -> Result<Subscriber, TooManySubscribers> {
        let mut subscribers = lock(&self.subscribers);
        if subscribers.len() >= MAX_SUBSCRIBERS {
            return Err(TooManySubscribers);
        }
        let queue = Arc::new(EventQueue::new(kinds));
        subscribers.push(Arc::clone(&queue));
        let hub = Arc::clone(self);
        Ok(Subscriber { queue, hub })
    }

    fn remove(&self, queue: &Arc<EventQueue>) {
        lock(&self.subscribers).retain(|other| !Arc::ptr_eq(other, queue));
        self.unsubscribed.notify_waiters();
    }

    /// Waits until there are no subscribers.
    pub(super) async fn no_subscribers(&self) {
        loop {
            let unsubscribed = self.unsubscribed.notified();
            if lock(&self.subscribers).is_empty() {
                return;
            }
            unsubscribed.await;
        }
    }

    /// Ends every subscription after the events that are queued for it.
    pub(super) fn end(&self) {
        for queue in lock(&self.subscribers).drain(..) {
            queue.end();
        }
    }

    /// How many events subscribers have missed because they read too slowly.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

/// One subscription, which ends when this is dropped.
#[derive(Debug)]
pub struct Subscriber {
    queue: Arc<EventQueue>,
    hub: Arc<EventHub>,
}

impl Subscriber {
    /// The next message.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Message> {
        self.queue.poll_next(cx)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.hub.remove(&self.queue);
    }
}

#[cfg(test)]
mod tests;
