//! What was negotiated in `Sec-WebSocket-Extensions`, and what the sidecar adds to it.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, SEC_WEBSOCKET_EXTENSIONS};

use crate::protocol::{ExtensionError, deflate_accepted, deflate_offers, deflate_with};
use crate::session::Leg;

const CLIENT_NO_CONTEXT: &str = "client_no_context_takeover";
const SERVER_NO_CONTEXT: &str = "server_no_context_takeover";

/// The extensions of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    /// permessage-deflate holds, so that RSV1 means "compressed".
    pub(super) deflate: bool,
    client_inflates: bool,
    upstream_inflates: bool,
}

impl Extensions {
    /// Whether a compressed message of this leg's peer can be read without those before it.
    pub(super) fn inflates(&self, from: Leg) -> bool {
        match from {
            Leg::Client => self.client_inflates,
            Leg::Upstream => self.upstream_inflates,
        }
    }
}

/// Makes a client's offers those to the upstream; whether there are any. With `inspected`, the upstream is asked to
/// have the client compress each message on its own.
pub(super) fn offer(headers: &mut HeaderMap, strip: bool, inspected: bool) -> bool {
    let offers = deflate_offers(values(headers));
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    if strip || offers.is_empty() {
        return false;
    }
    let offers = if inspected {
        deflate_with(&offers, CLIENT_NO_CONTEXT)
    } else {
        offers
    };
    insert(headers, &offers);
    true
}

/// Judges the upstream's answer, and makes it the one to the client. With `inspected`, the client is told to compress
/// each message on its own even if the upstream did not ask for it: a server may ask for that unasked (RFC 7692 section
/// 7.1.1.2), and whoever keeps a context can read messages that use none.
///
/// # Errors
/// The answer has what was not offered.
pub(super) fn accept(
    headers: &mut HeaderMap,
    offered: bool,
    inspected: bool,
) -> Result<Extensions, ExtensionError> {
    let deflate = deflate_accepted(values(headers), offered)?;
    if deflate && inspected {
        let answer: Vec<&str> = values(headers).collect();
        let answer = deflate_with(&answer.join(", "), CLIENT_NO_CONTEXT);
        insert(headers, &answer);
    }
    let has =
        |parameter: &str| deflate && values(headers).any(|value| has_parameter(value, parameter));
    Ok(Extensions {
        deflate,
        client_inflates: has(CLIENT_NO_CONTEXT),
        upstream_inflates: has(SERVER_NO_CONTEXT),
    })
}

fn has_parameter(value: &str, parameter: &str) -> bool {
    value
        .split(';')
        .skip(1)
        .any(|part| part.trim().eq_ignore_ascii_case(parameter))
}

fn values(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(SEC_WEBSOCKET_EXTENSIONS)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
}

fn insert(headers: &mut HeaderMap, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(value))])
    }

    #[test]
    fn offers_are_passed_on_as_they_are_unless_messages_are_looked_at() {
        let client = "permessage-deflate; client_max_window_bits, permessage-deflate; client_no_context_takeover, x";
        let mut map = headers(client);
        assert!(offer(&mut map, false, false));
        assert_eq!(
            map[SEC_WEBSOCKET_EXTENSIONS],
            "permessage-deflate; client_max_window_bits, permessage-deflate; client_no_context_takeover"
        );
        let mut map = headers(client);
        assert!(offer(&mut map, false, true));
        assert_eq!(
            map[SEC_WEBSOCKET_EXTENSIONS],
            "permessage-deflate; client_max_window_bits; client_no_context_takeover, \
             permessage-deflate; client_no_context_takeover"
        );
    }

    #[test]
    fn strip_offers_nothing() {
        let mut map = headers("permessage-deflate");
        assert!(!offer(&mut map, true, false));
        assert!(map.is_empty());
    }

    #[test]
    fn the_client_is_told_to_keep_no_context_where_messages_are_looked_at() {
        let mut map = headers("permessage-deflate; server_no_context_takeover");
        let extensions = accept(&mut map, true, true).unwrap();
        assert_eq!(
            map[SEC_WEBSOCKET_EXTENSIONS],
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        );
        assert!(extensions.inflates(Leg::Client) && extensions.inflates(Leg::Upstream));

        let mut map = headers("permessage-deflate");
        let extensions = accept(&mut map, true, false).unwrap();
        assert_eq!(map[SEC_WEBSOCKET_EXTENSIONS], "permessage-deflate");
        assert!(
            extensions.deflate
                && !extensions.inflates(Leg::Client)
                && !extensions.inflates(Leg::Upstream)
        );
    }

    #[test]
    fn what_was_not_offered_is_refused() {
        assert!(accept(&mut headers("permessage-deflate"), false, true).is_err());
        assert_eq!(
            accept(&mut HeaderMap::new(), true, true),
            Ok(Extensions::default())
        );
    }
}
