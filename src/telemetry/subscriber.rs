//! One who listens to events: a queue that is bounded, and says what did not fit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::events::EventKind;
use super::registry::lock;
use super::{Entry, EventHub};

/// Events that wait for one subscriber.
pub const MAX_QUEUED: usize = 256;

/// What a subscriber hears.
#[derive(Debug)]
pub enum Message {
    /// An event.
    Event(Arc<Entry>),
    /// This many events in a row did not fit into the queue.
    Dropped(u64),
    /// The process ends.
    End,
}

/// What waits for a subscriber.
#[derive(Debug)]
pub(super) struct Queue {
    /// `None`: all of them.
    events: Option<Vec<EventKind>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<Entry>>,
    /// Behind those that wait.
    dropped: u64,
    ended: bool,
    waker: Option<Waker>,
}

impl Queue {
    pub(super) fn new(events: Option<Vec<EventKind>>) -> Self {
        Queue {
            events,
            state: Mutex::default(),
        }
    }

    pub(super) fn wants(&self, kind: EventKind) -> bool {
        self.events
            .as_ref()
            .is_none_or(|events| events.contains(&kind))
    }

    /// False: there is no room. Once something was dropped, more is until the subscriber has caught up, so that a gap is
    /// one gap.
    pub(super) fn push(&self, entry: &Arc<Entry>) -> bool {
        let mut state = lock(&self.state);
        if state.dropped > 0 || state.waiting.len() >= MAX_QUEUED {
            state.dropped += 1;
            return false;
        }
        state.waiting.push_back(Arc::clone(entry));
        wake(state.waker.take());
        true
    }

    pub(super) fn end(&self) {
        let mut state = lock(&self.state);
        state.ended = true;
        wake(state.waker.take());
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The end of the queue that is message; leaves when it is dropped.
#[derive(Debug)]
pub struct Subscriber {
    queue: Arc<Queue>,
    hub: Arc<EventHub>,
}

impl Subscriber {
    pub(super) fn new(queue: Arc<Queue>, hub: Arc<EventHub>) -> Self {
        Subscriber { queue, hub }
    }

    /// The next thing to hear.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Message> {
        let mut state = lock(&self.queue.state);
        if let Some(entry) = state.waiting.pop_front() {
            return Poll::Ready(Message::Event(entry));
        }
        match std::mem::take(&mut state.dropped) {
            0 => {}
            dropped => return Poll::Ready(Message::Dropped(dropped)),
        }
        if state.ended {
            return Poll::Ready(Message::End);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.hub.remove(&self.queue);
    }
}
