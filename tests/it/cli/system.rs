//! What a system does to processes: no more files, peers that are stopped, peers that are killed.

use std::fs;

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use super::*;
use crate::support::{Backend, Received, Request, Sidecar, TIMEOUT, Wire, wait_until};

#[test]
fn too_many_open_files_are_logged_and_survived() {
    let backend = Backend::echo();
    let upstream = backend.url();
    let settings = "heartbeat: {client: {idle_time: off}}\nlimits: {close_timeout: 1s}";
    let sidecar = Sidecar::start(&format!("upstream: {upstream}\n{settings}"));
    // Nobody tries any more whether there is a backend, which takes a file for a moment.
    let mut relayed = vec![Wire::open(&sidecar, &Request::opening("/"))];
    let pid = Pid::from_raw(i32::try_from(sidecar.pid()).unwrap()).unwrap();
    // Room for three more connections with both legs, and a little more.
    let current = Some(u64::try_from(sidecar.open_files()).unwrap() + 7);
    let limit = Rlimit {
        current,
        maximum: current,
    };
    prlimit(Some(pid), Resource::Nofile, limit).unwrap();

    relayed.extend((0..3).map(|_| Wire::open(&sidecar, &Request::opening("/"))));
    // These find no room, in part or at all; the system itself accepts them.
    let mut waiting: Vec<Wire> = (0..4).map(|_| Wire::connect(sidecar.address())).collect();
    for client in &mut waiting {
        client.send(&Request::opening("/").encode());
    }
    let record = sidecar.log_event("accept_failed", TIMEOUT);
    assert_eq!(record["level"], "ERROR");
    let detail = record["detail"].as_str().unwrap();
    assert!(
        detail.contains("Too many open files") && detail.contains("ulimit -n"),
        "{record}"
    );
    // Those who are in do not notice.
    for client in &mut relayed {
        client.text("still there?");
        client.expect(&support::Frame::text("still there?"));
    }

    drop(relayed);
    // Whoever was not turned away while there was no room is served now. One whose request had not been read yet was
    // dropped for the next without an answer.
    let served = waiting
        .into_iter()
        .map(|mut client| client.answer_or_end().map(|it| it.status));
    let served: Vec<Option<u16>> = served.collect();
    assert!(served.contains(&Some(101)), "{served:?}");
    assert!(
        served
            .iter()
            .all(|status| matches!(status, None | Some(101 | 503))),
        "{served:?}"
    );
    Wire::open(&sidecar, &Request::opening("/"));
    assert_eq!(
        sidecar.logged("accept_failed").len(),
        1,
        "told once, not at every try"
    );
}

#[test]
fn a_limit_of_open_files_that_is_too_low_is_logged_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let text = "listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: off\nlimits: {max_connections: 100}\n";
    fs::write(folder.path().join("proxy.yaml"), text).unwrap();
    let log = folder.path().join("log");
    let mut process = Process::start(
        Command::new("sh")
            .args([
                "-c",
                "ulimit -n 40; exec \"$0\"",
                env!("CARGO_BIN_EXE_sidebeat"),
            ])
            .current_dir(folder.path())
            .env_remove("SIDEBEAT_CONFIG")
            .stdout(fs::File::create(&log).unwrap()),
    );
    let text = || fs::read_to_string(&log).unwrap();
    wait_until("it listens", || text().contains("\"listening\""));
    let text = text();
    let line = text
        .lines()
        .find(|line| line.contains("open_files_limit_low"));
    let record: serde_json::Value = serde_json::from_str(line.expect("a warning")).unwrap();
    assert_eq!(record["level"], "WARN");
    assert_eq!(
        (&record["limit"], &record["needed"]),
        (&40.into(), &437.into())
    );
    process.signal(Signal::TERM);
    assert_eq!(process.status(), Some(0));
}

/// For a leg whose peer does not answer; the other one's may be as slow as the machine.
const QUICK: &str = "ping_interval: 300ms, pong_timeout: 300ms";

/// A sidecar in front of another one, which is the backend process that a test may stop or kill.
struct Chain {
    sidecar: Sidecar,
    middle: Sidecar,
    _backend: std::sync::Arc<Backend>,
}

impl Chain {
    /// `client` and `upstream` are settings of their heartbeats.
    fn start(client: &str, upstream: &str) -> Chain {
        let backend = Backend::echo();
        let middle = Sidecar::start(&format!("upstream: {}", backend.url()));
        let sidecar = Sidecar::start(&format!(
            "upstream: ws://{}\nheartbeat: {{check_interval: 100ms, client: {{idle_time: off, {client}}}, \
             upstream: {{{upstream}}}}}\nlimits: {{close_timeout: 300ms}}",
            middle.address()
        ));
        Chain {
            sidecar,
            middle,
            _backend: backend,
        }
    }
}

/// A client that answers our pings while it waits for its end.
fn alive_until_closed(mut client: Wire) -> Option<(u16, String)> {
    loop {
        match client.receive() {
            Received::Frame(frame) if frame.opcode == support::op::PING => {
                client.send_frame(&support::Frame::pong(&frame.payload));
            }
            Received::Frame(frame) if frame.opcode == support::op::CLOSE => {
                return frame.close_code();
            }
            Received::Frame(_) => {}
            end => panic!("{end:?} without a Close frame"),
        }
    }
}

#[test]
fn a_backend_that_is_stopped_is_found_out() {
    let chain = Chain::start("", QUICK);
    let client = Wire::open(&chain.sidecar, &Request::opening("/"));
    chain.middle.signal(Signal::STOP);
    assert_eq!(alive_until_closed(client).unwrap().0, 1014);
    let record = chain.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "upstream_pong_timeout");
    assert_eq!(record["upstream_missed_pongs"], 2);
    chain.middle.signal(Signal::CONT);
}

#[test]
fn a_backend_that_is_killed_is_lost_at_once() {
    let chain = Chain::start("", "");
    let client = Wire::open(&chain.sidecar, &Request::opening("/"));
    chain.middle.signal(Signal::KILL);
    assert_eq!(alive_until_closed(client).unwrap().0, 1014);
    let record = chain.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "upstream_lost");
    assert_eq!(record["initiator"], "upstream");
    // Until it is gone it may still listen.
    chain.middle.wait_for_exit(TIMEOUT);
    let refused = Wire::connect(chain.sidecar.address()).ask(&Request::opening("/"));
    assert_eq!(refused.json()["error"], "upstream_refused");
}

/// `sidebeat probe` as a client that pings every quarter of a second.
fn probing(sidecar: &Sidecar) -> Process {
    let url = format!("ws://{}/", sidecar.address());
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidebeat"));
    command.args(["probe", &url, "-n", "1000", "--interval", "250ms"]);
    let process = Process::start(command.stdout(Stdio::null()));
    sidecar.log_event("connection_opened", TIMEOUT);
    process
}

#[test]
fn a_client_that_is_stopped_is_found_out() {
    let chain = Chain::start(QUICK, "");
    let client = probing(&chain.sidecar);
    client.signal(Signal::STOP);
    let record = chain.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "client_pong_timeout");
    assert_eq!(record["missed_pongs"], 2);
    let behind = chain.middle.log_event("connection_closed", TIMEOUT);
    assert_eq!(
        behind["reason"], "client_closed",
        "the backend gets a Close frame"
    );
    assert_eq!(behind["client_close"]["received"]["code"], 1001);
}

#[test]
fn a_client_that_is_killed_is_lost_at_once() {
    let chain = Chain::start("", "");
    let client = probing(&chain.sidecar);
    client.signal(Signal::KILL);
    let record = chain.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(record["reason"], "client_lost");
    assert_eq!(record["initiator"], "client");
}

#[test]
fn a_sidecar_that_was_stopped_closes_no_connection_for_it() {
    let strict = "ping_interval: 300ms, pong_timeout: 3s";
    let chain = Chain::start(strict, strict);
    let mut client = Wire::open(&chain.sidecar, &Request::opening("/"));
    chain.sidecar.signal(Signal::STOP);
    // Longer than every pong it could be waiting for.
    std::thread::sleep(std::time::Duration::from_secs(4));
    chain.sidecar.signal(Signal::CONT);
    for _ in 0..3 {
        let frame = client.frame();
        assert_eq!(frame.opcode, support::op::PING, "{frame:?}");
        client.send_frame(&support::Frame::pong(&frame.payload));
    }
    assert!(chain.sidecar.logged("connection_closed").is_empty());
}
