//! First pass: the declarations run over nothing, which lists the keys. Schema, tables, defaults, suggestions and the
//! effective configuration come from this list.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use super::block::{Block, Label, Reserved, Role};
use super::path::KeyPath;
use super::value_type::ValueType;

/// Every key that may be written, and what the engine needs to know about them to advise.
pub(crate) struct Keys {
    pub(crate) top: Vec<Key>,
    pub(crate) advice: Advice,
    names: HashSet<&'static str>,
}

/// What the declarations add to the engine's own advice.
pub(crate) struct Advice {
    /// Names that other programs have: the key that does the same here, or a sentence where none does.
    pub(crate) other_programs: &'static [(&'static str, &'static str)],
    /// What belongs at the top of a file.
    pub(crate) expected_at_top: &'static str,
    /// Where a block belongs and this text stands: the block that was meant.
    pub(crate) instead_of_block: fn(&KeyPath, &str) -> Option<String>,
    /// Keys of list items whose names are too common to say where they belong.
    pub(crate) common_in_lists: &'static [&'static str],
}

/// A declared key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) shape: Shape,
    /// As it would be written; none for what is required or inherited.
    pub(crate) default: Option<Json>,
    /// Whether the default holds when the key is not written, or is only documented.
    pub(crate) is_filled: bool,
    pub(crate) is_required: bool,
}

/// What stands behind a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A value with this schema.
    Value(Json),
    Block(Vec<Key>),
    BlockOrOff(Vec<Key>),
    /// A block, or a line with this schema that stands for a block with only `key`.
    LineOrBlock {
        key: &'static str,
        line: Json,
        block: Vec<Key>,
    },
    List {
        items: Vec<Key>,
        inherits: bool,
    },
    Reserved(Reserved),
    Refused,
}

impl Keys {
    pub(crate) fn declare<R>(
        declarations: impl FnOnce(&mut Declaration) -> R,
        advice: Advice,
    ) -> Keys {
        let mut top = Declaration::default();
        declarations(&mut top);
        let mut names = HashSet::new();
        collect_names(&top.keys, &mut names);
        Keys {
            top: top.keys,
            advice,
            names,
        }
    }

    /// Whether some block has a key of this name.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

fn collect_names(keys: &[Key], names: &mut HashSet<&'static str>) {
    for key in keys.iter().filter(|key| key.shape != Shape::Refused) {
        names.insert(key.name);
        collect_names(key.shape.below(), names);
    }
}

impl Shape {
    /// The keys of the block, or of each item.
    pub(crate) fn below(&self) -> &[Key] {
        match self {
            Shape::Block(keys) | Shape::BlockOrOff(keys) => keys,
            Shape::LineOrBlock { block: keys, .. } | Shape::List { items: keys, .. } => keys,
            Shape::Value(_) | Shape::Reserved(_) | Shape::Refused => &[],
        }
    }
}

/// A block whose keys are listed.
#[derive(Default)]
pub(crate) struct Declaration {
    keys: Vec<Key>,
    inherits: bool,
}

impl Declaration {
    fn add(&mut self, name: &'static str, doc: &'static str, shape: Shape) -> &mut Key {
        self.keys.push(Key {
            name,
            doc,
            shape,
            default: None,
            is_filled: true,
            is_required: false,
        });
        let last = self.keys.len() - 1;
        &mut self.keys[last]
    }

    fn set_default(&mut self, default: Option<Json>) {
        let inherits = self.inherits;
        if let Some(key) = self.keys.last_mut() {
            key.default = default.filter(|_| !inherits);
        }
    }

    fn below<R>(inherits: bool, keys: impl FnOnce(&mut Self) -> R) -> (R, Vec<Key>) {
        let mut below = Declaration {
            keys: Vec::new(),
            inherits,
        };
        let result = keys(&mut below);
        (result, below.keys)
    }
}

impl Block for Declaration {
    fn value<T: ValueType>(
        &mut self,
        (name, doc): Label,
        value_type: &T,
        role: Role<'_, T::Out>,
    ) -> Option<T::Out> {
        let is_required = matches!(role, Role::Required) && !self.inherits;
        let key = self.add(name, doc, Shape::Value(value_type.schema()));
        key.is_filled = !matches!(role, Role::Optional(_));
        key.is_required = is_required;
        self.set_default(match role {
            Role::Default(base) => Some(value_type.show(base)),
            Role::Optional(shown) => shown.map(|shown| value_type.show(shown)),
            Role::Required => None,
        });
        None
    }

    fn keys<R>(
        &mut self,
        (name, doc): Label,
        is_own: bool,
        keys: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let (result, below) = Declaration::below(self.inherits && !is_own, keys);
        self.add(name, doc, Shape::Block(below));
        result
    }

    fn block_or_off<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        base: Option<R>,
        keys: impl FnOnce(&mut Self) -> Option<R>,
    ) -> Option<R> {
        let (_, below) = Declaration::below(self.inherits, keys);
        self.add(name, doc, Shape::BlockOrOff(below));
        self.set_default(base.is_none().then(|| json!("off")));
        base
    }

    fn line_or_block<R>(
        &mut self,
        name: &'static str,
        key: &'static str,
        line: impl FnOnce() -> Json,
        doc: &'static str,
        keys: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let (result, block) = Declaration::below(self.inherits, keys);
        let line = line();
        let is_required = !self.inherits;
        self.add(name, doc, Shape::LineOrBlock { key, line, block })
            .is_required = is_required;
        result
    }

    fn list<R>(
        &mut self,
        (name, doc): Label,
        inherits: bool,
        keys: impl FnMut(&mut Self) -> R,
    ) -> Option<Vec<R>> {
        let (item, items) = Declaration::below(inherits, keys);
        self.add(name, doc, Shape::List { items, inherits });
        self.set_default(Some(json!([])));
        Some(vec![item])
    }

    fn refused(&mut self, name: &'static str, _: &str) {
        self.add(name, "", Shape::Refused);
    }

    fn reserved(&mut self, name: &'static str, takes: Reserved) {
        self.add(name, takes.doc(), Shape::Reserved(takes));
        self.set_default(Some(takes.default()));
    }

    fn error(&mut self, _: &'static str, _: &str) {}

    fn has_errors(&self, _: &str) -> bool {
        false
    }

    fn is_written(&self, _: &str) -> bool {
        false
    }

    fn inherits(&self) -> bool {
        self.inherits
    }
}
