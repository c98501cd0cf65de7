//! `--listen` and `--upstream`: keys that the command line gives, in place of what the file says.

use super::engine::{KeyPath, Map, Node, Step, Value};
use super::keys::{LISTEN, TARGET};

/// Keys of the command line, as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Each `--listen`; none: what the file says.
    pub listen: Vec<String>,
    /// `--upstream`.
    pub upstream: Option<String>,
}

impl Flags {
    /// Takes a value for `--listen`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn read_listen(text: &str) -> Result<String, String> {
        (LISTEN.read)(text).map(|_| text.to_owned())
    }

    /// Takes a value for `--upstream`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn read_upstream(text: &str) -> Result<String, String> {
        (TARGET.read)(text).map(|_| text.to_owned())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names().is_empty()
    }

    /// Whether nothing else is needed to run.
    #[must_use]
    pub fn are_enough(&self) -> bool {
        !self.listen.is_empty() && self.upstream.is_some()
    }

    /// Those that were written.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let listen = (!self.listen.is_empty()).then_some("--listen");
        let upstream = self.upstream.as_ref().map(|_| "--upstream");
        [listen, upstream].into_iter().flatten().collect()
    }

    /// Takes away what the file says of these keys, right or wrong.
    pub(super) fn remove_from(&self, tree: &mut Node) {
        let Value::Map(keys) = &mut tree.value else {
            return;
        };
        if !self.listen.is_empty() {
            keys.remove("listen");
        }
        if self.upstream.is_some() {
            match keys.get_mut("upstream") {
                // Its other keys are about how it is dialled.
                Some(Value::Map(upstream)) => upstream.remove("url"),
                _ => keys.remove("upstream"),
            }
        }
    }

    /// Puts the keys there.
    pub(super) fn insert_into(&self, tree: &mut Node) {
        if tree.value.is_null() && !self.is_empty() {
            *tree = Value::Map(Map::default()).into();
        }
        let Value::Map(keys) = &mut tree.value else {
            return;
        };
        match self.listen.as_slice() {
            [] => {}
            [one] => keys.push("listen", one.as_str().into()),
            several => {
                let items = several.iter().map(|it| Value::from(it.as_str()).into());
                keys.push("listen", Value::List(items.collect()));
            }
        }
        if let Some(url) = &self.upstream {
            match keys.get_mut("upstream") {
                Some(Value::Map(upstream)) => upstream.push("url", url.as_str().into()),
                _ => keys.push("upstream", url.as_str().into()),
            }
        }
    }

    /// The flag that gave the value at a path.
    pub(super) fn that_gave(&self, path: &KeyPath) -> Option<&'static str> {
        let key = |name: &str| Step::Key(name.to_owned());
        let name = match path.steps() {
            [first, ..] if *first == key("listen") => "--listen",
            [first] if *first == key("upstream") => "--upstream",
            [first, second] if *first == key("upstream") && *second == key("url") => "--upstream",
            _ => return None,
        };
        self.names().into_iter().find(|it| *it == name)
    }
}

#[cfg(test)]
mod tests;
