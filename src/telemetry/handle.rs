//! One established connection as the rest of the process sees it.

use std::sync::Arc;
use std::task::Waker;
use std::time::SystemTime;

use super::command_queue::{Command, CommandQueue};
use super::process_stats::ProcessStats;
use super::published_stats::PublishedStats;
use super::record::Identity;
use crate::session::Time;

/// How a connection began.
#[derive(Clone, Copy, Debug)]
pub struct Beginning {
    /// When, by the data path's clock.
    pub opened: Time,
    /// When, by the calendar.
    pub opened_at: SystemTime,
    /// Whether permessage-deflate was negotiated.
    pub compressed: bool,
}

/// What decides about a connection's route and is not in its identity. Most connections have nothing of it.
#[derive(Debug, Default)]
pub struct Routing {
    /// Offered subprotocols with commas in between.
    pub subprotocols: Box<str>,
    /// The beginning of the path's normal form, where the identity has not the whole path.
    pub path: Option<Box<[u8]>>,
}

/// One established connection, as others see it.
#[derive(Debug)]
pub struct Handle {
    /// Who it is.
    pub identity: Identity,
    /// How it began.
    pub beginning: Beginning,
    /// What finds the route again when the file changes, beside the identity.
    pub routing: Option<Box<Routing>>,
    /// What its task has counted.
    pub stats: PublishedStats,
    commands: CommandQueue,
}

impl Handle {
    /// A handle that nobody has written to; its round trips are counted in `process_stats`.
    #[must_use]
    pub fn new(
        identity: Identity,
        beginning: Beginning,
        routing: Option<Box<Routing>>,
        process_stats: &Arc<ProcessStats>,
    ) -> Self {
        Handle {
            identity,
            beginning,
            routing,
            stats: PublishedStats::new(process_stats),
            commands: CommandQueue::default(),
        }
    }

    /// Sends the connection's task a command and wakes it.
    pub fn send(&self, command: Command) {
        self.commands.send(command);
    }

    /// For the connection's task: the commands since it last took them. The next one wakes it.
    pub fn take_commands(&self, waker: &Waker) -> Vec<Command> {
        self.commands.take(waker)
    }

    /// Whether there are commands to take: one atomic load, for every poll.
    #[must_use]
    pub fn has_commands(&self) -> bool {
        self.commands.has_items()
    }
}
