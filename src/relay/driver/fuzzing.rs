//! The whole relay against sockets that fail in any way and order, driven by the bytes of an input.
//!
//! It is polled only when it was woken. Whatever an input does: no panic; what arrives is what was sent, in order and
//! as far as it came, with frames of the sidecar's own only where a frame may begin; the cause is set once; no poll
//! follows another without anything to do; a connection at rest holds nothing; an end is reached in bounded time.

mod frames;
mod input;
mod socket;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, Sleep};

use self::input::{Input, Operation};
use self::socket::{End, Ended, Shared};
use super::Relay;
use crate::leg::Leg;
use crate::net::clock::Clock;
use crate::per_leg::PerLeg;
use crate::protocol::{Close, Extensions};
use crate::session::policy::Policy;
use crate::session::{Cause, Session};
use crate::telemetry::{Beginning, Command, Handle, Identity};

/// Polls in a row that neither moved a byte nor had to wait for one: timers that are set anew need a few.
const MAX_FUTILE_POLLS: u32 = 8;
/// Longer than every timeout of `POLICIES` and two closing handshakes.
const END: Duration = Duration::from_secs(60);

/// What a connection may be told to do; an input chooses.
static POLICIES: LazyLock<Vec<Arc<Policy>>> = LazyLock::new(|| {
    let settings = [
        "",
        "heartbeat: {client: {ping_interval: off}, upstream: {keepalive: off}}",
        "heartbeat: {client: {idle_time: 2s, ping_interval: 1s, pong_timeout: 500ms}, upstream: {ping_interval: 1s, pong_timeout: 500ms}}",
        "heartbeat: {client: {idle_time: 9s, activity: message, idle_notice: {before: 4s, text: 'sidecar: idle'}}, upstream: {keepalive: {text: 'sidecar: alive?'}, ping_interval: 2s}}",
        "heartbeat: {client: {answer_pings: forward}, upstream: {answer_pings: forward, keepalive: pong}}",
        "heartbeat: {app: [{name: a, match: {text: ping}, reply: 'sidecar: pong'}]}",
        "heartbeat: {app: [{name: a, match: {text: ping}, reply: 'sidecar: pong', forward: every 3s}], upstream: {idle_time: 5s}}",
        "limits: {max_frame: 300, max_message: 500, pings_per_second: 3, validate_utf8: on, write_stall_timeout: 4s, close_timeout: 2s, max_lifetime: 20s}",
    ];
    settings.iter().map(|settings| policy(settings)).collect()
});

fn policy(settings: &str) -> Arc<Policy> {
    let text = format!("listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2\n{settings}\n");
    match crate::config::parse(&text, "fuzz", &|_| None) {
        Ok(loaded) => Arc::clone(&loaded.config.default.policy),
        Err(problems) => panic!("{settings}: {problems:?}"),
    }
}

/// What may have been negotiated: nothing; compression with a context; without.
fn extensions(choice: u8) -> Extensions {
    match choice % 3 {
        0 => Extensions::default(),
        1 => Extensions::deflate(false, false),
        _ => Extensions::deflate(true, true),
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Driver {
    relay: Relay<End>,
    timer: Pin<Box<Sleep>>,
    scratch: Vec<u8>,
    woken: Arc<Flag>,
    done: bool,
    handle: Arc<Handle>,
    sockets: PerLeg<Shared>,
    /// All that each peer ever sent.
    sent: PerLeg<Vec<u8>>,
    deflate: bool,
    cause: Option<Cause>,
}

impl Driver {
    fn new(input: &mut Input<'_>) -> Driver {
        let policy = Arc::clone(&POLICIES[usize::from(input.byte()) % POLICIES.len()]);
        let extensions = extensions(input.byte());
        let sockets = PerLeg::from_fn(|_| Shared::new());
        let clock = Clock::start();
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
        let beginning = Beginning {
            opened: clock.now(),
            opened_at: SystemTime::UNIX_EPOCH,
            compressed: extensions.deflate,
        };
        let process_stats = Arc::default();
        let handle = Arc::new(Handle::new(identity, beginning, None, &process_stats));
        let seed = u64::from(input.byte()) << 56 | 0x0023_4567_89ab_cdef;
        let relay = Relay::new(
            PerLeg::from_fn(|leg| End(sockets[leg].clone())),
            Session::new(policy, seed, clock.now()),
            Arc::clone(&handle),
            clock,
            extensions,
        );
        let far = Instant::now() + Duration::from_secs(3600);
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        let mut driver = Driver {
            relay,
            timer: Box::pin(tokio::time::sleep_until(far)),
            scratch: vec![0; 36 * 1024],
            woken,
            done: false,
            handle,
            sockets,
            sent: PerLeg::default(),
            deflate: extensions.deflate,
            cause: None,
        };
        driver.read_ahead(input);
        driver.settle();
        driver
    }

    /// What came behind the heads of the opening handshake.
    fn read_ahead(&mut self, input: &mut Input<'_>) {
        for leg in Leg::BOTH {
            let bytes = if input.byte() > 0xf0 {
                input.frame(leg)
            } else {
                Vec::new()
            };
            self.sent[leg].extend(&bytes);
            let waker = Waker::from(Arc::clone(&self.woken));
            self.relay
                .read_ahead(&mut Context::from_waker(&waker), leg, &bytes);
        }
    }

    fn progress(&self) -> u64 {
        let progress = |socket: &Shared| socket.look(|socket| socket.progress);
        self.sockets.iter().map(progress).sum()
    }

    /// Polls for as long as it is woken.
    fn settle(&mut self) {
        let mut futile = 0;
        while !self.done && self.woken.0.swap(false, Ordering::Relaxed) {
            let before = self.progress();
            let waker = Waker::from(Arc::clone(&self.woken));
            let mut cx = Context::from_waker(&waker);
            let polled = self
                .relay
                .poll(&mut cx, self.timer.as_mut(), &mut self.scratch);
            self.done = polled.is_ready();
            futile = if self.progress() == before {
                futile + 1
            } else {
                0
            };
            assert!(
                futile <= MAX_FUTILE_POLLS,
                "woken again and again for nothing"
            );
        }
        let cause = self.relay.session().ending().map(|ending| ending.cause);
        assert!(
            self.cause.is_none() || self.cause == cause,
            "the cause changed"
        );
        self.cause = cause;
    }

    async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.settle();
        while !self.done && Instant::now() < end {
            let step = Duration::from_secs(1).min(end - Instant::now());
            tokio::time::advance(step).await;
            self.settle();
        }
    }

    async fn operate(&mut self, operation: Operation) {
        match operation {
            Operation::Send(leg, bytes) => {
                self.sent[leg].extend(&bytes);
                self.sockets[leg].change(|socket| socket.send(&bytes));
            }
            Operation::Answer(leg) => {
                let newest = self.newest_ping(leg);
                let bytes = input::control(leg, 0x8a, &newest);
                self.sent[leg].extend(&bytes);
                self.sockets[leg].change(|socket| socket.send(&bytes));
            }
            Operation::Change(leg, change) => {
                self.sockets[leg].change(|socket| change.apply(socket));
            }
            Operation::Pass(time) => self.pass(time).await,
            Operation::Follow(policy) => {
                let policy = &POLICIES[usize::from(policy) % POLICIES.len()];
                self.handle.send(Command::Follow(Arc::clone(policy)));
            }
            Operation::Terminate => self.handle.send(terminate()),
            Operation::Measure(leg) => {
                let (answer, _) = tokio::sync::oneshot::channel();
                self.handle.send(Command::Ping { leg, answer });
            }
            Operation::Abort => self.handle.send(Command::Abort),
        }
        self.settle();
    }

    /// The payload of the last ping that a peer got.
    fn newest_ping(&self, leg: Leg) -> Vec<u8> {
        self.sockets[leg].look(|socket| {
            let (frames, _) = frames::split(&socket.written);
            let ping = frames.iter().rev().find(|frame| frame.opcode() == 9);
            ping.map(frames::Frame::payload).unwrap_or_default()
        })
    }

    /// What each peer got is what it may get.
    fn check(&self, all: bool) {
        for leg in Leg::BOTH {
            self.sockets[leg].look(|socket| {
                let (whole, rest) = frames::split(&socket.written);
                frames::assert_valid(leg, &whole, self.deflate);
                frames::assert_delivered(&self.sent[leg.other()], &socket.written, all);
                let cut = !rest.is_empty() && socket.ended == Some(Ended::InOrder);
                // Whoever ended his own side first, or takes no bytes, learns nothing from a reset.
                let by_us = socket.is_sound();
                assert!(
                    !(cut && by_us),
                    "{leg:?} ends in good order inside a frame: {rest:x?}"
                );
            });
        }
    }

    /// A living connection delivers everything once nothing is in its way, and then holds nothing.
    fn check_rest(&mut self) {
        for socket in self.sockets.iter() {
            socket.change(socket::Socket::heal);
        }
        self.settle();
        if self.cause.is_some() || self.done {
            return self.check(false);
        }
        self.check(true);
        let at_rest = |leg: Leg| {
            let sent = frames::is_at_message_boundary(&self.sent[leg]);
            self.sockets[leg].look(|socket| sent && socket.is_read() && socket.is_sound())
        };
        if Leg::BOTH.into_iter().all(at_rest) {
            for leg_io in self.relay.legs.iter() {
                assert!(
                    leg_io.out.owns_nothing(),
                    "at rest, and holds {:?}",
                    leg_io.out
                );
                assert_eq!(leg_io.held.capacity(), 0, "at rest, and holds bytes");
            }
        }
    }

    /// Whatever the peers do or do not, both legs end.
    async fn check_end(&mut self) {
        self.operate(Operation::Terminate).await;
        self.pass(END).await;
        assert!(self.done, "no end: {:?}", self.relay.session());
        assert!(self.cause.is_some(), "an end without a cause");
        self.check(false);
        for socket in self.sockets.iter() {
            assert!(
                socket.look(|socket| socket.ended.is_some()),
                "a socket is left open"
            );
        }
    }
}

fn terminate() -> Command {
    Command::Terminate {
        cause: Cause::Killed,
        close: Close::new(1001, "bye"),
        detail: String::new(),
    }
}

async fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut driver = Driver::new(&mut input);
    let mut operations = 0;
    while let Some(operation) = input.operation() {
        operations += 1;
        if driver.done || operations > 200 {
            break;
        }
        driver.operate(operation).await;
    }
    driver.check(false);
    driver.check_rest();
    driver.check_end().await;
}

/// Panics if an invariant does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(input)),
        Err(error) => panic!("{error}"),
    }
}
