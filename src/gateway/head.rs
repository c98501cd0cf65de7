//! The first request head of a connection, read before hyper is involved.
//!
//! A connection that sends nothing, or its head byte by byte, costs only its task and the bytes that arrived; hyper
//! would allocate a buffer of 8 KiB at once. A head that is complete, too long or certainly no request is handed to
//! hyper, which answers it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use crate::net::http_connections::Place;
use crate::net::stream::Stream;

/// The size of one read.
const READ: usize = 16 * 1024;
/// How many header lines are parsed to find out whether the bytes are a request at all.
const LINES: usize = 64;

thread_local! {
    /// Contains nothing between two polls.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// The first head, and what followed it.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// All that was read.
    pub(crate) bytes: Vec<u8>,
    /// Where the head ends: as far as hyper is to read before anything else is clear.
    pub(crate) end: usize,
}

impl Head {
    /// Whether it looks like that of an opening handshake.
    pub(crate) fn is_opening(&self) -> bool {
        const KEY: &[u8] = b"sec-websocket-key:";
        let mut lines = self.bytes[..self.end].split(|byte| *byte == b'\n');
        lines.any(|line| {
            line.get(..KEY.len())
                .is_some_and(|name| name.eq_ignore_ascii_case(KEY))
        })
    }

    /// How many lines it has.
    pub(crate) fn lines(&self) -> usize {
        let newlines = self.bytes[..self.end].iter().filter(|byte| **byte == b'\n');
        newlines.count()
    }
}

/// Reads until the head is whole, longer than `max`, or no request. None: the client ended its side before it had
/// sent anything.
///
/// # Errors
/// The connection failed, or ended inside the head.
pub(crate) async fn read(stream: &Stream, place: &Place, max: usize) -> io::Result<Option<Head>> {
    let mut bytes = Vec::new();
    poll_fn(|cx| poll(cx, stream, place, max, &mut bytes)).await
}

fn poll(
    cx: &mut Context<'_>,
    stream: &Stream,
    place: &Place,
    max: usize,
    bytes: &mut Vec<u8>,
) -> Poll<io::Result<Option<Head>>> {
    BUFFER.with_borrow_mut(|buffer| {
        loop {
            let mut read = ReadBuf::new(buffer);
            ready!(stream.poll_read_shared(cx, &mut read))?;
            let before = bytes.len();
            if read.filled().is_empty() {
                return Poll::Ready(match before {
                    0 => Ok(None),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                });
            }
            let has_grown = bytes.capacity() - before < read.filled().len();
            if has_grown {
                // Doubled, but never far beyond the longest head.
                let double = before.min(max.saturating_sub(before));
                bytes.reserve_exact(read.filled().len().max(double));
            }
            bytes.extend_from_slice(read.filled());
            let end = end_of_head(bytes, before);
            let is_no_request = before == 0 && end.is_none() && is_no_request(bytes);
            if end.is_some() || is_no_request || bytes.len() >= max {
                let end = end.unwrap_or(bytes.len());
                let bytes = std::mem::take(bytes);
                return Poll::Ready(Ok(Some(Head { bytes, end })));
            }
            if has_grown {
                place.hold(bytes.capacity());
            }
        }
    })
}

/// Where the empty line ends that ends a head (RFC 9112 section 2.1). `seen`: so many bytes were looked at already.
/// Empty lines in front of the request are no end of it (section 2.2), and a bare LF is an end of a line as CRLF is.
fn end_of_head(bytes: &[u8], seen: usize) -> Option<usize> {
    let is_newline = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let first = bytes.iter().position(|byte| !is_newline(byte))?;
    let from = seen.saturating_sub(3).max(first);
    let ends = bytes[from..]
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    for (offset, _) in ends {
        let next = from + offset + 1;
        match bytes[next..] {
            [b'\n', ..] => return Some(next + 1),
            [b'\r', b'\n', ..] => return Some(next + 2),
            _ => {}
        }
    }
    None
}

/// Whether this cannot become a request: TLS, or another protocol. Waiting for more would be waiting in vain.
fn is_no_request(bytes: &[u8]) -> bool {
    let mut lines = [httparse::EMPTY_HEADER; LINES];
    let parsed = httparse::Request::new(&mut lines).parse(bytes);
    parsed.is_err_and(|error| error != httparse::Error::TooManyHeaders)
}

#[cfg(test)]
mod tests;
