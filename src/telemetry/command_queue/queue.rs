// A queue with one consumer, a task, that looks for items at every poll and is woken by a new one.
//
// The task's way with nothing to do is one load of `has_items`. The flag changes only under the lock, so
// that it says after each `send` and `take` whether there are items. `send` removes the waker that it wakes: the task is
// woken once, takes everything, and leaves its waker again. No waker therefore means that the task has been woken and
// has not taken yet. (These are no inner doc comments because the model test includes this file.)

use std::sync::PoisonError;
use std::task::Waker;

use super::sync::{AtomicBool, Mutex, Ordering};

#[derive(Debug)]
pub(crate) struct Queue<T> {
    has_items: AtomicBool,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    items: Vec<T>,
    consumer: Option<Waker>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue {
            has_items: AtomicBool::new(false),
            state: Mutex::new(State {
                items: Vec::new(),
                consumer: None,
            }),
        }
    }
}

impl<T> Queue<T> {
    pub(crate) fn send(&self, item: T) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.items.push(item);
        self.has_items.store(true, Ordering::Release);
        let consumer = state.consumer.take();
        drop(state);
        if let Some(consumer) = consumer {
            consumer.wake();
        }
    }

    /// Everything that was sent. The task is woken by what is sent later.
    pub(crate) fn take(&self, consumer: &Waker) -> Vec<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.consumer = Some(consumer.clone());
        self.has_items.store(false, Ordering::Release);
        std::mem::take(&mut state.items)
    }

    pub(crate) fn has_items(&self) -> bool {
        self.has_items.load(Ordering::Acquire)
    }
}
