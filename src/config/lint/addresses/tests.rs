use super::*;

#[test]
fn which_addresses_collide() {
    let tcp = |text: &str| Listen::Tcp(text.parse().unwrap());
    for (one, other, expected) in [
        ("127.0.0.1:1", "127.0.0.1:1", true),
        ("0.0.0.0:1", "127.0.0.1:1", true),
        ("127.0.0.1:1", "127.0.0.2:1", false),
        ("127.0.0.1:1", "127.0.0.1:2", false),
        ("127.0.0.1:0", "127.0.0.1:0", false),
        ("[::]:0", "127.0.0.1:0", false),
        ("[::]:1", "[::]:1", true),
        ("[::]:1", "[::1]:1", true),
        ("[::]:1", "127.0.0.1:1", true),
        ("[::]:1", "0.0.0.0:1", true),
        ("[::]:1", "0.0.0.0:2", false),
        ("[::1]:1", "0.0.0.0:1", false),
        ("[::1]:1", "127.0.0.1:1", false),
    ] {
        assert_eq!(collide(&tcp(one), &tcp(other)), expected, "{one} {other}");
        assert_eq!(collide(&tcp(other), &tcp(one)), expected, "{other} {one}");
    }
    let unix = |path: &str, mode| Listen::Unix {
        path: path.into(),
        mode,
    };
    assert!(collide(&unix("/a", None), &unix("/a", Some(0o660))));
    assert!(collide(&unix("/a/b", None), &unix("/a/./b", None)));
    assert!(!collide(&unix("/a", None), &unix("/b", None)));
    assert!(!collide(&unix("/a", None), &tcp("127.0.0.1:1")));
}
