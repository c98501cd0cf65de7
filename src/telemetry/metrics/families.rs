//! Every metric: its name, labels and meaning. Counters that are generated from a list have theirs there:
//! `session::counters` and `telemetry::process_stats`.

use crate::session::leg_counters;
use crate::telemetry::aggregates::LegTotals;
use crate::telemetry::process_stats::{ProcessCounts, process_counters};

/// A metric with all its series.
#[derive(Debug)]
pub struct Family {
    /// Without the `_total` of counters and the `_info` of facts.
    pub(super) name: &'static str,
    /// What its samples are.
    pub kind: Kind,
    /// The names of its labels, without the `le` of histograms.
    pub labels: &'static [&'static str],
    /// In a sentence, without backslashes, quotes and newlines.
    pub help: &'static str,
}

/// What a family's samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations in buckets.
    Histogram,
    /// Always 1: the labels say it all.
    Info,
}

impl Kind {
    /// As in `# TYPE`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Info => "info",
        }
    }
}

impl Family {
    /// The name to query; a histogram's samples append `_bucket`, `_sum` and `_count`.
    #[must_use]
    pub fn series(&self) -> String {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        format!("{}{suffix}", self.name)
    }

    /// The unit for `# UNIT`.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let units = ["seconds", "bytes"].into_iter();
        let mut units = units.filter(|unit| self.name.ends_with(&format!("_{unit}")));
        units.next()
    }
}

macro_rules! families {
    ($list:ident: $($id:ident: $kind:ident $name:literal $labels:expr, $help:literal;)*) => {
        $(pub(super) static $id: Family = Family {
            name: $name,
            kind: Kind::$kind,
            labels: &$labels,
            help: $help,
        };)*

        static $list: &[&Family] = &[$(&$id),*];
    };
}

/// A counter that is generated from a list, with the way to its value in `T`.
pub(super) struct ListedCounter<T> {
    pub(super) family: Family,
    pub(super) value: fn(&T) -> u64,
}

macro_rules! listed_counters {
    ($labels:expr, $($field:ident, $metric:literal, $help:literal;)*) => {
        &[$(ListedCounter {
            family: Family {
                name: $metric,
                kind: Kind::Counter,
                labels: $labels,
                help: $help,
            },
            value: |stats| stats.$field,
        },)*]
    };
}

macro_rules! define_leg_families {
    (
        data { $($data:ident: $data_width:ty, $data_metric:literal, $data_help:literal;)* }
        control { $($control:ident: $control_width:ty, $control_metric:literal, $control_help:literal;)* }
    ) => {
        pub(super) static DATA_COUNTERS: &[ListedCounter<LegTotals>] =
            listed_counters!(&["direction"], $($data, $data_metric, $data_help;)*);
        pub(super) static CONTROL_COUNTERS: &[ListedCounter<LegTotals>] =
            listed_counters!(&["peer"], $($control, $control_metric, $control_help;)*);
    };
}
leg_counters!(define_leg_families);

macro_rules! define_process_families {
    ($($field:ident, $metric:literal, $help:literal;)*) => {
        pub(super) static PROCESS_COUNTERS: &[ListedCounter<ProcessCounts>] =
            listed_counters!(&[], $($field, $metric, $help;)*);
    };
}
process_counters!(define_process_families);

/// Every metric, in the order in which they are answered.
pub fn families() -> impl Iterator<Item = &'static Family> {
    let of_legs = DATA_COUNTERS.iter().chain(CONTROL_COUNTERS);
    let of_process = PROCESS_COUNTERS.iter();
    (CONNECTION_FAMILIES.iter().copied())
        .chain(of_legs.map(|counter| &counter.family))
        .chain(HEARTBEAT_FAMILIES.iter().copied())
        .chain(of_process.map(|counter| &counter.family))
        .chain(PROCESS_FAMILIES.iter().copied())
}

families! { CONNECTION_FAMILIES:
    CONNECTIONS: Gauge "sidebeat_connections" ["route"],
        "Connections that are established.";
    ADMITTED: Gauge "sidebeat_connections_admitted" [],
        "Connections that count for limits.max_connections: established, or in their opening handshake.";
    MAX_CONNECTIONS: Gauge "sidebeat_max_connections" [],
        "limits.max_connections; +Inf when it is off.";
    OPENED: Counter "sidebeat_connections_opened" ["route"],
        "Connections that were established.";
    CLOSED: Counter "sidebeat_connections_closed" ["route", "initiator", "reason"],
        "Connections that have ended, by who ended them and why.";
    CONNECTION_DURATION: Histogram "sidebeat_connection_duration_seconds" [],
        "From the 101 to the end, of connections that have ended.";
    HANDSHAKES_FAILED: Counter "sidebeat_handshakes_failed" ["reason"],
        "Opening handshakes that never became a connection.";
    HANDSHAKE_DURATION: Histogram "sidebeat_handshake_duration_seconds" [],
        "From a request head to its 101: the backend's part of it included.";
}

families! { HEARTBEAT_FAMILIES:
    APP_HEARTBEATS: Counter "sidebeat_app_heartbeats" ["rule"],
        "Application-level heartbeats that were recognised, by the rule that did.";
    RTT: Histogram "sidebeat_rtt_seconds" ["peer"],
        "From a ping to its pong.";
    HTTP_REQUESTS: Counter "sidebeat_http_requests" ["status_class"],
        "Requests that opened no WebSocket, by the class of their answer's status.";
    CONFIG_RELOADS: Counter "sidebeat_config_reloads" ["result"],
        "Readings of the configuration after the first.";
    CONFIG_LOADED: Gauge "sidebeat_config_last_reload_timestamp_seconds" [],
        "When the configuration in force was read, in seconds since 1970.";
    UPSTREAM_UP: Gauge "sidebeat_upstream_up" [],
        "Whether every backend of the configuration takes connections.";
    UPSTREAM_ADDRESS_UP: Gauge "sidebeat_upstream_address_up" ["upstream"],
        "Whether this backend takes connections.";
}

families! { PROCESS_FAMILIES:
    DRAINING: Gauge "sidebeat_draining" [],
        "Whether the process is shutting down.";
    LOG_LINES_DROPPED: Counter "sidebeat_log_lines_dropped" [],
        "Log lines that were not written because stdout did not keep up.";
    BUILD: Info "sidebeat_build" ["version"],
        "This program.";
    CPU: Counter "process_cpu_seconds" [],
        "CPU time of the process.";
    OPEN_FILES: Gauge "process_open_fds" [],
        "Open files; a connection needs two.";
    MAX_FILES: Gauge "process_max_fds" [],
        "How many files may be open.";
    MEMORY: Gauge "process_resident_memory_bytes" [],
        "Memory that is in use.";
    VIRTUAL_MEMORY: Gauge "process_virtual_memory_bytes" [],
        "Memory that is reserved.";
    MAX_VIRTUAL_MEMORY: Gauge "process_virtual_memory_max_bytes" [],
        "How much memory may be reserved.";
    THREADS: Gauge "process_threads" [],
        "Threads of the process.";
    STARTED: Gauge "process_start_time_seconds" [],
        "When the process began, in seconds since 1970.";
}

#[cfg(test)]
mod tests;
