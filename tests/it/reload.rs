//! Hot reload of the built program: how a change is noticed, who follows it, and what a bad file does.

mod following;
mod listening;
mod noticing;
mod rejecting;

use crate::support;
use crate::support::{Answer, Backend, Handshake, Relayed, Request, Sidecar, TIMEOUT, Wire};
use serde_json::{Value, json};

/// Replaces all settings but `listen` and `upstream`, and waits for the record.
fn reload(relayed: &Relayed, settings: &str) -> Value {
    let upstream = relayed.backend.url();
    relayed
        .sidecar
        .write_config(&format!("upstream: {upstream}\n{settings}"));
    reloaded(&relayed.sidecar)
}

fn reloaded(sidecar: &Sidecar) -> Value {
    sidecar.log_event("config_reloaded", TIMEOUT)
}

fn rejected(sidecar: &Sidecar) -> Value {
    sidecar.log_event("config_rejected", TIMEOUT)
}

/// The answer to a plain request on a connection of its own.
fn ask(sidecar: &Sidecar) -> Answer {
    let request = Request::line("GET / HTTP/1.1").header("Host", "a");
    Wire::connect(sidecar.address()).ask(&request)
}

/// Whether bytes go both ways through a connection.
fn check_alive(client: &mut Wire, upstream: &mut Wire) {
    client.text("there");
    upstream.expect(&support::Frame::text("there"));
    upstream.text("and back");
    client.expect(&support::Frame::text("and back"));
}
