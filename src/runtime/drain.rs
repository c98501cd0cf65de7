//! Ending without a stampede: listeners stop, and clients are closed evenly over a while, in random order.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use rand::seq::SliceRandom;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Running;
use crate::config::policy::Drain;
use crate::config::show_duration;
use crate::observe::{Command, events};
use crate::session::Cause;

/// How long connections that were aborted have to write their records.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Running {
    /// Drains, and returns when everybody has gone, `drain.timeout` has passed, or `hurry` is ready.
    pub(super) async fn drain<T>(
        &mut self,
        drain: &Drain,
        trigger: &'static str,
        hurry: impl Future<Output = T>,
    ) {
        let connections = self.shared.observer.registry.admitted();
        let detail = format!(
            "listening ends after {}, clients are closed over {}, all ends after {}",
            show_duration(drain.delay),
            show_duration(drain.spread),
            show_duration(drain.timeout)
        );
        self.shared.observer.tell(
            tracing::Level::INFO,
            "draining",
            &events::Draining {
                connections,
                trigger,
                detail,
            },
        );
        let deadline = Instant::now() + drain.timeout;
        let mut hurry = pin!(hurry);
        let detail = tokio::select! {
            () = self.close_all(drain) => "every connection has ended".to_owned(),
            () = sleep_until(deadline) => "drain.timeout passed: what was left was cut off".to_owned(),
            _ = &mut hurry => "a second signal: what was left was cut off".to_owned(),
        };
        let connections = self.shared.observer.registry.admitted();
        for handle in self.shared.observer.registry.established() {
            handle.send(Command::Abort);
        }
        // Those that are only opening end with the process.
        let _ = timeout(LAST_WORDS, self.shared.observer.registry.empty()).await;
        self.shared.observer.tell(
            tracing::Level::INFO,
            "drained",
            &events::Draining {
                connections,
                trigger,
                detail,
            },
        );
        // Monitoring may look until there is nothing left to see.
        self.listeners.end().await;
    }

    async fn close_all(&mut self, drain: &Drain) {
        sleep(drain.delay).await;
        self.shared.refuse_newcomers();
        self.listeners.end_clients().await;
        tokio::join!(self.close_websockets(drain), self.shared.http_finished());
        self.shared.observer.registry.empty().await;
    }

    async fn close_websockets(&self, drain: &Drain) {
        let mut connections = self.shared.observer.registry.established();
        connections.shuffle(&mut rand::rng());
        let (began, count) = (Instant::now(), connections.len());
        for (index, handle) in connections.into_iter().enumerate() {
            sleep_until(began + drain.spread.mul_f64(index as f64 / count as f64)).await;
            handle.send(Command::Terminate {
                cause: Cause::Drained,
                close: drain.close.clone(),
                detail: "the sidecar is shutting down".to_owned(),
            });
        }
    }
}
