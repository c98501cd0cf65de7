//! A backend's byte stream for hyper, which does not lose answers that come early.
//!
//! A backend may answer before it has read the whole request, and close: 413 to an upload, or 503 to everybody. Its
//! system then resets the connection, so writing fails while the answer is in the receive buffer. hyper would report
//! the failed write and never read the answer. So here a failed write succeeds, and whatever is written afterwards is
//! discarded; hyper reads on, and finds the answer, or the end of the stream, which it reports.
//!
//! For the same reason, bytes that come before the request are held back until the request is being written: hyper
//! takes an answer without a request for an error.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a stream that fails to be written may bring nothing before it counts as ended. Over TCP the end follows at
/// once; a Unix socket whose peer has ended only its reading would leave an upload to be discarded for ever.
const GRACE: Duration = Duration::from_secs(10);

/// How many bytes are held back. More before a request is no answer.
const MAX_EARLY: usize = 4 * 1024;

pub(crate) struct UpstreamIo<S> {
    stream: S,
    writing: Writing,
    /// What came before the request.
    early: BytesMut,
}

enum Writing {
    /// Nothing has been written yet.
    NotBegun,
    Works,
    Failed(Failed),
}

/// A write has failed.
struct Failed {
    /// By this time reading ends, too.
    end: Pin<Box<Sleep>>,
    has_yielded: bool,
}

impl Failed {
    fn new() -> Self {
        Failed {
            end: Box::pin(sleep(GRACE)),
            has_yielded: false,
        }
    }

    /// Discards as many bytes, but only every other time: hyper writes on for as long as it can, and is to read in
    /// between.
    fn discard(&mut self, cx: &mut Context<'_>, len: usize) -> Poll<io::Result<usize>> {
        self.has_yielded = !self.has_yielded;
        if self.has_yielded {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(len))
    }
}

impl<S> UpstreamIo<S> {
    pub(crate) fn new(stream: S) -> Self {
        UpstreamIo {
            stream,
            writing: Writing::NotBegun,
            early: BytesMut::new(),
        }
    }

    pub(crate) fn get_ref(&self) -> &S {
        &self.stream
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// The result of a write that hyper sees.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let is_first = matches!(self.writing, Writing::NotBegun);
        match written {
            Poll::Ready(Err(_)) => {
                let mut failed = Failed::new();
                let discarded = failed.discard(cx, len);
                self.writing = Writing::Failed(failed);
                return discarded;
            }
            Poll::Ready(Ok(_)) | Poll::Pending if is_first => {
                self.writing = Writing::Works;
                if !self.early.is_empty() {
                    // Reading has waited for this.
                    cx.waker().wake_by_ref();
                }
            }
            Poll::Ready(Ok(_)) | Poll::Pending => {}
        }
        written
    }
}

impl<S: AsyncRead + Unpin> UpstreamIo<S> {
    /// Reads before anything has been written: the end, or an error, is passed on, unless bytes came before it.
    fn poll_read_early(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let begin = buf.filled().len();
        while self.early.len() < MAX_EARLY {
            match Pin::new(&mut self.stream).poll_read(cx, buf) {
                Poll::Ready(Ok(())) if buf.filled().len() > begin => {
                    self.early.extend_from_slice(&buf.filled()[begin..]);
                    buf.set_filled(begin);
                }
                ended @ Poll::Ready(_) if self.early.is_empty() => return ended,
                Poll::Ready(_) | Poll::Pending => return Poll::Pending,
            }
        }
        self.take_early(buf);
        Poll::Ready(Ok(()))
    }

    fn take_early(&mut self, buf: &mut ReadBuf<'_>) {
        let len = self.early.len().min(buf.remaining());
        buf.put_slice(&self.early[..len]);
        self.early.advance(len);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for UpstreamIo<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if matches!(this.writing, Writing::NotBegun) {
            return this.poll_read_early(cx, buf);
        }
        if !this.early.is_empty() {
            this.take_early(buf);
            return Poll::Ready(Ok(()));
        }
        let begin = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        let Writing::Failed(failed) = &mut this.writing else {
            return read;
        };
        if read.is_pending() {
            return failed.end.as_mut().poll(cx).map(Ok);
        }
        if buf.filled().len() > begin {
            failed.end.as_mut().reset(Instant::now() + GRACE);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for UpstreamIo<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Writing::Failed(failed) = &mut this.writing {
            return failed.discard(cx, buf.len());
        }
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.written(cx, buf.len(), written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let len = bufs.iter().map(|buf| buf.len()).sum();
        if let Writing::Failed(failed) = &mut this.writing {
            return failed.discard(cx, len);
        }
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.written(cx, len, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.writing {
            Writing::Failed(_) => Poll::Ready(Ok(())),
            _ => Pin::new(&mut this.stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.writing {
            Writing::Failed(_) => Poll::Ready(Ok(())),
            _ => Pin::new(&mut this.stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
