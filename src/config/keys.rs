//! The keys of `proxy.yaml`, each declared once.
//!
//! # Adding a key
//!
//! 1. Find its block: `heartbeat.client.idle_time` is declared by `client` in `heartbeat.rs`. The block's function gets a
//!    [`Block`] and the values to start from, and returns the values that hold.
//! 2. Give the value a field in the type that the block returns, and its default in that type's `Default`. What a live
//!    connection follows is in [`crate::session::policy`], everything else in `model.rs`.
//! 3. Declare it:
//!
//!    ```text
//!    idle_time: b.key(
//!        "idle_time",            // the name in the file
//!        &base.idle_time,        // the default; in a route, what it inherits
//!        &OrOff(TIME),           // the type: reads, shows, and describes the value to editors
//!        "Nothing received …",   // the documentation, for the schema and the tables
//!    ),
//!    ```
//!
//!    The types are `TIME`, `Size`, `Integer`, `Choice`, `Switch`, `TEXT`, `List` and `OrOff` around any of them; a
//!    `Scalar` makes one of any text. What several keys must have in common is checked here with `b.error`; a setting
//!    that is possible and useless is a lint (`../lint.rs`).
//! 4. Write the key into `tests/configs/valid/everything.yaml`, and run `cargo test --test it config::`: it fails where a file
//!    of the tests does not say the key. An order of keys is the order of declarations.
//!
//! Reading, defaults, inheritance by routes, `sidebeat schema`, `sidebeat check`, the effective configuration of the API
//! and the differences that a reload logs follow from the declaration. A name that other programs have for it belongs
//! into `advice.rs`. A key of the top level that routes may override is declared in [`overridable`].

mod address;
mod advice;
mod app;
mod close;
mod heartbeat;
mod limits;
mod log;
mod management;
mod message;
mod origin;
mod route_match;
mod upstream;

pub(crate) use address::{LISTEN, TARGET};
pub(crate) use app::Item;
pub(crate) use heartbeat::{Heartbeats, Leg};
pub(crate) use log::SECRETS;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::engine::{Block, Choice, Keys, List, Reserved, TIME, TIME_OR_NONE};
use super::model::{Compression, Config, Drain, Route, RouteMatch};
use crate::protocol::Close;
use crate::session::Cause;
use crate::session::policy::Policy;
use close::{closes, drain_close};
use heartbeat::heartbeats;
use limits::{RouteLimits, process_defaults, process_limits, refuse_process_limits, route_limits};
use log::log;
pub(crate) use management::admin;
use management::metrics;
use route_match::route_match;
use upstream::{Backend, upstream};

/// What may be written.
pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::declare(file, advice::ADVICE));

/// What a file says.
pub(crate) struct File {
    /// None when it lacks an address to listen on or a backend.
    pub(crate) config: Option<Config>,
    /// The top level's heartbeats, for the lints.
    pub(crate) heartbeats: Heartbeats,
    /// The same of each route.
    pub(crate) route_heartbeats: Vec<Heartbeats>,
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

/// The top level.
pub(crate) fn file(b: &mut impl Block) -> File {
    let addresses = List {
        item: LISTEN,
        is_required: true,
    };
    let listen = b.required(
        "listen",
        None,
        &addresses,
        "Where clients connect: an address such as `:8080` (every address, IPv4 and IPv6), `0.0.0.0:8080`, `[::1]:8080` or `unix:/run/sidebeat.sock?mode=0660`, or a list of them.",
    );
    let mut process = process_defaults();
    let top = overridable(b, &Overridable::default(), |b| {
        process = process_limits(b, &process_defaults());
    });
    let drain = b.block("drain", "How a shutdown proceeds.", drain);
    let log = b.block("log", "What is logged and how.", log);
    for name in ["tls", "proxy_protocol"] {
        b.reserved(name, Reserved::Off);
    }
    b.reserved("trusted_proxies", Reserved::EmptyList);
    let metrics = metrics(b);
    let admin = admin(b);
    let doc = "Tried in order, the first match wins; each overrides what it says of upstream, heartbeat, limits, close and compression.";
    let routes = b.list(("routes", doc), true, |b| route(b, &top));
    let routes = routes.unwrap_or_default();
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

/// The keys that the top level and routes share; `more_limits` declares further keys of `limits`.
fn overridable<B: Block>(
    b: &mut B,
    base: &Overridable,
    more_limits: impl FnOnce(&mut B),
) -> Overridable {
    let backend = upstream(b, &base.backend);
    let doc = "Idle timeouts and pings of both connections.";
    let heartbeats = b.block("heartbeat", doc, |b| heartbeats(b, &base.heartbeats));
    let limits = b.block("limits", "What is too much.", |b| {
        more_limits(b);
        route_limits(b, &base.limits)
    });
    let doc = "What the client is sent, cause by cause, where it should differ from the default.";
    let closes = b.block("close", doc, |b| closes(b, &base.closes));
    let compression = b.key(
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

fn route(b: &mut impl Block, top: &Overridable) -> (RouteMatch, Overridable) {
    let doc = "Which requests it takes: every key that is written must hold.";
    let rule = b.keys(("match", doc), true, route_match);
    if rule.is_empty() && !b.has_errors("match") {
        let message = "a route without a match would take everything; write a `match`, or these keys at the top level";
        b.error("match", message);
    }
    (rule, overridable(b, top, refuse_process_limits))
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

fn drain(b: &mut impl Block) -> Drain {
    let base = Drain {
        delay: Duration::ZERO,
        spread: Duration::from_secs(10),
        timeout: Duration::from_secs(30),
        close: Close::new(1001, "server is restarting"),
    };
    let delay = b.key(
        "delay",
        &base.delay,
        &TIME_OR_NONE,
        "Between the signal and the end of listening, for a load balancer to notice.",
    );
    let spread = b.key(
        "spread",
        &base.spread,
        &TIME_OR_NONE,
        "Clients are closed evenly over this time, in random order, so that they do not all come back at once.",
    );
    let timeout = b.key(
        "timeout",
        &base.timeout,
        &TIME,
        "From the signal to the end of the process, whatever still lives.",
    );
    Drain {
        delay,
        spread,
        timeout,
        close: drain_close(b, &base),
    }
}
