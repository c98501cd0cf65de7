//! Whether backends take connections, tried in the background: a connection that is closed at once, without a byte.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::upstream::try_once;
use crate::config::policy::{Config, Target};
use crate::observe::Observer;

/// How often each is tried.
const EVERY: Duration = Duration::from_secs(5);

/// The checks of all backends that the configuration names; they end when this is dropped.
pub struct Checks {
    observer: Arc<Observer>,
    running: HashMap<Target, Check>,
}

struct Check {
    timeout: Duration,
    task: JoinHandle<()>,
}

impl Drop for Check {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Checks {
    /// None yet; who is reached and who is not is told to `observer`.
    #[must_use]
    pub fn new(observer: Arc<Observer>) -> Self {
        Checks {
            observer,
            running: HashMap::new(),
        }
    }

    /// Begins to try what is new, at once, and lets alone what is not used any more; needs a tokio runtime.
    pub fn follow(&mut self, config: &Config) {
        let wanted = wanted(config);
        let addresses: Vec<String> = wanted
            .iter()
            .map(|(target, _)| target.to_string())
            .collect();
        self.running
            .retain(|target, check| wanted.contains(&(target.clone(), check.timeout)));
        self.observer.upstreams.follow(&addresses);
        for (target, timeout) in wanted {
            let observer = &self.observer;
            self.running.entry(target).or_insert_with_key(|target| {
                let task = tokio::spawn(check(target.clone(), timeout, Arc::clone(observer)));
                Check { timeout, task }
            });
        }
    }
}

/// Each backend once, with the longest time that any route gives it, in the order of the file.
fn wanted(config: &Config) -> Vec<(Target, Duration)> {
    let mut wanted: Vec<(Target, Duration)> = Vec::new();
    let routes = config.routes.iter().map(|(_, route)| route);
    for route in [&config.default].into_iter().chain(routes) {
        let upstream = &route.upstream;
        match wanted.iter_mut().find(|(it, _)| *it == upstream.target) {
            Some((_, timeout)) => *timeout = upstream.connect_timeout.max(*timeout),
            None => wanted.push((upstream.target.clone(), upstream.connect_timeout)),
        }
    }
    wanted
}

async fn check(target: Target, timeout: Duration, observer: Arc<Observer>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match try_once(&target, timeout).await {
            Ok(_closed_at_once) => observer.upstream_reached(&target),
            Err(failure) => match failure.reason() {
                Some(reason) => observer.upstream_failed(&target, &reason),
                None => {
                    tracing::debug!(event = "upstream_check_impossible", upstream = %target, "{failure:?}");
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_backend_is_tried_once() {
        let text = "listen: ':1'\nupstream: {url: ws://a:1, connect_timeout: 1s}\nroutes:\n\
                    - {match: {path: /b}, upstream: ws://b:1}\n\
                    - {match: {path: /c}, upstream: {connect_timeout: 2s}}\n";
        let loaded = crate::config::parse(text, "test", &|_| None).unwrap();
        let wanted: Vec<(String, u64)> = wanted(&loaded.config)
            .iter()
            .map(|(target, timeout)| (target.to_string(), timeout.as_secs()))
            .collect();
        assert_eq!(wanted, [("a:1".to_owned(), 2), ("b:1".to_owned(), 1)]);
    }
}
