use std::time::SystemTime;

use super::*;
use crate::session::{Leg, Session, Time};
use crate::telemetry::{Beginning, Identity};

fn limits(all: usize, per_ip: usize) -> ProcessLimits {
    ProcessLimits {
        max_connections: Some(all),
        max_connections_per_ip: Some(per_ip),
        max_http_connections: None,
        max_http_connections_per_ip: None,
        max_http_requests: None,
        max_head: 16 << 10,
        handshake_timeout: None,
    }
}

#[test]
fn limits_hold_and_closed_connections_free_their_places() {
    let registry = Arc::new(Registry::default());
    let ip = |last| Some(IpAddr::from([127, 0, 0, last]));
    let limits = limits(3, 2);
    let first = registry.admit(ip(1), &limits).unwrap();
    let _second = registry.admit(ip(1), &limits).unwrap();
    assert_eq!(
        registry.admit(ip(1), &limits).unwrap_err(),
        Refusal::OverCapacityIp
    );
    let _third = registry.admit(ip(2), &limits).unwrap();
    assert_eq!(
        registry.admit(ip(3), &limits).unwrap_err(),
        Refusal::OverCapacity
    );
    drop(first);
    let _fourth = registry.admit(ip(1), &limits).unwrap();
    assert_eq!(registry.admitted(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_before_the_end_is_recorded_and_a_drain_waits_for_the_record() {
    let registry = Arc::new(Registry::default());
    let ip = Some(IpAddr::from([127, 0, 0, 1]));
    let mut permit = registry.admit(ip, &limits(1, 1)).unwrap();
    permit.establish(&Arc::new(handle("chat")));
    permit.closed(Cause::ClientClosed);
    drop(registry.admit(ip, &limits(1, 1)).unwrap());
    assert_eq!(registry.admitted(), 0);
    let hour = std::time::Duration::from_secs(3600);
    let empty = tokio::time::timeout(hour, registry.wait_until_empty()).await;
    assert!(empty.is_err(), "the record is still being written");
    drop(permit);
    registry.wait_until_empty().await;
    assert_eq!(registry.admitted(), 0);
}

#[test]
fn an_ipv6_client_has_one_place_per_64() {
    let registry = Arc::new(Registry::default());
    let admit = |text: &str| registry.admit(Some(text.parse().unwrap()), &limits(9, 1));
    let _first = admit("2001:db8::1").unwrap();
    assert_eq!(admit("2001:db8::2").unwrap_err(), Refusal::OverCapacityIp);
}

#[test]
fn the_limit_of_open_files_bounds_connections_too() {
    let registry = Arc::new(Registry::default());
    registry.limit_by_open_files(1);
    let _first = registry.admit(None, &limits(2, 2)).unwrap();
    let second = registry.admit(None, &limits(2, 2));
    assert_eq!(second.unwrap_err(), Refusal::OverFiles);
}

#[test]
fn an_address_without_connections_is_removed() {
    let registry = Arc::new(Registry::default());
    drop(registry.admit(Some(IpAddr::from([127, 0, 0, 1])), &limits(1, 1)));
    assert!(lock(&registry.state).by_ip.is_empty());
}

#[test]
fn a_connection_is_summed_once_while_established_and_after_it_closed() {
    let registry = Arc::new(Registry::default());
    let mut permit = registry.admit(None, &limits(1, 1)).unwrap();
    let handle = Arc::new(handle("chat"));
    permit.establish(&handle);
    let file = "listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2";
    let config = crate::config::parse(file, "test", &|_| None)
        .unwrap()
        .config;
    let policy = Arc::clone(&config.default.policy);
    let mut session = Session::new(policy, 0, Time::from_micros(1));
    session.data(Leg::Client, 5, 1, Time::from_micros(7));
    handle.stats.publish(&session);
    let living = registry.aggregates();
    assert_eq!(registry.counts().established, 1);
    permit.closed(Cause::ClientLost);
    let over = registry.aggregates();
    for aggregates in [&living, &over] {
        assert_eq!(aggregates.legs.client.messages, 1);
        assert_eq!(aggregates.legs.client.bytes, 5);
        assert_eq!(aggregates.opened["chat"], 1);
    }
    assert_eq!(living.established["chat"], 1);
    let counts = registry.counts();
    assert_eq!(
        (counts.established, counts.opened, counts.closed),
        (0, 1, 1)
    );
    assert!(living.closed.is_empty() && over.established.is_empty());
    assert_eq!(over.closed[&("chat".into(), Cause::ClientLost)], 1);
    permit.closed(Cause::Internal);
    assert_eq!(
        registry.aggregates().closed.len(),
        1,
        "the first cause stays"
    );
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "another thread is waited for in real time"
)]
fn summing_does_not_hold_the_lock() {
    let registry = Arc::new(Registry::default());
    let mut permit = registry.admit(None, &limits(1, 1)).unwrap();
    let handle = Arc::new(handle("chat"));
    permit.establish(&handle);
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        let held = handle.stats.hold();
        let counting = scope.spawn(|| registry.aggregates());
        // Here, in the registry, in the permit, and among those that are counted.
        while Arc::strong_count(&handle) < 4 {
            assert!(began.elapsed().as_secs() < 10, "counted in the registry");
            std::thread::yield_now();
        }
        assert_eq!(registry.counts().established, 1);
        drop(held);
        assert_eq!(counting.join().unwrap().established["chat"], 1);
    });
}

#[test]
fn a_connection_that_closes_while_sums_are_made_is_summed_once() {
    let registry = Arc::new(Registry::default());
    let mut permit = registry.admit(None, &limits(2, 2)).unwrap();
    let mut late = registry.admit(None, &limits(2, 2)).unwrap();
    permit.establish(&Arc::new(handle("chat")));
    let (mut aggregates, living) = registry.snapshot();
    permit.closed(Cause::ClientLost);
    late.establish(&Arc::new(handle("late")));
    aggregates.add_established(&living);
    assert_eq!(aggregates.opened["chat"], 1);
    assert_eq!(aggregates.established["chat"], 1);
    assert!(aggregates.closed.is_empty() && !aggregates.opened.contains_key("late"));
    let aggregates = registry.aggregates();
    assert_eq!(
        aggregates.established.keys().collect::<Vec<_>>(),
        [&"late".into()]
    );
    assert_eq!(aggregates.closed[&("chat".into(), Cause::ClientLost)], 1);
}

#[test]
fn a_connection_is_found_by_its_id_until_it_is_closed() {
    let registry = Arc::new(Registry::default());
    let [mut first, mut second] = [0, 1].map(|_| registry.admit(None, &limits(2, 2)).unwrap());
    first.establish(&Arc::new(handle("first")));
    second.establish(&Arc::new(handle("second")));
    let route = |conn: &str| registry.find(conn).map(|it| it.identity.route.clone());
    assert_eq!(route("id of first").as_deref(), Some("first"));
    assert_eq!(route("id of second").as_deref(), Some("second"));
    assert_eq!(route("id of third"), None);
    first.closed(Cause::ClientClosed);
    assert_eq!(route("id of first"), None);
    drop(second);
    assert_eq!(route("id of second"), None);
}

fn handle(route: &str) -> Handle {
    let beginning = Beginning {
        opened: Time::from_micros(1),
        opened_at: SystemTime::UNIX_EPOCH,
        compressed: false,
    };
    Handle::new(identity(route), beginning, None, &Arc::default())
}

fn identity(route: &str) -> Identity {
    Identity {
        conn: format!("id of {route}").into(),
        request_id: "r".into(),
        client: "client".into(),
        headers: None,
        route: route.into(),
        host: "host".into(),
        path: "/".into(),
        subprotocol: None,
        upstream: "upstream".into(),
    }
}
