use std::future::pending;
use std::time::Duration;

use tokio::time::advance;

use super::*;

struct Connection {
    task: JoinHandle<()>,
    activity: Arc<Activity>,
}

async fn add(table: &mut Table) -> Connection {
    table.make_room();
    let (task, activity) = (tokio::spawn(pending()), Activity::new());
    table.add(&task, Arc::clone(&activity));
    advance(Duration::from_secs(1)).await;
    Connection { task, activity }
}

async fn is_dropped(connection: &Connection) -> bool {
    tokio::task::yield_now().await;
    connection.task.is_finished()
}

#[tokio::test(start_paused = true)]
async fn the_one_that_has_been_idle_for_longest_goes_first() {
    let mut table = Table::default();
    let first = add(&mut table).await;
    let streaming = add(&mut table).await;
    let second = add(&mut table).await;
    let busy = add(&mut table).await;
    for request in [&first, &streaming, &busy] {
        request.activity.request_began();
    }
    let body = axum::body::Body::empty();
    let of_known_length = crate::admin::server::activity::ResponseBody::new(body, &first.activity);
    for _ in 4..MAX_CONNECTIONS {
        add(&mut table).await;
    }
    assert!(!is_dropped(&second).await, "there is room");
    let _newcomer = add(&mut table).await;
    assert!(is_dropped(&second).await, "it never sent a request");
    assert!(!is_dropped(&first).await && !is_dropped(&busy).await);

    // Idle by now, but for a shorter time than those that never sent anything.
    drop(of_known_length);
    let _newcomer = add(&mut table).await;
    assert!(!is_dropped(&first).await);
    for _ in 0..MAX_CONNECTIONS - 2 {
        add(&mut table).await;
    }
    assert!(is_dropped(&first).await);
    assert!(!is_dropped(&busy).await && !is_dropped(&streaming).await);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_take_its_answer_is_idle_and_who_streams_is_spared() {
    let mut table = Table::default();
    let mut all = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        let connection = add(&mut table).await;
        connection.activity.request_began();
        all.push(connection);
    }
    assert!(!table.drop_idle(), "all are busy");
    all[7].activity.set_blocked(true);
    assert!(table.drop_idle());
    assert!(is_dropped(&all[7]).await);
    assert!(!table.drop_idle());
    // With nobody idle, the request goes that has taken longest.
    add(&mut table).await.activity.request_began();
    add(&mut table).await.activity.request_began();
    assert!(is_dropped(&all[0]).await && !is_dropped(&all[1]).await);
}
