use tokio::time::{Instant, sleep};

use super::*;

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn it_is_over_when_neither_stream_has_moved_for_the_whole_time() {
    let began = Instant::now();
    let clock = Clock::start();
    let (client, upstream) = (Moved::new(clock), Moved::new(clock));
    let streams = vec![client.clone(), upstream.clone()];
    let waiting = tokio::spawn(async move { stalled(Some(LIMIT), || streams.clone()).await });
    for moved in [&client, &upstream, &upstream, &client] {
        sleep(LIMIT - Duration::from_secs(1)).await;
        moved.note();
        assert!(!waiting.is_finished());
    }
    waiting.await.unwrap();
    let expected = 4 * (LIMIT - Duration::from_secs(1)) + LIMIT;
    let late = began.elapsed() - expected;
    assert!(late < Duration::from_millis(5), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_it_is_never_over() {
    let moved = Moved::new(Clock::start());
    let over = tokio::time::timeout(100 * LIMIT, stalled(None, || vec![moved.clone()])).await;
    assert!(over.is_err());
}
