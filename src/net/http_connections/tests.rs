use std::pin::pin;

use super::*;

fn limits(all: usize, per_ip: Option<usize>) -> ProcessLimits {
    let text = "listen: ':1'\nupstream: ws://127.0.0.1:1";
    let config = crate::config::parse(text, "test", &|_| None).unwrap();
    ProcessLimits {
        max_http_connections: Some(all),
        max_http_connections_per_ip: per_ip,
        ..config.config.process
    }
}

fn table() -> Arc<HttpConnections> {
    table_within(None)
}

fn table_within(files: Option<usize>) -> Arc<HttpConnections> {
    let files = OpenFiles::within(files);
    Arc::new(HttpConnections::new(files, Arc::default()))
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// A connection as its task has it: place and file go together.
type Admitted = (Place, OpenFile);

fn admit(table: &Arc<HttpConnections>, limits: &ProcessLimits) -> Result<Admitted, Refusal> {
    table.admit(None, limits)
}

fn is_dropped((place, _): &Admitted) -> bool {
    place.entry.dropped.get().is_some()
}

fn counted(table: &HttpConnections, failure: HandshakeFailure) -> u64 {
    let mut counts = table.observer.process_stats.handshakes_failed();
    counts.find(|(of, _)| *of == failure).unwrap().1
}

#[tokio::test(start_paused = true)]
async fn the_one_that_is_silent_for_longest_goes_for_the_newest() {
    let (table, limits) = (table(), limits(3, None));
    let first = admit(&table, &limits).unwrap();
    let second = admit(&table, &limits).unwrap();
    let third = admit(&table, &limits).unwrap();
    assert!(first.0.begin_request());
    let fourth = admit(&table, &limits).unwrap();
    assert!(is_dropped(&second), "the first one is busy");
    assert!(!is_dropped(&first) && !is_dropped(&third) && !is_dropped(&fourth));
    // Silent again, it is the youngest.
    first.0.end_request();
    let _fifth = admit(&table, &limits).unwrap();
    assert!(is_dropped(&third) && !is_dropped(&first));
    let _sixth = admit(&table, &limits).unwrap();
    assert!(is_dropped(&fourth) && !is_dropped(&first));
    assert_eq!(counted(&table, HandshakeFailure::OverCapacity), 3);
}

#[tokio::test(start_paused = true)]
async fn only_where_all_are_busy_is_the_newest_refused() {
    let (table, limits) = (table(), limits(2, None));
    let busy: Vec<Admitted> = (0..2).map(|_| admit(&table, &limits).unwrap()).collect();
    for (place, _) in &busy {
        assert!(place.begin_request());
    }
    assert_eq!(admit(&table, &limits).unwrap_err(), Refusal::OverCapacity);
    busy[1].0.end_request();
    let _newest = admit(&table, &limits).unwrap();
    assert!(is_dropped(&busy[1]) && !is_dropped(&busy[0]));
    assert_eq!(
        counted(&table, HandshakeFailure::OverCapacity),
        1,
        "the refused one"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_at_its_bound_loses_its_own_oldest() {
    let (table, limits) = (table(), limits(100, Some(2)));
    let admit = |from: &str| table.admit(ip(from), &limits);
    let other = admit("192.0.2.1").unwrap();
    let first = admit("2001:db8::1").unwrap();
    let second = admit("2001:db8::2").unwrap();
    assert!(second.0.begin_request());
    let third = admit("2001:db8::ffff:3").unwrap();
    assert!(is_dropped(&first) && !is_dropped(&second) && !is_dropped(&other));
    assert!(third.0.begin_request());
    assert_eq!(admit("2001:db8::4").unwrap_err(), Refusal::OverCapacityIp);
    let _elsewhere = admit("2001:db8:0:1::4").unwrap();
    drop((first, second));
    let _fourth = admit("2001:db8::4").unwrap();
    assert!(!is_dropped(&third));
    assert_eq!(counted(&table, HandshakeFailure::OverCapacityIp), 2);
    // A Unix socket's client has no address, and no bound of one.
    let unix: Vec<_> = (0..4)
        .map(|_| table.admit(None, &limits).unwrap())
        .collect();
    assert!(unix.iter().all(|admitted| !is_dropped(admitted)));
}

#[tokio::test(start_paused = true)]
async fn a_bound_that_a_reload_lowers_holds_for_the_next_one() {
    let table = table();
    let old: Vec<Admitted> = (0..10)
        .map(|_| admit(&table, &limits(10, None)).unwrap())
        .collect();
    let _newest = admit(&table, &limits(4, None)).unwrap();
    assert_eq!(old.iter().filter(|old| is_dropped(old)).count(), 7);
    assert!(old[..7].iter().all(is_dropped), "the oldest");
}

#[tokio::test(start_paused = true)]
async fn places_and_addresses_are_given_back() {
    let (table, limits) = (table(), limits(4, Some(2)));
    for round in 0..20 {
        let first = table.admit(ip("192.0.2.1"), &limits).unwrap();
        let second = table.admit(ip("192.0.2.1"), &limits).unwrap();
        let third = table.admit(ip("192.0.2.1"), &limits).unwrap();
        assert!(is_dropped(&first), "{round}");
        second.0.hold(10);
        third.0.begin_request();
    }
    let state = table.lock();
    assert!(state.addresses.is_empty() && state.silent.is_empty() && state.unfinished.is_empty());
    assert_eq!((state.connections, state.leaving, state.held), (0, 0, 0));
    assert!(table.files.has_room_for_client(0));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_connection_learns_it_and_takes_no_request() {
    let (table, limits) = (table(), limits(1, None));
    let first = admit(&table, &limits).unwrap();
    {
        let mut dropped = pin!(first.0.dropped());
        let is_dropped_now =
            std::future::poll_fn(|cx| std::task::Poll::Ready(dropped.as_mut().poll(cx).is_ready()));
        assert!(!is_dropped_now.await);
        let second = admit(&table, &limits).unwrap();
        dropped.await;
        assert!(!first.0.begin_request());
        first.0.end_request();
        first.0.hold(5);
        assert!(!is_dropped(&second));
    }
    // Who asks late is told as well.
    first.0.dropped().await;
    assert!(table.lock().silent.is_empty(), "it is not silent again");
}

#[tokio::test(start_paused = true)]
async fn accepting_waits_for_those_who_leave_but_not_for_ever() {
    let (table, limits) = (table(), limits(LEAVING + 1, None));
    let mut old: Vec<Admitted> = (0..=LEAVING)
        .map(|_| admit(&table, &limits).unwrap())
        .collect();
    let mut new = vec![admit(&table, &limits).unwrap()];
    let began = tokio::time::Instant::now();
    table.settled().await;
    assert!(began.elapsed().is_zero(), "few are on their way out");
    for _ in 0..LEAVING {
        new.push(admit(&table, &limits).unwrap());
    }
    assert!(old.iter().all(is_dropped));
    table.settled().await;
    assert_eq!(began.elapsed(), LEAVING_TIME);
    let settled = tokio::spawn({
        let table = Arc::clone(&table);
        async move { table.settled().await }
    });
    tokio::task::yield_now().await;
    old.pop();
    settled.await.unwrap();
    assert_eq!(began.elapsed(), LEAVING_TIME);
}

#[tokio::test(start_paused = true)]
async fn every_client_keeps_room_for_its_socket_to_the_backend() {
    let (table, limits) = (table_within(Some(300)), limits(4096, None));
    // With a task of its own, this leaves as soon as it is dropped.
    let mut connections: Vec<Admitted> = Vec::new();
    while connections.iter().all(|connection| !is_dropped(connection)) {
        connections.push(admit(&table, &limits).unwrap());
        assert!(connections.len() < 150, "they would take every file");
    }
    connections.remove(0);
    let upstreams: Vec<OpenFile> = connections
        .iter()
        .map(|(place, _)| {
            assert!(place.begin_request());
            table.upstream().unwrap()
        })
        .collect();
    assert_eq!(admit(&table, &limits).unwrap_err(), Refusal::OverCapacity);
    drop(upstreams);
    // Sockets to backends that belong to nobody any more take room from the silent, not from those who ask.
    let mut idle = Vec::new();
    connections[0].0.end_request();
    while !is_dropped(&connections[0]) {
        idle.push(table.upstream().unwrap());
    }
    assert_eq!(table.upstream().unwrap_err(), Refusal::OverFiles);
}

#[tokio::test(start_paused = true)]
async fn unfinished_heads_are_bounded_in_all() {
    let (table, limits) = (table(), limits(4096, None));
    let silent = admit(&table, &limits).unwrap();
    let each = 64 << 10;
    let count = UNFINISHED_HEADS / each;
    let holding: Vec<Admitted> = (0..count)
        .map(|_| admit(&table, &limits).unwrap())
        .collect();
    for (place, _) in &holding {
        place.hold(each / 2);
        place.hold(each);
    }
    assert!(!holding.iter().any(is_dropped), "just so many fit");
    // What is whole, or is gone, is held no more.
    assert!(holding[0].0.begin_request());
    let more = admit(&table, &limits).unwrap();
    more.0.hold(each);
    assert!(!holding.iter().any(is_dropped) && !is_dropped(&more));
    let last = admit(&table, &limits).unwrap();
    last.0.hold(1);
    assert!(is_dropped(&holding[1]), "the oldest that holds anything");
    assert!(!is_dropped(&silent) && !is_dropped(&holding[2]) && !is_dropped(&last));
}

#[tokio::test(start_paused = true)]
async fn the_log_is_told_once_in_a_while_however_many_go() {
    let (table, limits) = (table(), limits(1, None));
    let mut staying: Vec<Admitted> = (0..1001).map(|_| admit(&table, &limits).unwrap()).collect();
    assert!(table.shed.lock().unwrap().reporting);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(table.shed.lock().unwrap().dropped, 0, "told");
    staying.push(admit(&table, &limits).unwrap());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(table.shed.lock().unwrap().dropped, 1, "not yet");
    sleep(REPORT_EVERY).await;
    assert_eq!(table.shed.lock().unwrap().dropped, 0);
    sleep(REPORT_EVERY).await;
    assert!(!table.shed.lock().unwrap().reporting, "it is quiet");
}
