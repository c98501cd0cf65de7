use proptest::prelude::*;

use super::*;

#[test]
fn every_spelling_of_a_path_has_one_normal_form() {
    for (sent, normal) in [
        ("/private", "/private"),
        ("/%70rivate", "/private"),
        ("/%70%72%69%76%61%74%65", "/private"),
        ("//private", "/private"),
        ("///private", "/private"),
        ("/./private", "/private"),
        ("/.//private", "/private"),
        ("/x/../private", "/private"),
        ("/../private", "/private"),
        ("/%2e%2E/private", "/private"),
        ("/x/.%2e/private", "/private"),
        ("/%2fprivate", "/private"),
        ("/x%2F..%2fprivate", "/private"),
        ("%2fprivate", "/private"),
        ("/private%2Fx", "/private/x"),
        ("/private/x/..", "/private/"),
        ("/private/.", "/private/"),
        ("/private//", "/private/"),
        ("/private/..", "/"),
        ("/a/b/../..", "/"),
        ("//", "/"),
        ("/", "/"),
        ("/..", "/"),
        ("/%E8%81%8A%E5%A4%A9", "/聊天"),
    ] {
        assert_eq!(&*path(sent.as_bytes()), normal.as_bytes(), "{sent}");
    }
}

#[test]
fn what_a_backend_does_not_undo_stays_apart() {
    for (sent, normal) in [
        ("/private/", &b"/private/"[..]),
        ("/Private", b"/Private"),
        ("/private;x=1", b"/private;x=1"),
        ("/x/..;/private", b"/x/..;/private"),
        ("/\\private", b"/\\private"),
        ("/...", b"/..."),
        ("/.private", b"/.private"),
        ("/..private/x", b"/..private/x"),
        ("/%2570rivate", b"/%70rivate"),
        ("/%252e%252e/private", b"/%2e%2e/private"),
        ("/%zz%7%", b"/%zz%7%"),
        ("/%%370", b"/%70"),
        ("/private%00", b"/private\0"),
        ("/caf%E9", b"/caf\xe9"),
        ("*", b"*"),
        ("", b""),
    ] {
        assert_eq!(&*path(sent.as_bytes()), normal, "{sent}");
    }
}

#[test]
fn a_normal_path_is_not_copied() {
    for text in ["/", "/chat/ws/", "/聊天", "/100%", "/a..b/.c", "*", ""] {
        assert!(matches!(path(text.as_bytes()), Cow::Borrowed(_)), "{text}");
    }
}

proptest! {
    #[test]
    fn a_normal_path_has_nothing_left_to_resolve(text in "/[a./%2eEfF5\\\\-]{0,24}") {
        let normal = path(text.as_bytes()).into_owned();
        prop_assert!(normal.starts_with(b"/"));
        prop_assert_eq!(&*resolved(&normal), &normal[..]);
        let mut segments = normal[1..].split(|byte| *byte == b'/').peekable();
        while let Some(segment) = segments.next() {
            prop_assert!(!matches!(segment, b"." | b".."));
            prop_assert!(!segment.is_empty() || segments.peek().is_none());
        }
    }
}

#[test]
fn hosts_come_without_case_port_user_and_trailing_dot() {
    for (sent, normal) in [
        ("a", "a"),
        ("a:80", "a"),
        ("a:", "a"),
        ("A.Example.COM", "a.example.com"),
        ("a.example.com.", "a.example.com"),
        ("a.example.com.:8080", "a.example.com"),
        ("u:p@A.:80", "a"),
        ("u:p@x@a", "a"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("[0:0::0:1]:80", "[::1]"),
        ("[2001:DB8::A]", "[2001:db8::a]"),
        ("[x]", "[x]"),
        ("", ""),
        (".", ""),
    ] {
        assert_eq!(host(sent), normal, "{sent}");
        assert_eq!(host(&host(sent)), normal, "{sent}");
    }
    for normal in ["a.example.com", "[::1]", "127.0.0.1"] {
        assert!(matches!(host(normal), Cow::Borrowed(_)), "{normal}");
    }
}
