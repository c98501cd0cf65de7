//! The records of connections that have ended.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::problem::Problem;
use super::super::state::AdminState;
use super::answer::expensive;
use super::query::{Limit, OneOf, Query, Text};
use super::search::Search;
use super::types::ClosedPage;
use crate::session::Cause;
use crate::telemetry::Entry;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// The most that one answer has.
    #[serde(default)]
    limit: Limit,
    /// What the answer before called `next`; empty: from the beginning.
    cursor: Option<Text>,
    /// Only those that have this text, in any case, in conn, request_id, client, route, host, path, subprotocol or a captured value.
    q: Option<Text>,
    /// Only those that ended for this reason.
    reason: Option<OneOf<Cause>>,
}

pub(super) async fn list(
    State(state): State<Arc<AdminState>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    expensive(state, StatusCode::OK, move |state| page(state, &query)).await
}

fn page(state: &AdminState, query: &ListQuery) -> Result<ClosedPage<Box<RawValue>>, Problem> {
    let before = match &query.cursor {
        None => u64::MAX,
        Some(Text(cursor)) if cursor.is_empty() => u64::MAX,
        Some(Text(cursor)) => cursor
            .parse()
            .map_err(|_| Problem::field("cursor", "is not the `next` of an answer"))?,
    };
    let search = Search::new(query.q.as_ref());
    let has_reason = |entry: &Entry| {
        query
            .reason
            .is_none_or(|OneOf(reason)| entry.cause == Some(reason))
    };
    let hub = state.context.observer.event_hub();
    let entries = hub.map(|hub| hub.closed()).unwrap_or_default();
    let mut wanted = entries
        .iter()
        .filter(|entry| entry.id < before && has_reason(entry) && matches(entry, &search));
    let page: Vec<&Arc<Entry>> = wanted.by_ref().take(query.limit.get()).collect();
    let more = wanted.next().is_some();
    let next = page.last().filter(|_| more);
    let records = page
        .iter()
        .map(|entry| RawValue::from_string(entry.line.to_string()))
        .collect::<Result<_, _>>();
    let closed = records.map_err(|error| {
        let detail = format!("a record cannot be read: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    let next = next.map(|entry| entry.id.to_string());
    Ok(ClosedPage { closed, next })
}

/// The fields of a record that are searched.
#[derive(Deserialize)]
struct Searched<'a> {
    #[serde(borrow)]
    conn: Cow<'a, str>,
    #[serde(borrow)]
    request_id: Cow<'a, str>,
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow)]
    route: Cow<'a, str>,
    #[serde(borrow)]
    host: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    subprotocol: Option<Cow<'a, str>>,
    #[serde(borrow)]
    captured: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

fn matches(entry: &Entry, search: &Search) -> bool {
    if search.is_all() {
        return true;
    }
    let Ok(record) = serde_json::from_str::<Searched<'_>>(&entry.line) else {
        return false;
    };
    let texts = [
        &record.conn,
        &record.request_id,
        &record.client,
        &record.route,
        &record.host,
        &record.path,
    ];
    let captured = record.captured.values().map(|value| value.get());
    search.matches(texts.into_iter().chain(&record.subprotocol)) || search.matches(captured)
}
