//! The relay over sockets in memory and in virtual time. It is polled only when it was woken, so that a waker that is
//! not left behind shows as a conversation that stops.

mod backpressure;
mod closing;
mod ends;
mod floods;
mod integrity;
mod measuring;
mod pings;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::protocol::{
    Close, Control, ControlKind, ControlPayload, Data, FrameReader, OpCode, Rules, Step,
    apply_mask, encode_frame,
};
use crate::session::Cause;
use crate::session::policy::{Activity, AnswerPings, Heartbeat, Limits, Policy, Probe, ProbeKind};
use crate::telemetry::{Beginning, Command, Identity};
use wire::{Ended, Peer, Stream, connection};

const CLIENT: Leg = Leg::Client;
const UPSTREAM: Leg = Leg::Upstream;
const SCRATCH: usize = 4096;
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

fn policy() -> Policy {
    let heartbeat = || Heartbeat {
        idle_time: None,
        activity: Activity::Frame,
        probe: None,
        answer_pings: AnswerPings::Local,
        idle_notice: None,
    };
    Policy {
        app: Arc::default(),
        check_interval: Duration::from_secs(1),
        client: heartbeat(),
        upstream: heartbeat(),
        limits: Limits {
            max_frame: None,
            max_message: None,
            write_stall_timeout: Some(Duration::from_secs(30)),
            close_timeout: CLOSE_TIMEOUT,
            max_lifetime: None,
            pings_per_second: None,
            messages_per_second: None,
            validate_utf8: false,
        },
        close: Vec::new(),
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Bench {
    relay: Relay<Stream>,
    timer: Pin<Box<Sleep>>,
    scratch: Vec<u8>,
    woken: Arc<Flag>,
    done: bool,
    client: Peer,
    upstream: Peer,
    handle: Arc<Handle>,
}

impl Bench {
    fn new(policy: Policy) -> Self {
        Bench::with_manners(policy, None)
    }

    fn with_manners(policy: Policy, seed: Option<u64>) -> Self {
        let (client_io, client) = connection(seed);
        let (upstream_io, upstream) = connection(seed.map(|seed| !seed));
        let identity = Identity {
            conn: "c".into(),
            request_id: "r".into(),
            client: "client".into(),
            headers: None,
            route: "default".into(),
            host: "host".into(),
            path: "/".into(),
            subprotocol: None,
            upstream: "upstream".into(),
        };
        let clock = Clock::start();
        let beginning = Beginning {
            opened: clock.now(),
            opened_at: std::time::SystemTime::UNIX_EPOCH,
            compressed: false,
        };
        let handle = Arc::new(Handle::new(identity, beginning, None, &Arc::default()));
        let session = Session::new(Arc::new(policy), 0x0123_4567_89ab_cdef, clock.now());
        let relay = Relay::new(
            PerLeg::new(client_io, upstream_io),
            session,
            Arc::clone(&handle),
            clock,
            Extensions::default(),
        );
        let mut bench = Bench {
            relay,
            timer: Box::pin(tokio::time::sleep_until(
                Instant::now() + Duration::from_secs(3600),
            )),
            scratch: vec![0; SCRATCH],
            woken: Arc::new(Flag(AtomicBool::new(true))),
            done: false,
            client,
            upstream,
            handle,
        };
        bench.settle();
        bench
    }

    /// Polls for as long as it is woken.
    fn settle(&mut self) {
        for _ in 0..20_000 {
            if self.done || !self.woken.0.swap(false, Ordering::Relaxed) {
                return;
            }
            let waker = Waker::from(Arc::clone(&self.woken));
            let mut cx = Context::from_waker(&waker);
            self.done = self
                .relay
                .poll(&mut cx, self.timer.as_mut(), &mut self.scratch)
                .is_ready();
        }
        panic!("woken without end");
    }

    /// Time passes.
    async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.settle();
        while !self.done && Instant::now() < end {
            tokio::time::advance(Duration::from_millis(250).min(end - Instant::now())).await;
            self.settle();
        }
    }

    fn peer(&mut self, leg: Leg) -> &mut Peer {
        match leg {
            Leg::Client => &mut self.client,
            Leg::Upstream => &mut self.upstream,
        }
    }

    fn send(&mut self, from: Leg, bytes: &[u8]) {
        self.peer(from).send(bytes);
        self.settle();
    }

    /// Both peers take what has come until nothing more does.
    fn exchange(&mut self) {
        loop {
            let before = self.client.got.len() + self.upstream.got.len();
            self.client.receive();
            self.upstream.receive();
            self.settle();
            if before == self.client.got.len() + self.upstream.got.len() {
                return;
            }
        }
    }

    /// All that a peer has got, which must be frames that a peer may get.
    fn heard(&mut self, leg: Leg) -> Vec<Heard> {
        self.exchange();
        let (heard, boundary) = decode(leg, &self.peer(leg).got);
        assert_ne!(boundary, Boundary::None, "ends inside a frame");
        heard
    }

    fn cause(&self) -> Option<Cause> {
        self.relay.session().ending().map(|ending| ending.cause)
    }

    fn terminate(&mut self) {
        self.handle.send(Command::Terminate {
            cause: Cause::Killed,
            close: Close::new(1001, "bye"),
            detail: String::new(),
        });
        self.settle();
    }

    #[track_caller]
    fn assert_owns_nothing(&self) {
        for leg_io in self.relay.legs.iter() {
            assert!(leg_io.out.owns_nothing(), "{:?}", leg_io.out);
            assert_eq!(leg_io.held.capacity(), 0);
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Message(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Close),
}

/// What a peer understands, and where it ends; nothing may follow a Close frame.
#[track_caller]
fn decode(to: Leg, bytes: &[u8]) -> (Vec<Heard>, Boundary) {
    let sender = match to {
        Leg::Client => Role::Server,
        Leg::Upstream => Role::Client,
    };
    let rules = Rules {
        max_frame: u64::MAX,
        max_message: u64::MAX,
        deflate: false,
        validate_utf8: false,
        whole: 0,
    };
    let mut reader = FrameReader::new(sender);
    let (mut heard, mut message, mut at) = (Vec::new(), Vec::new(), 0);
    loop {
        let rest = &bytes[at..];
        match reader.next(rest, &rules).expect("valid frames") {
            Step::Data {
                len,
                payload,
                ends_message,
            } => {
                let start = len - payload;
                let mut plain = rest[start..len].to_vec();
                if sender == Role::Client {
                    let key = rest[start - 4..start].try_into().expect("four bytes");
                    apply_mask(&mut plain, key, 0);
                }
                message.extend(plain);
                at += len;
                if ends_message {
                    heard.push(Heard::Message(std::mem::take(&mut message)));
                }
            }
            Step::Message { .. } => panic!("none is told whole"),
            Step::Control {
                len,
                kind,
                start,
                mask,
            } => {
                let payload = ControlPayload::unmasked(&rest[start..len], mask);
                at += len;
                heard.push(match kind {
                    ControlKind::Ping => Heard::Ping(payload.to_vec()),
                    ControlKind::Pong => Heard::Pong(payload.to_vec()),
                    ControlKind::Close => {
                        assert_eq!(bytes.len(), at, "something follows a Close frame");
                        Heard::Close(Close::parse(&payload).expect("a valid Close frame"))
                    }
                });
            }
            Step::Incomplete => {
                let boundary = if rest.is_empty() {
                    reader.boundary()
                } else {
                    Boundary::None
                };
                return (heard, boundary);
            }
        }
    }
}

fn frame(from: Leg, opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let mask = (from == CLIENT).then_some([0x11, 0x22, 0x33, 0x44]);
    let mut bytes = Vec::new();
    encode_frame(&mut bytes, opcode, payload, mask);
    bytes
}

fn text(from: Leg, payload: &[u8]) -> Vec<u8> {
    frame(from, OpCode::Data(Data::Text), payload)
}

/// A frame that begins or continues a message without ending it, or ends one.
fn fragment(from: Leg, opcode: Data, fin: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame(from, OpCode::Data(opcode), payload);
    bytes[0] = bytes[0] & 0x7f | u8::from(fin) << 7;
    bytes
}

fn ping(from: Leg, payload: &[u8]) -> Vec<u8> {
    frame(from, OpCode::Control(Control::Ping), payload)
}

fn pong(from: Leg, payload: &[u8]) -> Vec<u8> {
    frame(from, OpCode::Control(Control::Pong), payload)
}

fn close(from: Leg, close: &Close) -> Vec<u8> {
    let mut payload = Vec::new();
    close.write_payload(&mut payload);
    frame(from, OpCode::Control(Control::Close), &payload)
}

fn message(payload: &[u8]) -> Heard {
    Heard::Message(payload.to_vec())
}
