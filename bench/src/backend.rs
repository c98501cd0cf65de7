//! The backend: a WebSocket server that echoes frames as they come, on one thread, holding nothing of them.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::frames::{self, Decoder, Head, PING, PONG};

/// Payload of the frames of a burst.
const BURST_FRAME: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 * 1024]);
}

#[tokio::main(flavor = "current_thread")]
pub async fn run(listen: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            // A connection that breaks is told by the load, which sees it too.
            let _ = serve(stream).await;
        });
    }
}

async fn serve(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let path = accept(&mut stream).await?;
    if let Some(bytes) = path.strip_prefix("/burst/") {
        burst(&mut stream, bytes.parse()?).await?;
    }
    let mut echo = Echo::default();
    loop {
        stream.readable().await?;
        let out = SCRATCH.with_borrow_mut(|scratch| match stream.try_read(scratch) {
            Ok(0) => bail!("the end"),
            Ok(len) => Ok(echo.answer(&scratch[..len])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        })?;
        stream.write_all(&out).await?;
        if echo.closed {
            return Ok(());
        }
    }
}

/// Answers the opening handshake; the path that was asked for.
async fn accept(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            bail!("no whole request");
        }
    }
    let head = String::from_utf8(head)?;
    let key = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .context("no key")?;
    let accept = derive_accept_key(key.1.trim().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    let path = head.split(' ').nth(1).context("no path")?;
    Ok(path.to_owned())
}

async fn burst(stream: &mut TcpStream, bytes: usize) -> Result<()> {
    let mut frame = Vec::new();
    let head = Head {
        opcode: 2,
        is_final: true,
        mask: None,
        len: BURST_FRAME as u64,
    };
    frames::encode_head(&mut frame, &head);
    frame.resize(frame.len() + BURST_FRAME, 7);
    for _ in 0..bytes / BURST_FRAME {
        stream.write_all(&frame).await?;
    }
    Ok(())
}

#[derive(Default)]
struct Echo {
    decoder: Decoder,
    closed: bool,
}

impl Echo {
    /// The same frames without their masks; pongs for pings, nothing for pongs, a Close for a Close.
    fn answer(&mut self, mut input: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(input.len());
        while let Some(piece) = self.decoder.next(&mut input) {
            let Head { opcode, mask, .. } = piece.head;
            if opcode == PONG {
                continue;
            }
            if piece.begins {
                let opcode = if opcode == PING { PONG } else { opcode };
                let head = Head {
                    opcode,
                    mask: None,
                    ..piece.head
                };
                frames::encode_head(&mut out, &head);
            }
            let start = out.len();
            out.extend_from_slice(piece.payload);
            frames::apply_mask(&mut out[start..], mask.unwrap_or_default(), piece.offset);
            self.closed |= opcode == frames::CLOSE && piece.ends;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_unmasked_and_answers_pings() {
        let mut stream = frames::from_client(PING, b"abc");
        stream.extend(frames::from_client(PONG, b"no"));
        stream.extend([0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2]);
        stream.extend(frames::from_client(frames::CLOSE, &[3, 0xe8]));
        let mut echo = Echo::default();
        let out: Vec<u8> = stream
            .iter()
            .flat_map(|byte| echo.answer(std::slice::from_ref(byte)))
            .collect();
        assert_eq!(out, b"\x8a\x03abc\x81\x02hi\x88\x02\x03\xe8");
        assert!(echo.closed);
    }
}
