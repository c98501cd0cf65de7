//! One client connection: its opening, and what comes in on it.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::{Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::frames::{CLOSE, Decoder, PING, PONG, TEXT_OR_BINARY};

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 * 1024]);
}

/// Opens a WebSocket; what came behind the answer's head is returned with it.
pub async fn open(proxy: SocketAddr, path: &str) -> Result<(TcpStream, Vec<u8>)> {
    let mut stream = TcpStream::connect(proxy).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: bench.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::with_capacity(1024);
    loop {
        ensure!(
            stream.read_buf(&mut head).await? > 0,
            "the connection ended inside the opening handshake: {}",
            String::from_utf8_lossy(&head)
        );
        if let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let behind = head.split_off(end + 4);
            ensure!(
                head.starts_with(b"HTTP/1.1 101 "),
                "no 101: {}",
                String::from_utf8_lossy(&head)
            );
            return Ok((stream, behind));
        }
    }
}

/// Something whole that came in.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    Message,
    Ping(Vec<u8>),
    Pong,
}

/// Reads one connection.
#[derive(Default)]
pub struct Reader {
    decoder: Decoder,
    ping: Vec<u8>,
}

impl Reader {
    /// Waits for bytes, reads once and tells what they end.
    pub async fn read(&mut self, stream: &TcpStream, mut each: impl FnMut(Incoming)) -> Result<()> {
        stream.readable().await?;
        SCRATCH.with_borrow_mut(|scratch| match stream.try_read(scratch) {
            Ok(0) => bail!("the proxy ended a connection"),
            Ok(len) => self.take(&scratch[..len], &mut each),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        })
    }

    /// Tells what these bytes end.
    pub fn take(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Incoming)) -> Result<()> {
        while let Some(piece) = self.decoder.next(&mut bytes) {
            let opcode = piece.head.opcode;
            ensure!(opcode != CLOSE, "the proxy closed a connection");
            ensure!(piece.head.mask.is_none(), "a server's frame is masked");
            if opcode == PING {
                self.ping.extend_from_slice(piece.payload);
            }
            if !piece.ends {
                continue;
            }
            match opcode {
                PING => each(Incoming::Ping(std::mem::take(&mut self.ping))),
                PONG => each(Incoming::Pong),
                opcode if TEXT_OR_BINARY.contains(&opcode) => {
                    if piece.head.is_final {
                        each(Incoming::Message);
                    }
                }
                opcode => bail!("unknown opcode {opcode}"),
            }
        }
        Ok(())
    }
}
