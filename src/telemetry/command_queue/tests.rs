//! A model of the queue: loom runs two threads through every order of their steps.

use std::task::Poll;

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;

/// What `queue.rs` imports from `super::sync`, in loom's version.
mod sync {
    pub(super) use loom::sync::Mutex;
    pub(super) use loom::sync::atomic::{AtomicBool, Ordering};
}

mod modelled {
    include!("queue.rs");
}

use modelled::Queue;

/// The task polls as the relay does: at its first poll and whenever there are commands it takes them, and it sleeps in
/// between. A wake-up that is lost leaves it asleep for ever, which loom reports as a deadlock.
#[test]
fn a_task_is_woken_for_every_command_in_every_order_of_events() {
    loom::model(|| {
        let queue = Arc::new(Queue::default());
        let sender = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                queue.send(1);
                queue.send(2);
            }
        });
        let mut taken = Vec::new();
        let mut is_first_poll = true;
        block_on(std::future::poll_fn(|cx| {
            if std::mem::take(&mut is_first_poll) || queue.has_items() {
                taken.extend(queue.take(cx.waker()));
            }
            match taken.len() {
                2 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }));
        assert_eq!(taken, [1, 2]);
        sender.join().unwrap();
    });
}
