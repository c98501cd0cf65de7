use hyper::header::{HeaderName, HeaderValue};

use super::*;

fn lost(lines: &[(HeaderName, &'static str)]) -> Option<String> {
    let key = (SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
    let lines = lines.iter().cloned().chain([key]);
    let lines = lines.map(|(name, value)| (name, HeaderValue::from_static(value)));
    what_is_lost(&lines.collect())
}

#[test]
fn a_key_without_both_headers_has_lost_one() {
    let whole = [(UPGRADE, "WebSocket"), (CONNECTION, "keep-alive, Upgrade")];
    assert_eq!(lost(&whole), None);
    for (headers, missing) in [
        (&[(CONNECTION, "close")][..], "without `Upgrade: websocket`"),
        (
            &[(UPGRADE, "h2c"), (CONNECTION, "Upgrade")],
            "without `Upgrade: websocket`",
        ),
        (
            &[(UPGRADE, "websocket"), (CONNECTION, "close")],
            "without `Connection: Upgrade`",
        ),
        (&[(UPGRADE, "websocket")], "without `Connection: Upgrade`"),
    ] {
        let detail = lost(headers).unwrap();
        assert!(detail.contains(missing), "{detail}");
    }
    assert_eq!(
        what_is_lost(&HeaderMap::new()),
        None,
        "no WebSocket was meant"
    );
}
