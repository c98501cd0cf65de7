use super::*;

/// Both ends of a connection.
async fn connected() -> (Stream, TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).await;
    (
        Stream::from(listener.accept().await.unwrap().0),
        peer.unwrap(),
    )
}

#[tokio::test]
async fn the_system_itself_says_what_a_socket_is_ready_for() {
    let (stream, peer) = connected().await;
    let Socket::Tcp(tcp) = &stream.socket else {
        panic!("{stream:?}")
    };
    assert!(!stream.is_ready(true, false), "nothing came");
    assert!(stream.is_ready(false, true), "nothing waits");
    peer.writable().await.unwrap();
    peer.try_write(b"x").unwrap();
    tcp.readable().await.unwrap();
    assert!(stream.is_ready(true, false));
    // A reset is told to everybody, and is no news to one who waits for neither: nobody would wake him.
    assert_eq!(tcp.try_read(&mut [0; 2]).unwrap(), 1);
    SockRef::from(&peer)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(peer);
    tcp.readable().await.unwrap();
    assert!(!stream.is_ready(false, false));
}

#[tokio::test]
async fn the_systems_patience_is_set_on_the_socket() {
    let (stream, _peer) = connected().await;
    let Socket::Tcp(tcp) = &stream.socket else {
        panic!("{stream:?}")
    };
    let set = || SockRef::from(tcp).tcp_user_timeout().unwrap();
    stream.set_user_timeout(Some(Duration::from_secs(300)));
    assert_eq!(set(), Some(Duration::from_secs(330)));
    stream.set_user_timeout(None);
    assert_eq!(set().unwrap_or_default(), Duration::ZERO);
}

#[test]
fn the_system_is_more_patient_than_the_sidecar() {
    let seconds = Duration::from_secs;
    assert_eq!(user_timeout(Some(seconds(30))), Some(seconds(120)));
    assert_eq!(user_timeout(Some(seconds(300))), Some(seconds(330)));
    assert_eq!(user_timeout(None), None);
}
