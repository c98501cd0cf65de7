//! What happens, as it happens: server-sent events (HTML Living Standard, section 9.2).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::Stream;
use futures_util::stream::poll_fn;
use hyper::header::CACHE_CONTROL;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::problem::Problem;
use super::super::state::AdminState;
use super::query::{List, Query};
use crate::telemetry::{EventKind, MAX_SUBSCRIBERS, Message, Subscriber};

/// How often a comment is sent while nothing happens: proxies in between end silent connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamQuery {
    /// Only these events, with commas between them.
    types: Option<List<EventKind>>,
}

pub(super) async fn stream(
    State(state): State<Arc<AdminState>>,
    Query(query): Query<StreamQuery>,
) -> Result<Response, Problem> {
    let hub = state.context.observer.event_hub();
    let hub = hub.ok_or_else(|| Problem::unavailable("the admin listener is ending", "5"))?;
    let subscriber = hub.subscribe(query.types.map(|List(types)| types));
    let subscriber = subscriber.map_err(|_| {
        let detail = format!("{MAX_SUBSCRIBERS} event streams are open, which is the maximum");
        Problem::unavailable(detail, "5")
    })?;
    Ok(answer(subscriber))
}

fn answer(subscriber: Subscriber) -> Response {
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive");
    let stream = Sse::new(events(subscriber)).keep_alive(keep_alive);
    ([(CACHE_CONTROL, "no-store")], stream).into_response()
}

fn events(mut subscriber: Subscriber) -> impl Stream<Item = Result<Event, Infallible>> {
    poll_fn(move |cx| {
        subscriber.poll_next(cx).map(|message| match message {
            Message::Event(entry) => {
                let event = Event::default()
                    .event(entry.kind.name())
                    .id(entry.id.to_string());
                Some(Ok(event.data(&*entry.line)))
            }
            Message::Dropped(count) => {
                let data = format!("{{\"count\":{count}}}");
                Some(Ok(Event::default().event("dropped").data(data)))
            }
            Message::End => None,
        })
    })
}

#[cfg(test)]
mod tests;
