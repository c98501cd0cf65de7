//! What operators see of the built program, and what they can do with it.

mod access;
mod closed;
mod closing;
mod connections;
mod draining;
mod events;
mod pinging;
mod reloading;
mod summary;

use std::net::SocketAddr;

use crate::support;
use crate::support::{Answer, Relayed, Request, Sidecar, TIMEOUT, Wire};
use serde_json::Value;

const ADMIN: &str = "admin: {listen: '127.0.0.1:0'}";

/// Waits until the API is there.
fn address(sidecar: &Sidecar) -> SocketAddr {
    let record = sidecar.log_event("admin_listening", TIMEOUT);
    record["address"].as_str().unwrap().parse().unwrap()
}

/// A request as a program would send it: `line` is a method and a path.
fn request(admin: SocketAddr, line: &str) -> Request {
    Request::line(&format!("{line} HTTP/1.1")).header("Host", &admin.to_string())
}

fn ask(admin: SocketAddr, line: &str) -> Answer {
    Wire::connect(admin).ask(&request(admin, line))
}

/// What is answered to a GET that has to work.
#[track_caller]
fn get(admin: SocketAddr, path: &str) -> Value {
    let answer = ask(admin, &format!("GET {path}"));
    assert_eq!(answer.status, 200, "{path}: {:?}", answer.json());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

/// An error's body, after the checks that hold for every one (RFC 9457).
#[track_caller]
fn problem(answer: &Answer, status: u16) -> Value {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{text}");
    let content_type = answer.header("content-type");
    assert_eq!(content_type, Some("application/problem+json"));
    let body = answer.json();
    assert_eq!(body["type"], "about:blank");
    assert_eq!(body["status"], status);
    assert!(
        body["title"]
            .as_str()
            .is_some_and(|title| !title.is_empty())
    );
    assert!(body["detail"].as_str().is_some_and(|it| it.len() > 5));
    body
}

/// A sidecar with one open connection and the API's address; `settings` is appended.
fn start(settings: &str) -> (Relayed, SocketAddr) {
    let relayed = Relayed::start(&format!("{ADMIN}\n{settings}"));
    let admin = address(&relayed.sidecar);
    (relayed, admin)
}

/// The id of the only connection, whose client may have got its 101 just now.
fn only(admin: SocketAddr) -> String {
    let list = list_of(admin, 1);
    list["connections"][0]["conn"].as_str().unwrap().to_owned()
}

/// Everybody who is connected, once there are so many.
fn list_of(admin: SocketAddr, count: usize) -> Value {
    let mut list = Value::Null;
    support::wait_until("all are established", || {
        list = get(admin, "/api/connections?limit=1000");
        list["total"] == count
    });
    list
}
