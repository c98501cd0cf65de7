//! The configuration in force, key by key: what is written, and the default where nothing is.

use serde_json::{Map as JsonMap, Value as Json, json};

use super::declaration::{Key, Keys, Shape};
use super::path::is_secret;
use super::tree::{Map, Node, Value};
use super::value_type::is_off;

/// What stands for a secret.
pub(crate) const MASK: &str = "***";

/// Every key of a valid file with its value, inherited ones included, so that nobody has to look elsewhere for what
/// holds.
pub(crate) fn effective(tree: &Node, keys: &Keys) -> Json {
    Json::Object(block(tree.value.as_map(), &keys.top, None))
}

/// A block's keys in force; `above` is what is inherited.
fn block(written: Option<&Map>, keys: &[Key], above: Option<&Json>) -> JsonMap<String, Json> {
    let mut all = JsonMap::new();
    for key in keys {
        let node = written.and_then(|map| map.get(key.name));
        let node = node.filter(|node| !node.value.is_null());
        let inherited = above.and_then(|above| above.get(key.name));
        if let Some(value) = value(key, node.map(|it| &it.value), inherited, &all) {
            all.insert(key.name.to_owned(), value);
        }
    }
    all
}

/// What a key holds; none if nothing is written and there is no default. `earlier` are the keys before it.
fn value(
    key: &Key,
    written: Option<&Value>,
    inherited: Option<&Json>,
    earlier: &JsonMap<String, Json>,
) -> Option<Json> {
    match (&key.shape, written) {
        (Shape::Refused, _) => None,
        (Shape::Reserved(takes), _) => Some(takes.default()),
        (Shape::Value(_), Some(value)) => Some(value.to_json()),
        (Shape::Value(_), None) => {
            let stands_in = inherited.or(key.default.as_ref());
            stands_in.filter(|_| key.is_filled).cloned()
        }
        (Shape::List { items, inherits }, Some(Value::List(nodes))) => {
            let above = inherits.then(|| Json::Object(earlier.clone()));
            let item = |node: &Node| block(node.value.as_map(), items, above.as_ref());
            Some(nodes.iter().map(item).map(Json::Object).collect())
        }
        (Shape::List { .. }, _) => Some(inherited.cloned().unwrap_or_else(|| json!([]))),
        (Shape::BlockOrOff(_), Some(value)) if is_off(value) => Some(json!("off")),
        (Shape::BlockOrOff(_), None) if inherited.is_some() => inherited.cloned(),
        (Shape::BlockOrOff(_), None) if key.default.is_some() => key.default.clone(),
        (
            Shape::LineOrBlock {
                key: name,
                block: keys,
                ..
            },
            Some(line),
        ) if line.as_map().is_none() => {
            let mut map = Map::default();
            map.push(name, line.clone());
            Some(Json::Object(block(Some(&map), keys, inherited)))
        }
        (shape, written) => {
            let map = written.and_then(Value::as_map);
            let all = block(map, shape.below(), inherited);
            (map.is_some() || !all.is_empty()).then_some(Json::Object(all))
        }
    }
}

/// JSON with every secret replaced, to be shown.
pub(crate) fn masked(json: &Json) -> Json {
    match json {
        Json::Array(items) => items.iter().map(masked).collect(),
        Json::Object(map) => {
            let pairs = map.iter().map(|(key, value)| {
                let is_set = !value.is_null() && value.as_str() != Some("");
                let shown = match is_set && is_secret(key) {
                    true => json!(MASK),
                    false => masked(value),
                };
                (key.clone(), shown)
            });
            Json::Object(pairs.collect())
        }
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests;
