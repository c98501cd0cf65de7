//! What is served to others than clients.
//!
//! | file | does |
//! |---|---|
//! | `server` | a small HTTP server on a listener of its own |
//! | `probes` | /metrics, /livez and /readyz, for monitoring |
//! | `api` | the API for operators |
//! | `page` | the page for operators |
//! | `respond` | answers |

mod api;
mod page;
mod probes;
mod respond;
mod server;

use std::sync::Arc;

use hyper::Request;
use hyper::Response;
use hyper::body::Incoming;

use crate::proxy::Shared;
pub(crate) use respond::Body;
pub(crate) use server::Server;

/// What answers are made from.
pub struct State {
    /// What the sidecar's connections share.
    pub shared: Arc<Shared>,
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
    async fn answer(self, request: Request<Incoming>, state: Arc<State>) -> Response<Body> {
        match self {
            Service::Metrics => probes::answer(&request, &state),
            Service::Admin => match page::respond(&request) {
                Some(file) => file,
                None => api::answer(request, &state).await,
            },
        }
    }
}
