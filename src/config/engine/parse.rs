//! Text to tree, in one reading: one YAML document, its merge keys resolved, with every repeated key and tag reported.
//!
//! serde_yaml keeps no positions, but an error that a visitor returns carries the place of the value it was given. So
//! the visitor puts each scalar into a slot and then fails on purpose; the caller takes the value from the slot and the
//! position from the error, and goes on. That works for scalars because the parser has consumed one when it calls the
//! visitor. A list or a mapping is consumed only if its visitor succeeds, and gets its position from what it contains.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, EnumAccess, Error, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_yaml::Deserializer;

use super::bounds::{self, MAX_DEPTH, MAX_ITEMS, MAX_VALUES, Texts};
use super::diagnostic::{Finding, Place};
use super::path::{KeyPath, Step};
use super::syntax::{self, IsKey};
use super::tree::{Entry, Map, Mark, Node, Value};

/// Values below longer paths get no positions of their own: each error would spell the path out.
const MAX_PATH: usize = 1024;

/// The document with aliases and merge keys (`<<`) resolved.
///
/// # Errors
/// What keeps the text from being one YAML document; nothing below it can be checked then.
pub(crate) fn parse(
    text: &str,
    is_key: IsKey<'_>,
    found: &mut Vec<Finding>,
) -> Result<Node, Finding> {
    bounds::check(text)?;
    let mut documents = Deserializer::from_str(text);
    let Some(first) = documents.next() else {
        return Ok(Node::default());
    };
    let mut state = State {
        path: KeyPath::default(),
        path_length: 0,
        last: Mark::default(),
        empties: 0,
        values: 0,
        texts: Texts::default(),
        exceeded: None,
        found,
    };
    let mut node = None;
    let seed = Slot {
        state: &mut state,
        node: &mut node,
    };
    let outcome = seed.deserialize(first);
    if let Err(error) = outcome {
        return Err(match state.exceeded.take() {
            Some((path, message)) => Finding::at(path, mark_of(&error), message),
            None => syntax::explain(text, &error, is_key),
        });
    }
    if let Some(second) = documents.next() {
        return Err(syntax::second_document(text, start(second)));
    }
    let mut node = node.unwrap_or_default();
    if !matches!(node.value, Value::Map(_) | Value::List(_)) {
        node.mark = Deserializer::from_str(text).next().map_or(node.mark, start);
    }
    Ok(node)
}

#[cfg(test)]
pub(crate) fn parsed(text: &str) -> Node {
    parse(text, &|_| false, &mut Vec::new()).unwrap()
}

struct State<'f> {
    path: KeyPath,
    path_length: usize,
    /// The last scalar, and how many empty lists and mappings came after it.
    last: Mark,
    empties: usize,
    values: usize,
    texts: Texts,
    /// Which bound ended the reading, and where.
    exceeded: Option<(KeyPath, String)>,
    found: &'f mut Vec<Finding>,
}

impl State<'_> {
    /// Ends the reading; the error itself only carries the position.
    fn refuse<E: Error>(&mut self, message: String) -> E {
        self.exceeded = Some((self.path.clone(), message));
        E::custom("out of bounds")
    }

    fn enter(&mut self, step: Step) {
        self.path_length += step.length();
        self.path.push(step);
    }

    fn leave(&mut self) {
        if let Some(step) = self.path.pop() {
            self.path_length -= step.length();
        }
    }

    /// What `read` put into its slot. An error with a scalar in the slot only carries the position.
    fn take<T, E: Error>(
        &mut self,
        read: impl FnOnce(Slot<'_, '_>) -> Result<Option<T>, E>,
    ) -> Result<Option<Node>, E> {
        let mut node = None;
        let outcome = read(Slot {
            state: self,
            node: &mut node,
        });
        match (outcome, node) {
            (Ok(None), _) => Ok(None),
            (Ok(Some(_)), node) => Ok(Some(node.unwrap_or_default())),
            (Err(error), Some(mut node)) if self.exceeded.is_none() => {
                node.mark = mark_of(&error);
                (self.last, self.empties) = (node.mark, 0);
                Ok(Some(node))
            }
            (Err(error), _) => Err(error),
        }
    }
}

/// Where a document's content begins.
fn start(document: Deserializer<'_>) -> Mark {
    let outcome = document.deserialize_any(Stop);
    outcome
        .err()
        .map_or(Mark { line: 1, column: 1 }, |it| mark_of(&it))
}

/// Where an error was raised: it ends in `at line 3 column 5`, but for the first character of the text.
fn mark_of(error: &impl fmt::Display) -> Mark {
    let error = error.to_string();
    let place = error.rsplit_once(" at line ").and_then(|(_, place)| {
        let (line, column) = place.split_once(" column ")?;
        Some(Mark {
            line: line.parse().ok()?,
            column: column.parse().ok()?,
        })
    });
    place.unwrap_or(Mark { line: 1, column: 1 })
}

/// Reads one value, whatever it is, into `node`.
struct Slot<'s, 'f> {
    state: &'s mut State<'f>,
    node: &'s mut Option<Node>,
}

impl Slot<'_, '_> {
    fn scalar<E: Error>(self, value: Value) -> Result<(), E> {
        *self.node = Some(value.into());
        // What follows a document that is only a scalar is looked at after the visitor's success.
        let is_document = self.state.values == 1;
        if is_document || self.state.path_length > MAX_PATH {
            if let Some(node) = self.node {
                node.mark = self.state.last;
            }
            return Ok(());
        }
        Err(E::custom("here"))
    }

    /// A list or a mapping, which has a first child unless it is empty.
    fn container(self, value: Value, first: Option<Mark>) {
        let empty_before = first.is_none().then_some(self.state.empties);
        self.state.empties += usize::from(first.is_none());
        *self.node = Some(Node {
            value,
            mark: first.unwrap_or(self.state.last),
            empty_before,
        });
    }
}

impl<'de> DeserializeSeed<'de> for Slot<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.state.values += 1;
        if self.state.values > MAX_VALUES {
            let message = format!("the file has more than {MAX_VALUES} values, aliases unfolded");
            return Err(self.state.refuse(message));
        }
        if self.state.path.steps().len() > MAX_DEPTH {
            return Err(self.state.refuse(bounds::too_deep()));
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.scalar(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(Value::Number(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Value::Number(value.into()))
    }

    // No tree holds such integers. They stay numbers, rounded: as text they would pass for one that is in the file.
    fn visit_u128<E: Error>(self, value: u128) -> Result<(), E> {
        self.scalar(Value::Number((value as f64).into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<(), E> {
        self.scalar(Value::Number((value as f64).into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Value::Number(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match self.state.texts.add(value.len()) {
            Ok(()) => self.scalar(value.into()),
            Err(message) => Err(self.state.refuse(message)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut list = Vec::new();
        loop {
            self.state.enter(Step::Index(list.len()));
            let item = self.state.take(|slot| items.next_element_seed(slot))?;
            self.state.leave();
            let Some(item) = item else { break };
            list.push(item);
            if list.len() > MAX_ITEMS {
                let message = format!("more than {MAX_ITEMS} items in one list");
                return Err(self.state.refuse(message));
            }
        }
        let first = list.first().map(|item| item.mark);
        self.container(Value::List(list), first);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut map = Map::default();
        let mut seen = HashSet::new();
        while let Some(key) = self.state.take(|slot| entries.next_key_seed(slot))? {
            let name = key.value.spelling();
            let is_text = key.value.as_text().is_some();
            let mark = self.state.last;
            self.state.enter(Step::Key(name.clone()));
            let node = self
                .state
                .take(|slot| entries.next_value_seed(slot).map(Some))?;
            let is_scalar = !matches!(key.value, Value::List(_) | Value::Map(_));
            if is_scalar && !seen.insert((name.clone(), is_text)) {
                let message = "this key is already set above; keep one of them";
                let path = self.state.path.clone();
                self.state.found.push(Finding::at(path, mark, message));
            } else {
                map.0.push(Entry {
                    name,
                    is_text,
                    mark,
                    node: node.unwrap_or_default(),
                });
            }
            self.state.leave();
        }
        let first = map.0.first().map(|entry| entry.mark);
        let map = merged(map, self.state);
        self.container(Value::Map(map), first);
        Ok(())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        let message = "YAML tags (`!name`) mean nothing here; write the plain value";
        let path = self.state.path.clone();
        let finding = Finding::error(path, Place::Value, message);
        self.state.found.push(finding);
        value.newtype_variant_seed(self)
    }
}

/// A mapping with its `<<` replaced by what it refers to: the mapping's own keys win, then earlier sources.
fn merged(map: Map, state: &mut State<'_>) -> Map {
    if !map.0.iter().any(|entry| entry.name == "<<") {
        return map;
    }
    let mut own = Map::default();
    let mut sources = Vec::new();
    for entry in map.0 {
        if entry.name != "<<" || !entry.is_text {
            own.0.push(entry);
            continue;
        }
        match entry.node.value {
            Value::Map(source) => sources.push(source),
            Value::List(list) if list.iter().all(|item| item.value.as_map().is_some()) => {
                sources.extend(list.into_iter().filter_map(|item| match item.value {
                    Value::Map(source) => Some(source),
                    _ => None,
                }));
            }
            _ => {
                let message = "`<<` merges a mapping or a list of mappings, such as `<<: *name`";
                let finding = Finding::error(state.path.key("<<"), Place::Value, message);
                state.found.push(Finding {
                    mark: Some(entry.node.mark),
                    ..finding
                });
            }
        }
    }
    let mut names: HashSet<String> = own.0.iter().map(|entry| entry.name.clone()).collect();
    for entry in sources.into_iter().flat_map(|source| source.0) {
        if names.insert(entry.name.clone()) {
            own.0.push(entry);
        }
    }
    own
}

/// Fails at whatever it is given: every method that a visitor does not write refuses its value.
struct Stop;

impl Visitor<'_> for Stop {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

#[cfg(test)]
mod tests;
