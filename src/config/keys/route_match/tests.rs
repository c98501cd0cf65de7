use super::*;

#[test]
fn a_path_that_no_request_can_have_is_refused_with_the_one_that_is_meant() {
    for (text, help) in [
        ("chat", "write \"/chat\""),
        ("/a*", "no wildcards"),
        ("/a?b", "%3F"),
        ("/a b", "%20"),
        ("/a#b", "%23"),
        ("//a", "write \"/a\""),
        ("/a//b", "write \"/a/b\""),
        ("/a/../b", "write \"/b\""),
        ("/a/%2e", "write \"/a/\""),
        ("/a%00", "control character"),
        ("/a%0D%0A", "control character"),
        ("/caf%E9", "not UTF-8"),
        (&format!("/{}", "a".repeat(MAX_ROUTE_PATH)), "too long"),
    ] {
        let message = (PATH.read)(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
    for (text, stored) in [
        ("/chat/", "/chat/"),
        ("/%63hat", "/chat"),
        ("/a%2Fb", "/a/b"),
        ("/100%", "/100%"),
        ("/a%20b", "/a b"),
    ] {
        assert_eq!((PATH.read)(text), Ok(Some(stored.to_owned())), "{text}");
    }
}

#[test]
fn a_host_that_no_request_can_have_is_refused_with_the_one_that_is_meant() {
    for (text, help) in [
        ("a:80", "write a, without"),
        ("*.A.b:80", "write *.a.b, without"),
        ("http://A.b/c", "write a.b, without"),
        ("*", "write chat.example.com or"),
        ("a.*", "write chat.example.com or"),
        ("[a]", "write chat.example.com or"),
        ("*.[::1]", "write chat.example.com or"),
        ("bücher.example", "punycode"),
        ("*.聊天.cn", "punycode"),
    ] {
        let message = (HOST_PATTERN.read)(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
    for (text, stored) in [
        ("[0:0::1]", "[::1]"),
        ("Chat.Example.com.", "chat.example.com"),
        ("*.Example.com", "*.example.com"),
    ] {
        assert_eq!(
            (HOST_PATTERN.read)(text),
            Ok(Some(stored.to_owned())),
            "{text}"
        );
    }
    assert!((SUBPROTOCOL.read)("a b").is_err());
}
