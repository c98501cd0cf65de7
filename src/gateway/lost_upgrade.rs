//! Opening handshakes that lost their Upgrade in a proxy in front, as nginx drops it unless it is configured otherwise.
//! They are plain requests now (RFC 9110 section 7.8) and are forwarded as such; PHP answers them with some page, so
//! that only this log line says why no WebSocket opens.

use hyper::HeaderMap;
use hyper::header::{CONNECTION, SEC_WEBSOCKET_KEY, UPGRADE};

use super::headers::has_token;
use super::incoming::IncomingRequest;
use crate::telemetry::{Observer, bounded, events};

/// Reports a plain request that has a WebSocket's key.
pub(crate) fn report(incoming: &IncomingRequest, observer: &Observer) {
    let Some(detail) = what_is_lost(incoming.request.headers()) else {
        return;
    };
    observer.upgrade_missing(events::UpgradeMissing {
        request_id: &incoming.request_id,
        client: &incoming.peer.to_string(),
        host: &bounded(&incoming.host),
        path: &bounded(incoming.request.uri().path()),
        count: 1,
        detail: &detail,
    });
}

/// What a request with a WebSocket's key lacks, and what to do.
fn what_is_lost(headers: &HeaderMap) -> Option<String> {
    if !headers.contains_key(SEC_WEBSOCKET_KEY) {
        return None;
    }
    let lost = match (
        has_token(headers, &UPGRADE, "websocket"),
        has_token(headers, &CONNECTION, "upgrade"),
    ) {
        (true, true) => return None,
        (false, _) => "`Upgrade: websocket`",
        (true, false) => "`Connection: Upgrade`",
    };
    Some(format!(
        "an opening handshake came without {lost}, which a proxy in front has not passed on, and went to the backend \
         as plain HTTP; in nginx write `proxy_http_version 1.1`, `proxy_set_header Upgrade $http_upgrade` and \
         `proxy_set_header Connection \"upgrade\"` beside its proxy_pass"
    ))
}

#[cfg(test)]
mod tests;
