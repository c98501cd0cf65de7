//! Ending the process without a stampede.

use std::time::SystemTime;

use hyper::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::oneshot;

use super::super::problem::Problem;
use super::super::response::Body;
use super::super::{AdminCommand, State};
use super::{json, time};
use crate::context::Context;
use crate::telemetry::millis;
use crate::telemetry::status::{Drain, DrainPhase};

/// How far a drain has come.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Draining {
    /// What asked for it: `api`, `SIGTERM`, `SIGINT`, or `SIGHUP` of a closed terminal.
    trigger: &'static str,
    /// When (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    since: String,
    /// What it is at.
    phase: Phase,
    /// What is waited for and still there: WebSockets, opening handshakes, and plain HTTP in flight.
    remaining: usize,
    /// How many there were.
    of: usize,
    /// When what is left is cut off (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    deadline: String,
    /// How long that is from now, in milliseconds.
    left_ms: u64,
}

/// `delay`: newcomers are let in until the load balancer has noticed; `closing`: clients are closed one after the
/// other; `finishing`: all have been told.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Phase {
    Delay,
    Closing,
    Finishing,
}

impl Draining {
    pub(super) fn new(drain: Drain, shared: &Context) -> Self {
        let remaining = shared.remaining();
        let rfc3339 = |at: SystemTime| time(at);
        let left = drain.deadline.duration_since(SystemTime::now());
        Draining {
            trigger: drain.trigger.label(),
            since: rfc3339(drain.since),
            phase: match drain.phase {
                DrainPhase::Delay => Phase::Delay,
                DrainPhase::Closing => Phase::Closing,
                DrainPhase::Finishing => Phase::Finishing,
            },
            remaining,
            // More may come during the delay.
            of: drain.of.max(remaining),
            deadline: rfc3339(drain.deadline),
            // Past it, nothing is left.
            left_ms: millis(left.unwrap_or_default()),
        }
    }
}

pub(super) async fn begin(state: &State) -> Result<Response<Body>, Problem> {
    let (answer, answered) = oneshot::channel();
    // However the way to the process is lost, nobody answers.
    let _ = state.commands.send(AdminCommand::Drain(answer)).await;
    let drain = answered
        .await
        .map_err(|_| Problem::unavailable("the process is ending", "1"))?;
    json(StatusCode::ACCEPTED, &Draining::new(drain, &state.shared))
}
