//! Application-level heartbeats: recognising them in small messages, and answering them.
//!
//! | file | does |
//! |---|---|
//! | `json` | compares and looks into JSON without building a tree |
//! | `template` | replies with variables, compiled when the file is loaded |
//! | `matcher` | what a rule recognises |
//! | `rule` | a rule: what it recognises, and what follows |
//! | `preset` | the heartbeats of protocols in use |
//!
//! Pure: no IO, no clock; the session owns what a connection remembers.

pub mod json;
mod matcher;
mod preset;
mod rule;
mod template;

pub use matcher::Matcher;
pub use preset::Preset;
pub use rule::{Forward, MAX_RULES, Reply, Rule, Rules, Subprotocol};
pub use template::{Context, Template, TemplateError};

/// What a data message is made of (RFC 6455 section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
}
