//! Write deadlines for clients that do not read their answers.
//!
//! Without a limit, a client that stops reading would hold its answer and its place for as long as it likes. It has some
//! seconds to read anything at all, and a minute to read everything that was written, so that reading a byte now and
//! then does not help. An answer that streams events is blocked only while its client is behind.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::Activity;

/// How long a client may read nothing while bytes wait for it.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may need to read everything that waits.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(60);

/// A stream whose writes have deadlines, and whose activity others see.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    /// Exists while the client is behind.
    behind: Option<Behind>,
    /// The client has shut down its sending side.
    ended: bool,
}

#[derive(Debug)]
struct Behind {
    since: Instant,
    deadline: Pin<Box<Sleep>>,
}

impl Behind {
    fn new() -> Self {
        let since = Instant::now();
        let deadline = Box::pin(sleep_until(since + READ_TIMEOUT));
        Behind { since, deadline }
    }

    fn moved(&mut self) {
        let deadline = (Instant::now() + READ_TIMEOUT).min(self.since + CATCH_UP_TIMEOUT);
        self.deadline.as_mut().reset(deadline);
    }
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Watched {
            stream,
            activity,
            behind: None,
            ended: false,
        }
    }

    /// Applies the deadline to the result of a write.
    fn check_deadline(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            if let Some(behind) = &mut self.behind {
                behind.moved();
            }
            return written;
        }
        let behind = self.behind.get_or_insert_with(|| {
            self.activity.set_blocked(true);
            Behind::new()
        });
        ready!(behind.deadline.as_mut().poll(cx));
        let what = "the client does not read its answer";
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, what)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ended {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            this.ended = buf.filled().len() == before && buf.remaining() > 0;
        }
        // hyper takes the end of a client's sending side for its departure and would drop the answer that is being made
        // for it. It reads again when the answer has been sent.
        match this.ended && this.activity.is_answering() {
            true => Poll::Pending,
            false => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.check_deadline(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.check_deadline(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when all that it had was written.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.behind.take().is_some() {
            this.activity.set_blocked(false);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
