//! Who is connected.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::support::wait_until;

/// A row's fields in their order.
const ROW: [&str; 31] = [
    "conn",
    "request_id",
    "client",
    "route",
    "host",
    "path",
    "subprotocol",
    "upstream",
    "compressed",
    "opened",
    "age_ms",
    "state",
    "client_idle_ms",
    "upstream_idle_ms",
    "rtt_ms",
    "upstream_rtt_ms",
    "client_messages",
    "client_bytes",
    "upstream_messages",
    "upstream_bytes",
    "pings_sent",
    "pongs_received",
    "missed_pongs",
    "pings_answered",
    "upstream_pings_sent",
    "upstream_pongs_received",
    "upstream_missed_pongs",
    "upstream_pings_answered",
    "app_heartbeats",
    "captured",
    "nothing",
];

#[test]
fn a_row_has_everything_that_is_known() {
    let settings = "heartbeat: {app: [{match: {json: {type: hello}}, capture: [version]}]}\nlog: {opened: off}";
    let (mut relayed, admin) = start(settings);
    relayed.client.text("0123456789");
    relayed
        .client
        .text("{\"type\":\"hello\",\"version\":\"2.1-beta\"}");
    relayed.upstream.expect(&support::Frame::text("0123456789"));
    relayed.upstream.text("abc");
    relayed.client.expect(&support::Frame::text("abc"));
    let conn = only(admin);
    let path = format!("/api/connections/{conn}");
    wait_until("all is counted", || {
        let row = get(admin, &path);
        row["app_heartbeats"] == 1 && row["upstream_messages"] == 1
    });
    let row = get(admin, &path);
    let names: Vec<&str> = row
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, ROW[..ROW.len() - 1]);
    for (field, value) in [
        ("conn", json!(conn)),
        ("client", json!(relayed.client.local_address().to_string())),
        ("route", json!("default")),
        ("host", json!("chat.example.com")),
        ("path", json!("/chat")),
        ("subprotocol", json!(null)),
        ("upstream", json!(relayed.backend.name())),
        ("compressed", json!(false)),
        ("state", json!("open")),
        ("client_messages", json!(1)),
        ("client_bytes", json!(10 + 37)),
        ("upstream_messages", json!(1)),
        ("upstream_bytes", json!(3)),
        ("captured", json!({"version": "2.1-beta"})),
        ("rtt_ms", json!(null)),
    ] {
        assert_eq!(row[field], value, "{field}: {row}");
    }
    assert!(
        row["age_ms"].as_u64() >= row["client_idle_ms"].as_u64(),
        "{row}"
    );
    let opened = row["opened"].as_str().unwrap();
    assert!(opened.len() == 24 && opened.ends_with('Z'), "{opened}");
    // The list shows the same, and `q` finds it by any of it, in any case.
    for (q, matching) in [
        ("CHAT.example", 1),
        ("%2Fchat", 1),
        ("2.1-BETA", 1),
        (conn.to_lowercase().as_str(), 1),
        ("default", 1),
        ("elsewhere", 0),
        (relayed.backend.name().as_str(), 0),
    ] {
        let list = get(admin, &format!("/api/connections?q={q}"));
        assert_eq!(
            (&list["matching"], &list["total"]),
            (&json!(matching), &json!(1)),
            "{q}"
        );
        assert_eq!(list["connections"].as_array().unwrap().len(), matching);
        assert_eq!(list["next"], Value::Null);
    }
    problem(&ask(admin, "GET /api/connections/01KANOBODY"), 404);
}

/// Every connection that the pages show, in order; `between` runs after each page.
fn pages(admin: SocketAddr, query: &str, mut between: impl FnMut()) -> Vec<String> {
    let (mut shown, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(admin, &format!("/api/connections?{query}&cursor={cursor}"));
        let rows = page["connections"].as_array().unwrap();
        shown.extend(
            rows.iter()
                .map(|row| row["conn"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return shown,
        }
        between();
    }
}

#[test]
fn pages_go_on_where_they_were_while_others_come_and_go() {
    let (relayed, admin) = start("");
    let mut stay: Vec<_> = (0..9).map(|_| relayed.another()).collect();
    list_of(admin, 10);
    let staying: BTreeSet<String> = pages(admin, "limit=100", || {}).into_iter().collect();
    assert_eq!(staying.len(), 10);
    for order in ["opened", "-opened", "client", "-client"] {
        let mut guests = Vec::new();
        let shown = pages(admin, &format!("limit=2&sort={order}"), || {
            guests.push(relayed.another());
            if guests.len() > 2 {
                guests.remove(0);
            }
        });
        let unique: BTreeSet<&String> = shown.iter().collect();
        assert_eq!(unique.len(), shown.len(), "{order}: one was shown twice");
        assert!(staying.iter().all(|conn| unique.contains(conn)), "{order}");
    }
    list_of(admin, 10);
    let first = pages(admin, "limit=1000&sort=opened", || {});
    let last = pages(admin, "limit=3&sort=-opened", || {});
    assert_eq!(first, last.into_iter().rev().collect::<Vec<_>>());
    // A cursor belongs to its order.
    let next = get(admin, "/api/connections?limit=1&sort=opened");
    let next = next["next"].as_str().unwrap();
    let other = ask(
        admin,
        &format!("GET /api/connections?sort=rtt&cursor={next}"),
    );
    assert_eq!(problem(&other, 400)["field"], "cursor");
    stay.clear();
}

#[test]
fn the_busiest_and_the_idlest_come_first_when_asked() {
    let (relayed, admin) = start("heartbeat: {upstream: {keepalive: off}}");
    let (mut busy, mut upstream) = relayed.another();
    busy.text("some traffic");
    upstream.expect(&support::Frame::text("some traffic"));
    wait_until("it is counted", || {
        get(admin, "/api/connections?sort=-traffic&limit=1")["connections"][0]["client_bytes"] == 12
    });
    let first = |order: &str| {
        let list = get(admin, &format!("/api/connections?sort={order}&limit=1"));
        list["connections"][0]["client"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (busy, quiet) = (busy.local_address(), relayed.client.local_address());
    assert_eq!(first("-traffic"), busy.to_string());
    assert_eq!(first("traffic"), quiet.to_string());
    assert_eq!(first("-client_idle"), quiet.to_string());
    assert_eq!(first("client_idle"), busy.to_string());
}
