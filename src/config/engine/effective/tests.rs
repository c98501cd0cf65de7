use serde_json::json;

use super::super::tree::Node;
use crate::config::engine::{Reader, parsed};
use crate::config::keys::{KEYS, file};
use crate::config::{Config, effective, parse};

fn tree(text: &str) -> (Config, Node) {
    let loaded = parse(text, "test", &|_| Some("from-the-environment".to_owned())).unwrap();
    (loaded.config, loaded.tree)
}

fn files() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs/valid");
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let yaml = paths.filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    yaml.map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn what_is_shown_means_the_same_as_what_was_read() {
    for text in files() {
        let (config, tree) = tree(&text);
        let shown = super::effective(&tree, &KEYS);
        // JSON is YAML.
        let again = parsed(&shown.to_string());
        let (read, found) = Reader::read(&again, &KEYS, &[], file);
        assert_eq!(found, [], "{shown:#?}");
        assert_eq!(read.config.unwrap(), config, "{shown:#?}");
        assert_eq!(super::effective(&again, &KEYS), shown, "and is everything");
    }
}

#[test]
fn what_is_not_written_is_there_with_its_default() {
    let shown = effective(&tree("listen: ':1'\nupstream: ws://a\n").1);
    for (pointer, value) in [
        ("/listen", json!(":1")),
        ("/upstream/url", json!("ws://a")),
        ("/upstream/retry/attempts", json!(3)),
        ("/heartbeat/client/idle_time", json!("60s")),
        ("/heartbeat/upstream/idle_time", json!("off")),
        ("/heartbeat/client/app_ping", json!("off")),
        ("/heartbeat/app", json!([])),
        ("/close/killed/code", json!(1001)),
        ("/limits/max_connections", json!(10000)),
        ("/metrics/listen", json!(":9902")),
        ("/admin/listen", json!("127.0.0.1:9901")),
        ("/admin/token", json!("")),
        ("/tls", json!("off")),
        ("/routes", json!([])),
    ] {
        assert_eq!(shown.pointer(pointer), Some(&value), "{pointer}");
    }
}

#[test]
fn routes_show_what_they_inherit() {
    let text = "
listen: ':1'
upstream: ws://a:81
heartbeat: {client: {idle_time: 5m}, app: [{preset: json}]}
routes:
  - match: {path: /a}
  - match: {path: /b}
    upstream: ws://b
    heartbeat: {client: {idle_time: 7m}, app: []}
";
    let shown = effective(&tree(text).1);
    for (pointer, value) in [
        ("/routes/0/upstream/url", json!("ws://a:81")),
        ("/routes/0/heartbeat/client/idle_time", json!("5m")),
        ("/routes/0/heartbeat/app/0/preset", json!("json")),
        ("/routes/1/upstream/url", json!("ws://b")),
        ("/routes/1/heartbeat/client/idle_time", json!("7m")),
        ("/routes/1/heartbeat/app", json!([])),
    ] {
        assert_eq!(shown.pointer(pointer), Some(&value), "{pointer}");
    }
}

#[test]
fn no_secret_is_shown() {
    for written in ["s3cret", "'${TOKEN}'"] {
        let text = format!("listen: ':1'\nupstream: ws://a\nadmin: {{token: {written}}}\n");
        let shown = effective(&tree(&text).1);
        assert_eq!(shown["admin"]["token"], "***");
        let all = shown.to_string();
        assert!(
            !all.contains("s3cret") && !all.contains("from-the"),
            "{all}"
        );
    }
}
