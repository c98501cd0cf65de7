//! A small HTTP server on a listener of its own. A new connection is always accepted, because it may be a probe, on
//! whose answer hangs whether the process is killed; no other client can delay that answer.
//!
//! Each connection is a task, and `activity` says what it is doing. When there are too many, `table` drops the one that
//! matters least; when the process has no file descriptor left, `spare` frees one. `watched` cuts clients that do not
//! take their answers.

mod activity;
mod spare;
mod table;
mod watched;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};
use tower_service::Service as _;

use super::state::AdminState;
use super::{api, monitoring, page};
use crate::net::listener::{AcceptFailures, Listener};
use activity::{Activity, RequestBody, ResponseBody};
use spare::{Lent, Spares};
use table::Table;
use watched::Watched;

/// For a request head, and between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest request head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How long answers that are being sent delay the end of the process.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);
/// Connections that are accepted in a row before their tasks get a turn: far fewer than the table has room for. More
/// than one, so that a probe behind a crowd does not wait for each connection of it.
const ACCEPT_BATCH: usize = 16;
/// Until the next attempt when the system has no room for another connection. Short: a probe may be waiting.
const ACCEPT_RETRY: Duration = Duration::from_millis(10);

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    /// Metrics and probes.
    Metrics,
    /// The API and the page for operators.
    Admin,
}

impl Service {
    fn router(self, state: Arc<AdminState>) -> Router {
        match self {
            Service::Metrics => monitoring::router(state),
            Service::Admin => api::router(state).merge(page::router()),
        }
    }
}

/// A running server. When it is dropped it stops accepting, and its connections end after the answers that are being
/// sent.
pub(crate) struct Server {
    serving: JoinHandle<()>,
    /// Never sent on: dropping it stops the server.
    stop: oneshot::Sender<()>,
}

impl Server {
    /// Needs a tokio runtime.
    pub(crate) fn start(listener: Listener, service: Service, state: Arc<AdminState>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(listener, service.router(state), stopped));
        Server { serving, stop }
    }

    /// Stops, and waits for a moment for answers that are being sent.
    pub(crate) async fn shut_down(self) {
        drop(self.stop);
        // It fails only if it has panicked; then it has stopped as well.
        let _ = self.serving.await;
    }
}

async fn serve(listener: Listener, router: Router, stopped: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    tokio::select! {
        _ = stopped => {}
        () = accept(&listener, &router, &connections) => {}
    }
    // A Unix socket's file is gone before the last answers are sent.
    drop(listener);
    let _ = timeout(SHUTDOWN_GRACE, connections.shutdown()).await;
}

async fn accept(listener: &Listener, router: &Router, connections: &GracefulShutdown) {
    let failure = AcceptFailures::default();
    let mut table = Table::default();
    let mut accepted = 0_usize;
    let spares = Spares::default();
    spares.fill();
    loop {
        let stream = match listener.try_next().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                if !spares.spend() {
                    failure.report(listener, &error);
                    // Its file descriptor may be the one that is missing.
                    table.drop_idle();
                    sleep(ACCEPT_RETRY).await;
                }
                continue;
            }
        };
        spares.fill();
        table.make_room();
        let activity = Activity::new();
        let task = tokio::spawn(serve_connection(
            Lent::new(stream, spares.clone()),
            router.clone(),
            Arc::clone(&activity),
            connections.watcher(),
        ));
        table.add(&task, activity);
        accepted += 1;
        if accepted.is_multiple_of(ACCEPT_BATCH) {
            // Their requests may have arrived: they are read before so many others come that these are dropped.
            yield_now().await;
        }
    }
}

async fn serve_connection(
    stream: Lent,
    router: Router,
    activity: Arc<Activity>,
    shutdown: Watcher,
) {
    let stream = Watched::new(stream, Arc::clone(&activity));
    let service = service_fn(move |request: Request<Incoming>| {
        activity.request_began();
        let request = request.map(|body| RequestBody::new(body, &activity));
        let (mut router, activity) = (router.clone(), Arc::clone(&activity));
        async move {
            let response = router.call(request).await?;
            Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, &activity)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = shutdown.watch(connection).await {
        tracing::debug!(event = "management_connection_ended", "{error}");
    }
}
