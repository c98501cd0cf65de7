//! Who may call: the token, and what keeps other web sites' pages out.

use std::net::IpAddr;

use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, StatusCode};

use super::super::problem::Problem;
use crate::config::Token;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a call may be answered; `changes`: it changes something.
pub(super) fn check(parts: &Parts, token: Option<&Token>, changes: bool) -> Result<(), Problem> {
    let host = host(parts)?;
    match token {
        Some(token) => bearer(&parts.headers, token)?,
        None => check_host(&host)?,
    }
    if changes {
        same_site(&parts.headers, &host)?;
    }
    Ok(())
}

/// The host that the caller believes to talk to (RFC 9110 section 7.2).
fn host(parts: &Parts) -> Result<Authority, Problem> {
    if let Some(authority) = parts.uri.authority() {
        return Ok(authority.clone());
    }
    let mut hosts = parts.headers.get_all(HOST).into_iter();
    let host = hosts.next().filter(|_| hosts.next().is_none());
    host.and_then(|host| Authority::try_from(host.as_bytes()).ok())
        .ok_or_else(|| {
            let detail = "there must be one Host header that names a host";
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })
}

/// RFC 6750 section 2.1.
fn bearer(headers: &HeaderMap, token: &Token) -> Result<(), Problem> {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let value = values.next().filter(|_| values.next().is_none());
    let Some(value) = value else {
        let detail = "every call needs one `Authorization: Bearer …` with admin.token";
        return Err(Problem::unauthorized(detail));
    };
    let given = value.as_bytes();
    let given = match given.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => b"",
    };
    // How long it takes must not tell how much of a guess is right.
    if constant_time_eq::constant_time_eq(given, token.reveal().as_bytes()) {
        Ok(())
    } else {
        Err(Problem::unauthorized("this is not admin.token"))
    }
}

/// Without a token, a page whose name was rebound to this address in DNS must get nothing: such a page says its own
/// name, and never an address or `localhost`.
fn check_host(host: &Authority) -> Result<(), Problem> {
    let name = host.host();
    let name = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    let lower = name.to_ascii_lowercase();
    let local = lower == "localhost" || lower.ends_with(".localhost");
    if local || name.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let detail = format!(
        "without admin.token the host must be an IP address or localhost, not {name}; set a token to use names"
    );
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail))
}

/// No page of another site may change anything, whatever the browser would let it read.
fn same_site(headers: &HeaderMap, host: &Authority) -> Result<(), Problem> {
    let refuse = |what: &str| {
        let detail = format!("{what}: pages of other sites may not change anything");
        Err(Problem::new(StatusCode::FORBIDDEN, detail))
    };
    for site in headers.get_all(SEC_FETCH_SITE) {
        if !matches!(site.as_bytes(), b"same-origin" | b"none") {
            return refuse("Sec-Fetch-Site is neither same-origin nor none");
        }
    }
    for origin in headers.get_all(ORIGIN) {
        if !is_origin_of(origin.as_bytes(), host) {
            return refuse("Origin is another host");
        }
    }
    Ok(())
}

fn is_origin_of(origin: &[u8], host: &Authority) -> bool {
    let Some((scheme, origin)) = std::str::from_utf8(origin)
        .ok()
        .and_then(|origin| origin.split_once("://"))
    else {
        return false;
    };
    let Ok(origin) = origin.parse::<Authority>() else {
        return false;
    };
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    origin.host().eq_ignore_ascii_case(host.host()) && port(&origin) == port(host)
}

#[cfg(test)]
mod tests;
