use super::*;

#[test]
fn every_client_leaves_room_for_its_socket_to_the_backend() {
    let files = OpenFiles::within(Some(300));
    let mut clients = Vec::new();
    while files.has_room_for_client(0) {
        clients.push(files.client());
    }
    assert!(clients.len() > 70, "{}", clients.len());
    let upstreams: Vec<OpenFile> = clients
        .iter()
        .map(|_| {
            assert!(files.has_room_for_upstream(0));
            files.upstream()
        })
        .collect();
    assert!(clients.len() + upstreams.len() <= 300 - PROCESS);
    // Those of clients that have left stay for a while, and take what room there is.
    drop(clients);
    let kept: Vec<OpenFile> = (0..60).map(|_| files.upstream()).collect();
    let mut clients = Vec::new();
    while files.has_room_for_client(0) {
        clients.push(files.client());
    }
    assert!(clients.len() + upstreams.len() + kept.len() <= 300 - PROCESS);
}

#[test]
fn those_who_are_about_to_leave_make_room() {
    let files = OpenFiles::within(Some(300));
    let mut clients = Vec::new();
    while files.has_room_for_client(0) {
        clients.push(files.client());
    }
    assert!(files.has_room_for_client(1));
}

#[test]
fn as_many_websockets_find_room_as_the_limit_was_asked_for() {
    for websockets in [1, 2, 5, 20, 100, 1_000, 10_000, 1_000_000] {
        let limit = needed_for(websockets);
        let found = OpenFiles::within(Some(limit)).max_websockets();
        assert!(found >= websockets, "{websockets}: {found} within {limit}");
        let less = OpenFiles::within(Some(limit - 1)).max_websockets();
        assert!(less < websockets, "{websockets}: {less} within {limit} - 1");
    }
    assert!(needed_for(10_000) < 20_500);
}

#[test]
fn a_very_low_limit_still_lets_somebody_in() {
    for limit in [16, 40, 64, 100] {
        let files = OpenFiles::within(Some(limit));
        assert!(files.has_room_for_client(0), "{limit}");
        assert!(files.max_websockets() >= 1, "{limit}");
    }
}
