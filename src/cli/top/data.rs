//! What the API answers, as far as it is shown, and the questions.

use std::fmt;

use form_urlencoded::Serializer;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::remote::{AskError, Remote};

/// What connections can be sorted by, as the API calls it.
pub(super) const SORTS: [&str; 6] = [
    "opened",
    "client_idle",
    "upstream_idle",
    "rtt",
    "traffic",
    "client",
];

/// The order of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// One of [`SORTS`].
    pub(super) sort: usize,
    pub(super) descending: bool,
}

impl Order {
    pub(super) fn read(word: &str) -> Result<Order, String> {
        let (descending, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word),
        };
        let sort = SORTS.iter().position(|known| *known == name);
        let sort = sort.ok_or_else(|| format!("write one of {}", SORTS.join(", ")))?;
        Ok(Order { sort, descending })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        write!(f, "{sign}{}", SORTS[self.sort])
    }
}

/// What is to be seen next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) page: PageRequest,
    pub(super) query: String,
    pub(super) cursor: Option<String>,
    pub(super) limit: u16,
    /// A connection that is looked at alone.
    pub(super) detail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageRequest {
    Connections(Order),
    Closings,
}

/// Everything that was asked for.
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

#[derive(Debug, Deserialize)]
pub(super) struct Rows<T> {
    #[serde(alias = "connections", alias = "closed")]
    pub(super) rows: Vec<T>,
    pub(super) next: Option<String>,
    /// On all pages; the closings are not counted.
    pub(super) matching: Option<usize>,
}

/// One connection with all its fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detail {
    pub(super) conn: String,
    /// False: the fields are those of its closing record.
    pub(super) living: bool,
    pub(super) fields: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Summary {
    pub(super) version: String,
    pub(super) uptime_ms: u64,
    pub(super) connections: Connections,
    pub(super) draining: Option<Draining>,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) routes: Vec<Route>,
    pub(super) closed: Vec<Closed>,
    pub(super) handshakes_failed: Vec<Failed>,
    pub(super) client: Leg,
    pub(super) upstream: Leg,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Connections {
    pub(super) established: u64,
    pub(super) max: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Draining {
    pub(super) phase: String,
    pub(super) remaining: u64,
    pub(super) of: u64,
    pub(super) left_ms: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Upstream {
    pub(super) address: String,
    pub(super) up: bool,
    pub(super) detail: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Route {
    pub(super) opened: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Closed {
    pub(super) reason: String,
    pub(super) count: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Failed {
    pub(super) count: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Leg {
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) rtt_ms: Option<Quantiles>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Quantiles {
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
}

/// A row of the table.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Connection {
    pub(super) conn: String,
    pub(super) client: String,
    pub(super) route: String,
    pub(super) path: String,
    pub(super) age_ms: u64,
    pub(super) state: String,
    pub(super) client_idle_ms: u64,
    pub(super) upstream_idle_ms: u64,
    pub(super) rtt_ms: Option<f64>,
    pub(super) client_bytes: u64,
    pub(super) upstream_bytes: u64,
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

/// How many were connected, the oldest sample first.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct History {
    pub(super) interval_ms: u64,
    pub(super) samples: Vec<Sample>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Sample {
    pub(super) established: u64,
}

/// Asks all of it, one after the other: the sidecar has other things to do.
pub(super) async fn fetch(remote: &Remote, request: &Request) -> Result<Answer, AskError> {
    let summary = remote.get("/api/summary").await?;
    let history = remote.get("/api/history").await?;
    let page = match request.page {
        PageRequest::Connections(_) => Page::Connections(remote.get(&page_path(request)).await?),
        PageRequest::Closings => Page::Closings(remote.get(&page_path(request)).await?),
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

/// The connection, or how it ended; none: that is no longer known.
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
            let closed: Rows<Map<String, Value>> = remote.get(&path).await?;
            closed.rows.into_iter().next()
        }
    };
    Ok(fields.map(|fields| Detail {
        conn: conn.to_owned(),
        living: is_living,
        fields,
    }))
}
