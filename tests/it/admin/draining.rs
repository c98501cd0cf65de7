//! Ending over the API.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::*;
use crate::support::wait_until;

fn draining(admin: SocketAddr) -> Value {
    get(admin, "/api/summary")["draining"].clone()
}

#[test]
fn it_is_what_sigterm_does_and_answers_to_the_end() {
    let (mut relayed, admin) = start(
        "drain: {spread: 0s, timeout: 60s, code: 4005, reason: back soon}\nlimits: {close_timeout: 50s}",
    );
    assert_eq!(draining(admin), Value::Null);
    let answer = ask(admin, "POST /api/drain");
    assert_eq!(answer.status, 202, "{:?}", answer.json());
    let body = answer.json();
    assert_eq!(body["trigger"], "api");
    assert_eq!((&body["remaining"], &body["of"]), (&1.into(), &1.into()));
    let left = body["left_ms"].as_u64().unwrap();
    assert!((1..=60_000).contains(&left), "{body}");
    assert!(
        ["delay", "closing", "finishing"]
            .iter()
            .any(|phase| body["phase"] == *phase)
    );
    let record = relayed.sidecar.log_event("draining", TIMEOUT);
    assert_eq!(
        (&record["trigger"], &record["connections"]),
        (&"api".into(), &1.into())
    );

    relayed.client.expect_close_with(4005, "back soon");
    wait_until("every client was sent a Close frame", || {
        draining(admin)["phase"] == "finishing"
    });
    let again = ask(admin, "POST /api/drain");
    assert_eq!(again.status, 202);
    assert_eq!(again.json()["since"], body["since"]);
    assert_eq!(again.json()["phase"], "finishing");
    problem(&ask(admin, "POST /api/reload"), 409);
    assert_eq!(relayed.sidecar.logged("draining").len(), 1);

    drop((relayed.client, relayed.upstream));
    let record = relayed.sidecar.log_event("drained", TIMEOUT);
    assert_eq!(
        (&record["trigger"], &record["connections"]),
        (&"api".into(), &0.into())
    );
    assert_eq!(relayed.sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
}

#[test]
fn progress_is_seen_and_logged() {
    let settings = "drain: {delay: 10s, spread: 0s, timeout: 60s}";
    let (mut relayed, admin) = start(settings);
    let began = Instant::now();
    ask(admin, "POST /api/drain");
    assert_eq!(draining(admin)["phase"], "delay");
    // They are let in meanwhile, and count.
    let (mut client, upstream) = relayed.another();
    let now = draining(admin);
    assert_eq!((&now["remaining"], &now["of"]), (&2.into(), &2.into()));
    let record = relayed.sidecar.log_event("drain_progress", TIMEOUT);
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert_eq!(
        (&record["remaining"], &record["phase"]),
        (&2.into(), &"delay".into())
    );
    relayed.client.answer_close();
    drop((relayed.client, relayed.upstream));
    wait_until("one has gone", || draining(admin)["remaining"] == 1);
    assert_eq!(draining(admin)["of"], 2);
    client.answer_close();
    drop((client, upstream));
    assert_eq!(relayed.sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
}

#[test]
fn a_process_manager_s_signal_does_not_cut_it_short_and_another_one_does() {
    let (relayed, admin) = start("drain: {delay: 60s, spread: 60s, timeout: 120s}");
    ask(admin, "POST /api/drain");
    relayed.sidecar.signal(Signal::TERM);
    relayed.sidecar.log_event("draining_already", TIMEOUT);
    assert_eq!(draining(admin)["phase"], "delay");
    relayed.sidecar.signal(Signal::TERM);
    let record = relayed.sidecar.log_event("drained", TIMEOUT);
    assert_eq!(
        record["detail"],
        "a second signal: what was left was cut off"
    );
    assert_eq!(relayed.sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
}

#[test]
fn a_drain_by_signal_is_seen_too() {
    let (relayed, admin) = start("drain: {delay: 60s, spread: 60s, timeout: 120s}");
    relayed.sidecar.signal(Signal::INT);
    relayed.sidecar.log_event("draining", TIMEOUT);
    assert_eq!(draining(admin)["trigger"], "SIGINT");
    let again = ask(admin, "POST /api/drain");
    assert_eq!(
        (again.status, &again.json()["trigger"]),
        (202, &"SIGINT".into())
    );
}
