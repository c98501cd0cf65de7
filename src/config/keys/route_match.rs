//! The block `match` of a route.

use serde_json::json;

use super::super::engine::{Block, Scalar, quoted};
use super::super::model::{MAX_ROUTE_PATH, RouteMatch};
use super::super::normal;
use super::address::is_host;

pub(crate) fn route_match(b: &mut impl Block) -> RouteMatch {
    let none = None;
    RouteMatch {
        path: b.key("path", &none, &PATH, "The request's path, exactly."),
        path_prefix: b.key(
            "path_prefix",
            &none,
            &PATH,
            "The beginning of the path: `/chat` takes `/chat` and `/chat/1`, not `/chatter`.",
        ),
        host: b.key(
            "host",
            &none,
            &HOST_PATTERN,
            "The Host header without its port; or `*.example.com`.",
        ),
        subprotocol: b.key(
            "subprotocol",
            &none,
            &SUBPROTOCOL,
            "One of the subprotocols that the client offers.",
        ),
    }
}

/// `match.path`.
pub(crate) const PATH: Scalar<Option<String>> = Scalar {
    read: path,
    show: |value| json!(value.as_deref().unwrap_or_default()),
    schema: || json!({"type": "string", "pattern": r"^(?!.*/\.{0,2}/)(?!.*/\.{1,2}$)(/[^?#*\s]*)?$"}),
};

/// `match.host`.
pub(crate) const HOST_PATTERN: Scalar<Option<String>> = Scalar {
    read: |text| match text {
        "" => Ok(None),
        _ => host_pattern(text).map(Some),
    },
    show: |value| json!(value.as_deref().unwrap_or_default()),
    schema: || json!({"type": "string", "pattern": r"^(\*\.)?[^*/: ]*$|^\[.*\]$"}),
};

/// `match.subprotocol`.
pub(crate) const SUBPROTOCOL: Scalar<Option<String>> = Scalar {
    read: |text| match text {
        "" => Ok(None),
        _ if text.bytes().all(is_token_byte) => Ok(Some(text.to_owned())),
        _ => Err(format!(
            "{} is no subprotocol name (RFC 6455 section 4.1: a token)",
            quoted(text)
        )),
    },
    show: |value| json!(value.as_deref().unwrap_or_default()),
    schema: || json!({"type": "string"}),
};

/// The normal form of a path that stands in the file.
fn path(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if !text.starts_with('/') {
        return Err(format!(
            "a path begins with `/`: write {}",
            quoted(&format!("/{text}"))
        ));
    }
    if text.contains('*') {
        return Err(
            "paths have no wildcards; use `path_prefix` for everything below a path".to_owned(),
        );
    }
    if text.contains(['?', '#']) || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!(
            "{} is no path: queries, fragments and spaces are not part of it; write %3F, %23 or %20 for a `?`, `#` or space that is",
            quoted(text)
        ));
    }
    let Ok(decoded) = String::from_utf8(normal::decoded(text.as_bytes()).into_owned()) else {
        return Err(format!(
            "{} has an escape that is not UTF-8; browsers send UTF-8, so write the character itself",
            quoted(text)
        ));
    };
    if decoded.chars().any(char::is_control) {
        return Err(format!(
            "{} stands for a control character, which no path has",
            quoted(text)
        ));
    }
    let normal = normal::resolved(decoded.as_bytes());
    if *normal != *decoded.as_bytes() {
        return Err(format!(
            "no request ever has this path: dots and doubled slashes are resolved before paths are compared; write {}",
            quoted(&String::from_utf8_lossy(&normal))
        ));
    }
    if decoded.len() > MAX_ROUTE_PATH {
        return Err(format!(
            "a path of {} bytes is too long to be compared; at most {MAX_ROUTE_PATH} are",
            decoded.len()
        ));
    }
    Ok(Some(decoded))
}

/// The normal form of a host, or of `*.` and a host.
pub(crate) fn host_pattern(text: &str) -> Result<String, String> {
    let (star, name) = match text.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", text),
    };
    check_ascii(name)?;
    let bracketed = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_right = match bracketed {
        Some(inner) => star.is_empty() && inner.contains(':') && is_host(inner),
        None => !name.contains(':') && is_host(name),
    };
    let without = name.split_once("://").map_or(name, |(_, rest)| rest);
    let without = without.split(['/', '?', '#']).next().unwrap_or_default();
    let normal = normal::host(without);
    if is_right {
        return Ok(format!("{star}{normal}"));
    }
    let suggestion = match is_host(&normal) {
        true => format!("{star}{normal}"),
        false => "chat.example.com or *.example.com".to_owned(),
    };
    Err(format!(
        "{} is no host; write {suggestion}, without scheme or port",
        quoted(text)
    ))
}

/// Names with other letters are sent in their ASCII form (RFC 5890), and compared so.
pub(crate) fn check_ascii(host: &str) -> Result<(), String> {
    if host.is_ascii() {
        return Ok(());
    }
    Err(format!(
        "{} is never sent so: browsers send such a name in its ASCII form (punycode); write that, such as xn--bcher-kva.example for b\u{fc}cher.example",
        quoted(host)
    ))
}

/// A byte of a token (RFC 9110 section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
