//! What the tests of the built program stand on: a sidecar process, clients and backends that misbehave as a test says.
//!
//! Everything blocks, and nothing blocks for longer than [`TIMEOUT`]: a test that waits in vain fails with what it
//! waited for. [`Sidecar`] is the process and its log, [`Wire`] a socket that speaks frames (and worse), [`Backend`]
//! answers opening handshakes as a [`Handshake`] says and hands the sockets to the test.

mod backend;
mod frame;
mod http;
pub(crate) mod record;
pub(crate) mod refusal;
mod sidecar;
mod wire;

use std::io;
use std::time::{Duration, Instant};

pub(crate) use backend::{Accepted, Backend, Handshake};
pub(crate) use frame::{Frame, op};
pub(crate) use http::{Answer, Head, Request, read_head};
pub(crate) use sidecar::Sidecar;
pub(crate) use wire::{Received, Wire};

/// The longest that anything is waited for: a sanity bound for a loaded machine, not an expectation.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);

/// A sidecar with one open connection through it, seen from both ends.
pub(crate) struct Relayed {
    /// The process.
    pub(crate) sidecar: Sidecar,
    /// What it dials.
    pub(crate) backend: Backend,
    /// The client's end.
    pub(crate) client: Wire,
    /// The backend's end.
    pub(crate) upstream: Wire,
}

impl Relayed {
    /// Starts everything; `settings` is appended to `listen` and `upstream`.
    pub(crate) fn start(settings: &str) -> Relayed {
        let backend = Backend::start();
        let sidecar = Sidecar::start(&format!("upstream: {}\n{settings}", backend.url()));
        let client = Wire::open(&sidecar, &Request::opening("/chat"));
        let upstream = backend.accept().wire;
        Relayed {
            sidecar,
            backend,
            client,
            upstream,
        }
    }

    /// Another connection through the same sidecar: the client's end and the backend's.
    pub(crate) fn another(&self) -> (Wire, Wire) {
        let client = Wire::open(&self.sidecar, &Request::opening("/chat"));
        (client, self.backend.accept().wire)
    }

    /// The closing record, which is waited for.
    pub(crate) fn closing_record(&self) -> serde_json::Value {
        self.sidecar.log_event("connection_closed", TIMEOUT)
    }
}

/// Does it again when it was interrupted: after a process was stopped, which a whole machine may be, the system lets
/// nothing that has a time limit go on by itself.
pub(crate) fn retry_interrupted<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Asks until the answer is yes; for what the system tells nobody of, such as another process's open files.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < TIMEOUT, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
