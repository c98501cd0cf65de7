//! The subprotocol that an upstream chose in its 101, compared with those that it was offered.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use thiserror::Error;

/// What is longer may be a token that an application sends as a subprotocol, and is not shown.
const MAX_SHOWN: usize = 40;

/// Why no client can accept the subprotocol of a 101 (RFC 6455 section 4.1, and section 4.2.2 for what it may be).
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum SubprotocolError {
    #[error("the backend chose {0}, which was not offered to it; clients refuse such an answer")]
    NotOffered(String),
    #[error(
        "the backend chose {0}, although none was offered to it; clients refuse such an answer. Have it leave \
         Sec-WebSocket-Protocol out then"
    )]
    NoneOffered(String),
    #[error(
        "the backend chose more than one subprotocol: Sec-WebSocket-Protocol must be one value in one line"
    )]
    Several,
    #[error(
        "the backend chose an empty subprotocol: it must leave Sec-WebSocket-Protocol out to choose none"
    )]
    Empty,
}

/// The lines of Sec-WebSocket-Protocol in a request.
pub(crate) fn offers(request: &HeaderMap) -> Vec<HeaderValue> {
    let lines = request.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    lines.cloned().collect()
}

/// Checks the choice in an answer to a request with these `offers`.
///
/// # Errors
/// It has one that was not offered, more than one, or an empty one.
pub(crate) fn check(answer: &HeaderMap, offers: &[HeaderValue]) -> Result<(), SubprotocolError> {
    let mut lines = answer.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let Some(line) = lines.next() else {
        return Ok(());
    };
    let chosen = line.as_bytes();
    if lines.next().is_some() || chosen.contains(&b',') {
        return Err(SubprotocolError::Several);
    }
    if chosen.is_empty() {
        return Err(SubprotocolError::Empty);
    }
    let mut offered = offers
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|offer| !offer.is_empty())
        .peekable();
    let any_offered = offered.peek().is_some();
    // Names of subprotocols are compared as they are (section 11.3.4).
    if offered.any(|offer| offer == chosen) {
        return Ok(());
    }
    Err(match any_offered {
        true => SubprotocolError::NotOffered(shown(chosen)),
        false => SubprotocolError::NoneOffered(shown(chosen)),
    })
}

fn shown(name: &[u8]) -> String {
    match name.len() {
        ..=MAX_SHOWN => format!("the subprotocol {:?}", String::from_utf8_lossy(name)),
        len => format!("a subprotocol of {len} bytes"),
    }
}

#[cfg(test)]
mod tests;
