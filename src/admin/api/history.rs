//! The last quarter of an hour.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::StatusCode;

use super::super::problem::Problem;
use super::super::state::AdminState;
use super::answer::expensive;
use super::query::{NoParameters, Query};
use super::types::{History, Sample};
use crate::telemetry::history::INTERVAL;
use crate::telemetry::log::rfc3339;
use crate::telemetry::millis;

pub(super) async fn get(
    State(state): State<Arc<AdminState>>,
    _: Query<NoParameters>,
) -> Result<Response, Problem> {
    expensive(state, StatusCode::OK, |state| Ok(history(state))).await
}

fn history(state: &AdminState) -> History {
    let samples = state.context.observer.history.samples().into_iter();
    let samples = samples.map(|sample| Sample {
        at: rfc3339(sample.at),
        established: sample.counts.established,
        opened: sample.counts.opened,
        closed: sample.counts.closed,
    });
    History {
        interval_ms: millis(INTERVAL),
        samples: samples.collect(),
    }
}
