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
