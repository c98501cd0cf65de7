//! The listeners that are not for clients: metrics and probes on one, the operators' API and page on the other.
//!
//! `server` accepts connections on a listener of its own, bounds how many there are, and hands each request to an axum
//! router, which `monitoring` makes for one listener, and `api` together with `page` for the other. Handlers answer
//! from [`AdminState`]; what changes the process goes to its main task as an `AdminCommand`.
//!
//! | file | does |
//! |---|---|
//! | `server` | a small HTTP server that always accepts a new connection |
//! | `monitoring` | /metrics, /livez and /readyz |
//! | `api` | the API for operators, and its types, which the command line shares |
//! | `page` | the page for operators |
//! | `state` | what handlers answer from |
//! | `command` | what the API asks of the process |
//! | `expensive` | answers that take long to make |
//! | `recorder` | what is kept for operators |
//! | `response`, `problem` | answers and errors |

mod api;
mod command;
mod expensive;
mod monitoring;
mod page;
mod problem;
mod recorder;
mod response;
mod server;
mod state;

pub(crate) use api::types;
pub(crate) use command::{AdminCommand, Refused, channel, reply};
pub(crate) use problem::Problem;
pub(crate) use recorder::Recorder;
pub(crate) use server::{Server, Service};
pub use state::AdminState;
pub(crate) use state::LoadedFile;
