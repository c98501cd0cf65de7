//! One established connection as the rest of the process sees it.

use std::sync::Arc;
use std::task::Waker;
use std::time::SystemTime;

use super::command_queue::{Command, CommandQueue};
use super::process_stats::ProcessStats;
use super::published_stats::PublishedStats;
use super::record::Identity;
use crate::session::Time;

/// When and how a connection was opened.
#[derive(Clone, Copy, Debug)]
pub struct Beginning {
    /// When, by the data path's clock.
    pub opened: Time,
    /// When, by the calendar.
    pub opened_at: SystemTime,
    /// Whether permessage-deflate was negotiated.
    pub compressed: bool,
}

/// What decides a connection's route besides its identity. Most connections have none of it.
#[derive(Debug, Default)]
pub struct Routing {
    /// The offered subprotocols, separated by commas.
    pub subprotocols: Box<str>,
    /// The beginning of the normalised path, if the identity holds a shortened one.
    pub path: Option<Box<[u8]>>,
}

/// A handle of one established connection.
#[derive(Debug)]
pub struct Handle {
    /// Names and addresses.
    pub identity: Identity,
    /// When and how it was opened.
    pub beginning: Beginning,
    /// What finds the route after a reload, besides the identity.
    pub routing: Option<Box<Routing>>,
    /// The counters that its task has published.
    pub stats: PublishedStats,
    commands: CommandQueue,
}

impl Handle {
    /// A new handle. Its round trips are counted in `process_stats`.
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
