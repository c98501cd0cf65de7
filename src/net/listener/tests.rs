use super::*;

#[test]
fn every_address_is_every_one_of_ipv4_where_there_is_no_ipv6() {
    let bind = |address: &str, error: Errno| {
        or_ipv4(address.parse().unwrap(), |address| match address {
            SocketAddr::V4(_) => Ok(address.to_string()),
            SocketAddr::V6(_) => Err(io::Error::from(error)),
        })
    };
    for error in [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL] {
        assert_eq!(bind("[::]:80", error).unwrap(), "0.0.0.0:80");
        let told = bind("[::1]:80", error).unwrap_err();
        assert_eq!(told.raw_os_error(), Some(error.raw_os_error()));
    }
    for error in [Errno::ADDRINUSE, Errno::ACCESS] {
        let told = bind("[::]:80", error).unwrap_err();
        assert_eq!(told.raw_os_error(), Some(error.raw_os_error()));
    }
}

#[tokio::test]
async fn every_address_is_one_of_both_families() {
    let listener = bind_tcp("[::]:0".parse().unwrap(), false).unwrap();
    let address = listener.local_addr().unwrap();
    let port = address.port();
    TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    if address.is_ipv6() {
        let socket = socket2::SockRef::from(&listener);
        assert!(!socket.only_v6().unwrap());
    }
}
