//! The host that a request is for (RFC 9112 section 3.2).

use hyper::header::HOST;
use hyper::{HeaderMap, Request, Uri, Version};
use thiserror::Error;

/// What is wrong with a request's Host header; the answer is 400.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum HostError {
    #[error("there is no Host header")]
    Missing,
    #[error("there is more than one Host header")]
    Repeated,
    #[error("the Host header is no host")]
    Invalid,
}

/// The host, with its port if it has one, as the client sent it: of the request's URI, if that is absolute, else of
/// its Host header. Empty for HTTP/1.0 without one. User and password of a URI are never part of it.
///
/// # Errors
/// Section 3.2: an HTTP/1.1 request without Host, and any request with more than one or an invalid one, is answered
/// with 400, also where its URI names the host.
pub(crate) fn of<B>(request: &Request<B>) -> Result<Box<str>, HostError> {
    find(request.version(), request.uri(), request.headers())
}

fn find(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<Box<str>, HostError> {
    let mut lines = headers.get_all(HOST).into_iter();
    let header = match (lines.next(), lines.next()) {
        (Some(_), Some(_)) => return Err(HostError::Repeated),
        (Some(line), None) => line.to_str().map_err(|_| HostError::Invalid)?.trim_ascii(),
        (None, _) if version > Version::HTTP_10 => return Err(HostError::Missing),
        (None, _) => "",
    };
    let is_there = headers.contains_key(HOST);
    if is_there && !is_host(header) {
        return Err(HostError::Invalid);
    }
    let Some(authority) = uri.authority() else {
        return Ok(header.into());
    };
    let authority = authority.as_str();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    match is_host(host) {
        true => Ok(host.into()),
        false => Err(HostError::Invalid),
    }
}

/// Whether this is `uri-host [ ":" port ]` with a host that is not empty (RFC 3986 section 3.2.2).
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) if is_literal(address) => match after.strip_prefix(':') {
                Some(port) => ("[]", port),
                None if after.is_empty() => ("[]", ""),
                None => return false,
            },
            _ => return false,
        },
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let is_name = host == "[]" || is_registered_name(host);
    is_name && (port.is_empty() || port.parse::<u16>().is_ok_and(|_| !port.starts_with('+')))
}

fn is_literal(address: &str) -> bool {
    // Zones are local to the client, and nothing uses IPvFuture.
    address.parse::<std::net::Ipv6Addr>().is_ok()
}

/// `reg-name`, which an IPv4 address is as well.
fn is_registered_name(host: &str) -> bool {
    let mut rest = host.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match first {
            b'%' => match tail {
                [high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    tail
                }
                _ => return false,
            },
            byte if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) => tail,
            _ => return false,
        };
    }
    !host.is_empty()
}

#[cfg(test)]
mod tests;
