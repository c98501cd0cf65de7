//! What the API answers: each type once, for the answers, their description and the commands that ask for them.

mod configuration;
mod connections;
mod process;
mod sort;

pub(crate) use configuration::{Configuration, LastReload, ReloadResult, Reloaded};
pub(crate) use connections::{
    ClosedPage, Closing, Connection, ConnectionPage, ConnectionState, Pinged,
};
pub(crate) use process::{
    AppHeartbeats, Closed, ConfigFile, Connections, DrainPhase, Draining, HandshakesFailed,
    History, HttpRequests, LegSummary, Quantiles, ReloadSummary, Route, Sample, Summary, Upstream,
};
pub(crate) use sort::{SortKey, SortOrder};
