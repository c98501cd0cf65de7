//! The configuration in force, and reloading it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::StatusCode;
use tokio::sync::oneshot;

use super::super::command::AdminCommand;
use super::super::problem::Problem;
use super::super::state::AdminState;
use super::answer::{expensive, json};
use super::query::{NoParameters, Query};
use super::types::{Configuration, LastReload, ReloadResult, Reloaded};
use crate::telemetry::log::rfc3339;
use crate::telemetry::status::{Reload, ReloadOutcome};

pub(super) async fn get(
    State(state): State<Arc<AdminState>>,
    _: Query<NoParameters>,
) -> Result<Response, Problem> {
    expensive(state, StatusCode::OK, |state| Ok(configuration(state))).await
}

fn configuration(state: &AdminState) -> Configuration {
    let file = state.file.load();
    let last_reload = state.context.observer.last_reload();
    Configuration {
        path: file.name.clone(),
        loaded_at: rfc3339(file.loaded_at),
        effective: file.effective().clone(),
        last_reload: last_reload.map(|reload| described(&reload)),
    }
}

fn described(reload: &Reload) -> LastReload {
    let (changed, problems, detail) = match reload.outcome.clone() {
        ReloadOutcome::Success { changed, detail } => (changed, Vec::new(), detail),
        ReloadOutcome::Failure { problems, detail } => (Vec::new(), problems, detail),
    };
    LastReload {
        at: rfc3339(reload.at),
        result: result(reload),
        trigger: reload.trigger.label().to_owned(),
        changed,
        problems,
        detail,
    }
}

pub(super) fn result(reload: &Reload) -> ReloadResult {
    match reload.outcome {
        ReloadOutcome::Success { .. } => ReloadResult::Success,
        ReloadOutcome::Failure { .. } => ReloadResult::Failure,
    }
}

pub(super) async fn reload(
    State(state): State<Arc<AdminState>>,
    _: Query<NoParameters>,
) -> Result<Response, Problem> {
    let (answer, answered) = oneshot::channel();
    // If the process does not take commands any more, the answer's sender is dropped.
    let _ = state.commands.send(AdminCommand::Reload(answer)).await;
    let reload = answered
        .await
        .map_err(|_| Problem::unavailable("the process is ending", "1"))?
        .map_err(|refused| Problem::new(StatusCode::CONFLICT, refused.0))?;
    let result = result(&reload);
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
