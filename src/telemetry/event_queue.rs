//! The events that wait for one subscriber of the event stream: a bounded queue.
//!
//! When the queue is full, events are dropped and counted until the subscriber has read everything that was queued
//! before. A slow subscriber therefore sees one gap with its size, in the place where the events are missing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::events::EventKind;
use super::lock::lock;
use crate::session::Cause;

/// The most events that are queued for one subscriber.
pub const MAX_QUEUED: usize = 256;

/// An event as it was logged.
#[derive(Debug)]
pub struct Entry {
    /// The number of the event, counted from 1.
    pub id: u64,
    /// Which event it is.
    pub kind: EventKind,
    /// Why a connection ended; `None` for other events.
    pub cause: Option<Cause>,
    /// The log line as a JSON object, without a newline.
    pub line: Box<str>,
}

/// What a subscriber receives.
#[derive(Debug)]
pub enum Message {
    /// An event.
    Event(Arc<Entry>),
    /// So many events in a row did not fit into the queue.
    Dropped(u64),
    /// There will be no more events.
    End,
}

#[derive(Debug)]
pub(super) struct EventQueue {
    /// The events that the subscriber asked for; `None` is all of them.
    kinds: Option<Vec<EventKind>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queued: VecDeque<Arc<Entry>>,
    /// Events that came after the queued ones.
    dropped: u64,
    has_ended: bool,
    waker: Option<Waker>,
}

impl EventQueue {
    pub(super) fn new(kinds: Option<Vec<EventKind>>) -> Self {
        EventQueue {
            kinds,
            state: Mutex::default(),
        }
    }

    pub(super) fn wants(&self, kind: EventKind) -> bool {
        let kinds = self.kinds.as_ref();
        kinds.is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Returns false if the event was dropped.
    pub(super) fn push(&self, entry: &Arc<Entry>) -> bool {
        let mut state = lock(&self.state);
        if state.dropped > 0 || state.queued.len() >= MAX_QUEUED {
            state.dropped += 1;
            return false;
        }
        state.queued.push_back(Arc::clone(entry));
        wake(state.waker.take());
        true
    }

    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Message> {
        let mut state = lock(&self.state);
        if let Some(entry) = state.queued.pop_front() {
            return Poll::Ready(Message::Event(entry));
        }
        match std::mem::take(&mut state.dropped) {
            0 => {}
            dropped => return Poll::Ready(Message::Dropped(dropped)),
        }
        if state.has_ended {
            return Poll::Ready(Message::End);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn end(&self) {
        let mut state = lock(&self.state);
        state.has_ended = true;
        wake(state.waker.take());
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
