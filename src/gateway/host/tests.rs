use super::*;

fn ask(version: Version, uri: &str, hosts: &[&[u8]]) -> Result<String, HostError> {
    let mut request = Request::builder().version(version).uri(uri);
    for host in hosts {
        request = request.header(HOST, *host);
    }
    of(&request.body(()).unwrap()).map(String::from)
}

#[test]
fn there_is_exactly_one_host_header_in_http_1_1() {
    let ask = |version, hosts: &[&[u8]]| ask(version, "/", hosts);
    assert_eq!(ask(Version::HTTP_11, &[]), Err(HostError::Missing));
    for version in [Version::HTTP_10, Version::HTTP_11] {
        for hosts in [[&b"a"[..], b"b"], [b"a", b"a"]] {
            assert_eq!(ask(version, &hosts), Err(HostError::Repeated));
        }
        assert_eq!(ask(version, &[b"a:80"]).as_deref(), Ok("a:80"));
    }
    assert_eq!(ask(Version::HTTP_10, &[]).as_deref(), Ok(""));
}

#[test]
fn what_is_no_host_is_refused() {
    for host in [
        "a",
        "A.Example.com.",
        "a:",
        "a:0",
        "a:65535",
        "127.0.0.1:80",
        "[::1]",
        "[::1]:8080",
        "under_score",
        "%e4%b8%ad",
        "xn--fiq228c.example",
    ] {
        let found = ask(Version::HTTP_11, "/", &[host.as_bytes()]);
        assert_eq!(found.as_deref(), Ok(host));
    }
    let no_hosts: [&[u8]; 20] = [
        b"",
        b":80",
        b"a b",
        b"a/b",
        b"user@a",
        b"user:password@a",
        b"a:b",
        b"a:+1",
        b"a:65536",
        b"a:1:2",
        b"::1",
        b"[::1",
        b"[::1]x",
        b"[a]",
        b"[fe80::1%25eth0]",
        b"a\tb",
        b"\xe4\xb8\xad",
        b"a%2",
        b"a?b",
        b"a,b, c",
    ];
    for host in no_hosts {
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let found = ask(version, "/", &[host]);
            assert_eq!(found, Err(HostError::Invalid), "{host:?}");
        }
    }
}

#[test]
fn an_absolute_uri_says_the_host_and_never_user_and_password() {
    let ask = |uri, hosts: &[&[u8]]| ask(Version::HTTP_11, uri, hosts);
    assert_eq!(ask("http://a:81/x", &[b"b"]).as_deref(), Ok("a:81"));
    let with_password = ask("http://user:p%40ss@a.example/x", &[b"b"]);
    assert_eq!(with_password.as_deref(), Ok("a.example"));
    assert_eq!(ask("http://a/x", &[]), Err(HostError::Missing));
    assert_eq!(ask("http://a/x", &[b"b@c"]), Err(HostError::Invalid));
}
