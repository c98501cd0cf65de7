//! Sockets in memory that do whatever an input says: short reads and writes, none at all, errors, and ends at any time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::stream::Transport;

/// How the relay ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    InOrder,
    Reset,
}

/// Both directions of one connection.
pub(super) struct Socket {
    /// What the peer has sent and the network still has.
    under_way: VecDeque<u8>,
    /// What the peer has sent arrives only when the input says so.
    pub(super) delayed: bool,
    arrived: VecDeque<u8>,
    /// Nothing follows what has arrived.
    pub(super) fin: bool,
    /// What reading fails with once what has arrived has been read.
    pub(super) read_error: Option<ErrorKind>,
    /// What writing fails with.
    pub(super) write_error: Option<ErrorKind>,
    /// Writing takes nothing, and says that it did.
    pub(super) write_zero: bool,
    /// The most that one read gives, and that one write takes.
    pub(super) portion: usize,
    /// So many operations are told to come again at once.
    pub(super) stutter: u8,
    /// How much more the peer's window takes.
    room: usize,
    /// Ending our side takes until the input says otherwise.
    pub(super) shutdown_hangs: bool,
    pub(super) shut_down: bool,
    pub(super) ended: Option<Ended>,
    /// All that was ever written.
    pub(super) written: Vec<u8>,
    /// Operations that got anywhere, so that a poll which did nothing shows.
    pub(super) progress: u64,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What the input holds of a connection.
#[derive(Clone)]
pub(super) struct Shared(Rc<RefCell<Socket>>);

impl Shared {
    pub(super) fn new() -> Self {
        Shared(Rc::new(RefCell::new(Socket {
            under_way: VecDeque::new(),
            delayed: false,
            arrived: VecDeque::new(),
            fin: false,
            read_error: None,
            write_error: None,
            write_zero: false,
            portion: usize::MAX,
            stutter: 0,
            room: usize::MAX,
            shutdown_hangs: false,
            shut_down: false,
            ended: None,
            written: Vec::new(),
            progress: 0,
            reader: None,
            writer: None,
        })))
    }

    /// Changes something, and wakes whoever waits for that.
    pub(super) fn change(&self, change: impl FnOnce(&mut Socket)) {
        let mut socket = self.0.borrow_mut();
        change(&mut socket);
        if !socket.delayed {
            let all = std::mem::take(&mut socket.under_way);
            socket.arrived.extend(all);
        }
        let wakers = [socket.reader.take(), socket.writer.take()];
        drop(socket);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    pub(super) fn look<R>(&self, look: impl FnOnce(&Socket) -> R) -> R {
        look(&self.0.borrow())
    }
}

impl Socket {
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.under_way.extend(bytes);
    }

    pub(super) fn arrive(&mut self, len: usize) {
        let len = len.min(self.under_way.len());
        let bytes: Vec<u8> = self.under_way.drain(..len).collect();
        self.arrived.extend(bytes);
    }

    /// The peer's window closes.
    pub(super) fn stop_taking(&mut self) {
        self.room = 0;
    }

    pub(super) fn take(&mut self, len: usize) {
        self.room = self.room.saturating_add(len);
    }

    /// Nothing is in the way any more of what has not failed.
    pub(super) fn heal(&mut self) {
        self.delayed = false;
        self.portion = usize::MAX;
        self.stutter = 0;
        self.room = usize::MAX;
        self.shutdown_hangs = false;
    }

    /// Whether everything that the peer sent has been read.
    pub(super) fn is_read(&self) -> bool {
        self.under_way.is_empty() && self.arrived.is_empty()
    }

    /// Whether nothing has failed or ended that would keep the relay from reading and writing.
    pub(super) fn is_sound(&self) -> bool {
        !self.fin && self.read_error.is_none() && self.write_error.is_none() && !self.write_zero
    }

    /// True: this operation is to be tried again.
    fn stutters(&mut self, cx: &Context<'_>) -> bool {
        if self.stutter == 0 {
            return false;
        }
        self.stutter -= 1;
        self.progress += 1;
        cx.waker().wake_by_ref();
        true
    }
}

/// The relay's end, whose drop ends the connection.
pub(super) struct End(pub(super) Shared);

impl Drop for End {
    fn drop(&mut self) {
        self.0.0.borrow_mut().ended.get_or_insert(Ended::InOrder);
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut socket = self.0.0.borrow_mut();
        assert!(buf.remaining() > 0, "a read into nothing looks like an end");
        if socket.stutters(cx) {
            return Poll::Pending;
        }
        if socket.arrived.is_empty() {
            if let Some(kind) = socket.read_error {
                return Poll::Ready(Err(kind.into()));
            }
            if socket.fin && socket.under_way.is_empty() {
                return Poll::Ready(Ok(()));
            }
            socket.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        socket.progress += 1;
        let len = socket
            .portion
            .min(socket.arrived.len())
            .min(buf.remaining());
        for byte in socket.arrived.drain(..len) {
            buf.put_slice(&[byte]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut socket = self.0.0.borrow_mut();
        assert!(!socket.shut_down, "written after the end of our side");
        assert!(!bytes.is_empty(), "a write of nothing");
        if socket.stutters(cx) {
            return Poll::Pending;
        }
        if let Some(kind) = socket.write_error {
            return Poll::Ready(Err(kind.into()));
        }
        if socket.write_zero {
            return Poll::Ready(Ok(0));
        }
        let len = socket.portion.min(bytes.len()).min(socket.room);
        if len == 0 {
            socket.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        socket.progress += 1;
        if socket.room != usize::MAX {
            socket.room -= len;
        }
        socket.written.extend_from_slice(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.0.0.borrow_mut();
        if socket.shutdown_hangs {
            socket.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        socket.shut_down = true;
        match socket.write_error {
            Some(kind) => Poll::Ready(Err(kind.into())),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Transport for End {
    fn reset_on_drop(&self) {
        self.0.0.borrow_mut().ended = Some(Ended::Reset);
    }

    fn is_ready(&self, to_read: bool, to_write: bool) -> bool {
        self.0.look(|socket| {
            (to_read && (!socket.arrived.is_empty() || socket.fin || socket.read_error.is_some()))
                || (to_write && socket.room > 0)
        })
    }

    fn set_user_timeout(&self, _write_stall_timeout: Option<Duration>) {}
}
