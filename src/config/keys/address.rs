//! Where to listen, where to dial, and the Host to send.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde_json::json;

use super::super::engine::{Scalar, nearest, quoted};
use super::super::model::{HostHeader, Listen, Target};

/// The longest path that a Unix socket's address holds, in bytes.
const MAX_SOCKET_PATH: usize = 107;

/// An address to listen on.
pub(crate) const LISTEN: Scalar<Listen> = Scalar {
    read: listen,
    show: |value| json!(value.to_string()),
    schema: || json!({"type": "string", "pattern": "^(unix:/[^?]+(\\?mode=0?[0-7]{3})?|.*:[0-9]{1,5})$"}),
};

/// A backend's URL.
pub(crate) const TARGET: Scalar<Target> = Scalar {
    read: target,
    show: |value| match value {
        Target::Tcp { host, port } if host.contains(':') => json!(format!("ws://[{host}]:{port}")),
        Target::Tcp { host, port } => json!(format!("ws://{host}:{port}")),
        Target::Unix(path) => json!(format!("unix:{}", path.display())),
    },
    schema: || json!({"type": "string", "pattern": "^(ws://[^/?#@]+/?|unix:/[^?]+)$"}),
};

/// `preserve`, `upstream`, or the header's text.
pub(crate) const HOST: Scalar<HostHeader> = Scalar {
    read: |text| match text {
        "preserve" => Ok(HostHeader::Preserve),
        "upstream" => Ok(HostHeader::Upstream),
        _ if is_authority(text) => Ok(HostHeader::Literal(text.to_owned())),
        _ => Err(format!(
            "{} is no Host header; write `preserve`, `upstream` or a host name",
            quoted(text)
        )),
    },
    show: |value| match value {
        HostHeader::Preserve => json!("preserve"),
        HostHeader::Upstream => json!("upstream"),
        HostHeader::Literal(text) => json!(text),
    },
    schema: || json!({"anyOf": [{"enum": ["preserve", "upstream"]}, {"type": "string", "minLength": 1}]}),
};

fn listen(text: &str) -> Result<Listen, String> {
    if let Some(socket) = text.strip_prefix("unix:") {
        return unix_socket(socket);
    }
    if text.parse::<u16>().is_ok() {
        return Err(format!(
            "an address is needed: write :{text} for every interface, or 127.0.0.1:{text}"
        ));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.trim_end_matches('/');
        return Err(format!(
            "`{}` needs no scheme here; write {rest}",
            plain_scheme(scheme)
        ));
    }
    let (host, port) = split_port(text)?;
    let port = port.ok_or_else(|| format!("{} has no port; write {text}:8080", quoted(text)))?;
    let address = match host {
        "" | "*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => host.parse().map_err(|_| {
            format!("{} is no IP address; write :{port}, 0.0.0.0:{port}, [::1]:{port}, localhost:{port} or unix:/path", quoted(host))
        })?,
    };
    // An IPv4 address is one, however it is written.
    Ok(Listen::Tcp(SocketAddr::new(address.to_canonical(), port)))
}

/// `/path`, or `/path?mode=0660`.
fn unix_socket(text: &str) -> Result<Listen, String> {
    let (path, parameters) = match text.split_once('?') {
        Some((path, parameters)) => (path, Some(parameters)),
        None => (text, None),
    };
    let path = socket_path(path)?;
    let mode = parameters.map(socket_mode).transpose()?;
    Ok(Listen::Unix { path, mode })
}

/// `mode=0660`
fn socket_mode(parameters: &str) -> Result<u32, String> {
    let how = "write it as unix:/path?mode=0660";
    let (name, value) = parameters.split_once('=').unwrap_or((parameters, ""));
    if name != "mode" {
        return Err(match nearest(&name.to_lowercase(), ["mode"].into_iter()) {
            Some(mode) => format!("{} is no parameter; did you mean {mode}?", quoted(name)),
            None => format!(
                "{} is no parameter: a Unix socket has only `mode`; {how}",
                quoted(name)
            ),
        });
    }
    let octal = value.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let digits = value.strip_prefix('0').filter(|it| it.len() == 3);
    let digits = digits.unwrap_or(value);
    let mode = u32::from_str_radix(digits, 8).ok();
    match mode.filter(|_| octal && digits.len() == 3) {
        Some(mode) if mode & 0o222 == 0 => Err(format!(
            "with the mode {value} nobody may connect: that takes the right to write; {how}"
        )),
        Some(mode) => Ok(mode),
        None => Err(format!(
            "{} is no mode: three octal digits, for the owner, the group and others; {how}",
            quoted(value)
        )),
    }
}

fn target(text: &str) -> Result<Target, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        if path.contains('?') {
            return Err("a backend's socket has no parameters: its mode is set by the process that listens there; write unix:/path".to_owned());
        }
        return socket_path(path).map(Target::Unix);
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let meant = match text {
            _ if text.starts_with('/') => Some(format!("unix:{text}")),
            _ if split_port(text).is_ok_and(|(host, port)| port.is_some() && is_host(host)) => {
                Some(format!("ws://{text}"))
            }
            _ => None,
        };
        let meant = meant.unwrap_or_else(|| "ws://host:port or unix:/path".to_owned());
        return Err(format!("{} has no scheme; write {meant}", quoted(text)));
    };
    match scheme {
        "ws" => {}
        "wss" | "https" => {
            return Err(format!(
                "this version does not have {scheme}:// (TLS to the backend); use ws:// to a backend nearby"
            ));
        }
        "http" | "WS" | "tcp" => return Err(format!("did you mean ws://{rest}?")),
        _ => {
            return Err(format!(
                "`{}` is no scheme for a backend; write ws://host:port or unix:/path",
                plain_scheme(scheme)
            ));
        }
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return Err("a backend's URL has no path or query: requests keep the path and query of the client; write ws://host:port".to_owned());
    }
    if authority.contains('@') {
        return Err("a backend's URL has no user or password: the client's own headers are passed on; write ws://host:port".to_owned());
    }
    let (host, port) = split_port(authority)?;
    if !is_host(host) {
        return Err(format!("{} is no host; write ws://host:port", quoted(host)));
    }
    match port.unwrap_or(80) {
        0 => Err("nothing listens on port 0; write the backend's port".to_owned()),
        port => Ok(Target::Tcp {
            host: host.to_owned(),
            port,
        }),
    }
}

/// `host:port`, `[v6]:port` or either without a port; the host comes without brackets.
fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let unclosed = || format!("the `[` in {} is never closed", quoted(text));
            let (host, rest) = rest.split_once(']').ok_or_else(unclosed)?;
            if host.parse::<Ipv6Addr>().is_err() {
                return Err(format!("{} is no IPv6 address", quoted(host)));
            }
            match rest.strip_prefix(':') {
                None if rest.is_empty() => (host, None),
                None => {
                    return Err(format!(
                        "{} has something other than a port behind the `]`",
                        quoted(text)
                    ));
                }
                Some(port) => (host, Some(port)),
            }
        }
        None => match text.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return Err(format!(
                    "an IPv6 address is written in brackets, such as [::1]:8080, not {}",
                    quoted(text)
                ));
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let Some(port) = port else {
        return Ok((host, None));
    };
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    match port.parse() {
        Ok(port) if digits => Ok((host, Some(port))),
        _ => Err(format!(
            "{} is no port; write a number up to 65535",
            quoted(port)
        )),
    }
}

fn socket_path(path: &str) -> Result<PathBuf, String> {
    if path.starts_with(['@', '\0']) {
        return Err(
            "abstract sockets have no file whose permissions could keep others out; write unix:/path".to_owned(),
        );
    }
    if !path.starts_with('/') {
        return Err(
            "a Unix socket is named by its whole path, such as unix:/run/app.sock".to_owned(),
        );
    }
    if path.len() > MAX_SOCKET_PATH || path.contains('\0') {
        return Err(format!(
            "a Unix socket's path has at most {MAX_SOCKET_PATH} bytes, and no zero among them"
        ));
    }
    Ok(PathBuf::from(path))
}

/// A host name as in DNS (with the `_` that container names have), or an IP address without brackets.
pub(crate) fn is_host(text: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let named = !text.is_empty() && text.len() <= 253 && text.chars().all(name);
    (named && !text.starts_with(['.', '-']) && !text.contains(".."))
        || text.parse::<Ipv6Addr>().is_ok()
}

/// `host` or `host:port`, as in a Host header.
fn is_authority(text: &str) -> bool {
    split_port(text).is_ok_and(|(host, _)| is_host(host))
}

fn plain_scheme(scheme: &str) -> String {
    let quoted = quoted(&format!("{scheme}://"));
    quoted.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests;
