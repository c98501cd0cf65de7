//! What a session costs per event, and what the relay pays to process one read of small messages.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

use std::sync::Arc;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sidebeat::config::parse;
use sidebeat::protocol::{
    ControlPayload, Data, FrameReader, OpCode, Role, Rules, Step, encode_frame,
};
use sidebeat::relay::READ;
use sidebeat::session::policy::Policy;
use sidebeat::session::{Action, Actions, Event, Leg, Session, Time};

fn main() {
    divan::main();
}

/// Every default, but for the limit on pings, which these benchmarks would meet.
fn policy() -> Arc<Policy> {
    let text = "listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2\nlimits: {pings_per_second: off}\n";
    let loaded = parse(text, "bench", &|_| None).unwrap();
    Arc::clone(&loaded.config.default.policy)
}

fn session() -> Session {
    Session::new(policy(), 1, Time::from_micros(0))
}

/// Time that passes by a millisecond each time it is asked.
fn clock() -> impl FnMut() -> Time {
    let mut now = Time::from_micros(0);
    move || {
        now = now.after(Duration::from_millis(1));
        now
    }
}

#[divan::bench]
fn open(bencher: Bencher) {
    let policy = policy();
    bencher.bench(|| Session::new(Arc::clone(&policy), black_box(1), Time::from_micros(0)));
}

#[divan::bench]
fn data(bencher: Bencher) {
    let (mut session, mut now) = (session(), clock());
    bencher.bench_local(|| session.data(Leg::Client, black_box(128), 1, now()));
}

#[divan::bench]
fn next_deadline(bencher: Bencher) {
    let session = session();
    bencher.bench(|| black_box(&session).next_deadline());
}

#[divan::bench]
fn answer_a_ping(bencher: Bencher) {
    let (mut session, mut now, mut actions) = (session(), clock(), Actions::new());
    bencher.bench_local(|| {
        let payload = ControlPayload::new(black_box(b"12345678"));
        let from = Leg::Client;
        session.handle(Event::Ping { from, payload }, now(), &mut actions);
        assert_eq!(actions.drain(..).count(), 1);
    });
}

/// Timeout, ping, written, pong, and when to wake next: all of a heartbeat that finds its peer alive.
#[divan::bench]
fn a_heartbeat(bencher: Bencher) {
    let (mut session, mut actions) = (session(), Actions::new());
    bencher.bench_local(|| {
        let now = session.next_deadline().unwrap();
        session.handle(Event::Timeout, now, &mut actions);
        while let Some(action) = actions.pop() {
            let Action::Ping { to, payload } = action else {
                panic!("{action:?}");
            };
            session.handle(Event::ProbeWritten { to }, now, &mut actions);
            let pong = Event::Pong {
                from: to,
                payload: ControlPayload::new(payload.bytes()),
            };
            session.handle(pong, now.after(Duration::from_millis(1)), &mut actions);
        }
    });
    assert!(!session.is_closing());
}

/// The relay's step without its sockets: one read full of messages is split into frames, and the session gets the run.
#[divan::bench(args = [128, 1024])]
fn process_one_read(bencher: Bencher, payload: usize) {
    let mut frame = Vec::new();
    let mask = Some([1, 2, 3, 4]);
    encode_frame(
        &mut frame,
        OpCode::Data(Data::Text),
        &vec![7; payload],
        mask,
    );
    let messages = READ / frame.len();
    let bytes = frame.repeat(messages);
    let rules = Rules {
        max_frame: 16 << 20,
        max_message: 64 << 20,
        deflate: false,
        validate_utf8: false,
        whole: 0,
    };
    let (mut session, mut now) = (session(), clock());
    let mut reader = FrameReader::new(Role::Client);
    bencher.counter(ItemsCount::new(messages)).bench_local(|| {
        let (now, mut bytes) = (now(), black_box(&*bytes));
        let (mut total, mut ended) = (0, 0);
        while let Ok(Step::Data {
            len,
            payload,
            ends_message,
        }) = reader.next(bytes, &rules)
        {
            bytes = &bytes[len..];
            total += payload;
            ended += u64::from(ends_message);
        }
        session.data(Leg::Client, total, ended, now);
    });
}
