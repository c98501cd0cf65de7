//! Ending without a stampede: listeners stop, and clients are closed evenly over a while, in random order.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::seq::SliceRandom;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Running;
use super::listeners::Listeners;
use crate::admin::{self, Order, Refused};
use crate::config::Drain;
use crate::config::show_duration;
use crate::context::Context;
use crate::context::requests::EventStream;
use crate::session::Cause;
use crate::telemetry::status::{self, DrainPhase, DrainTrigger};
use crate::telemetry::{Command, Handle, LifecycleEvent, Observer, events};

/// How long connections that were aborted have to write their records.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long who listens to events may take to leave after the last one.
const FAREWELL: Duration = Duration::from_millis(500);
/// How often the log tells how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

impl Running {
    /// Drains, and returns when everybody has gone, `drain.timeout` has passed, or `hurry` is ready. `answer` gets how
    /// it begins.
    pub(super) async fn drain<T>(
        &mut self,
        drain: &Drain,
        trigger: DrainTrigger,
        answer: Option<oneshot::Sender<status::Drain>>,
        hurry: impl Future<Output = T>,
    ) {
        let Running {
            shared,
            listeners,
            orders,
            ..
        } = self;
        let observer = &shared.observer;
        begin(shared, drain, trigger);
        if let (Some(answer), Some(status)) = (answer, observer.drain()) {
            admin::tell(answer, status);
        }
        let deadline = Instant::now() + drain.timeout;
        let detail = tokio::select! {
            () = close_all(shared, listeners, drain) => "every connection has ended",
            () = sleep_until(deadline) => "drain.timeout passed: what was left was cut off",
            _ = hurry => "a second signal: what was left was cut off",
            never = tell_progress(shared) => match never {},
            never = attend(orders, observer) => match never {},
        };
        orders.close();
        let connections = shared.remaining();
        shared.abort_new_connections();
        for handle in observer.registry.established() {
            handle.send(Command::Abort);
        }
        // Those that are only opening end with the process.
        let _ = timeout(LAST_WORDS, observer.registry.wait_until_empty()).await;
        let drained = events::Draining {
            connections,
            trigger,
            detail: detail.to_owned(),
        };
        observer.publish(&LifecycleEvent::Drained(drained));
        // `sidebeat drain` in the same container would be killed together with this process: it goes first.
        let _ = timeout(FAREWELL, observer.no_subscribers()).await;
        observer.end_event_streams();
        // Monitoring may look until there is nothing left to see.
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
    enter(shared, DrainPhase::Closing);
    // In this order, for those who have just been accepted.
    listeners.end_clients().await;
    shared.refuse_new_connections();
    tokio::join!(close_evenly(shared, drain), shared.http_finished());
    shared.observer.registry.wait_until_empty().await;
}

/// What would go on for ever and is therefore ended.
enum Lasting {
    WebSocket(Arc<Handle>),
    EventStream(EventStream),
}

/// Ends WebSockets and event streams over `drain.spread`; other plain HTTP ends by itself.
async fn close_evenly(shared: &Context, drain: &Drain) {
    let began = Instant::now();
    let websockets = shared.observer.registry.established();
    let websockets = websockets.into_iter().map(Lasting::WebSocket);
    let event_streams = shared.requests.take_event_streams(began + drain.spread);
    let event_streams = event_streams.into_iter().map(Lasting::EventStream);
    let mut all: Vec<Lasting> = websockets.chain(event_streams).collect();
    all.shuffle(&mut rand::rng());
    let count = all.len();
    for (index, lasting) in all.into_iter().enumerate() {
        sleep_until(began + drain.spread.mul_f64(index as f64 / count as f64)).await;
        match lasting {
            Lasting::WebSocket(handle) => handle.send(Command::Terminate {
                cause: Cause::Drained,
                close: drain.close.clone(),
                detail: "the sidecar is shutting down".to_owned(),
            }),
            Lasting::EventStream(stream) => stream.end(),
        }
    }
    enter(shared, DrainPhase::Finishing);
}

/// Those who came during the delay are to be closed as well.
fn enter(shared: &Context, phase: DrainPhase) {
    let observer = &shared.observer;
    if let Some(drain) = observer.drain() {
        let of = drain.of.max(shared.remaining());
        observer.set_drain(status::Drain { phase, of, ..drain });
    }
}

async fn tell_progress(shared: &Context) -> Infallible {
    let observer = &shared.observer;
    loop {
        sleep(TELL_EVERY).await;
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

/// Answers operators meanwhile.
async fn attend(orders: &mut mpsc::Receiver<Order>, observer: &Observer) -> Infallible {
    loop {
        match (orders.recv().await, observer.drain()) {
            (Some(Order::Drain(answer)), Some(drain)) => admin::tell(answer, drain),
            (Some(Order::Reload(answer)), _) => {
                admin::tell(answer, Err(Refused("the sidecar is draining")));
            }
            // Nobody is left who could give orders.
            _ => std::future::pending().await,
        }
    }
}
