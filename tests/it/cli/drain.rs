//! `sidebeat drain` against a sidecar with clients.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use super::*;
use crate::support::{Relayed, Request, Sidecar, TIMEOUT, Wire};

const ADMIN: &str = "admin: {listen: '127.0.0.1:0'}";

fn admin(sidecar: &Sidecar) -> String {
    let record = sidecar.log_event("admin_listening", TIMEOUT);
    record["address"].as_str().unwrap().to_owned()
}

/// The command in an empty folder.
fn drain(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    run(command(folder.path()).args(arguments))
}

fn command(folder: &Path) -> Command {
    let mut command = sidebeat(folder);
    command
        .env_remove("SIDEBEAT_ADMIN")
        .env_remove("SIDEBEAT_TOKEN");
    command.arg("drain");
    command
}

/// The command as it runs, and the lines that it has told.
fn started(command: &mut Command) -> (Process, impl Iterator<Item = String> + use<>) {
    let mut process = Process::start(command.stdout(Stdio::piped()));
    let lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    (process, lines.map_while(Result::ok))
}

#[test]
fn it_returns_when_the_last_client_has_gone() {
    let settings = "drain: {spread: 0s, timeout: 90s}\nlimits: {close_timeout: 60s}";
    let mut relayed = Relayed::start(&format!("{ADMIN}\n{settings}"));
    let (mut other, other_upstream) = relayed.another();
    let admin = admin(&relayed.sidecar);
    let folder = tempfile::tempdir().unwrap();
    let (mut process, mut lines) = started(command(folder.path()).args(["--admin", &admin]));
    let first = lines.next().unwrap();
    assert!(
        first.starts_with(&format!("draining http://{admin}: ")),
        "{first}"
    );
    assert!(lines.next().unwrap().starts_with("2 of 2 connections left"));
    relayed.client.answer_close();
    drop((relayed.client, relayed.upstream));
    let left =
        lines.find(|line| line == "1 of 2 connections left: every client was sent a Close frame");
    assert!(left.is_some(), "the command has ended");
    assert!(process.0.try_wait().unwrap().is_none(), "one is left");
    other.answer_close();
    drop((other, other_upstream));
    assert_eq!(
        lines.last().as_deref(),
        Some("drained: every connection has ended")
    );
    assert_eq!(process.status(), Some(0));
    assert_eq!(relayed.sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
}

#[test]
fn a_drain_without_clients_ends_at_once_and_says_so() {
    let sidecar = Sidecar::start(&format!("upstream: ws://127.0.0.1:9\n{ADMIN}"));
    let (code, stdout, stderr) = drain(&["--admin", &admin(&sidecar)]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert!(
        stdout.ends_with("\ndrained: every connection has ended\n"),
        "{stdout}"
    );
    sidecar.wait_for_exit(TIMEOUT);
}

#[test]
fn it_finds_the_sidecar_of_a_file_and_brings_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    let settings = format!(
        "admin: {{listen: 'unix:{}', token: s3cret}}",
        socket.display()
    );
    let sidecar = Sidecar::start(&format!("upstream: ws://127.0.0.1:9\n{settings}"));
    sidecar.log_event("admin_listening", TIMEOUT);
    let url = format!("unix:{}", socket.display());

    let (code, stdout, stderr) = drain(&["--admin", &url]);
    assert_eq!((code, &*stdout), (Some(1), ""));
    let wanted = format!("sidebeat drain: {url} wants a token: ");
    assert!(
        stderr.starts_with(&wanted) && stderr.contains("SIDEBEAT_TOKEN"),
        "{stderr}"
    );
    let (code, stdout, stderr) = drain(&["--admin", &url, "--token", "guess"]);
    assert_eq!((code, &*stdout), (Some(1), ""));
    assert!(
        stderr.starts_with(&format!("sidebeat drain: the token is not that of {url}")),
        "{stderr}"
    );
    assert!(sidecar.logged("draining").is_empty());

    // As in a container whose image names the file.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = command(elsewhere.path());
    let (code, stdout, stderr) = run(command.env("SIDEBEAT_CONFIG", sidecar.config_path()));
    assert_eq!((code, &*stderr), (Some(0), ""), "{stdout}");
    assert!(stdout.starts_with(&format!("draining {url} (")), "{stdout}");
    sidecar.wait_for_exit(TIMEOUT);
}

#[test]
fn a_drain_past_its_timeout_is_reported_and_goes_on() {
    let settings = "drain: {delay: 60s, timeout: 120s}";
    let relayed = Relayed::start(&format!("{ADMIN}\n{settings}"));
    let admin = admin(&relayed.sidecar);
    let (code, stdout, stderr) = drain(&["--admin", &admin, "--timeout", "300ms"]);
    assert_eq!(code, Some(1), "{stdout}");
    assert!(
        stdout.contains("1 of 1 connection left: new connections are still accepted"),
        "{stdout}"
    );
    assert_eq!(
        stderr,
        "sidebeat drain: not drained within 300ms: 1 connection left; the sidecar goes on with it\n"
    );
    let progress = relayed.sidecar.log_event("drain_progress", TIMEOUT);
    assert_eq!(progress["phase"], "delay");
}

#[test]
fn a_process_that_dies_meanwhile_has_drained() {
    let settings = "drain: {delay: 60s, timeout: 120s}";
    let relayed = Relayed::start(&format!("{ADMIN}\n{settings}"));
    let admin = admin(&relayed.sidecar);
    let folder = tempfile::tempdir().unwrap();
    let (mut process, mut lines) = started(command(folder.path()).args(["--admin", &admin]));
    lines.find(|line| line.starts_with('1')).unwrap();
    relayed.sidecar.signal(rustix::process::Signal::KILL);
    assert_eq!(
        lines.last().as_deref(),
        Some("drained: the process has ended")
    );
    assert_eq!(process.status(), Some(0));
}

#[test]
fn connections_cut_off_by_the_timeout_are_counted() {
    let settings = "drain: {spread: 0s, timeout: 200ms}\nlimits: {close_timeout: 60s}";
    let relayed = Relayed::start(&format!("{ADMIN}\n{settings}"));
    let admin = admin(&relayed.sidecar);
    let (code, stdout, _) = drain(&["--admin", &admin]);
    assert_eq!(code, Some(0));
    assert!(
        stdout
            .ends_with("drained: drain.timeout passed: what was left was cut off: 1 connection\n"),
        "{stdout}"
    );
}

#[test]
fn no_sidecar_or_another_server_gives_a_plain_error() {
    // It never listened: a socket that did may live on for a moment in a process that another test is just starting.
    let refusing = support::Backend::reserve("127.0.0.1:0".parse().unwrap());
    let address = refusing.local_addr().unwrap().as_socket().unwrap();
    let (code, stdout, stderr) = drain(&["--admin", &format!("http://{address}")]);
    assert_eq!((code, &*stdout), (Some(1), ""));
    assert_eq!(
        stderr,
        format!(
            "sidebeat drain: nothing listens at http://{address} (connection refused): is sidebeat running, and is that \
             its `admin.listen`?\n"
        )
    );

    // The clients' port.
    let backend = support::Backend::echo();
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let (code, stdout, stderr) = drain(&["--admin", &sidecar.address().to_string()]);
    assert_eq!((code, &*stdout), (Some(1), ""));
    assert!(
        stderr.contains("not as sidebeat's admin API does") && stderr.lines().count() == 1,
        "{stderr}"
    );

    let (code, _, stderr) = drain(&["-c", "none.yaml"]);
    assert_eq!(code, Some(78));
    assert!(
        stderr.starts_with("sidebeat drain: none.yaml: no such file"),
        "{stderr}"
    );

    // The file that is read without -c, too.
    let folder = tempfile::tempdir().unwrap();
    let text = "listen: ':8080'\nupstream: ws://a:1\nadmin: off\n";
    std::fs::write(folder.path().join("proxy.yaml"), text).unwrap();
    let (code, _, stderr) = run(&mut command(folder.path()));
    assert_eq!(code, Some(78));
    assert!(stderr.contains("`admin: off`"), "{stderr}");
}

#[test]
fn a_server_that_accepts_and_says_nothing_times_out() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let (code, stdout, stderr) = drain(&["--admin", &address.to_string()]);
    assert_eq!((code, &*stdout), (Some(1), ""));
    assert_eq!(
        stderr,
        format!("sidebeat drain: no answer from http://{address} within 5s\n")
    );
}

/// An admin API whose process ends while it is asked how far it is; the event of that has been sent.
fn ends_while_it_is_asked(api: &TcpListener) {
    let accept = || {
        let (mut socket, _) = api.accept().unwrap();
        let head = support::read_head(&mut socket, &mut Vec::new()).unwrap();
        (head.line, socket)
    };
    let (line, mut events) = accept();
    assert!(line.starts_with("GET /api/events"), "{line}");
    let stream = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    events.write_all(stream).unwrap();
    let (line, mut order) = accept();
    assert!(line.starts_with("POST /api/drain"), "{line}");
    let body = r#"{"trigger":"api","since":"2026-11-21T19:10:47.861Z","phase":"closing","remaining":3,"of":3,
        "deadline":"2026-11-21T19:11:47.861Z","left_ms":60000}"#;
    let head = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json";
    write!(
        order,
        "{head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let (line, _asked) = accept();
    assert!(line.starts_with("GET /api/summary"), "{line}");
    let data = r#"{"connections":2,"detail":"drain.timeout passed"}"#;
    write!(
        events,
        ": keep-alive\n\nevent: drained\nid: 9\ndata: {data}\n\n"
    )
    .unwrap();
}

#[test]
fn the_last_progress_is_read_after_the_process_has_gone() {
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = api.local_addr().unwrap();
    let process = std::thread::spawn(move || ends_while_it_is_asked(&api));
    let (code, stdout, stderr) = drain(&["--admin", &address.to_string()]);
    process.join().unwrap();
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert!(
        stdout.ends_with("\ndrained: drain.timeout passed: 2 connections\n"),
        "{stdout}"
    );
}

#[test]
fn a_demo_that_drains_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = sidebeat(folder.path());
    let (mut process, mut lines) = started(command.args(["demo", "--listen", "127.0.0.1:0"]));
    let line = lines
        .find(|line| line.contains(" admin_listening "))
        .unwrap();
    let (_, admin) = line.rsplit_once("address=").unwrap();
    let order = Request::line("POST /api/drain HTTP/1.1").header("Host", "localhost");
    let answer = Wire::connect(admin.parse().unwrap()).ask(&order);
    assert_eq!(answer.status, 202, "{:?}", answer.json());
    assert_eq!(answer.json()["trigger"], "api");
    assert_eq!(lines.filter(|line| line.contains(" drained ")).count(), 1);
    assert_eq!(process.status(), Some(0));
}
