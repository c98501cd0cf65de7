//! What `sidebeat::heartbeat::json` finds without a tree, found in a tree: slow and plain.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use sidebeat::heartbeat::json::Pattern;

/// JSON with every key as often as it comes.
#[derive(Debug)]
pub(crate) enum Tree {
    Scalar(Value),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn contains(&self, pattern: &Pattern) -> bool {
        match (self, pattern) {
            (_, Pattern::Any) => true,
            (Tree::Scalar(value), Pattern::Exactly(wanted)) => is_same(value, wanted),
            (Tree::List(items), Pattern::List(patterns)) => {
                items.len() == patterns.len()
                    && items
                        .iter()
                        .zip(patterns)
                        .all(|(item, pattern)| item.contains(pattern))
            }
            (Tree::Object(entries), Pattern::Object(patterns)) => {
                patterns.iter().all(|(wanted, pattern)| {
                    let mut found = entries.iter().filter(|(key, _)| **key == **wanted);
                    let first = found.next();
                    found.next().is_none() && first.is_some_and(|(_, tree)| tree.contains(pattern))
                })
            }
            _ => false,
        }
    }

    /// The first value at a path.
    pub(crate) fn at(&self, path: &[Box<str>]) -> Option<&Tree> {
        let Some((step, rest)) = path.split_first() else {
            return Some(self);
        };
        match self {
            Tree::Scalar(_) => None,
            Tree::List(items) => items.get(step.parse::<usize>().ok()?)?.at(rest),
            Tree::Object(entries) => {
                let mut found = entries.iter().filter(|(key, _)| **key == **step);
                found.find_map(|(_, tree)| tree.at(rest))
            }
        }
    }

    pub(crate) fn value(&self) -> Value {
        match self {
            Tree::Scalar(value) => value.clone(),
            Tree::List(items) => items.iter().map(Tree::value).collect(),
            Tree::Object(entries) => entries
                .iter()
                .map(|(key, tree)| (key.clone(), tree.value()))
                .collect(),
        }
    }

    /// A pattern that is like this tree, but for what the choices change; a choice for each value.
    pub(crate) fn pattern(&self, choices: &mut impl Iterator<Item = u8>) -> Option<Pattern> {
        match choices.next().unwrap_or_default() % 8 {
            1 => return None,
            2 => return Some(Pattern::Any),
            3 => return Some(Pattern::Exactly(Value::from(1))),
            _ => {}
        }
        Some(match self {
            Tree::Scalar(value) => {
                Pattern::Exactly(near(value, choices.next().unwrap_or_default()))
            }
            Tree::List(items) => Pattern::List(
                items
                    .iter()
                    .filter_map(|item| item.pattern(choices))
                    .collect(),
            ),
            Tree::Object(entries) => {
                let mut patterns: Vec<(Box<str>, Pattern)> = Vec::new();
                for (key, tree) in entries {
                    let pattern = tree.pattern(choices);
                    if let Some(pattern) =
                        pattern.filter(|_| patterns.iter().all(|(known, _)| **known != **key))
                    {
                        patterns.push((key.as_str().into(), pattern));
                    }
                }
                Pattern::Object(patterns)
            }
        })
    }
}

/// A number that may be taken for this one.
fn near(value: &Value, choice: u8) -> Value {
    match (choice % 4, value.as_u64(), value.as_f64()) {
        (1, _, Some(float)) => Value::from(float),
        (2, Some(integer), _) => Value::from(integer.wrapping_add(1)),
        (3, _, Some(float)) => Value::from(float as u64),
        _ => value.clone(),
    }
}

fn is_same(a: &Value, b: &Value) -> bool {
    let exactly = |value: &Value| match (value.as_i64(), value.as_u64(), value.as_f64()) {
        (Some(integer), ..) => Some(Ok(i128::from(integer))),
        (_, Some(integer), _) => Some(Ok(i128::from(integer))),
        (.., Some(float)) if float.fract() == 0.0 && float.abs() < 1e30 => Some(Ok(float as i128)),
        (.., Some(float)) => Some(Err(float)),
        _ => None,
    };
    match (exactly(a), exactly(b)) {
        (None, None) => a == b,
        (a, b) => a == b,
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Scalar(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Scalar(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Tree::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Tree::Object(entries))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
