//! A great many messages in both directions at once, with pings from everybody in between: each must arrive as it was
//! sent, in its order.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

const MESSAGES: u32 = 100_000;
/// A library's ping goes in after so many messages.
const PING_EVERY: u32 = 50;
const LIMIT: Duration = Duration::from_secs(180);

/// Random numbers that both ends can draw again (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// What stands in a message is decided by who sends it and its place alone.
struct Sent {
    text: bool,
    payload: Bytes,
    random: Random,
}

fn message(sender: u64, place: u32) -> Sent {
    let mut random = Random(sender << 32 | u64::from(place));
    let bound = match random.below(1000) {
        0..4 => 64 * 1024,
        4..50 => 4 * 1024,
        _ => 200,
    };
    let size = random.below(bound + 1);
    let text = random.below(2) == 0;
    let mut payload: Vec<u8> = Vec::with_capacity(size + 8);
    while payload.len() < size {
        payload.extend(random.next().to_le_bytes());
    }
    payload.truncate(size);
    if text {
        // ASCII, so that it may be cut anywhere.
        payload.iter_mut().for_each(|byte| *byte &= 0x7f);
    }
    Sent {
        text,
        payload: payload.into(),
        random,
    }
}

impl Sent {
    /// The message as one to six frames, some of them empty by chance.
    fn frames(mut self) -> Vec<Frame> {
        let mut cuts: Vec<usize> = (0..self.random.below(6))
            .map(|_| self.random.below(self.payload.len() + 1))
            .collect();
        cuts.extend([0, self.payload.len()]);
        cuts.sort_unstable();
        let last = cuts.len() - 2;
        let frame = |(index, ends): (usize, &[usize])| {
            let kind = match (index, self.text) {
                (0, true) => Data::Text,
                (0, false) => Data::Binary,
                _ => Data::Continue,
            };
            let payload = self.payload.slice(ends[0]..ends[1]);
            Frame::message(payload, OpCode::Data(kind), index == last)
        };
        cuts.windows(2).enumerate().map(frame).collect()
    }
}

async fn send_all(sender: u64, mut sink: impl Sink<Message, Error = Error> + Unpin) {
    for place in 0..MESSAGES {
        for frame in message(sender, place).frames() {
            sink.feed(Message::Frame(frame)).await.expect("it is sent");
        }
        if place % PING_EVERY == 0 {
            let payload = Bytes::copy_from_slice(&place.to_be_bytes());
            let ping = Message::Ping(payload);
            sink.send(ping).await.expect("it is sent");
        }
    }
    sink.flush().await.expect("it is sent");
}

/// Takes all messages of `sender`; how many of our own pings were answered meanwhile.
async fn receive_all(
    sender: u64,
    mut stream: impl Stream<Item = Result<Message, Error>> + Unpin,
) -> usize {
    let (mut place, mut last_pong, mut pongs) = (0, None, 0);
    while place < MESSAGES {
        let received = stream.next().await.expect("more to come").expect("sound");
        let (text, payload) = match received {
            Message::Text(text) => (true, Bytes::from(text)),
            Message::Binary(payload) => (false, payload),
            Message::Pong(payload) => {
                assert!(
                    last_pong < Some(payload.clone()),
                    "pongs come in the order of the pings, each once"
                );
                last_pong = Some(payload);
                pongs += 1;
                continue;
            }
            Message::Ping(_) => continue,
            other => panic!("after {place} messages: {other:?}"),
        };
        let expected = message(sender, place);
        assert!(
            (text, &payload) == (expected.text, &expected.payload),
            "message {place} is another one: {} bytes, {} were sent",
            payload.len(),
            expected.payload.len()
        );
        place += 1;
    }
    pongs
}

/// Both directions of one end at once; the connection, and how many of its pings were answered.
async fn exchange(
    us: u64,
    them: u64,
    socket: WebSocketStream<TcpStream>,
) -> (WebSocketStream<TcpStream>, usize) {
    let (mut sink, mut stream) = socket.split();
    let ((), pongs) = tokio::join!(send_all(us, &mut sink), receive_all(them, &mut stream));
    (sink.reunite(stream).expect("two halves"), pongs)
}

/// The built program; killed when dropped.
struct Sidecar {
    process: Child,
    log: tokio::sync::mpsc::UnboundedReceiver<Value>,
    _folder: tempfile::TempDir,
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }
}

impl Sidecar {
    fn start(upstream: &str) -> Sidecar {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("proxy.yaml");
        let leg = json!({"ping_interval": "50ms", "pong_timeout": "60s"});
        let config = json!({
            "listen": "127.0.0.1:0",
            "upstream": format!("ws://{upstream}"),
            "heartbeat": {"check_interval": "10ms", "client": leg, "upstream": leg},
            "limits": {"pings_per_second": "off"},
            "log": {"format": "json"},
            "metrics": "off",
            "admin": "off",
        });
        std::fs::write(&path, config.to_string()).expect("JSON is YAML");
        let mut process = Command::new(env!("CARGO_BIN_EXE_sidebeat"))
            .args(["run", "-c"])
            .arg(&path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let (records, log) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let record = serde_json::from_str(&line).expect("JSON");
                let _ = records.send(record);
            }
        });
        Sidecar {
            process,
            log,
            _folder: folder,
        }
    }

    async fn event(&mut self, event: &str) -> Value {
        loop {
            let record = self.log.recv().await.expect("the sidecar lives");
            if record["event"] == event {
                return record;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_arrives_as_it_was_sent() {
    timeout(LIMIT, run()).await.expect("in time");
}

async fn run() {
    let backend = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut sidecar = Sidecar::start(&backend.local_addr().expect("bound").to_string());
    let listening = sidecar.event("listening").await;
    let address = listening["address"].as_str().expect("a string").to_owned();

    let at_backend = tokio::spawn(async move {
        let socket = loop {
            let (socket, _) = backend.accept().await.expect("the sidecar dials");
            // One that ends without a byte only tries whether there is somebody.
            if socket.peek(&mut [0]).await.expect("bytes, or the end") > 0 {
                break socket;
            }
        };
        let socket = accept_async(socket).await.expect("a handshake");
        let (mut socket, pongs) = exchange(2, 1, socket).await;
        while let Some(Ok(message)) = socket.next().await {
            assert!(!message.is_text() && !message.is_binary(), "{message:?}");
        }
        pongs
    });
    let socket = TcpStream::connect(&address).await.expect("it listens");
    let (socket, _) = client_async(format!("ws://{address}/"), socket)
        .await
        .expect("a handshake");
    let (mut socket, client_pongs) = exchange(1, 2, socket).await;
    socket.close(None).await.expect("it is sent");
    while let Some(Ok(message)) = socket.next().await {
        assert!(!message.is_text() && !message.is_binary(), "{message:?}");
    }
    let backend_pongs = at_backend.await.expect("no panic");

    let closed = sidecar.event("connection_closed").await;
    assert_eq!(closed["reason"], "client_closed", "{closed}");
    for direction in ["client_messages", "upstream_messages"] {
        assert_eq!(closed[direction], MESSAGES, "{closed}");
    }
    for sent in ["pings_sent", "upstream_pings_sent"] {
        assert!(closed[sent].as_u64() > Some(5), "{closed}");
    }
    let asked = MESSAGES / PING_EVERY;
    for (answered, pongs) in [
        ("pings_answered", client_pongs),
        ("upstream_pings_answered", backend_pongs),
    ] {
        assert_eq!(closed[answered], asked, "{closed}");
        assert!((6..=asked as usize).contains(&pongs), "{pongs}");
    }
}
