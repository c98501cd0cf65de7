//! The whole file: every key of the top level, and of a route.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::address::LISTEN;
use super::close::{closes, drain_close};
use super::heartbeat::{Heartbeats, heartbeats};
use super::kind::{Choice, List};
use super::limits::{
    RouteLimits, process_defaults, process_limits, refuse_process_limits, route_limits,
};
use super::log::log;
use super::management::{admin, metrics};
use super::model::{Compression, Config, Drain, Route, RouteMatch};
use super::route::{HOST_PATTERN, PATH, SUBPROTOCOL};
use super::section::{Absent, Section};
use super::units::{TIME, TIME_OR_NONE};
use super::upstream::{Backend, upstream};
use crate::protocol::Close;
use crate::session::Cause;
use crate::session::policy::Policy;

/// What a file says.
pub(super) struct File {
    /// None when it lacks an address to listen on or a backend.
    pub(super) config: Option<Config>,
    /// The top level's heartbeats, for the lints.
    pub(super) heartbeats: Heartbeats,
    /// The same of each route.
    pub(super) route_heartbeats: Vec<Heartbeats>,
}

/// What a route may override, in the form that is inherited.
#[derive(Clone, Debug, Default)]
struct Overridable {
    backend: Backend,
    heartbeats: Heartbeats,
    limits: RouteLimits,
    closes: Vec<(Cause, Close)>,
    compression: Compression,
}

/// Asks for everything.
pub(super) fn file(s: &mut Section<'_>) -> File {
    let addresses = List {
        item: LISTEN,
        needs_one: true,
    };
    let listen = s.needed(
        "listen",
        None,
        &addresses,
        "Where clients connect: an address such as `:8080` (every address, IPv4 and IPv6), `0.0.0.0:8080`, `[::1]:8080` or `unix:/run/sidebeat.sock?mode=0660`, or a list of them.",
    );
    let mut process = process_defaults();
    let top = overridable(s, &Overridable::default(), |s| {
        process = process_limits(s, &process_defaults());
    });
    let drain = s.block("drain", "How a shutdown proceeds.", drain);
    let log = s.block("log", "What is logged and how.", log);
    for name in ["tls", "proxy_protocol"] {
        s.absent(name, Absent::Off);
    }
    s.absent("trusted_proxies", Absent::EmptyList);
    let metrics = metrics(s);
    let admin = admin(s);
    let doc = "Tried in order, the first match wins; each overrides what it says of upstream, heartbeat, limits, close and compression.";
    let routes = s.blocks("routes", doc, |s| route(s, &top));
    let heartbeats = top.heartbeats.clone();
    let route_heartbeats = routes
        .iter()
        .map(|(_, route)| route.heartbeats.clone())
        .collect();
    let config = (|| {
        let listen = listen?;
        let default = Arc::new(top.resolve("default")?);
        let routes = named(routes)?;
        Some(Config {
            listen,
            routes,
            default,
            process,
            drain,
            log,
            metrics,
            admin,
        })
    })();
    File {
        config,
        heartbeats,
        route_heartbeats,
    }
}

/// Asks for the keys that the top level and routes share; `more_limits` asks for further keys of `limits`.
fn overridable(
    s: &mut Section<'_>,
    base: &Overridable,
    more_limits: impl FnOnce(&mut Section<'_>),
) -> Overridable {
    let backend = upstream(s, &base.backend);
    let doc = "Idle timeouts and pings of both connections.";
    let heartbeats = s.block("heartbeat", doc, |s| heartbeats(s, &base.heartbeats));
    let limits = s.block("limits", "What is too much.", |s| {
        more_limits(s);
        route_limits(s, &base.limits)
    });
    let doc = "What the client is sent, cause by cause, where it should differ from the default.";
    let closes = s.block("close", doc, |s| closes(s, &base.closes));
    let compression = s.key(
        "compression",
        &base.compression,
        &Choice(&[
            ("passthrough", Compression::Passthrough),
            ("strip", Compression::Strip),
        ]),
        "permessage-deflate: `passthrough` leaves it to client and backend; `strip` takes the offer away, so that messages are not compressed.",
    );
    Overridable {
        backend,
        heartbeats,
        limits,
        closes,
        compression,
    }
}

impl Overridable {
    fn resolve(&self, name: &str) -> Option<Route> {
        let [client, upstream] = self.heartbeats.resolve();
        let policy = Policy {
            check_interval: self.heartbeats.check_interval,
            app: self.heartbeats.app.rules.clone(),
            client,
            upstream,
            limits: self.limits.connection.clone(),
            close: self.closes.clone(),
        };
        Some(Route {
            name: Arc::from(name),
            upstream: Arc::new(self.backend.clone().resolve()?),
            http_timeout: self.limits.http_timeout,
            allowed_origins: self.limits.allowed_origins.clone(),
            compression: self.compression,
            policy: Arc::new(policy),
        })
    }
}

fn route(s: &mut Section<'_>, top: &Overridable) -> (RouteMatch, Overridable) {
    let complaints = s.complaints();
    let rule = s.block(
        "match",
        "Which requests it takes: every key that is written must hold.",
        rule,
    );
    if rule.is_empty() && s.complaints() == complaints {
        let message = "a route without a match would take everything; write a `match`, or these keys at the top level";
        s.complain("match", message);
    }
    (rule, overridable(s, top, refuse_process_limits))
}

fn rule(s: &mut Section<'_>) -> RouteMatch {
    let none = None;
    RouteMatch {
        path: s.key("path", &none, &PATH, "The request's path, exactly."),
        path_prefix: s.key(
            "path_prefix",
            &none,
            &PATH,
            "The beginning of the path: `/chat` takes `/chat` and `/chat/1`, not `/chatter`.",
        ),
        host: s.key(
            "host",
            &none,
            &HOST_PATTERN,
            "The Host header without its port; or `*.example.com`.",
        ),
        subprotocol: s.key(
            "subprotocol",
            &none,
            &SUBPROTOCOL,
            "One of the subprotocols that the client offers.",
        ),
    }
}

/// Names routes by their matches; the second of the same name is `name#2`.
fn named(routes: Vec<(RouteMatch, Overridable)>) -> Option<Vec<(RouteMatch, Arc<Route>)>> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let with_name = |(rule, route): (RouteMatch, Overridable)| {
        let short = rule.short();
        let count = seen.entry(short.clone()).or_default();
        *count += 1;
        let name = if *count == 1 {
            short
        } else {
            format!("{short}#{count}")
        };
        Some((rule, Arc::new(route.resolve(&name)?)))
    };
    routes.into_iter().map(with_name).collect()
}

fn drain(s: &mut Section<'_>) -> Drain {
    let base = Drain {
        delay: Duration::ZERO,
        spread: Duration::from_secs(10),
        timeout: Duration::from_secs(30),
        close: Close::new(1001, "server is restarting"),
    };
    let delay = s.key(
        "delay",
        &base.delay,
        &TIME_OR_NONE,
        "Between the signal and the end of listening, for a load balancer to notice.",
    );
    let spread = s.key(
        "spread",
        &base.spread,
        &TIME_OR_NONE,
        "Clients are closed evenly over this time, in random order, so that they do not all come back at once.",
    );
    let timeout = s.key(
        "timeout",
        &base.timeout,
        &TIME,
        "From the signal to the end of the process, whatever still lives.",
    );
    Drain {
        delay,
        spread,
        timeout,
        close: drain_close(s, &base),
    }
}
