//! The normal forms of paths and hosts: a path, 0xFF, and a Host.

use std::sync::LazyLock;

use sidebeat::config::Config;
use sidebeat::config::{self, normal};

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let text = "listen: 127.0.0.1:1\nupstream: ws://127.0.0.1:2\nroutes:\n  \
                - match: {path: /private}\n  - match: {path_prefix: /under}\n  \
                - match: {host: chat.example.com}\n  - match: {host: '*.example.org'}\n";
    config::parse(text, "fuzz", &|_| None)
        .expect("a valid file")
        .config
});

/// What a backend that undoes every spelling makes of a path: slow and plain.
fn read(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let digits = path.get(at + 1..at + 3).filter(|_| path[at] == b'%');
        let digits = digits.filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|two| {
            let two = std::str::from_utf8(two).ok()?;
            u8::from_str_radix(two, 16).ok()
        });
        decoded.push(byte.unwrap_or(path[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    if decoded.first() != Some(&b'/') {
        return decoded;
    }
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut is_folder = true;
    for segment in decoded[1..].split(|byte| *byte == b'/') {
        is_folder = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let mut path = Vec::new();
    for segment in &segments {
        path.push(b'/');
        path.extend_from_slice(segment);
    }
    if is_folder {
        path.push(b'/');
    }
    path
}

/// The position of the route that a request takes; none: the default one.
fn taken(path: &str, host: &str) -> Option<usize> {
    let route = CONFIG.route_for(path, host, &[]);
    let mut routes = CONFIG.routes.iter();
    routes.position(|(_, known)| std::sync::Arc::ptr_eq(known, route))
}

fn check_path(path: &[u8]) {
    let normal = normal::path(path);
    let expected = read(path);
    assert_eq!(normal, expected, "the path as the backend reads it");
    let Ok(path) = std::str::from_utf8(path) else {
        return;
    };
    let under = expected == b"/under" || expected.starts_with(b"/under/");
    let route = taken(path, "");
    assert_eq!(route == Some(0), expected == b"/private", "{path:?}");
    assert_eq!(route == Some(1), under, "{path:?}");
}

fn check_host(host: &str) {
    let normal = normal::host(host).into_owned();
    assert!(
        !normal.bytes().any(|byte| byte.is_ascii_uppercase()),
        "{normal:?}"
    );
    assert!(!normal.contains('@'), "{normal:?}");
    // The other spellings of the same host take the same route.
    for other in [host.to_ascii_uppercase(), format!("user:secret@{host}")] {
        assert_eq!(normal::host(&other), normal, "{other:?}");
        assert_eq!(taken("/", &other), taken("/", host), "{other:?}");
    }
}

pub(crate) fn check(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0xff);
    check_path(parts.next().unwrap_or_default());
    if let Some(Ok(host)) = parts.next().map(std::str::from_utf8) {
        check_host(host);
    }
}
