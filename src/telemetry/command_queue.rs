//! Commands from outside to a connection's task.

mod queue;
mod sync;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::protocol::Close;
use crate::session::policy::Policy;
use crate::session::{Cause, Leg};

/// The commands that a connection's task has not handled yet.
pub(super) type CommandQueue = queue::Queue<Command>;

/// What a connection's task can be asked to do.
#[derive(Debug)]
pub enum Command {
    /// Follow this policy from now on.
    Follow(Arc<Policy>),
    /// Close in an orderly way.
    Terminate {
        /// [`Cause::Killed`] or [`Cause::Drained`].
        cause: Cause,
        /// The Close frame for the client.
        close: Close,
        /// The closing record's `detail`.
        detail: String,
    },
    /// Ping a leg now, whatever its heartbeat is set to, and measure the round trip.
    Ping {
        /// The leg.
        leg: Leg,
        /// Gets the round trip. It is dropped when the connection ends or is ending already.
        answer: oneshot::Sender<Duration>,
    },
    /// End both legs now, whatever is still on its way.
    Abort,
}

#[cfg(test)]
mod tests;
