//! Settings that are fine one by one and defeat each other together.

mod addresses;
mod app;
mod covers;

use std::net::IpAddr;
use std::time::Duration;

use serde_yaml::Value;

use super::file::File;
use super::heartbeat::{Heartbeats, Leg};
use super::keypath::{Found, KeyPath, Place};
use super::policy::{Activity, AnswerPings, Config, Limits, Listen, ProbeKind, Route, Target};
use super::problem::Severity;
use super::units::{show_duration, show_size};

/// Idle timeouts of things that commonly stand in front: nginx and AWS load balancers, Cloudflare.
const BALANCERS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(100)];

const CHECK: &[&str] = &["heartbeat", "check_interval"];

/// Routes that are looked at: each is compared with all before it.
const MAX_ROUTES: usize = 1000;

/// Everything worth telling about `file`, whose tree is `tree`. Keys with errors of their own (`found`) are left alone.
pub(super) fn lints(file: &File, tree: &Value, found: &[Found]) -> Vec<Found> {
    let Some(config) = &file.config else {
        return Vec::new();
    };
    let mut scope = Scope {
        tree,
        found,
        above: KeyPath::default(),
        told: Vec::new(),
    };
    scope.route(&file.heartbeats, &config.default, config);
    scope.drain(config);
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

/// The top level or one route, and what is told so far.
struct Scope<'a> {
    tree: &'a Value,
    found: &'a [Found],
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
        let in_error = |path: &KeyPath| self.found.iter().any(|found| found.path.starts_with(path));
        if paths.iter().any(in_error) {
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
        self.client(&beats.client, beats.check_interval);
        self.app(beats);
        self.quiet_backend(beats);
        self.limits(&route.policy.limits);
        self.backend(route, config);
    }

    fn leg(&mut self, name: &str, leg: &Leg, check_interval: Duration) {
        let key = |key| ["heartbeat", name, key];
        let (idle, ping) = (leg.idle_time, leg.ping_interval.filter(|_| leg.asks()));
        self.grid(name, leg, check_interval);
        if let (Some(idle), Some(ping), Activity::Frame) = (idle, ping, leg.activity) {
            if ping >= idle {
                let message = format!(
                    "a quiet but healthy {name} is closed after {} before its first ping ({}) keeps it open; set ping_interval to half or two thirds of idle_time",
                    show_duration(idle),
                    show_duration(ping),
                );
                self.warn(&[&key("ping_interval"), &key("idle_time")], message);
            } else if let Some(pong) = leg.pong_timeout
                && dead_after(leg.missed_pongs, ping, pong) > idle * 2
            {
                let message = format!(
                    "{} missed pongs take about {}, but a dead {name} is closed by idle_time after {} already: {name}_pong_timeout never happens",
                    leg.missed_pongs,
                    show_duration(dead_after(leg.missed_pongs, ping, pong)),
                    show_duration(idle),
                );
                self.warn(
                    &[
                        &key("missed_pongs"),
                        &key("ping_interval"),
                        &key("pong_timeout"),
                        &key("idle_time"),
                    ],
                    message,
                );
            }
        }
        if let (Some(ping), Some(pong)) = (ping, leg.pong_timeout)
            && pong > ping
        {
            let message = format!(
                "a ping that is not answered holds the next one up for {pong}, so that a silent {name} is asked every {pong}, not every {}; set pong_timeout below ping_interval",
                show_duration(ping),
                pong = show_duration(pong),
            );
            self.warn(&[&key("pong_timeout"), &key("ping_interval")], message);
        }
    }

    /// Deadlines that `check_interval` makes much later than they are set to.
    fn grid(&mut self, name: &str, leg: &Leg, check_interval: Duration) {
        let probe = leg.ping_interval.filter(|_| leg.keepalive.is_some());
        let pong = leg.pong_timeout.filter(|_| leg.asks() && probe.is_some());
        // What is set, and the coarsest grid that it is worth something on.
        let deadlines = [
            ("idle_time", leg.idle_time, 2),
            ("ping_interval", probe, 2),
            ("pong_timeout", pong, 1),
        ];
        let late: Vec<(&str, Duration, Duration)> = deadlines
            .into_iter()
            .filter_map(|(key, time, parts)| Some((key, time?, time? / parts)))
            .filter(|(_, _, grid)| check_interval > *grid)
            .collect();
        let Some(enough) = late.iter().map(|(_, _, grid)| *grid).min() else {
            return;
        };
        let told: Vec<String> = late
            .iter()
            .map(|(key, time, _)| {
                let at_most = show_duration(*time + check_interval);
                format!("{key} of {} last up to {at_most}", show_duration(*time))
            })
            .collect();
        let message = format!(
            "checking every {} makes the {name}'s {}; set check_interval to {} or less",
            show_duration(check_interval),
            told.join(" and its "),
            show_duration(enough),
        );
        let keys: Vec<[&str; 3]> = late
            .iter()
            .map(|(key, ..)| ["heartbeat", name, key])
            .collect();
        let about = keys.iter().map(|keys| &keys[..]);
        let about: Vec<&[&str]> = [CHECK].into_iter().chain(about).collect();
        self.warn(&about, message);
    }

    fn client(&mut self, leg: &Leg, check_interval: Duration) {
        const PING: &[&str] = &["heartbeat", "client", "ping_interval"];
        const IDLE: &[&str] = &["heartbeat", "client", "idle_time"];
        const NOTICE: &[&str] = &["heartbeat", "client", "idle_notice", "before"];
        const NOTICE_TEXT: &[&str] = &["heartbeat", "client", "idle_notice", "text"];
        if let Some(ping) = leg.ping_interval.filter(|ping| BALANCERS.contains(ping)) {
            let message = format!(
                "load balancers commonly close what was quiet for exactly {}, and this ping races with them; 25s stays well below",
                show_duration(ping),
            );
            self.warn(&[PING], message);
        }
        if leg.ping_interval.is_none() && leg.idle_time.is_none() {
            let message = "with neither pings nor an idle_time, a client that vanishes is never noticed and holds its backend connection; keep one of them";
            self.warn(&[IDLE, PING], message.to_owned());
        }
        match (leg.notice_before, leg.idle_time) {
            (Some(before), Some(idle)) if before >= idle => {
                let (before, idle) = (show_duration(before), show_duration(idle));
                let message = format!(
                    "a notice {before} before the close needs an idle_time above that, not {idle}; make it shorter"
                );
                self.tell(Severity::Error, &[NOTICE, IDLE], message);
            }
            (Some(before), Some(_)) if check_interval > before => {
                let message = format!(
                    "checking every {check} sends the notice together with the close, or {check} before it; set `before` to {check} or more",
                    check = show_duration(check_interval),
                );
                self.warn(&[NOTICE, CHECK], message);
            }
            (Some(_), None) => {
                self.warn(
                    &[NOTICE],
                    "the notice is never sent, because idle_time is off".to_owned(),
                );
            }
            // Who writes `before: off` beside it knows.
            (None, _) if !leg.notice_text.is_empty() && !self.is_written(NOTICE) => {
                let message = "is never sent: `before` says how long before the close";
                self.warn(&[NOTICE_TEXT], message.to_owned());
            }
            _ => {}
        }
    }

    fn quiet_backend(&mut self, beats: &Heartbeats) {
        const KEEPALIVE: &[&str] = &["heartbeat", "upstream", "keepalive"];
        const PING: &[&str] = &["heartbeat", "upstream", "ping_interval"];
        let leg = &beats.upstream;
        if matches!(leg.keepalive, Some(ProbeKind::Pong | ProbeKind::Text(_))) {
            let message = "is not used: only `keepalive: ping` is answered; heartbeat.upstream.idle_time finds a dead backend instead";
            for unused in ["pong_timeout", "missed_pongs"] {
                self.warn(&[&["heartbeat", "upstream", unused]], message.to_owned());
            }
        }
        let silent = leg.keepalive.is_none() || leg.ping_interval.is_none();
        if silent && beats.client.answer_pings == AnswerPings::Local {
            let message = "the backend no longer hears of quiet clients, whose pings are answered here: a Swoole heartbeat_idle_time (or any idle timer there) will close them, and a dead backend goes unnoticed";
            self.warn(&[KEEPALIVE, PING], message.to_owned());
        }
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

/// About how long a dead peer lives: the ping after the last sign of life, the others, and the wait for the last pong.
/// No ping goes out while one is waited for.
fn dead_after(missed: u32, ping: Duration, pong: Duration) -> Duration {
    let others = ping.max(pong).saturating_mul(missed.saturating_sub(1));
    ping.saturating_add(others).saturating_add(pong)
}

fn is_self(listen: &Listen, target: &Target) -> bool {
    match (listen, target) {
        (Listen::Unix(mine), Target::Unix(theirs)) => mine == theirs,
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
