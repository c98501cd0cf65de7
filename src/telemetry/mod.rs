//! The only place that tells anybody what happened: log lines, closing records, and the registry of the living.

mod command_queue;
pub mod events;
pub mod handshake;
mod histogram;
pub mod history;
mod ip_group;
mod journal;
mod listener;
mod live;
pub mod log;
pub mod metrics;
mod observer;
mod record;
mod registry;
mod request_headers;
pub mod status;
mod tally;
mod throttle;
mod totals;
mod upstreams;

pub use command_queue::Command;
pub use events::{EventKind, LifecycleEvent};
pub use handshake::HandshakeFailure;
pub use histogram::Distribution;
pub use journal::{Entry, Journal, MAX_CLOSED, MAX_LISTENERS, TooManyListeners};
pub use listener::{Heard, Listener, MAX_WAITING};
pub use live::{App, Live};
pub use observer::Observer;
pub use record::{ClosedLine, ClosingRecord, Identity, Opened};
pub use registry::{Beginning, Counts, Handle, Permit, Refusal, Registry, Routing};
pub use request_headers::RequestHeaders;
pub use tally::{STATUS_CLASSES, Tally};
pub use totals::{LegTotals, Totals};
pub use upstreams::{Upstream, Upstreams};

pub(crate) use ip_group::ip_group;
pub(crate) use record::{MAX_LOGGED, bounded, millis, rtt_millis, shown_subprotocol};
