//! Closing a connection by hand.

use serde_json::json;

use super::*;

#[test]
fn a_client_is_sent_what_the_operator_says() {
    for (settings, query, code, reason) in [
        ("", "", 1001, "closed by operator"),
        ("", "?code=1008&reason=too%20loud", 1008, "too loud"),
        ("", "?code=4321", 4321, "closed by operator"),
        ("", "?reason=", 1001, ""),
        (
            "close: {killed: {code: 4000, reason: out}}",
            "",
            4000,
            "out",
        ),
        ("close: {killed: {code: 4000}}", "?reason=bye", 4000, "bye"),
    ] {
        let (mut relayed, admin) = start(settings);
        let conn = only(admin);
        let line = format!("DELETE /api/connections/{conn}{query}");
        let answer = ask(admin, &line);
        assert_eq!(answer.status, 202, "{:?}", answer.json());
        assert_eq!(
            answer.json(),
            json!({"conn": conn, "code": code, "reason": reason})
        );
        relayed.client.expect_close_with(code, reason);
        // It is on its way already.
        support::wait_until("others see that", || {
            get(admin, &format!("/api/connections/{conn}"))["state"] == "closing"
        });
        problem(&ask(admin, &line), 409);
        drop((relayed.client, relayed.upstream));
        let record = relayed.sidecar.log_event("connection_closed", TIMEOUT);
        for (field, value) in [
            ("conn", json!(conn)),
            ("reason", json!("killed")),
            ("initiator", json!("sidecar")),
            (
                "client_close",
                json!({"received": null, "sent": {"code": code, "reason": reason}}),
            ),
        ] {
            assert_eq!(record[field], value, "{field}: {record}");
        }
        problem(&ask(admin, &line), 404);
    }
}
