//! The byte streams that are relayed.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{SockRef, Socket, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A stream that can be ended so that the peer notices the loss.
pub trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Makes dropping this stream reset the connection instead of ending it in good order.
    fn reset_on_drop(&self);

    /// Has the system keep a peer that accepts nothing for as long as `limits.write_stall_timeout` does.
    fn tolerate(&self, write_stall_timeout: Option<Duration>);

    /// Whether the system has bytes to read, or takes bytes: what tokio knows only after its next look.
    fn is_ready(&self, to_read: bool, to_write: bool) -> bool;
}

/// How long the system waits for a peer to acknowledge or accept anything, unless the sidecar has more patience.
const USER_TIMEOUT: Duration = Duration::from_secs(120);
/// How much more patient than the sidecar, which says why a connection ended, the system is at least.
const MARGIN: Duration = Duration::from_secs(30);

/// TCP_USER_TIMEOUT under a limit; none: the system's own patience.
pub(super) fn user_timeout(write_stall_timeout: Option<Duration>) -> Option<Duration> {
    write_stall_timeout.map(|limit| USER_TIMEOUT.max(limit + MARGIN))
}

/// A connection to a client or to a backend.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

/// TCP_NODELAY, keepalive and TCP_USER_TIMEOUT: on a socket that is dialled, and on a listening one for those that it
/// accepts. A socket that refuses one of them still works.
pub(super) fn tune(socket: &Socket) {
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
        if let Stream::Tcp(stream) = self {
            // A socket that cannot linger is closed in good order, which is all there is left to do.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    fn is_ready(&self, to_read: bool, to_write: bool) -> bool {
        let mut events = PollFlags::empty();
        events.set(PollFlags::IN, to_read);
        events.set(PollFlags::OUT, to_write);
        let mut sockets = [match self {
            Stream::Tcp(stream) => PollFd::new(stream, events),
            Stream::Unix(stream) => PollFd::new(stream, events),
        }];
        // Where the system does not say, tokio's word has to do.
        poll(&mut sockets, Some(&Timespec::default())).is_ok()
            && sockets[0].revents().intersects(events)
    }

    fn tolerate(&self, write_stall_timeout: Option<Duration>) {
        if let Stream::Tcp(stream) = self {
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
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ends of a connection.
    async fn connected() -> (Stream, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await;
        (
            Stream::Tcp(listener.accept().await.unwrap().0),
            peer.unwrap(),
        )
    }

    #[tokio::test]
    async fn the_system_itself_says_what_a_socket_is_ready_for() {
        let (stream, peer) = connected().await;
        let Stream::Tcp(tcp) = &stream else {
            panic!("{stream:?}")
        };
        assert!(!stream.is_ready(true, false), "nothing came");
        assert!(stream.is_ready(false, true), "nothing waits");
        peer.writable().await.unwrap();
        peer.try_write(b"x").unwrap();
        tcp.readable().await.unwrap();
        assert!(stream.is_ready(true, false));
        // A reset is told to everybody, and is no news to one who waits for neither: nobody would wake him.
        assert_eq!(tcp.try_read(&mut [0; 2]).unwrap(), 1);
        SockRef::from(&peer)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(peer);
        tcp.readable().await.unwrap();
        assert!(!stream.is_ready(false, false));
    }

    #[tokio::test]
    async fn the_systems_patience_is_set_on_the_socket() {
        let (stream, _peer) = connected().await;
        let Stream::Tcp(tcp) = &stream else {
            panic!("{stream:?}")
        };
        let set = || SockRef::from(tcp).tcp_user_timeout().unwrap();
        stream.tolerate(Some(Duration::from_secs(300)));
        assert_eq!(set(), Some(Duration::from_secs(330)));
        stream.tolerate(None);
        assert_eq!(set().unwrap_or_default(), Duration::ZERO);
    }

    #[test]
    fn the_system_is_more_patient_than_the_sidecar() {
        let seconds = Duration::from_secs;
        assert_eq!(user_timeout(Some(seconds(30))), Some(seconds(120)));
        assert_eq!(user_timeout(Some(seconds(300))), Some(seconds(330)));
        assert_eq!(user_timeout(None), None);
    }
}
