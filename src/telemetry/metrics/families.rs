//! Every metric: its name, labels and meaning. Nobody else knows their names.

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
    /// The name by which one asks for it; a histogram's samples have `_bucket`, `_sum` and `_count` behind it.
    #[must_use]
    pub fn series(&self) -> String {
        let behind = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        format!("{}{behind}", self.name)
    }

    /// What it is measured in, where that is a unit.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let units = ["seconds", "bytes"].into_iter();
        let mut units = units.filter(|unit| self.name.ends_with(&format!("_{unit}")));
        units.next()
    }
}

macro_rules! families {
    ($($id:ident: $kind:ident $name:literal $labels:expr, $help:literal;)*) => {
        $(pub(super) static $id: Family = Family {
            name: $name,
            kind: Kind::$kind,
            labels: &$labels,
            help: $help,
        };)*

        /// Every metric, in the order in which they are answered.
        pub static FAMILIES: &[&Family] = &[$(&$id),*];
    };
}

families! {
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
    MESSAGES: Counter "sidebeat_messages" ["direction"],
        "Messages received whole, without application-level heartbeats.";
    BYTES: Counter "sidebeat_bytes" ["direction"],
        "Payload bytes of data frames received.";
    PINGS_SENT: Counter "sidebeat_pings_sent" ["peer"],
        "Heartbeats that the sidecar sent to this peer.";
    PONGS_RECEIVED: Counter "sidebeat_pongs_received" ["peer"],
        "Those that this peer answered.";
    PONGS_MISSED: Counter "sidebeat_pongs_missed" ["peer"],
        "Those that this peer left unanswered, without any other sign of life.";
    PINGS_ANSWERED: Counter "sidebeat_pings_answered" ["peer"],
        "This peer's own pings that the sidecar answered.";
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
    UPGRADES_MISSING: Counter "sidebeat_upgrades_missing" [],
        "Opening handshakes that came without Upgrade, because a proxy in front did not pass it on.";
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
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_keep_to_the_rules_of_both_formats() {
        let mut seen = BTreeSet::new();
        for family in FAMILIES {
            let name = family.name;
            assert!(seen.insert(name), "{name} is there twice");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            let suffixes = ["_total", "_info", "_bucket", "_sum", "_count", "_created"];
            assert!(!suffixes.iter().any(|end| name.ends_with(end)), "{name}");
            assert!(!family.labels.contains(&"le"), "{name}");
            assert!(!family.help.contains(['\\', '"', '\n']), "{name}");
            assert!(family.help.ends_with('.'), "{name}");
        }
    }
}
