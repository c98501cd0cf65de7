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

use crate::protocol::Close;

/// The largest frame that is taken.
const MAX_FRAME_BYTES: u64 = 16 * 1024 * 1024;
/// The most of a refusing page that is kept, and the most that is waited for it.
const MAX_PAGE_BYTES: usize = 200;
const PAGE_PATIENCE: Duration = Duration::from_millis(500);

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// What an endpoint can receive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// A frame of a text or binary message.
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
    /// What was read and not yet taken; whatever a dropped future had read is still here.
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
            if let Some(received) = take_frame(&mut self.unread)? {
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
        self.send(0x1, text.as_bytes()).await
    }

    pub(super) async fn ping(&mut self, payload: &[u8]) -> io::Result<()> {
        self.send(0x9, payload).await
    }

    pub(super) async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        self.send(0xa, payload).await
    }

    pub(super) async fn close(&mut self, close: &Close) -> io::Result<()> {
        let mut payload = Vec::new();
        close.write_payload(&mut payload);
        self.send(0x8, &payload).await
    }

    /// A whole, masked frame (RFC 6455 section 5.2) of at most 125 bytes, which all that is sent here has.
    async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let length = u8::try_from(payload.len())
            .ok()
            .filter(|length| *length <= 125);
        let length = length.ok_or_else(|| io::Error::other("more than 125 bytes to send"))?;
        let key: [u8; 4] = rand::random();
        let mut frame = vec![FIN | opcode, MASKED | length];
        frame.extend_from_slice(&key);
        frame.extend(
            payload
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
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

/// Takes the first frame out of `unread`, once it is whole.
fn take_frame(unread: &mut Vec<u8>) -> io::Result<Option<Received>> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let (opcode, length, payload_at) = match unread[..] {
        [first, 126, a, b, ..] => (first & 0x0f, u64::from(u16::from_be_bytes([a, b])), 4),
        [first, 127, a, b, c, d, e, f, g, h, ..] => (
            first & 0x0f,
            u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            10,
        ),
        [first, length @ ..126, ..] => (first & 0x0f, u64::from(length), 2),
        [_, MASKED..=u8::MAX, ..] => return Err(invalid("the server masks its frames".to_owned())),
        _ => return Ok(None),
    };
    if length > MAX_FRAME_BYTES {
        return Err(invalid(format!("a frame of {length} bytes")));
    }
    let end = payload_at + usize::try_from(length).unwrap_or(usize::MAX);
    if unread.len() < end {
        return Ok(None);
    }
    let payload = unread[payload_at..end].to_vec();
    unread.drain(..end);
    match opcode {
        0..=2 => Ok(Some(Received::Data(payload))),
        0x8 => match Close::parse(&payload) {
            Ok(close) => Ok(Some(Received::Close(close))),
            Err(violation) => Err(invalid(format!("an invalid Close frame: {violation}"))),
        },
        0x9 => Ok(Some(Received::Ping(payload))),
        0xa => Ok(Some(Received::Pong(payload))),
        other => Err(invalid(format!("the unknown opcode {other:#x}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bytes: &[u8]) -> Option<Received> {
        take_frame(&mut bytes.to_vec()).unwrap()
    }

    #[test]
    fn section_5_2_frames_are_taken_once_they_are_whole() {
        let mut long = vec![0x82, 126, 1, 0];
        long.extend([7; 256]);
        let mut longer = vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0];
        longer.extend([7; 65536]);
        for (bytes, expected) in [
            (b"\x81\x02hi".to_vec(), Received::Data(b"hi".to_vec())),
            (b"\x89\x00".to_vec(), Received::Ping(vec![])),
            (b"\x8a\x01x".to_vec(), Received::Pong(b"x".to_vec())),
            (
                b"\x88\x05\x03\xf6bye".to_vec(),
                Received::Close(Close::new(1014, "bye")),
            ),
            (long, Received::Data(vec![7; 256])),
            (longer, Received::Data(vec![7; 65536])),
        ] {
            for end in [0, 1, 2, 3, 9, bytes.len() - 1] {
                assert_eq!(taken(&bytes[..end.min(bytes.len() - 1)]), None);
            }
            assert_eq!(taken(&bytes), Some(expected));
        }
    }

    #[test]
    fn what_follows_a_frame_is_kept() {
        let mut unread = b"\x81\x01a\x81\x01b\x81".to_vec();
        assert_eq!(
            take_frame(&mut unread).unwrap(),
            Some(Received::Data(b"a".to_vec()))
        );
        assert_eq!(
            take_frame(&mut unread).unwrap(),
            Some(Received::Data(b"b".to_vec()))
        );
        assert_eq!(take_frame(&mut unread).unwrap(), None);
        assert_eq!(unread, b"\x81");
    }

    #[test]
    fn what_a_server_must_not_send_is_an_error() {
        for bytes in [
            &b"\x81\x82\0\0\0\0hi"[..],
            b"\x83\x00",
            b"\x88\x01\x03",
            b"\x88\x02\x03\xed",
            &[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0],
        ] {
            assert!(take_frame(&mut bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }
}
