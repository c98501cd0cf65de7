//! When a byte of a plain request last moved, in either direction and on either leg: `limits.http_timeout`.
//!
//! The client's byte stream and the upstream's each store when they last moved bytes. Waiting compares that with the
//! time, at most once per timeout, so that a byte that moves costs one store and sets no timer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep_until;

use super::clock::Clock;
use crate::time::Time;

/// When one byte stream last moved bytes.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    clock: Clock,
    last: Arc<AtomicU64>,
}

impl Moved {
    pub(crate) fn new(clock: Clock) -> Self {
        let last = Arc::new(AtomicU64::new(clock.now().micros()));
        Moved { clock, last }
    }

    /// Bytes moved.
    pub(crate) fn note(&self) {
        self.last
            .store(self.clock.now().micros(), Ordering::Relaxed);
    }

    fn last(&self) -> Time {
        Time::from_micros(self.last.load(Ordering::Relaxed))
    }
}

/// A byte stream that notes when it moves bytes.
pub(crate) struct Noted<S> {
    stream: S,
    moved: Moved,
}

impl<S> Noted<S> {
    pub(crate) fn new(stream: S, clock: Clock) -> Self {
        let moved = Moved::new(clock);
        Noted { stream, moved }
    }

    pub(crate) fn moved(&self) -> &Moved {
        &self.moved
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    fn note_written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.moved.note();
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            this.moved.note();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.note_written(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.note_written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Waits until nothing has moved on any of `streams` for `limit`; for ever without one. `streams` is
/// called anew each time, because the upstream's stream is not known from the beginning.
pub(crate) async fn stalled(limit: Option<Duration>, streams: impl Fn() -> Vec<Moved>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    loop {
        let streams = streams();
        let Some(last) = streams.iter().max_by_key(|moved| moved.last()) else {
            return;
        };
        let end = last.last().after(limit);
        if last.clock.now() >= end {
            return;
        }
        match last.clock.instant(end) {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests;
