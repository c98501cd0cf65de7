//! The only place that tells anybody what happened: log lines, closing records, and the registry of the living.

pub mod events;
pub mod handshake;
mod histogram;
mod live;
pub mod log;
pub mod metrics;
mod observer;
mod record;
mod registry;
mod tally;
mod totals;
mod upstreams;

pub use handshake::HandshakeFailure;
pub use histogram::Distribution;
pub use live::{App, Live};
pub use observer::Observer;
pub use record::{ClosingRecord, Identity, Opened};
pub use registry::{Command, Handle, Permit, Refusal, Registry};
pub use tally::{STATUS_CLASSES, Tally};
pub use totals::{LegTotals, Totals};
pub use upstreams::{Upstream, Upstreams};

pub(crate) use record::{bounded, millis};
