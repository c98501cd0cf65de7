//! File descriptors kept in reserve. Without a free one the process could accept no connection; an unanswered probe
//! would get it killed, and with it all the clients that use up the descriptors.
//!
//! A spare file is closed when an accept fails for want of one, which makes room for one connection. The file of a
//! connection that ends is not closed while a spare is missing but becomes the spare, because what is closed may be
//! another thread's in the next moment.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::stream::Stream;

/// For one listener: a probe may arrive while another one is answered.
const SPARES: usize = 2;

#[derive(Clone, Debug, Default)]
pub(super) struct Spares(Arc<Mutex<Vec<OwnedFd>>>);

impl Spares {
    /// Takes what is missing from the files that are free.
    pub(super) fn fill(&self) {
        let mut files = self.lock();
        while files.len() < SPARES
            && let Ok(file) = UnixDatagram::unbound()
        {
            files.push(file.into());
        }
    }

    /// Gives one back to the system. False: there is none.
    pub(super) fn spend(&self) -> bool {
        self.lock().pop().is_some()
    }

    fn keep(&self, stream: Stream) {
        let mut files = self.lock();
        if files.len() < SPARES
            && let Ok(file) = stream.into_ended_file()
        {
            files.push(file);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OwnedFd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection whose file becomes a spare one at the end, if one is missing.
#[derive(Debug)]
pub(super) struct Lent {
    /// None only while it is dropped.
    stream: Option<Stream>,
    spares: Spares,
}

impl Lent {
    pub(super) fn new(stream: Stream, spares: Spares) -> Self {
        let stream = Some(stream);
        Lent { stream, spares }
    }

    fn poll<T>(
        self: Pin<&mut Self>,
        poll: impl FnOnce(Pin<&mut Stream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut self.get_mut().stream {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(ErrorKind::NotConnected.into())),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.spares.keep(stream);
        }
    }
}

impl AsyncRead for Lent {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Lent {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests;
