//! A block of the file, asked key by key.
//!
//! The functions that ask are the only place that knows the keys. Run over a file they read it and remember every
//! complaint; run over nothing, with a list to fill, they describe themselves (for the schema and the tables).

use std::cell::RefCell;

use serde_json::{Value as Json, json};
use serde_yaml::{Mapping, Value};

use super::describe;
use super::keypath::{Found, KeyPath, Place, Step, key_text};
use super::kind::{Kind, is_off};
use super::nearest::unknown_key;

/// What a reading leaves behind.
#[derive(Default)]
pub(super) struct Sink {
    found: RefCell<Vec<Found>>,
    entries: Option<RefCell<Vec<Entry>>>,
}

/// A key that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) path: KeyPath,
    pub(super) shape: Shape,
    /// As one would write it; none for what must be written, and within routes, which inherit.
    pub(super) default: Option<Json>,
    pub(super) required: bool,
    pub(super) doc: &'static str,
}

/// What stands behind a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// A value with this schema.
    Value(Json),
    /// A block of further keys.
    Block,
    /// The same, or one line with this schema.
    LineOrBlock(Json),
    /// A list of blocks.
    Blocks,
}

/// What a key of a later version takes in this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// `off`.
    Off,
    /// `[]`.
    EmptyList,
    /// This word.
    Word(&'static str),
}

/// A block that is being asked.
pub(super) struct Section<'a> {
    sink: &'a Sink,
    path: KeyPath,
    /// None: nothing is written here.
    map: Option<&'a Mapping>,
    /// Keys that were asked for.
    names: Vec<&'static str>,
    /// Keys that were asked for and that one may write.
    usable: Vec<&'static str>,
    /// One line stands for the block: its problems are the line's.
    one_line: bool,
}

impl Sink {
    /// A reading that only describes.
    pub(super) fn describing() -> Self {
        Sink {
            entries: Some(RefCell::default()),
            ..Sink::default()
        }
    }

    /// Asks the whole file.
    pub(super) fn read<R>(&self, tree: &Value, ask: impl FnOnce(&mut Section<'_>) -> R) -> R {
        let map = match tree {
            Value::Mapping(map) => Some(map),
            Value::Null => None,
            _ => {
                let message =
                    "expected keys such as `listen` and `upstream` at the top of the file";
                self.complain(Found::error(KeyPath::default(), Place::Value, message));
                None
            }
        };
        Section::new(self, KeyPath::default(), map).run(ask)
    }

    pub(super) fn complain(&self, found: Found) {
        self.found.borrow_mut().push(found);
    }

    pub(super) fn into_parts(self) -> (Vec<Found>, Vec<Entry>) {
        (
            self.found.into_inner(),
            self.entries.map(RefCell::into_inner).unwrap_or_default(),
        )
    }
}

impl<'a> Section<'a> {
    fn new(sink: &'a Sink, path: KeyPath, map: Option<&'a Mapping>) -> Self {
        Section {
            sink,
            path,
            map,
            names: Vec::new(),
            usable: Vec::new(),
            one_line: false,
        }
    }

    fn run<R>(mut self, ask: impl FnOnce(&mut Self) -> R) -> R {
        let result = ask(&mut self);
        self.complain_of_unknown_keys();
        result
    }

    /// A key's value, or `base` when it is not written or not right.
    pub(super) fn key<K: Kind>(
        &mut self,
        name: &'static str,
        base: &K::Out,
        kind: &K,
        doc: &'static str,
    ) -> K::Out {
        self.describe(
            name,
            || Shape::Value(kind.schema()),
            || Some(kind.show(base)),
            false,
            doc,
        );
        self.value(name, kind).unwrap_or_else(|| base.clone())
    }

    /// The same for a key that must be written where there is nothing to inherit; none when it is missing or not right.
    pub(super) fn needed<K: Kind>(
        &mut self,
        name: &'static str,
        base: Option<&K::Out>,
        kind: &K,
        doc: &'static str,
    ) -> Option<K::Out> {
        let required = !self.in_route();
        self.describe(name, || Shape::Value(kind.schema()), || None, required, doc);
        if self.written(name).is_none() && required && self.sink.entries.is_none() {
            let message = format!("`{name}` is required; {doc}");
            self.sink
                .complain(Found::error(self.path.clone(), Place::Key, message));
        }
        self.value(name, kind).or_else(|| base.cloned())
    }

    /// A block of further keys.
    pub(super) fn block<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        ask: impl FnOnce(&mut Section<'_>) -> R,
    ) -> R {
        self.describe(name, || Shape::Block, || None, false, doc);
        let path = self.path.key(name);
        let map = match self.written(name) {
            None | Some(Value::Null) => None,
            Some(Value::Mapping(map)) => Some(map),
            Some(_) => {
                self.sink.complain(Found::error(
                    path.clone(),
                    Place::Value,
                    "expected a block of keys",
                ));
                None
            }
        };
        Section::new(self.sink, path, map).run(ask)
    }

    /// A block, or one line that stands for a block with only `key`.
    pub(super) fn line_or_block<R>(
        &mut self,
        name: &'static str,
        key: &'static str,
        line: &dyn Fn() -> Json,
        doc: &'static str,
        ask: impl FnOnce(&mut Section<'_>) -> R,
    ) -> R {
        let Some(
            line_value
            @ (Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Sequence(_)),
        ) = self.written(name)
        else {
            let result = self.block(name, doc, ask);
            if let Some(entries) = &self.sink.entries {
                let path = self.path.key(name);
                let mut entries = entries.borrow_mut();
                let described = entries.iter_mut().find(|entry| entry.path == path);
                if let Some(entry) = described {
                    entry.shape = Shape::LineOrBlock(line());
                    entry.required = !self.in_route();
                }
            }
            return result;
        };
        self.names.push(name);
        self.usable.push(name);
        let map = Mapping::from_iter([(Value::from(key), line_value.clone())]);
        let mut section = Section::new(self.sink, self.path.key(name), Some(&map));
        section.one_line = true;
        section.run(ask)
    }

    /// A list of blocks; `ask` gets the number of each, from 0.
    pub(super) fn blocks<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        mut ask: impl FnMut(&mut Section<'_>, usize) -> R,
    ) -> Vec<R> {
        self.describe(name, || Shape::Blocks, || Some(json!([])), false, doc);
        let path = self.path.key(name);
        if self.sink.entries.is_some() {
            let each = Section::new(self.sink, path.then(Step::Each), None);
            return vec![each.run(|section| ask(section, 0))];
        }
        let items = match self.written(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Sequence(items)) => items,
            Some(_) => {
                let message = "expected a list: begin each item with `- `";
                self.sink
                    .complain(Found::error(path, Place::Value, message));
                return Vec::new();
            }
        };
        let mut results = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = path.index(index);
            let map = item.as_mapping();
            if map.is_none() {
                self.sink.complain(Found::error(
                    path.clone(),
                    Place::Value,
                    "expected a block of keys",
                ));
            }
            results.push(Section::new(self.sink, path, map).run(|section| ask(section, index)));
        }
        results
    }

    /// A key that is known and may not be written here.
    pub(super) fn refused(&mut self, name: &'static str, why: &str) {
        self.names.push(name);
        if self.written(name).is_some() {
            self.sink
                .complain(Found::error(self.path.key(name), Place::Key, why));
        }
    }

    /// A key of a later version, which may only say that it is not used.
    pub(super) fn absent(&mut self, name: &'static str, takes: Absent) {
        let (schema, default, doc) = match takes {
            Absent::Off => (
                json!({"enum": ["off", false]}),
                json!("off"),
                "Not in this version: only `off`.",
            ),
            Absent::EmptyList => (
                json!({"type": "array", "maxItems": 0}),
                json!([]),
                "Not in this version: only `[]`.",
            ),
            Absent::Word(word) => (
                json!({"const": word}),
                json!(word),
                "Not in this version beyond this value.",
            ),
        };
        let shown = default.clone();
        self.describe(name, || Shape::Value(schema), || Some(default), false, doc);
        let nothing = match (self.written(name), takes) {
            (None, _) => return,
            (Some(value), Absent::Off) => is_off(value),
            (Some(value), Absent::EmptyList) => value.as_sequence().is_some_and(Vec::is_empty),
            (Some(value), Absent::Word(word)) => value.as_str() == Some(word),
        };
        if !nothing {
            let path = self.path.key(name);
            let shown = if takes == Absent::EmptyList {
                "[]".to_owned()
            } else {
                describe::yaml(&shown)
            };
            let message =
                format!("this version does not have `{path}`; remove the key, or write `{shown}`");
            self.sink.complain(Found::error(path, Place::Key, message));
        }
    }

    /// A complaint about a key of this block, or about the block itself when the key is not written.
    pub(super) fn complain(&self, name: &'static str, message: impl Into<String>) {
        let path = if self.written(name).is_some() {
            self.below(name)
        } else {
            self.path.clone()
        };
        let place = if path == self.path && !self.one_line {
            Place::Key
        } else {
            Place::Value
        };
        self.sink.complain(Found::error(path, place, message));
    }

    /// Whether this block overrides another one.
    pub(super) fn in_route(&self) -> bool {
        self.path
            .steps()
            .iter()
            .any(|step| matches!(step, Step::Index(_) | Step::Each))
    }

    /// Whether the block is only described, not read.
    pub(super) fn is_described(&self) -> bool {
        self.sink.entries.is_some()
    }

    fn written(&self, name: &str) -> Option<&'a Value> {
        self.map?.get(name)
    }

    fn below(&self, name: &str) -> KeyPath {
        if self.one_line {
            self.path.clone()
        } else {
            self.path.key(name)
        }
    }

    fn value<K: Kind>(&mut self, name: &str, kind: &K) -> Option<K::Out> {
        let value = self.written(name)?;
        let path = self.below(name);
        if value.is_null() {
            let message = "there is no value; write one, or remove the key";
            self.sink.complain(Found::error(path, Place::Key, message));
            return None;
        }
        match kind.read(value) {
            Ok(value) => Some(value),
            Err(faults) => {
                for fault in faults {
                    let path = fault
                        .below
                        .into_iter()
                        .fold(path.clone(), |path, step| path.then(step));
                    self.sink
                        .complain(Found::error(path, Place::Value, fault.message));
                }
                None
            }
        }
    }

    fn describe(
        &mut self,
        name: &'static str,
        shape: impl FnOnce() -> Shape,
        default: impl FnOnce() -> Option<Json>,
        required: bool,
        doc: &'static str,
    ) {
        self.names.push(name);
        self.usable.push(name);
        if let Some(entries) = &self.sink.entries {
            // A route's keys default to what the top level says; only its match has defaults of its own.
            let inherits = self.in_route() && self.path.last_key() != Some("match");
            let default = if inherits { None } else { default() };
            let path = self.path.key(name);
            entries.borrow_mut().push(Entry {
                path,
                shape: shape(),
                default,
                required,
                doc,
            });
        }
    }

    fn complain_of_unknown_keys(&self) {
        for key in self.map.into_iter().flat_map(Mapping::keys) {
            let name = key_text(key);
            if key.is_string() && self.names.contains(&name.as_str()) {
                continue;
            }
            let message = match (key, name.as_str()) {
                (Value::String(_), "<<") => continue,
                (Value::String(_), _) => unknown_key(
                    &name,
                    &self.path.to_string(),
                    &self.usable,
                    &describe::paths(),
                ),
                _ => format!("unknown key; the keys here are {}", self.usable.join(", ")),
            };
            self.sink
                .complain(Found::error(self.path.key(&name), Place::Key, message));
        }
    }
}
