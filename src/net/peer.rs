//! Who is at the other end of an accepted connection.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Who is at the other end of an accepted connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    /// A TCP client; an IPv4 address is never shown as an IPv6 one.
    Tcp(SocketAddr),
    /// A client of a Unix socket, which has no address.
    Unix,
}

impl Peer {
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        Peer::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    pub(crate) fn ip(&self) -> Option<IpAddr> {
        match self {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests(address: &str) -> Self {
        Peer::tcp(address.parse().unwrap())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Tcp(address) => write!(f, "{address}"),
            Peer::Unix => f.write_str("unix"),
        }
    }
}
