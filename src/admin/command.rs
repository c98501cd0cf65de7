//! What operators want of the running process, and what came of it.

use tokio::sync::{mpsc, oneshot};

use crate::telemetry::status::{Drain, Reload};

/// Orders that wait to be carried out.
const MAX_WAITING: usize = 16;

/// An order, with where to tell what came of it.
#[derive(Debug)]
pub(crate) enum Order {
    /// Read the file again.
    Reload(oneshot::Sender<Result<Reload, Refused>>),
    /// Begin to drain, or tell how far that is.
    Drain(oneshot::Sender<Drain>),
}

/// Why an order is not carried out, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

/// Tells what came of an order; one who does not wait any more needs no answer.
pub(crate) fn tell<T>(answer: oneshot::Sender<T>, what: T) {
    drop(answer.send(what));
}

/// A way for orders.
pub(crate) fn channel() -> (mpsc::Sender<Order>, mpsc::Receiver<Order>) {
    mpsc::channel(MAX_WAITING)
}
