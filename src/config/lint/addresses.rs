//! Addresses that collide, and operators' doors that stand open.

use std::net::{IpAddr, SocketAddr};

use super::super::keypath::KeyPath;
use super::super::policy::{Config, Listen};
use super::super::problem::Severity;
use super::Scope;

impl Scope<'_> {
    pub(super) fn addresses(&mut self, config: &Config) {
        self.open_door(config);
        let all = listening(config);
        for (index, (path, address)) in all.iter().enumerate() {
            let collision = all[..index]
                .iter()
                .find_map(|(other, taken)| Some((other, taken, overlap(taken, address)?)));
            if let Some((other, taken, severity)) = collision {
                let message = format!(
                    "`{path}` ({address}) and `{other}` ({taken}) cannot be had together; choose another port for one of them"
                );
                self.tell_at(severity, vec![path.clone(), other.clone()], message);
            }
        }
    }

    fn open_door(&mut self, config: &Config) {
        let Some(admin) = config.admin.as_ref().filter(|admin| admin.token.is_none()) else {
            return;
        };
        if let Listen::Tcp(address) = admin.listen
            && !address.ip().is_loopback()
        {
            let message = format!(
                "everybody who reaches {address} may look at and close connections; set `admin.token`, or listen on 127.0.0.1"
            );
            self.warn(&[&["admin", "listen"], &["admin", "token"]], message);
        }
    }
}

/// Every address that is listened on, with the key that names it.
pub(super) fn listening(config: &Config) -> Vec<(KeyPath, &Listen)> {
    let key = KeyPath::of;
    let several = config.listen.len() > 1;
    let clients = config.listen.iter().enumerate().map(|(index, address)| {
        let path = key(&["listen"]);
        (if several { path.index(index) } else { path }, address)
    });
    let metrics = config.metrics.iter();
    let metrics = metrics.map(|address| (key(&["metrics", "listen"]), address));
    let admin = config.admin.iter();
    let admin = admin.map(|admin| (key(&["admin", "listen"]), &admin.listen));
    clients.chain(metrics).chain(admin).collect()
}

/// Whether two addresses cannot be had together; a warning where it depends on the system (`net.ipv6.bindv6only`).
fn overlap(one: &Listen, other: &Listen) -> Option<Severity> {
    match (one, other) {
        (Listen::Unix(one), Listen::Unix(other)) => (one == other).then_some(Severity::Error),
        (Listen::Tcp(one), Listen::Tcp(other)) => overlap_tcp(*one, *other),
        _ => None,
    }
}

fn overlap_tcp(one: SocketAddr, other: SocketAddr) -> Option<Severity> {
    if one.port() != other.port() || one.port() == 0 {
        return None;
    }
    let any = |ip: IpAddr| ip.is_unspecified();
    if one.is_ipv4() == other.is_ipv4() {
        let same = one.ip() == other.ip() || any(one.ip()) || any(other.ip());
        return same.then_some(Severity::Error);
    }
    let takes_both = |address: SocketAddr| address.is_ipv6() && any(address.ip());
    (takes_both(one) || takes_both(other)).then_some(Severity::Warning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_addresses_collide() {
        let tcp = |text: &str| Listen::Tcp(text.parse().unwrap());
        for (one, other, expected) in [
            ("127.0.0.1:1", "127.0.0.1:1", Some(Severity::Error)),
            ("0.0.0.0:1", "127.0.0.1:1", Some(Severity::Error)),
            ("127.0.0.1:1", "127.0.0.2:1", None),
            ("127.0.0.1:1", "127.0.0.1:2", None),
            ("127.0.0.1:0", "127.0.0.1:0", None),
            ("[::]:1", "[::1]:1", Some(Severity::Error)),
            ("[::]:1", "127.0.0.1:1", Some(Severity::Warning)),
            ("[::1]:1", "0.0.0.0:1", None),
        ] {
            assert_eq!(overlap(&tcp(one), &tcp(other)), expected, "{one} {other}");
            assert_eq!(overlap(&tcp(other), &tcp(one)), expected, "{other} {one}");
        }
        let unix = |path: &str| Listen::Unix(path.into());
        assert_eq!(overlap(&unix("/a"), &unix("/a")), Some(Severity::Error));
        assert_eq!(overlap(&unix("/a"), &unix("/b")), None);
        assert_eq!(overlap(&unix("/a"), &tcp("127.0.0.1:1")), None);
    }
}
