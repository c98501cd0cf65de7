//! Settings that are fine one by one and defeat each other together.

mod activity;
mod addresses;
mod app;
mod covers;
mod heartbeat;
mod scope;

use std::net::IpAddr;

use hyper::header::HeaderName;

use super::engine::{Finding, KeyPath, Node, show_duration, show_size};
use super::keys::{File, Heartbeats, SECRETS};
use super::model::{Config, Listen, Route, Target};
use crate::session::policy::Limits;
use scope::Scope;

/// Routes that are looked at: each is compared with all before it.
const MAX_ROUTES: usize = 1000;

/// The warnings about `file`, whose tree is `tree`. Keys with errors of their own (`found`) are left alone.
pub(super) fn lints(file: &File, tree: &Node, found: &[Finding]) -> Vec<Finding> {
    let Some(config) = &file.config else {
        return Vec::new();
    };
    let mut scope = Scope::new(tree, found);
    scope.route(&file.heartbeats, &config.default, config);
    scope.drain(config);
    scope.log(config);
    scope.addresses(config);
    let routes = KeyPath::of(&["routes"]);
    for (index, ((_, route), heartbeats)) in config
        .routes
        .iter()
        .zip(&file.route_heartbeats)
        .take(MAX_ROUTES)
        .enumerate()
    {
        scope.above = routes.index(index);
        scope.route(heartbeats, route, config);
        scope.reachable(config, index);
    }
    scope.findings
}

impl Scope<'_> {
    fn route(&mut self, heartbeats: &Heartbeats, route: &Route, config: &Config) {
        self.leg("client", &heartbeats.client, heartbeats.check_interval);
        self.leg("upstream", &heartbeats.upstream, heartbeats.check_interval);
        self.client(heartbeats);
        self.app(heartbeats);
        self.activity(heartbeats);
        self.quiet_backend(heartbeats);
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
