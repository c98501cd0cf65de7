use super::*;

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

#[test]
fn rfc_9110_section_7_6_1_what_connection_names_goes_too() {
    let mut map = headers(&[
        ("connection", "Upgrade, X-Secret"),
        ("upgrade", "websocket"),
        ("x-secret", "1"),
        ("x-other", "2"),
    ]);
    remove_hop_by_hop(&mut map);
    assert_eq!(map.len(), 1);
    assert!(map.contains_key("x-other"));
}

#[test]
fn forwarded_for_grows_and_the_rest_is_kept() {
    let mut map = headers(&[
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "a"),
    ]);
    let config = config("");
    let upstream = &config.default.upstream;
    let peer = Peer::for_tests("203.0.113.7:1234");
    prepare_request(&mut map, "b", &peer, "id", upstream);
    assert_eq!(map["x-forwarded-for"], "192.0.2.1, 203.0.113.7");
    assert_eq!(map["x-forwarded-proto"], "https");
    assert_eq!(map["x-forwarded-host"], "a");
    assert_eq!(map["x-real-ip"], "203.0.113.7");
    assert_eq!(map["x-request-id"], "id");
    assert_eq!(map["host"], "b");
}

#[test]
fn what_came_in_forwarded_for_is_kept_whatever_it_is() {
    let config = config("");
    for (lines, list) in [
        (&[][..], &b"203.0.113.7"[..]),
        (&[&b""[..], b" "], b"203.0.113.7"),
        (&[b"a", b"b, c"], b"a, b, c, 203.0.113.7"),
        (
            &[b"\xe9, unknown", b"[::1]:80,"],
            b"\xe9, unknown, [::1]:80,, 203.0.113.7",
        ),
    ] {
        let lines = lines.iter().map(|line| HeaderValue::from_bytes(line));
        let mut map: HeaderMap = lines.map(|line| (X_FORWARDED_FOR, line.unwrap())).collect();
        map.insert(X_REAL_IP, HeaderValue::from_static("192.0.2.1"));
        let peer = Peer::for_tests("203.0.113.7:1234");
        prepare_request(&mut map, "b", &peer, "id", &config.default.upstream);
        assert_eq!(map["x-forwarded-for"].as_bytes(), list);
        assert_eq!(map["x-real-ip"], "192.0.2.1", "set by a proxy in front");
    }
}

#[test]
fn a_client_cannot_speak_in_the_sidecars_name() {
    let mut map = headers(&[
        ("x-sidebeat-conn", "1"),
        ("x-sidebeat-user", "root"),
        ("x_sidebeat_state", "1"),
        ("x-sidebeatish", "1"),
        ("x-side", "1"),
    ]);
    map.append("x-sidebeat-conn", HeaderValue::from_static("2"));
    remove_own(&mut map);
    let mut left: Vec<&str> = map.keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["x-side", "x-sidebeatish"]);
}

#[test]
fn a_request_id_with_control_characters_or_without_end_is_replaced() {
    assert_eq!(
        &*request_id(&headers(&[("x-request-id", "abc-1")])),
        "abc-1"
    );
    assert_eq!(request_id(&headers(&[("x-request-id", "a b")])).len(), 26);
    assert_eq!(request_id(&headers(&[])).len(), 26);
}

fn config(more: &str) -> Config {
    let text = format!("listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2\n{more}");
    crate::config::parse(&text, "test", &|_| None)
        .unwrap()
        .config
}

fn offer(lines: &[&[u8]]) -> HeaderMap {
    let lines = lines.iter().map(|line| HeaderValue::from_bytes(line));
    lines
        .map(|line| (SEC_WEBSOCKET_PROTOCOL, line.unwrap()))
        .collect()
}

#[test]
fn every_offered_subprotocol_counts_for_the_route_whatever_stands_beside_it() {
    let map = offer(&[b"a, b", b"a", b",c ,", b"x, \xe9, d"]);
    assert_eq!(offered_subprotocols(&map), ["a", "b", "a", "c", "x", "d"]);
    let before = format!("{}chat", "t,".repeat(1000));
    let map = offer(&[before.as_bytes()]);
    assert!(offered_subprotocols(&map).contains(&"chat"));
}

#[test]
fn what_is_kept_of_an_offer_is_short_and_has_what_routes_ask_for() {
    let plain = config("");
    assert_eq!(&*kept_subprotocols(&[], &plain), "");
    assert_eq!(&*kept_subprotocols(&["a", "b", "a", "c"], &plain), "a,b,c");
    let token = "t".repeat(MAX_KEPT_OFFERED);
    assert_eq!(&*kept_subprotocols(&[&token, "chat"], &plain), "chat");
    let many: Vec<String> = (0..30_000).map(|name| name.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let kept = kept_subprotocols(&many, &plain);
    assert!(
        kept.starts_with("0,1,2,") && kept.len() <= MAX_KEPT_OFFERED,
        "{kept}"
    );
    let routes = config("routes: [{match: {subprotocol: '29999'}}]");
    let kept = kept_subprotocols(&many, &routes);
    assert!(kept.starts_with("29999,0,1,"), "{kept}");
}
