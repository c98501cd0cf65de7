//! A small HTTP server on a listener of its own: few connections, small requests, and none that may take for ever.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Service, State};
use crate::proxy::listener::{Failure, Listener};
use crate::proxy::stream::Stream;

/// Connections at a time; others wait until one of these ends.
const PLACES: usize = 128;
/// For a request head, and between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest request head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How long answers that are on their way hold up the end of the process.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// A server at work; stops accepting when it is dropped, while answers that are on their way finish.
pub(crate) struct Server {
    accepting: JoinHandle<()>,
    /// True at the end; each connection holds a receiver for as long as it lives.
    ending: watch::Sender<bool>,
}

impl Server {
    /// Begins to serve; needs a tokio runtime.
    pub(crate) fn start(listener: Listener, service: Service, state: Arc<State>) -> Self {
        let ending = watch::Sender::new(false);
        let accepting = tokio::spawn(accept(listener, service, state, ending.clone()));
        Server { accepting, ending }
    }

    /// Ends, and waits for a moment for answers that are on their way.
    pub(crate) async fn end(mut self) {
        self.accepting.abort();
        // Aborted or ended, it is over, and a Unix socket's file is gone.
        let _ = (&mut self.accepting).await;
        self.ending.send_replace(true);
        let _ = timeout(LAST_ANSWERS, self.ending.closed()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.ending.send_replace(true);
    }
}

async fn accept(
    listener: Listener,
    service: Service,
    state: Arc<State>,
    ending: watch::Sender<bool>,
) {
    let places = Arc::new(Semaphore::new(PLACES));
    let failure = Failure::default();
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let (stream, _) = listener.next(&failure).await;
        let (state, ending) = (Arc::clone(&state), ending.subscribe());
        tokio::spawn(async move {
            converse(stream, service, state, ending).await;
            drop(place);
        });
    }
}

async fn converse(
    stream: Stream,
    service: Service,
    state: Arc<State>,
    mut ending: watch::Receiver<bool>,
) {
    let answer = service_fn(move |request| {
        let answer = service.answer(request, Arc::clone(&state));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = wait_until_true(&mut ending) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(event = "management_connection_ended", "{error}");
    }
}

async fn wait_until_true(flag: &mut watch::Receiver<bool>) {
    // A sender that has gone is a reason to end just as well.
    let _ = flag.wait_for(|flag| *flag).await;
}
