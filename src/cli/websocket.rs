//! The WebSocket client of `probe` and `demo`: it does nothing of itself, not even answer pings, and it shows Close
//! codes as they came. `tungstenite` can do neither: it answers every ping, and takes 1014 for a protocol violation.

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Request, Response, StatusCode, http};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::protocol::{
    Close, Control, ControlKind, Data, FrameReader, OpCode, Role, Rules, Step, Violation,
    encode_frame,
};

/// What a server may send. A message is read as a whole where it comes in one frame.
const RULES: Rules = Rules {
    max_frame: 16 * 1024 * 1024,
    max_message: u64::MAX,
    deflate: true,
    validate_utf8: false,
    whole: 16 * 1024 * 1024,
};
/// The most of a refusing page that is kept, and the most that is waited for it.
const MAX_PAGE_BYTES: usize = 200;
const PAGE_PATIENCE: Duration = Duration::from_millis(500);

/// What the server has sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// The payload of a message, or a piece of one that comes in fragments.
    Data(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Close),
}

/// Why no WebSocket was opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("the request is not valid: {0}")]
    Request(http::Error),
    #[error("the connection ended without an answer: {0}")]
    Lost(hyper::Error),
    #[error("the answer is no HTTP: {0}")]
    NotHttp(hyper::Error),
    #[error("HTTP status {}", .status.as_u16())]
    Rejected { status: StatusCode, page: String },
    #[error(
        "the answer is a 101, but its Sec-WebSocket-Accept does not fit the request (RFC 6455 section 4.1)"
    )]
    WrongAccept,
}

/// The client's end of an open connection.
pub(super) struct Client {
    socket: TcpStream,
    reader: FrameReader,
    /// What was read from the socket and does not make a whole frame yet. It outlives a future that is dropped.
    unread: Vec<u8>,
}

impl Client {
    /// Opens a WebSocket at `host:port`; `headers` are added to what RFC 6455 section 4.1 demands, or replace it.
    /// Gives the headers of the 101 too.
    pub(super) async fn open(
        address: &str,
        path: &str,
        headers: HeaderMap,
    ) -> Result<(Client, HeaderMap), OpenError> {
        let request = request(address, path, headers).map_err(OpenError::Request)?;
        let expected = request
            .headers()
            .get(SEC_WEBSOCKET_KEY)
            .map(|key| derive_accept_key(key.as_bytes()));
        let socket = TcpStream::connect(address)
            .await
            .map_err(OpenError::Connect)?;
        let _ = socket.set_nodelay(true);
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket))
            .await
            .map_err(OpenError::Lost)?;
        tokio::spawn(connection.with_upgrades());

        let mut response = sender.send_request(request).await.map_err(no_answer)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(OpenError::Rejected {
                status: response.status(),
                page: page(&mut response).await,
            });
        }
        let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
        if accept.map(HeaderValue::as_bytes) != expected.as_deref().map(str::as_bytes) {
            return Err(OpenError::WrongAccept);
        }
        let headers = response.headers().clone();
        let upgraded = hyper::upgrade::on(response).await.map_err(no_answer)?;
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => Ok((
                Client {
                    socket: parts.io.into_inner(),
                    reader: FrameReader::new(Role::Server),
                    unread: parts.read_buf.into(),
                },
                headers,
            )),
            Err(_) => Err(OpenError::Connect(io::Error::other(
                "not the socket that was given",
            ))),
        }
    }

    /// The next frame. May be dropped and called again.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where the server breaks RFC 6455; any other: TCP has ended.
    pub(super) async fn next(&mut self) -> io::Result<Received> {
        loop {
            if let Some(received) = next_received(&mut self.reader, &mut self.unread)? {
                return Ok(received);
            }
            if self.socket.read_buf(&mut self.unread).await? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "end of stream",
                ));
            }
        }
    }

    pub(super) async fn text(&mut self, text: &str) -> io::Result<()> {
        self.send(OpCode::Data(Data::Text), text.as_bytes()).await
    }

    pub(super) async fn ping(&mut self, payload: &[u8]) -> io::Result<()> {
        self.send(OpCode::Control(Control::Ping), payload).await
    }

    pub(super) async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        self.send(OpCode::Control(Control::Pong), payload).await
    }

    pub(super) async fn close(&mut self, close: &Close) -> io::Result<()> {
        let mut payload = Vec::new();
        close.write_payload(&mut payload);
        self.send(OpCode::Control(Control::Close), &payload).await
    }

    async fn send(&mut self, opcode: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut frame = Vec::new();
        encode_frame(&mut frame, opcode, payload, Some(rand::random()));
        self.socket.write_all(&frame).await
    }
}

fn request(
    address: &str,
    path: &str,
    headers: HeaderMap,
) -> Result<Request<Empty<Bytes>>, http::Error> {
    let mut request = Request::get(path)
        .header(HOST, address)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, generate_key())
        .body(Empty::new())?;
    request.headers_mut().extend(headers);
    Ok(request)
}

fn no_answer(error: hyper::Error) -> OpenError {
    if error.is_parse() {
        OpenError::NotHttp(error)
    } else {
        OpenError::Lost(error)
    }
}

/// The beginning of a page, in one line.
async fn page(response: &mut Response<Incoming>) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(PAGE_PATIENCE, async {
        while let Some(Ok(frame)) = response.body_mut().frame().await {
            bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            if bytes.len() >= MAX_PAGE_BYTES {
                return;
            }
        }
    })
    .await;
    bytes.truncate(MAX_PAGE_BYTES);
    String::from_utf8_lossy(&bytes)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Removes the first frame, or the next piece of a fragmented message, from `unread`; `None` until it is complete.
fn next_received(reader: &mut FrameReader, unread: &mut Vec<u8>) -> io::Result<Option<Received>> {
    let invalid = |violation| {
        let what = match violation {
            // The limit is this client's own, and no key of proxy.yaml.
            Violation::FrameTooBig(length) => format!("a frame of {length} bytes"),
            other => other.to_string(),
        };
        io::Error::new(io::ErrorKind::InvalidData, what)
    };
    let step = reader.next(unread, &RULES).map_err(invalid)?;
    let (len, received) = match step {
        Step::Incomplete => return Ok(None),
        Step::Data { len, payload, .. } => {
            let payload = unread[len - payload..len].to_vec();
            (len, Received::Data(payload))
        }
        Step::Message { len, start, .. } => (len, Received::Data(unread[start..len].to_vec())),
        Step::Control {
            len, kind, start, ..
        } => {
            let payload = unread[start..len].to_vec();
            let received = match kind {
                ControlKind::Ping => Received::Ping(payload),
                ControlKind::Pong => Received::Pong(payload),
                ControlKind::Close => Received::Close(Close::parse(&payload).map_err(invalid)?),
            };
            (len, received)
        }
    };
    unread.drain(..len);
    Ok(Some(received))
}

#[cfg(test)]
mod tests;
