//! The configuration in force, and reading it again.

use hyper::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::super::problem::Problem;
use super::super::response::Body;
use super::super::{AdminCommand, State};
use super::{json, time};
use crate::config;
use crate::telemetry::status::{Reload, ReloadOutcome};

/// The configuration in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Configuration {
    /// The file.
    path: String,
    /// When it was read (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    loaded_at: String,
    /// Every key with its value, defaults included; secrets are `***`.
    effective: Value,
    /// The last time that the file was read again.
    last_reload: Option<LastReload>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LastReload {
    /// When (RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    at: String,
    result: Outcome,
    /// What asked for it: `file`, `signal` or `api`.
    trigger: &'static str,
    /// The keys that differed, at most 100 of them.
    changed: Vec<String>,
    /// Everything that was wrong with the file.
    problems: Vec<String>,
    /// The same in words.
    detail: String,
}

/// What came of reading the file.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Success,
    Failure,
}

/// The file is in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Reloaded {
    result: Outcome,
    /// The keys that differ, at most 100 of them.
    changed: Vec<String>,
    /// The same with their values.
    detail: String,
}

impl Outcome {
    pub(super) fn of(reload: &Reload) -> Self {
        match reload.outcome {
            ReloadOutcome::Success { .. } => Outcome::Success,
            ReloadOutcome::Failure { .. } => Outcome::Failure,
        }
    }
}

pub(super) fn config(state: &State) -> Configuration {
    let file = state.file.load();
    Configuration {
        path: file.name.clone(),
        loaded_at: time(file.loaded_at),
        effective: config::effective(&file.tree),
        last_reload: state
            .shared
            .observer
            .last_reload()
            .map(|reload| last(&reload)),
    }
}

fn last(reload: &Reload) -> LastReload {
    let (changed, problems, detail) = match reload.outcome.clone() {
        ReloadOutcome::Success { changed, detail } => (changed, Vec::new(), detail),
        ReloadOutcome::Failure { problems, detail } => (Vec::new(), problems, detail),
    };
    LastReload {
        at: time(reload.at),
        result: Outcome::of(reload),
        trigger: reload.trigger.label(),
        changed,
        problems,
        detail,
    }
}

pub(super) async fn reload(state: &State) -> Result<Response<Body>, Problem> {
    let (answer, answered) = oneshot::channel();
    // However the way to the process is lost, nobody answers.
    let _ = state.commands.send(AdminCommand::Reload(answer)).await;
    let reload = answered
        .await
        .map_err(|_| Problem::unavailable("the process is ending", "1"))?
        .map_err(|refused| Problem::new(StatusCode::CONFLICT, refused.0))?;
    let result = Outcome::of(&reload);
    match reload.outcome {
        ReloadOutcome::Success { changed, detail } => {
            let answer = Reloaded {
                result,
                changed,
                detail,
            };
            json(StatusCode::OK, &answer)
        }
        ReloadOutcome::Failure { problems, detail } => Err(Problem::file(problems, detail)),
    }
}
