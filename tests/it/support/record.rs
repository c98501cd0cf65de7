//! The closing record, as it has to be.

use serde_json::{Value, json};

use super::Relayed;

/// The closing record's fields in their order: log pipelines and people rely on them.
pub(crate) const FIELDS: &[&str] = &[
    "timestamp",
    "level",
    "event",
    "conn",
    "request_id",
    "client",
    "route",
    "host",
    "path",
    "subprotocol",
    "upstream",
    "initiator",
    "reason",
    "phase",
    "mid_frame",
    "detail",
    "client_close",
    "upstream_close",
    "duration_ms",
    "client_idle_ms",
    "upstream_idle_ms",
    "client_messages",
    "client_bytes",
    "upstream_messages",
    "upstream_bytes",
    "pings_sent",
    "pongs_received",
    "missed_pongs",
    "pings_answered",
    "rtt_ms",
    "upstream_pings_sent",
    "upstream_pongs_received",
    "upstream_missed_pongs",
    "upstream_pings_answered",
    "upstream_rtt_ms",
    "app_heartbeats",
    "captured",
];

/// What a leg's Close frames look like in the record.
pub(crate) fn closes(received: Option<(u16, &str)>, sent: Option<(u16, &str)>) -> Value {
    let frame = |close: Option<(u16, &str)>| {
        close.map(|(code, reason)| json!({"code": code, "reason": reason}))
    };
    json!({"received": frame(received), "sent": frame(sent)})
}

/// The closing record, after the checks that hold for every one.
pub(crate) fn record_of(relayed: &Relayed, reason: &str, initiator: &str, level: &str) -> Value {
    let record = relayed.closing_record();
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
    assert_eq!(record["upstream"], relayed.backend.name());
    record
}
