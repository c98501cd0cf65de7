//! A backend's byte stream in hyper's hands, so that an answer is not lost that comes early.
//!
//! A backend may answer before it has read the whole request, and close: 413 to an upload, 503 to everybody. Its system
//! then resets the connection, and what is still written to it fails, while the answer is in the receive buffer: hyper
//! would report the failed write and never look. So here a failed write succeeds, and everything that is written behind
//! it is discarded; hyper reads on, and finds the answer, or the end of the stream, which it reports. For the same
//! reason bytes that come before the request are held back until it is being written: hyper takes an answer that nobody
//! has asked for as an error.

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

    /// What hyper is told of a write.
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
mod tests {
    use std::future::poll_fn;

    use http_body_util::combinators::UnsyncBoxBody;
    use http_body_util::{BodyExt, StreamBody};
    use hyper::body::{Bytes, Frame, Incoming};
    use hyper::client::conn::http1;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;
    use socket2::SockRef;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream, UnixStream};

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge";

    /// Our end of a TCP connection, and the backend's.
    async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await;
        (ours.unwrap(), listener.accept().await.unwrap().0)
    }

    /// Ends a connection as a close with unread bytes does.
    fn reset(stream: TcpStream) {
        let socket = SockRef::from(&stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    type Upload = UnsyncBoxBody<Bytes, std::convert::Infallible>;

    /// A request with a body of so many pieces.
    fn upload(pieces: usize) -> Request<Upload> {
        let piece = || Ok(Frame::data(Bytes::from_static(&[0; 1024])));
        let body = StreamBody::new(futures_util::stream::iter(
            (0..pieces).map(move |_| piece()),
        ));
        Request::post("/").body(body.boxed_unsync()).unwrap()
    }

    async fn send<S>(
        io: UpstreamIo<S>,
        request: Request<Upload>,
    ) -> hyper::Result<Response<Incoming>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
        tokio::spawn(connection);
        sender.send_request(request).await
    }

    async fn expect_answer(response: hyper::Result<Response<Incoming>>) {
        let response = response.unwrap();
        assert_eq!(response.status(), 413);
        let body = response.into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), "large");
    }

    /// A stream whose first read finds nothing, whose writes fail, and that has an answer all the same: what a reset
    /// between reading and writing looks like.
    struct Torn {
        answer: &'static [u8],
        reads: usize,
    }

    impl AsyncRead for Torn {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            this.reads += 1;
            if this.reads <= 2 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            buf.put_slice(std::mem::take(&mut this.answer));
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Torn {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn an_answer_outlives_writes_that_fail() {
        let torn = Torn {
            answer: ANSWER,
            reads: 0,
        };
        expect_answer(send(UpstreamIo::new(torn), upload(usize::MAX)).await).await;
    }

    #[tokio::test]
    async fn a_stream_that_fails_without_an_answer_is_an_error() {
        let torn = Torn {
            answer: b"",
            reads: 0,
        };
        let error = send(UpstreamIo::new(torn), upload(3)).await.unwrap_err();
        assert!(error.is_incomplete_message(), "{error:?}");
    }

    #[tokio::test]
    async fn an_answer_that_comes_before_the_request_is_its_answer() {
        for is_reset in [false, true] {
            let (ours, mut theirs) = connected().await;
            theirs.write_all(ANSWER).await.unwrap();
            match is_reset {
                true => reset(theirs),
                false => drop(theirs),
            }
            ours.readable().await.unwrap();
            let (mut sender, mut connection) =
                http1::handshake(TokioIo::new(UpstreamIo::new(ours)))
                    .await
                    .unwrap();
            // hyper reads before there is a request.
            let idle = poll_fn(|cx| Poll::Ready(Pin::new(&mut connection).poll(cx).is_pending()));
            assert!(idle.await);
            tokio::spawn(connection);
            expect_answer(sender.send_request(upload(3)).await).await;
        }
    }

    #[tokio::test]
    async fn the_end_before_a_request_is_seen_at_once() {
        let (ours, theirs) = connected().await;
        drop(theirs);
        let (_sender, connection) =
            http1::handshake::<_, Upload>(TokioIo::new(UpstreamIo::new(ours)))
                .await
                .unwrap();
        let ended = tokio::time::timeout(GRACE, connection).await;
        assert!(ended.is_ok(), "nobody has noticed the end");
    }

    /// A Unix socket whose peer has ended only its reading fails to be written, and says nothing more.
    #[tokio::test(start_paused = true)]
    async fn a_stream_that_cannot_be_written_and_does_not_end_is_given_up() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let sockets = SockRef::from(&theirs);
        sockets.shutdown(std::net::Shutdown::Read).unwrap();
        let mut io = UpstreamIo::new(ours);
        assert_eq!(io.write(b"request").await.unwrap(), 7);
        assert_eq!(io.write(b"more").await.unwrap(), 4);
        let began = Instant::now();
        theirs.write_all(b"half").await.unwrap();
        let mut read = Vec::new();
        io.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"half");
        assert!(began.elapsed() >= GRACE && began.elapsed() < GRACE * 2);
    }
}
