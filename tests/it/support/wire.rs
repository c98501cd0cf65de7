//! A socket that speaks frames, from either side.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Answer, Frame, Request, Sidecar, TIMEOUT, op, retry_interrupted};

/// What can be read from a [`Wire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A whole frame.
    Frame(Frame),
    /// The peer ended the stream; with the bytes of a frame that it did not finish.
    End(Vec<u8>),
    /// The peer reset the connection.
    Reset,
}

/// One end of a WebSocket connection. Reads and writes give up after [`TIMEOUT`], and the test fails.
pub(crate) struct Wire {
    socket: Socket,
    unread: Vec<u8>,
    masks: bool,
}

impl Wire {
    /// A client's socket, connected and nothing more.
    pub(crate) fn connect(address: SocketAddr) -> Wire {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket
            .connect_timeout(&address.into(), TIMEOUT)
            .unwrap_or_else(|error| panic!("{address}: {error}"));
        Wire::new(socket, true)
    }

    /// The same over a Unix socket.
    pub(crate) fn connect_unix(path: &Path) -> Wire {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket
            .connect(&SockAddr::unix(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Wire::new(socket, true)
    }

    /// A client whose connection is open.
    pub(crate) fn open(sidecar: &Sidecar, request: &Request) -> Wire {
        let mut wire = Wire::connect(sidecar.address());
        let answer = wire.ask(request);
        assert_eq!(answer.status, 101, "{answer:?}");
        wire
    }

    /// Wraps an accepted or connected socket; `masks`: it is a client's.
    pub(crate) fn new(socket: Socket, masks: bool) -> Wire {
        // Unix sockets have no such delay to turn off.
        let _ = socket.set_tcp_nodelay(true);
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        socket.set_write_timeout(Some(TIMEOUT)).unwrap();
        Wire {
            socket,
            unread: Vec::new(),
            masks,
        }
    }

    /// Bytes that were read before, with a head.
    pub(crate) fn with_unread(mut self, unread: Vec<u8>) -> Wire {
        self.unread = unread;
        self
    }

    /// The socket itself.
    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Whether this is a client's end.
    pub(crate) fn masks(&self) -> bool {
        self.masks
    }

    /// This end's address, as the peer sees it.
    pub(crate) fn local_address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap().as_socket().unwrap()
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        self.send(&request.encode());
        self.answer()
    }

    /// Reads an answer; bytes behind it are kept for the frames.
    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_or_end().expect("an answer before the end")
    }

    /// The same from a peer that may end the connection without one.
    pub(crate) fn answer_or_end(&mut self) -> Option<Answer> {
        Answer::read(&mut self.socket, &mut self.unread)
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the bytes are taken");
    }

    /// Sends bytes as they are, to a peer that may be gone.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Sends byte after byte with a pause in between, so that each is a segment and a read of its own.
    pub(crate) fn send_slowly(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.send(&[*byte]);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends a frame, masked if this is a client.
    pub(crate) fn send_frame(&mut self, frame: &Frame) {
        self.send(&self.encode(frame));
    }

    /// A frame as [`Wire::send_frame`] puts it on the wire.
    pub(crate) fn encode(&self, frame: &Frame) -> Vec<u8> {
        frame.encode(self.masks.then_some([0x5a, 0x01, 0xfe, 0x33]))
    }

    /// Sends a text message.
    pub(crate) fn text(&mut self, text: &str) {
        self.send_frame(&Frame::text(text));
    }

    /// The next frame or the end.
    pub(crate) fn receive(&mut self) -> Received {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some((frame, masked)) = Frame::take(&mut self.unread) {
                assert_ne!(masked, self.masks, "masked by the wrong side: {frame:?}");
                return Received::Frame(frame);
            }
            match retry_interrupted(|| self.socket.read(&mut buffer)) {
                Ok(0) => return Received::End(std::mem::take(&mut self.unread)),
                Ok(len) => self.unread.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Received::Reset,
                Err(error) => panic!(
                    "waited in vain for a frame, with {} bytes read: {error}",
                    self.unread.len()
                ),
            }
        }
    }

    /// The next frame; the end of the stream fails the test.
    pub(crate) fn frame(&mut self) -> Frame {
        match self.receive() {
            Received::Frame(frame) => frame,
            other => panic!("{other:?} instead of a frame"),
        }
    }

    /// The next frame that is no ping or pong.
    pub(crate) fn frame_but_heartbeats(&mut self) -> Frame {
        loop {
            let frame = self.frame();
            if !matches!(frame.opcode, op::PING | op::PONG) {
                return frame;
            }
        }
    }

    /// The next frame, which has to be this one.
    pub(crate) fn expect(&mut self, frame: &Frame) {
        assert_eq!(self.frame(), *frame);
    }

    /// The next frame but heartbeats, which has to be a Close; its code and reason.
    pub(crate) fn expect_close(&mut self) -> Option<(u16, String)> {
        self.frame_but_heartbeats().close_code()
    }

    /// The same with a known code and reason.
    pub(crate) fn expect_close_with(&mut self, code: u16, reason: &str) {
        assert_eq!(self.expect_close(), Some((code, reason.to_owned())));
    }

    /// Echoes a Close frame and waits for the end, as a polite peer does.
    pub(crate) fn answer_close(&mut self) -> Option<(u16, String)> {
        let frame = self.frame_but_heartbeats();
        let close = frame.close_code();
        self.send_frame(&frame);
        close
    }

    /// The stream ends here, in good order and with nothing before; ends the other direction too.
    pub(crate) fn expect_end(&mut self) {
        assert_eq!(self.receive(), Received::End(Vec::new()));
        self.end_sending();
    }

    /// Reads bytes as they come, until there are `len`.
    pub(crate) fn read_exactly(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.unread);
        let mut buffer = vec![0; 256 * 1024];
        while bytes.len() < len {
            let read = retry_interrupted(|| self.socket.read(&mut buffer)).expect("more bytes");
            assert!(read > 0, "the stream ended after {} of {len}", bytes.len());
            bytes.extend_from_slice(&buffer[..read]);
        }
        self.unread = bytes.split_off(len);
        bytes
    }

    /// Nothing at all comes within `time`: for what must not happen.
    pub(crate) fn expect_silence(&mut self, time: Duration) {
        assert!(self.unread.is_empty(), "{:?}", self.unread);
        let end = Instant::now() + time;
        let mut buffer = [0; 1024];
        let read = retry_interrupted(|| {
            let left = end.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(left))?;
            self.socket.read(&mut buffer)
        });
        match read {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            other => panic!("{other:?} {:?} instead of silence", &buffer[..64]),
        }
        self.socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    }

    /// Ends this direction and goes on reading.
    pub(crate) fn end_sending(&self) {
        // The peer may have ended everything already.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Resets the connection (RST).
    pub(crate) fn reset(self) {
        self.socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Makes this end's receive buffer as small as the system lets it.
    pub(crate) fn read_slowly(&self) {
        self.set_receive_buffer(1);
    }

    /// How many bytes the system keeps for this end; it has bounds of its own.
    pub(crate) fn set_receive_buffer(&self, bytes: usize) {
        self.socket.set_recv_buffer_size(bytes).unwrap();
    }
}
