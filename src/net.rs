//! Sockets and time: listening, the streams that are relayed, dialling, the threads that connections run on.
//!
//! | file | does |
//! |---|---|
//! | `listener` | accepts, and backs off when the system refuses |
//! | `socket_file` | the file of a Unix socket that is listened on |
//! | `stream` | the byte streams: TCP and Unix sockets |
//! | `peer` | who is at the other end of an accepted connection |
//! | `workers` | the threads that connections run on |
//! | `http_connections` | all client connections that are no WebSocket: how many there may be, and which one goes |
//! | `open_files` | how the limit of open files is shared out |
//! | `dial` | opens connections to backends |
//! | `health` | finds out in the background whether backends are up |
//! | `progress` | when the bytes of a plain request last moved |
//! | `clock` | the one place that reads the time for the data path |

pub mod clock;
pub(crate) mod dial;
pub mod health;
pub(crate) mod http_connections;
pub mod listener;
pub(crate) mod open_files;
pub(crate) mod peer;
pub(crate) mod progress;
pub(crate) mod socket_file;
pub mod stream;
pub mod workers;
