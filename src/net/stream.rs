//! Byte streams: TCP and Unix sockets.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use tokio::net::{TcpStream, UnixStream};

use super::open_files::OpenFile;

/// What the relay needs of a stream.
pub trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Makes dropping this stream reset the connection instead of closing it in order.
    fn reset_on_drop(&self);

    /// Sets TCP_USER_TIMEOUT so that the system does not give a peer up before `limits.write_stall_timeout` does.
    fn set_user_timeout(&self, write_stall_timeout: Option<Duration>);

    /// Whether the kernel has bytes to read, or accepts bytes, even if tokio does not know yet.
    fn is_ready(&self, to_read: bool, to_write: bool) -> bool;
}

/// How long the system waits for a peer to acknowledge or accept anything, unless `write_stall_timeout` is longer.
const USER_TIMEOUT: Duration = Duration::from_secs(120);
/// How much longer than the sidecar the system waits at least, so that it is the sidecar that ends the connection, and
/// records why.
const MARGIN: Duration = Duration::from_secs(30);

/// The size of a read whose bytes are discarded.
const DISCARD: usize = 8 * 1024;

/// TCP_USER_TIMEOUT for a stall timeout; none for the system's default.
pub(crate) fn user_timeout(write_stall_timeout: Option<Duration>) -> Option<Duration> {
    write_stall_timeout.map(|limit| USER_TIMEOUT.max(limit + MARGIN))
}

/// A connection to a client or to a backend.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    /// Counts it for as long as it is open.
    file: Option<OpenFile>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Stream {
            socket: Socket::Tcp(stream),
            file: None,
        }
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Stream {
            socket: Socket::Unix(stream),
            file: None,
        }
    }
}

/// A connection that belongs to no runtime.
pub(crate) struct Detached {
    socket: DetachedSocket,
    file: Option<OpenFile>,
}

enum DetachedSocket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Detached {
    /// Registers it with the current runtime.
    pub(crate) fn attach(self) -> io::Result<Stream> {
        let socket = match self.socket {
            DetachedSocket::Tcp(stream) => TcpStream::from_std(stream).map(Socket::Tcp),
            DetachedSocket::Unix(stream) => UnixStream::from_std(stream).map(Socket::Unix),
        };
        let file = self.file;
        socket.map(|socket| Stream { socket, file })
    }
}

/// What a peer has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It sends nothing more; whether it still receives cannot be known.
    Sending,
    /// Everything: the connection was reset, failed, or was closed on both sides.
    Both,
}

impl Stream {
    /// Counts it as open until it is dropped.
    pub(crate) fn counted(mut self, file: OpenFile) -> Self {
        self.file = Some(file);
        self
    }

    /// Deregisters it from its runtime.
    pub(crate) fn detach(self) -> io::Result<Detached> {
        let socket = match self.socket {
            Socket::Tcp(stream) => stream.into_std().map(DetachedSocket::Tcp),
            Socket::Unix(stream) => stream.into_std().map(DetachedSocket::Unix),
        };
        let file = self.file;
        socket.map(|socket| Detached { socket, file })
    }

    /// Ends the connection, as closing it would, and keeps its file.
    pub(crate) fn into_ended_file(self) -> io::Result<OwnedFd> {
        Ok(match self.detach()?.socket {
            DetachedSocket::Tcp(stream) => {
                // A peer that has gone needs no end.
                let _ = stream.shutdown(Shutdown::Both);
                stream.into()
            }
            DetachedSocket::Unix(stream) => {
                let _ = stream.shutdown(Shutdown::Both);
                stream.into()
            }
        })
    }

    /// Has TCP connections tuned as those that listeners accept.
    pub(crate) fn tuned(self) -> Self {
        if let Socket::Tcp(stream) = &self.socket {
            tune(&SockRef::from(stream));
        }
        self
    }

    /// Waits until the peer has ended its side or both, whatever is unread: waiting to read would not notice
    /// the end behind unread bytes.
    pub(crate) async fn ended(&self) -> io::Result<Ended> {
        // On Linux, `PRIORITY` alone reports the end of reading, and not the arrival of bytes.
        let ready = self.ready(Interest::PRIORITY | Interest::ERROR).await?;
        if ready.is_error() {
            return Ok(Ended::Both);
        }
        // The end of reading stays, so that this returns at once.
        let both = self.ready(Interest::PRIORITY | Interest::WRITABLE).await?;
        Ok(match both.is_write_closed() {
            true => Ended::Both,
            false => Ended::Sending,
        })
    }

    /// Waits until the connection is reset or fails.
    pub(crate) async fn failed(&self) {
        // If waiting fails, so has the connection.
        let _ = self.ready(Interest::ERROR).await;
    }

    async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        match &self.socket {
            Socket::Tcp(stream) => stream.ready(interest).await,
            Socket::Unix(stream) => stream.ready(interest).await,
        }
    }

    /// Reads through a shared reference.
    pub(crate) fn poll_read_shared(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(match &self.socket {
                Socket::Tcp(stream) => stream.poll_read_ready(cx),
                Socket::Unix(stream) => stream.poll_read_ready(cx),
            })?;
            match self.try_read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Like tokio's own reads, one that does not fill the buffer counts as the last: that saves the read that would
    /// find nothing.
    fn try_read(&self, buf: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut is_read = false;
        let once = || {
            let read = match &self.socket {
                Socket::Tcp(stream) => stream.try_read_buf(buf),
                Socket::Unix(stream) => stream.try_read_buf(buf),
            }?;
            is_read = true;
            match read > 0 && buf.remaining() > 0 {
                true => Err(io::ErrorKind::WouldBlock.into()),
                false => Ok(()),
            }
        };
        let read = match &self.socket {
            Socket::Tcp(stream) => stream.try_io(Interest::READABLE, once),
            Socket::Unix(stream) => stream.try_io(Interest::READABLE, once),
        };
        if is_read { Ok(()) } else { read }
    }

    /// Writes through a shared reference.
    pub(crate) fn poll_write_shared(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(match &self.socket {
                Socket::Tcp(stream) => stream.poll_write_ready(cx),
                Socket::Unix(stream) => stream.poll_write_ready(cx),
            })?;
            match self.try_write(bufs) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    pub(crate) fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.socket {
            Socket::Tcp(stream) => stream.try_write_vectored(bufs),
            Socket::Unix(stream) => stream.try_write_vectored(bufs),
        }
    }

    /// Reads and discards until the peer has ended its side.
    pub(crate) async fn discard(&self) -> io::Result<()> {
        poll_fn(|cx| {
            loop {
                let mut bytes = [0; DISCARD];
                let mut read = ReadBuf::new(&mut bytes);
                ready!(self.poll_read_shared(cx, &mut read))?;
                if read.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await
    }

    /// For a connection that was just accepted and is not registered with the runtime: reads what the peer has sent
    /// already, and answers.
    pub(crate) fn discard_and_answer(&self, answer: &[u8]) -> io::Result<()> {
        let socket = match &self.socket {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        };
        let mut bytes = [0; DISCARD];
        match recv(socket, &mut bytes, RecvFlags::DONTWAIT) {
            Ok(_) | Err(Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        send(socket, answer, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Ends our sending side.
    pub(crate) fn shut_down(&self) -> io::Result<()> {
        match &self.socket {
            Socket::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Socket::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
        }
    }
}

/// TCP_NODELAY, keepalive and TCP_USER_TIMEOUT: on a socket that is dialled, and on a listening one for those that it
/// accepts. A socket that refuses one of them still works.
pub(crate) fn tune(socket: &socket2::Socket) {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    let tuned = socket
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_tcp_keepalive(&keepalive))
        .and_then(|()| socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
    if let Err(error) = tuned {
        tracing::debug!(event = "socket_option_refused", "{error}");
    }
}

impl Transport for Stream {
    fn reset_on_drop(&self) {
        if let Socket::Tcp(stream) = &self.socket {
            // If it cannot be set, the socket is closed in order instead.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    fn is_ready(&self, to_read: bool, to_write: bool) -> bool {
        let mut events = PollFlags::empty();
        events.set(PollFlags::IN, to_read);
        events.set(PollFlags::OUT, to_write);
        let mut sockets = [match &self.socket {
            Socket::Tcp(stream) => PollFd::new(stream, events),
            Socket::Unix(stream) => PollFd::new(stream, events),
        }];
        // If the system does not know, tokio is right.
        poll(&mut sockets, Some(&Timespec::default())).is_ok()
            && sockets[0].revents().intersects(events)
    }

    fn set_user_timeout(&self, write_stall_timeout: Option<Duration>) {
        if let Socket::Tcp(stream) = &self.socket {
            let socket = SockRef::from(stream);
            if let Err(error) = socket.set_tcp_user_timeout(user_timeout(write_stall_timeout)) {
                tracing::debug!(event = "socket_option_refused", "{error}");
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Socket::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Socket::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Socket::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socket::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
