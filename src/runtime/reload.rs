//! Hot reload: a valid file replaces the snapshot as a whole, an invalid one changes nothing.

use std::sync::Arc;
use std::time::SystemTime;

use super::Sidecar;
use crate::admin::LoadedFile;
use crate::config::Config;
use crate::config::{self, Loaded};
use crate::context::route_of;
use crate::telemetry::log::LogGuard;
use crate::telemetry::status::{Reload, ReloadOutcome, ReloadTrigger};
use crate::telemetry::{Command, LifecycleEvent, events};

/// The most changed keys that are named. A change of thousands of routes is better read in the file.
const MAX_CHANGES: usize = 100;

impl Sidecar {
    /// Puts a valid configuration in force. Logs the result and stores it as the last reload.
    pub(super) fn reload(
        &mut self,
        loaded: Result<Loaded, Vec<String>>,
        trigger: ReloadTrigger,
        log: &LogGuard,
    ) -> Reload {
        let outcome = match loaded.and_then(|loaded| self.put_in_force(loaded, trigger, log)) {
            Ok(outcome) => outcome,
            Err(problems) => self.reject(trigger, problems),
        };
        let reload = Reload {
            at: SystemTime::now(),
            trigger,
            outcome,
        };
        self.shared.observer.set_last_reload(reload.clone());
        reload
    }

    fn reject(&self, trigger: ReloadTrigger, problems: Vec<String>) -> ReloadOutcome {
        let detail = "nothing was changed: the configuration in force stays";
        let record = events::ConfigRejected {
            config: &self.state.file.load().name,
            trigger,
            problems: &problems,
            detail,
        };
        let observer = &self.shared.observer;
        observer.process_stats.count_reload(false);
        observer.publish(&LifecycleEvent::ConfigRejected(record));
        let detail = detail.to_owned();
        ReloadOutcome::Failure { problems, detail }
    }

    /// Puts a configuration in force, or says why that cannot be.
    fn put_in_force(
        &mut self,
        loaded: Loaded,
        trigger: ReloadTrigger,
        log: &LogGuard,
    ) -> Result<ReloadOutcome, Vec<String>> {
        let Loaded {
            config,
            warnings,
            tree,
        } = loaded;
        let name = self.state.file.load().name.clone();
        self.listeners
            .follow(&config)
            .map_err(|error| vec![error.to_string()])?;
        log.apply(&config.log);
        let config = Arc::new(config);
        let before = self.shared.config.swap(Arc::clone(&config));
        let token = |config: &Config| config.admin.as_ref().map(|admin| admin.token.clone());
        if token(&before) != token(&config) {
            // Subscribers have authenticated with the old token. They can connect again with the new one.
            self.shared.observer.end_event_streams();
        }
        self.shared.observer.process_stats.count_reload(true);
        self.checks.follow(&config);
        let connections = self.follow(&config);

        let mut changes = config::diff(&self.state.file.load().tree, &tree);
        let omitted = changes.len().saturating_sub(MAX_CHANGES);
        if omitted > 0 {
            // Keys outside of routes first, so that they are never cut off.
            changes.sort_by_key(|change| change.path.starts_with("routes["));
            changes.truncate(MAX_CHANGES);
        }
        self.state.file.store(LoadedFile::new(name.clone(), tree));
        let changed: Vec<String> = changes
            .iter()
            .map(|change| change.path.to_string())
            .collect();
        let mut detail: Vec<String> = changes.iter().map(ToString::to_string).collect();
        if omitted > 0 {
            detail.push(format!("and {omitted} more"));
        }
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
            .publish(&LifecycleEvent::ConfigReloaded(record));
        Ok(ReloadOutcome::Success { changed, detail })
    }

    /// Sends every connection its new policy. Returns how many connections there are.
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
