use super::*;
use crate::config::{keys, schema};

fn leaves(schema: &Json, path: &str, found: &mut Vec<String>) {
    let variants = schema["anyOf"].as_array().cloned().unwrap_or_default();
    let block = variants
        .iter()
        .find(|variant| variant["properties"].is_object());
    let is_value = matches!(path.rsplit('.').next(), Some("keepalive"));
    let block = if is_value {
        None
    } else {
        Some(block.unwrap_or(schema))
    };
    if let Some(properties) = block.and_then(|block| block["properties"].as_object()) {
        assert_eq!(
            block.unwrap()["additionalProperties"],
            json!(false),
            "{path}"
        );
        for (name, property) in properties {
            let dot = if path.is_empty() { "" } else { "." };
            leaves(property, &format!("{path}{dot}{name}"), found);
        }
    } else if schema["items"]["properties"].is_object() {
        leaves(&schema["items"], &format!("{path}[]"), found);
    } else {
        assert!(schema["description"].is_string(), "{path}");
        found.push(path.to_owned());
    }
}

#[test]
fn the_schema_has_exactly_the_keys() {
    let mut found = Vec::new();
    leaves(&schema(), "", &mut found);
    let listed: Vec<String> = keys().into_iter().map(|key| key.path).collect();
    assert_eq!(found, listed);
}

#[test]
fn keys_have_their_defaults() {
    let default = |path: &str| {
        keys()
            .into_iter()
            .find(|key| key.path == path)
            .unwrap()
            .default
    };
    for (path, value) in [
        ("heartbeat.check_interval", "1s"),
        ("heartbeat.client.idle_time", "60s"),
        ("heartbeat.upstream.idle_time", "off"),
        ("heartbeat.upstream.keepalive", "ping"),
        ("limits.max_connections", "10000"),
        ("limits.max_frame", "16MiB"),
        ("limits.allowed_origins", "[]"),
        ("limits.validate_utf8", "off"),
        ("upstream.retry.backoff", "100ms"),
        ("close.client_idle.reason", "idle timeout"),
        ("drain.delay", "0s"),
        ("log.opened", "on"),
        ("routes[].match.path", "''"),
    ] {
        assert_eq!(default(path).as_deref(), Some(value), "{path}");
    }
    for path in [
        "listen",
        "upstream.url",
        "routes[].heartbeat.client.idle_time",
    ] {
        assert_eq!(default(path), None, "{path}");
    }
}

#[test]
fn what_is_required_is_required_in_the_schema() {
    let schema = schema();
    assert_eq!(schema["required"], json!(["listen", "upstream"]));
    assert_eq!(
        schema["properties"]["upstream"]["anyOf"][1]["required"],
        json!(["url"])
    );
    let route = &schema["properties"]["routes"]["items"];
    assert_eq!(
        route["properties"]["upstream"]["anyOf"][1]["required"],
        Json::Null
    );
}

#[test]
fn values_on_one_line_are_yaml() {
    let value = json!({"a": ["x", 1, "it's", "", "a: b", "- x"], "b c": {"d": true}});
    let line = yaml(&value);
    assert_eq!(
        serde_yaml::from_str::<Json>(&line).unwrap(),
        value,
        "{line}"
    );
}
