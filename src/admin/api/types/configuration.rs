//! The configuration in force, and what came of reading it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The configuration in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Configuration {
    /// The file.
    pub(crate) path: String,
    /// When it was read (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) loaded_at: String,
    /// Every key with its value, defaults included; secrets are `***`.
    pub(crate) effective: Value,
    /// The last time that the file was read again.
    pub(crate) last_reload: Option<LastReload>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct LastReload {
    /// When (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub(crate) at: String,
    pub(crate) result: ReloadResult,
    /// What asked for it: `file`, `signal` or `api`.
    pub(crate) trigger: String,
    /// The keys that differed, at most 100 of them.
    pub(crate) changed: Vec<String>,
    /// Everything that was wrong with the file.
    pub(crate) problems: Vec<String>,
    /// The same in words.
    pub(crate) detail: String,
}

/// Whether the file was valid and is in force.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReloadResult {
    Success,
    Failure,
}

/// The file is in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Reloaded {
    pub(crate) result: ReloadResult,
    /// The keys that differ, at most 100 of them.
    pub(crate) changed: Vec<String>,
    /// The same with their values.
    pub(crate) detail: String,
}
