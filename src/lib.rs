//! A reverse-proxy heartbeat sidecar for WebSocket backends: the map.
//!
//! `sidebeat` terminates a client's WebSocket connection, opens its own to the backend, relays frames both ways,
//! and itself does what the backend does badly: idle timeouts, ping/pong, two-way liveness, orderly closing, and
//! saying who closed a connection and why.
//!
//! # Layers
//!
//! A module imports from lower layers only, never from a neighbour; within a module, files do not import in circles.
//! `tests/tidy` fails on anything else.
//!
//! | layer | module | what lives there |
//! |---|---|---|
//! | 0 | [`leg`], [`time`] | the two sides of a connection, and time on the data path |
//! | 0 | [`printable`] | text from outside, made safe to show: the one place that knows what is escaped |
//! | 1 | [`per_leg`] | a value for each side of a connection |
//! | 1 | [`protocol`] | RFC 6455 on bytes: frame headers, the rules, masking, Close payloads, extension headers, inflating one message (RFC 7692). No IO, no clock |
//! | 2 | [`heartbeat`] | application-level heartbeats: recognising them in small messages, and answering them |
//! | 3 | [`session`] | one connection's state machine and its policy types: events and times in, actions out. Every decision and its cause is made here. Pure |
//! | 4 | [`config`] | `proxy.yaml`: text → tree with positions → a policy that cannot express nonsense; differences; schema |
//! | 5 | [`telemetry`] | the only place that publishes an event: log lines, closing records, the registry of live connections, sums and series |
//! | 6 | [`net`] | sockets and time: worker threads, listeners, streams, dialling, health checks, the clock |
//! | 7 | [`relay`] | the driver of one connection: waits, asks the session, performs what it decides |
//! | 7 | [`context`] | what every task of the process shares: the configuration in force, telemetry, the clock, the workers, whether it is shutting down |
//! | 8 | [`gateway`] | requests: opening handshakes on both sides, plain HTTP, headers |
//! | 9 | [`admin`] | listeners that are not for clients: metrics and probes on one, the operators' API and page on the other |
//! | 10 | [`runtime`] | the running process: listeners, reload, watching the file, signals, draining |
//! | 11 | `cli` | one file or folder a subcommand |
//!
//! # One connection's way through it
//!
//! [`gateway`] accepts, hyper reads the request head, the upstream is dialled and answers 101, the client gets its 101,
//! and both raw sockets go to the relay together with whatever bytes followed the heads. From then on:
//!
//! ```text
//! socket → per-thread scratch buffer → protocol::FrameReader → runs of data frames → the other socket
//!                                              │ control frames, end of stream, time
//!                                              ▼
//!                                     session::Session → actions (ping, pong, Close, reset) → outbox → socket
//! ```
//!
//! # Invariants
//!
//! - A connection is one task, on one thread. No lock, channel or allocation on the way of a data frame.
//! - An idle connection owns no buffer: bytes are kept only while a frame header is incomplete, a socket is full, or a
//!   read was more than one turn is enough for.
//! - A connection's turn is bounded by its estimated cost, not by bytes, so that no client starves the others.
//! - A data frame's payload is never copied unless a socket is full, a turn is over, or many
//!   short runs become one write; and never changed.
//! - Bytes enter an outbox only where a frame may begin, so nothing injected can split a frame.
//! - Backpressure: a leg is not read while the other one has bytes waiting, and its timers stand still meanwhile.
//! - The session decides, the relay performs; the cause of an end is set once and never overwritten.
//! - What others see of a live connection, its task has published; readers never wait for the task.
//! - Nothing ever walks over all connections, except on a reload, a drain, a scrape, and when somebody lists them.

pub mod admin;
pub mod cli;
pub mod config;
pub mod context;
pub mod gateway;
pub mod heartbeat;
pub mod leg;
pub mod net;
pub mod per_leg;
pub mod printable;
pub mod protocol;
pub mod relay;
pub mod runtime;
pub mod session;
pub mod telemetry;
pub mod time;
