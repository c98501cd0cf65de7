//! The built program over real sockets, by subject; `tests/README.md` says which layer of tests proves what.
//!
//! One binary, because linking is what building the tests costs. Its tests run side by side and mostly wait. Each
//! starts what it needs on ports of its own, and changes nothing that belongs to this process.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "the program is watched in real time"
)]

mod admin;
mod cli;
mod closing;
mod config;
mod corpora;
mod drain;
mod heartbeat;
mod http;
mod limits;
mod listen;
mod metrics;
mod opening;
mod readme;
mod relay;
mod reload;
mod support;
