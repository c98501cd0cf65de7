//! Which headers of requests and answers are forwarded, and which are added (RFC 9110 section 7.6).

use hyper::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, Entry, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{HeaderMap, Uri};
use thiserror::Error;

use crate::config::{Config, HostHeader, Upstream};
use crate::net::dial::authority;
use crate::net::peer::Peer;
use crate::telemetry::bounded;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The longest X-Request-Id that is taken over from a client.
const MAX_REQUEST_ID: usize = 128;
/// Of the subprotocols that a client offers, so many, and so many bytes, are kept with the connection.
const MAX_KEPT_OFFERS: usize = 100;
const MAX_KEPT_OFFERED: usize = 1024;

/// Removes hop-by-hop headers, including those that `Connection` names.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // Usually `Upgrade`, `keep-alive` or `close`, which are removed anyway, or are no names of headers.
    let named: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter(|name| {
            !["upgrade", "keep-alive", "close"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        })
        .filter_map(|name| name.parse().ok())
        .collect();
    // Looked for among the few that there are: cheaper than asking the map for each.
    let standing = headers.keys().filter(|name| HOP_BY_HOP.contains(name));
    let standing: Vec<HeaderName> = standing.cloned().collect();
    for name in named.into_iter().chain(standing) {
        headers.remove(name);
    }
}

/// What is wrong with the framing of a request or of an answer.
#[derive(Debug, Error)]
#[error("its Transfer-Encoding is {0:?}, and not chunked")]
pub(crate) struct UnknownEncoding(Box<str>);

/// Whether a body is chunked.
///
/// # Errors
/// A transfer coding other than chunked, which would be forwarded without its header (RFC 9112 section 6.1).
pub(crate) fn is_chunked(headers: &HeaderMap) -> Result<bool, UnknownEncoding> {
    if !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(false);
    }
    let codings: Vec<&str> = tokens(headers, &TRANSFER_ENCODING).collect();
    match codings[..] {
        [coding] if coding.eq_ignore_ascii_case("chunked") => Ok(true),
        _ => Err(UnknownEncoding(bounded(&codings.join(", ")))),
    }
}

/// Makes an upstream's headers those of the answer to the client.
///
/// # Errors
/// Its framing cannot be understood.
pub(crate) fn prepare_answer(headers: &mut HeaderMap) -> Result<(), UnknownEncoding> {
    if is_chunked(headers)? {
        // RFC 9112 section 6.3: Transfer-Encoding overrides Content-Length, which must not be passed on.
        headers.remove(CONTENT_LENGTH);
    }
    remove_hop_by_hop(headers);
    Ok(())
}

/// Removes the headers that only the sidecar may set (`X-Sidebeat-Conn` and so on). Underscores count as hyphens, since
/// backends that make variables of headers do not distinguish them.
fn remove_own(headers: &mut HeaderMap) {
    let is_own = |name: &&HeaderName| {
        let mut prefix = name.as_str().bytes().map(|byte| match byte {
            b'_' => b'-',
            other => other,
        });
        b"x-sidebeat-"
            .iter()
            .all(|byte| prefix.next() == Some(*byte))
    };
    let own: Vec<HeaderName> = headers.keys().filter(is_own).cloned().collect();
    for name in own {
        headers.remove(name);
    }
}

/// Makes a client's headers those of the request to the upstream.
pub(crate) fn prepare_request(
    headers: &mut HeaderMap,
    host: &str,
    peer: &Peer,
    request_id: &str,
    upstream: &Upstream,
) {
    remove_hop_by_hop(headers);
    // The sidecar itself answers `100 Continue`, as soon as it begins to forward the body.
    headers.remove(EXPECT);
    remove_own(headers);
    if let Some(ip) = peer.ip() {
        let ip = ip.to_string();
        append_to_list(headers, X_FORWARDED_FOR, &ip);
        insert_if_absent(headers, X_REAL_IP, &ip);
    }
    // A proxy in front sets it, if there is one: the sidecar itself is reached over plain HTTP.
    insert_if_absent(headers, X_FORWARDED_PROTO, "http");
    if !host.is_empty() {
        insert_if_absent(headers, X_FORWARDED_HOST, host);
    }
    insert(headers, X_REQUEST_ID, request_id);
    match &upstream.host {
        // An HTTP/1.0 client need not send one; an HTTP/1.1 backend must get one.
        HostHeader::Preserve if host.is_empty() => {
            insert(headers, HOST, &authority(&upstream.target));
        }
        HostHeader::Preserve => insert(headers, HOST, host),
        HostHeader::Upstream => insert(headers, HOST, &authority(&upstream.target)),
        HostHeader::Literal(host) => insert(headers, HOST, host),
    }
}

/// The client's request id if it is short and printable, else a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> Box<str> {
    headers
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (1..=MAX_REQUEST_ID).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .map_or_else(|| ulid::Ulid::generate().to_string().into(), Into::into)
}

/// The path and query alone, as a request to a server has them (RFC 9112 section 3.2.1).
pub(crate) fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query()
        .cloned()
        .map_or_else(|| Uri::from_static("/"), Uri::from)
}

/// Whether a header that is a list of tokens has this one, ASCII case folded.
pub(crate) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|candidate| candidate.eq_ignore_ascii_case(token))
}

/// The elements of a header that is a list, over all its lines.
pub(crate) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// The subprotocols that a client offers, in its order. All of them: whatever else stands in the header, the backend
/// finds the one that a route asks for.
pub(crate) fn offered_subprotocols(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| std::str::from_utf8(name.trim_ascii()).ok())
        .filter(|name| !name.is_empty())
        .collect()
}

/// What is kept of an offer to find the route again after a reload: each name once, separated by commas, those that
/// routes ask for first. Names that are too long, such as a token that is sent as a subprotocol, are left out.
pub(crate) fn kept_subprotocols(offered: &[&str], config: &Config) -> Box<str> {
    let mut kept = String::new();
    let asked_for = |name: &&&str| config.routes_by_subprotocol(name);
    let others = offered.iter().filter(|name| !asked_for(name));
    for name in offered.iter().filter(asked_for).chain(others) {
        if kept.split(',').count() >= MAX_KEPT_OFFERS {
            break;
        }
        let is_new = kept.split(',').all(|known| known != *name);
        if is_new && kept.len() + name.len() < MAX_KEPT_OFFERED {
            if !kept.is_empty() {
                kept.push(',');
            }
            kept.push_str(name);
        }
    }
    kept.into()
}

/// Makes one list of all lines of a header, and appends to it. What came is kept as it is.
fn append_to_list(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let came = headers.get_all(&name).into_iter();
    let came = came.map(|line| line.as_bytes().trim_ascii());
    let came = came.filter(|line| !line.is_empty());
    let list: Vec<&[u8]> = came.chain([value.as_bytes()]).collect();
    if let Ok(list) = HeaderValue::from_bytes(&list.join(&b", "[..])) {
        headers.insert(name, list);
    }
}

fn insert_if_absent(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (Entry::Vacant(entry), Ok(value)) = (headers.entry(name), HeaderValue::from_str(value)) {
        entry.insert(value);
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests;
