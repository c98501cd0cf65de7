use std::sync::Arc;

use super::*;
use crate::telemetry::events::Listening;
use crate::telemetry::{LifecycleEvent, MAX_QUEUED, Observer};

fn publish(observer: &Observer, address: &str) {
    observer.publish(&LifecycleEvent::Listening(Listening { address }));
}

fn stream(observer: &Observer) -> EventStream {
    let hub = observer.event_hub().unwrap();
    EventStream {
        subscriber: Some(hub.subscribe(None).unwrap()),
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
    observer.open_event_hub();
    let mut stream = stream(&observer);
    for _ in 0..2 {
        publish(&observer, "a\nb");
    }
    let text = next(&mut stream).await.unwrap();
    let events: Vec<&str> = text.split_terminator("\n\n").collect();
    assert_eq!(events.len(), 2, "{text}");
    assert!(events[1].starts_with("event: listening\nid: 2\ndata: {\"timestamp\":\""));
    assert!(
        events[1].ends_with(",\"level\":\"INFO\",\"event\":\"listening\",\"address\":\"a\\nb\"}")
    );
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_and_the_end_is_one() {
    let observer = Arc::new(Observer::default());
    observer.open_event_hub();
    let mut stream = stream(&observer);
    let began = Instant::now();
    assert_eq!(next(&mut stream).await.as_deref(), Some(": keep-alive\n\n"));
    assert_eq!(next(&mut stream).await.as_deref(), Some(": keep-alive\n\n"));
    assert_eq!(began.elapsed().as_secs(), 30);
    publish(&observer, "");
    observer.end_event_streams();
    assert!(next(&mut stream).await.unwrap().contains("listening"));
    assert_eq!(next(&mut stream).await, None);
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test(start_paused = true)]
async fn one_frame_gathers_no_more_than_fits_into_it() {
    let observer = Arc::new(Observer::default());
    observer.open_event_hub();
    let mut stream = stream(&observer);
    let address = "a text of forty characters or nearly so".repeat(50);
    for _ in 0..MAX_QUEUED {
        publish(&observer, &address);
    }
    observer.end_event_streams();
    let mut received = 0;
    while let Some(text) = next(&mut stream).await {
        assert!(text.len() < 70_000, "{}", text.len());
        received += text.matches("event: listening\n").count();
    }
    assert_eq!(received, MAX_QUEUED);
}

#[tokio::test(start_paused = true)]
async fn what_did_not_fit_is_told() {
    let observer = Arc::new(Observer::default());
    observer.open_event_hub();
    let mut stream = stream(&observer);
    for _ in 0..MAX_QUEUED + 3 {
        publish(&observer, "");
    }
    let text = next(&mut stream).await.unwrap();
    assert_eq!(text.matches("event: listening\n").count(), MAX_QUEUED);
    assert!(text.ends_with("event: dropped\ndata: {\"count\":3}\n\n"));
}
