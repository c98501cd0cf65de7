//! The counters of an established connection as others see them: a copy that the connection's task stores at the end of
//! a poll.
//!
//! Each value has one writer, so that a plain store is enough: no read-modify-write, no lock, no wake-up on the way of
//! a data frame. A reader may see one value newer than another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::value::RawValue;

use super::lock::lock;
use super::process_stats::ProcessStats;
use crate::per_leg::PerLeg;
use crate::session::{Counters, Leg, Session, Time, leg_counters};

/// The published counters of one connection.
#[derive(Debug)]
pub struct PublishedStats {
    legs: PerLeg<PublishedLeg>,
    closing: AtomicBool,
    app_heartbeats: AtomicU64,
    app: Mutex<AppStats>,
    process_stats: Arc<ProcessStats>,
}

#[derive(Debug, Default)]
struct PublishedLeg {
    counters: PublishedCounters,
    /// Microseconds since the process began.
    last_received: AtomicU64,
    /// Microseconds; [`NO_RTT`]: none was measured.
    rtt: AtomicU32,
}

macro_rules! atomic {
    (u32) => {
        AtomicU32
    };
    (u64) => {
        AtomicU64
    };
}

macro_rules! define_published_counters {
    (
        data { $($data:ident: $data_width:ident, $data_metric:literal, $data_help:literal;)* }
        control { $($control:ident: $control_width:ident, $control_metric:literal, $control_help:literal;)* }
    ) => {
        #[derive(Debug, Default)]
        struct PublishedCounters {
            $($data: atomic!($data_width),)*
            $($control: atomic!($control_width),)*
        }

        impl PublishedCounters {
            #[inline]
            fn store_data(&self, counters: &Counters) {
                $(self.$data.store(counters.$data, Relaxed);)*
            }

            fn store_control(&self, counters: &Counters) {
                $(self.$control.store(counters.$control, Relaxed);)*
            }

            fn load(&self, rtt: Option<Duration>) -> Counters {
                Counters {
                    $($data: self.$data.load(Relaxed),)*
                    $($control: self.$control.load(Relaxed),)*
                    rtt,
                }
            }
        }
    };
}
leg_counters!(define_published_counters);

/// No round trip is shorter than a microsecond.
const NO_RTT: u32 = 0;

/// Application-level heartbeats of one connection.
#[derive(Clone, Debug, Default)]
pub struct AppStats {
    /// The number of heartbeats by rule.
    pub by_rule: Vec<(Box<str>, u64)>,
    /// The captured fields.
    pub captured: BTreeMap<Box<str>, Box<RawValue>>,
}

impl PublishedStats {
    pub(super) fn new(process_stats: &Arc<ProcessStats>) -> Self {
        PublishedStats {
            legs: PerLeg::default(),
            closing: AtomicBool::default(),
            app_heartbeats: AtomicU64::default(),
            app: Mutex::default(),
            process_stats: Arc::clone(process_stats),
        }
    }

    /// Called by the connection's task after data frames.
    #[inline]
    pub fn publish_data(&self, session: &Session) {
        for leg in Leg::BOTH {
            let published = &self.legs[leg];
            published.counters.store_data(session.counters(leg));
            let last_received = session.last_received(leg).micros();
            published.last_received.store(last_received, Relaxed);
        }
    }

    /// Called by the connection's task after anything else.
    pub fn publish(&self, session: &Session) {
        self.publish_data(session);
        for leg in Leg::BOTH {
            let (published, counters) = (&self.legs[leg], session.counters(leg));
            let answered = published.counters.pongs_received.load(Relaxed);
            if let (true, Some(rtt)) = (answered != counters.pongs_received, counters.rtt) {
                self.process_stats.observe_rtt(leg, rtt);
            }
            published.counters.store_control(counters);
            let rtt = counters.rtt.map_or(NO_RTT, |rtt| {
                u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).max(1)
            });
            published.rtt.store(rtt, Relaxed);
        }
        if session.is_closing() {
            self.closing.store(true, Relaxed);
        }
        let app_heartbeats = session.app_heartbeats();
        if self.app_heartbeats.load(Relaxed) != app_heartbeats {
            self.app_heartbeats.store(app_heartbeats, Relaxed);
            let mut app = lock(&self.app);
            app.by_rule.clear();
            app.by_rule.extend(
                session
                    .app_heartbeats_by_rule()
                    .map(|(rule, count)| (rule.into(), count)),
            );
            let captured = session.captured();
            app.captured = captured
                .map(|(field, value)| (field.into(), value.to_owned()))
                .collect();
        }
    }

    /// A leg's counters.
    #[must_use]
    pub fn counters(&self, leg: Leg) -> Counters {
        let published = &self.legs[leg];
        let rtt = published.rtt.load(Relaxed);
        let rtt = (rtt != NO_RTT).then(|| Duration::from_micros(rtt.into()));
        published.counters.load(rtt)
    }

    /// Whether it is being closed.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    /// When a leg last received anything.
    #[must_use]
    pub fn last_received(&self, leg: Leg) -> Time {
        Time::from_micros(self.legs[leg].last_received.load(Relaxed))
    }

    /// Application-level heartbeats that were recognised.
    #[must_use]
    pub fn app_heartbeats(&self) -> u64 {
        self.app_heartbeats.load(Relaxed)
    }

    /// Blocks whoever sums this connection.
    #[cfg(test)]
    pub(super) fn hold(&self) -> std::sync::MutexGuard<'_, AppStats> {
        self.app_heartbeats.store(1, Relaxed);
        lock(&self.app)
    }

    /// The heartbeats by rule, and the captured fields.
    #[must_use]
    pub fn app(&self) -> AppStats {
        lock(&self.app).clone()
    }
}
