//! Commands from operators to the running process.

use tokio::sync::{mpsc, oneshot};

use crate::telemetry::status::{Drain, Reload};

/// The most commands that wait to be carried out.
const MAX_WAITING: usize = 16;

/// A command, with the sender that its result goes to.
#[derive(Debug)]
pub(crate) enum AdminCommand {
    /// Read the file again.
    Reload(oneshot::Sender<Result<Reload, Refused>>),
    /// Begin to drain. A process that drains already replies with its progress.
    Drain(oneshot::Sender<Drain>),
}

/// Why a command is not carried out, as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

/// Sends the result of a command. An operator who has disconnected does not get it.
pub(crate) fn reply<T>(answer: oneshot::Sender<T>, result: T) {
    drop(answer.send(result));
}

/// The channel of commands.
pub(crate) fn channel() -> (mpsc::Sender<AdminCommand>, mpsc::Receiver<AdminCommand>) {
    mpsc::channel(MAX_WAITING)
}
