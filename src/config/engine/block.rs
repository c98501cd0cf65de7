//! A block of the file as the declarations see it: what they may ask for.
//!
//! A declaration of keys is a function over a `Block`. It runs in two passes: over a `Declaration`, which notes what is
//! asked for, and over a `Reader`, which answers from a file.

use serde_json::{Value as Json, json};

use super::value_type::ValueType;

pub(crate) trait Block: Sized {
    /// A key's value; none when it is not written or not right. `shown` is only documented as the default.
    fn optional<T: ValueType>(
        &mut self,
        name: &'static str,
        shown: Option<&T::Out>,
        value_type: &T,
        doc: &'static str,
    ) -> Option<T::Out>;

    /// A key's value, or `base` when it is not written or not right.
    fn key<T: ValueType>(
        &mut self,
        name: &'static str,
        base: &T::Out,
        value_type: &T,
        doc: &'static str,
    ) -> T::Out;

    /// A key that must be written where nothing is inherited; `base` is what is inherited.
    fn required<T: ValueType>(
        &mut self,
        name: &'static str,
        base: Option<&T::Out>,
        value_type: &T,
        doc: &'static str,
    ) -> Option<T::Out>;

    /// A block of further keys.
    fn block<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        keys: impl FnOnce(&mut Self) -> R,
    ) -> R;

    /// A block that an item of an inheriting list does not inherit.
    fn own_block<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        keys: impl FnOnce(&mut Self) -> R,
    ) -> R;

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

    /// A list of blocks; none when it is not written. A list that is written replaces the inherited one.
    fn blocks<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        keys: impl FnMut(&mut Self) -> R,
    ) -> Option<Vec<R>>;

    /// A list of blocks that inherit, key by key, what the block of the list itself says.
    fn inheriting_blocks<R>(
        &mut self,
        name: &'static str,
        doc: &'static str,
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
