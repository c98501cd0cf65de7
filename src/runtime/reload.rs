//! Hot reload: a valid file replaces the snapshot as a whole, an invalid one changes nothing.

use std::path::Path;
use std::sync::Arc;

use super::Running;
use crate::config::{self, LoadError, Loaded};
use crate::observe::log::LogGuard;
use crate::observe::{Command, events};
use crate::proxy::route_of;

impl Running {
    /// Reads the file again; `tree` is what the configuration in force was read from.
    pub(super) fn reload(
        &mut self,
        path: &Path,
        tree: &mut serde_yaml::Value,
        trigger: &'static str,
        log: &LogGuard,
    ) {
        let name = path.display().to_string();
        let observer = Arc::clone(&self.shared.observer);
        let reject = |problems: &[String]| {
            let detail = "nothing was changed: the configuration in force stays";
            let record = events::ConfigRejected {
                config: &name,
                trigger,
                problems,
                detail,
            };
            observer.tell(tracing::Level::ERROR, "config_rejected", &record);
        };
        if path
            .metadata()
            .is_ok_and(|file| !file.is_file() && !file.is_dir())
        {
            // Reading a pipe could wait for ever, and SIGTERM with it.
            return reject(&[format!("{name}: is no regular file any more")]);
        }
        let Loaded {
            config,
            warnings,
            tree: new_tree,
        } = match config::load(path) {
            Ok(loaded) => loaded,
            Err(LoadError::Invalid(problems)) => {
                return reject(&problems.iter().map(ToString::to_string).collect::<Vec<_>>());
            }
            Err(error) => return reject(&[error.to_string()]),
        };
        if let Err(error) = self.listeners.follow(&config) {
            return reject(&[error.to_string()]);
        }
        log.apply(&config.log);
        let config = Arc::new(config);
        self.shared.config.store(Arc::clone(&config));
        let connections = self.follow(&config);

        let changes = config::diff(tree, &new_tree);
        *tree = new_tree;
        let changed: Vec<String> = changes
            .iter()
            .map(|change| change.path.to_string())
            .collect();
        let detail: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let detail = if detail.is_empty() {
            "no key changed".to_owned()
        } else {
            detail.join("; ")
        };
        let record = events::ConfigReloaded {
            config: &name,
            trigger,
            changed: &changed,
            detail: &detail,
            warnings: &warnings,
            connections,
        };
        self.shared
            .observer
            .tell(tracing::Level::INFO, "config_reloaded", &record);
    }

    /// Tells every live connection what holds now; how many there are.
    fn follow(&self, config: &crate::config::policy::Config) -> usize {
        let connections = self.shared.observer.registry.established();
        for handle in &connections {
            handle.send(Command::Follow(Arc::clone(
                &route_of(config, handle).policy,
            )));
        }
        connections.len()
    }
}
