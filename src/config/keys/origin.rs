//! Which origins may open a WebSocket.

use std::net::Ipv4Addr;

use serde_json::json;

use super::super::engine::{Scalar, quoted};
use super::super::model::OriginPattern;
use super::super::normal;
use super::address::is_host;
use super::route_match::{check_ascii, host_pattern};

/// What an editor can check of an origin; reading it checks more.
const PATTERN: &str = concat!(
    r"^(?!wss?://|http://.*:80$|https://.*:443$)",
    r"([A-Za-z][A-Za-z0-9+.-]*://[^/?#@* ]+|(\*\.)?[^/?#@*: ]+|\[[^/?#@* ]+\]|file://)$",
);

/// One item of `limits.allowed_origins`.
pub(crate) const ORIGIN: Scalar<OriginPattern> = Scalar {
    read: origin_pattern,
    show: |value| match value {
        OriginPattern::Exact(origin) => json!(origin),
        OriginPattern::Host(host) => json!(host),
        OriginPattern::Subdomain(suffix) => json!(format!("*{suffix}")),
    },
    schema: || json!({"type": "string", "pattern": PATTERN}),
};

fn origin_pattern(text: &str) -> Result<OriginPattern, String> {
    match text {
        "*" => {
            return Err("`*` alone is what an empty list means: any origin may connect".to_owned());
        }
        // Pages in sandboxes, and local files in most browsers; `file://` in some (RFC 6454 section 4 leaves it open).
        "null" => return Ok(OriginPattern::Exact(text.to_owned())),
        _ => {}
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return whole_origin(text, &scheme.to_ascii_lowercase(), rest).map(OriginPattern::Exact);
    }
    match host_pattern(text) {
        Ok(host) => Ok(match host.strip_prefix('*') {
            Some(suffix) => OriginPattern::Subdomain(suffix.to_owned()),
            None => OriginPattern::Host(host),
        }),
        Err(message) if !text.is_ascii() => Err(message),
        Err(_) => Err(no_origin(text)),
    }
}

/// An origin with its scheme, as browsers write it (RFC 6454 section 6.2).
fn whole_origin(text: &str, scheme: &str, rest: &str) -> Result<String, String> {
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !is_scheme || rest.contains(['*', ' ']) || rest.chars().any(char::is_control) {
        return Err(no_origin(text));
    }
    if scheme == "file" {
        return match rest {
            "" => Ok("file://".to_owned()),
            _ => Err("local files have no origin of their own: write file://, and `null`, which most browsers send".to_owned()),
        };
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.len() < rest.len() && !authority.is_empty() {
        return Err(format!(
            "an origin has no path, not even `/`: write {}",
            quoted(&format!("{scheme}://{authority}"))
        ));
    }
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(format!(
            "an origin has no user: write {}",
            quoted(&format!("{scheme}://{host}"))
        ));
    }
    if let "ws" | "wss" = scheme {
        return Err(format!(
            "an origin is that of the page, and no page is loaded over {scheme}://; write {}",
            quoted(&format!("{}://{authority}", scheme.replace("ws", "http")))
        ));
    }
    check_ascii(authority)?;
    match scheme {
        "http" => web_origin(text, scheme, authority, "80"),
        "https" => web_origin(text, scheme, authority, "443"),
        // Of extensions and of apps with a web view: `chrome-extension://…`, `capacitor://localhost`, `app://.`
        _ if authority.is_empty() => Err(no_origin(text)),
        _ => Ok(format!("{scheme}://{}", authority.to_ascii_lowercase())),
    }
}

/// An origin whose host and port every browser writes the same way.
fn web_origin(
    text: &str,
    scheme: &str,
    authority: &str,
    default_port: &str,
) -> Result<String, String> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let bracketed = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_right = match bracketed {
        Some(inner) => inner.contains(':') && is_host(inner),
        None => !host.contains(':') && is_host(host),
    };
    if !is_right {
        return Err(no_origin(text));
    }
    let host = match bracketed {
        Some(_) => normal::host(host).into_owned(),
        // A browser keeps a trailing dot.
        None => host.to_ascii_lowercase(),
    };
    let last_label = host.trim_end_matches('.').rsplit('.').next();
    let is_number = last_label.is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    if bracketed.is_none() && is_number && host.parse::<Ipv4Addr>().is_err() {
        return Err(format!(
            "{} is no IPv4 address as browsers write it; write all four numbers",
            quoted(&host)
        ));
    }
    let Some(port) = port else {
        return Ok(format!("{scheme}://{host}"));
    };
    if port == default_port || port.is_empty() {
        return Err(format!(
            "browsers leave the default port out, so that this would never match: write {}",
            quoted(&format!("{scheme}://{host}"))
        ));
    }
    match port.parse::<u16>() {
        Ok(number) if number > 0 && number.to_string() == port => {
            Ok(format!("{scheme}://{host}:{port}"))
        }
        _ => Err(format!(
            "{} is no port; write a number from 1 to 65535",
            quoted(port)
        )),
    }
}

fn no_origin(text: &str) -> String {
    format!(
        "{} is no origin; write https://chat.example.com, chat.example.com or *.example.com",
        quoted(text)
    )
}

#[cfg(test)]
mod tests;
