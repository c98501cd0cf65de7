//! Negotiating `Sec-WebSocket-Extensions` on both sides.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, SEC_WEBSOCKET_EXTENSIONS};

use crate::protocol::{
    ExtensionError, Extensions, deflate_accepted, deflate_offers, deflate_without_client_context,
};

/// Replaces a client's offers by those to the upstream, and returns them; empty for none. With `inspected`, the upstream is asked
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

/// Checks the upstream's answer to these offers, and replaces it by the one to the client. With `inspected`, the client is
/// told to compress each message on its own even if the upstream did not ask for it: a server may ask for that unasked
/// (RFC 7692 section 7.1.1.2), and a client that keeps a context can read messages that use none.
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
mod tests;
