//! The terminal that the process was started on: closing it ends the process.

use std::io::{self, IsTerminal};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Whether standard input is a terminal, as it was at the start: one that has hung up is no longer recognised as one.
pub(super) struct Terminal {
    is_there: bool,
}

impl Terminal {
    pub(super) fn at_start() -> Self {
        Terminal {
            is_there: io::stdin().is_terminal(),
        }
    }

    /// Whether SIGHUP means what it is named after, and not that the file is to be read again.
    pub(super) fn has_hung_up(&self) -> bool {
        let stdin = io::stdin();
        let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
        let now = Timespec::default();
        self.is_there
            && poll(&mut polled, Some(&now)).is_ok()
            && polled[0].revents().contains(PollFlags::HUP)
    }
}
