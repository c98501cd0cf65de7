//! The declared keys for others: the JSON Schema for editors, and the list for tables.

use serde_json::{Map, Value as Json, json};

use super::declaration::{Key, Keys, Shape};
use super::path::{KeyPath, Step};

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

/// Every key that holds a value (blocks of keys are not listed themselves), in the order of the declarations.
pub(crate) fn docs(keys: &Keys) -> Vec<KeyDoc> {
    let mut all = Vec::new();
    collect(&keys.top, &KeyPath::default(), &mut all);
    all
}

fn collect(block: &[Key], path: &KeyPath, all: &mut Vec<KeyDoc>) {
    for key in block {
        let path = path.key(key.name);
        match &key.shape {
            Shape::Refused => {}
            Shape::Value(_) | Shape::Reserved(_) => all.push(KeyDoc {
                path: path.to_string(),
                default: key.default.as_ref().map(yaml),
                doc: key.doc,
            }),
            Shape::List { items, .. } => collect(items, &path.then(Step::Each), all),
            shape => collect(shape.below(), &path, all),
        }
    }
}

/// The JSON Schema (draft 2020-12) of a file with these keys.
pub(crate) fn schema(keys: &Keys, title: &str) -> Json {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
    });
    extend(&mut schema, block(&keys.top));
    schema
}

fn block(keys: &[Key]) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys.iter().filter(|key| key.shape != Shape::Refused) {
        if key.is_required {
            required.push(key.name);
        }
        properties.insert(key.name.to_owned(), property(key));
    }
    let mut block =
        json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        extend(&mut block, json!({"required": required}));
    }
    block
}

fn property(key: &Key) -> Json {
    let mut property = json!({"description": key.doc});
    if let Some(default) = &key.default {
        extend(&mut property, json!({"default": default}));
    }
    let shape = match &key.shape {
        Shape::Value(schema) => schema.clone(),
        Shape::Reserved(takes) => takes.schema(),
        Shape::Block(keys) => or_nothing(block(keys)),
        Shape::BlockOrOff(keys) => {
            let off = json!({"enum": ["off", "false", false]});
            json!({"anyOf": [off, or_nothing(block(keys))]})
        }
        Shape::LineOrBlock {
            line, block: keys, ..
        } => {
            let block = block(keys);
            // Nothing is not enough for a block that has to say something.
            let block = match block.get("required") {
                Some(_) => block,
                None => or_nothing(block),
            };
            json!({"anyOf": [line, block]})
        }
        Shape::List { items, .. } => or_nothing(json!({"type": "array", "items": block(items)})),
        Shape::Refused => json!({}),
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
pub(crate) fn yaml(value: &Json) -> String {
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
mod tests;
