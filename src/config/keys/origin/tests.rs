use super::*;

fn read(text: &str) -> Result<OriginPattern, String> {
    (ORIGIN.read)(text)
}

#[test]
fn an_origin_is_matched_by_scheme_host_and_port() {
    let allows = |pattern: &str, origin: &str| read(pattern).unwrap().allows(origin);
    assert!(allows("https://a.example.com", "https://A.example.com"));
    assert!(allows("HTTPS://A.Example.com", "https://a.example.com"));
    assert!(!allows("https://a.example.com", "http://a.example.com"));
    assert!(!allows(
        "https://a.example.com",
        "https://a.example.com:8443"
    ));
    assert!(allows("https://a:8443", "https://a:8443"));
    assert!(allows("https://[0::1]:8443", "https://[::1]:8443"));
    assert!(allows("a.example.com", "http://a.example.com:8443"));
    assert!(!allows("a.example.com", "http://b.example.com"));
    assert!(!allows("a.example.com", "a.example.com"));
    assert!(!allows("a.example.com", "http://evil@a.example.com"));
    assert!(allows("a.example.com.", "http://A.example.com."));
    assert!(allows("*.example.com", "https://x.y.Example.com:1"));
    assert!(!allows("*.example.com", "https://example.com"));
    assert!(!allows("*.example.com", "https://evil-example.com"));
    assert!(!allows("*.example.com", "https://evil.org/.example.com"));
    assert!(!allows("*.example.com", "null"));
    assert!(allows("null", "null"));
    assert!(allows("file://", "file://"));
    assert!(allows("chrome-extension://AbC", "chrome-extension://abc"));
    assert!(allows("capacitor://localhost", "capacitor://localhost"));
}

#[test]
fn an_origin_that_no_browser_sends_is_refused_with_the_one_that_is_meant() {
    for (text, help) in [
        ("*", "any origin"),
        ("", "is no origin"),
        ("https://", "is no origin"),
        ("https://*.a", "is no origin"),
        ("a:80", "is no origin"),
        ("a b", "is no origin"),
        ("*.*.a", "is no origin"),
        ("*a", "is no origin"),
        ("1://a", "is no origin"),
        ("app://", "is no origin"),
        ("https://a/", "write \"https://a\""),
        ("https://a/b", "write \"https://a\""),
        ("https://a?b", "write \"https://a\""),
        ("https://u:p@a", "write \"https://a\""),
        ("https://A.b:443", "write \"https://a.b\""),
        ("http://a:80", "write \"http://a\""),
        ("http://a:", "write \"http://a\""),
        ("wss://a:8443", "write \"https://a:8443\""),
        ("ws://a", "write \"http://a\""),
        ("https://a:0", "no port"),
        ("https://a:08443", "no port"),
        ("https://a:99999", "no port"),
        ("https://127.1", "all four numbers"),
        ("https://bücher.example", "punycode"),
        ("聊天.cn", "punycode"),
        ("file:///home", "file://"),
    ] {
        let message = read(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
    assert!(read("http://a:443").is_ok() && read("https://a:80").is_ok());
}
