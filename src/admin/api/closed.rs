//! The records of connections that have ended.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::{Response, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::problem::Problem;
use super::super::response::Body;
use super::{Call, Needle, json};
use crate::telemetry::{ClosedLine, Entry};

/// A page of closing records.
#[derive(Serialize, JsonSchema)]
pub(super) struct ClosedPage<'a> {
    /// As they were logged, the newest first; the last 1,000 are kept.
    #[schemars(with = "Vec<ClosedLine<'static>>")]
    closed: Vec<&'a RawValue>,
    /// What to ask the next page with, as `cursor`; null: there is none.
    next: Option<String>,
}

/// What is searched of a record.
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

pub(super) fn list(call: &Call) -> Result<Response<Body>, Problem> {
    let before = match call.values.text("cursor") {
        None | Some("") => u64::MAX,
        Some(cursor) => cursor
            .parse()
            .map_err(|_| Problem::field("cursor", "is no `next` of an answer"))?,
    };
    let needle = Needle::new(call.values.text("q"));
    let reason = call.values.text("reason");
    let has_reason = |entry: &Entry| {
        reason.is_none_or(|reason| entry.cause.is_some_and(|cause| cause.label() == reason))
    };
    let hub = call.state.shared.observer.event_hub();
    let entries = hub.map(|hub| hub.closed()).unwrap_or_default();
    let mut wanted = entries
        .iter()
        .filter(|entry| entry.id < before && has_reason(entry) && matches(entry, &needle));
    let page: Vec<&Arc<Entry>> = wanted.by_ref().take(call.limit()).collect();
    let more = wanted.next().is_some();
    let next = page.last().filter(|_| more);
    let records = page
        .iter()
        .map(|entry| serde_json::from_str(&entry.line))
        .collect::<Result<_, _>>();
    let closed = records.map_err(|error| {
        let detail = format!("a record cannot be read: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    let next = next.map(|entry| entry.id.to_string());
    json(StatusCode::OK, &ClosedPage { closed, next })
}

fn matches(entry: &Entry, needle: &Needle) -> bool {
    if needle.0.is_none() {
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
    needle.is_in(texts.into_iter().chain(&record.subprotocol)) || needle.is_in(captured)
}
