//! Answers that take long to make because they walk over all connections: made on threads of their own, few at a time,
//! so that neither clients nor probes wait for them.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::problem::Problem;

/// How many are made at the same time.
const MAX_CONCURRENT: usize = 2;
/// How long a request waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Expensive {
    permits: Arc<Semaphore>,
}

impl Default for Expensive {
    fn default() -> Self {
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
        Expensive { permits }
    }
}

impl Expensive {
    /// Does the work when its turn has come; not at all if the caller has gone by then.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = timeout(MAX_WAIT, Arc::clone(&self.permits).acquire_owned());
        let Ok(Ok(permit)) = permit.await else {
            let detail = "too many such requests are being answered; try again later";
            return Err(Problem::unavailable(detail, "5"));
        };
        // Held until the work is done, whether or not the caller still waits for it.
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| {
            let detail = "this is a bug in sidebeat; please report it";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
        })
    }
}

#[cfg(test)]
mod tests;
