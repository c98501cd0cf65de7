//! The keys describing themselves: the JSON Schema for editors, and the list for tables.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};
use serde_yaml::Value;

use super::file::file;
use super::keypath::{KeyPath, Step};
use super::sink::{Entry, Shape, Sink};

/// One key of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDoc {
    /// Such as `heartbeat.client.idle_time`; items of lists are `routes[].match.path`.
    pub path: String,
    /// The default as one would write it; none where a value is required, and in routes, which inherit the top level's.
    pub default: Option<String>,
    /// What it means, in a sentence or two.
    pub doc: &'static str,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| Sink::describe(file));

static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    // A `match` that stands in a wrong place is as likely a route's, and routes get names that they do not have.
    let is_meant = |entry: &&Entry| {
        let is_in_list = entry.path.steps().contains(&Step::Each);
        let is_common = matches!(entry.path.last_key(), Some("match" | "name"));
        !(entry.path.is_in_route() || is_in_list && is_common)
    };
    let outside = ENTRIES.iter().filter(is_meant);
    outside.map(|entry| entry.path.to_string()).collect()
});

/// Every key that holds a value (blocks of keys are not listed themselves), in the order of the documentation.
#[must_use]
pub fn keys() -> Vec<KeyDoc> {
    let values = ENTRIES
        .iter()
        .filter(|entry| matches!(entry.shape, Shape::Value(_)));
    let doc = |entry: &Entry| KeyDoc {
        path: entry.path.to_string(),
        default: entry.default.as_ref().map(yaml),
        doc: entry.doc,
    };
    values.map(doc).collect()
}

/// The paths of all keys outside routes, blocks included.
pub(super) fn paths() -> &'static [String] {
    &PATHS
}

static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let keys = ENTRIES.iter().filter_map(|entry| entry.path.last_key());
    keys.map(str::to_owned).collect()
});

/// Whether some block of the file has a key of this name.
pub(super) fn is_key(name: &str) -> bool {
    NAMES.contains(name)
}

/// The JSON Schema (draft 2020-12) of `proxy.yaml`.
#[must_use]
pub fn schema() -> Json {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "proxy.yaml of sidebeat",
    });
    extend(&mut schema, block(&KeyPath::default()));
    schema
}

/// The schema of the block at `path`.
fn block(path: &KeyPath) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for entry in ENTRIES
        .iter()
        .filter(|entry| entry.path.parent() == *path && !entry.path.is_empty())
    {
        let Some(name) = entry.path.last_key() else {
            continue;
        };
        if entry.required {
            required.push(name);
        }
        properties.insert(name.to_owned(), property(entry));
    }
    let mut block =
        json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        extend(&mut block, json!({"required": required}));
    }
    block
}

fn property(entry: &Entry) -> Json {
    let mut property = json!({"description": entry.doc});
    if let Some(default) = &entry.default {
        extend(&mut property, json!({"default": default}));
    }
    let shape = match &entry.shape {
        Shape::Value(schema) => schema.clone(),
        Shape::Block => or_nothing(block(&entry.path)),
        Shape::LineOrBlock(line) => {
            let block = block(&entry.path);
            // Nothing is not enough for a block that has to say something.
            let block = match block.get("required") {
                Some(_) => block,
                None => or_nothing(block),
            };
            json!({"anyOf": [line, block]})
        }
        Shape::Blocks => {
            let items = block(&entry.path.then(Step::Each));
            or_nothing(json!({"type": "array", "items": items}))
        }
    };
    extend(&mut property, shape);
    property
}

/// A block may be left without keys, as when all of them are commented out.
fn or_nothing(mut schema: Json) -> Json {
    let kind = schema["type"].take();
    schema["type"] = json!([kind, "null"]);
    schema
}

fn extend(schema: &mut Json, more: Json) {
    if let (Some(schema), Json::Object(more)) = (schema.as_object_mut(), more) {
        schema.extend(more);
    }
}

/// A JSON value as YAML on one line.
pub(super) fn yaml(value: &Json) -> String {
    match value {
        Json::String(text) => yaml_text(text),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(yaml).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", yaml_text(key), yaml(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// The same for a YAML value.
pub(super) fn yaml_of(value: &Value) -> String {
    serde_json::to_value(value).map_or_else(|_| "?".to_owned(), |value| yaml(&value))
}

/// Text bare where that is readable, else in quotes.
fn yaml_text(text: &str) -> String {
    let tame = |c: char| c.is_alphanumeric() || " _-./:*".contains(c);
    let bare = !text.is_empty()
        && text.trim() == text
        && text.chars().all(tame)
        && !text.contains(": ")
        && !text.starts_with(['-', '*']);
    if bare {
        text.to_owned()
    } else if text.chars().any(|c| c.is_control() || c == '\'') {
        format!("{text:?}")
    } else {
        format!("'{text}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn keys_tell_their_defaults() {
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
}
