//! A backend that answers opening handshakes as it is told.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Head, TIMEOUT, Wire, read_head};

/// How an opening handshake is answered.
#[derive(Clone)]
pub(crate) struct Handshake {
    kind: Kind,
    headers: Vec<(String, String)>,
    behind: Vec<u8>,
    delay: Duration,
}

#[derive(Clone)]
enum Kind {
    Accept,
    WrongAccept,
    WithoutUpgrade,
    Raw(Vec<u8>),
    Silent,
}

impl Handshake {
    fn of(kind: Kind) -> Handshake {
        Handshake {
            kind,
            headers: Vec::new(),
            behind: Vec::new(),
            delay: Duration::ZERO,
        }
    }

    /// A right 101.
    pub(crate) fn accept() -> Handshake {
        Handshake::of(Kind::Accept)
    }

    /// A 101 whose Sec-WebSocket-Accept belongs to another key.
    pub(crate) fn wrong_accept() -> Handshake {
        Handshake::of(Kind::WrongAccept)
    }

    /// A 101 that does not say what it switches to.
    pub(crate) fn without_upgrade() -> Handshake {
        Handshake::of(Kind::WithoutUpgrade)
    }

    /// These bytes whatever was asked.
    pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Handshake {
        Handshake::of(Kind::Raw(bytes.as_ref().to_vec()))
    }

    /// No answer at all, the socket stays open.
    pub(crate) fn silent() -> Handshake {
        Handshake::of(Kind::Silent)
    }

    /// One header more.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Handshake {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Bytes that follow the head in the same segment.
    pub(crate) fn followed_by(mut self, bytes: &[u8]) -> Handshake {
        self.behind.extend_from_slice(bytes);
        self
    }

    /// Answers this much later.
    pub(crate) fn after(mut self, delay: Duration) -> Handshake {
        self.delay = delay;
        self
    }

    fn encode(&self, request: &Head) -> Vec<u8> {
        let key = request.header("sec-websocket-key").unwrap_or_default();
        let accept = match self.kind {
            Kind::WrongAccept => derive_accept_key(b"AAAAAAAAAAAAAAAAAAAAAA=="),
            _ => derive_accept_key(key.as_bytes()),
        };
        let mut out = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
        match &self.kind {
            Kind::Raw(bytes) => return bytes.clone(),
            Kind::Silent => return Vec::new(),
            Kind::WithoutUpgrade => {}
            Kind::Accept | Kind::WrongAccept => {
                out.push_str("Upgrade: websocket\r\nConnection: Upgrade\r\n");
            }
        }
        out.push_str(&format!("Sec-WebSocket-Accept: {accept}\r\n"));
        for (name, value) in &self.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        out.extend_from_slice(&self.behind);
        out
    }
}

/// A connection that a backend has answered.
pub(crate) struct Accepted {
    /// The request as it came from the sidecar.
    pub(crate) head: Head,
    /// The socket behind it.
    pub(crate) wire: Wire,
}

/// A listening backend.
pub(crate) struct Backend {
    place: Place,
    accepted: Mutex<Receiver<Accepted>>,
    dialled: Arc<AtomicUsize>,
    empty: Arc<AtomicUsize>,
    handshake: Arc<Mutex<Handshake>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Backend {
    /// Accepts every opening handshake; the test takes the sockets from [`Backend::accept`].
    pub(crate) fn start() -> Backend {
        Backend::answering(Handshake::accept())
    }

    /// Answers as told.
    pub(crate) fn answering(handshake: Handshake) -> Backend {
        Backend::on("127.0.0.1:0".parse().unwrap(), handshake)
    }

    /// On an address of the test's choice.
    pub(crate) fn on(address: SocketAddr, handshake: Handshake) -> Backend {
        Backend::on_reserved(Backend::reserve(address), handshake)
    }

    /// A socket that keeps its address to itself and refuses connections, until it becomes a backend.
    pub(crate) fn reserve(address: SocketAddr) -> Socket {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.bind(&address.into()).unwrap();
        socket
    }

    /// On an address that was reserved before.
    pub(crate) fn on_reserved(socket: Socket, handshake: Handshake) -> Backend {
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Backend::serve(socket, Place::Tcp(address), handshake)
    }

    /// On a Unix socket.
    pub(crate) fn on_unix(path: &Path, handshake: Handshake) -> Backend {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::unix(path).unwrap()).unwrap();
        Backend::serve(socket, Place::Unix(path.to_owned()), handshake)
    }

    /// Runs a script for every connection on a thread of its own, until the backend is dropped. A script that panics
    /// only ends its connection: assert in the test, on what the client sees.
    pub(crate) fn scripted(script: impl Fn(Accepted) + Send + Sync + 'static) -> Arc<Backend> {
        let backend = Arc::new(Backend::start());
        let (weak, script) = (Arc::downgrade(&backend), Arc::new(script));
        std::thread::spawn(move || {
            while let Some(backend) = weak.upgrade() {
                if let Some(accepted) = backend.accept_within(Duration::from_millis(50)) {
                    let script = Arc::clone(&script);
                    std::thread::spawn(move || script(accepted));
                }
            }
        });
        backend
    }

    /// Sends every data message back and answers pings and Close frames.
    pub(crate) fn echo() -> Arc<Backend> {
        Backend::scripted(|Accepted { mut wire, .. }| {
            use super::{Frame, Received, op};
            while let Received::Frame(frame) = wire.receive() {
                let answer = match frame.opcode {
                    op::PING => Frame::pong(&frame.payload),
                    op::PONG => continue,
                    _ => frame.clone(),
                };
                if wire.try_send(&wire.encode(&answer)).is_err() || frame.opcode == op::CLOSE {
                    return;
                }
            }
        })
    }

    fn serve(listener: Socket, place: Place, handshake: Handshake) -> Backend {
        listener.listen(1024).unwrap();
        let handshake = Arc::new(Mutex::new(handshake));
        let (dialled, empty, ended) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (sender, accepted) = mpsc::channel();
        let thread = std::thread::spawn({
            let (handshake, dialled, empty, ended) = (
                Arc::clone(&handshake),
                Arc::clone(&dialled),
                Arc::clone(&empty),
                Arc::clone(&ended),
            );
            move || {
                while let Ok((socket, _)) = listener.accept() {
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let (sender, dialled) = (sender.clone(), Arc::clone(&dialled));
                    let empty = Arc::clone(&empty);
                    let handshake = handshake.lock().unwrap().clone();
                    std::thread::spawn(move || match answer(socket, &handshake, &dialled) {
                        Some(accepted) => {
                            // The test may be over.
                            let _ = sender.send(accepted);
                        }
                        None => {
                            empty.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                }
            }
        });
        Backend {
            place,
            accepted: Mutex::new(accepted),
            dialled,
            empty,
            handshake,
            ended,
            thread: Some(thread),
        }
    }

    /// As `upstream:` wants it.
    pub(crate) fn url(&self) -> String {
        match &self.place {
            Place::Tcp(address) => format!("ws://{address}"),
            Place::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    /// As the log has it.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::Tcp(address) => address.to_string(),
            Place::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    /// How many connections have brought a request, answered or not: those that only try whether there is somebody do
    /// not.
    pub(crate) fn dialled(&self) -> usize {
        self.dialled.load(Ordering::SeqCst)
    }

    /// How many connections have ended without a request.
    pub(crate) fn empty_connections(&self) -> usize {
        self.empty.load(Ordering::SeqCst)
    }

    /// Answers differently from now on.
    pub(crate) fn answer_with(&self, handshake: Handshake) {
        *self.handshake.lock().unwrap() = handshake;
    }

    /// The next connection that was answered.
    pub(crate) fn accept(&self) -> Accepted {
        self.accept_within(TIMEOUT)
            .expect("the sidecar dials the backend")
    }

    fn accept_within(&self, time: Duration) -> Option<Accepted> {
        self.accepted.lock().unwrap().recv_timeout(time).ok()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, so that the port is free when this returns.
        let woken = match &self.place {
            Place::Tcp(address) => std::net::TcpStream::connect(address).is_ok(),
            Place::Unix(path) => std::os::unix::net::UnixStream::connect(path).is_ok(),
        };
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn answer(socket: Socket, handshake: &Handshake, dialled: &AtomicUsize) -> Option<Accepted> {
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let (mut reader, mut behind) = (socket, Vec::new());
    let head = read_head(&mut reader, &mut behind)?;
    dialled.fetch_add(1, Ordering::SeqCst);
    std::thread::sleep(handshake.delay);
    let mut wire = Wire::new(reader, false).with_unread(behind);
    // A sidecar that has given up is part of some tests.
    let _ = wire.try_send(&handshake.encode(&head));
    Some(Accepted { head, wire })
}
