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

async fn send<S>(io: UpstreamIo<S>, request: Request<Upload>) -> hyper::Result<Response<Incoming>>
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
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
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
        let (mut sender, mut connection) = http1::handshake(TokioIo::new(UpstreamIo::new(ours)))
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
    let (_sender, connection) = http1::handshake::<_, Upload>(TokioIo::new(UpstreamIo::new(ours)))
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
