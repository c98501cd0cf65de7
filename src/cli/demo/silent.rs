//! A client that does nothing at all: no message, and no pong either, which no WebSocket library can be told to leave.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::protocol::Close;

const OPCODE_CLOSE: u8 = 0x8;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// How the connection of a silent client ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a Close frame, which was answered.
    Closed(Close),
    /// TCP ended, and no Close frame came before.
    Lost,
}

/// A connection that is open and silent.
pub(super) struct Silent {
    socket: BufReader<TcpStream>,
}

impl Silent {
    /// Opens a WebSocket.
    ///
    /// # Errors
    /// Nobody listens there, or the answer is no 101.
    pub(super) async fn open(address: &str) -> io::Result<Silent> {
        let mut socket = BufReader::new(TcpStream::connect(address).await?);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2lkZWJlYXQgZGVtbyAxMw==\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await?;
        let status = read_head(&mut socket).await?;
        if !status.starts_with("HTTP/1.1 101 ") {
            return Err(io::Error::other(format!(
                "the opening handshake was answered with {:?}",
                status.trim_end()
            )));
        }
        Ok(Silent { socket })
    }

    /// Reads, and ignores, whatever comes until the end.
    ///
    /// # Errors
    /// The other side breaks RFC 6455.
    pub(super) async fn wait_for_end(mut self) -> io::Result<End> {
        loop {
            let Ok((opcode, payload)) = read_frame(&mut self.socket).await else {
                return Ok(End::Lost);
            };
            if opcode == OPCODE_CLOSE {
                let close = Close::parse(&payload)
                    .map_err(|violation| io::Error::other(format!("{violation:?}")))?;
                // The other side may have gone already, and that is its right.
                let _ = self.socket.write_all(&masked_close(&payload)).await;
                return Ok(End::Closed(close));
            }
        }
    }
}

/// Reads a response head and returns its first line.
async fn read_head(socket: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut status = String::new();
    socket.read_line(&mut status).await?;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if socket.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(status)
}

/// Reads a frame of a server, that is, an unmasked one (RFC 6455 section 5.2): its opcode and its payload.
async fn read_frame(socket: &mut BufReader<TcpStream>) -> io::Result<(u8, Vec<u8>)> {
    let opcode = socket.read_u8().await? & 0x0f;
    let length = match socket.read_u8().await? {
        126 => u64::from(socket.read_u16().await?),
        127 => socket.read_u64().await?,
        short => u64::from(short),
    };
    let mut payload = Vec::new();
    let read = socket.take(length).read_to_end(&mut payload).await?;
    if read as u64 == length {
        Ok((opcode, payload))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// A Close frame with a masking key of zeros, which leaves the payload as it is.
fn masked_close(payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap_or(0);
    [&[FIN | OPCODE_CLOSE, MASKED | length, 0, 0, 0, 0], payload].concat()
}
