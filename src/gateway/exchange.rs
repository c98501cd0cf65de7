//! The state of a client's connection that hyper does not show: whether a request is in progress, and whether its
//! answer has begun. Also the byte stream that hyper serves, which keeps this state.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::Head;
use super::pending::PendingConnection;
use super::respond::Body;
use crate::context::requests::EndTime;
use crate::net::clock::Clock;
use crate::net::http_connections::Place;
use crate::net::progress::{self, Moved};
use crate::net::stream::Stream;

/// The first byte of every answer: of `HTTP/1.1` and of `HTTP/1.0`.
const FIRST_BYTE: &[u8] = b"H";

/// The request that is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An opening handshake.
    Opening,
    /// Plain HTTP.
    Plain,
    /// Plain HTTP whose answer streams events.
    EventStream,
}

/// One connection's state, which its task, its service and its byte stream share.
pub(crate) struct Exchange {
    pub(crate) place: Place,
    /// When the client's stream moved bytes of a request or of an answer.
    pub(crate) moved: Moved,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    request: Option<Kind>,
    /// The request came with a body.
    has_body: bool,
    /// hyper has the answer's head.
    is_answering: bool,
    /// The whole answer has been handed to hyper.
    is_answered: bool,
    /// Bytes of the answer that have been written.
    written: usize,
    /// All that was to be written before the answer has been written.
    is_flushed: bool,
    /// The socket takes no more bytes now.
    is_blocked: bool,
    /// The first byte of the answer was written before there was an answer.
    first_byte_sent: bool,
    /// Bytes that hyper has read since no request is in progress.
    read_ahead: usize,
    websocket: Option<PendingConnection>,
    /// `limits.http_timeout` of the request.
    timeout: Option<Duration>,
    /// The request, if an upstream answers it.
    forwarded: Option<Forwarded>,
    /// When the answer ends if it streams events; until the connection's task has taken it.
    end_time: Option<EndTime>,
}

/// A request that an upstream answers, for the record of an answer that is cut off.
pub(crate) struct Forwarded {
    pub(crate) request_id: Box<str>,
    pub(crate) route: Arc<str>,
    pub(crate) upstream: String,
    /// When the upstream's stream moved bytes.
    pub(crate) moved: Moved,
}

impl Exchange {
    pub(crate) fn new(place: Place, clock: Clock) -> Self {
        Exchange {
            place,
            moved: Moved::new(clock),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come. False: the connection was dropped just before.
    pub(crate) fn begin(&self, kind: Kind, has_body: bool, timeout: Option<Duration>) -> bool {
        self.moved.note();
        let mut state = self.lock();
        state.timeout = timeout;
        state.forwarded = None;
        state.is_answering = false;
        state.request = Some(kind);
        state.has_body = has_body;
        state.is_answered = false;
        state.written = 0;
        state.is_flushed = false;
        state.read_ahead = 0;
        drop(state);
        self.place.begin_request()
    }

    /// Its answer. The request is in progress until the answer has been written.
    pub(crate) fn answer(self: &Arc<Self>, mut response: Response<Body>) -> Response<Answer> {
        let mut state = self.lock();
        state.is_answering = true;
        state.end_time = response.extensions_mut().remove();
        if state.end_time.is_some() {
            state.request = Some(Kind::EventStream);
        }
        drop(state);
        response.map(|body| Answer {
            body,
            exchange: Arc::clone(self),
        })
    }

    /// The answer comes from an upstream, and may pause for `timeout`.
    pub(crate) fn forward(&self, forwarded: Forwarded, timeout: Option<Duration>) {
        let mut state = self.lock();
        state.forwarded = Some(forwarded);
        state.timeout = timeout;
    }

    /// Waits until no byte of an answer that hyper has moved for `limits.http_timeout`, on either side.
    pub(crate) async fn stalled(&self) {
        let limit = self.lock().timeout;
        progress::stalled(limit, || {
            let state = self.lock();
            let upstream = state.forwarded.iter().map(|it| it.moved.clone());
            upstream.chain([self.moved.clone()]).collect()
        })
        .await;
    }

    /// Whether hyper has the head of an answer that has not been written to its end.
    pub(crate) fn is_answering(&self) -> bool {
        let state = self.lock();
        state.request.is_some() && state.is_answering
    }

    /// When the answer that has just begun ends, if it streams events.
    pub(crate) fn take_end_time(&self) -> Option<EndTime> {
        self.lock().end_time.take()
    }

    /// The request whose answer has stalled, and whether that is because the client accepts no more of it.
    pub(crate) fn take_stalled(&self) -> (Option<Forwarded>, bool) {
        let mut state = self.lock();
        (state.forwarded.take(), state.is_blocked)
    }

    /// The connection becomes a WebSocket when the answer has been written.
    pub(crate) fn upgrade(&self, pending: PendingConnection) {
        self.lock().websocket = Some(pending);
    }

    /// The WebSocket that it has become.
    pub(crate) fn take_websocket(&self) -> Option<PendingConnection> {
        self.lock().websocket.take()
    }

    /// To be called when hyper can do nothing more for now: it has written what it has, so that an answer is complete
    /// unless the socket is full. Returns what is in progress.
    pub(crate) fn settle(&self) -> Option<Kind> {
        let mut state = self.lock();
        if state.is_answered && !state.is_blocked {
            state.request = None;
            state.is_answered = false;
            self.place.end_request();
        }
        if state.request.is_none() && state.read_ahead > 0 {
            self.place.hold(state.read_ahead);
        }
        state.request
    }

    pub(crate) fn request(&self) -> Option<Kind> {
        self.lock().request
    }

    /// Whether closing the socket now might keep the client from reading its answer, because it still sends.
    pub(crate) fn has_body(&self) -> bool {
        self.lock().has_body
    }

    /// How many bytes of an answer have been written; none while it has not begun, or the client takes no more.
    pub(crate) fn written(&self) -> Option<usize> {
        let state = self.lock();
        (state.written > 0 && !state.is_blocked).then_some(state.written)
    }

    /// Sends the first byte of the answer before there is one: a client that has closed its connection, and not only
    /// its sending side, resets it then.
    pub(crate) fn send_first_byte(&self, stream: &Stream) {
        let mut state = self.lock();
        let may_send = state.request == Some(Kind::Plain)
            && state.is_flushed
            && state.written == 0
            && !state.first_byte_sent;
        if may_send {
            let sent = stream.try_write(&[IoSlice::new(FIRST_BYTE)]);
            // If it does not go out, the connection has failed, or its buffer is full, which cannot be.
            state.first_byte_sent = sent.is_ok_and(|sent| sent == FIRST_BYTE.len());
        }
    }
}

/// An answer's body that records its end.
pub(crate) struct Answer {
    body: Body,
    exchange: Arc<Exchange>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.exchange.lock().is_answered = true;
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A client's byte stream for hyper, which begins with the head that was read already. It borrows the socket, so that
/// the connection's task can watch it meanwhile, and has it back at the end.
pub(crate) struct ClientIo<'a> {
    stream: &'a Stream,
    exchange: &'a Exchange,
    head: Head,
    /// How much of the head's bytes hyper has.
    given: usize,
}

impl<'a> ClientIo<'a> {
    pub(crate) fn new(stream: &'a Stream, exchange: &'a Exchange, head: Head) -> Self {
        ClientIo {
            stream,
            exchange,
            head,
            given: 0,
        }
    }

    /// Bytes after the head that hyper has not read.
    pub(crate) fn into_rest(self) -> Vec<u8> {
        let mut bytes = self.head.bytes;
        bytes.split_off(self.given.min(bytes.len()))
    }

    /// Up to the end of the head first, and then the rest: what follows an opening handshake is not for hyper.
    fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let end = match self.given < self.head.end {
            true => self.head.end,
            false => self.head.bytes.len(),
        };
        let waiting = &self.head.bytes[self.given..end];
        let given = waiting.len().min(buf.remaining());
        buf.put_slice(&waiting[..given]);
        self.given += given;
        if self.given == self.head.bytes.len() {
            self.head = Head::default();
            self.given = 0;
        }
        given > 0
    }
}

impl AsyncRead for ClientIo<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if !this.give(buf) {
            ready!(this.stream.poll_read_shared(cx, buf))?;
        }
        let mut state = this.exchange.lock();
        if state.has_body && buf.filled().len() > before {
            this.exchange.moved.note();
        }
        if state.request.is_none() {
            state.read_ahead += buf.filled().len() - before;
        }
        Poll::Ready(Ok(()))
    }
}

impl ClientIo<'_> {
    fn write(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut state = self.exchange.lock();
        if state.first_byte_sent {
            state.first_byte_sent = false;
            state.written = FIRST_BYTE.len();
            let next = bufs.iter().find_map(|buf| buf.first());
            return Poll::Ready(match next == FIRST_BYTE.first() {
                true => Ok(FIRST_BYTE.len()),
                false => Err(io::ErrorKind::InvalidData.into()),
            });
        }
        let written = self.stream.poll_write_shared(cx, bufs);
        state.is_blocked = written.is_pending();
        if let Poll::Ready(Ok(written)) = written {
            state.written = state.written.saturating_add(written);
            self.exchange.moved.note();
        }
        written
    }
}

impl AsyncWrite for ClientIo<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper calls this only when it has written everything.
        self.exchange.lock().is_flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.stream.shut_down())
    }
}
