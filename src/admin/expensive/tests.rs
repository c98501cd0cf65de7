use std::sync::mpsc;

use super::*;

#[tokio::test(start_paused = true)]
async fn few_run_at_a_time_and_a_caller_that_leaves_ends_none() {
    let expensive = Arc::new(Expensive::default());
    let (release, held) = mpsc::channel::<()>();
    let held = Arc::new(std::sync::Mutex::new(held));
    let working: Vec<_> = (0..MAX_CONCURRENT)
        .map(|_| {
            let (expensive, held) = (Arc::clone(&expensive), Arc::clone(&held));
            tokio::spawn(async move {
                let work = move || held.lock().map(|held| held.recv().is_ok()).is_ok();
                expensive.run(work).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    // They go away, which ends no work that has begun.
    working.iter().for_each(|task| task.abort());
    tokio::task::yield_now().await;
    assert_eq!(expensive.permits.available_permits(), 0);
    tokio::time::resume();
    for _ in 0..MAX_CONCURRENT {
        release.send(()).unwrap();
    }
    assert_eq!(expensive.run(|| 7).await.ok(), Some(7));
}
