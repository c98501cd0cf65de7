//! What asking for keys leaves behind: complaints when a file is read, descriptions when there is none.

use std::cell::RefCell;

use serde_json::Value as Json;
use serde_yaml::Value;

use super::effective::known;
use super::keypath::{Found, KeyPath};
use super::section::Section;

/// Collects while a file's keys are asked for.
#[derive(Default)]
pub(super) struct Sink {
    found: RefCell<Vec<Found>>,
    /// None when a file is read.
    entries: Option<RefCell<Vec<Entry>>>,
    /// None unless what holds is wanted, key by key.
    answers: Option<RefCell<Vec<(KeyPath, Value)>>>,
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

impl Sink {
    /// Asks a whole file for its keys.
    pub(super) fn read<R>(
        tree: &Value,
        ask: impl FnOnce(&mut Section<'_>) -> R,
    ) -> (R, Vec<Found>) {
        let sink = Sink::default();
        let result = Section::top(&sink, Some(tree)).run(ask);
        (result, sink.found.into_inner())
    }

    /// Asks nothing at all for its keys, which describes them.
    pub(super) fn describe<R>(ask: impl FnOnce(&mut Section<'_>) -> R) -> Vec<Entry> {
        let sink = Sink {
            entries: Some(RefCell::default()),
            ..Sink::default()
        };
        Section::top(&sink, None).run(ask);
        sink.entries.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Asks a whole file that is right for what holds: every key with its value.
    pub(super) fn answers<R>(
        tree: &Value,
        ask: impl FnOnce(&mut Section<'_>) -> R,
    ) -> Vec<(KeyPath, Value)> {
        let sink = Sink {
            answers: Some(RefCell::default()),
            ..Sink::default()
        };
        Section::top(&sink, Some(tree)).run(ask);
        sink.answers.map(RefCell::into_inner).unwrap_or_default()
    }

    /// What a key holds; none: nothing is to be kept of it.
    pub(super) fn answer(&self, path: impl FnOnce() -> KeyPath, value: impl FnOnce() -> Value) {
        if let Some(answers) = &self.answers {
            answers.borrow_mut().push((path(), value()));
        }
    }

    /// A route's `path` holds what the top level has there, which was asked before.
    pub(super) fn inherit(&self, path: &KeyPath) {
        let Some(answers) = &self.answers else { return };
        let above = KeyPath::of_steps(&path.steps()[2..]);
        let inherited = known(&answers.borrow(), &above);
        let route = KeyPath::of_steps(&path.steps()[..2]);
        let inherited = inherited
            .into_iter()
            .map(|(below, value)| (route.join(&below), value));
        answers.borrow_mut().extend(inherited);
    }

    /// Whether every key's value is wanted.
    pub(super) fn is_answering(&self) -> bool {
        self.answers.is_some()
    }

    pub(super) fn complain(&self, found: Found) {
        self.found.borrow_mut().push(found);
    }

    /// How many complaints there are so far.
    pub(super) fn complaints(&self) -> usize {
        self.found.borrow().len()
    }

    pub(super) fn is_describing(&self) -> bool {
        self.entries.is_some()
    }

    pub(super) fn describe_key(&self, entry: impl FnOnce() -> Entry) {
        if let Some(entries) = &self.entries {
            let entry = entry();
            entries.borrow_mut().push(entry);
        }
    }
}
