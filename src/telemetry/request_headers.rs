//! What is recorded of a request's headers: the trace that it belongs to, and those that `log.headers` names.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::HeaderName;
use schemars::JsonSchema;
use serde::Serialize;

use super::bounded::bounded_to;

/// The most bytes of a header's value that are kept: it stays with the connection for as long as that lives.
const MAX_VALUE: usize = 256;

/// The recorded headers of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RequestHeaders {
    /// The trace that the request belongs to, from its `traceparent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Box<str>>,
    /// The headers that `log.headers` names, those that the request has; long ones are cut.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<Box<str>, Box<str>>,
}

impl RequestHeaders {
    /// Selects what is recorded of these headers; `None` if that is nothing.
    #[must_use]
    pub fn of(headers: &HeaderMap, names: &[HeaderName]) -> Option<Box<Self>> {
        let named = names.iter().filter_map(|name| {
            let values: Vec<_> = headers
                .get_all(name)
                .into_iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            let value = bounded_to(&values.join(", "), MAX_VALUE);
            (!values.is_empty()).then(|| (name.as_str().into(), value))
        });
        let recorded = RequestHeaders {
            trace_id: trace_id(headers),
            headers: named.collect(),
        };
        (recorded != RequestHeaders::default()).then(|| Box::new(recorded))
    }
}

/// The trace id of a `traceparent` header that W3C Trace Context (section 3.2.2) allows: a version, 32 digits that are
/// not all zero, the parent's 16, and flags. A later version may have more behind them.
fn trace_id(headers: &HeaderMap) -> Option<Box<str>> {
    let mut values = headers.get_all("traceparent").into_iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let mut fields = value.to_str().ok()?.split('-');
    let mut field = |len: usize| {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_field = |field: &&str| field.len() == len && field.bytes().all(digit);
        fields.next().filter(is_field)
    };
    let is_zero = |field: &str| field.bytes().all(|byte| byte == b'0');
    let (version, trace, parent, _flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    let has_more = fields.next().is_some();
    if is_zero(trace) || is_zero(parent) || version == "ff" || (version == "00" && has_more) {
        return None;
    }
    Some(trace.into())
}

#[cfg(test)]
mod tests;
