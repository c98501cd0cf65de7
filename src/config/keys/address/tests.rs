use super::*;

#[test]
fn listen_addresses() {
    for (text, address) in [
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ("[::1]:8080", "[::1]:8080"),
        (":8080", "[::]:8080"),
        ("*:8080", "[::]:8080"),
        ("localhost:0", "127.0.0.1:0"),
    ] {
        assert_eq!(
            listen(text),
            Ok(Listen::Tcp(address.parse().unwrap())),
            "{text}"
        );
    }
    let mapped = listen("[::ffff:127.0.0.1]:80").unwrap();
    assert_eq!(mapped.to_string(), "127.0.0.1:80");
    assert_eq!(listen("*:8080").unwrap().to_string(), ":8080");
    for (text, mode) in [
        ("unix:/run/s", None),
        ("unix:/run/s?mode=0660", Some(0o660)),
        ("unix:/run/s?mode=600", Some(0o600)),
        ("unix:/run/s?mode=0777", Some(0o777)),
    ] {
        let path = "/run/s".into();
        let socket = Listen::Unix { path, mode };
        assert_eq!(listen(text).as_ref(), Ok(&socket), "{text}");
        assert_eq!(listen(&socket.to_string()), Ok(socket), "{text}");
    }
}

#[test]
fn a_bad_listen_address_says_what_to_write() {
    for (text, help) in [
        ("8080", "write :8080"),
        ("0.0.0.0", "has no port"),
        ("example.com:80", "no IP address"),
        ("::1:8080", "brackets"),
        ("[::1:8080", "never closed"),
        ("[::1]8080", "behind the `]`"),
        ("[localhost]:1", "no IPv6"),
        ("1.2.3.4:65536", "no port"),
        ("1.2.3.4:+80", "no port"),
        ("1.2.3.4:", "no port"),
        ("ws://0.0.0.0:80", "write 0.0.0.0:80"),
        ("unix:run", "whole path"),
        ("unix:", "whole path"),
        ("unix:?mode=0660", "whole path"),
        ("unix:@abstract", "abstract"),
        ("unix:/s?", "has only `mode`"),
        ("unix:/s?user=www", "has only `mode`"),
        ("unix:/s?mod=0660", "did you mean mode?"),
        ("unix:/s?Mode=0660", "did you mean mode?"),
        ("unix:/s?mode", "no mode"),
        ("unix:/s?mode=", "no mode"),
        ("unix:/s?mode=66", "no mode"),
        ("unix:/s?mode=0680", "no mode"),
        ("unix:/s?mode=+660", "no mode"),
        ("unix:/s?mode=1660", "no mode"),
        ("unix:/s?mode=00660", "no mode"),
        ("unix:/s?mode=0o660", "no mode"),
        ("unix:/s?mode=rw-rw----", "no mode"),
        ("unix:/s?mode=0660&mode=0600", "no mode"),
        ("unix:/s?mode=0444", "nobody may connect"),
        ("", "has no port"),
    ] {
        let message = listen(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
    assert!(listen(&format!("unix:/{}", "x".repeat(107))).is_err());
}

#[test]
fn backend_addresses() {
    let tcp = |host: &str, port| {
        Ok(Target::Tcp {
            host: host.to_owned(),
            port,
        })
    };
    assert_eq!(target("ws://127.0.0.1:9501"), tcp("127.0.0.1", 9501));
    assert_eq!(target("ws://swoole_1"), tcp("swoole_1", 80));
    assert_eq!(target("ws://[::1]:9501/"), tcp("::1", 9501));
    assert_eq!(target("unix:/run/s"), Ok(Target::Unix("/run/s".into())));
}

#[test]
fn a_bad_backend_address_says_what_to_write() {
    for (text, help) in [
        ("http://a:1", "did you mean ws://a:1?"),
        ("wss://a:1", "does not have wss://"),
        ("https://a:1", "does not have https://"),
        ("ftp://a", "no scheme"),
        ("a:9501", "has no scheme"),
        ("ws://a/chat", "keep the path"),
        ("ws://a?x", "keep the path"),
        ("ws://u:p@a", "no user"),
        ("ws://", "no host"),
        ("ws://a b", "no host"),
        ("ws://.a", "no host"),
        ("ws://a:0", "port 0"),
        ("ws://::1", "brackets"),
        ("unix:/s?mode=0660", "has no parameters"),
        ("unix:@s", "abstract"),
    ] {
        let message = target(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
}

#[test]
fn host_headers() {
    assert_eq!((HOST.read)("preserve"), Ok(HostHeader::Preserve));
    assert_eq!(
        (HOST.read)("chat.example.com:81"),
        Ok(HostHeader::Literal("chat.example.com:81".into()))
    );
    for text in ["", "a b", "a/b", "a\r\nX: y", "ws://a"] {
        assert!((HOST.read)(text).is_err(), "{text}");
    }
}
