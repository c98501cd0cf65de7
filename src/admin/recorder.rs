//! What is kept for operators for as long as there is an admin listener: recent events and a history of counts.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::telemetry::Observer;
use crate::telemetry::history::INTERVAL;

/// Keeps events and samples until it is dropped.
pub(crate) struct Recorder {
    observer: Arc<Observer>,
    sampling: JoinHandle<()>,
}

impl Recorder {
    /// Needs a tokio runtime.
    pub(crate) fn start(observer: &Arc<Observer>) -> Self {
        observer.open_event_hub();
        let sampled = Arc::clone(observer);
        let sampling = tokio::spawn(async move {
            let mut ticks = interval(INTERVAL);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                sampled.sample();
            }
        });
        Recorder {
            observer: Arc::clone(observer),
            sampling,
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.sampling.abort();
        self.observer.close_event_hub();
    }
}
