//! What the targets of `fuzz_targets/` do with an input: they panic if something does not hold for it.
//! `tests/it/corpora.rs` of the main package replays the inputs under `corpus/` without a fuzzer.

mod config;
mod frame_reader;
mod heartbeat;
mod inflate;
mod json_tree;
mod routes;
mod session;

/// Those that need what the library does not show stand beside what they test.
#[cfg(fuzzing)]
pub use sidebeat::gateway::fuzzing::{extensions, heads};
#[cfg(fuzzing)]
pub use sidebeat::relay::fuzzing::relay;

/// The text of a `proxy.yaml`.
pub fn config(input: &[u8]) {
    config::check(input);
}

/// A stream of bytes, whole and in pieces.
pub fn frame_reader(input: &[u8]) {
    frame_reader::check(input);
}

/// A message that may be an application-level heartbeat.
pub fn heartbeat(input: &[u8]) {
    heartbeat::check(input);
}

/// The payload of a compressed message.
pub fn inflate(input: &[u8]) {
    inflate::check(input);
}

/// A path and a Host, as routes compare them.
pub fn routes(input: &[u8]) {
    routes::check(input);
}

/// Operations on a session.
pub fn session(input: &[u8]) {
    session::check(input);
}
