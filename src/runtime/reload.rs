//! Hot reload: a valid file replaces the snapshot as a whole, an invalid one changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::Running;
use crate::admin::File;
use crate::config::policy::Config;
use crate::config::{self, LoadError, Loaded};
use crate::observe::log::LogGuard;
use crate::observe::status::{Reload, ReloadOutcome};
use crate::observe::{Command, events};
use crate::proxy::route_of;

impl Running {
    /// Reads the file again, and keeps and tells what came of it.
    pub(super) fn reload(&mut self, path: &Path, trigger: &'static str, log: &LogGuard) -> Reload {
        let outcome = match self.follow_file(path, trigger, log) {
            Ok(outcome) => outcome,
            Err(problems) => self.reject(path, trigger, problems),
        };
        let reload = Reload {
            at: SystemTime::now(),
            trigger,
            outcome,
        };
        self.shared.observer.reloaded(reload.clone());
        reload
    }

    fn reject(&self, path: &Path, trigger: &'static str, problems: Vec<String>) -> ReloadOutcome {
        let detail = "nothing was changed: the configuration in force stays";
        let record = events::ConfigRejected {
            config: &path.display().to_string(),
            trigger,
            problems: &problems,
            detail,
        };
        let observer = &self.shared.observer;
        observer.tally.reloaded(false);
        observer.tell(tracing::Level::ERROR, "config_rejected", &record);
        let detail = detail.to_owned();
        ReloadOutcome::Failure { problems, detail }
    }

    /// Puts the file in force, or says everything that is wrong with it.
    fn follow_file(
        &mut self,
        path: &Path,
        trigger: &'static str,
        log: &LogGuard,
    ) -> Result<ReloadOutcome, Vec<String>> {
        let name = path.display().to_string();
        if path
            .metadata()
            .is_ok_and(|file| !file.is_file() && !file.is_dir())
        {
            // Reading a pipe could wait for ever, and SIGTERM with it.
            return Err(vec![format!("{name}: is no regular file any more")]);
        }
        let Loaded {
            config,
            warnings,
            tree,
        } = match config::load(path) {
            Ok(loaded) => loaded,
            Err(LoadError::Invalid(problems)) => {
                return Err(problems.iter().map(ToString::to_string).collect());
            }
            Err(error) => return Err(vec![error.to_string()]),
        };
        self.listeners
            .follow(&config)
            .map_err(|error| vec![error.to_string()])?;
        log.apply(&config.log);
        let config = Arc::new(config);
        let before = self.shared.config.swap(Arc::clone(&config));
        let token = |config: &Config| config.admin.as_ref().map(|admin| admin.token.clone());
        if token(&before) != token(&config) {
            // Who listens has shown the old one; those who have the new one come back.
            self.shared.observer.end();
        }
        self.shared.observer.tally.reloaded(true);
        self.checks.follow(&config);
        let connections = self.follow(&config);

        let changes = config::diff(&self.state.file.load().tree, &tree);
        self.state.file.store(File::read(name.clone(), tree));
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
        Ok(ReloadOutcome::Success { changed, detail })
    }

    /// Tells every live connection what holds now; how many there are.
    fn follow(&self, config: &Config) -> usize {
        let connections = self.shared.observer.registry.established();
        for handle in &connections {
            handle.send(Command::Follow(Arc::clone(
                &route_of(config, handle).policy,
            )));
        }
        connections.len()
    }
}
