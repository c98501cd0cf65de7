//! The connections of one listener. When there are too many, the one that has been idle for longest is dropped.
//!
//! A new connection is always accepted, because it may be a probe, on whose answer hangs whether the process is killed.
//! A client that has sent no request, is between two, or does not read its answer loses nothing by being dropped.

use std::sync::Arc;

use tokio::task::{AbortHandle, JoinHandle};

use super::activity::{Activity, Priority};

/// Connections of one listener at the same time.
pub(crate) const MAX_CONNECTIONS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Table {
    connections: Vec<(AbortHandle, Arc<Activity>)>,
}

impl Table {
    /// Makes room for one more connection.
    pub(super) fn make_room(&mut self) {
        self.connections.retain(|(task, _)| !task.is_finished());
        if self.connections.len() >= MAX_CONNECTIONS {
            self.drop_one(Priority::Busy);
        }
    }

    /// Drops the idle connection that has been so for longest; false: there is none.
    pub(super) fn drop_idle(&mut self) -> bool {
        self.connections.retain(|(task, _)| !task.is_finished());
        self.drop_one(Priority::Idle)
    }

    pub(super) fn add(&mut self, task: &JoinHandle<()>, activity: Arc<Activity>) {
        self.connections.push((task.abort_handle(), activity));
    }

    /// Drops the one that is first by its priority, unless that is above `most`.
    fn drop_one(&mut self, most: Priority) -> bool {
        let priorities = self.connections.iter().enumerate();
        let priorities = priorities.map(|(index, (_, activity))| (activity.priority(), index));
        match priorities.min() {
            Some(((priority, _), index)) if priority <= most => {
                let (task, _) = self.connections.swap_remove(index);
                task.abort();
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
