//! The schema for editors and `sidebeat check` say the same of every configuration under `tests`, as far as a schema
//! can say it.

use std::fs;
use std::path::{Path, PathBuf};

use fancy_regex::Regex;
use serde_json::Value;
use sidebeat::config;

/// Files that `check` refuses for what no schema expresses.
const NOT_IN_A_SCHEMA: [(&str, &str); 6] = [
    ("collisions.yaml", "addresses are compared with each other"),
    (
        "notice_too_early.yaml",
        "times are compared with each other",
    ),
    ("repeated.yaml", "a tree has each key once"),
    ("too_many_rules.yaml", "the rules of presets are counted"),
    ("variables.yaml", "variables are looked up"),
    (
        "activity.yaml",
        "`activity: heartbeat` needs rules elsewhere",
    ),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            found.push(path);
        }
    }
}

/// The file as `check` sees it: YAML 1.2, merge keys resolved; none when it is no such text.
fn tree(text: &str) -> Option<Value> {
    let mut tree: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
    tree.apply_merge().ok()?;
    serde_json::to_value(tree).ok()
}

fn is_usable(text: &str) -> bool {
    config::parse(text, "p.yaml", &|_| None).is_ok()
}

/// Whether `value` is valid, for the words of JSON Schema that the schema uses; another word is an error of the test.
fn is_valid(schema: &Value, value: &Value) -> bool {
    schema.as_object().unwrap().iter().all(|(word, rule)| {
        let rules = || rule.as_array().unwrap().iter();
        let bound = || rule.as_f64().unwrap();
        match word.as_str() {
            "$schema" | "title" | "description" | "default" => true,
            "type" => match rule {
                Value::Array(names) => names.iter().any(|name| has_type(name, value)),
                name => has_type(name, value),
            },
            "enum" => rules().any(|one| one == value),
            "anyOf" => rules().any(|one| is_valid(one, value)),
            "pattern" => value.as_str().is_none_or(|text| {
                let pattern = Regex::new(rule.as_str().unwrap()).unwrap();
                pattern.is_match(text).unwrap()
            }),
            "minLength" => length(value).is_none_or(|length| length >= bound()),
            "maxLength" => length(value).is_none_or(|length| length <= bound()),
            "minimum" => value.as_f64().is_none_or(|number| number >= bound()),
            "maximum" => value.as_f64().is_none_or(|number| number <= bound()),
            "items" => items(value).all(|item| is_valid(rule, item)),
            "minItems" => value
                .as_array()
                .is_none_or(|list| list.len() as f64 >= bound()),
            "maxItems" => value
                .as_array()
                .is_none_or(|list| list.len() as f64 <= bound()),
            "uniqueItems" => {
                let list: Vec<&Value> = items(value).collect();
                let again = |(index, item): (usize, &&Value)| list[..index].contains(item);
                !list.iter().enumerate().any(again)
            }
            "required" => value
                .as_object()
                .is_none_or(|map| rules().all(|key| map.contains_key(key.as_str().unwrap()))),
            "properties" => value.as_object().is_none_or(|map| {
                map.iter()
                    .all(|(key, value)| rule.get(key).is_none_or(|rule| is_valid(rule, value)))
            }),
            "additionalProperties" => value.as_object().is_none_or(|map| {
                assert_eq!(rule, false);
                map.keys()
                    .all(|key| schema["properties"].get(key).is_some())
            }),
            other => panic!("the schema uses `{other}`"),
        }
    })
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn length(value: &Value) -> Option<f64> {
    Some(value.as_str()?.chars().count() as f64)
}

fn has_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("the schema has the type `{other}`"),
    }
}

#[test]
fn schema_and_check_agree_on_every_file() {
    let schema = config::schema();
    let mut all = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    files(&root.join("tests/configs"), &mut all);
    let mut deployed = Vec::new();
    files(&root.join("deploy"), &mut deployed);
    all.extend(
        deployed
            .into_iter()
            .filter(|path| path.ends_with("proxy.yaml")),
    );
    all.push(root.join("proxy.yaml"));
    let mut compared = 0;
    let mut wrong = Vec::new();
    for path in all {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let Some(tree) = tree(&text) else {
            assert!(!is_usable(&text), "{name}");
            continue;
        };
        let no_schema = NOT_IN_A_SCHEMA.iter().any(|(file, _)| *file == name);
        let expected = no_schema || is_usable(&text);
        if is_valid(&schema, &tree) != expected {
            wrong.push(name.to_owned());
        }
        compared += 1;
    }
    assert_eq!(wrong, [""; 0]);
    assert!(compared > 20, "{compared}");
}

#[test]
fn schema_and_check_agree_on_single_values() {
    let schema = config::schema();
    let base = "listen: ':1'\nupstream: ws://a\n";
    let mut wrong = String::new();
    for line in [
        "admin: {token: 1e5}",
        "admin: {token: '1e5'}",
        "admin: {token: '${TOKEN:-a}'}",
        "admin: {token: a b}",
        "admin: off",
        "admin: on",
        "metrics: {listen: off}",
        "metrics: {listen: 9902}",
        "drain: {reason: 5}",
        "drain: {reason: true}",
        "drain: {reason: ~}",
        "drain: {reason: yes}",
        "drain: {code: 4000}",
        "drain: {code: '4000'}",
        "drain: {code: 999}",
        "drain: {code: 1006}",
        "drain: {delay: 5}",
        "drain: {delay: 5s}",
        "drain: {delay: 1.5m}",
        "drain: {delay: 1m30s}",
        "drain: 30s",
        "limits: {max_connections: 5}",
        "limits: {max_connections: '5'}",
        "limits: {max_connections: 0}",
        "limits: {max_connections: 1.5}",
        "limits: {max_connections: off}",
        "limits: {max_frame: 16MiB}",
        "limits: {max_frame: 16MB}",
        "limits: {max_frame: 1024}",
        "limits: {max_frame: '1.5'}",
        "limits: {max_frame: 1.5KiB}",
        "limits: {validate_utf8: yes}",
        "limits: {validate_utf8: true}",
        "limits: {validate_utf8: enabled}",
        "limits: {allowed_origins: [https://a]}",
        "limits: {allowed_origins: [5]}",
        "limits: {allowed_origins: ~}",
        "limits: ~",
        "limits: []",
        "zebra: 1",
        "heartbeat: {upstream: {keepalive: {text: hi}}}",
        "heartbeat: {upstream: {keepalive: {text: 5}}}",
        "heartbeat: {upstream: {keepalive: off}}",
        "heartbeat: {upstream: {keepalive: pin}}",
        "heartbeat: {app: [{preset: json}]}",
        "heartbeat: {app: [{preset: socketio}]}",
        "heartbeat: {app: [{match: {text: 5}, reply: a}]}",
        "heartbeat: {app: [{match: {binary: c000}, reply_binary: 'd0 00'}]}",
        "heartbeat: {app: [{match: {binary: c00}}]}",
        "heartbeat: {app: [{match: {json: {a: 5}}, capture: [a]}]}",
        "heartbeat: {app: [{match: {json: {a: 5}}, capture: [0]}]}",
        "heartbeat: {app: [{match: {json: {a: 5}}, capture: [a..b]}]}",
        "routes: [{match: {path: /a}}]",
        "routes: [{match: /a}]",
        "routes: [{match: {subprotocol: 13}}]",
        "routes: [{match: {host: 1.5}}]",
        "log: {level: warning}",
        "compression: strip",
        "trusted_proxies: []",
        "proxy_protocol: off",
    ] {
        let text = format!("{base}{line}\n");
        let tree = tree(&text).unwrap();
        let (by_schema, by_check) = (is_valid(&schema, &tree), is_usable(&text));
        if by_schema != by_check {
            wrong += &format!("{line}: schema {by_schema}, check {by_check}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
