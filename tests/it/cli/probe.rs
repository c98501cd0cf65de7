//! `sidebeat probe` at a backend that does what the test wants.

use std::io::Read;

use super::*;
use crate::support::{Backend, Frame, Wire};

/// `probe` at a backend, which has answered the ping and says nothing after it.
fn probed(backend: &Backend, arguments: &[&str]) -> (Process, Wire) {
    let folder = tempfile::tempdir().unwrap();
    let url = backend.url();
    let mut command = sidebeat(folder.path());
    command
        .args(["probe", &url, "--timeout", "60s"])
        .args(arguments);
    let process = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut wire = backend.accept().wire;
    let ping = wire.frame();
    wire.send_frame(&Frame::pong(&ping.payload));
    (process, wire)
}

#[test]
fn a_probe_does_not_wait_for_a_goodbye() {
    let backend = Backend::start();
    let (mut process, _wire) = probed(&backend, &[]);
    assert_eq!(process.status(), Some(0));
}

#[test]
fn a_probe_prints_its_result_before_the_closing_handshake() {
    let backend = Backend::start();
    let (mut process, mut wire) = probed(&backend, &["--json"]);
    wire.expect_close_with(1000, "probe done");
    // Whoever runs it has no more patience than this.
    process.signal(rustix::process::Signal::KILL);
    let mut told = String::new();
    process
        .0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    let report: serde_json::Value = serde_json::from_str(&told).expect("a report");
    assert_eq!(report["ok"], true);
}

#[test]
fn a_probe_prints_nothing_that_steers_the_terminal() {
    let backend = Backend::start();
    let (mut process, mut wire) = probed(&backend, &["-n", "2"]);
    wire.send_frame(&Frame::close(4000, "\u{1b}[2Jgone\u{9b}"));
    assert_eq!(process.status(), Some(1));
    let mut told = String::new();
    process
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert!(told.contains("4000 \\u001b[2Jgone\\u009b\n"), "{told:?}");
}
