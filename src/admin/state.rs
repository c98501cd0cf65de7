//! What the admin listeners answer from.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use serde_json::Value;
use tokio::sync::mpsc;

use super::command::AdminCommand;
use super::expensive::Expensive;
use crate::config::{self, Node};
use crate::context::Context;

/// What the admin listeners answer from.
pub struct AdminState {
    pub(crate) context: Arc<Context>,
    /// What the configuration in force was read from.
    pub(crate) file: ArcSwap<LoadedFile>,
    pub(crate) commands: mpsc::Sender<AdminCommand>,
    /// Where the API makes the answers that walk over all connections.
    pub(crate) lists: Expensive,
    /// Where pages of metrics are made: apart, so that neither waits for the other.
    pub(crate) scrapes: Expensive,
}

impl AdminState {
    pub(crate) fn new(
        context: Arc<Context>,
        file: Arc<LoadedFile>,
        commands: mpsc::Sender<AdminCommand>,
    ) -> Arc<Self> {
        Arc::new(AdminState {
            context,
            file: ArcSwap::new(file),
            commands,
            lists: Expensive::default(),
            scrapes: Expensive::default(),
        })
    }
}

/// A configuration as it was read.
pub(crate) struct LoadedFile {
    pub(crate) name: String,
    pub(crate) loaded_at: SystemTime,
    /// As a tree, with merge keys and variables resolved.
    pub(crate) tree: Node,
    effective: OnceLock<Value>,
}

impl LoadedFile {
    /// A file that was read just now.
    pub(crate) fn new(name: String, tree: Node) -> Arc<LoadedFile> {
        Arc::new(LoadedFile {
            name,
            loaded_at: SystemTime::now(),
            tree,
            effective: OnceLock::new(),
        })
    }

    /// Every key with its value, secrets masked. Made once: with thousands of routes that takes seconds.
    pub(crate) fn effective(&self) -> &Value {
        self.effective.get_or_init(|| config::effective(&self.tree))
    }
}
