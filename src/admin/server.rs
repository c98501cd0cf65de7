//! A small HTTP server on a listener of its own: a newcomer is always let in, and nobody can keep it from being answered.
//!
//! `table` says who goes when there are too many, `spare` has a file left when the process has none, `watched` gives up those that do not take their answers, and
//! `expensive` keeps answers that take long from holding up the others, of which `/livez` is one.

mod activity;
mod spare;
mod table;
mod watched;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

use super::{Service, State};
use crate::net::listener::{Failure, Listener};
pub(in crate::admin) use activity::RequestBody;
use activity::{Activity, AnswerBody};
use spare::{Lent, Spares};
use table::Table;
use watched::Watched;

/// For a request head, and between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest request head, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How long answers that are on their way hold up the end of the process.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// Newcomers that are accepted before those are looked at that have come: far fewer than have room. More than one, so
/// that a probe behind a crowd does not wait until each of it has been looked at.
const AT_ONCE: usize = 16;
/// Until the next try, when the system has no room for another connection: a probe waits for it.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

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
    let failure = Failure::default();
    let mut table = Table::default();
    let mut accepted = 0_usize;
    let spares = Spares::default();
    spares.fill();
    loop {
        let stream = match listener.try_next().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                if !spares.spend() {
                    failure.tell(&listener, &error);
                    // That one's file may be what is missing.
                    table.drop_idle();
                    sleep(ACCEPT_AGAIN).await;
                }
                continue;
            }
        };
        spares.fill();
        table.make_room();
        let activity = Activity::new();
        let task = tokio::spawn(converse(
            Lent::new(stream, spares.clone()),
            service,
            Arc::clone(&state),
            Arc::clone(&activity),
            ending.subscribe(),
        ));
        table.add(&task, activity);
        accepted += 1;
        if accepted.is_multiple_of(AT_ONCE) {
            // Their requests may be there already: they are read before so many others come that these are dropped.
            yield_now().await;
        }
    }
}

async fn converse(
    stream: Lent,
    service: Service,
    state: Arc<State>,
    activity: Arc<Activity>,
    mut ending: watch::Receiver<bool>,
) {
    let stream = Watched::new(stream, Arc::clone(&activity));
    let answer = service_fn(move |request: Request<Incoming>| {
        activity.request_began();
        let request = request.map(|body| RequestBody::new(body, &activity));
        let (state, activity) = (Arc::clone(&state), Arc::clone(&activity));
        async move {
            let answer = service.answer(request, state).await;
            Ok::<_, Infallible>(answer.map(|body| AnswerBody::new(body, &activity).boxed()))
        }
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
