use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::sleep;

use super::*;
use crate::admin::server::activity::Priority;

/// A server's end whose client has taken nothing yet, and its client's.
fn connected() -> (Watched<DuplexStream>, DuplexStream, Arc<Activity>) {
    let (server, client) = duplex(10);
    let activity = Activity::new();
    activity.request_began();
    (
        Watched::new(server, Arc::clone(&activity)),
        client,
        activity,
    )
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_given_up() {
    let (mut server, _client, activity) = connected();
    server.write_all(&[0; 10]).await.unwrap();
    assert_eq!(activity.priority().0, Priority::Busy);
    let began = Instant::now();
    let error = server.write_all(&[0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(began.elapsed().as_secs(), READ_TIMEOUT.as_secs());
    let (priority, since) = activity.priority();
    assert_eq!((priority, since), (Priority::Idle, began));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_a_byte_now_and_then_is_given_up_too() {
    let (mut server, mut client, activity) = connected();
    let began = Instant::now();
    let taking = tokio::spawn(async move {
        while client.read_u8().await.is_ok() {
            sleep(Duration::from_secs(5)).await;
        }
    });
    let error = server.write_all(&[0; 100]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(began.elapsed().as_secs(), CATCH_UP_TIMEOUT.as_secs());
    assert_eq!(activity.priority(), (Priority::Idle, began));
    taking.abort();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_catches_up_has_all_its_time_again() {
    let (mut server, mut client, activity) = connected();
    let began = Instant::now();
    let taking = tokio::spawn(async move {
        let mut buffer = [0; 10];
        while client.read_exact(&mut buffer).await.is_ok() {
            sleep(Duration::from_secs(9)).await;
        }
    });
    for _ in 0..20 {
        server.write_all(&[0; 20]).await.unwrap();
        server.flush().await.unwrap();
        assert_eq!(activity.priority().0, Priority::Busy);
    }
    assert!(began.elapsed() > CATCH_UP_TIMEOUT);
    taking.abort();
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_client_s_direction_is_told_when_its_answer_is_made() {
    let (mut server, mut client, activity) = connected();
    client.shutdown().await.unwrap();
    let mut byte = [0];
    let reading = tokio::time::timeout(READ_TIMEOUT, server.read(&mut byte));
    assert!(reading.await.is_err(), "the answer is being made");
    let body = axum::body::Body::from("ok");
    drop(crate::admin::server::activity::ResponseBody::new(
        body, &activity,
    ));
    assert_eq!(server.read(&mut byte).await.unwrap(), 0);
}
