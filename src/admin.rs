//! What is served to others than clients.
//!
//! | file | does |
//! |---|---|
//! | `server` | a small HTTP server on a listener of its own, with a bound on its connections |
//! | `expensive` | answers that take long to make |
//! | `monitoring` | /metrics, /livez and /readyz |
//! | `api` | the API for operators |
//! | `page` | the page for operators |
//! | `command` | what operators want of the process |
//! | `recorder` | what is kept for them |
//! | `response`, `problem` | answers |

mod api;
mod command;
mod expensive;
mod monitoring;
mod page;
mod problem;
mod recorder;
mod response;
mod server;

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use hyper::Request;
use hyper::Response;

use crate::context::Context;
pub(crate) use command::{AdminCommand, Refused, channel, reply};
pub(crate) use expensive::Expensive;
pub(crate) use recorder::Recorder;
pub(crate) use response::Body;
use server::RequestBody;
pub(crate) use server::Server;

/// What answers are made from.
pub struct State {
    /// What the sidecar's connections share.
    pub shared: Arc<Context>,
    /// What the configuration in force was read from.
    pub(crate) file: ArcSwap<File>,
    /// For commands to the process.
    pub(crate) commands: mpsc::Sender<AdminCommand>,
    /// Where the API's lists are made.
    pub(crate) lists: Expensive,
    /// Where pages of metrics are made: apart, so that neither waits for the other.
    pub(crate) scrapes: Expensive,
}

/// A configuration as it was read.
pub(crate) struct File {
    /// Its name.
    pub(crate) name: String,
    /// When.
    pub(crate) loaded_at: SystemTime,
    /// As a tree, with merge keys and variables resolved.
    pub(crate) tree: crate::config::Node,
}

impl File {
    /// One that was read just now.
    pub(crate) fn read(name: String, tree: crate::config::Node) -> Arc<File> {
        let loaded_at = SystemTime::now();
        Arc::new(File {
            name,
            loaded_at,
            tree,
        })
    }
}

/// Which of the two a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    /// Metrics and probes.
    Metrics,
    /// The API and the page for operators.
    Admin,
}

impl Service {
    async fn answer(self, request: Request<RequestBody>, state: Arc<State>) -> Response<Body> {
        match self {
            Service::Metrics => monitoring::answer(&request, &state).await,
            Service::Admin => match page::respond(&request) {
                Some(file) => file,
                None => api::answer(request, &state).await,
            },
        }
    }
}
