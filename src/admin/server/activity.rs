//! What one connection is doing, so that the right one is dropped when there are too many.
//!
//! hyper does not say whether a request is being answered; it is known from the request's head, the bodies in both
//! directions, and the writes that have to wait.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Instant;

/// Which connections are dropped first; among equals, the one that has been in this state for longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Priority {
    /// It waits for its client: for a request or the rest of one, or for the client to read what was sent.
    Idle,
    /// A request is being answered.
    Busy,
    /// An answer goes on until the client leaves, and the client reads it as it comes.
    Streaming,
}

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// From the head of a request to the end of its answer.
    in_request: bool,
    /// The answer has no known length.
    streams: bool,
    /// The rest of the request is awaited.
    awaits_body: bool,
    /// Bytes wait for the client to read them.
    blocked: bool,
    since: Instant,
}

impl State {
    fn priority(&self) -> Priority {
        if !self.in_request || self.awaits_body || self.blocked {
            Priority::Idle
        } else if self.streams {
            Priority::Streaming
        } else {
            Priority::Busy
        }
    }
}

impl Activity {
    /// A connection that has just been accepted.
    pub(super) fn new() -> Arc<Self> {
        let state = State {
            in_request: false,
            streams: false,
            awaits_body: false,
            blocked: false,
            since: Instant::now(),
        };
        Arc::new(Activity {
            state: Mutex::new(state),
        })
    }

    /// Its priority, and since when.
    pub(super) fn priority(&self) -> (Priority, Instant) {
        let state = self.lock();
        (state.priority(), state.since)
    }

    /// Whether an answer is being made, which a client that has shut down its sending side may still want.
    pub(super) fn is_answering(&self) -> bool {
        let state = self.lock();
        state.in_request && !state.streams && !state.awaits_body
    }

    pub(super) fn request_began(&self) {
        self.change(|state| state.in_request = true);
    }

    fn answer_began(&self, streams: bool) {
        self.change(|state| {
            state.streams = streams;
            state.awaits_body = false;
        });
    }

    fn answer_ended(&self) {
        self.change(|state| {
            state.in_request = false;
            state.streams = false;
        });
    }

    fn set_awaits_body(&self, awaits_body: bool) {
        self.change(|state| state.awaits_body = awaits_body);
    }

    pub(super) fn set_blocked(&self, blocked: bool) {
        self.change(|state| state.blocked = blocked);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        let before = state.priority();
        change(&mut state);
        if state.priority() != before {
            state.since = Instant::now();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's body, whose connection is idle while more of it is awaited.
pub(super) struct RequestBody {
    body: Incoming,
    activity: Arc<Activity>,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, activity: &Arc<Activity>) -> Self {
        let activity = Arc::clone(activity);
        RequestBody { body, activity }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        // A body that trickles in keeps the connection idle since the first wait.
        match &frame {
            Poll::Pending => this.activity.set_awaits_body(true),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(None | Some(Err(_))) => this.activity.set_awaits_body(false),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body, with which the request ends.
pub(super) struct ResponseBody {
    body: Body,
    activity: Arc<Activity>,
}

impl ResponseBody {
    pub(super) fn new(body: Body, activity: &Arc<Activity>) -> Self {
        activity.answer_began(body.size_hint().exact().is_none());
        let activity = Arc::clone(activity);
        ResponseBody { body, activity }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.activity.answer_ended();
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
