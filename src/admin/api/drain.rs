//! Draining the process, and how far that has come.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::response::Response;
use hyper::StatusCode;
use tokio::sync::oneshot;

use super::super::command::AdminCommand;
use super::super::problem::Problem;
use super::super::state::AdminState;
use super::answer::json;
use super::query::{NoParameters, Query};
use super::types::{DrainPhase, Draining};
use crate::context::Context;
use crate::telemetry::log::rfc3339;
use crate::telemetry::{millis, status};

pub(super) async fn begin(
    State(state): State<Arc<AdminState>>,
    _: Query<NoParameters>,
) -> Result<Response, Problem> {
    let (answer, answered) = oneshot::channel();
    // If the process does not take commands any more, the answer's sender is dropped.
    let _ = state.commands.send(AdminCommand::Drain(answer)).await;
    let drain = answered
        .await
        .map_err(|_| Problem::unavailable("the process is ending", "1"))?;
    json(StatusCode::ACCEPTED, &draining(drain, &state.context))
}

pub(super) fn draining(drain: status::Drain, context: &Context) -> Draining {
    let remaining = context.remaining();
    let left = drain.deadline.duration_since(SystemTime::now());
    Draining {
        trigger: drain.trigger.label().to_owned(),
        since: rfc3339(drain.since),
        phase: match drain.phase {
            status::DrainPhase::Delay => DrainPhase::Delay,
            status::DrainPhase::Closing => DrainPhase::Closing,
            status::DrainPhase::Finishing => DrainPhase::Finishing,
        },
        remaining,
        // More may come during the delay.
        of: drain.of.max(remaining),
        deadline: rfc3339(drain.deadline),
        // Past the deadline, nothing is left.
        left_ms: millis(left.unwrap_or_default()),
    }
}
