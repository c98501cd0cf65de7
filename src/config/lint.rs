//! Settings that are fine one by one and defeat each other together.

mod activity;
mod addresses;
mod app;
mod covers;
mod heartbeat;

use std::collections::HashSet;
use std::net::IpAddr;

use hyper::header::HeaderName;
use serde_yaml::Value;

use super::file::File;
use super::heartbeat::Heartbeats;
use super::keypath::{Found, KeyPath, Place};
use super::log::SECRETS;
use super::model::{Config, Listen, Route, Target};
use super::problem::Severity;
use super::units::{show_duration, show_size};
use crate::session::policy::Limits;

/// Routes that are looked at: each is compared with all before it.
const MAX_ROUTES: usize = 1000;

/// Everything worth telling about `file`, whose tree is `tree`. Keys with errors of their own (`found`) are left alone.
pub(super) fn lints(file: &File, tree: &Value, found: &[Found]) -> Vec<Found> {
    let Some(config) = &file.config else {
        return Vec::new();
    };
    let mut scope = Scope {
        tree,
        in_error: in_error(found),
        above: KeyPath::default(),
        told: Vec::new(),
    };
    scope.route(&file.heartbeats, &config.default, config);
    scope.drain(config);
    scope.log(config);
    scope.addresses(config);
    let routes = KeyPath::of(&["routes"]);
    for (index, ((_, route), beats)) in config
        .routes
        .iter()
        .zip(&file.route_heartbeats)
        .take(MAX_ROUTES)
        .enumerate()
    {
        scope.above = routes.index(index);
        scope.route(beats, route, config);
        scope.reachable(config, index);
    }
    scope.told
}

fn in_error(found: &[Found]) -> HashSet<KeyPath> {
    let mut all = HashSet::new();
    for found in found.iter().filter(|it| it.severity == Severity::Error) {
        let mut path = found.path.clone();
        while all.insert(path.clone()) && !path.is_empty() {
            path.pop();
        }
    }
    all
}

/// The top level or one route, and what is told so far.
struct Scope<'a> {
    tree: &'a Value,
    /// Keys with errors, and all that are above them.
    in_error: HashSet<KeyPath>,
    above: KeyPath,
    told: Vec<Found>,
}

impl Scope<'_> {
    /// Tells something about the keys `about`, at the first that is written in this scope. When none is, the defaults
    /// or the top level say it all, and it is not this scope's matter.
    fn tell(&mut self, severity: Severity, about: &[&[&str]], message: String) {
        let paths: Vec<KeyPath> = about
            .iter()
            .map(|keys| self.above.join(&KeyPath::of(keys)))
            .collect();
        self.tell_at(severity, paths, message);
    }

    fn tell_at(&mut self, severity: Severity, paths: Vec<KeyPath>, message: String) {
        if paths.iter().any(|path| self.in_error.contains(path)) {
            return;
        }
        let written = paths.into_iter().find(|path| path.get(self.tree).is_some());
        if let Some(path) = written {
            self.told.push(Found {
                path,
                place: Place::Value,
                severity,
                message,
            });
        }
    }

    fn is_written(&self, key: &[&str]) -> bool {
        let path = self.above.join(&KeyPath::of(key));
        path.get(self.tree).is_some()
    }

    fn warn(&mut self, about: &[&[&str]], message: String) {
        self.tell(Severity::Warning, about, message);
    }

    fn route(&mut self, beats: &Heartbeats, route: &Route, config: &Config) {
        self.leg("client", &beats.client, beats.check_interval);
        self.leg("upstream", &beats.upstream, beats.check_interval);
        self.client(beats);
        self.app(beats);
        self.activity(beats);
        self.quiet_backend(beats);
        self.limits(&route.policy.limits);
        self.backend(route, config);
    }

    fn limits(&mut self, limits: &Limits) {
        if let (Some(frame), Some(message)) = (limits.max_frame, limits.max_message)
            && frame > message
        {
            let text = format!(
                "a frame of {} never fits into a message of {}; max_message alone decides",
                show_size(frame),
                show_size(message),
            );
            // Who writes max_message alone means it, and not the default of the other.
            self.warn(&[&["limits", "max_frame"]], text);
        }
    }

    fn backend(&mut self, route: &Route, config: &Config) {
        let retry = &route.upstream.retry;
        if retry.backoff > retry.max_backoff {
            let message = format!(
                "is above max_backoff, so that {} is waited before every try",
                show_duration(retry.max_backoff)
            );
            let keys: [&[&str]; 2] = [
                &["upstream", "retry", "backoff"],
                &["upstream", "retry", "max_backoff"],
            ];
            self.warn(&keys, message);
        }
        let mut mine = addresses::listening(config).into_iter();
        if mine.any(|(_, listen)| is_self(listen, &route.upstream.target)) {
            let message = "this is the sidecar's own address: every request would come back to it; name the backend's port";
            self.warn(&[&["upstream", "url"], &["upstream"]], message.to_owned());
        }
    }

    fn drain(&mut self, config: &Config) {
        let drain = &config.drain;
        let close_timeout = config.default.policy.limits.close_timeout;
        let needed = drain.delay + drain.spread + close_timeout;
        if needed > drain.timeout {
            let message = format!(
                "the process ends after {}, but delay ({}), spread ({}) and close_timeout ({}) need {}: the last clients are cut off without a Close frame",
                show_duration(drain.timeout),
                show_duration(drain.delay),
                show_duration(drain.spread),
                show_duration(close_timeout),
                show_duration(needed),
            );
            let keys: [&[&str]; 4] = [
                &["drain", "timeout"],
                &["drain", "spread"],
                &["drain", "delay"],
                &["limits", "close_timeout"],
            ];
            self.warn(&keys, message);
        }
    }

    fn log(&mut self, config: &Config) {
        let secrets = config.log.headers.iter();
        let secrets = secrets.filter(|name| SECRETS.contains(name));
        let names: Vec<&str> = secrets.map(HeaderName::as_str).collect();
        if !names.is_empty() {
            let message = format!(
                "with what is in {}, whoever reads the log, the page or the API can act as your users; leave it out",
                names.join(" and ")
            );
            self.warn(&[&["log", "headers"]], message);
        }
    }

    fn reachable(&mut self, config: &Config, index: usize) {
        let Some((rule, _)) = config.routes.get(index) else {
            return;
        };
        if rule.contradicts_itself() {
            let message = "this route never matches: its `path` is not under its `path_prefix`";
            self.warn(&[&["match", "path"]], message.to_owned());
            return;
        }
        if let Some(earlier) = config.routes[..index]
            .iter()
            .position(|(earlier, _)| !earlier.is_empty() && earlier.covers(rule))
        {
            let message = format!(
                "this route never matches: routes[{earlier}] before it takes everything that it would"
            );
            self.warn(&[&["match"]], message);
        }
    }
}

fn is_self(listen: &Listen, target: &Target) -> bool {
    match (listen, target) {
        (Listen::Unix { path, .. }, Target::Unix(theirs)) => path == theirs,
        (Listen::Tcp(mine), Target::Tcp { host, port }) if mine.port() == *port => {
            let loopback =
                host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback());
            let same = host.parse() == Ok(mine.ip());
            same || (loopback
                && (mine.ip().is_unspecified() || (host == "localhost" && mine.ip().is_loopback())))
        }
        _ => false,
    }
}
