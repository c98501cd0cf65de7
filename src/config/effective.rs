//! The configuration in force, key by key: what is written, and the default where nothing is.
//!
//! The questions that read a file are asked once more, and each answer is kept (`section`, `sink`).

use serde_json::Value as Json;
use serde_yaml::{Mapping, Value};

use super::diff::masked;
use super::file::file;
use super::keypath::{KeyPath, Step};
use super::sink::Sink;

/// Every key of a file with its value, for showing to people: secrets are `***`.
///
/// Each route has its own keys, inherited ones included, so that nobody has to look elsewhere for what holds.
#[must_use]
pub fn effective(tree: &Value) -> Json {
    // All keys are text, and so JSON can hold it.
    serde_json::to_value(masked(&answers(tree))).unwrap_or_default()
}

/// The same with secrets, as a file that says everything.
fn answers(tree: &Value) -> Value {
    let mut answers = Value::Mapping(Mapping::new());
    for (path, value) in Sink::answers(tree, file) {
        put(&mut answers, path.steps(), value);
    }
    answers
}

fn put(node: &mut Value, steps: &[Step], value: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *node = value;
        return;
    };
    let below = match step {
        Step::Key(name) => {
            if !node.is_mapping() {
                *node = Value::Mapping(Mapping::new());
            }
            node.as_mapping_mut()
                .map(|map| map.entry(name.as_str().into()).or_insert(Value::Null))
        }
        Step::Index(index) => {
            if !node.is_sequence() {
                *node = Value::Sequence(Vec::new());
            }
            node.as_sequence_mut().and_then(|items| {
                if items.len() <= *index {
                    items.resize(index + 1, Value::Null);
                }
                items.get_mut(*index)
            })
        }
        // Only in descriptions.
        Step::Each => None,
    };
    if let Some(below) = below {
        put(below, rest, value);
    }
}

/// What the top level has at a path. Its answers come before those of the routes, which are not walked through: there
/// may be thousands of them, and each asks.
pub(super) fn known(answers: &[(KeyPath, Value)], at: &KeyPath) -> Vec<(KeyPath, Value)> {
    let top = answers.iter().take_while(|(path, _)| !path.is_in_route());
    let below = top.filter(|(path, _)| path.starts_with(at));
    below.cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{Config, parse};

    fn tree(text: &str) -> (Config, Value) {
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
            let shown = answers(&tree);
            let (read, found) = Sink::read(&shown, file);
            assert_eq!(found, [], "{shown:#?}");
            assert_eq!(read.config.unwrap(), config, "{shown:#?}");
            assert_eq!(answers(&shown), shown, "and is everything");
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
}
