//! The only place that tells anybody what happened: log lines, closing records, and the registry of the living.

mod aggregates;
mod command_queue;
mod event_hub;
pub mod events;
pub mod handshake;
mod histogram;
pub mod history;
mod ip_group;
pub mod log;
pub mod metrics;
mod observer;
mod process_stats;
mod published_stats;
mod record;
mod registry;
mod request_headers;
pub mod status;
mod subscriber;
mod throttle;
mod upstreams;

pub use aggregates::{Aggregates, LegTotals};
pub use command_queue::Command;
pub use event_hub::{Entry, EventHub, MAX_CLOSED, MAX_SUBSCRIBERS, TooManySubscribers};
pub use events::{EventKind, LifecycleEvent};
pub use handshake::HandshakeFailure;
pub use histogram::Distribution;
pub use observer::Observer;
pub use process_stats::{ProcessStats, STATUS_CLASSES};
pub use published_stats::{AppStats, PublishedStats};
pub use record::{ClosedLine, ClosingRecord, Identity, Opened};
pub use registry::{Beginning, Counts, Handle, Permit, Refusal, Registry, Routing};
pub use request_headers::RequestHeaders;
pub use subscriber::{MAX_QUEUED, Message, Subscriber};
pub use upstreams::{Upstream, Upstreams};

pub(crate) use ip_group::ip_group;
pub(crate) use record::{MAX_LOGGED, bounded, millis, rtt_millis, shown_subprotocol};
