//! Which addresses count as one client for the limits per address.

use std::net::{IpAddr, Ipv6Addr};

/// What counts as one client address: an IPv4 address, or the /64 of an IPv6 one, because whoever has one of its
/// addresses has them all.
pub(crate) fn ip_group(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
