//! Where every lifecycle event is told, once: from here it goes to the log, into the sums, and to those who look on.

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

/// Everything that a process knows of its connections.
#[derive(Debug, Default)]
pub struct Observer {
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// What else is counted.
    pub process_stats: Arc<ProcessStats>,
    /// Which backends can be reached.
    pub upstreams: Upstreams,
    /// The last quarter of an hour.
    pub history: History,
    /// Exists while somebody can ask.
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

    /// An established connection has ended. Its place is free by the time that anybody reads of it; a drain waits until
    /// its permit is dropped.
    pub fn closed(&self, permit: &mut Permit, record: &ClosingRecord<'_>) {
        permit.closed(record.cause);
        self.process_stats.observe_connection(record.duration);
        self.publish(&LifecycleEvent::ConnectionClosed(record));
    }

    /// An opening handshake never became a connection.
    pub fn handshake_failed(&self, record: &HandshakeFailed<'_>) {
        self.process_stats.count_handshake_failure(record.failure);
        self.publish(&LifecycleEvent::HandshakeFailed(record));
    }

    /// A connection was refused or dropped before it was an opening handshake: there may be thousands, so that each is
    /// only counted.
    pub fn connection_refused(&self, failure: HandshakeFailure) {
        self.process_stats.count_handshake_failure(failure);
    }

    /// A connection to a backend came about.
    pub fn upstream_reached(&self, address: &impl ToString) {
        if self.upstreams.any_down() {
            self.upstream_tried(&address.to_string(), Ok(()), Evidence::Connection);
        }
    }

    /// A connection to a backend did not come about, for this reason.
    pub fn upstream_failed(&self, address: &impl ToString, reason: &str) {
        self.upstream_tried(&address.to_string(), Err(reason), Evidence::Connection);
    }

    /// A health check of a backend found it up, or not, for this reason.
    pub fn upstream_checked(&self, address: &str, outcome: Result<(), &str>) {
        self.upstream_tried(address, outcome, Evidence::Check);
    }

    fn upstream_tried(&self, upstream: &str, outcome: Result<(), &str>, evidence: Evidence) {
        let detail = outcome.err();
        match self.upstreams.tried(upstream, outcome, evidence) {
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

    /// An opening handshake had lost its Upgrade on the way here. It is logged at most once in ten seconds: whoever
    /// configured a proxy so has all of its WebSockets come so.
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

    /// The one way that events go out. The record is serialised at most once, and not at all if nobody wants it.
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
        // First, so that whoever reads of it in the log can ask for it.
        hub.publish(time, event, &fields);
        if logged {
            log::emit_fields(event.level(), event.kind().name(), time, || &fields);
        }
    }

    /// Begins to keep what operators may ask for.
    pub fn open_event_hub(&self) {
        self.hub.store(Some(Arc::default()));
    }

    /// Nobody can ask any more.
    pub fn close_event_hub(&self) {
        self.end_event_streams();
        self.hub.store(None);
    }

    /// What is kept for operators.
    #[must_use]
    pub fn event_hub(&self) -> Option<Arc<EventHub>> {
        self.hub.load_full()
    }

    /// Keeps a sample of this moment.
    pub fn sample(&self) {
        self.history.keep(Sample {
            at: SystemTime::now(),
            counts: self.registry.counts(),
        });
    }

    /// The file was read again.
    pub fn set_last_reload(&self, reload: Reload) {
        *lock(&self.reload) = Some(Arc::new(reload));
    }

    /// How the last reading of the file went; none: it was read at the start only.
    #[must_use]
    pub fn last_reload(&self) -> Option<Arc<Reload>> {
        lock(&self.reload).clone()
    }

    /// The drain has begun or come further.
    pub fn set_drain(&self, drain: Drain) {
        *lock(&self.drain) = Some(drain);
    }

    /// How far the drain has come; none: there is none.
    #[must_use]
    pub fn drain(&self) -> Option<Drain> {
        *lock(&self.drain)
    }

    /// Waits until nobody listens to events.
    pub async fn no_subscribers(&self) {
        if let Some(hub) = self.event_hub() {
            hub.no_subscribers().await;
        }
    }

    /// Nothing more will happen: who listens to events hears the end of them.
    pub fn end_event_streams(&self) {
        if let Some(hub) = &*self.hub.load() {
            hub.end();
        }
    }
}
