//! What is recorded of a request's headers: the trace that it belongs to, and those that `log.headers` names.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::HeaderName;
use schemars::JsonSchema;
use serde::Serialize;

use super::record::bounded_to;

/// The most bytes of a header's value that are kept: it stays with the connection for as long as that lives.
const MAX_VALUE: usize = 256;

/// Kept with a connection, and only if there is any of it.
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
    /// What is recorded of these headers; none: there is nothing.
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
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &[u8])| {
            let value = HeaderValue::from_bytes(value).unwrap();
            (HeaderName::from_static(name), value)
        };
        lines.iter().map(line).collect()
    }

    fn traced(values: &[&str]) -> Option<Box<str>> {
        let lines: Vec<_> = values
            .iter()
            .map(|value| ("traceparent", value.as_bytes()))
            .collect();
        trace_id(&headers(&lines))
    }

    #[test]
    fn a_trace_id_comes_from_a_valid_traceparent_alone() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = "00f067aa0ba902b7";
        let valid = format!("00-{trace}-{parent}-01");
        for value in [
            valid.clone(),
            format!("cc-{trace}-{parent}-01"),
            format!("cc-{trace}-{parent}-01-what-the-future-has"),
        ] {
            assert_eq!(traced(&[&value]).as_deref(), Some(trace), "{value}");
        }
        let zeros = "0".repeat(32);
        for value in [
            String::new(),
            format!("ff-{trace}-{parent}-01"),
            format!("00-{zeros}-{parent}-01"),
            format!("00-{trace}-{}-01", &zeros[..16]),
            format!("00-{trace}-{parent}"),
            format!("00-{trace}-{parent}-1"),
            format!("00-{trace}-{parent}-01-x"),
            format!("00-{trace}-{parent}-01."),
            format!("00-{}-{parent}-01", &trace[1..]),
            format!("00-{}-{parent}-01", trace.to_uppercase()),
            format!(" 00-{trace}-{parent}-01"),
        ] {
            assert_eq!(traced(&[&value]), None, "{value}");
        }
        assert_eq!(traced(&[&valid, &valid]), None, "which of two counts?");
    }

    #[test]
    fn named_headers_are_kept_as_far_as_they_are_there_and_short() {
        let long = [b'x'; 1000];
        let map = headers(&[
            ("user-agent", b"Mozilla/5.0"),
            ("x-app", b"a"),
            ("x-app", b"\xe9"),
            ("x-long", &long),
            ("authorization", b"secret"),
        ]);
        let names = ["user-agent", "x-app", "x-long", "x-none"].map(HeaderName::from_static);
        let recorded = RequestHeaders::of(&map, &names).unwrap();
        let kept: Vec<(&str, &str)> = recorded
            .headers
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let cut = format!("{}…", "x".repeat(MAX_VALUE));
        assert_eq!(
            kept,
            [
                ("user-agent", "Mozilla/5.0"),
                ("x-app", "a, \u{fffd}"),
                ("x-long", &cut)
            ]
        );
    }

    #[test]
    fn nothing_is_kept_of_a_request_of_which_nothing_is_recorded() {
        let map = headers(&[("user-agent", b"Mozilla/5.0")]);
        assert_eq!(RequestHeaders::of(&map, &[]), None);
        let absent = [HeaderName::from_static("x-none")];
        assert_eq!(RequestHeaders::of(&map, &absent), None);
    }
}
