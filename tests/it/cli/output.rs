//! A log that nobody reads must not hold up the data path.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::*;
use crate::support::{Backend, Frame, Request, TIMEOUT, Wire, retry_interrupted, wait_until};

/// A file for a sidecar that is found without reading its log: it listens on a Unix socket.
fn write_config(folder: &Path, backend: &Backend, settings: &str) -> PathBuf {
    let socket = folder.join("s.sock");
    let (listen, upstream) = (socket.display(), backend.url());
    let text = format!(
        "listen: unix:{listen}\nupstream: {upstream}\nmetrics: off\nadmin: off\n{settings}\n"
    );
    fs::write(folder.join("proxy.yaml"), text).unwrap();
    socket
}

/// Opens a connection, has a message echoed, and leaves.
fn talk(socket: &Path) {
    let mut client = Wire::connect_unix(socket);
    assert_eq!(client.ask(&Request::opening("/")).status, 101);
    client.text("are you there?");
    client.expect(&Frame::text("are you there?"));
    client.send_frame(&Frame::close(1000, ""));
    client.expect_close_with(1000, "");
}

fn wait_for(socket: &Path) {
    wait_until("it listens", || UnixStream::connect(socket).is_ok());
}

#[test]
fn without_a_stdout_it_works() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::echo();
    let socket = write_config(folder.path(), &backend, "drain: {spread: 0s}");
    let program = env!("CARGO_BIN_EXE_sidebeat");
    let mut process = Process::start(
        Command::new("sh")
            .args(["-c", "exec \"$0\" >&-", program])
            .current_dir(folder.path())
            .env_remove("SIDEBEAT_CONFIG"),
    );
    wait_for(&socket);
    talk(&socket);
    process.signal(Signal::TERM);
    assert_eq!(process.status(), Some(0));
}

#[test]
fn after_its_reader_has_gone_it_works() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::echo();
    let socket = write_config(folder.path(), &backend, "drain: {spread: 0s}");
    let mut process = Process::start(sidebeat(folder.path()).stdout(Stdio::piped()));
    wait_for(&socket);
    drop(process.0.stdout.take());
    for _ in 0..5 {
        talk(&socket);
    }
    process.signal(Signal::TERM);
    assert_eq!(process.status(), Some(0));
}

#[test]
fn while_its_reader_sleeps_it_works() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::echo();
    let socket = write_config(
        folder.path(),
        &backend,
        "log: {format: json, level: trace}\ndrain: {spread: 0s}",
    );
    // A log so small that it is full before the first connection comes.
    let (mut reader, writer) = UnixStream::pair().unwrap();
    socket2::SockRef::from(&writer)
        .set_send_buffer_size(1)
        .unwrap();
    let mut process = Process::start(sidebeat(folder.path()).stdout(OwnedFd::from(writer)));
    wait_for(&socket);
    for _ in 0..30 {
        talk(&socket);
    }

    // Nothing was lost meanwhile, and no line is broken.
    reader.set_read_timeout(Some(TIMEOUT)).unwrap();
    let (mut log, mut buffer) = (Vec::new(), [0; 4096]);
    let closed = |log: &[u8]| {
        String::from_utf8_lossy(log)
            .matches("\"connection_closed\"")
            .count()
    };
    while closed(&log) < 30 {
        let len = retry_interrupted(|| reader.read(&mut buffer)).expect("the rest of the log");
        log.extend_from_slice(&buffer[..len]);
    }
    let text = String::from_utf8(log).unwrap();
    let whole = &text[..=text.rfind('\n').unwrap()];
    for line in whole.lines() {
        let _: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }

    // Nor does a reader that sleeps keep the process from ending.
    for _ in 0..10 {
        talk(&socket);
    }
    process.signal(Signal::TERM);
    assert_eq!(process.status(), Some(0));
}

#[test]
fn a_stopped_reader_is_no_other_case() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::echo();
    let socket = write_config(
        folder.path(),
        &backend,
        "log: {level: trace}\ndrain: {spread: 0s}",
    );
    let (reader, writer) = UnixStream::pair().unwrap();
    socket2::SockRef::from(&writer)
        .set_send_buffer_size(1)
        .unwrap();
    let copy = folder.path().join("copy");
    let file = fs::File::create(&copy).unwrap();
    let cat = Process::start(
        Command::new("cat")
            .stdin(OwnedFd::from(reader))
            .stdout(file),
    );
    cat.signal(Signal::STOP);
    let mut process = Process::start(sidebeat(folder.path()).stdout(OwnedFd::from(writer)));
    wait_for(&socket);
    for _ in 0..30 {
        talk(&socket);
    }
    cat.signal(Signal::CONT);
    wait_until("the reader has caught up", || {
        fs::read_to_string(&copy)
            .unwrap()
            .matches("connection_closed")
            .count()
            == 30
    });
    process.signal(Signal::TERM);
    assert_eq!(process.status(), Some(0));
}

#[test]
fn a_reader_of_errors_that_has_gone_changes_no_exit_status() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!(
        "listen: {}\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: off\n",
        taken.local_addr().unwrap()
    );
    fs::write(folder.path().join("taken.yaml"), text).unwrap();
    for (file, expected) in [("none.yaml", 78), ("taken.yaml", 1)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = sidebeat(folder.path());
        command
            .args(["run", "-c", file])
            .stdout(Stdio::null())
            .stderr(writer);
        assert_eq!(
            Process::start(&mut command).status(),
            Some(expected),
            "{file}"
        );
    }
}
