//! Answers that take long to make because they walk over all connections: made on threads of their own, few at a time,
//! so that neither clients nor probes wait for them.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::problem::Problem;

/// How many are made at the same time.
const PLACES: usize = 2;
/// How long one waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The places where expensive answers are made.
#[derive(Debug)]
pub(crate) struct Expensive {
    places: Arc<Semaphore>,
}

impl Default for Expensive {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(PLACES));
        Expensive { places }
    }
}

impl Expensive {
    /// Does the work when its turn has come, unless whoever wants it has gone by then.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = timeout(MAX_WAIT, Arc::clone(&self.places).acquire_owned());
        let Ok(Ok(place)) = place.await else {
            let detail = "too many others ask for such answers; ask again later";
            return Err(Problem::unavailable(detail, "5"));
        };
        // The place is taken until the work is done, whether or not somebody still waits for it.
        let work = move || {
            let done = work();
            drop(place);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| {
            let detail = "this is a bug of the sidecar's; please report it";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
        })
    }
}

#[cfg(test)]
mod tests;
