//! The only place that tells anybody what happened: log lines, closing records, and the registry of the living.

pub mod events;
pub mod handshake;
mod live;
pub mod log;
mod observer;
mod record;
mod registry;
mod totals;

pub use handshake::HandshakeFailure;
pub use live::{App, Live};
pub use observer::Observer;
pub use record::{ClosingRecord, Identity, Opened};
pub use registry::{Command, Handle, Permit, Refusal, Registry};
pub use totals::{LegTotals, Totals};

pub(crate) use record::{bounded, millis};
