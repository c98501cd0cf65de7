//! Either end of plain HTTP, byte by byte: nothing is read, sent or answered unless the test says so.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::support::{Head, Request, TIMEOUT, read_head, retry_interrupted};

/// A connection; reads and writes give up after [`TIMEOUT`].
pub(crate) struct Peer {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Orderly,
    Reset,
}

impl Peer {
    pub(crate) fn connect(address: SocketAddr) -> Peer {
        Peer::of(TcpStream::connect_timeout(&address, TIMEOUT).expect("connects"))
    }

    fn of(stream: TcpStream) -> Peer {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        let unread = Vec::new();
        Peer { stream, unread }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the bytes are taken");
    }

    /// Sends this unless the other end has gone; whether it was taken.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    pub(crate) fn request(&mut self, request: &Request) {
        self.send(request.encode());
    }

    /// The next head; the end of the stream fails the test.
    pub(crate) fn head(&mut self) -> Head {
        read_head(&mut self.stream, &mut self.unread).expect("a head before the end")
    }

    /// The next head, whose status is checked.
    pub(crate) fn answer(&mut self, status: u16) -> Head {
        let head = self.head();
        let start = format!("HTTP/1.1 {status} ");
        assert!(head.line.starts_with(&start), "{head:?}");
        head
    }

    /// An answer with this status and its body, which Content-Length bounds.
    pub(crate) fn whole_answer(&mut self, status: u16) -> (Head, Vec<u8>) {
        let head = self.answer(status);
        let len = head.header("content-length").expect("a length");
        let body = self.exactly(len.parse().unwrap());
        (head, body)
    }

    /// So many bytes.
    pub(crate) fn exactly(&mut self, len: usize) -> Vec<u8> {
        while self.unread.len() < len {
            let more = self.read().expect("more bytes before the end");
            self.unread.extend_from_slice(&more);
        }
        let rest = self.unread.split_off(len);
        std::mem::replace(&mut self.unread, rest)
    }

    /// Bytes up to and with this, unless the end comes first.
    pub(crate) fn up_to(&mut self, delimiter: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(delimiter) {
            if self.unread.is_empty() {
                self.unread = self.read().ok()?;
            }
            bytes.push(self.unread.remove(0));
        }
        Some(bytes)
    }

    /// The data of the next chunk; empty for the last one.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.exactly(1));
        }
        let size = String::from_utf8(line).unwrap();
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk's size");
        let data = self.exactly(size);
        assert_eq!(self.exactly(2), b"\r\n");
        data
    }

    /// Chunks until so many bytes have come, however they are cut.
    pub(crate) fn chunks(&mut self, len: usize) -> Vec<u8> {
        let mut data = Vec::new();
        while data.len() < len {
            let chunk = self.chunk();
            assert!(!chunk.is_empty(), "the body ended after {}", data.len());
            data.extend(chunk);
        }
        data
    }

    /// All bytes up to the end, and how it came.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, End) {
        let mut bytes = std::mem::take(&mut self.unread);
        loop {
            match self.read() {
                Ok(more) => bytes.extend(more),
                Err(end) => return (bytes, end),
            }
        }
    }

    /// Nothing comes any more.
    pub(crate) fn expect_end(&mut self) {
        let (bytes, _) = self.rest();
        assert_eq!(String::from_utf8_lossy(&bytes), "");
    }

    /// No more bytes come for a while: for what must not happen. The end may come.
    pub(crate) fn expect_end_or_silence(&mut self, time: Duration) {
        assert_eq!(String::from_utf8_lossy(&self.unread), "");
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut buffer = [0; 1024];
        if let Ok(len @ 1..) = retry_interrupted(|| self.stream.read(&mut buffer)) {
            panic!("{:?}", String::from_utf8_lossy(&buffer[..len]));
        }
        self.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    }

    /// Sends as much of this as is taken while nobody reads at the other end; how much that was.
    pub(crate) fn fill(&mut self, bytes: &[u8]) -> usize {
        let stuck = Duration::from_millis(500);
        self.stream.set_write_timeout(Some(stuck)).unwrap();
        let mut sent = 0;
        while sent < bytes.len() {
            match retry_interrupted(|| self.stream.write(&bytes[sent..])) {
                Ok(len) => sent += len,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    break;
                }
                Err(error) => panic!("after {sent} bytes: {error}"),
            }
        }
        self.stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        sent
    }

    /// A second handle on the same socket, to send while this one reads.
    pub(crate) fn sender(&self) -> Peer {
        Peer::of(self.stream.try_clone().unwrap())
    }

    /// Ends the sending side.
    pub(crate) fn end_sending(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        let socket = Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    fn read(&mut self) -> Result<Vec<u8>, End> {
        let mut buffer = vec![0; 256 * 1024];
        match retry_interrupted(|| self.stream.read(&mut buffer)) {
            Ok(0) => Err(End::Orderly),
            Ok(len) => {
                buffer.truncate(len);
                Ok(buffer)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(End::Reset),
            Err(error) => panic!("waited in vain for more bytes: {error}"),
        }
    }
}

/// More connections without a byte than the sidecar's own checks make while a test runs.
const MOST_TRIES: usize = 20;

/// A listening backend.
pub(crate) struct Origin {
    socket: Socket,
}

impl Origin {
    pub(crate) fn start() -> Origin {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        socket.listen(128).unwrap();
        Origin { socket }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap().as_socket().unwrap()
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Peer {
        self.accept_within(TIMEOUT)
            .expect("the sidecar dials the backend")
    }

    /// Nobody dials for a while: for what must not happen.
    pub(crate) fn expect_nobody(&self, time: Duration) {
        if let Some(mut peer) = self.accept_within(time) {
            panic!("the sidecar dialled and sent {:?}", peer.head());
        }
    }

    pub(crate) fn accept_within(&self, time: Duration) -> Option<Peer> {
        // Linux bounds accept by this, too.
        self.socket.set_read_timeout(Some(time)).unwrap();
        for _ in 0..MOST_TRIES {
            let peer = match retry_interrupted(|| self.socket.accept()) {
                Ok((socket, _)) => Peer::of(socket.into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("{error}"),
            };
            // One that ends without a byte only tries whether there is somebody.
            if retry_interrupted(|| peer.stream.peek(&mut [0])).expect("bytes, or the end") > 0 {
                return Some(peer);
            }
        }
        None
    }
}
