//! What changed between two files, key by key.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde_yaml::{Mapping, Value};

use super::describe::yaml_of;
use super::keypath::{KeyPath, Step, key_text};

/// What stands for a secret.
const MASK: &str = "***";

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key, such as `routes[0].match.path`.
    pub path: String,
    /// The value before, as YAML on one line; none when the key is new. Secrets are `***`.
    pub from: Option<String>,
    /// The value after; none when the key is gone.
    pub to: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| {
            side.clone()
                .unwrap_or_else(|| match default_of(&self.path) {
                    Some(default) => format!("{default} (default)"),
                    None => "(unset)".to_owned(),
                })
        };
        write!(
            f,
            "{}: {} -> {}",
            self.path,
            side(&self.from),
            side(&self.to)
        )
    }
}

/// What holds at the top level when the key is not there; a route's keys inherit instead.
fn default_of(path: &str) -> Option<String> {
    static DEFAULTS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let keys = super::keys().into_iter();
        keys.filter_map(|key| Some((key.path, key.default?)))
            .collect()
    });
    DEFAULTS.get(path).cloned()
}

/// The leaves in which two expanded trees differ, in the order of the old file, then of the new one.
#[must_use]
pub fn diff(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(&KeyPath::default(), Some(old), Some(new), &mut changes);
    changes
}

fn compare(path: &KeyPath, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    if old == new {
        return;
    }
    let below = match (old, new) {
        (Some(Value::Mapping(old)), Some(Value::Mapping(new))) => keys(Some(old), Some(new)),
        (Some(Value::Mapping(one)), None) | (None, Some(Value::Mapping(one))) => {
            keys(Some(one), None)
        }
        (Some(Value::Sequence(old)), Some(Value::Sequence(new))) => items(old.len().max(new.len())),
        (Some(Value::Sequence(one)), None) | (None, Some(Value::Sequence(one))) => items(one.len()),
        _ => Vec::new(),
    };
    if below.is_empty() {
        let side = |side: Option<&Value>| side.map(|value| shown(path, value));
        changes.push(Change {
            path: path.to_string(),
            from: side(old),
            to: side(new),
        });
        return;
    }
    for (step, key) in below {
        let old = old.and_then(|old| child(old, &key));
        let new = new.and_then(|new| child(new, &key));
        compare(&path.then(step), old, new, changes);
    }
}

/// What a mapping holds at a key, or a list at a number.
fn child<'v>(tree: &'v Value, key: &Value) -> Option<&'v Value> {
    match tree {
        Value::Sequence(items) => items.get(usize::try_from(key.as_u64()?).ok()?),
        Value::Mapping(map) => map.get(key),
        _ => None,
    }
}

/// The keys of one or both mappings, each once.
fn keys(old: Option<&Mapping>, new: Option<&Mapping>) -> Vec<(Step, Value)> {
    let mut keys: Vec<(Step, Value)> = Vec::new();
    for key in [old, new].into_iter().flatten().flat_map(Mapping::keys) {
        if !keys.iter().any(|(_, seen)| seen == key) {
            keys.push((Step::Key(key_text(key)), key.clone()));
        }
    }
    keys
}

fn items(count: usize) -> Vec<(Step, Value)> {
    (0..count)
        .map(|index| (Step::Index(index), Value::from(index)))
        .collect()
}

/// A value on one line, unless a key on the way to it, or below it, names a secret.
fn shown(path: &KeyPath, value: &Value) -> String {
    let hidden = path
        .steps()
        .iter()
        .any(|step| matches!(step, Step::Key(name) if is_secret(name)));
    if hidden {
        MASK.to_owned()
    } else {
        yaml_of(&masked(value))
    }
}

/// A tree with every secret replaced by `***`: for showing a configuration to people.
#[must_use]
pub fn masked(tree: &Value) -> Value {
    match tree {
        Value::Sequence(items) => items.iter().map(masked).collect(),
        Value::Mapping(map) => {
            let pairs = map.iter().map(|(key, value)| {
                let is_set = !value.is_null() && value.as_str() != Some("");
                let secret = is_set && is_secret(&key_text(key));
                (
                    key.clone(),
                    if secret { MASK.into() } else { masked(value) },
                )
            });
            Value::Mapping(pairs.collect())
        }
        plain => plain.clone(),
    }
}

pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "secret", "password", "client_key"]
        .iter()
        .any(|word| name.contains(word))
        || name == "key"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(old: &str, new: &str) -> Vec<String> {
        let read = |text| serde_yaml::from_str(text).unwrap();
        diff(&read(old), &read(new))
            .iter()
            .map(Change::to_string)
            .collect()
    }

    #[test]
    fn leaves_are_compared_one_by_one() {
        let old =
            "{listen: ':1', limits: {max_frame: 1MiB, max_message: 2MiB}, log: {level: info}}";
        let new =
            "{listen: ':2', limits: {max_frame: 1MiB, max_message: off}, drain: {spread: 5s}}";
        let told = [
            "listen: :1 -> :2",
            "limits.max_message: 2MiB -> off",
            "log.level: info -> info (default)",
            "drain.spread: 10s (default) -> 5s",
        ];
        assert_eq!(changes(old, new), told);
        assert!(changes(old, old).is_empty());
    }

    #[test]
    fn lists_are_compared_by_position() {
        let told = ["a[1]: y -> z", "a[2].k: (unset) -> 1"];
        assert_eq!(changes("{a: [x, y]}", "{a: [x, z, {k: 1}]}"), told);
    }

    #[test]
    fn a_line_that_becomes_a_block_is_one_change() {
        assert_eq!(
            changes("{upstream: ws://a}", "{upstream: {url: ws://a}}"),
            ["upstream: ws://a -> {url: ws://a}"]
        );
        assert_eq!(changes("{a: []}", "{a: {}}"), ["a: [] -> {}"]);
    }

    #[test]
    fn secrets_are_never_told() {
        assert_eq!(
            changes("{admin: {token: one}}", "{admin: {token: two}}"),
            ["admin.token: *** -> ***"]
        );
        assert_eq!(
            changes("{admin: off}", "{admin: {token: two}}"),
            ["admin: off -> {token: '***'}"]
        );
        assert_eq!(
            changes("{}", "{tls: {key: [a]}}"),
            ["tls.key[0]: (unset) -> ***"]
        );
    }
}
