//! The record and the answer of an opening handshake that failed, as they have to be.

use serde_json::{Value, json};

use super::{Answer, Request, Sidecar, TIMEOUT, Wire};

/// The fields of `handshake_failed` in their order.
pub(crate) const FIELDS: &[&str] = &[
    "timestamp",
    "level",
    "event",
    "request_id",
    "client",
    "route",
    "host",
    "path",
    "upstream",
    "initiator",
    "reason",
    "phase",
    "status",
    "detail",
    "duration_ms",
];

/// Sends a request on a connection of its own and reads the answer.
pub(crate) fn ask(sidecar: &Sidecar, request: &Request) -> Answer {
    Wire::connect(sidecar.address()).ask(request)
}

/// The next record of a failed handshake, after the checks that hold for every one.
pub(crate) fn failure(sidecar: &Sidecar, reason: &str, initiator: &str, level: &str) -> Value {
    let record = sidecar.log_event("handshake_failed", TIMEOUT);
    let names: Vec<&str> = record
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, FIELDS);
    assert_eq!(record["reason"], reason, "{record}");
    assert_eq!(record["initiator"], initiator, "{record}");
    assert_eq!(record["level"], level, "{record}");
    assert_eq!(record["phase"], "opening");
    record
}

/// Checks an answer of the sidecar's own, and that the log agrees with it.
pub(crate) fn expect_own_answer(answer: &Answer, status: u16, record: &Value) {
    assert_eq!(answer.status, status, "{answer:?} {record}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(record["status"], status);
    let expected = json!({"error": record["reason"], "request_id": record["request_id"]});
    assert_eq!(answer.json(), expected);
}
