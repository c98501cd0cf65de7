//! Mail for a connection's task, which looks for it at every poll and is woken by it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::oneshot;

use super::registry::lock;
use crate::protocol::Close;
use crate::session::policy::Policy;
use crate::session::{Cause, Leg};

/// What a connection's task can be told.
#[derive(Debug)]
pub enum Command {
    /// Follow this policy from now on.
    Follow(Arc<Policy>),
    /// Close in an orderly way.
    Terminate {
        /// [`Cause::Killed`] or [`Cause::Drained`].
        cause: Cause,
        /// What the client is sent.
        close: Close,
        /// For people.
        detail: String,
    },
    /// Ping a leg now, whatever its heartbeat is set to, and measure the round trip.
    Ping {
        /// Which.
        leg: Leg,
        /// Gets the round trip; is dropped when the connection ends, or is ending already.
        answer: oneshot::Sender<Duration>,
    },
    /// Time is up: end both legs now, whatever is still on its way.
    Abort,
}

/// What a connection's task has been told and not read yet.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    /// Changed under the lock only.
    has_mail: AtomicBool,
    mail: Mutex<Mail>,
}

/// No reader means that there is mail: whoever took the reader away wakes it.
#[derive(Debug, Default)]
struct Mail {
    commands: Vec<Command>,
    reader: Option<Waker>,
}

impl Mailbox {
    pub(super) fn send(&self, command: Command) {
        let mut mail = lock(&self.mail);
        mail.commands.push(command);
        self.has_mail.store(true, Ordering::Release);
        let reader = mail.reader.take();
        drop(mail);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// For the task, which is woken by mail that comes later.
    pub(super) fn take(&self, reader: &Waker) -> Vec<Command> {
        let mut mail = lock(&self.mail);
        mail.reader = Some(reader.clone());
        self.has_mail.store(false, Ordering::Release);
        std::mem::take(&mut mail.commands)
    }

    pub(super) fn has_mail(&self) -> bool {
        self.has_mail.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// A task as a runtime sees it: woken or not.
    #[derive(Default)]
    struct Woken(AtomicBool);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    /// What lets two threads take turns without sleeping.
    #[derive(Default)]
    struct Turns(AtomicUsize);

    impl Turns {
        fn next(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }

        fn wait_for(&self, turn: usize) {
            while self.0.load(Ordering::SeqCst) < turn {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn mail_wakes_its_reader_whenever_the_mail_before_it_was_read() {
        const ROUNDS: usize = 20_000;
        let mailbox = Arc::new(Mailbox::default());
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        assert!(mailbox.take(&waker).is_empty());
        let (asked, sent) = (Arc::new(Turns::default()), Arc::new(Turns::default()));
        let sender = std::thread::spawn({
            let (mailbox, asked, sent) =
                (Arc::clone(&mailbox), Arc::clone(&asked), Arc::clone(&sent));
            move || {
                for turn in 1..=2 * ROUNDS {
                    asked.wait_for(turn);
                    mailbox.send(Command::Abort);
                    sent.next();
                }
            }
        });
        let mut lost = 0;
        for round in 0..ROUNDS {
            // The first is read while it is being sent, by a poll that has another reason.
            asked.next();
            let mut looked = 0;
            while !mailbox.has_mail() {
                looked += 1;
                // On a single core the sender gets nowhere while this one looks.
                match looked % 1000 {
                    0 => std::thread::yield_now(),
                    _ => std::hint::spin_loop(),
                }
            }
            assert_eq!(mailbox.take(&waker).len(), 1);
            sent.wait_for(2 * round + 1);
            // The poll that the first has asked for, if there is one to do.
            woken.0.store(false, Ordering::SeqCst);
            if mailbox.has_mail() {
                mailbox.take(&waker);
            }
            asked.next();
            sent.wait_for(2 * round + 2);
            lost += usize::from(!woken.0.load(Ordering::SeqCst));
            assert_eq!(mailbox.take(&waker).len(), 1);
        }
        sender.join().unwrap();
        assert_eq!(lost, 0, "of {ROUNDS}");
    }
}
