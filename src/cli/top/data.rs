//! What is asked of the API for one screen, and its answers.

use form_urlencoded::Serializer;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::admin::types::{ClosedPage, Connection, ConnectionPage, History, SortOrder, Summary};
use crate::cli::remote::{AskError, Remote};

/// What to request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) page: PageRequest,
    pub(super) query: String,
    pub(super) cursor: Option<String>,
    pub(super) limit: u16,
    /// The connection that is shown alone.
    pub(super) detail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageRequest {
    Connections(SortOrder),
    Closings,
}

/// The answers to one request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) summary: Summary,
    pub(super) history: History,
    pub(super) page: Page,
    pub(super) detail: Option<Detail>,
}

#[derive(Debug)]
pub(super) enum Page {
    Connections(Rows<Connection>),
    Closings(Rows<Closing>),
}

#[derive(Debug)]
pub(super) struct Rows<T> {
    pub(super) rows: Vec<T>,
    pub(super) next: Option<String>,
    /// On all pages; None for closing records, which are not counted.
    pub(super) matching: Option<usize>,
}

impl From<ConnectionPage> for Rows<Connection> {
    fn from(page: ConnectionPage) -> Self {
        Rows {
            rows: page.connections,
            next: page.next,
            matching: Some(page.matching),
        }
    }
}

impl From<ClosedPage<Closing>> for Rows<Closing> {
    fn from(page: ClosedPage<Closing>) -> Self {
        Rows {
            rows: page.closed,
            next: page.next,
            matching: None,
        }
    }
}

/// One connection with all its fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detail {
    pub(super) conn: String,
    /// Otherwise the fields are those of its closing record.
    pub(super) living: bool,
    pub(super) fields: Map<String, Value>,
}

/// A closing record's row.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Closing {
    pub(super) conn: String,
    pub(super) timestamp: String,
    pub(super) initiator: String,
    pub(super) reason: String,
    pub(super) client: String,
    pub(super) path: String,
    pub(super) duration_ms: u64,
    pub(super) client_close: Close,
    pub(super) detail: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Close {
    pub(super) received: Option<CloseFrame>,
    pub(super) sent: Option<CloseFrame>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct CloseFrame {
    pub(super) code: Option<u16>,
}

/// Requests one page after the other, so that the sidecar is not loaded with several at once.
pub(super) async fn fetch(remote: &Remote, request: &Request) -> Result<Answer, AskError> {
    let summary = remote.get("/api/summary").await?;
    let history = remote.get("/api/history").await?;
    let page = match request.page {
        PageRequest::Connections(_) => {
            let page: ConnectionPage = remote.get(&page_path(request)).await?;
            Page::Connections(page.into())
        }
        PageRequest::Closings => {
            let page: ClosedPage<Closing> = remote.get(&page_path(request)).await?;
            Page::Closings(page.into())
        }
    };
    let detail = match &request.detail {
        Some(conn) => detail(remote, conn).await?,
        None => None,
    };
    Ok(Answer {
        summary,
        history,
        page,
        detail,
    })
}

pub(super) fn page_path(request: &Request) -> String {
    let mut values = Serializer::new(String::new());
    values.append_pair("limit", &request.limit.to_string());
    let path = match request.page {
        PageRequest::Connections(order) => {
            values.append_pair("sort", &order.to_string());
            "/api/connections"
        }
        PageRequest::Closings => "/api/closed",
    };
    if !request.query.is_empty() {
        values.append_pair("q", &request.query);
    }
    if let Some(cursor) = &request.cursor {
        values.append_pair("cursor", cursor);
    }
    format!("{path}?{}", values.finish())
}

/// The connection or its closing record; `None` if the sidecar knows neither.
async fn detail(remote: &Remote, conn: &str) -> Result<Option<Detail>, AskError> {
    let living = match remote.get(&format!("/api/connections/{conn}")).await {
        Ok(fields) => Some(fields),
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => None,
        Err(error) => return Err(error),
    };
    let is_living = living.is_some();
    let fields = match living {
        Some(fields) => Some(fields),
        None => {
            let path = format!("/api/closed?limit=1&q={conn}");
            let page: ClosedPage<Map<String, Value>> = remote.get(&path).await?;
            page.closed.into_iter().next()
        }
    };
    Ok(fields.map(|fields| Detail {
        conn: conn.to_owned(),
        living: is_living,
        fields,
    }))
}
