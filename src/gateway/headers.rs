//! What of a request's and of an answer's head is passed on (RFC 9110 section 7.6).

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

/// Removes what belongs to one connection only, the headers that `Connection` names among it.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // Usually `Upgrade`, `keep-alive` or `close`: those that go anyway, or are no names of headers.
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
/// A transfer coding that nobody here takes off, and that its receiver would not learn of (RFC 9112 section 6.1).
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

/// Removes the headers that are for sidecar and backend alone (`X-Sidebeat-Conn` and so on): a client may not speak in
/// the sidecar's name. Underscores count as hyphens, as they do where a backend makes variables of headers.
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
    // The sidecar itself answers `100 Continue`, as soon as it begins to pass the body on.
    headers.remove(EXPECT);
    remove_own(headers);
    if let Some(ip) = peer.ip() {
        let ip = ip.to_string();
        append_to_list(headers, X_FORWARDED_FOR, &ip);
        insert_if_absent(headers, X_REAL_IP, &ip);
    }
    // Set by whatever stands in front, if anything does: the sidecar itself is reached over plain HTTP.
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
        .map(str::trim)
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

/// What is kept of an offer to find the route again when the file changes: each name once, with commas in between,
/// those first that routes ask for now. One that is too long, such as a token that is sent as a subprotocol, is left
/// out.
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
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn rfc_9110_section_7_6_1_what_connection_names_goes_too() {
        let mut map = headers(&[
            ("connection", "Upgrade, X-Secret"),
            ("upgrade", "websocket"),
            ("x-secret", "1"),
            ("x-other", "2"),
        ]);
        remove_hop_by_hop(&mut map);
        assert_eq!(map.len(), 1);
        assert!(map.contains_key("x-other"));
    }

    #[test]
    fn forwarded_for_grows_and_the_rest_is_kept() {
        let mut map = headers(&[
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a"),
        ]);
        let config = config("");
        let upstream = &config.default.upstream;
        let peer = Peer::for_tests("203.0.113.7:1234");
        prepare_request(&mut map, "b", &peer, "id", upstream);
        assert_eq!(map["x-forwarded-for"], "192.0.2.1, 203.0.113.7");
        assert_eq!(map["x-forwarded-proto"], "https");
        assert_eq!(map["x-forwarded-host"], "a");
        assert_eq!(map["x-real-ip"], "203.0.113.7");
        assert_eq!(map["x-request-id"], "id");
        assert_eq!(map["host"], "b");
    }

    #[test]
    fn what_came_in_forwarded_for_is_kept_whatever_it_is() {
        let config = config("");
        for (lines, list) in [
            (&[][..], &b"203.0.113.7"[..]),
            (&[&b""[..], b" "], b"203.0.113.7"),
            (&[b"a", b"b, c"], b"a, b, c, 203.0.113.7"),
            (
                &[b"\xe9, unknown", b"[::1]:80,"],
                b"\xe9, unknown, [::1]:80,, 203.0.113.7",
            ),
        ] {
            let lines = lines.iter().map(|line| HeaderValue::from_bytes(line));
            let mut map: HeaderMap = lines.map(|line| (X_FORWARDED_FOR, line.unwrap())).collect();
            map.insert(X_REAL_IP, HeaderValue::from_static("192.0.2.1"));
            let peer = Peer::for_tests("203.0.113.7:1234");
            prepare_request(&mut map, "b", &peer, "id", &config.default.upstream);
            assert_eq!(map["x-forwarded-for"].as_bytes(), list);
            assert_eq!(map["x-real-ip"], "192.0.2.1", "set by a proxy in front");
        }
    }

    #[test]
    fn a_client_cannot_speak_in_the_sidecars_name() {
        let mut map = headers(&[
            ("x-sidebeat-conn", "1"),
            ("x-sidebeat-user", "root"),
            ("x_sidebeat_state", "1"),
            ("x-sidebeatish", "1"),
            ("x-side", "1"),
        ]);
        map.append("x-sidebeat-conn", HeaderValue::from_static("2"));
        remove_own(&mut map);
        let mut left: Vec<&str> = map.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["x-side", "x-sidebeatish"]);
    }

    #[test]
    fn a_request_id_with_control_characters_or_without_end_is_replaced() {
        assert_eq!(
            &*request_id(&headers(&[("x-request-id", "abc-1")])),
            "abc-1"
        );
        assert_eq!(request_id(&headers(&[("x-request-id", "a b")])).len(), 26);
        assert_eq!(request_id(&headers(&[])).len(), 26);
    }

    fn config(more: &str) -> Config {
        let text = format!("listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2\n{more}");
        crate::config::parse(&text, "test", &|_| None)
            .unwrap()
            .config
    }

    fn offer(lines: &[&[u8]]) -> HeaderMap {
        let lines = lines.iter().map(|line| HeaderValue::from_bytes(line));
        lines
            .map(|line| (SEC_WEBSOCKET_PROTOCOL, line.unwrap()))
            .collect()
    }

    #[test]
    fn every_offered_subprotocol_counts_for_the_route_whatever_stands_beside_it() {
        let map = offer(&[b"a, b", b"a", b",c ,", b"x, \xe9, d"]);
        assert_eq!(offered_subprotocols(&map), ["a", "b", "a", "c", "x", "d"]);
        let before = format!("{}chat", "t,".repeat(1000));
        let map = offer(&[before.as_bytes()]);
        assert!(offered_subprotocols(&map).contains(&"chat"));
    }

    #[test]
    fn what_is_kept_of_an_offer_is_short_and_has_what_routes_ask_for() {
        let plain = config("");
        assert_eq!(&*kept_subprotocols(&[], &plain), "");
        assert_eq!(&*kept_subprotocols(&["a", "b", "a", "c"], &plain), "a,b,c");
        let token = "t".repeat(MAX_KEPT_OFFERED);
        assert_eq!(&*kept_subprotocols(&[&token, "chat"], &plain), "chat");
        let many: Vec<String> = (0..30_000).map(|name| name.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let kept = kept_subprotocols(&many, &plain);
        assert!(
            kept.starts_with("0,1,2,") && kept.len() <= MAX_KEPT_OFFERED,
            "{kept}"
        );
        let routes = config("routes: [{match: {subprotocol: '29999'}}]");
        let kept = kept_subprotocols(&many, &routes);
        assert!(kept.starts_with("29999,0,1,"), "{kept}");
    }
}
