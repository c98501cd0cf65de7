//! The normal form in which the paths and hosts of requests and of routes are compared.
//!
//! A backend undoes spellings that a proxy which compares text would take for something else: Swoole hands PHP
//! `/private` for `/%70rivate` and for `//private`. A route that restricts `/private` must therefore take all of them.
//! Only the comparison uses these forms; what is forwarded and logged stays as it was sent.
//!
//! Percent-escapes are decoded once (RFC 3986 section 6.2.2.2), before dot segments (section 5.2.4) and doubled slashes
//! are resolved, so that `%2e%2e` and `%2F` count as what they become. What a server behind the sidecar does not undo
//! is left alone: the case of a path, a trailing slash, `;` parameters, backslashes.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The normal form of a request's path, which comes without its query: `/x/../%70rivate` is `/private`.
///
/// An escape that is none (`%zz`) stays as it is. A path that does not begin with a slash (the `*` of OPTIONS) has no
/// segments and is only decoded.
#[must_use]
pub fn path(path: &[u8]) -> Cow<'_, [u8]> {
    match decoded(path) {
        Cow::Borrowed(path) => resolved(path),
        Cow::Owned(path) => match resolved(&path) {
            Cow::Owned(resolved) => Cow::Owned(resolved),
            Cow::Borrowed(_) => Cow::Owned(path),
        },
    }
}

/// Every valid percent-escape as the byte that it stands for; once, so that `%2570` becomes `%70`.
pub(super) fn decoded(path: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = (0..path.len()).find(|at| escape(&path[*at..]).is_some()) else {
        return Cow::Borrowed(path);
    };
    let mut out = Vec::with_capacity(path.len());
    out.extend_from_slice(&path[..first]);
    let mut rest = &path[first..];
    while let [byte, after @ ..] = rest {
        if let Some(decoded) = escape(rest) {
            out.push(decoded);
            rest = &rest[3..];
        } else {
            out.push(*byte);
            rest = after;
        }
    }
    Cow::Owned(out)
}

/// The byte that an escape at the beginning of `text` stands for.
fn escape(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else {
        return None;
    };
    let digit = |byte: u8| {
        let digit = char::from(byte).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    Some(digit(*high)? << 4 | digit(*low)?)
}

/// Without dot segments and empty segments, except an empty last one: a trailing slash tells two resources apart.
pub(super) fn resolved(path: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = path.strip_prefix(b"/") else {
        return Cow::Borrowed(path);
    };
    let is_dots = |segment: &[u8]| matches!(segment, b"." | b"..");
    let last = inner
        .rsplit(|byte| *byte == b'/')
        .next()
        .unwrap_or_default();
    let mut segments = inner.split(|byte| *byte == b'/');
    let is_empty_inside = path.windows(2).any(|pair| pair == b"//");
    if !is_empty_inside && !segments.any(is_dots) {
        return Cow::Borrowed(path);
    }
    let mut out = Vec::with_capacity(path.len());
    for segment in inner.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                let parent = out.iter().rposition(|byte| *byte == b'/');
                out.truncate(parent.unwrap_or_default());
            }
            _ => {
                out.push(b'/');
                out.extend_from_slice(segment);
            }
        }
    }
    if out.is_empty() || last.is_empty() || is_dots(last) {
        out.push(b'/');
    }
    Cow::Owned(out)
}

/// The normal form of a host, as a Host header or the authority of a URI has it: `u:p@Chat.Example.COM.:8080` is
/// `chat.example.com`. An IPv6 address keeps its brackets and is spelled as in RFC 5952.
#[must_use]
pub fn host(host: &str) -> Cow<'_, str> {
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(Ok(address)) = address.map(str::parse::<Ipv6Addr>) {
        let normal = format!("[{address}]");
        return match normal == host {
            true => Cow::Borrowed(host),
            false => Cow::Owned(normal),
        };
    }
    match host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(host.to_ascii_lowercase()),
        false => Cow::Borrowed(host),
    }
}

#[cfg(test)]
mod tests;
