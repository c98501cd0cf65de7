//! The configuration: looking at it, and reading it again.

use std::fs;

use serde_json::json;

use super::*;

#[test]
fn the_file_is_read_when_somebody_says_so() {
    let (relayed, admin) = start("");
    assert_eq!(get(admin, "/api/config")["last_reload"], Value::Null);
    let text = fs::read_to_string(relayed.sidecar.config_path()).unwrap();
    // In place of a rename that the watch would see as well, and maybe sooner.
    let reload = |text: &str| {
        fs::write(relayed.sidecar.config_path(), text).unwrap();
        ask(admin, "POST /api/reload")
    };
    let answer = reload(&format!("{text}\nlimits: {{max_frame: 1KiB}}\n"));
    assert_eq!(answer.status, 200, "{:?}", answer.json());
    let record = relayed
        .sidecar
        .log_event_where("config_reloaded", TIMEOUT, |it| it["changed"] != json!([]));
    if record["trigger"] == "api" {
        let expected = json!({
            "result": "success",
            "changed": ["limits.max_frame"],
            "detail": "limits.max_frame: 16MiB (default) -> 1KiB",
        });
        assert_eq!(answer.json(), expected);
    }
    let config = get(admin, "/api/config");
    assert_eq!(config["effective"]["limits"]["max_frame"], "1KiB");
    assert_eq!(config["last_reload"]["result"], "success");
    assert_eq!(
        config["path"],
        relayed.sidecar.config_path().to_str().unwrap()
    );

    let answer = reload(&format!("{text}\nlimits: {{max_frame: much}}\n"));
    let body = problem(&answer, 422);
    let problems = body["problems"].as_array().unwrap();
    assert!(
        problems[0].as_str().unwrap().contains("limits.max_frame"),
        "{body}"
    );
    let config = get(admin, "/api/config");
    assert_eq!(config["effective"]["limits"]["max_frame"], "1KiB", "stays");
    assert_eq!(config["last_reload"]["result"], "failure");
    assert_eq!(config["last_reload"]["problems"], body["problems"]);
    let last = &get(admin, "/api/summary")["config"]["last_reload"];
    assert_eq!(last["result"], "failure");
}

#[test]
fn nothing_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "upstream: ws://127.0.0.1:9\nadmin: {listen: '127.0.0.1:0', token: very-s3cret}";
    let sidecar = Sidecar::start_in(folder, yaml);
    let admin = address(&sidecar);
    for path in ["/api/config", "/api/summary"] {
        let with_token =
            request(admin, &format!("GET {path}")).header("Authorization", "Bearer very-s3cret");
        let answer = Wire::connect(admin).ask(&with_token);
        assert_eq!(answer.status, 200);
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(!text.contains("very-s3cret"), "{text}");
        if path == "/api/config" {
            assert_eq!(answer.json()["effective"]["admin"]["token"], "***");
        }
    }
}
