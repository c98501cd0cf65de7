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
use super::super::respond::Body;
use super::Call;
use crate::telemetry::{Heard, Listener};

/// Between two signs of life while nothing happens: proxies in between end what is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// One frame gathers what has happened up to so many bytes, and the event that reaches them.
const MAX_FRAME: usize = 64 * 1024;

pub(super) fn listen(call: &Call) -> Result<Response<Body>, Problem> {
    let types = call.values.text("types");
    let types = types.map(|types| types.split(',').map(Into::into).collect());
    let too_many = || Problem::unavailable("there are 32 listeners, which is the most", "5");
    let journal = call
        .state
        .shared
        .observer
        .journal()
        .ok_or_else(|| Problem::unavailable("the listener for operators is ending", "5"))?;
    let listener = journal.listen(types).map_err(|_| too_many())?;
    let stream = EventStream {
        listener: Some(listener),
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
    listener: Option<Listener>,
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
        let Some(listener) = &mut this.listener else {
            return Poll::Ready(None);
        };
        let mut text = String::new();
        while text.len() < MAX_FRAME
            && let Poll::Ready(heard) = listener.poll_next(cx)
        {
            // Writing to a String cannot fail.
            let _ = match heard {
                Heard::Event(entry) => write!(
                    text,
                    "event: {}\nid: {}\ndata: {}\n\n",
                    entry.event, entry.id, entry.line
                ),
                Heard::Dropped(count) => {
                    write!(text, "event: dropped\ndata: {{\"count\":{count}}}\n\n")
                }
                Heard::End => {
                    this.listener = None;
                    break;
                }
            };
        }
        if text.is_empty() && this.listener.is_some() {
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
mod tests {
    use std::sync::Arc;

    use tracing::Level;

    use super::*;
    use crate::telemetry::{MAX_WAITING, Observer};

    #[derive(serde::Serialize)]
    struct Record {
        detail: &'static str,
    }

    fn stream(observer: &Observer) -> EventStream {
        let journal = observer.journal().unwrap();
        EventStream {
            listener: Some(journal.listen(None).unwrap()),
            keep_alive: Box::pin(sleep(KEEP_ALIVE)),
        }
    }

    async fn next(stream: &mut EventStream) -> Option<String> {
        let frame = stream.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_is_its_name_its_number_and_its_line() {
        let observer = Arc::new(Observer::default());
        observer.keep_journal();
        let mut stream = stream(&observer);
        for _ in 0..2 {
            let detail = "a\nb";
            observer.tell(Level::INFO, "drained", &Record { detail });
        }
        let text = next(&mut stream).await.unwrap();
        let events: Vec<&str> = text.split_terminator("\n\n").collect();
        assert_eq!(events.len(), 2, "{text}");
        assert!(events[1].starts_with("event: drained\nid: 2\ndata: {\"timestamp\":\""));
        assert!(
            events[1].ends_with(",\"level\":\"INFO\",\"event\":\"drained\",\"detail\":\"a\\nb\"}")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_filled_and_the_end_is_one() {
        let observer = Arc::new(Observer::default());
        observer.keep_journal();
        let mut stream = stream(&observer);
        let began = Instant::now();
        assert_eq!(next(&mut stream).await.as_deref(), Some(": keep-alive\n\n"));
        assert_eq!(next(&mut stream).await.as_deref(), Some(": keep-alive\n\n"));
        assert_eq!(began.elapsed().as_secs(), 30);
        observer.tell(Level::INFO, "drained", &Record { detail: "" });
        observer.end();
        assert!(next(&mut stream).await.unwrap().contains("drained"));
        assert_eq!(next(&mut stream).await, None);
        assert_eq!(next(&mut stream).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_frame_gathers_no_more_than_fits_into_it() {
        let observer = Arc::new(Observer::default());
        observer.keep_journal();
        let mut stream = stream(&observer);
        let detail = "a detail of forty characters or nearly so";
        let detail: &str = Box::leak(detail.repeat(50).into_boxed_str());
        for _ in 0..MAX_WAITING {
            observer.tell(Level::INFO, "listening", &Record { detail });
        }
        observer.end();
        let mut heard = 0;
        while let Some(text) = next(&mut stream).await {
            assert!(text.len() < 70_000, "{}", text.len());
            heard += text.matches("event: listening\n").count();
        }
        assert_eq!(heard, MAX_WAITING);
    }

    #[tokio::test(start_paused = true)]
    async fn what_did_not_fit_is_told() {
        let observer = Arc::new(Observer::default());
        observer.keep_journal();
        let mut stream = stream(&observer);
        for _ in 0..MAX_WAITING + 3 {
            observer.tell(Level::INFO, "listening", &Record { detail: "" });
        }
        let text = next(&mut stream).await.unwrap();
        assert_eq!(text.matches("event: listening\n").count(), MAX_WAITING);
        assert!(text.ends_with("event: dropped\ndata: {\"count\":3}\n\n"));
    }
}
