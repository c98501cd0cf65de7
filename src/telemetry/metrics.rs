//! Everything as metrics: put together when somebody asks, from the connections' own counters and from those of the process.
//!
//! Every series of the configuration's routes and rules, and of every cause and reason, exists from the start at zero.
//! Those of a former configuration stay, because a counter must never decrease.

mod families;
mod process;
mod text;

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

pub use families::{Family, Kind, families};
pub use text::Format;

use self::text::Page;
use super::aggregates::Aggregates;
use super::{Observer, log};
use crate::config::Config;
use crate::session::{Cause, Leg};

/// The page that Prometheus reads. It walks over all connections, and must therefore not run on a worker.
#[must_use]
pub fn render(observer: &Observer, config: &Config, format: Format) -> String {
    let mut page = Page::new(format);
    let admitted = observer.registry.admitted() as u64;
    let aggregates = observer.registry.aggregates();
    connections(&mut page, config, &aggregates, admitted);
    handshakes(&mut page, observer);
    heartbeats(&mut page, observer, config, &aggregates);
    state(&mut page, observer);
    process::write(&mut page);
    began(&mut page, observer);
    page.finish()
}

fn connections(page: &mut Page, config: &Config, aggregates: &Aggregates, admitted: u64) {
    let routes = routes(config, aggregates);
    let mut family = page.family(&families::CONNECTIONS);
    for route in &routes {
        family.sample(&[route], count(&aggregates.established, route));
    }
    page.family(&families::ADMITTED).sample(&[], admitted);
    let max = config.process.max_connections;
    let max = max.map(|max| max as u64);
    page.family(&families::MAX_CONNECTIONS).sample(&[], max);
    let mut family = page.family(&families::OPENED);
    for route in &routes {
        family.sample(&[route], count(&aggregates.opened, route));
    }
    let mut family = page.family(&families::CLOSED);
    for route in &routes {
        for cause in Cause::ALL {
            let count = aggregates.closed.get(&((*route).into(), cause));
            let labels = [route, cause.initiator().label(), cause.label()];
            family.sample(&labels, count.copied().unwrap_or_default());
        }
    }
}

fn handshakes(page: &mut Page, observer: &Observer) {
    let process_stats = &observer.process_stats;
    page.family(&families::CONNECTION_DURATION)
        .distribution(&[], &process_stats.connection_durations());
    let mut family = page.family(&families::HANDSHAKES_FAILED);
    for (failure, count) in process_stats.handshakes_failed() {
        family.sample(&[failure.label()], count);
    }
    page.family(&families::HANDSHAKE_DURATION)
        .distribution(&[], &process_stats.handshake_durations());
}

fn heartbeats(page: &mut Page, observer: &Observer, config: &Config, aggregates: &Aggregates) {
    for counter in families::DATA_COUNTERS {
        let mut family = page.family(&counter.family);
        for (totals, direction) in aggregates.legs.iter().zip(DIRECTIONS) {
            family.sample(&[direction], (counter.value)(totals));
        }
    }
    for counter in families::CONTROL_COUNTERS {
        let mut family = page.family(&counter.family);
        for (totals, leg) in aggregates.legs.iter().zip(Leg::BOTH) {
            family.sample(&[leg.label()], (counter.value)(totals));
        }
    }
    let mut family = page.family(&families::APP_HEARTBEATS);
    for rule in rules(config, aggregates) {
        family.sample(&[rule], count(&aggregates.app_heartbeats, rule));
    }
    let mut family = page.family(&families::RTT);
    for leg in Leg::BOTH {
        family.distribution(&[leg.label()], &observer.process_stats.round_trips(leg));
    }
}

/// From our own clock, because /proc/stat, which has the start of the system, is hidden in some containers.
fn began(page: &mut Page, observer: &Observer) {
    let started = observer.process_stats.started().duration_since(UNIX_EPOCH);
    let started = started.unwrap_or_default().as_secs_f64();
    page.family(&families::STARTED).sample(&[], started);
}

fn state(page: &mut Page, observer: &Observer) {
    let process_stats = &observer.process_stats;
    let mut family = page.family(&families::HTTP_REQUESTS);
    for (class, count) in process_stats.http_answers() {
        family.sample(&[class], count);
    }
    let [accepted, rejected] = process_stats.reloads();
    page.family(&families::CONFIG_RELOADS)
        .sample(&["success"], accepted)
        .sample(&["failure"], rejected);
    let loaded_at = process_stats.loaded_at().duration_since(UNIX_EPOCH);
    let loaded_at = loaded_at.unwrap_or_default().as_secs_f64();
    page.family(&families::CONFIG_LOADED).sample(&[], loaded_at);
    let upstreams = observer.upstreams.all();
    page.family(&families::UPSTREAM_UP)
        .sample(&[], upstreams.iter().all(|upstream| upstream.up));
    let mut family = page.family(&families::UPSTREAM_ADDRESS_UP);
    for upstream in &upstreams {
        family.sample(&[&upstream.address], upstream.up);
    }
    let counts = process_stats.counters.values();
    for counter in families::PROCESS_COUNTERS {
        page.family(&counter.family)
            .sample(&[], (counter.value)(&counts));
    }
    page.family(&families::DRAINING)
        .sample(&[], process_stats.is_draining());
    page.family(&families::LOG_LINES_DROPPED)
        .sample(&[], log::dropped_lines());
    page.family(&families::BUILD)
        .sample(&[env!("CARGO_PKG_VERSION")], 1);
}

/// The values of the label `direction`, in the order of [`Leg::BOTH`].
const DIRECTIONS: [&str; 2] = ["client_to_upstream", "upstream_to_client"];

/// The routes of the configuration in its order, and then those of former ones.
fn routes<'a>(config: &'a Config, aggregates: &'a Aggregates) -> Vec<&'a str> {
    let now = config.routes.iter().map(|(_, route)| &*route.name);
    let former = aggregates.opened.keys().map(|route| &**route);
    without_repeats(now.chain([&*config.default.name]), former)
}

/// The rules of the configuration in its order, and then those of former ones.
fn rules<'a>(config: &'a Config, aggregates: &'a Aggregates) -> Vec<&'a str> {
    let routes = config.routes.iter().map(|(_, route)| route);
    let now = [&config.default]
        .into_iter()
        .chain(routes)
        .flat_map(|route| route.policy.app.names());
    let former = aggregates.app_heartbeats.keys().map(|rule| &**rule);
    without_repeats(now, former)
}

fn without_repeats<'a>(
    first: impl Iterator<Item = &'a str>,
    then: impl Iterator<Item = &'a str>,
) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    first
        .chain(then)
        .filter(|name| seen.insert(*name))
        .collect()
}

fn count(sums: &BTreeMap<Box<str>, u64>, name: &str) -> u64 {
    sums.get(name).copied().unwrap_or_default()
}
