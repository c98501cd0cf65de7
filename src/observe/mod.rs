//! The only place that tells anybody what happened: log lines, closing records, and the registry of the living.

pub mod events;
pub mod handshake;
pub mod log;
mod record;
mod registry;

pub use handshake::HandshakeFailure;
pub use record::{ClosingRecord, Identity, Opened};
pub use registry::{Command, Handle, Permit, Refusal, Registry};

pub(crate) use record::{bounded, millis};
