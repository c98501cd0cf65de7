//! What changed between two files, key by key.

use std::collections::HashMap;
use std::fmt;

use super::declaration::Keys;
use super::effective::{MASK, masked};
use super::path::{KeyPath, Step, is_secret};
use super::schema::{docs, yaml};
use super::tree::{Map, Node, Value};

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key, such as `routes[0].match.path`.
    pub path: String,
    /// The value before, as YAML on one line; none when the key is new. Secrets are `***`.
    pub from: Option<String>,
    /// The value after; none when the key is gone.
    pub to: Option<String>,
    /// What holds where the key is not there; none in routes, which inherit instead.
    pub default: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| match (side, &self.default) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => format!("{default} (default)"),
            (None, None) => "(unset)".to_owned(),
        };
        let (from, to) = (side(&self.from), side(&self.to));
        write!(f, "{}: {from} -> {to}", self.path)
    }
}

/// The leaves in which two trees differ, in the order of the old file, then of the new one.
pub(crate) fn diff(old: &Node, new: &Node, keys: &Keys) -> Vec<Change> {
    let mut changes = Vec::new();
    let sides = (Some(&old.value), Some(&new.value));
    compare(&KeyPath::default(), sides, &mut changes);
    if !changes.is_empty() {
        let docs = docs(keys).into_iter();
        let defaults: HashMap<String, String> = docs
            .filter_map(|key| Some((key.path, key.default?)))
            .collect();
        for change in &mut changes {
            change.default = defaults.get(&change.path).cloned();
        }
    }
    changes
}

type Sides<'v> = (Option<&'v Value>, Option<&'v Value>);

fn compare(path: &KeyPath, (old, new): Sides<'_>, changes: &mut Vec<Change>) {
    if old == new {
        return;
    }
    let below = steps(old, new);
    if below.is_empty() {
        let side = |side: Option<&Value>| side.map(|value| shown(path, value));
        changes.push(Change {
            path: path.to_string(),
            from: side(old),
            to: side(new),
            default: None,
        });
        return;
    }
    for step in below {
        let old = old.and_then(|old| old.child(&step)).map(|it| &it.value);
        let new = new.and_then(|new| new.child(&step)).map(|it| &it.value);
        compare(&path.then(step), (old, new), changes);
    }
}

/// The steps to what is below both values, or below one where the other has nothing.
fn steps(old: Option<&Value>, new: Option<&Value>) -> Vec<Step> {
    match (old, new) {
        (Some(Value::Map(old)), Some(Value::Map(new))) => names(&[old, new]),
        (Some(Value::Map(one)), None) | (None, Some(Value::Map(one))) => names(&[one]),
        (Some(Value::List(old)), Some(Value::List(new))) => items(old.len().max(new.len())),
        (Some(Value::List(one)), None) | (None, Some(Value::List(one))) => items(one.len()),
        _ => Vec::new(),
    }
}

/// The keys of all mappings, each once.
fn names(maps: &[&Map]) -> Vec<Step> {
    let mut names: Vec<Step> = Vec::new();
    for entry in maps.iter().flat_map(|map| &map.0) {
        let step = Step::Key(entry.name.clone());
        if !names.contains(&step) {
            names.push(step);
        }
    }
    names
}

fn items(count: usize) -> Vec<Step> {
    (0..count).map(Step::Index).collect()
}

/// A value on one line, unless a key on the way to it, or below it, names a secret.
fn shown(path: &KeyPath, value: &Value) -> String {
    let is_hidden = |step: &Step| matches!(step, Step::Key(name) if is_secret(name));
    match path.steps().iter().any(is_hidden) {
        true => MASK.to_owned(),
        false => yaml(&masked(&value.to_json())),
    }
}

#[cfg(test)]
mod tests;
