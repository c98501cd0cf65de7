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
