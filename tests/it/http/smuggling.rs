//! Requests that two parsers could cut at different places (RFC 9112 section 11.2): each is refused, or reaches the
//! backend with one framing, which is the one that the sidecar itself went by.

use super::*;

/// What becomes of a request.
enum Fate {
    /// 400, and the backend sees nothing of it.
    Refused,
    /// 400, and the backend sees a request that never ends.
    CutOff,
    /// The backend gets it with this one line of framing and this body.
    Passes(&'static str, &'static str),
}

use Fate::{CutOff, Passes, Refused};

const LENGTH_5: &str = "content-length: 5";
const CHUNKED: &str = "transfer-encoding: chunked";

/// Heads, without the request line and Host, and what stands behind them.
const HEADS: &[(&str, Fate)] = &[
    ("Content-Length: 5\r\n\r\nhello", Passes(LENGTH_5, "hello")),
    (
        "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        Passes(LENGTH_5, "hello"),
    ),
    (
        "Content-Length:  \t5 \r\n\r\nhello",
        Passes(LENGTH_5, "hello"),
    ),
    (
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        Refused,
    ),
    ("Content-Length: +5\r\n\r\nhello", Refused),
    ("Content-Length: -5\r\n\r\nhello", Refused),
    ("Content-Length: 5 5\r\n\r\nhello", Refused),
    ("Content-Length: 5,5\r\n\r\nhello", Refused),
    ("Content-Length: 5, 6\r\n\r\nhello", Refused),
    ("Content-Length: 0x5\r\n\r\nhello", Refused),
    ("Content-Length: 5.0\r\n\r\nhello", Refused),
    ("Content-Length:\r\n\r\nhello", Refused),
    ("Content-Length: 18446744073709551616\r\n\r\nhello", Refused),
    ("Content-Length : 5\r\n\r\nhello", Refused),
    ("Content-Length\t: 5\r\n\r\nhello", Refused),
    (" Content-Length: 5\r\n\r\nhello", Refused),
    ("X: y\r\n Content-Length: 5\r\n\r\nhello", Refused),
    ("X: y\r\n\tContent-Length: 5\r\n\r\nhello", Refused),
    ("X: y\rContent-Length: 5\r\n\r\nhello", Refused),
    ("X: y\0Content-Length: 5\r\n\r\nhello", Refused),
    ("X\0: y\r\nContent-Length: 5\r\n\r\nhello", Refused),
    (": y\r\nContent-Length: 5\r\n\r\nhello", Refused),
    (
        "X: y\nContent-Length: 5\n\nhello",
        Passes(LENGTH_5, "hello"),
    ),
    (
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Passes(CHUNKED, "hello"),
    ),
    (
        "Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Passes(CHUNKED, "hello"),
    ),
    (
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Passes(CHUNKED, "hello"),
    ),
    (
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Passes(CHUNKED, "hello"),
    ),
    (
        "Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello",
        Refused,
    ),
    (
        "Transfer-Encoding: \"chunked\"\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
        Refused,
    ),
    (
        "Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello",
        Refused,
    ),
    (
        "Transfer-Encoding: identity, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Transfer-Encoding: \x0bchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "X: y\r\n Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Refused,
    ),
    (
        "Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello",
        Passes(LENGTH_5, "hello"),
    ),
    (
        "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Passes(CHUNKED, "hello"),
    ),
];

/// Bodies behind `Transfer-Encoding: chunked`.
const CHUNKS: &[(&str, Fate)] = &[
    (
        "5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n",
        Passes(CHUNKED, "hello"),
    ),
    ("005\r\nhello\r\n000\r\n\r\n", Passes(CHUNKED, "hello")),
    ("5 \t\r\nhello\r\n0\r\n\r\n", Passes(CHUNKED, "hello")),
    ("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", Passes(CHUNKED, "hello")),
    (
        "5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
        Passes(CHUNKED, "hello"),
    ),
    (
        "5\r\nhello\r\n0\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n",
        Passes(CHUNKED, "hello"),
    ),
    ("0x5\r\nhello\r\n0\r\n\r\n", CutOff),
    ("+5\r\nhello\r\n0\r\n\r\n", CutOff),
    ("-5\r\nhello\r\n0\r\n\r\n", CutOff),
    ("\r\nhello\r\n0\r\n\r\n", CutOff),
    (";a\r\nhello\r\n0\r\n\r\n", CutOff),
    (" 5\r\nhello\r\n0\r\n\r\n", CutOff),
    ("5 5\r\nhello\r\n0\r\n\r\n", CutOff),
    ("5\nhello\r\n0\r\n\r\n", CutOff),
    ("5;a\nhello\r\n0\r\n\r\n", CutOff),
    ("5\rhello\r\n0\r\n\r\n", CutOff),
    ("5\r\nhello0\r\n\r\n", CutOff),
    ("5\r\nhello!!0\r\n\r\n", CutOff),
    ("5\r\nhello\n0\r\n\r\n", CutOff),
    ("5\r\nhello\r\n0\r\r", CutOff),
    ("10000000000000005\r\nhello\r\n0\r\n\r\n", CutOff),
    ("fffffffffffffffff\r\nhello\r\n0\r\n\r\n", CutOff),
];

/// A second request for whoever reads less than the first one has.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: chat.example.com\r\n\r\n";

fn expect(site: &Site, name: &str, request: &str, fate: &Fate) {
    let mut client = site.client();
    // The backend is to have seen the head before the body goes wrong.
    let (head, body) = match fate {
        CutOff => request.split_at(request.find("\r\n\r\n").unwrap() + 4),
        Refused | Passes(..) => (request, ""),
    };
    client.send(head);
    if let Refused = fate {
        let head = client.head();
        assert!(head.line.contains(" 400 "), "{name:?}: {head:?}");
        client.rest();
        return;
    }
    let Some(mut backend) = site.origin.accept_within(TIMEOUT) else {
        panic!("{name:?}: {:?}", client.head());
    };
    let head = backend.head();
    client.send(body);
    assert!(head.line.starts_with("POST /outer "), "{name:?}: {head:?}");
    let framing: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}").to_ascii_lowercase())
        .filter(|line| line.starts_with("content-length") || line.starts_with("transfer-encoding"))
        .collect();
    match fate {
        Passes(line, body) => {
            assert_eq!(framing, [*line], "{name:?}");
            let got = match *line == CHUNKED {
                true => {
                    let got = backend.chunks(body.len());
                    assert_eq!(backend.chunk(), b"", "{name:?}");
                    got
                }
                false => backend.exactly(body.len()),
            };
            assert_eq!(String::from_utf8_lossy(&got), *body, "{name:?}");
            backend.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            backend.expect_end();
            client.answer(200);
        }
        Refused | CutOff => {
            assert_eq!(framing, [CHUNKED], "{name:?}");
            let rest = backend.up_to(b"0\r\n\r\n");
            assert_eq!(rest, None, "{name:?}: the body has an end");
            let head = client.head();
            assert!(head.line.contains(" 400 "), "{name:?}: {head:?}");
            client.rest();
        }
    }
}

#[test]
fn a_request_has_one_framing_or_none() {
    let site = Site::start();
    for target in ["/outer", "http://chat.example.com/outer"] {
        let start = format!("POST {target} HTTP/1.1\r\nHost: chat.example.com\r\n");
        for (head, fate) in HEADS {
            expect(&site, head, &format!("{start}{head}"), fate);
        }
        for (chunks, fate) in CHUNKS {
            let request = format!("{start}Transfer-Encoding: chunked\r\n\r\n{chunks}");
            expect(&site, chunks, &request, fate);
        }
    }
    site.origin.expect_nobody(Duration::from_millis(100));
}

#[test]
fn bytes_after_a_refused_request_are_not_read_as_another() {
    let site = Site::start();
    for (head, fate) in HEADS {
        if let Refused = fate {
            let start = "POST /outer HTTP/1.1\r\nHost: chat.example.com\r\n";
            expect(&site, head, &format!("{start}{head}{HIDDEN}"), fate);
        }
    }
    for version in ["1.0", "0.9", "2.0"] {
        let request = format!(
            "POST /outer HTTP/{version}\r\nHost: chat.example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n{HIDDEN}"
        );
        expect(&site, version, &request, &Refused);
    }
    site.origin.expect_nobody(Duration::from_millis(100));
}
