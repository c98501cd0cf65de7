//! What happens is reported here. The observer updates the registry and the counters, and publishes the event.
//!
//! The order matters in two places. A connection's place is free before its closing record can be read, so that whoever
//! reads the record can open the next connection. And an event reaches the event hub before the log, so that whoever
//! reads it in the log finds it in the API.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use super::events::{HandshakeFailed, LifecycleEvent, UpgradeMissing};
use super::history::{History, Sample};
use super::lock::lock;
use super::status::{Drain, Reload};
use super::throttle::Throttle;
use super::upstreams::{Change, Evidence};
use super::{
    ClosingRecord, EventHub, Handle, HandshakeFailure, Opened, Permit, ProcessStats, Registry,
    Upstreams, events, log, millis,
};

/// The telemetry of one process.
#[derive(Debug, Default)]
pub struct Observer {
    /// The connections.
    pub registry: Arc<Registry>,
    /// The counters of the process.
    pub process_stats: Arc<ProcessStats>,
    /// Which backends are up.
    pub upstreams: Upstreams,
    /// Samples of the last 15 minutes.
    pub history: History,
    /// Exists while there is an admin listener.
    hub: ArcSwapOption<EventHub>,
    missing_upgrades: Throttle,
    reload: Mutex<Option<Arc<Reload>>>,
    drain: Mutex<Option<Drain>>,
}

impl Observer {
    /// A connection is established. `logged` is `log.opened`: without it only the event stream gets the event.
    pub fn opened(
        &self,
        permit: &mut Permit,
        handle: &Arc<Handle>,
        opened: &Opened<'_>,
        logged: bool,
    ) {
        permit.establish(handle);
        self.process_stats.observe_handshake(opened.handshake);
        self.publish_to(&LifecycleEvent::ConnectionOpened(opened), logged);
    }

    /// An established connection has ended. A drain waits until its permit is dropped.
    pub fn closed(&self, permit: &mut Permit, record: &ClosingRecord<'_>) {
        permit.closed(record.cause);
        self.process_stats.observe_connection(record.duration);
        self.publish(&LifecycleEvent::ConnectionClosed(record));
    }

    /// An opening handshake has failed.
    pub fn handshake_failed(&self, record: &HandshakeFailed<'_>) {
        self.process_stats.count_handshake_failure(record.failure);
        self.publish(&LifecycleEvent::HandshakeFailed(record));
    }

    /// A connection was refused or dropped before its request was read. It is only counted, because there may be thousands
    /// of them.
    pub fn connection_refused(&self, failure: HandshakeFailure) {
        self.process_stats.count_handshake_failure(failure);
    }

    /// A backend accepted a connection.
    pub fn upstream_reached(&self, address: &impl ToString) {
        if self.upstreams.any_down() {
            self.record_upstream(&address.to_string(), Ok(()), Evidence::Connection);
        }
    }

    /// A connection to a backend failed.
    pub fn upstream_failed(&self, address: &impl ToString, reason: &str) {
        self.record_upstream(&address.to_string(), Err(reason), Evidence::Connection);
    }

    /// A health check has ended; the error says why the backend is down.
    pub fn upstream_checked(&self, address: &str, outcome: Result<(), &str>) {
        self.record_upstream(address, outcome, Evidence::Check);
    }

    fn record_upstream(&self, upstream: &str, outcome: Result<(), &str>, evidence: Evidence) {
        let detail = outcome.err();
        match self.upstreams.record(upstream, outcome, evidence) {
            Some(Change::Down) => {
                let record = events::UpstreamDown {
                    upstream,
                    detail: detail.unwrap_or_default(),
                };
                self.publish(&LifecycleEvent::UpstreamDown(record));
            }
            Some(Change::Up(after)) => {
                let record = events::UpstreamUp {
                    upstream,
                    detail: match evidence {
                        Evidence::Connection => "it takes connections again",
                        Evidence::Check => "a health check found it up again",
                    },
                    down_ms: millis(after),
                };
                self.publish(&LifecycleEvent::UpstreamUp(record));
            }
            None => {}
        }
    }

    /// An opening handshake came without Upgrade. It is logged at most once in ten seconds, because a proxy that removes
    /// Upgrade removes it from every request.
    pub fn upgrade_missing(&self, record: UpgradeMissing<'_>) {
        self.process_stats.counters.upgrades_missing.count();
        if let Some(count) = self.missing_upgrades.count(Instant::now()) {
            let record = UpgradeMissing { count, ..record };
            self.publish(&LifecycleEvent::UpgradeMissing(record));
        }
    }

    /// Sends an event to the log and to everybody who follows the event stream.
    pub fn publish(&self, event: &LifecycleEvent<'_>) {
        self.publish_to(event, true);
    }

    /// Serialises the record at most once, and not at all if neither the log nor the hub wants the event.
    fn publish_to(&self, event: &LifecycleEvent<'_>, logged: bool) {
        let hub = self.hub.load();
        let wanted = |hub: &&Arc<EventHub>| hub.is_wanted(event);
        let Some(hub) = hub.as_ref().filter(wanted) else {
            if logged {
                event.log();
            }
            return;
        };
        let (time, fields) = (SystemTime::now(), log::fields(event));
        hub.publish(time, event, &fields);
        if logged {
            log::emit_fields(event.level(), event.kind().name(), time, || &fields);
        }
    }

    /// Opens the event hub, for an admin listener.
    pub fn open_event_hub(&self) {
        self.hub.store(Some(Arc::default()));
    }

    /// Ends the event streams and drops the event hub.
    pub fn close_event_hub(&self) {
        self.end_event_streams();
        self.hub.store(None);
    }

    /// The event hub, if there is an admin listener.
    #[must_use]
    pub fn event_hub(&self) -> Option<Arc<EventHub>> {
        self.hub.load_full()
    }

    /// Adds a sample to the history.
    pub fn sample(&self) {
        self.history.push(Sample {
            at: SystemTime::now(),
            counts: self.registry.counts(),
        });
    }

    /// Stores the result of a reload.
    pub fn set_last_reload(&self, reload: Reload) {
        *lock(&self.reload) = Some(Arc::new(reload));
    }

    /// The last reload; `None` before the first one.
    #[must_use]
    pub fn last_reload(&self) -> Option<Arc<Reload>> {
        lock(&self.reload).clone()
    }

    /// Stores the progress of the drain.
    pub fn set_drain(&self, drain: Drain) {
        *lock(&self.drain) = Some(drain);
    }

    /// The progress of the drain; `None` if the process does not drain.
    #[must_use]
    pub fn drain(&self) -> Option<Drain> {
        *lock(&self.drain)
    }

    /// Waits until nobody follows the event stream.
    pub async fn no_subscribers(&self) {
        if let Some(hub) = self.event_hub() {
            hub.no_subscribers().await;
        }
    }

    /// Ends every event stream after the events that are queued for it.
    pub fn end_event_streams(&self) {
        if let Some(hub) = &*self.hub.load() {
            hub.end();
        }
    }
}
