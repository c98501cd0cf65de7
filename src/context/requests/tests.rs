use std::time::Duration;

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::header::HeaderValue;

use super::*;

/// A backend's body that never ends.
struct Endless;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

fn endless(content_type: &'static str) -> Response<Endless> {
    let mut response = Response::new(Endless);
    let value = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

async fn is_streaming(response: &mut Response<TrackedBody<Endless>>) -> bool {
    let frame = response.body_mut().frame();
    let frame = tokio::time::timeout(Duration::from_millis(1), frame).await;
    frame.is_err()
}

#[test]
fn a_request_is_in_flight_until_the_body_of_its_answer_is_dropped() {
    let requests = Arc::new(Requests::default());
    let (first, second) = (requests.begin(), requests.begin());
    assert_eq!(requests.in_flight(), 2);
    drop(first);
    assert_eq!(requests.in_flight(), 1);
    let answer = second.answer(Response::new(Full::new(Bytes::from("body"))));
    assert_eq!(answer.body().size_hint().exact(), Some(4));
    assert_eq!(requests.in_flight(), 1);
    drop(answer);
    assert_eq!(requests.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn event_streams_end_when_they_are_told_and_other_answers_go_on() {
    let requests = Arc::new(Requests::default());
    let answer = |content_type| requests.begin().answer(endless(content_type));
    let mut first = answer("text/event-stream");
    let mut second = answer("Text/Event-Stream; charset=utf-8");
    let mut page = answer("text/html");
    drop(answer("text/event-stream"));
    let mut streams = requests.take_event_streams(Instant::now());
    assert_eq!(streams.len(), 2, "one is gone already");
    assert!(is_streaming(&mut first).await && is_streaming(&mut second).await);
    streams.pop().unwrap().end();
    let mut ended = 0;
    for stream in [&mut first, &mut second] {
        ended += usize::from(!is_streaming(stream).await);
        // Whoever asks again gets the same.
        let _ = is_streaming(stream).await;
    }
    assert_eq!(ended, 1);
    streams.pop().unwrap().end();
    for stream in [&mut first, &mut second] {
        assert!(stream.body_mut().frame().await.is_none());
        assert!(stream.body().is_end_stream());
    }
    assert!(is_streaming(&mut page).await);
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_that_begins_late_ends_with_the_others() {
    let requests = Arc::new(Requests::default());
    let spread = Duration::from_secs(10);
    let by = Instant::now() + spread;
    assert!(requests.take_event_streams(by).is_empty());
    let answer = || {
        let request = requests.begin();
        request.answer(endless("text/event-stream"))
    };
    let mut late = answer();
    assert!(late.body_mut().frame().await.is_none());
    assert!(Instant::now() <= by + Duration::from_millis(1));
    tokio::time::sleep(spread).await;
    assert!(!is_streaming(&mut answer()).await, "the time is over");
}
