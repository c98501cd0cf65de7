//! What was negotiated in `Sec-WebSocket-Extensions`, and what the sidecar adds to it.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, SEC_WEBSOCKET_EXTENSIONS};

use crate::protocol::{
    ExtensionError, Extensions, deflate_accepted, deflate_offers, deflate_without_client_context,
};

/// Makes a client's offers those to the upstream, and returns them; empty: none. With `inspected`, the upstream is asked
/// to have the client compress each message on its own.
pub(crate) fn offer(headers: &mut HeaderMap, strip: bool, inspected: bool) -> String {
    let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let mut offers = deflate_offers(values.filter_map(|value| value.to_str().ok()));
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    if strip || offers.is_empty() {
        return String::new();
    }
    if inspected {
        offers = deflate_without_client_context(&offers);
    }
    insert(headers, &offers);
    offers
}

/// Judges the upstream's answer to these offers, and makes it the one to the client. With `inspected`, the client is
/// told to compress each message on its own even if the upstream did not ask for it: a server may ask for that unasked
/// (RFC 7692 section 7.1.1.2), and whoever keeps a context can read messages that use none.
///
/// # Errors
/// The answer has what was not offered, or what no client can accept.
pub(crate) fn accept(
    headers: &mut HeaderMap,
    offers: &str,
    inspected: bool,
) -> Result<Extensions, ExtensionError> {
    let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let answer = values.join(", ");
    let Some(agreed) = deflate_accepted(&answer, offers)? else {
        return Ok(Extensions::default());
    };
    if inspected {
        insert(headers, &deflate_without_client_context(&answer));
    }
    Ok(Extensions::deflate(
        inspected || agreed.client_no_context_takeover,
        agreed.server_no_context_takeover,
    ))
}

fn insert(headers: &mut HeaderMap, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leg::Leg;

    fn headers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(value))])
    }

    #[test]
    fn offers_are_passed_on_as_they_are_unless_messages_are_looked_at() {
        let client = "permessage-deflate; client_max_window_bits, permessage-deflate; client_no_context_takeover, x";
        let mut map = headers(client);
        let offered = offer(&mut map, false, false);
        assert_eq!(map[SEC_WEBSOCKET_EXTENSIONS], *offered);
        assert_eq!(
            map[SEC_WEBSOCKET_EXTENSIONS],
            "permessage-deflate; client_max_window_bits, permessage-deflate; client_no_context_takeover"
        );
        let mut map = headers(client);
        offer(&mut map, false, true);
        assert_eq!(
            map[SEC_WEBSOCKET_EXTENSIONS],
            "permessage-deflate; client_max_window_bits; client_no_context_takeover, \
             permessage-deflate; client_no_context_takeover"
        );
    }

    #[test]
    fn strip_offers_nothing() {
        let mut map = headers("permessage-deflate");
        assert_eq!(offer(&mut map, true, false), "");
        assert!(map.is_empty());
    }

    #[test]
    fn the_client_is_told_to_keep_no_context_where_messages_are_looked_at() {
        let mut map = headers("permessage-deflate; server_no_context_takeover");
        let extensions = accept(&mut map, "permessage-deflate", true).unwrap();
        assert_eq!(
            map[SEC_WEBSOCKET_EXTENSIONS],
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        );
        assert!(extensions.inflates(Leg::Client) && extensions.inflates(Leg::Upstream));

        let mut map = headers("permessage-deflate");
        let extensions = accept(&mut map, "permessage-deflate", false).unwrap();
        assert_eq!(map[SEC_WEBSOCKET_EXTENSIONS], "permessage-deflate");
        assert!(
            extensions.deflate
                && !extensions.inflates(Leg::Client)
                && !extensions.inflates(Leg::Upstream)
        );
    }

    #[test]
    fn what_was_not_offered_or_cannot_be_read_is_refused() {
        let offers = "permessage-deflate";
        assert!(accept(&mut headers("permessage-deflate"), "", true).is_err());
        assert!(accept(&mut headers("permessage-deflate; foo"), offers, true).is_err());
        let unreadable = HeaderValue::from_bytes(b"permessage-deflate; \xff").unwrap();
        let mut map = HeaderMap::from_iter([(SEC_WEBSOCKET_EXTENSIONS, unreadable)]);
        assert!(accept(&mut map, offers, true).is_err());
        assert_eq!(
            accept(&mut HeaderMap::new(), offers, true),
            Ok(Extensions::default())
        );
    }
}
