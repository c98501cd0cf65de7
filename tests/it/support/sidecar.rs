//! The program as a process: its configuration, its log, its signals, and what the system knows of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use serde_json::Value;
use tempfile::TempDir;

use super::{TIMEOUT, Wire, wait_until};

/// A running sidecar; killed when it is dropped.
pub(crate) struct Sidecar {
    child: Mutex<Child>,
    pid: u32,
    folder: TempDir,
    log: Arc<Log>,
    address: String,
}

#[derive(Default)]
struct Log {
    state: Mutex<LogState>,
    grown: Condvar,
}

#[derive(Default)]
struct LogState {
    /// Every record, and whether a test has taken it.
    records: Vec<(Value, bool)>,
    stderr: String,
    ended: bool,
}

impl Sidecar {
    /// Runs `sidebeat run` with this `proxy.yaml` and waits until it listens. What the text does
    /// not say of it is added: `listen: 127.0.0.1:0`, `metrics: off` and `admin: off`.
    pub(crate) fn start(yaml: &str) -> Sidecar {
        Sidecar::start_in(tempfile::tempdir().unwrap(), yaml)
    }

    /// The same in a process that may have so many files open.
    pub(crate) fn start_with_files(files: u32, yaml: &str) -> Sidecar {
        let mut shell = Command::new("sh");
        let limited = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_sidebeat")]);
        let sidecar = Sidecar::spawn_as(shell, tempfile::tempdir().unwrap(), yaml);
        sidecar.listening()
    }

    /// The same with a folder of the test's making, for sockets or files that the configuration names.
    pub(crate) fn start_in(folder: TempDir, yaml: &str) -> Sidecar {
        Sidecar::spawn_in(folder, yaml).listening()
    }

    fn listening(mut self) -> Sidecar {
        let listening = self.log_event("listening", TIMEOUT);
        self.address = listening["address"].as_str().unwrap().to_owned();
        self
    }

    /// The same without waiting for anything: for configurations that do not run.
    pub(crate) fn spawn_in(folder: TempDir, yaml: &str) -> Sidecar {
        Sidecar::spawn_as(Command::new(env!("CARGO_BIN_EXE_sidebeat")), folder, yaml)
    }

    fn spawn_as(mut command: Command, folder: TempDir, yaml: &str) -> Sidecar {
        use_all_files_allowed();
        let config = folder.path().join("proxy.yaml");
        fs::write(&config, with_test_defaults(yaml)).unwrap();
        let mut child = command
            .args(["run", "-c"])
            .arg(&config)
            .env_remove("SIDEBEAT_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = Arc::new(Log::default());
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || log.read(BufReader::new(stdout))
        });
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                let mut text = String::new();
                let _ = stderr.read_to_string(&mut text);
                log.state.lock().unwrap().stderr = text;
            }
        });
        Sidecar {
            pid: child.id(),
            child: Mutex::new(child),
            folder,
            log,
            address: String::new(),
        }
    }

    /// Where the first `listen` accepts.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
            .parse()
            .unwrap_or_else(|_| panic!("{:?} is no TCP address", self.address))
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The folder with `proxy.yaml`, gone when this is dropped.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `proxy.yaml`.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.folder.path().join("proxy.yaml")
    }

    /// Replaces `proxy.yaml` by a rename, as editors do; the same is added as at the start.
    pub(crate) fn write_config(&self, yaml: &str) {
        let new = self.folder.path().join("proxy.yaml.new");
        fs::write(&new, with_test_defaults(yaml)).unwrap();
        fs::rename(new, self.config_path()).unwrap();
    }

    /// Sends a signal; a stopped process has stopped when this returns.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        if signal == Signal::STOP {
            // Whichever thread takes the signal stops the others: until it gets a processor, they work on.
            wait_until("every thread has stopped", || self.is_stopped());
        }
    }

    fn is_stopped(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        let mut stats =
            threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
        // The state follows the name, which stands in brackets.
        stats.all(|stat| {
            stat.rsplit_once(") ")
                .is_some_and(|(_, rest)| rest.starts_with('T'))
        })
    }

    /// Waits for the next record of this event that was not taken yet, and takes it. A failing test shows the log.
    pub(crate) fn log_event(&self, event: &str, timeout: Duration) -> Value {
        self.log_event_where(event, timeout, |_| true)
    }

    /// The same for the next record that `is_wanted` too.
    pub(crate) fn log_event_where(
        &self,
        event: &str,
        timeout: Duration,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + timeout;
        let mut state = self.log.state.lock().unwrap();
        loop {
            let found = state
                .records
                .iter_mut()
                .find(|(record, taken)| !taken && record["event"] == event && is_wanted(record));
            if let Some((record, taken)) = found {
                *taken = true;
                return record.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ended {
                drop(state);
                panic!("no {event:?} in the log:\n{}", self.whole_log());
            }
            state = self.log.grown.wait_timeout(state, left).unwrap().0;
        }
    }

    /// All records of this event so far, taken or not.
    pub(crate) fn logged(&self, event: &str) -> Vec<Value> {
        let state = self.log.state.lock().unwrap();
        let records = state.records.iter().map(|(record, _)| record);
        records
            .filter(|record| record["event"] == event)
            .cloned()
            .collect()
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait_for_exit(&self, timeout: Duration) -> ExitStatus {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the process still runs:\n{}",
                self.whole_log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What was written to the standard error output; whole only after the process has ended.
    pub(crate) fn stderr(&self) -> String {
        self.log.state.lock().unwrap().stderr.clone()
    }

    /// Resident memory that is the process's own, in KiB (`RssAnon`: without the program's text).
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let figure = line.and_then(|line| line.split_whitespace().nth(1));
        figure
            .and_then(|figure| figure.parse().ok())
            .expect("RssAnon")
    }

    /// Open sockets and the like; not files with a path, because `proxy.yaml` is looked into now and then, nor the
    /// socket with which every few seconds it is tried for a moment whether there is a backend.
    pub(crate) fn open_files(&self) -> usize {
        let files = || {
            let files = fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap();
            files
                .filter_map(|file| Some(file.ok()?.path()))
                .filter_map(|file| Some((fs::read_link(&file).ok()?, file)))
                .filter(|(target, _)| !target.has_root())
                .collect::<BTreeSet<_>>()
        };
        let mut lasting = files();
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(10));
            let now = files();
            lasting.retain(|file| now.contains(file));
        }
        lasting.len()
    }

    /// Whether the process has accepted this connection to its first `listen`, and read all that was sent on it so far.
    pub(crate) fn has_read(&self, client: &Wire) -> bool {
        let end = |address: SocketAddr| format!(":{:04X}", address.port());
        let (here, there) = (end(self.address()), end(client.local_address()));
        // Number, local and remote address, state, bytes to be sent and read, two timers, user, timeout, and the inode,
        // which is 0 until the connection is accepted.
        let is_idle = |local: &str, remote: &str| {
            let sockets = fs::read_to_string(format!("/proc/{}/net/tcp", self.pid)).unwrap();
            sockets.lines().any(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let is_it = fields[1].ends_with(local) && fields[2].ends_with(remote);
                is_it && fields[4] == "00000000:00000000" && fields[9] != "0"
            })
        };
        // It has arrived, and after that it is read.
        is_idle(&there, &here) && is_idle(&here, &there)
    }

    /// Everything that was written so far, on both outputs.
    pub(crate) fn whole_log(&self) -> String {
        let state = self.log.state.lock().unwrap();
        let mut text: String = state
            .records
            .iter()
            .map(|(record, _)| format!("{record}\n"))
            .collect();
        text.push_str(&state.stderr);
        text
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let child = self
            .child
            .get_mut()
            .unwrap_or_else(|dead| dead.into_inner());
        // Ended already is as good as killed.
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Log {
    fn read(&self, lines: impl BufRead) {
        for line in lines.lines().map_while(Result::ok) {
            let record = serde_json::from_str(&line)
                .unwrap_or_else(|_| Value::String(format!("not JSON: {line}")));
            self.state.lock().unwrap().records.push((record, false));
            self.grown.notify_all();
        }
        self.state.lock().unwrap().ended = true;
        self.grown.notify_all();
    }
}

/// Clients and backends of all tests are this process's, and some tests have a thousand of each.
fn use_all_files_allowed() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let limit = Rlimit {
            current: maximum,
            maximum,
        };
        setrlimit(Resource::Nofile, limit).unwrap();
    });
}

/// `listen` is put in front; behind go `metrics` and `admin`, whose default ports are there once for all tests.
fn with_test_defaults(yaml: &str) -> String {
    let has = |key: &str| yaml.lines().any(|line| line.starts_with(key));
    let mut text = String::new();
    if !has("listen:") {
        text.push_str("listen: 127.0.0.1:0\n");
    }
    text.push_str(yaml);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for key in ["metrics:", "admin:"] {
        if !has(key) {
            text.push_str(&format!("{key} off\n"));
        }
    }
    text
}
