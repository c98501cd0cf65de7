//! What one connection is doing, so that the right one goes when there are too many.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Instant;

use crate::admin::Body;

/// Which connections are dropped first; among equals, the one for which it has been so for longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It waits for its client: for a request or the rest of one, or for the client to take what was sent.
    Idle,
    /// A request is being answered.
    Busy,
    /// An answer goes on until the client leaves, and the client takes what there is.
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
    /// Bytes wait for the client to take them.
    blocked: bool,
    since: Instant,
}

impl State {
    fn standing(&self) -> Standing {
        if !self.in_request || self.awaits_body || self.blocked {
            Standing::Idle
        } else if self.streams {
            Standing::Streaming
        } else {
            Standing::Busy
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

    /// How it stands, and since when.
    pub(super) fn standing(&self) -> (Standing, Instant) {
        let state = self.lock();
        (state.standing(), state.since)
    }

    /// Whether an answer is being made, which a client that has ended its own direction may still want.
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

    fn awaits_body(&self, awaits_body: bool) {
        self.change(|state| state.awaits_body = awaits_body);
    }

    pub(super) fn blocked(&self, blocked: bool) {
        self.change(|state| state.blocked = blocked);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        let before = state.standing();
        change(&mut state);
        if state.standing() != before {
            state.since = Instant::now();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's body, whose connection is idle while more of it is awaited.
pub(in crate::admin) struct RequestBody {
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
        // A body that comes in drops is not over: it stays idle since the first wait.
        match &frame {
            Poll::Pending => this.activity.awaits_body(true),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(None | Some(Err(_))) => this.activity.awaits_body(false),
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
pub(super) struct AnswerBody {
    body: Body,
    activity: Arc<Activity>,
}

impl AnswerBody {
    pub(super) fn new(body: Body, activity: &Arc<Activity>) -> Self {
        activity.answer_began(body.size_hint().exact().is_none());
        let activity = Arc::clone(activity);
        AnswerBody { body, activity }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.activity.answer_ended();
    }
}

impl HttpBody for AnswerBody {
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
