//! Sockets in memory, with the bad manners of real ones.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::stream::Transport;

/// How the relay ended its side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    InOrder,
    Reset,
}

/// One direction of a connection.
#[derive(Default)]
struct Wire {
    bytes: VecDeque<u8>,
    /// What the relay may put there until the peer takes some.
    capacity: usize,
    ended: bool,
    /// Its news have not reached the reader yet, as when the process was stopped.
    lags: bool,
    error: Option<ErrorKind>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Wire {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}

/// The relay's end.
pub(super) struct Stream {
    incoming: Rc<RefCell<Wire>>,
    outgoing: Rc<RefCell<Wire>>,
    ended: Rc<RefCell<Option<Ended>>>,
    /// Reads and writes are short, and now and then there is nothing at all.
    manners: Option<StdRng>,
    /// The last argument of `Transport::set_user_timeout`.
    pub(super) tolerated: Cell<Option<Option<Duration>>>,
}

impl Stream {
    /// How much of `len` is read or written this time; none: not now.
    fn portion(&mut self, cx: &mut Context<'_>, len: usize) -> Option<usize> {
        let Some(random) = &mut self.manners else {
            return Some(len);
        };
        match random.random_range(0..4_u32) {
            0 => {
                cx.waker().wake_by_ref();
                None
            }
            1 => Some(len.min(1)),
            2 => Some(len.min(random.random_range(1..40))),
            _ => Some(len),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(most) = this.portion(cx, buf.remaining()) else {
            return Poll::Pending;
        };
        let mut wire = this.incoming.borrow_mut();
        if wire.lags {
            wire.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if wire.bytes.is_empty() {
            return match (wire.error, wire.ended) {
                (Some(kind), _) => Poll::Ready(Err(kind.into())),
                (None, true) => Poll::Ready(Ok(())),
                (None, false) => {
                    wire.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        }
        let len = most.min(wire.bytes.len());
        let bytes: Vec<u8> = wire.bytes.drain(..len).collect();
        buf.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let Some(most) = this.portion(cx, bytes.len()) else {
            return Poll::Pending;
        };
        let mut wire = this.outgoing.borrow_mut();
        if let Some(kind) = wire.error {
            return Poll::Ready(Err(kind.into()));
        }
        assert!(!wire.ended, "written after the shutdown");
        let room = wire.capacity.saturating_sub(wire.bytes.len());
        if room == 0 {
            wire.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = most.min(room);
        wire.bytes.extend(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.borrow_mut().ended = true;
        Poll::Ready(Ok(()))
    }
}

impl Transport for Stream {
    fn reset_on_drop(&self) {
        *self.ended.borrow_mut() = Some(Ended::Reset);
    }

    fn is_ready(&self, to_read: bool, to_write: bool) -> bool {
        let (incoming, outgoing) = (self.incoming.borrow(), self.outgoing.borrow());
        let room = outgoing.capacity > outgoing.bytes.len();
        (to_read && !incoming.bytes.is_empty()) || (to_write && room)
    }

    fn set_user_timeout(&self, write_stall_timeout: Option<Duration>) {
        self.tolerated.set(Some(write_stall_timeout));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.ended.borrow_mut().get_or_insert(Ended::InOrder);
        self.outgoing.borrow_mut().ended = true;
    }
}

/// The other end, in a test's hand.
pub(super) struct Peer {
    outgoing: Rc<RefCell<Wire>>,
    incoming: Rc<RefCell<Wire>>,
    ended: Rc<RefCell<Option<Ended>>>,
    /// All that ever came.
    pub(super) got: Vec<u8>,
}

impl Peer {
    pub(super) fn send(&self, bytes: &[u8]) {
        let mut wire = self.outgoing.borrow_mut();
        wire.bytes.extend(bytes);
        wire.wake();
    }

    /// Whether the relay is not told of what is sent.
    pub(super) fn lag(&self, lags: bool) {
        let mut wire = self.outgoing.borrow_mut();
        wire.lags = lags;
        wire.wake();
    }

    /// Nothing more will be sent.
    pub(super) fn end(&self) {
        let mut wire = self.outgoing.borrow_mut();
        wire.ended = true;
        wire.wake();
    }

    /// The connection breaks, after what was sent.
    pub(super) fn reset(&self) {
        for wire in [&self.outgoing, &self.incoming] {
            let mut wire = wire.borrow_mut();
            wire.error = Some(ErrorKind::ConnectionReset);
            wire.wake();
        }
    }

    /// What is written to this peer from now on fails, while what it sent can still be read.
    pub(super) fn refuse_writes(&self) {
        let mut wire = self.incoming.borrow_mut();
        wire.error = Some(ErrorKind::BrokenPipe);
        wire.wake();
    }

    /// How much may be on its way to this peer.
    pub(super) fn set_capacity(&self, capacity: usize) {
        let mut wire = self.incoming.borrow_mut();
        wire.capacity = capacity;
        wire.wake();
    }

    /// Takes what has come.
    pub(super) fn receive(&mut self) {
        self.receive_at_most(usize::MAX);
    }

    pub(super) fn receive_at_most(&mut self, len: usize) {
        let mut wire = self.incoming.borrow_mut();
        let len = len.min(wire.bytes.len());
        self.got.extend(wire.bytes.drain(..len));
        wire.wake();
    }

    /// What was sent and has not been read by the relay.
    pub(super) fn unread(&self) -> usize {
        self.outgoing.borrow().bytes.len()
    }

    /// How the relay dropped this connection, if it has.
    pub(super) fn ended(&self) -> Option<Ended> {
        *self.ended.borrow()
    }

    /// Whether the relay ended its side at least.
    pub(super) fn sees_end(&self) -> bool {
        self.incoming.borrow().ended
    }
}

/// A connection; with a seed, one of bad manners.
pub(super) fn connection(seed: Option<u64>) -> (Stream, Peer) {
    let wire = || {
        Rc::new(RefCell::new(Wire {
            capacity: usize::MAX,
            ..Wire::default()
        }))
    };
    let (up, down, ended) = (wire(), wire(), Rc::default());
    let stream = Stream {
        incoming: Rc::clone(&up),
        outgoing: Rc::clone(&down),
        ended: Rc::clone(&ended),
        manners: seed.map(StdRng::seed_from_u64),
        tolerated: Cell::default(),
    };
    let peer = Peer {
        outgoing: up,
        incoming: down,
        ended,
        got: Vec::new(),
    };
    (stream, peer)
}
