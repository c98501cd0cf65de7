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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_of_a_path_has_one_normal_form() {
        for (sent, normal) in [
            ("/private", "/private"),
            ("/%70rivate", "/private"),
            ("/%70%72%69%76%61%74%65", "/private"),
            ("//private", "/private"),
            ("///private", "/private"),
            ("/./private", "/private"),
            ("/.//private", "/private"),
            ("/x/../private", "/private"),
            ("/../private", "/private"),
            ("/%2e%2E/private", "/private"),
            ("/x/.%2e/private", "/private"),
            ("/%2fprivate", "/private"),
            ("/x%2F..%2fprivate", "/private"),
            ("%2fprivate", "/private"),
            ("/private%2Fx", "/private/x"),
            ("/private/x/..", "/private/"),
            ("/private/.", "/private/"),
            ("/private//", "/private/"),
            ("/private/..", "/"),
            ("/a/b/../..", "/"),
            ("//", "/"),
            ("/", "/"),
            ("/..", "/"),
            ("/%E8%81%8A%E5%A4%A9", "/聊天"),
        ] {
            assert_eq!(&*path(sent.as_bytes()), normal.as_bytes(), "{sent}");
        }
    }

    #[test]
    fn what_a_backend_does_not_undo_stays_apart() {
        for (sent, normal) in [
            ("/private/", &b"/private/"[..]),
            ("/Private", b"/Private"),
            ("/private;x=1", b"/private;x=1"),
            ("/x/..;/private", b"/x/..;/private"),
            ("/\\private", b"/\\private"),
            ("/...", b"/..."),
            ("/.private", b"/.private"),
            ("/..private/x", b"/..private/x"),
            ("/%2570rivate", b"/%70rivate"),
            ("/%252e%252e/private", b"/%2e%2e/private"),
            ("/%zz%7%", b"/%zz%7%"),
            ("/%%370", b"/%70"),
            ("/private%00", b"/private\0"),
            ("/caf%E9", b"/caf\xe9"),
            ("*", b"*"),
            ("", b""),
        ] {
            assert_eq!(&*path(sent.as_bytes()), normal, "{sent}");
        }
    }

    #[test]
    fn a_normal_path_is_not_copied() {
        for text in ["/", "/chat/ws/", "/聊天", "/100%", "/a..b/.c", "*", ""] {
            assert!(matches!(path(text.as_bytes()), Cow::Borrowed(_)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_path_has_nothing_left_to_resolve(text in "/[a./%2eEfF5\\\\-]{0,24}") {
            let normal = path(text.as_bytes()).into_owned();
            prop_assert!(normal.starts_with(b"/"));
            prop_assert_eq!(&*resolved(&normal), &normal[..]);
            let mut segments = normal[1..].split(|byte| *byte == b'/').peekable();
            while let Some(segment) = segments.next() {
                prop_assert!(!matches!(segment, b"." | b".."));
                prop_assert!(!segment.is_empty() || segments.peek().is_none());
            }
        }
    }

    #[test]
    fn hosts_come_without_case_port_user_and_trailing_dot() {
        for (sent, normal) in [
            ("a", "a"),
            ("a:80", "a"),
            ("a:", "a"),
            ("A.Example.COM", "a.example.com"),
            ("a.example.com.", "a.example.com"),
            ("a.example.com.:8080", "a.example.com"),
            ("u:p@A.:80", "a"),
            ("u:p@x@a", "a"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("[0:0::0:1]:80", "[::1]"),
            ("[2001:DB8::A]", "[2001:db8::a]"),
            ("[x]", "[x]"),
            ("", ""),
            (".", ""),
        ] {
            assert_eq!(host(sent), normal, "{sent}");
            assert_eq!(host(&host(sent)), normal, "{sent}");
        }
        for normal in ["a.example.com", "[::1]", "127.0.0.1"] {
            assert!(matches!(host(normal), Cow::Borrowed(_)), "{normal}");
        }
    }
}
