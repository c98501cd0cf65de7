//! Sums over all connections since the process began.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::handle::Handle;
use crate::per_leg::PerLeg;
use crate::session::{Cause, Counters, Leg, leg_counters};

/// Each connection is counted once, whether it is established or closed.
#[derive(Clone, Debug, Default)]
pub struct Aggregates {
    /// Connections that are established now, by route.
    pub established: BTreeMap<Box<str>, u64>,
    /// Connections that were ever established, by route.
    pub opened: BTreeMap<Box<str>, u64>,
    /// Connections that have ended, by route and cause.
    pub closed: BTreeMap<(Box<str>, Cause), u64>,
    /// Counted on each leg.
    pub legs: PerLeg<LegTotals>,
    /// Application-level heartbeats, by the rule that recognised them.
    pub app_heartbeats: BTreeMap<Box<str>, u64>,
}

macro_rules! define_leg_totals {
    (
        data { $($data:ident: $data_width:ty, $data_metric:literal, $data_help:literal;)* }
        control { $($control:ident: $control_width:ty, $control_metric:literal, $control_help:literal;)* }
    ) => {
        /// [`Counters`] of many connections, summed.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub struct LegTotals {
            $(#[doc = $data_help] pub $data: u64,)*
            $(#[doc = $control_help] pub $control: u64,)*
        }

        impl LegTotals {
            fn add(&mut self, counters: &Counters) {
                $(self.$data += u64::from(counters.$data);)*
                $(self.$control += u64::from(counters.$control);)*
            }
        }
    };
}
leg_counters!(define_leg_totals);

impl Aggregates {
    pub(super) fn opened(&mut self, handle: &Handle) {
        add(&mut self.opened, &handle.identity.route, 1);
    }

    pub(super) fn add_counters(&mut self, handle: &Handle) {
        for leg in Leg::BOTH {
            self.legs[leg].add(&handle.stats.counters(leg));
        }
        if handle.stats.app_heartbeats() > 0 {
            for (rule, count) in handle.stats.app().by_rule {
                add(&mut self.app_heartbeats, &rule, count);
            }
        }
    }

    pub(super) fn add_established(&mut self, handles: &[Arc<Handle>]) {
        for handle in handles {
            add(&mut self.established, &handle.identity.route, 1);
            self.add_counters(handle);
        }
    }

    pub(super) fn closed(&mut self, handle: &Handle, cause: Cause) {
        *self
            .closed
            .entry((handle.identity.route.clone(), cause))
            .or_default() += 1;
        self.add_counters(handle);
    }
}

/// Allocates a key only the first time.
fn add(sums: &mut BTreeMap<Box<str>, u64>, name: &str, count: u64) {
    match sums.get_mut(name) {
        Some(sum) => *sum += count,
        None => {
            sums.insert(name.into(), count);
        }
    }
}
