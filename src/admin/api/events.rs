//! What happens, as it happens: server-sent events (HTML Living Standard, section 9.2).

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body as HttpBody, Frame};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use tokio::time::{Instant, Sleep, sleep};

use super::super::problem::Problem;
use super::super::response::Body;
use super::Call;
use crate::telemetry::{EventKind, Message, Subscriber};

/// Between two signs of life while nothing happens: proxies in between end what is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// One frame gathers what has happened up to so many bytes, and the event that reaches them.
const MAX_FRAME: usize = 64 * 1024;

pub(super) fn listen(call: &Call) -> Result<Response<Body>, Problem> {
    let types = call.values.text("types");
    let types = types.map(|types| types.split(',').filter_map(EventKind::from_name).collect());
    let too_many = || Problem::unavailable("there are 32 listeners, which is the most", "5");
    let hub = call
        .state
        .shared
        .observer
        .event_hub()
        .ok_or_else(|| Problem::unavailable("the listener for operators is ending", "5"))?;
    let subscriber = hub.subscribe(types).map_err(|_| too_many())?;
    let stream = EventStream {
        subscriber: Some(subscriber),
        keep_alive: Box::pin(sleep(KEEP_ALIVE)),
    };
    let mut response = Response::new(stream.boxed());
    for (name, value) in [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// The body of an answer that goes on until somebody leaves.
struct EventStream {
    /// None: it is over.
    subscriber: Option<Subscriber>,
    keep_alive: Pin<Box<Sleep>>,
}

impl HttpBody for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let Some(subscriber) = &mut this.subscriber else {
            return Poll::Ready(None);
        };
        let mut text = String::new();
        while text.len() < MAX_FRAME
            && let Poll::Ready(message) = subscriber.poll_next(cx)
        {
            // Writing to a String cannot fail.
            let _ = match message {
                Message::Event(entry) => write!(
                    text,
                    "event: {}\nid: {}\ndata: {}\n\n",
                    entry.kind.name(),
                    entry.id,
                    entry.line
                ),
                Message::Dropped(count) => {
                    write!(text, "event: dropped\ndata: {{\"count\":{count}}}\n\n")
                }
                Message::End => {
                    this.subscriber = None;
                    break;
                }
            };
        }
        if text.is_empty() && this.subscriber.is_some() {
            match this.keep_alive.as_mut().poll(cx) {
                Poll::Ready(()) => text.push_str(": keep-alive\n\n"),
                Poll::Pending => return Poll::Pending,
            }
        }
        if text.is_empty() {
            return Poll::Ready(None);
        }
        this.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }
}

#[cfg(test)]
mod tests;
