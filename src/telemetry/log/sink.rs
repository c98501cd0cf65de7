//! A bounded buffer of lines that a thread of its own writes to stdout, so that a reader that stalls stdout stalls nothing
//! else.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, mem, thread};

/// The most bytes that are buffered; further lines are dropped and counted.
const MAX_WAITING_BYTES: usize = 4 * 1024 * 1024;
/// The largest buffer that is kept after a burst.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// Dropped lines since the process began.
pub(super) static DROPPED: AtomicU64 = AtomicU64::new(0);

/// The writing end. The thread ends when this is dropped.
pub(super) struct Sink {
    shared: Arc<Shared>,
    max_waiting_bytes: usize,
}

struct Shared {
    state: Mutex<State>,
    /// Notified when there is something to write, and when everything has been written.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    dropped_lines: u64,
    is_writing: bool,
    /// The last write failed.
    is_broken: bool,
    is_closed: bool,
}

impl Sink {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// The thread cannot be started.
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
        let for_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_out(&for_thread, out))?;
        Ok(Sink {
            shared,
            max_waiting_bytes,
        })
    }

    /// Buffers a whole line with its newline. Never waits: a line that does not fit is dropped and counted, and
    /// `notice` with the count is written before the next line that fits.
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

    /// Waits until everything is written, but no longer than `timeout`: a stalled stdout must not keep the process alive.
    /// Returns whether everything was written.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        let state = self.shared.lock();
        let is_busy = |state: &mut State| !state.waiting.is_empty() || state.is_writing;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, timeout, is_busy);
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
    /// A poisoned lock is as good as any other: nothing panics while the state is half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for lines and moves them into `batch`. `written` says whether the last batch was written. Returns false when
    /// the sink is closed.
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
        // A failure (a broken pipe, a full disk) cannot be logged. The next write may succeed.
        written = out.write_all(&batch).and_then(|()| out.flush()).is_ok();
        batch.clear();
        batch.shrink_to(MAX_KEPT_BYTES);
    }
}

#[cfg(test)]
mod tests;
