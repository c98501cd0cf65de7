//! Reading a YAML file by declarations: the engine, which knows no key.
//!
//! A *declaration* is a function over a [`Block`]: for each key it names the key, its default, its type and its
//! documentation, and gets the value. The passes over a file, each a function of its own:
//!
//! | pass | does |
//! |---|---|
//! | `declaration` | runs the declarations over nothing: the list of keys, for everything below that asks which there are |
//! | `bounds`, `parse` | text → tree whose nodes know their positions; aliases and merge keys are resolved |
//! | `variables` | `${NAME}` in texts → values of the environment |
//! | `unknown` | tree × list of keys → keys that are not declared, and which was meant |
//! | `reader` | runs the declarations over the tree: the model, and every value that is wrong |
//! | `position` | finding → diagnostic with line and column |
//!
//! and of a valid file, `effective` (tree × list → what holds), `diff` (tree × tree → what changed); of the list alone,
//! `schema`. No pass stops at the first error: findings are collected, so that one run reports everything. A finding
//! names the path of its key; the tree leads from there to the position, so the text is read once.

mod bare_variable;
mod block;
mod bounds;
mod declaration;
mod diagnostic;
mod diff;
mod effective;
mod integer;
mod nearest;
mod parse;
mod path;
mod position;
mod reader;
mod schema;
mod source;
mod syntax;
mod tree;
mod units;
mod unknown;
mod value_type;
mod variables;
mod wording;

pub(crate) use bare_variable::{bare_variables, explain};
pub(crate) use block::{Block, Reserved};
pub(crate) use declaration::{Advice, Keys};
pub use diagnostic::{Diagnostic, LoadError, MAX_FILE, Severity};
pub(crate) use diagnostic::{Finding, Place};
pub use diff::Change;
pub(crate) use diff::diff;
pub(crate) use effective::{effective, masked};
pub(crate) use integer::Integer;
pub(crate) use nearest::nearest;
pub(crate) use parse::parse;
#[cfg(test)]
pub(crate) use parse::parsed;
pub(crate) use path::{KeyPath, Step, plain, quoted};
pub(crate) use position::position;
pub(crate) use reader::{Reader, with_all_above};
pub use schema::KeyDoc;
pub(crate) use schema::{docs, schema};
pub(crate) use source::lines;
pub(crate) use syntax::{missing_value, no_keys, not_a_text};
pub use tree::Node;
pub(crate) use tree::{Map, Mark, Value};
pub(crate) use units::{GRID, Size, SizeUpTo, TIME, TIME_OR_NONE, show_size};
pub use units::{parse_duration, show_duration};
#[cfg(test)]
pub(crate) use unknown::paths as unknown_paths;
pub(crate) use unknown::unknown_keys;
pub(crate) use value_type::{
    Choice, List, OrOff, Scalar, Switch, TEXT, ValueError, ValueType, is_off, is_text, not_one_of,
    or_variable, scalar,
};
pub(crate) use variables::expand;
