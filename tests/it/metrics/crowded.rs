//! Listeners that are full of those who want nothing, take nothing, or never come to an end.

use std::net::SocketAddr;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::*;
use crate::support::{Backend, wait_until};

/// More than there were places when those that came later had to wait, and than there are.
const CROWD: usize = 200;

fn both() -> (Sidecar, SocketAddr, SocketAddr) {
    let sidecar = Sidecar::start(&format!("upstream: ws://127.0.0.1:9\n{METRICS}\n{ADMIN}"));
    let (metrics, admin) = (address(&sidecar, "metrics"), address(&sidecar, "admin"));
    (sidecar, metrics, admin)
}

/// Connects so many, and lets each do something.
fn crowd(of: SocketAddr, act: impl Fn(&mut Wire)) -> Vec<Wire> {
    let member = |_| {
        let mut wire = Wire::connect(of);
        act(&mut wire);
        wire
    };
    (0..CROWD).map(member).collect()
}

/// What probes, scrapers and operators ask is answered while the crowd is there.
fn is_served(metrics: SocketAddr, admin: SocketAddr) {
    for _ in 0..3 {
        for path in ["/livez", "/metrics"] {
            assert_eq!(get(metrics, path).status, 200, "{path}");
        }
        assert_eq!(get(metrics, "/readyz").status, 503, "there is no backend");
        let summary = Request::line("GET /api/summary HTTP/1.1").header("Host", "127.0.0.1");
        assert_eq!(Wire::connect(admin).ask(&summary).status, 200);
    }
}

fn check(act: impl Fn(&mut Wire)) {
    let (sidecar, metrics, admin) = both();
    let before = sidecar.open_files();
    let crowds = [crowd(metrics, &act), crowd(admin, &act)];
    is_served(metrics, admin);
    // At most 64 of each crowd are left.
    wait_until("the others are dropped", || {
        sidecar.open_files() <= before + 2 * 64
    });
    is_served(metrics, admin);
    drop(crowds);
}

#[test]
fn silent_connections_keep_no_request_out() {
    check(|_| {});
}

#[test]
fn unfinished_requests_keep_no_request_out() {
    check(|wire| wire.send(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"));
    check(|wire| {
        wire.send(b"POST /api/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n1");
    });
}

#[test]
fn idle_keep_alive_connections_keep_no_request_out() {
    check(|wire| assert!(wire.ask(&request("GET /livez")).status < 500));
}

#[test]
fn unread_answers_keep_no_request_out() {
    let large = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\nGET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let requests = large.repeat(20);
    check(|wire| {
        wire.read_slowly();
        // Dropped already is as good.
        let _ = wire.try_send(requests.as_bytes());
    });
}

#[test]
fn probes_are_answered_when_the_process_has_no_file_left() {
    let (sidecar, metrics, admin) = both();
    let files = || -> Vec<u64> {
        let files = std::fs::read_dir(format!("/proc/{}/fd", sidecar.pid())).unwrap();
        let numbers = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        numbers.map(|number| number.parse().unwrap()).collect()
    };
    let limit = 48;
    let used = || files().iter().filter(|number| **number < limit).count();
    let resource = Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    let pid = Pid::from_raw(i32::try_from(sidecar.pid()).unwrap());
    prlimit(pid, Resource::Nofile, resource).unwrap();
    // Operators who listen stay.
    let listen = Request::line("GET /api/events HTTP/1.1").header("Host", "127.0.0.1");
    let mut listening = Vec::new();
    wait_until("no file is left", || {
        let is_full = used() as u64 == limit;
        if !is_full && listening.len() < 30 {
            let mut wire = Wire::connect(admin);
            wire.send(&listen.encode());
            listening.push(wire);
        }
        is_full
    });
    for _ in 0..20 {
        assert_eq!(get(metrics, "/livez").status, 200);
    }
}

#[test]
fn an_operator_who_listens_to_events_stays_while_others_crowd_in() {
    let backend = Backend::start();
    let sidecar = Sidecar::start(&format!("upstream: {}\n{ADMIN}", backend.url()));
    let admin = address(&sidecar, "admin");
    let mut events = Wire::connect(admin);
    let listen = Request::line("GET /api/events HTTP/1.1").header("Host", "127.0.0.1");
    assert_eq!(events.ask(&listen).status, 200);
    let _crowd = crowd(admin, |_| {});
    let client = Wire::open(&sidecar, &Request::opening("/"));
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("event: connection_opened") {
        heard.extend(events.read_exactly(1));
    }
    drop(client);
}

#[test]
fn a_half_closed_client_gets_its_answer() {
    let (_sidecar, metrics, admin) = both();
    for (address, path) in [(metrics, "/metrics"), (admin, "/api/connections")] {
        let mut wire = Wire::connect(address);
        let request = Request::line(&format!("GET {path} HTTP/1.1")).header("Host", "127.0.0.1");
        wire.send(&request.encode());
        wire.end_sending();
        assert_eq!(wire.answer().status, 200, "{path}");
        wire.expect_end();
    }
}
