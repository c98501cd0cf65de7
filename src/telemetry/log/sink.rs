//! Where lines go: a bounded buffer that a thread of its own writes out, so that a stalled stdout stalls nobody else.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, mem, thread};

/// The most bytes that wait to be written; lines past it are dropped and counted.
const MAX_WAITING_BYTES: usize = 4 * 1024 * 1024;
/// The most buffer that is kept once a burst is over.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// Lines that were dropped since the process began.
pub(super) static DROPPED: AtomicU64 = AtomicU64::new(0);

/// The end of the buffer that lines are put into; the thread ends when this is dropped.
pub(super) struct Sink {
    shared: Arc<Shared>,
    max_waiting_bytes: usize,
}

struct Shared {
    state: Mutex<State>,
    /// Told when there is something to write, and when everything has been written.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    dropped_lines: u64,
    is_writing: bool,
    /// The last try to write failed.
    is_broken: bool,
    is_closed: bool,
}

impl Sink {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<Sink> {
        Sink::with_capacity(out, MAX_WAITING_BYTES)
    }

    fn with_capacity(
        out: impl Write + Send + 'static,
        max_waiting_bytes: usize,
    ) -> io::Result<Sink> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let of_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_out(&of_thread, out))?;
        Ok(Sink {
            shared,
            max_waiting_bytes,
        })
    }

    /// Takes a whole line with its newline. Never waits for the writer: a line that has no room is counted, and
    /// `notice` of that count goes in front of the first line that has room again.
    pub(super) fn append(&self, line: &[u8], notice: impl FnOnce(u64) -> Vec<u8>) {
        let mut state = self.shared.lock();
        let notice = if state.dropped_lines > 0 {
            notice(state.dropped_lines)
        } else {
            Vec::new()
        };
        if state.waiting.len() + notice.len() + line.len() > self.max_waiting_bytes {
            state.dropped_lines += 1;
            DROPPED.fetch_add(1, Relaxed);
            return;
        }
        state.dropped_lines = 0;
        state.waiting.extend_from_slice(&notice);
        state.waiting.extend_from_slice(line);
        self.shared.changed.notify_all();
    }

    /// Waits until everything is written, but no longer than this: a stalled stdout must not keep a process alive.
    /// Whether it is written.
    pub(super) fn flush(&self, at_most: Duration) -> bool {
        let state = self.shared.lock();
        let is_busy = |state: &mut State| !state.waiting.is_empty() || state.is_writing;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, at_most, is_busy);
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out() && !state.is_broken
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// A poisoned lock is taken all the same: no step between two of the state's changes can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what waits into `batch`, after the one before was `written`; false at the end.
    fn take(&self, batch: &mut Vec<u8>, written: bool) -> bool {
        let mut state = self.lock();
        state.is_writing = false;
        state.is_broken = !written;
        self.changed.notify_all();
        while state.waiting.is_empty() {
            if state.is_closed {
                return false;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        mem::swap(&mut state.waiting, batch);
        state.is_writing = true;
        true
    }
}

fn write_out(shared: &Shared, mut out: impl Write) {
    let mut batch = Vec::new();
    let mut written = true;
    while shared.take(&mut batch, written) {
        // Nobody is left to be told that the log cannot be written (a broken pipe, a full disk); the next try may work.
        written = out.write_all(&batch).and_then(|()| out.flush()).is_ok();
        batch.clear();
        batch.shrink_to(MAX_KEPT_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A reader that takes one write each time it is allowed to, and tells what it took.
    struct Stalled {
        entered: mpsc::Sender<()>,
        allowed: mpsc::Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.entered.send(());
            let _ = self.allowed.recv();
            self.taken.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn notice(count: u64) -> Vec<u8> {
        format!("{count} dropped\n").into_bytes()
    }

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn a_stalled_writer_costs_lines_which_are_counted_once_at_the_gap() {
        let (entered, is_entered) = mpsc::channel();
        let (allow, allowed) = mpsc::channel();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let out = Stalled {
            entered,
            allowed,
            taken: Arc::clone(&taken),
        };
        let sink = Sink::with_capacity(out, 16).unwrap();

        sink.append(b"one\n", notice);
        is_entered.recv_timeout(PATIENCE).unwrap();
        sink.append(b"two\n", notice);
        sink.append(b"this has no room\n", |_| panic!("nothing was dropped yet"));
        for _ in 0..2 {
            sink.append(b"nor has this any room\n", notice);
        }
        allow.send(()).unwrap();
        is_entered.recv_timeout(PATIENCE).unwrap();
        sink.append(b"six\n", notice);
        sink.append(b"7\n", notice);
        drop(allow);
        assert!(sink.flush(PATIENCE));

        let taken = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        assert_eq!(taken, "one\ntwo\n3 dropped\nsix\n7\n");
    }

    #[test]
    fn flush_gives_up_on_a_stalled_writer() {
        let (entered, is_entered) = mpsc::channel();
        let (_allow, allowed) = mpsc::channel();
        let sink = Sink::start(Stalled {
            entered,
            allowed,
            taken: Arc::default(),
        })
        .unwrap();
        sink.append(b"one\n", notice);
        is_entered.recv_timeout(PATIENCE).unwrap();
        assert!(!sink.flush(Duration::from_millis(1)));
    }

    #[test]
    fn a_broken_pipe_is_survived() {
        struct Broken(mpsc::Sender<()>);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                let _ = self.0.send(());
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (tried, is_tried) = mpsc::channel();
        let sink = Sink::start(Broken(tried)).unwrap();
        for _ in 0..2 {
            sink.append(b"line\n", notice);
            is_tried.recv_timeout(PATIENCE).unwrap();
        }
        assert!(!sink.flush(PATIENCE), "nothing was written");
    }

    #[test]
    fn the_thread_ends_with_its_sink() {
        struct Out(#[expect(dead_code, reason = "held to see it dropped")] mpsc::Sender<()>);
        impl Write for Out {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (held, is_gone) = mpsc::channel();
        drop(Sink::start(Out(held)).unwrap());
        assert_eq!(
            is_gone.recv_timeout(PATIENCE),
            Err(mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
