//! Who may call: the token, and what keeps other web sites' pages out. A request's body, which no call needs, is read
//! and forgotten here, within bounds, so that the connection can go on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::{BodyExt as _, Limited};

use hyper::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Method, StatusCode};

use super::super::problem::Problem;
use super::super::state::AdminState;
use crate::config::Token;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The longest body that is read, in bytes: more than anybody has reason to send.
const MAX_BODY: usize = 64 * 1024;
/// For a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Passes on a request to the API if its caller may make it.
pub(super) async fn guard(
    State(state): State<Arc<AdminState>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if parts.uri.path().starts_with("/api/") {
        let check = || {
            let config = state.context.config.load();
            let token = config.admin.as_ref().and_then(|admin| admin.token.as_ref());
            check(&parts, token)
        };
        check()?;
        read_to_end(body).await?;
        // The token may have changed meanwhile.
        check()?;
    }
    Ok(next.run(Request::from_parts(parts, Body::empty())).await)
}

async fn read_to_end(body: Body) -> Result<(), Problem> {
    if body.is_end_stream() {
        return Ok(());
    }
    let whole = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await;
    match whole {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => {
            let detail = "no call needs a body, and one of more than 64 KiB is refused";
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail))
        }
        Err(_) => {
            let detail = "the body, which no call needs, did not arrive in time";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}

fn check(parts: &Parts, token: Option<&Token>) -> Result<(), Problem> {
    let host = host(parts)?;
    match token {
        Some(token) => bearer(&parts.headers, token)?,
        None => check_host(&host)?,
    }
    // A call that changes something must not come from a page of another site.
    if !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
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
