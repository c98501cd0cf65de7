//! The driver of one WebSocket connection: waits for sockets and time, asks its session, and performs what it decides.
//!
//! | file | does |
//! |---|---|
//! | `connection` | the task of one connection, from its 101 to its closing record |
//! | `driver` | the relay itself |
//! | `leg_io`, `outbox` | one leg of it: its socket, and what is to be written to it |
//! | `inspect` | small messages, unmasked and inflated, for application-level heartbeats |
//! | `fuzzing` | what `fuzz/` does to the relay; for fuzzers and tests only |

mod connection;
mod driver;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod inspect;
mod leg_io;
mod outbox;

pub(crate) use connection::Connection;
pub(crate) use driver::Relay;
pub use leg_io::READ;
