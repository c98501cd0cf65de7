//! A block of the file, asked key by key.
//!
//! The functions that ask are the only place that knows the keys. Run over a file they read it and remember every
//! complaint; run over nothing they describe themselves, for the schema and the tables.

use serde_json::{Value as Json, json};
use serde_yaml::{Mapping, Value};

use super::describe;
use super::diff::is_secret;
use super::keypath::{Found, KeyPath, Place, Step, key_text};
use super::kind::{Kind, is_off};
use super::nearest::unknown_key;
use super::sink::{Entry, Shape, Sink};
use super::syntax::misspelt;
use super::wording::{improved, instead_of_block};

/// What is said where a block may be, and something else is.
const BLOCK: &str = "expected a block of keys";
/// Unknown keys of one block that are told one by one.
const MAX_UNKNOWN: usize = 200;

/// Mistakes of a file beyond which unknown keys get no advice.
const MAX_WORDED: usize = 1000;

/// A block that is being asked.
pub(super) struct Section<'a> {
    sink: &'a Sink,
    path: KeyPath,
    content: Content<'a>,
    /// Keys that were asked for.
    names: Vec<&'static str>,
    /// Those of them that one may write.
    usable: Vec<&'static str>,
}

/// What is written where a block may be.
#[derive(Clone, Copy)]
enum Content<'a> {
    Nothing,
    Keys(&'a Mapping),
    /// One line that stands for the block: the problems of its only key are the line's.
    Line(&'a Mapping),
    /// No block; that is complained of already.
    Wrong,
}

/// What a key of a later version takes in this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// `off`.
    Off,
    /// `[]`.
    EmptyList,
}

impl<'a> Section<'a> {
    /// The top level of a file; none only describes.
    pub(super) fn top(sink: &'a Sink, tree: Option<&'a Value>) -> Self {
        let expected = "expected keys such as `listen` and `upstream` at the top of the file";
        Section::open(sink, KeyPath::default(), tree, expected)
    }

    fn open(sink: &'a Sink, path: KeyPath, value: Option<&'a Value>, expected: &str) -> Self {
        let content = match value {
            // A block may be left without keys, as when all of them are commented out.
            None | Some(Value::Null) => Content::Nothing,
            Some(Value::Mapping(map)) => Content::Keys(map),
            Some(other) => {
                let advice = instead_of_block(&path, other);
                let message = advice.unwrap_or_else(|| expected.to_owned());
                sink.complain(Found::error(path.clone(), Place::Value, message));
                Content::Wrong
            }
        };
        Section {
            sink,
            path,
            content,
            names: Vec::new(),
            usable: Vec::new(),
        }
    }

    pub(super) fn run<R>(mut self, ask: impl FnOnce(&mut Self) -> R) -> R {
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
        let value = self.optional(name, Some(base), kind, doc);
        value.unwrap_or_else(|| {
            self.holds(name, || kind.show(base));
            base.clone()
        })
    }

    /// The same where it matters whether a value is written; `shown` is what is told to be the default.
    pub(super) fn optional<K: Kind>(
        &mut self,
        name: &'static str,
        shown: Option<&K::Out>,
        kind: &K,
        doc: &'static str,
    ) -> Option<K::Out> {
        self.describe(name, doc, false, || {
            let shown = shown.map(|shown| kind.show(shown));
            (Shape::Value(kind.schema()), shown)
        });
        self.value(name, kind)
    }

    /// The same for a key that the top level must write; none when it is missing or not right.
    pub(super) fn needed<K: Kind>(
        &mut self,
        name: &'static str,
        base: Option<&K::Out>,
        kind: &K,
        doc: &'static str,
    ) -> Option<K::Out> {
        let required = !self.in_route();
        self.describe(name, doc, required, || (Shape::Value(kind.schema()), None));
        let missing = required && self.written(name).is_none() && !self.sink.is_describing();
        if missing && !matches!(self.content, Content::Wrong) {
            let block_is_missing =
                matches!(self.content, Content::Nothing) && !self.path.is_empty();
            let path = if block_is_missing {
                self.path.clone()
            } else {
                self.path.key(name)
            };
            let message = format!("is required. {doc}");
            self.sink.complain(Found::error(path, Place::Key, message));
        }
        let value = self.value(name, kind);
        value.or_else(|| {
            let base = base?;
            self.holds(name, || kind.show(base));
            Some(base.clone())
        })
    }

    /// A block of further keys.
    pub(super) fn block<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        ask: impl FnOnce(&mut Section<'_>) -> R,
    ) -> R {
        self.describe(name, doc, false, || (Shape::Block, None));
        self.open_block(name, BLOCK).run(ask)
    }

    /// A block, or `off` instead of one; `base` when neither is written.
    pub(super) fn block_or_off<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        base: Option<R>,
        ask: impl FnOnce(&mut Section<'_>) -> Option<R>,
    ) -> Option<R> {
        let off = || Shape::LineOrBlock(json!({"enum": ["off", "false", false]}));
        let default = base.is_none().then(|| json!("off"));
        self.describe(name, doc, false, || (off(), default));
        match self.written(name) {
            None | Some(Value::Null) if !self.sink.is_describing() => {
                self.holds_base(name, base.is_some(), ask);
                base
            }
            Some(value) if is_off(value) => {
                self.holds(name, || json!("off"));
                None
            }
            _ => self
                .open_block(name, "expected `off` or a block of keys")
                .run(ask),
        }
    }

    /// A block, or one line (with this schema) that stands for a block with only `key`; the top level must write it.
    pub(super) fn line_or_block<R>(
        &mut self,
        name: &'static str,
        key: &'static str,
        line: impl FnOnce() -> Json,
        doc: &'static str,
        ask: impl FnOnce(&mut Section<'_>) -> R,
    ) -> R {
        let required = !self.in_route();
        self.describe(name, doc, required, || (Shape::LineOrBlock(line()), None));
        match self.written(name) {
            None | Some(Value::Null | Value::Mapping(_)) => self.open_block(name, BLOCK).run(ask),
            Some(line) => {
                let map = Mapping::from_iter([(Value::from(key), line.clone())]);
                let content = Content::Line(&map);
                let path = self.path.key(name);
                let (names, usable) = (Vec::new(), Vec::new());
                Section {
                    sink: self.sink,
                    path,
                    content,
                    names,
                    usable,
                }
                .run(ask)
            }
        }
    }

    /// A list of blocks.
    pub(super) fn blocks<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        ask: impl FnMut(&mut Section<'_>) -> R,
    ) -> Vec<R> {
        self.blocks_or_none(name, doc, ask).unwrap_or_default()
    }

    /// The same; none when no list is written.
    pub(super) fn blocks_or_none<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        mut ask: impl FnMut(&mut Section<'_>) -> R,
    ) -> Option<Vec<R>> {
        self.describe(name, doc, false, || (Shape::Blocks, Some(json!([]))));
        let path = self.path.key(name);
        if self.sink.is_describing() {
            let each = Section::open(self.sink, path.then(Step::Each), None, "");
            return Some(vec![each.run(ask)]);
        }
        let items = match self.written(name) {
            None | Some(Value::Null) => {
                if self.inherits() {
                    self.sink.inherit(&path);
                } else {
                    self.holds(name, || json!([]));
                }
                return None;
            }
            Some(Value::Sequence(items)) => items,
            Some(other) => {
                let first = match other {
                    Value::String(text) => Some(text.as_str()),
                    Value::Mapping(map) => map.keys().next().and_then(Value::as_str),
                    _ => None,
                };
                let advice = first
                    .filter(|text| text.starts_with('-'))
                    .and_then(misspelt);
                let message = advice
                    .unwrap_or_else(|| "expected a list: begin each item with `- `".to_owned());
                self.sink
                    .complain(Found::error(path, Place::Value, message));
                return None;
            }
        };
        if items.is_empty() {
            self.holds(name, || json!([]));
        }
        let open = |(index, item)| Section::open(self.sink, path.index(index), Some(item), BLOCK);
        let items = items.iter().enumerate();
        Some(items.map(|item| open(item).run(&mut ask)).collect())
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
        self.describe(name, takes.doc(), false, || {
            (Shape::Value(takes.schema()), Some(takes.default()))
        });
        self.usable.pop();
        self.holds(name, || takes.default());
        let Some(value) = self.written(name) else {
            return;
        };
        if !takes.accepts(value) {
            let path = self.path.key(name);
            let instead = match takes {
                Absent::Off => "off",
                Absent::EmptyList => "[]",
            };
            let message = format!(
                "this version does not have `{name}`; remove the key, or write `{instead}`"
            );
            self.sink.complain(Found::error(path, Place::Key, message));
        }
    }

    /// A complaint about a key of this block, or about the block itself when the key is not written.
    pub(super) fn complain(&self, name: &'static str, message: &str) {
        if matches!(self.content, Content::Wrong) || self.sink.is_describing() {
            return;
        }
        let found = match self.written(name) {
            Some(_) => Found::error(self.path.key(name), Place::Value, message),
            None => Found::error(self.path.clone(), Place::Key, message),
        };
        self.sink.complain(found);
    }

    /// How many complaints there are so far, to tell whether more came.
    pub(super) fn complaints(&self) -> usize {
        self.sink.complaints()
    }

    /// Whether something stands behind a key, be it right or wrong.
    pub(super) fn is_written(&self, name: &str) -> bool {
        self.written(name).is_some()
    }

    /// Whether this block is part of a route, which inherits what it does not say.
    pub(super) fn in_route(&self) -> bool {
        self.path.is_in_route()
    }

    /// Whether keys that are not written are as at the top level: a route's, but not those of its match, nor those of
    /// an item of a list, which is replaced as a whole.
    fn inherits(&self) -> bool {
        let is_item = |step: &&Step| !matches!(step, Step::Key(_));
        let lists = self.path.steps().iter().filter(is_item).count();
        self.in_route() && lists == 1 && self.path.last_key() != Some("match")
    }

    fn open_block(&self, name: &str, expected: &str) -> Section<'a> {
        let path = self.path.key(name);
        let mut block = Section::open(self.sink, path, self.written(name), expected);
        if matches!(self.content, Content::Wrong) {
            block.content = Content::Wrong;
        }
        block
    }

    fn map(&self) -> Option<&'a Mapping> {
        match self.content {
            Content::Keys(map) | Content::Line(map) => Some(map),
            Content::Nothing | Content::Wrong => None,
        }
    }

    fn written(&self, name: &str) -> Option<&'a Value> {
        self.map()?.get(name)
    }

    fn value<K: Kind>(&mut self, name: &str, kind: &K) -> Option<K::Out> {
        let value = self.written(name)?;
        let path = match self.content {
            Content::Line(_) => self.path.clone(),
            _ => self.path.key(name),
        };
        if value.is_null() {
            // `problems` looks up why.
            self.sink.complain(Found::error(path, Place::Missing, ""));
            return None;
        }
        let faults = match kind.read(value) {
            Ok(read) => {
                self.sink.answer(|| self.path.key(name), || value.clone());
                return Some(read);
            }
            Err(faults) if is_secret(name) => faults,
            Err(faults) => improved(kind, value, faults),
        };
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

    /// A key holds this, though it is not written.
    fn holds(&self, name: &str, value: impl FnOnce() -> Json) {
        // JSON is YAML, so that nothing can be lost.
        let value = || serde_yaml::to_value(value()).unwrap_or_default();
        self.sink.answer(|| self.path.key(name), value);
    }

    /// The same of a block that may be `off`.
    fn holds_base<R>(
        &self,
        name: &str,
        is_on: bool,
        ask: impl FnOnce(&mut Section<'_>) -> Option<R>,
    ) {
        if self.inherits() {
            self.sink.inherit(&self.path.key(name));
        } else if !is_on {
            self.holds(name, || json!("off"));
        } else if self.sink.is_answering() {
            self.open_block(name, BLOCK).run(ask);
        }
    }

    fn describe(
        &mut self,
        name: &'static str,
        doc: &'static str,
        required: bool,
        what: impl FnOnce() -> (Shape, Option<Json>),
    ) {
        self.names.push(name);
        self.usable.push(name);
        self.sink.describe_key(|| {
            let (shape, default) = what();
            let default = default.filter(|_| !self.inherits());
            Entry {
                path: self.path.key(name),
                shape,
                default,
                required,
                doc,
            }
        });
    }

    fn complain_of_unknown_keys(&self) {
        let known = |key: &Value| key.as_str().is_some_and(|name| self.names.contains(&name));
        let unknown: Vec<&Value> = self
            .map()
            .into_iter()
            .flat_map(Mapping::keys)
            .filter(|key| !known(key))
            .collect();
        let place = self.path.to_string();
        for (count, key) in unknown.iter().enumerate() {
            let name = key_text(key);
            let path = self.path.key(&name);
            if count == MAX_UNKNOWN {
                let more = unknown.len() - count;
                let message = format!("unknown key, and so are {} more", more - 1);
                self.sink.complain(Found::error(path, Place::Key, message));
                return;
            }
            // Looking for the key that was meant takes time; a file with so many mistakes is not told all of them.
            if self.sink.complaints() > MAX_WORDED {
                self.sink
                    .complain(Found::error(path, Place::Key, "unknown key"));
                continue;
            }
            let message = unknown_key(&name, &place, &self.usable, describe::paths());
            self.sink.complain(Found::error(path, Place::Key, message));
        }
    }
}

impl Absent {
    fn accepts(self, value: &Value) -> bool {
        match self {
            Absent::Off => is_off(value),
            Absent::EmptyList => value.as_sequence().is_some_and(Vec::is_empty),
        }
    }

    fn schema(self) -> Json {
        match self {
            Absent::Off => json!({"enum": ["off", "false", false]}),
            Absent::EmptyList => json!({"type": "array", "maxItems": 0}),
        }
    }

    fn default(self) -> Json {
        match self {
            Absent::Off => json!("off"),
            Absent::EmptyList => json!([]),
        }
    }

    fn doc(self) -> &'static str {
        match self {
            Absent::Off => "Not in this version: only `off`.",
            Absent::EmptyList => "Not in this version: only `[]`.",
        }
    }
}
