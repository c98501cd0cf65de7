use super::*;

fn rule(path: &str, path_prefix: &str, host: &str, subprotocol: &str) -> RouteMatch {
    let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    RouteMatch {
        path: set(path),
        path_prefix: set(path_prefix),
        host: set(host),
        subprotocol: set(subprotocol),
    }
}

#[test]
fn every_field_that_is_set_must_hold() {
    let all = rule("/chat/ws", "/chat", "*.example.com", "mqtt");
    assert!(all.matches(b"/chat/ws", "a.example.com", &["json", "mqtt"]));
    assert!(!all.matches(b"/chat/w", "a.example.com", &["mqtt"]));
    assert!(!all.matches(b"/chat/ws", "example.com", &["mqtt"]));
    assert!(!all.matches(b"/chat/ws", "a.example.com", &["json"]));
    assert!(rule("", "", "", "").matches(b"/", "", &[]));
}

#[test]
fn prefixes_end_at_a_segment() {
    let chat = rule("", "/chat", "", "");
    for (path, taken) in [
        ("/chat", true),
        ("/chat/", true),
        ("/chat/1", true),
        ("/chatter", false),
        ("/", false),
    ] {
        assert_eq!(chat.matches(path.as_bytes(), "", &[]), taken, "{path}");
    }
    assert!(!rule("", "/chat/", "", "").matches(b"/chat", "", &[]));
    assert!(rule("", "/", "", "").matches(b"/any", "", &[]));
}

#[test]
fn a_wildcard_needs_a_label() {
    let wild = rule("", "", "*.example.com", "");
    for (host, taken) in [
        ("x.example.com", true),
        ("x.y.example.com", true),
        ("example.com", false),
        (".example.com", false),
        ("xexample.com", false),
    ] {
        assert_eq!(wild.matches(b"/", host, &[]), taken, "{host}");
    }
}

fn name_for<'a>(config: &'a Config, path: &str, host: &str, offered: &[&str]) -> &'a str {
    &config.route_for(path, host, offered).name
}

#[test]
fn requests_and_routes_are_compared_in_their_normal_forms() {
    let text = "listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2\nroutes:\n\
            - match: {path: /private}\n- match: {path: '/聊天'}\n- match: {path: '/caf%C3%A9%20%3F'}\n\
            - match: {path_prefix: /api}\n- match: {host: Chat.Example.COM.}\n- match: {host: '[0::1]'}\n\
            - match: {host: '*.Example.org'}\n";
    let config = crate::config::parse(text, "test", &|_| None)
        .unwrap()
        .config;
    for (path, host, name) in [
        ("/%70rivate", "h", "/private"),
        ("//private", "h", "/private"),
        ("/x/%2e%2e/private", "h", "/private"),
        ("/private/", "h", "default"),
        ("/%2570rivate", "h", "default"),
        ("/%E8%81%8A%E5%A4%A9", "h", "/聊天"),
        ("/caf%c3%a9%20%3f", "h", "/café ?"),
        ("/api%2Fx", "h", "/api/*"),
        ("/x/..//api", "h", "/api/*"),
        ("/apix", "h", "default"),
        ("/", "u:p@CHAT.example.com.:80", "chat.example.com"),
        ("/", "[::1]:80", "[::1]"),
        ("/", "A.EXAMPLE.org.", "*.example.org"),
    ] {
        assert_eq!(name_for(&config, path, host, &[]), name, "{path} {host}");
    }
}

#[test]
fn an_earlier_route_covers_a_narrower_one() {
    let cases = [
        (rule("/a", "", "", ""), rule("/a", "", "h", ""), true),
        (rule("/a", "", "", ""), rule("", "/a", "", ""), false),
        (rule("", "/a", "", ""), rule("/a/b", "", "", ""), true),
        (rule("", "/a", "", ""), rule("", "/ab", "", ""), false),
        (rule("", "", "*.x", ""), rule("", "", "a.x", ""), true),
        (rule("", "", "*.x", ""), rule("", "", "*.a.x", ""), true),
        (rule("", "", "*.a.x", ""), rule("", "", "*.x", ""), false),
        (rule("", "", "a.x", ""), rule("/a", "", "", ""), false),
        (rule("", "", "", "p"), rule("/a", "", "", "p"), true),
        (rule("", "", "", "p"), rule("/a", "", "", ""), false),
        (rule("", "/", "", ""), rule("", "", "a.x", ""), true),
    ];
    for (earlier, later, covered) in cases {
        assert_eq!(earlier.covers(&later), covered, "{earlier:?} {later:?}");
    }
    assert!(rule("/b", "/a", "", "").contradicts_itself());
    assert!(!rule("/a/b", "/a", "", "").contradicts_itself());
}

#[test]
fn a_match_has_a_short_name() {
    assert_eq!(rule("/chat", "", "", "").short(), "/chat");
    assert_eq!(rule("", "/api/", "", "").short(), "/api/*");
    assert_eq!(
        rule("/ws", "/", "chat.example.com", "mqtt").short(),
        "chat.example.com/ws[mqtt]"
    );
    assert_eq!(rule("", "", "", "mqtt").short(), "[mqtt]");
}
