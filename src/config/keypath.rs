//! Where in a file something is: the way to a key, and what was found there.

use std::fmt;

use serde_yaml::Value;

use super::problem::Severity;

/// The way from the top of the file to a key or a list's item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct KeyPath(Vec<Step>);

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// A key of a mapping.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
    /// Any item of a list: only in descriptions.
    Each,
}

/// Something wrong, or questionable, before its line is looked up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) path: KeyPath,
    pub(super) place: Place,
    pub(super) severity: Severity,
    pub(super) message: String,
}

/// Which part of a path's last step is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The key's first occurrence.
    Key,
    /// A later occurrence of the key: 1 is the second.
    Again(usize),
    /// What stands behind the key.
    Value,
    /// The key's first occurrence, behind which YAML sees nothing.
    Missing,
    /// This line and column, whatever the path.
    At(usize, usize),
}

impl Found {
    pub(super) fn error(path: KeyPath, place: Place, message: impl Into<String>) -> Self {
        let severity = Severity::Error;
        let message = message.into();
        Found {
            path,
            place,
            severity,
            message,
        }
    }
}

impl KeyPath {
    /// From names such as `["heartbeat", "client"]`.
    pub(super) fn of(keys: &[&str]) -> Self {
        KeyPath(
            keys.iter()
                .map(|key| Step::Key((*key).to_owned()))
                .collect(),
        )
    }

    pub(super) fn of_steps(steps: &[Step]) -> Self {
        KeyPath(steps.to_vec())
    }

    pub(super) fn key(&self, name: &str) -> Self {
        self.then(Step::Key(name.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    pub(super) fn then(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.push(step);
        path
    }

    pub(super) fn join(&self, below: &KeyPath) -> Self {
        KeyPath(self.0.iter().chain(&below.0).cloned().collect())
    }

    pub(super) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last key's name, if the path ends in one.
    pub(super) fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Key(name)) => Some(name),
            _ => None,
        }
    }

    pub(super) fn parent(&self) -> KeyPath {
        KeyPath(
            self.0
                .split_last()
                .map_or(&[][..], |(_, above)| above)
                .to_vec(),
        )
    }

    pub(super) fn starts_with(&self, above: &KeyPath) -> bool {
        self.0.starts_with(&above.0)
    }

    /// Whether this is below an item of `routes`.
    pub(super) fn is_in_route(&self) -> bool {
        self.0.len() > 1 && self.0.first() == Some(&Step::Key("routes".to_owned()))
    }

    /// What a tree holds at this path.
    pub(super) fn get<'t>(&self, tree: &'t Value) -> Option<&'t Value> {
        self.0.iter().try_fold(tree, |node, step| match step {
            Step::Key(name) => node.as_mapping()?.get(name.as_str()),
            Step::Index(index) => node.as_sequence()?.get(*index),
            Step::Each => None,
        })
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Each => f.write_str("[]")?,
                Step::Key(name) => {
                    let dot = if position == 0 { "" } else { "." };
                    write!(f, "{dot}{}", plain(name))?;
                }
            }
        }
        Ok(())
    }
}

/// A key as text; keys that are no text get their YAML spelling, lists and mappings a sign.
pub(super) fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null => "null".to_owned(),
        Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => "?".to_owned(),
    }
}

/// A name that the file gave, safe to print on one line.
pub(super) fn plain(name: &str) -> String {
    let tame = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '*' | '<');
    if !name.is_empty() && name.chars().count() <= 64 && name.chars().all(tame) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A value that the file gave, in quotes, on one line and not too long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_like_the_file() {
        let path = KeyPath::of(&["routes"]).index(2).key("match").key("a b");
        assert_eq!(path.to_string(), "routes[2].match.\"a b\"");
        assert_eq!(path.parent().to_string(), "routes[2].match");
    }

    #[test]
    fn what_is_printed_stays_on_one_line() {
        assert_eq!(plain("a\nb"), "\"a\\nb\"");
        assert_eq!(quoted(&"é".repeat(61)), format!("{:?}…", "é".repeat(60)));
    }

    #[test]
    fn get_follows_keys_and_items() {
        let tree: Value = serde_yaml::from_str("a: [{b: 7}]").unwrap();
        let path = KeyPath::of(&["a"]).index(0).key("b");
        assert_eq!(path.get(&tree), Some(&Value::from(7)));
        assert_eq!(path.key("c").get(&tree), None);
    }
}
