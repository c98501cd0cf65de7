//! The last quarter of an hour.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::State;
use super::time;
use crate::telemetry::history::{INTERVAL, Sample as Kept};
use crate::telemetry::millis;

/// The last 15 minutes, or as many as there have been.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct History {
    /// Between two samples, in milliseconds.
    interval_ms: u64,
    /// The oldest first.
    samples: Vec<Sample>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Sample {
    /// When (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Connections that were established then.
    established: u64,
    /// Connections established since the process began.
    opened: u64,
    /// Connections that have ended since the process began.
    closed: u64,
}

pub(super) fn history(state: &State) -> History {
    let sample = |Kept { at, counts }: Kept| Sample {
        at: time(at),
        established: counts.established,
        opened: counts.opened,
        closed: counts.closed,
    };
    let samples = state.shared.observer.history.samples();
    History {
        interval_ms: millis(INTERVAL),
        samples: samples.into_iter().map(sample).collect(),
    }
}
