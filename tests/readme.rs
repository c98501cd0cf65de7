//! README.md and README.zh-CN.md: what they say is so.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use sidebeat::observe::HandshakeFailure;

const PATIENCE: Duration = Duration::from_secs(20);
const OPENING: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: ";

/// `sidebeat run` with a file of its own, on a free port.
struct Sidecar {
    process: Child,
    log: BufReader<ChildStdout>,
    address: String,
    _folder: tempfile::TempDir,
}

impl Sidecar {
    fn start(config: &str) -> Sidecar {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.yaml");
        std::fs::write(&path, format!("listen: 127.0.0.1:0\n{config}")).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_sidebeat"))
            .arg("-c")
            .arg(path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stdout.take().unwrap());
        let mut sidecar = Sidecar {
            process,
            log,
            address: String::new(),
            _folder: folder,
        };
        let listening = sidecar.record("listening");
        sidecar.address = listening["address"].as_str().unwrap().to_owned();
        sidecar
    }

    /// The next log line of this event.
    fn record(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "no {event}");
            let record: Value = serde_json::from_str(&line).unwrap();
            if record["event"] == event {
                return record;
            }
        }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// A backend that opens one WebSocket, answers no ping, and sends a Close frame back; its address.
fn backend() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let request = head(&mut socket);
        let key = request
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .starts_with("sec-websocket-key:")
                    .then(|| line[18..].trim())
            })
            .unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        write!(
            socket,
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .unwrap();
        // Whatever comes is the Close frame; a masked one has its payload behind four bytes of key.
        let frame = frame(&mut socket);
        let close = [&[0x88, frame.len() as u8][..], &frame].concat();
        let _ = socket.write_all(&close);
        let _ = socket.read(&mut [0]);
    });
    address
}

/// The next frame's payload, unmasked; all of these are small.
fn frame(socket: &mut TcpStream) -> Vec<u8> {
    let mut start = [0; 2];
    socket.read_exact(&mut start).unwrap();
    let mut key = [0; 4];
    if start[1] & 0x80 != 0 {
        socket.read_exact(&mut key).unwrap();
    }
    let mut payload = vec![0; usize::from(start[1] & 0x7f)];
    socket.read_exact(&mut payload).unwrap();
    payload
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect()
}

#[test]
fn a_silent_client_is_told_and_the_record_says_how_long_it_was_silent() {
    let config = format!(
        "upstream: ws://{}\nheartbeat: {{check_interval: 10ms, client: {{idle_time: 300ms, ping_interval: off}}, \
         upstream: {{keepalive: off}}}}\n",
        backend()
    );
    let mut sidecar = Sidecar::start(&config);
    let mut client = sidecar.connect();
    write!(client, "{OPENING}13\r\n\r\n").unwrap();
    assert!(head(&mut client).starts_with("HTTP/1.1 101"));
    let close = frame(&mut client);
    assert_eq!(&close, b"\x03\xe9idle timeout");
    client
        .write_all(&[&[0x88, 0x80 | 14, 0, 0, 0, 0][..], &close].concat())
        .unwrap();
    drop(client);

    let record = sidecar.record("connection_closed");
    assert_eq!(record["reason"], "client_idle");
    assert_eq!(record["client_close"]["received"]["code"], 1001);
    // The answers to the Close frames do not count.
    for silence in ["client_idle_ms", "upstream_idle_ms"] {
        assert!(record[silence].as_u64().unwrap() >= 300, "{record}");
    }
}

#[test]
fn the_record_has_the_status_that_the_client_got() {
    let mut sidecar = Sidecar::start("upstream: ws://127.0.0.1:1\n");
    let mut client = sidecar.connect();
    write!(client, "{OPENING}12\r\n\r\n").unwrap();
    assert!(head(&mut client).starts_with("HTTP/1.1 426 "));
    let record = sidecar.record("handshake_failed");
    assert_eq!(record["reason"], "client_bad_handshake");
    assert_eq!(record["status"], 426);
}

#[test]
fn a_client_without_a_request_gets_no_answer() {
    let mut sidecar =
        Sidecar::start("upstream: ws://127.0.0.1:1\nlimits: {handshake_timeout: 100ms}\n");
    let mut answer = Vec::new();
    sidecar.connect().read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"");
    let record = sidecar.record("handshake_failed");
    assert_eq!(record["reason"], "client_timeout");
    assert_eq!(record["status"], Value::Null);
    assert_eq!(HandshakeFailure::ClientTimeout.status(), None);
}
