//! Requests that open no WebSocket, through the built program: what passes, what is refused, and what happens when
//! one end goes away.

mod blame;
mod bodies;
mod departures;
mod early;
mod failures;
mod framing;
mod heads;
mod hosts;
mod peer;
mod smuggling;
mod timeouts;

use std::time::Duration;

use crate::support;
use crate::support::{Request, Sidecar, TIMEOUT};
use peer::{Origin, Peer};

/// A sidecar in front of an [`Origin`].
struct Site {
    sidecar: Sidecar,
    origin: Origin,
}

impl Site {
    fn start() -> Site {
        Site::with("")
    }

    /// `settings` is appended to `listen` and `upstream`.
    fn with(settings: &str) -> Site {
        let origin = Origin::start();
        let sidecar = Sidecar::start(&format!("upstream: ws://{}\n{settings}", origin.address()));
        Site { sidecar, origin }
    }

    fn client(&self) -> Peer {
        Peer::connect(self.sidecar.address())
    }
}

fn get(path: &str) -> Request {
    Request::line(&format!("GET {path} HTTP/1.1")).header("Host", "chat.example.com")
}

fn post(path: &str) -> Request {
    Request::line(&format!("POST {path} HTTP/1.1")).header("Host", "chat.example.com")
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
