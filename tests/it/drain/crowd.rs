//! A thousand clients while their sidecar ends: they are told one after another, in no order that they could know, and
//! all of them find their way to another instance.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Backend, Request, Sidecar, TIMEOUT, Wire, wait_until};
use rustix::process::Signal;

const CLIENTS: usize = 1000;
const SPREAD: Duration = Duration::from_secs(4);

#[test]
fn a_thousand_clients_are_closed_over_the_spread_and_reconnect_elsewhere() {
    let backend = Backend::echo();
    // Pings, so that the backend's patience does not end while others are still being opened.
    let settings = format!(
        "upstream: {}\nheartbeat: {{upstream: {{ping_interval: 3s}}}}\ndrain: {{spread: {}s}}",
        backend.url(),
        SPREAD.as_secs()
    );
    let (ending, staying) = (Sidecar::start(&settings), Sidecar::start(&settings));

    let (told, closings) = mpsc::channel();
    let opened: Vec<Wire> = (0..CLIENTS)
        .map(|_| Wire::open(&ending, &Request::opening("/chat")))
        .collect();
    // They wait for no longer than it takes to tell them, however long it took to open them.
    let clients: Vec<_> = opened
        .into_iter()
        .enumerate()
        .map(|(index, mut wire)| {
            let (told, address) = (told.clone(), staying.address());
            let client = move || {
                let close = wire.answer_close();
                told.send((Instant::now(), index, close)).unwrap();
                let mut back = Wire::connect(address);
                let status = back.ask(&Request::opening("/chat")).status;
                (status, back)
            };
            thread::Builder::new()
                .stack_size(256 * 1024)
                .spawn(client)
                .unwrap()
        })
        .collect();
    drop(told);
    let began = Instant::now();
    ending.signal(Signal::TERM);
    let closings: Vec<_> = closings.iter().collect();
    assert_eq!(closings.len(), CLIENTS);
    for (_, _, close) in &closings {
        assert_eq!(*close, Some((1001, "server is restarting".to_owned())));
    }

    // Nobody before there was a turn for so many.
    let mut times: Vec<Duration> = closings.iter().map(|(at, _, _)| *at - began).collect();
    times.sort();
    for (turn, time) in (0_u32..).zip(times) {
        let planned = SPREAD * turn / CLIENTS as u32;
        assert!(time >= planned, "{turn} after {time:?}");
    }
    // They came in the order in which they were told.
    let rises = closings.windows(2).filter(|pair| pair[0].1 < pair[1].1);
    let rises = rises.count();
    assert!(
        (400..600).contains(&rises),
        "{rises} of 999 rise: that is an order"
    );

    let back: Vec<_> = clients
        .into_iter()
        .map(|client| client.join().unwrap())
        .collect();
    assert!(back.iter().all(|(status, _)| *status == 101));
    assert_eq!(ending.wait_for_exit(TIMEOUT).code(), Some(0));
    wait_until("all have come back", || {
        staying.logged("connection_opened").len() == CLIENTS
    });
    assert_eq!(ending.logged("connection_closed").len(), CLIENTS);
}
