//! What the process reports: log lines, closing records, the event stream, metrics, and the registry of connections.
//!
//! A lifecycle event is published in one place, [`Observer::publish`], and goes from there to the log and to those who
//! follow the event stream. Counters are not events: each connection's task counts in its own
//! [`crate::session::Counters`] and stores a copy in [`PublishedStats`] after a turn. Metrics and the API sum these
//! copies when they are asked for, so that nothing is shared or locked on the way of a frame.
//!
//! | file | holds |
//! |---|---|
//! | [`events`] | the list of lifecycle events and their records |
//! | `record` | the records of one connection: opened, closed |
//! | `observer` | everything that happens is reported here |
//! | `registry`, `handle` | who is connected, and how to reach a connection's task |
//! | `command_queue` | the way of a command to that task |
//! | `published_stats`, `aggregates` | the counters of one connection, and of all of them |
//! | `process_stats`, `upstreams`, [`history`] | what else is counted and known of the process |
//! | `event_hub`, `event_queue` | the event stream and the kept closing records |
//! | [`log`], [`metrics`] | the two formats for everybody else |

mod aggregates;
mod bounded;
mod command_queue;
mod event_hub;
mod event_queue;
pub mod events;
mod handle;
pub mod handshake;
mod histogram;
pub mod history;
mod ip_group;
mod lock;
pub mod log;
pub mod metrics;
mod observer;
mod process_stats;
mod published_stats;
mod record;
mod registry;
mod request_headers;
pub mod status;
mod throttle;
mod upstreams;

pub use aggregates::{Aggregates, LegTotals};
pub use command_queue::Command;
pub use event_hub::{EventHub, MAX_CLOSED, MAX_SUBSCRIBERS, Subscriber, TooManySubscribers};
pub use event_queue::{Entry, MAX_QUEUED, Message};
pub use events::{EventKind, LifecycleEvent};
pub use handle::{Beginning, Handle, Routing};
pub use handshake::HandshakeFailure;
pub use histogram::Distribution;
pub use observer::Observer;
pub use process_stats::{ProcessStats, STATUS_CLASSES};
pub use published_stats::{AppStats, PublishedStats};
pub use record::{ClosedLine, ClosingRecord, Identity, Opened};
pub use registry::{Counts, Permit, Refusal, Registry};
pub use request_headers::RequestHeaders;
pub use upstreams::{Upstream, Upstreams};

pub(crate) use bounded::{MAX_LOGGED, bounded, shown_subprotocol};
pub(crate) use ip_group::ip_group;
pub(crate) use record::{millis, rtt_millis};
