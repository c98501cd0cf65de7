//! The file as a tree. Every node knows where in the text it began, so that a problem is placed without reading the
//! text again, also when aliases and merge keys have moved the node elsewhere.

use serde_json::{Map as JsonMap, Value as Json};
pub(crate) use serde_yaml::Number;

use super::path::{KeyPath, Step};

/// A line and a column, both from 1; 0 for what does not stand in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A value, and where it stands.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub(crate) value: Value,
    /// Of a scalar: where it begins. Of a mapping: its first key. Of an empty list or mapping: the last scalar before it.
    pub(crate) mark: Mark,
    /// Of an empty list or mapping: how many others are between it and that scalar.
    pub(crate) empty_before: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// A mapping, in the file's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Map(pub(crate) Vec<Entry>);

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Whether the key is a text, and not a number, say, whose spelling is lost.
    pub(crate) is_text: bool,
    pub(crate) mark: Mark,
    pub(crate) node: Node,
}

/// Two trees are equal if they say the same, wherever it stands.
impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        (&self.name, self.is_text, &self.node) == (&other.name, other.is_text, &other.node)
    }
}

impl Map {
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        let found = self.0.iter().find(|it| it.name == name && it.is_text);
        found.map(|entry| &entry.node)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let mut entries = self.0.iter_mut();
        let found = entries.find(|it| it.name == name && it.is_text);
        found.map(|entry| &mut entry.node.value)
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|entry| entry.name != name);
    }

    /// Adds a key that does not stand in the file.
    pub(crate) fn push(&mut self, name: &str, value: Value) {
        self.0.push(Entry {
            name: name.to_owned(),
            is_text: true,
            mark: Mark::default(),
            node: value.into(),
        });
    }
}

impl Node {
    /// What stands at a path; keys that are no text are found by their spelling.
    pub(crate) fn at(&self, path: &KeyPath) -> Option<&Node> {
        let mut steps = path.steps().iter();
        steps.try_fold(self, |node, step| node.value.child(step))
    }

    /// Calls `visit` for every text below, with its path.
    pub(crate) fn for_each_text(&mut self, visit: &mut dyn FnMut(&KeyPath, &mut String)) {
        self.texts_below(&mut KeyPath::default(), visit);
    }

    fn texts_below(&mut self, path: &mut KeyPath, visit: &mut dyn FnMut(&KeyPath, &mut String)) {
        match &mut self.value {
            Value::Text(text) => visit(path, text),
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(Step::Index(index));
                    item.texts_below(path, visit);
                    path.pop();
                }
            }
            Value::Map(map) => {
                for entry in &mut map.0 {
                    path.push(Step::Key(entry.name.clone()));
                    entry.node.texts_below(path, visit);
                    path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl Value {
    /// What stands one step below.
    pub(crate) fn child(&self, step: &Step) -> Option<&Node> {
        match (self, step) {
            (Value::List(items), Step::Index(index)) => items.get(*index),
            (Value::Map(map), Step::Key(name)) => {
                let found = map.0.iter().find(|entry| entry.name == *name);
                found.map(|entry| &entry.node)
            }
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Node]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        *self == Value::Null
    }

    /// A scalar as YAML spells it; a sign for a list or a mapping.
    pub(crate) fn spelling(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Null => "null".to_owned(),
            Value::List(_) | Value::Map(_) => "?".to_owned(),
        }
    }

    /// As JSON, which has no `.nan` and `.inf`: they become null.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => serde_json::to_value(number).unwrap_or_default(),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => items.iter().map(|item| item.value.to_json()).collect(),
            Value::Map(map) => {
                let pairs = map.0.iter();
                let pairs = pairs.map(|it| (it.name.clone(), it.node.value.to_json()));
                Json::Object(pairs.collect::<JsonMap<_, _>>())
            }
        }
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Node {
        Node {
            value,
            ..Node::default()
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}
