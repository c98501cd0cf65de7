//! The current state as text or JSON.

use serde_json::{Value, json};

use super::data::{self, Page};
use super::draw;
use super::state::State;
use crate::cli::remote::{AskError, Remote};
use crate::cli::{print_json, print_line};
use crate::printable::escaped;

/// Prints `summary` and `connections` as the API returns them.
pub(super) async fn json(remote: &Remote, state: &State, limit: u16) -> Result<(), AskError> {
    let mut request = state.request();
    request.limit = limit;
    let summary: Value = remote.get("/api/summary").await?;
    let connections: Value = remote.get(&data::page_path(&request)).await?;
    print_json(&json!({"summary": summary, "connections": connections}));
    Ok(())
}

/// Prints the figures of the live view; nothing is cut to a width.
pub(super) async fn text(remote: &Remote, mut state: State, limit: u16) -> Result<(), AskError> {
    let mut request = state.request();
    request.limit = limit;
    let answer = data::fetch(remote, &request).await?;
    state.rates.add(&answer.summary);
    state.summary = Some(answer.summary);
    for line in draw::header_lines(&state) {
        print_line(escaped(&line));
    }
    for (reason, count, _) in state.rates.reasons() {
        print_line(format_args!("closed {count}: {}", escaped(reason)));
    }
    let Page::Connections(page) = answer.page else {
        return Ok(());
    };
    print_line("");
    for line in draw::table_lines(&page.rows) {
        print_line(escaped(&line));
    }
    let (shown, matching) = (page.rows.len(), page.matching.unwrap_or_default());
    if shown < matching {
        print_line(format_args!("… {shown} of {matching}; --limit shows more"));
    }
    Ok(())
}
