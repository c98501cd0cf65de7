//! `sidebeat run --listen … --upstream …`: keys on the command line, with a file and without, and the terminal that it
//! is typed on.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use super::*;
use crate::support::{Backend, Request, Wire};

/// A running sidecar whose log is read line by line.
struct Logged {
    process: Process,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Logged {
    fn start(command: &mut Command) -> Logged {
        let mut process = Process::start(command.stdout(Stdio::piped()));
        let stdout = process.0.stdout.take().unwrap();
        let lines = BufReader::new(stdout).lines();
        Logged { process, lines }
    }

    fn next(&mut self) -> Option<Value> {
        let line = self.lines.next()?.unwrap();
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The next record of this event.
    fn event(&mut self, event: &str) -> Value {
        while let Some(record) = self.next() {
            if record["event"] == event {
                return record;
            }
        }
        panic!("the log has ended without {event:?}");
    }

    fn address(&mut self, event: &str) -> SocketAddr {
        let address = self.event(event)["address"].as_str().unwrap().parse();
        address.unwrap()
    }
}

fn ask(address: SocketAddr, line: &str) -> Value {
    let request = Request::line(&format!("{line} HTTP/1.1")).header("Host", "localhost");
    Wire::connect(address).ask(&request).json()
}

/// In place of the defaults, whose ports are there once for all tests.
const ELSEWHERE: &str = "metrics: off\nadmin: {listen: '127.0.0.1:0'}\n";

#[test]
fn two_flags_are_enough_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::echo();
    let mut command = sidebeat(folder.path());
    let url = backend.url();
    command.args(["run", "--listen", "127.0.0.1:0", "--upstream", &url]);
    let mut running = Logged::start(&mut command);
    let started = running.event("started");
    assert_eq!(started["config"], "--listen and --upstream");
    loop {
        let record = running.next().expect("a record");
        // Metrics and the admin API are at their default ports, which somebody may have.
        if record["event"] == "failed" {
            let detail = record["detail"].as_str().unwrap();
            assert!(
                detail.contains(":9902") || detail.contains(":9901"),
                "{detail}"
            );
            return;
        }
        if record["event"] == "admin_listening" {
            break;
        }
        if record["event"] == "listening" {
            let address = record["address"].as_str().unwrap().parse().unwrap();
            let mut client = Wire::connect(address);
            assert_eq!(client.ask(&Request::opening("/")).status, 101);
        }
    }
    running.process.signal(Signal::HUP);
    let record = running.event("reload_impossible");
    let detail = record["detail"].as_str().unwrap();
    assert!(detail.contains("there is no file"), "{detail}");
    running.process.signal(Signal::TERM);
    assert_eq!(running.process.status(), Some(0));
}

#[test]
fn flags_replace_what_the_file_says_and_stay_through_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::echo();
    let file = folder.path().join("proxy.yaml");
    let text = |more: &str| {
        format!(
            "listen: 192.0.2.1:80\nupstream: {{url: 'ws://192.0.2.1', connect_timeout: 7s}}\n{ELSEWHERE}{more}"
        )
    };
    fs::write(&file, text("")).unwrap();
    let mut command = sidebeat(folder.path());
    command.args(["--listen", "127.0.0.1:0", "--upstream", &backend.url()]);
    let mut running = Logged::start(&mut command);
    let name = running.event("started")["config"].clone();
    assert_eq!(name, "proxy.yaml with --listen and --upstream");
    let listening = running.address("listening");
    let admin = running.address("admin_listening");
    let open = || {
        let mut client = Wire::connect(listening);
        assert_eq!(client.ask(&Request::opening("/")).status, 101);
    };
    open();
    let config = ask(admin, "GET /api/config");
    assert_eq!(config["path"], name);
    assert_eq!(config["effective"]["listen"], "127.0.0.1:0");
    assert_eq!(config["effective"]["upstream"]["url"], backend.url());
    assert_eq!(config["effective"]["upstream"]["connect_timeout"], "7s");

    fs::write(&file, text("limits: {max_connections: 5}\n")).unwrap();
    running.process.signal(Signal::HUP);
    let record = running.event("config_reloaded");
    assert_eq!(record["changed"], json!(["limits.max_connections"]));
    open();
}

#[test]
fn an_error_in_a_flag_names_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let good = ["--listen", "127.0.0.1:0", "--upstream", "ws://127.0.0.1:9"];
    let with =
        |before: &[&'static str], after: &[&'static str]| [before, &good[..], after].concat();
    for (arguments, code, sentence) in [
        (
            vec!["run", "--listen", "8080"],
            2,
            "'--listen <ADDR>': an address is needed: write :8080",
        ),
        (
            vec!["run", "--upstream", "http://a"],
            2,
            "'--upstream <URL>': did you mean ws://a?",
        ),
        (
            with(&[], &["check"]),
            2,
            "in front of a subcommand are for `run`",
        ),
        (vec!["run", "--listen", ":8080"], 78, "no such file"),
        (
            with(&["run"], &["-c", "none.yaml"]),
            78,
            "none.yaml: no such file",
        ),
        (
            with(&["run", "--listen", "127.0.0.1:0"], &[]),
            78,
            "--listen: error: listen[1]: is in the list already",
        ),
    ] {
        let (status, stdout, stderr) = run(sidebeat(folder.path()).args(&arguments));
        assert_eq!(
            (status, &*stdout),
            (Some(code), ""),
            "{arguments:?}: {stderr}"
        );
        assert!(stderr.contains(sentence), "{arguments:?}: {stderr}");
        assert!(!stderr.contains(":1:1"), "{stderr}");
    }
}

/// A terminal, and the end of it that a process has.
fn terminal() -> (OwnedFd, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let path = Path::new(name.to_str().unwrap());
    let end = File::options().read(true).write(true).open(path).unwrap();
    (master, end)
}

#[test]
fn closing_the_terminal_ends_what_was_started_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9\n{ELSEWHERE}");
    fs::write(folder.path().join("proxy.yaml"), text).unwrap();
    let (terminal, end) = terminal();
    let mut command = sidebeat(folder.path());
    let mut running = Logged::start(command.stdin(end));
    drop(command);
    running.event("admin_listening");
    // As long as somebody sits at it, the signal is the order to read the file.
    running.process.signal(Signal::HUP);
    assert_eq!(running.event("config_reloaded")["trigger"], "signal");
    drop(terminal);
    // A process that another test is just starting may have it for a moment longer.
    let draining = loop {
        running.process.signal(Signal::HUP);
        let record = running.next().expect("a record");
        match record["event"].as_str() {
            Some("config_reloaded") => {}
            _ => break record,
        }
    };
    assert_eq!(
        (&draining["event"], &draining["trigger"]),
        (&json!("draining"), &json!("SIGHUP"))
    );
    assert_eq!(running.process.status(), Some(0));
}
