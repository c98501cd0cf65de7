//! Draining: listeners stop, and clients are closed evenly over `drain.spread` in random order, so that they do not all
//! reconnect at the same moment.
//!
//! The order of the end matters. Connections that are left are aborted and get [`ABORT_GRACE`] to write their records;
//! then `drained` is published; then event streams may take [`EVENT_STREAM_GRACE`] to be read; and the metrics listener
//! is closed last, so that monitoring sees everything.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::seq::SliceRandom;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Sidecar;
use super::listeners::Listeners;
use crate::admin::{self, AdminCommand, Refused};
use crate::config::Drain;
use crate::config::show_duration;
use crate::context::Context;
use crate::context::requests::EventStream;
use crate::session::Cause;
use crate::telemetry::status::{self, DrainPhase, DrainTrigger};
use crate::telemetry::{Command, Handle, LifecycleEvent, Observer, events};

/// How long aborted connections may take to write their records.
const ABORT_GRACE: Duration = Duration::from_secs(1);
/// How long subscribers of the event stream may take to read the last event and leave.
const EVENT_STREAM_GRACE: Duration = Duration::from_millis(500);
/// How often `drain_progress` is logged.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

impl Sidecar {
    /// Drains, and returns when every connection has ended, `drain.timeout` has passed, or `force` is ready. The status at
    /// the beginning is sent to `answer`.
    pub(super) async fn drain<T>(
        &mut self,
        drain: &Drain,
        trigger: DrainTrigger,
        answer: Option<oneshot::Sender<status::Drain>>,
        force: impl Future<Output = T>,
    ) {
        let Sidecar {
            shared,
            listeners,
            commands,
            ..
        } = self;
        let observer = &shared.observer;
        begin(shared, drain, trigger);
        if let (Some(answer), Some(status)) = (answer, observer.drain()) {
            admin::reply(answer, status);
        }
        let deadline = Instant::now() + drain.timeout;
        let detail = tokio::select! {
            () = close_all(shared, listeners, drain) => "every connection has ended",
            () = sleep_until(deadline) => "drain.timeout passed: what was left was cut off",
            _ = force => "a second signal: what was left was cut off",
            never = log_progress(shared) => match never {},
            never = serve_admin(commands, observer) => match never {},
        };
        commands.close();
        let connections = shared.remaining();
        shared.abort_new_connections();
        for handle in observer.registry.established() {
            handle.send(Command::Abort);
        }
        // Those that are only opening end with the process.
        let _ = timeout(ABORT_GRACE, observer.registry.wait_until_empty()).await;
        let drained = events::Draining {
            connections,
            trigger,
            detail: detail.to_owned(),
        };
        observer.publish(&LifecycleEvent::Drained(drained));
        // `sidebeat drain` in the same container would be killed together with this process: it goes first.
        let _ = timeout(EVENT_STREAM_GRACE, observer.no_subscribers()).await;
        observer.end_event_streams();
        // Metrics can be scraped until the end.
        listeners.end().await;
    }
}

fn begin(shared: &Context, drain: &Drain, trigger: DrainTrigger) {
    let observer = &shared.observer;
    observer.process_stats.start_draining();
    let connections = shared.remaining();
    let since = SystemTime::now();
    observer.set_drain(status::Drain {
        trigger,
        since,
        deadline: since + drain.timeout,
        phase: DrainPhase::Delay,
        of: connections,
    });
    let detail = format!(
        "listening ends after {}, clients are closed over {}, all ends after {}",
        show_duration(drain.delay),
        show_duration(drain.spread),
        show_duration(drain.timeout)
    );
    let draining = events::Draining {
        connections,
        trigger,
        detail,
    };
    observer.publish(&LifecycleEvent::Draining(draining));
}

async fn close_all(shared: &Context, listeners: &mut Listeners, drain: &Drain) {
    sleep(drain.delay).await;
    set_phase(shared, DrainPhase::Closing);
    // In this order, for those who have just been accepted.
    listeners.end_clients().await;
    shared.refuse_new_connections();
    tokio::join!(close_evenly(shared, drain), shared.http_finished());
    shared.observer.registry.wait_until_empty().await;
}

/// A connection that does not end by itself.
enum LongLived {
    WebSocket(Arc<Handle>),
    EventStream(EventStream),
}

/// Ends WebSockets and event streams over `drain.spread`; other plain HTTP ends by itself.
async fn close_evenly(shared: &Context, drain: &Drain) {
    let began = Instant::now();
    let websockets = shared.observer.registry.established();
    let websockets = websockets.into_iter().map(LongLived::WebSocket);
    let event_streams = shared.requests.take_event_streams(began + drain.spread);
    let event_streams = event_streams.into_iter().map(LongLived::EventStream);
    let mut all: Vec<LongLived> = websockets.chain(event_streams).collect();
    all.shuffle(&mut rand::rng());
    let count = all.len();
    for (index, connection) in all.into_iter().enumerate() {
        sleep_until(began + drain.spread.mul_f64(index as f64 / count as f64)).await;
        match connection {
            LongLived::WebSocket(handle) => handle.send(Command::Terminate {
                cause: Cause::Drained,
                close: drain.close.clone(),
                detail: "the sidecar is shutting down".to_owned(),
            }),
            LongLived::EventStream(stream) => stream.end(),
        }
    }
    set_phase(shared, DrainPhase::Finishing);
}

fn set_phase(shared: &Context, phase: DrainPhase) {
    let observer = &shared.observer;
    if let Some(drain) = observer.drain() {
        let of = match phase {
            // More may have come during the delay.
            DrainPhase::Closing => drain.of.max(shared.remaining()),
            // From here on HTTP connections that are idle count for the moment in which they are closed.
            DrainPhase::Delay | DrainPhase::Finishing => drain.of,
        };
        observer.set_drain(status::Drain { phase, of, ..drain });
    }
}

async fn log_progress(shared: &Context) -> Infallible {
    let observer = &shared.observer;
    loop {
        sleep(PROGRESS_INTERVAL).await;
        if let Some(drain) = observer.drain() {
            let remaining = shared.remaining();
            let progress = events::DrainProgress {
                remaining,
                // More may have come during the delay.
                of: drain.of.max(remaining),
                phase: drain.phase,
                trigger: drain.trigger,
            };
            observer.publish(&LifecycleEvent::DrainProgress(progress));
        }
    }
}

/// Replies to operators' commands during the drain.
async fn serve_admin(
    commands: &mut mpsc::Receiver<AdminCommand>,
    observer: &Observer,
) -> Infallible {
    loop {
        match (commands.recv().await, observer.drain()) {
            (Some(AdminCommand::Drain(answer)), Some(drain)) => admin::reply(answer, drain),
            (Some(AdminCommand::Reload(answer)), _) => {
                admin::reply(answer, Err(Refused("the sidecar is draining")));
            }
            // Every sender is gone.
            _ => std::future::pending().await,
        }
    }
}
