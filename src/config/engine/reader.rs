//! Second pass: the declarations run over a file, which gives every key its value and reports every value that is wrong.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::block::{Block, Label, Reserved, Role};
use super::declaration::Keys;
use super::diagnostic::{Finding, Place, Severity};
use super::path::{KeyPath, Step, is_secret};
use super::syntax::misspelt;
use super::tree::{Map, Node, Value};
use super::value_type::{ValueType, is_off};
use super::wording::improved;

const EXPECTED_BLOCK: &str = "expected a block of keys";

/// A block of a file.
pub(crate) struct Reader<'a> {
    keys: &'a Keys,
    findings: Vec<Finding>,
    /// The paths of errors, and all that are above them.
    wrong: HashSet<KeyPath>,
    path: KeyPath,
    content: Content<'a>,
    inherits: bool,
}

/// What is written where a block may be.
#[derive(Clone, Copy)]
enum Content<'a> {
    Nothing,
    Keys(&'a Map),
    /// One line that stands for a block with only this key: what is wrong with the key is wrong with the line.
    Line(&'static str, &'a Node),
    /// No block; that is reported already.
    Wrong,
}

impl<'a> Reader<'a> {
    /// Reads a file by its declarations; what is wrong with the values. `earlier` is what is known to be wrong.
    pub(crate) fn read<R>(
        tree: &'a Node,
        keys: &'a Keys,
        earlier: &[Finding],
        declarations: impl FnOnce(&mut Self) -> R,
    ) -> (R, Vec<Finding>) {
        let mut reader = Reader {
            keys,
            findings: Vec::new(),
            wrong: with_all_above(earlier),
            path: KeyPath::default(),
            content: Content::Nothing,
            inherits: false,
        };
        reader.content = reader.open(Some(tree), keys.advice.expected_at_top);
        let result = declarations(&mut reader);
        (result, reader.findings)
    }

    /// What stands where a block may be, at the current path.
    fn open(&mut self, node: Option<&'a Node>, expected: &str) -> Content<'a> {
        match node.map(|node| &node.value) {
            // A block may be left without keys, as when all of them are commented out.
            None | Some(Value::Null) => Content::Nothing,
            Some(Value::Map(map)) => Content::Keys(map),
            Some(other) => {
                let advice = self.instead_of_block(other);
                let message = advice.unwrap_or_else(|| expected.to_owned());
                let path = self.path.clone();
                self.report(path, Place::Value, message);
                Content::Wrong
            }
        }
    }

    fn instead_of_block(&self, value: &Value) -> Option<String> {
        if matches!(value, Value::List(_) | Value::Map(_)) {
            return None;
        }
        let text = value.spelling();
        // `idle_time:5s` below `client:` is one text.
        let misspelt = text
            .contains([':', '=', '：'])
            .then(|| misspelt(&text, &|name| self.keys.is_key(name)));
        misspelt
            .flatten()
            .or_else(|| (self.keys.advice.instead_of_block)(&self.path, &text))
    }

    /// Runs declarations over the block at a step below.
    fn below<R>(
        &mut self,
        step: Step,
        node: Option<&'a Node>,
        expected: &str,
        keys: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.path.push(step);
        let content = match self.content {
            Content::Wrong => Content::Wrong,
            _ => self.open(node, expected),
        };
        let above = std::mem::replace(&mut self.content, content);
        let result = keys(self);
        self.content = above;
        self.path.pop();
        result
    }

    fn instead_of_list(&self, value: &Value) -> String {
        let first = match value {
            Value::Text(text) => Some(text.as_str()),
            Value::Map(map) => map.0.first().map(|entry| entry.name.as_str()),
            _ => None,
        };
        let first = first.filter(|text| text.starts_with('-'));
        let advice = first.and_then(|text| misspelt(text, &|name| self.keys.is_key(name)));
        advice.unwrap_or_else(|| "expected a list: begin each item with `- `".to_owned())
    }

    fn written(&self, name: &str) -> Option<&'a Node> {
        match self.content {
            Content::Keys(map) => map.get(name),
            Content::Line(key, line) => (key == name).then_some(line),
            Content::Nothing | Content::Wrong => None,
        }
    }

    fn report(&mut self, path: KeyPath, place: Place, message: impl Into<String>) {
        add_all_above(&path, &mut self.wrong);
        self.findings.push(Finding::error(path, place, message));
    }

    fn read_value<T: ValueType>(&mut self, name: &str, value_type: &T) -> Option<T::Out> {
        let value = &self.written(name)?.value;
        let path = match self.content {
            Content::Line(..) => self.path.clone(),
            _ => self.path.key(name),
        };
        if value.is_null() {
            // The message comes with the position, from what the line says.
            self.report(path, Place::Missing, "");
            return None;
        }
        let errors = match value_type.read(value) {
            Ok(read) => return Some(read),
            Err(errors) if is_secret(name) => errors,
            Err(errors) => improved(value_type, value, errors, &|name| self.keys.is_key(name)),
        };
        for error in errors {
            let below = error.below.into_iter();
            let path = below.fold(path.clone(), |path, step| path.then(step));
            self.report(path, Place::Value, error.message);
        }
        None
    }
}

/// The paths of errors, and all that are above them.
pub(crate) fn with_all_above(findings: &[Finding]) -> HashSet<KeyPath> {
    let mut all = HashSet::new();
    for finding in findings {
        if finding.severity == Severity::Error {
            add_all_above(&finding.path, &mut all);
        }
    }
    all
}

fn add_all_above(path: &KeyPath, all: &mut HashSet<KeyPath>) {
    let mut path = path.clone();
    while all.insert(path.clone()) && path.pop().is_some() {}
}

impl Block for Reader<'_> {
    fn value<T: ValueType>(
        &mut self,
        (name, doc): Label,
        value_type: &T,
        role: Role<'_, T::Out>,
    ) -> Option<T::Out> {
        let is_missing = !self.inherits && self.written(name).is_none();
        let is_block = !matches!(self.content, Content::Wrong);
        if matches!(role, Role::Required) && is_missing && is_block {
            let no_block = matches!(self.content, Content::Nothing) && !self.path.is_empty();
            let path = match no_block {
                true => self.path.clone(),
                false => self.path.key(name),
            };
            self.report(path, Place::Key, format!("is required. {doc}"));
        }
        self.read_value(name, value_type)
    }

    fn keys<R>(&mut self, (name, _): Label, is_own: bool, keys: impl FnOnce(&mut Self) -> R) -> R {
        let node = self.written(name);
        let inherits = self.inherits && !is_own;
        let above = std::mem::replace(&mut self.inherits, inherits);
        let result = self.below(Step::Key(name.to_owned()), node, EXPECTED_BLOCK, keys);
        self.inherits = above;
        result
    }

    fn block_or_off<R>(
        &mut self,
        name: &'static str,
        _: &'static str,
        base: Option<R>,
        keys: impl FnOnce(&mut Self) -> Option<R>,
    ) -> Option<R> {
        match self.written(name) {
            None => base,
            Some(node) if node.value.is_null() => base,
            Some(node) if is_off(&node.value) => None,
            node => {
                let expected = "expected `off` or a block of keys";
                self.below(Step::Key(name.to_owned()), node, expected, keys)
            }
        }
    }

    fn line_or_block<R>(
        &mut self,
        name: &'static str,
        key: &'static str,
        _: impl FnOnce() -> Json,
        doc: &'static str,
        keys: impl FnOnce(&mut Self) -> R,
    ) -> R {
        match self.written(name) {
            Some(line) if !matches!(line.value, Value::Null | Value::Map(_)) => {
                self.below(Step::Key(name.to_owned()), None, EXPECTED_BLOCK, |b| {
                    b.content = Content::Line(key, line);
                    keys(b)
                })
            }
            _ => self.block(name, doc, keys),
        }
    }

    fn list<R>(
        &mut self,
        (name, _): Label,
        inherits: bool,
        mut keys: impl FnMut(&mut Self) -> R,
    ) -> Option<Vec<R>> {
        let node = self.written(name)?;
        let items = match &node.value {
            Value::Null => return None,
            Value::List(items) => items,
            other => {
                let message = self.instead_of_list(other);
                self.report(self.path.key(name), Place::Value, message);
                return None;
            }
        };
        let above = std::mem::replace(&mut self.inherits, inherits);
        self.path.push(Step::Key(name.to_owned()));
        let items = items.iter().enumerate();
        let items = items.map(|(index, item)| {
            self.below(Step::Index(index), Some(item), EXPECTED_BLOCK, &mut keys)
        });
        let items = items.collect();
        self.path.pop();
        self.inherits = above;
        Some(items)
    }

    fn refused(&mut self, name: &'static str, why: &str) {
        if self.written(name).is_some() {
            self.report(self.path.key(name), Place::Key, why);
        }
    }

    fn reserved(&mut self, name: &'static str, takes: Reserved) {
        let Some(node) = self.written(name) else {
            return;
        };
        let (is_right, instead) = match takes {
            Reserved::Off => (is_off(&node.value), "off"),
            Reserved::EmptyList => (node.value.as_list().is_some_and(<[_]>::is_empty), "[]"),
        };
        if !is_right {
            let message = format!(
                "this version does not have `{name}`; remove the key, or write `{instead}`"
            );
            self.report(self.path.key(name), Place::Key, message);
        }
    }

    fn error(&mut self, name: &'static str, message: &str) {
        if matches!(self.content, Content::Wrong) {
            return;
        }
        match self.written(name) {
            Some(_) => self.report(self.path.key(name), Place::Value, message),
            None => self.report(self.path.clone(), Place::Key, message),
        }
    }

    fn has_errors(&self, name: &str) -> bool {
        self.wrong.contains(&self.path.key(name))
    }

    fn is_written(&self, name: &str) -> bool {
        self.written(name).is_some()
    }

    fn inherits(&self) -> bool {
        self.inherits
    }
}
