//! A block of the file as the declarations see it: what they may ask for.
//!
//! A declaration of keys is a function over a `Block`. It runs in two passes: over a `Declaration`, which lists what is
//! asked for, and over a `Reader`, which answers from a file.

use serde_json::{Value as Json, json};

use super::value_type::ValueType;

/// A key's name and its documentation.
pub(crate) type Label = (&'static str, &'static str);

/// What holds when a key is not written.
#[derive(Clone, Copy)]
pub(crate) enum Role<'b, T> {
    /// This value.
    Default(&'b T),
    /// Nothing; this is only documented as the default.
    Optional(Option<&'b T>),
    /// It is an error, unless the key is inherited.
    Required,
}

pub(crate) trait Block: Sized {
    /// A key's value; none when it is not written or not right.
    fn value<T: ValueType>(
        &mut self,
        label: Label,
        value_type: &T,
        role: Role<'_, T::Out>,
    ) -> Option<T::Out>;

    /// A block of further keys; `is_own`: an item of an inheriting list does not inherit it.
    fn keys<R>(&mut self, label: Label, is_own: bool, keys: impl FnOnce(&mut Self) -> R) -> R;

    /// A block, or `off` instead of one; `base` when neither is written.
    fn block_or_off<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        base: Option<R>,
        keys: impl FnOnce(&mut Self) -> Option<R>,
    ) -> Option<R>;

    /// A block, or one line that stands for a block with only `key`; it must be written where nothing is inherited.
    fn line_or_block<R>(
        &mut self,
        name: &'static str,
        key: &'static str,
        line: impl FnOnce() -> Json,
        doc: &'static str,
        keys: impl FnOnce(&mut Self) -> R,
    ) -> R;

    /// A list of blocks; none when it is not written.
    fn list<R>(
        &mut self,
        label: Label,
        inherits: bool,
        keys: impl FnMut(&mut Self) -> R,
    ) -> Option<Vec<R>>;

    /// A key that is known and may not be written here.
    fn refused(&mut self, name: &'static str, why: &str);

    /// A key of a later version, which may only say that it is not used.
    fn reserved(&mut self, name: &'static str, takes: Reserved);

    /// An error about a key of this block, or about the block itself when the key is not written.
    fn error(&mut self, name: &'static str, message: &str);

    /// Whether something is wrong with a key, or with what is below it.
    fn has_errors(&self, name: &str) -> bool;

    /// Whether a key has a value, be it right or wrong.
    fn is_written(&self, name: &str) -> bool;

    /// Whether keys that are not written are inherited.
    fn inherits(&self) -> bool;

    /// A key's value, or `base` when it is not written or not right.
    fn key<T: ValueType>(
        &mut self,
        name: &'static str,
        base: &T::Out,
        value_type: &T,
        doc: &'static str,
    ) -> T::Out {
        let value = self.value((name, doc), value_type, Role::Default(base));
        value.unwrap_or_else(|| base.clone())
    }

    /// A key's value, where it matters whether it is written; `shown` is only documented as the default.
    fn optional<T: ValueType>(
        &mut self,
        name: &'static str,
        shown: Option<&T::Out>,
        value_type: &T,
        doc: &'static str,
    ) -> Option<T::Out> {
        self.value((name, doc), value_type, Role::Optional(shown))
    }

    /// A key that must be written where nothing is inherited; `base` is what is inherited.
    fn required<T: ValueType>(
        &mut self,
        name: &'static str,
        base: Option<&T::Out>,
        value_type: &T,
        doc: &'static str,
    ) -> Option<T::Out> {
        let value = self.value((name, doc), value_type, Role::Required);
        value.or_else(|| base.cloned())
    }

    /// A block of further keys.
    fn block<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        keys: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.keys((name, doc), false, keys)
    }
}

/// What a reserved key takes in this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// `off`.
    Off,
    /// `[]`.
    EmptyList,
}

impl Reserved {
    pub(crate) fn schema(self) -> Json {
        match self {
            Reserved::Off => json!({"enum": ["off", "false", false]}),
            Reserved::EmptyList => json!({"type": "array", "maxItems": 0}),
        }
    }

    pub(crate) fn default(self) -> Json {
        match self {
            Reserved::Off => json!("off"),
            Reserved::EmptyList => json!([]),
        }
    }

    pub(crate) fn doc(self) -> &'static str {
        match self {
            Reserved::Off => "Not in this version: only `off`.",
            Reserved::EmptyList => "Not in this version: only `[]`.",
        }
    }
}
