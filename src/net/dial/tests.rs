use socket2::{Domain, Socket, Type};

use super::*;

#[tokio::test]
async fn an_address_that_does_not_answer_hides_no_other() {
    // A full accept queue: the system answers no further SYN.
    let dead = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let loopback: SocketAddr = "127.0.0.1:0".parse().unwrap();
    dead.bind(&loopback.into()).unwrap();
    dead.listen(0).unwrap();
    let dead_address = dead.local_addr().unwrap().as_socket().unwrap();
    let limit = Duration::from_millis(100);
    let mut fillers = Vec::new();
    while let Ok(filler) = connect([dead_address].into_iter(), limit).await {
        fillers.push(filler);
    }
    let alive = tokio::net::TcpListener::bind(loopback).await.unwrap();
    let address = alive.local_addr().unwrap();
    let stream = connect([dead_address, address].into_iter(), limit).await;
    assert_eq!(stream.unwrap().peer_addr().unwrap(), address);
}

#[test]
fn a_backend_is_not_blamed_for_what_is_missing_here() {
    let reason = |errno: Errno| Failure::Refused(errno.into()).reason();
    assert_eq!(
        reason(Errno::CONNREFUSED).as_deref(),
        Some("Connection refused (os error 111)")
    );
    assert!(reason(Errno::HOSTUNREACH).is_some());
    for ours in OURS {
        assert_eq!(reason(ours), None, "{ours}");
    }
    let unknown = io::Error::other("failed to lookup address information");
    assert!(Failure::Refused(unknown).reason().is_some());
    assert_eq!(
        Failure::Timeout(Duration::from_secs(3)).reason().as_deref(),
        Some("no connection within 3s")
    );
}
