use super::*;

#[test]
fn a_head_ends_with_its_empty_line_wherever_it_is_cut() {
    for (head, rest) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "more"),
        ("GET / HTTP/1.1\r\n\r\n", "\r\n\r\n"),
        ("GET / HTTP/1.1\nHost: a\n\n", "\n"),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", ""),
        ("\r\n\r\n\n\nGET / HTTP/1.0\r\n\r\n", "x"),
    ] {
        let whole = format!("{head}{rest}");
        for cut in 0..=whole.len() {
            let mut found = end_of_head(&whole.as_bytes()[..cut], 0);
            assert_eq!(found.is_some(), cut >= head.len(), "{head:?} at {cut}");
            found = found.or_else(|| end_of_head(whole.as_bytes(), cut));
            assert_eq!(found, Some(head.len()), "{head:?} at {cut}");
        }
    }
    assert_eq!(end_of_head(b"", 0), None);
    assert_eq!(end_of_head(b"\r\n\r\n\r\n", 0), None);
}

#[test]
fn an_opening_is_known_by_its_key() {
    let head = |text: &str| Head {
        bytes: text.into(),
        end: text.find("\r\n\r\n").unwrap() + 4,
    };
    let opening = head("GET / HTTP/1.1\r\nSEC-WebSocket-Key: a\r\n\r\nmore\n");
    assert!(opening.is_opening());
    assert_eq!(opening.lines(), 3);
    assert!(!head("GET / HTTP/1.1\r\nA: b\r\n\r\nSec-WebSocket-Key: a\r\n").is_opening());
}

#[test]
fn other_protocols_are_not_waited_for() {
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"GET\x00",
        b"GET / HTTP/9.9\r\n",
    ] {
        assert!(is_no_request(bytes), "{bytes:?}");
    }
    let many = format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(LINES + 1));
    for bytes in [
        &b"G"[..],
        b"\r\n",
        b"GET / HTTP/1.1\r\nHost",
        many.as_bytes(),
    ] {
        assert!(!is_no_request(bytes), "{bytes:?}");
    }
}
