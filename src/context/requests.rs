//! Plain HTTP requests in flight: how many there are, and ending the answers that stream events.
//!
//! A request is in flight from its head until its answer's body has been handed to the client's connection or given
//! up. Most answers end by themselves, and a drain waits for them. An answer that streams events
//! (`text/event-stream`) would never end, so a drain ends it: its body ends in order, upon which a browser's
//! `EventSource` reconnects.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll};
use std::time::Duration;

use hyper::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use hyper::header::CONTENT_TYPE;
use rand::RngExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// All plain HTTP requests in flight.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_flight: usize,
    next_key: u64,
    event_streams: HashMap<u64, EventStream>,
    /// Since event streams are ended: when the last of them ends.
    ending_by: Option<Instant>,
}

/// An answer that streams events and can be ended.
#[derive(Debug)]
pub(crate) struct EventStream(watch::Sender<Option<Instant>>);

impl EventStream {
    /// Ends the answer's body in order.
    pub(crate) fn end(self) {
        self.0.send_replace(Some(Instant::now()));
    }
}

/// When a drain ends an event stream, in the extensions of its answer: the connection's task has to know, because the
/// body is not asked for more while the client does not read.
#[derive(Clone, Debug)]
pub(crate) struct EndTime(watch::Receiver<Option<Instant>>);

impl EndTime {
    /// Waits until the stream is to end and `grace` has passed since. Never returns if it ends by itself before.
    pub(crate) async fn passed(mut self, grace: Duration) {
        let end = self.0.wait_for(Option::is_some).await.map(|end| *end);
        let Ok(Some(end)) = end else {
            return pending().await;
        };
        if end + grace > Instant::now() {
            sleep_until(end + grace).await;
        }
    }
}

impl Requests {
    /// Counts a request, unless there are `max` already.
    pub(crate) fn admit(self: &Arc<Self>, max: Option<usize>) -> Option<InFlight> {
        let mut state = self.lock();
        if max.is_some_and(|max| state.in_flight >= max) {
            return None;
        }
        state.in_flight += 1;
        drop(state);
        Some(InFlight {
            requests: Arc::clone(self),
            event_stream: None,
        })
    }

    /// Counts a request whose answer is there already.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.lock().in_flight += 1;
        InFlight {
            requests: Arc::clone(self),
            event_stream: None,
        }
    }

    /// How many there are.
    pub(crate) fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    /// Returns all event streams, to be ended one after the other. One whose answer begins later ends by itself at a random time before `by`, or at once after it.
    pub(crate) fn take_event_streams(&self, by: Instant) -> Vec<EventStream> {
        let mut state = self.lock();
        state.ending_by = Some(by);
        state.event_streams.drain().map(|(_, it)| it).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in flight; counted until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    requests: Arc<Requests>,
    event_stream: Option<u64>,
}

impl InFlight {
    /// The request's answer, which stays in flight until its body is dropped.
    pub(crate) fn answer<B>(mut self, mut response: Response<B>) -> Response<TrackedBody<B>> {
        let end = is_event_stream(&response).then(|| {
            let end = self.register_event_stream();
            response.extensions_mut().insert(end.clone());
            Box::pin(end.passed(Duration::ZERO)) as End
        });
        response.map(|body| TrackedBody {
            body: Some(body),
            end,
            _in_flight: self,
        })
    }

    fn register_event_stream(&mut self) -> EndTime {
        let mut state = self.requests.lock();
        if let Some(by) = state.ending_by {
            let left = by.saturating_duration_since(Instant::now());
            let at = Instant::now() + left.mul_f64(rand::rng().random_range(0.0..=1.0));
            return EndTime(watch::channel(Some(at)).1);
        }
        let (sender, receiver) = watch::channel(None);
        let key = state.next_key;
        state.next_key += 1;
        state.event_streams.insert(key, EventStream(sender));
        self.event_stream = Some(key);
        EndTime(receiver)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.requests.lock();
        state.in_flight -= 1;
        if let Some(key) = self.event_stream {
            state.event_streams.remove(&key);
        }
    }
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    let media_type = content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    media_type.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case("text/event-stream"))
}

/// What ends an event stream before its backend does.
type End = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// The body of an answer in flight.
pub(crate) struct TrackedBody<B> {
    /// None: ended before its backend did.
    body: Option<B>,
    /// Only for an answer that streams events.
    end: Option<End>,
    _in_flight: InFlight,
}

impl<B> TrackedBody<B> {
    fn is_ended(&mut self, cx: &mut task::Context<'_>) -> bool {
        let end = self.end.as_mut();
        let is_ready = end.is_some_and(|end| end.as_mut().poll(cx).is_ready());
        if is_ready {
            // A finished future must not be polled again.
            self.end = None;
            self.body = None;
        }
        is_ready
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for TrackedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if this.is_ended(cx) {
            return Poll::Ready(None);
        }
        match &mut this.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(B::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

#[cfg(test)]
mod tests;
