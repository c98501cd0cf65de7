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
mod tests {
    use hyper::Request;

    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/api/summary");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn status(headers: &[(&str, &str)], token: Option<&str>, changes: bool) -> u16 {
        let token = token.map(Token::for_tests);
        match check(&parts(headers), token.as_ref(), changes) {
            Ok(()) => 200,
            Err(problem) => problem.answer().status().as_u16(),
        }
    }

    const LOCAL: (&str, &str) = ("host", "127.0.0.1:9901");

    #[test]
    fn the_token_must_be_there_once_and_right() {
        for (value, expected) in [
            ("Bearer s3cret", 200),
            ("bearer s3cret", 200),
            ("Bearer  s3cret ", 200),
            ("Bearer s3cre", 401),
            ("Bearer s3cret2", 401),
            ("Bearer S3CRET", 401),
            ("Bearer ", 401),
            ("Bearers3cret", 401),
            ("Basic s3cret", 401),
            ("s3cret", 401),
            ("", 401),
        ] {
            let headers = [LOCAL, ("authorization", value)];
            assert_eq!(status(&headers, Some("s3cret"), false), expected, "{value}");
        }
        assert_eq!(status(&[LOCAL], Some("s3cret"), false), 401);
        let twice = [
            LOCAL,
            ("authorization", "Bearer s3cret"),
            ("authorization", "Bearer s3cret"),
        ];
        assert_eq!(status(&twice, Some("s3cret"), false), 401);
    }

    #[test]
    fn without_a_token_only_addresses_and_localhost_are_hosts() {
        for (host, expected) in [
            ("127.0.0.1", 200),
            ("127.0.0.1:9901", 200),
            ("[::1]:9901", 200),
            ("10.0.0.7:80", 200),
            ("localhost:9901", 200),
            ("LOCALHOST", 200),
            ("admin.localhost", 200),
            ("rebound.example.com", 421),
            ("localhost.example.com", 421),
            ("127.0.0.1.example.com", 421),
            ("notlocalhost", 421),
            ("sidebeat", 421),
            ("", 400),
            ("a b", 400),
        ] {
            assert_eq!(status(&[("host", host)], None, false), expected, "{host}");
        }
        let named = [
            ("host", "sidebeat.example.com"),
            ("authorization", "Bearer t"),
        ];
        assert_eq!(status(&named, Some("t"), false), 200, "with a token any");
        assert_eq!(status(&[], None, false), 400);
        assert_eq!(status(&[LOCAL, LOCAL], None, false), 400);
    }

    #[test]
    fn changes_come_from_here_or_from_no_page() {
        for (name, value, expected) in [
            ("sec-fetch-site", "same-origin", 200),
            ("sec-fetch-site", "none", 200),
            ("sec-fetch-site", "same-site", 403),
            ("sec-fetch-site", "cross-site", 403),
            ("sec-fetch-site", "", 403),
            ("origin", "http://127.0.0.1:9901", 200),
            ("origin", "http://127.0.0.1", 403),
            ("origin", "http://127.0.0.1:9902", 403),
            ("origin", "https://example.com", 403),
            ("origin", "null", 403),
            ("origin", "file://127.0.0.1:9901", 403),
            ("x-other", "cross-site", 200),
        ] {
            let headers = [LOCAL, (name, value)];
            assert_eq!(status(&headers, None, true), expected, "{name}: {value}");
            assert_eq!(status(&headers, None, false), 200, "reading is free");
        }
        let default_port = [("host", "localhost"), ("origin", "http://localhost:80")];
        assert_eq!(status(&default_port, None, true), 200);
        let behind_tls = [("host", "localhost"), ("origin", "https://localhost")];
        assert_eq!(status(&behind_tls, None, true), 200);
    }
}
