//! The way to a key.

use std::fmt;

/// The way from the top of the file to a key or a list's item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct KeyPath(Vec<Step>);

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// A key of a mapping.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
    /// Any item of a list: only in descriptions.
    Each,
}

impl Step {
    /// About how many characters it adds to a path.
    pub(crate) fn length(&self) -> usize {
        match self {
            Step::Key(name) => name.len() + 1,
            Step::Index(_) | Step::Each => 1,
        }
    }
}

impl KeyPath {
    /// From names such as `["heartbeat", "client"]`.
    pub(crate) fn of(keys: &[&str]) -> Self {
        KeyPath(
            keys.iter()
                .map(|key| Step::Key((*key).to_owned()))
                .collect(),
        )
    }

    pub(crate) fn key(&self, name: &str) -> Self {
        self.then(Step::Key(name.to_owned()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    pub(crate) fn then(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.push(step);
        path
    }

    pub(crate) fn join(&self, below: &KeyPath) -> Self {
        KeyPath(self.0.iter().chain(&below.0).cloned().collect())
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub(crate) fn pop(&mut self) -> Option<Step> {
        self.0.pop()
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last key's name, if the path ends in one.
    pub(crate) fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Key(name)) => Some(name),
            _ => None,
        }
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

/// A name that the file gave, safe to print on one line.
pub(crate) fn plain(name: &str) -> String {
    let tame = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '*' | '<');
    if !name.is_empty() && name.chars().count() <= 64 && name.chars().all(tame) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A value that the file gave, in quotes, on one line and not too long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// Whether a key of this name holds a secret, which no message may show.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "secret", "password", "client_key"]
        .iter()
        .any(|word| name.contains(word))
        || name == "key"
}

#[cfg(test)]
mod tests;
