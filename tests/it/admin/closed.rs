//! The records of those who were connected.

use serde_json::json;

use super::*;

fn leave(relayed: &Relayed, (client, upstream): (Wire, Wire), politely: bool) -> Value {
    let mut client = client;
    if politely {
        client.send_frame(&support::Frame::close(1000, "bye"));
    }
    drop((client, upstream));
    relayed.sidecar.log_event("connection_closed", TIMEOUT)
}

#[test]
fn records_are_those_of_the_log_newest_first() {
    let (relayed, admin) = start("");
    assert_eq!(
        get(admin, "/api/closed"),
        json!({"closed": [], "next": null})
    );
    let mut logged: Vec<Value> = (0..5)
        .map(|nth| leave(&relayed, relayed.another(), nth % 2 == 0))
        .collect();
    logged.reverse();
    let closed = get(admin, "/api/closed");
    // Word for word, in the order of the fields and with the same timestamps.
    assert_eq!(closed["closed"].to_string(), json!(logged).to_string());
    assert_eq!(closed["next"], Value::Null);

    let page = get(admin, "/api/closed?limit=2");
    assert_eq!(page["closed"], json!(logged[..2]));
    let newest = leave(&relayed, relayed.another(), true);
    let next = page["next"].as_str().unwrap();
    let page = get(admin, &format!("/api/closed?limit=2&cursor={next}"));
    assert_eq!(
        page["closed"],
        json!(logged[2..4]),
        "nothing twice, nothing left out"
    );
    let next = page["next"].as_str().unwrap();
    let page = get(admin, &format!("/api/closed?limit=2&cursor={next}"));
    assert_eq!(page["closed"], json!(logged[4..]));
    assert_eq!(page["next"], Value::Null);
    assert_eq!(get(admin, "/api/closed?limit=1")["closed"], json!([newest]));

    let reasons = |query: &str| {
        let answer = get(admin, &format!("/api/closed?{query}"));
        answer["closed"].as_array().unwrap().len()
    };
    let lost = logged
        .iter()
        .filter(|it| it["reason"] == "client_lost")
        .count();
    assert_eq!(reasons("reason=client_lost"), lost);
    assert_eq!(reasons("reason=client_idle"), 0);
    assert_eq!(
        reasons(&format!("q={}", newest["conn"].as_str().unwrap())),
        1
    );
    assert_eq!(reasons("q=CHAT.example"), 6);
    assert_eq!(reasons("q=elsewhere"), 0);
}

#[test]
fn records_are_kept_whatever_the_log_leaves_out() {
    let (relayed, admin) = start("");
    let upstream = relayed.backend.url();
    let quiet = format!("upstream: {upstream}\n{ADMIN}\nlog: {{level: error, opened: off}}");
    relayed.sidecar.write_config(&quiet);
    // Whoever reads it, it is in force now.
    assert_eq!(ask(admin, "POST /api/reload").status, 200);
    let mut listening = events::listen(admin, "?types=connection_opened,connection_closed");
    let (mut client, upstream) = relayed.another();
    assert_eq!(listening.next().0, "connection_opened");
    client.send_frame(&support::Frame::close(1000, ""));
    drop((client, upstream));
    let (event, data) = listening.next();
    assert_eq!(event, "connection_closed");
    assert_eq!(get(admin, "/api/closed")["closed"], json!([data]));
    assert!(relayed.sidecar.logged("connection_closed").is_empty());
}
