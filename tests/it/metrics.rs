//! What monitoring sees of the built program: its listeners, metrics and probes.

mod crowded;
mod figures;
mod health;
mod listening;
mod page;
mod readiness;
mod scrape;

use std::net::SocketAddr;

use crate::support::{Answer, Request, Sidecar, TIMEOUT, Wire};

const METRICS: &str = "metrics: {listen: '127.0.0.1:0'}";
const ADMIN: &str = "admin: {listen: '127.0.0.1:0'}";

/// Waits until the listener of `metrics` or `admin` is there.
fn address(sidecar: &Sidecar, of: &str) -> SocketAddr {
    let record = sidecar.log_event(&format!("{of}_listening"), TIMEOUT);
    record["address"].as_str().unwrap().parse().unwrap()
}

fn request(line: &str) -> Request {
    Request::line(&format!("{line} HTTP/1.1")).header("Host", "a")
}

fn get(address: SocketAddr, path: &str) -> Answer {
    Wire::connect(address).ask(&request(&format!("GET {path}")))
}
