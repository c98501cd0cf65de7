use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::time::Instant;

use super::*;
use crate::telemetry::events::Listening;
use crate::telemetry::{LifecycleEvent, MAX_QUEUED, Observer};

fn publish(observer: &Observer, address: &str) {
    observer.publish(&LifecycleEvent::Listening(Listening { address }));
}

fn body(observer: &Observer) -> Body {
    let hub = observer.event_hub().unwrap();
    answer(hub.subscribe(None).unwrap()).into_body()
}

async fn next(body: &mut Body) -> Option<String> {
    let frame = body.frame().await?.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_event_is_its_name_its_number_and_its_line() {
    let observer = Arc::new(Observer::default());
    observer.open_event_hub();
    let mut body = body(&observer);
    for _ in 0..2 {
        publish(&observer, "a\nb");
    }
    let first = next(&mut body).await.unwrap();
    assert!(first.starts_with("event: listening\nid: 1\n"), "{first}");
    let second = next(&mut body).await.unwrap();
    assert!(second.starts_with("event: listening\nid: 2\ndata: {\"timestamp\":\""));
    let end = ",\"level\":\"INFO\",\"event\":\"listening\",\"address\":\"a\\nb\"}\n\n";
    assert!(second.ends_with(end), "{second}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_with_comments_until_the_end() {
    let observer = Arc::new(Observer::default());
    observer.open_event_hub();
    let mut body = body(&observer);
    let began = Instant::now();
    assert_eq!(next(&mut body).await.as_deref(), Some(": keep-alive\n\n"));
    assert_eq!(next(&mut body).await.as_deref(), Some(": keep-alive\n\n"));
    assert_eq!(began.elapsed().as_secs(), 30);
    publish(&observer, "");
    observer.end_event_streams();
    assert!(next(&mut body).await.unwrap().contains("listening"));
    assert_eq!(next(&mut body).await, None);
}

#[tokio::test(start_paused = true)]
async fn events_that_did_not_fit_are_counted() {
    let observer = Arc::new(Observer::default());
    observer.open_event_hub();
    let mut body = body(&observer);
    for _ in 0..MAX_QUEUED + 3 {
        publish(&observer, "");
    }
    for _ in 0..MAX_QUEUED {
        let event = next(&mut body).await.unwrap();
        assert!(event.starts_with("event: listening\n"));
    }
    let dropped = next(&mut body).await.unwrap();
    assert_eq!(dropped, "event: dropped\ndata: {\"count\":3}\n\n");
}
