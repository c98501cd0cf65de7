//! Where a sidecar's admin API is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use hyper::Uri;

use crate::config::Listen;

/// Where to connect to, and under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `authority` is the Host header; the first of `ips` that takes a connection, or what the name stands for.
    Tcp {
        authority: String,
        ips: Vec<SocketAddr>,
    },
    Unix(PathBuf),
}

/// Why a file's `admin.listen` says nothing of where to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum Unreachable {
    #[error("`admin: off`, so there is no API to ask; SIGTERM drains without it")]
    Off,
    #[error(
        "`admin.listen` has port 0, which is another one each time: take the one in the log's record admin_listening for --admin"
    )]
    AnyPort,
}

impl Address {
    /// What listens there on this machine.
    pub(super) fn of(listen: &Listen) -> Result<Address, Unreachable> {
        let socket = match listen {
            Listen::Unix { path, .. } => return Ok(Address::Unix(path.clone())),
            Listen::Tcp(socket) => *socket,
        };
        let port = socket.port();
        let local = |ip: IpAddr| SocketAddr::new(ip, port);
        let (v4, v6) = (
            local(Ipv4Addr::LOCALHOST.into()),
            local(Ipv6Addr::LOCALHOST.into()),
        );
        let ips = match socket.ip() {
            _ if port == 0 => return Err(Unreachable::AnyPort),
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => vec![v4],
            // Both families are served, where the machine has both.
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => vec![v4, v6],
            _ => vec![socket],
        };
        let authority = ips.first().unwrap_or(&socket).to_string();
        Ok(Address::Tcp { authority, ips })
    }
}

/// `http://host:port`, the same without `http://`, or `unix:/path`.
pub(super) fn read(text: &str) -> Result<Address, String> {
    if let Some(socket) = text.strip_prefix("unix:") {
        // As it stands in the file.
        let path = socket.split('?').next().unwrap_or_default();
        return match path.is_empty() {
            true => Err("write it as unix:/path".to_owned()),
            false => Ok(Address::Unix(path.into())),
        };
    }
    let with_scheme = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let how = "write http://host:port or unix:/path";
    let url: Uri = with_scheme
        .parse()
        .map_err(|error| format!("{error}; {how}"))?;
    match url.scheme_str() {
        Some("http") => {}
        Some("https") => return Err("there is no TLS in this version: go through a tunnel, such as `kubectl port-forward` or `ssh -L`".to_owned()),
        _ => return Err(how.to_owned()),
    }
    if url
        .path_and_query()
        .is_some_and(|path| path.as_str() != "/")
    {
        return Err(format!("it has no path; {how}"));
    }
    let host = url.host().filter(|host| !host.is_empty()).ok_or(how)?;
    let authority = format!("{host}:{}", url.port_u16().unwrap_or(80));
    let ips = Vec::new();
    Ok(Address::Tcp { authority, ips })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { authority, .. } => write!(f, "http://{authority}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
