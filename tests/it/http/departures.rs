//! Clients that go while their request is in progress, whatever they sent that nobody has read: the backend's
//! connection ends with them, and nobody else is blamed. Clients that end only their sending side stay.

use super::*;
use crate::support::{Wire, wait_until};

/// How a client goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Resets,
    Closes,
}

const WAYS: [Way; 2] = [Way::Resets, Way::Closes];

fn go(client: Peer, way: Way) {
    match way {
        Way::Resets => client.reset(),
        Way::Closes => drop(client),
    }
}

/// A request, the head of the backend's answer so far, and a name for failures.
struct Case {
    name: &'static str,
    request: Vec<u8>,
    answer: &'static str,
}

fn cases() -> Vec<Case> {
    let opening = Request::opening("/chat").encode();
    let followed = |request: &[u8], bytes: &[u8]| [request, bytes].concat();
    let plain = get("/").encode();
    // More than hyper, or the backend's socket, takes at once.
    let body = vec![b'x'; 8 << 20];
    let posted = post("/").header("Content-Length", "100000000").encode();
    let streamed = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let events =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    [
        ("an opening", opening.clone(), ""),
        (
            "an opening with a byte behind it",
            followed(&opening, b"x"),
            "",
        ),
        (
            "an opening with much behind it",
            followed(&opening, &body[..100_000]),
            "",
        ),
        ("a request", plain.clone(), ""),
        (
            "a request with a byte behind it",
            followed(&plain, b"x"),
            "",
        ),
        (
            "a request with another behind it",
            followed(&plain, &plain),
            "",
        ),
        ("a body that nobody reads", followed(&posted, &body), ""),
        ("an answer in progress", plain.clone(), streamed),
        (
            "events, with a byte behind the request",
            followed(&plain, b"x"),
            events,
        ),
    ]
    .into_iter()
    .map(|(name, request, answer)| Case {
        name,
        request,
        answer,
    })
    .collect()
}

#[test]
fn whoever_has_gone_is_noticed_whatever_is_unread() {
    let site = Site::with("log: {level: debug}");
    let quiet = site.sidecar.open_files();
    // Together, because some are noticed only after a moment.
    std::thread::scope(|scope| {
        for way in WAYS {
            for case in cases() {
                let mut client = site.client();
                client.fill(&case.request);
                let mut backend = site.origin.accept();
                backend.head();
                backend.send(case.answer);
                if !case.answer.is_empty() {
                    client.answer(200);
                }
                scope.spawn(move || {
                    go(client, way);
                    backend.rest();
                    println!("noticed: {}, {way:?}", case.name);
                });
            }
        }
    });
    wait_until("no connection is left", || {
        site.sidecar.open_files() <= quiet
    });
    for record in site.sidecar.logged("handshake_failed") {
        assert_eq!(record["reason"], "client_gone", "{record}");
    }
    assert_eq!(site.sidecar.logged("handshake_failed").len(), 6);
    assert!(site.sidecar.logged("upstream_down").is_empty());
}

#[test]
fn a_client_that_goes_while_the_backend_is_dialled_is_noticed() {
    // A full accept queue: the system answers no further SYN.
    let full = support::Backend::reserve("127.0.0.1:0".parse().unwrap());
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap();
    let fillers: Vec<socket2::Socket> = (0..8)
        .map(|_| {
            let filler = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
            let filler = filler.unwrap();
            filler.set_nonblocking(true).unwrap();
            // Under way is all that it ever gets.
            let _ = filler.connect(&address);
            filler
        })
        .collect();
    let sidecar = Sidecar::start(&format!(
        "upstream: {{url: 'ws://{}', connect_timeout: 1h}}",
        address.as_socket().unwrap()
    ));
    for way in WAYS {
        let mut client = Peer::connect(sidecar.address());
        client.send(Request::opening("/").followed_by(b"x").encode());
        go(client, way);
        let record = sidecar.log_event("handshake_failed", TIMEOUT);
        assert_eq!(record["reason"], "client_gone", "{record}");
        assert_eq!(record["initiator"], "client", "{record}");
    }
    drop(fillers);
}

#[test]
fn a_client_that_ends_only_its_sending_side_gets_its_answer() {
    let site = Site::start();
    for version in ["1.1", "1.0"] {
        let request = Request::line(&format!("GET / HTTP/{version}")).header("Host", "a");
        // At once, and after it was tried whether the client is still there: the first byte has come by then.
        for early in [false, true] {
            let mut client = site.client();
            client.request(&request);
            client.end_sending();
            let mut backend = site.origin.accept();
            backend.head();
            let mut answer = Vec::new();
            if early {
                answer = client.exactly(1);
            }
            backend.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
            backend.send("hello");
            answer.extend(client.rest().0);
            let answer = String::from_utf8(answer).unwrap();
            let start = format!("HTTP/{version} 200 OK\r\n");
            assert!(answer.starts_with(&start), "{answer:?}");
            assert!(answer.ends_with("\r\n\r\nhello"), "{answer:?}");
        }
    }
    // A body before the end is a whole request, too.
    let mut client = site.client();
    let posted = post("/").header("Content-Length", "4").followed_by(b"body");
    client.request(&posted);
    client.end_sending();
    let mut backend = site.origin.accept();
    backend.head();
    assert_eq!(backend.exactly(4), b"body");
    backend.send(OK);
    client.whole_answer(200);
    client.expect_end();
}

#[test]
fn an_answer_of_our_own_begins_where_its_first_byte_left_off() {
    let site = Site::start();
    let mut client = site.client();
    client.request(&get("/"));
    client.end_sending();
    let mut backend = site.origin.accept();
    backend.head();
    assert_eq!(client.exactly(1), b"H");
    drop(backend);
    let rest = String::from_utf8(client.rest().0).unwrap();
    assert!(rest.starts_with("TTP/1.1 502 "), "{rest:?}");
}

#[test]
fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let site = Site::start();
    let mut client = site.client();
    client.request(&post("/").header("Content-Length", "50000000"));
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(
        "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig",
    );
    let mut sender = client.sender();
    let sending = std::thread::spawn(move || sender.fill(&vec![b'x'; 4 << 20]));
    let (_, body) = client.whole_answer(413);
    assert_eq!(body, b"big");
    drop(backend);
    assert!(sending.join().unwrap() > 0);
}

#[test]
fn heads_fit_by_their_length_alone() {
    let site = Site::with("limits: {max_head: 4KiB}");
    // The backend's own bound is none of the sidecar's: it answers by itself.
    let exactly = |len: usize| {
        let fixed = get("/").header("X-Long", "").encode().len();
        get("/").header("X-Long", &"x".repeat(len - fixed)).encode()
    };
    let lines = |count| format!("GET / HTTP/1.1\nHost: a\n{}\n", "a:\n".repeat(count)).into_bytes();
    assert!(lines(1300).len() <= 4096);
    let mut client = site.client();
    // One after the other on the same connection, the first of which the sidecar reads by itself.
    for head in [lines(1300), exactly(4096), lines(490), exactly(4096)] {
        client.send(&head);
        let mut backend = site.origin.accept();
        backend.head();
        backend.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        client.whole_answer(200);
    }
    client.send(exactly(4097));
    client.answer(431);
    client.rest();
    for too_long in [exactly(4097), vec![b'x'; 4097]] {
        let mut client = site.client();
        client.fill(&too_long);
        client.answer(431);
    }
}

#[test]
fn a_head_that_comes_byte_by_byte_is_a_head() {
    let site = Site::start();
    let mut client = Wire::connect(site.sidecar.address());
    client.send_slowly(&get("/").encode());
    let mut backend = site.origin.accept();
    backend.head();
    backend.send(OK);
    assert_eq!(client.answer().status, 200);
    // And once more, when the connection is known.
    client.send_slowly(&get("/again").encode());
    assert!(backend.head().line.contains("/again"));
    backend.send(OK);
    assert_eq!(client.answer().status, 200);
}
