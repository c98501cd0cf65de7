//! The ways that an opening handshake may take: sockets of every kind, a backend that is late, routes, and a connection
//! that was used for plain requests before.

use std::net::TcpListener;

use crate::support::{Backend, Frame, Handshake, Request, Sidecar, TIMEOUT, Wire, op};

#[test]
fn unix_sockets_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let (outer, inner) = (folder.path().join("outer"), folder.path().join("inner"));
    let backend = Backend::on_unix(&inner, Handshake::accept());
    let settings = format!(
        "listen: 'unix:{}'\nupstream: '{}'",
        outer.display(),
        backend.url()
    );
    let sidecar = Sidecar::start_in(folder, &settings);
    let mut client = Wire::connect_unix(&outer);
    assert_eq!(client.ask(&Request::opening("/")).status, 101);
    let mut upstream = backend.accept();
    assert_eq!(upstream.head.header("x-forwarded-for"), None);
    assert_eq!(upstream.head.header("host"), Some("chat.example.com"));
    client.text("over files");
    upstream.wire.expect(&Frame::text("over files"));
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    assert_eq!(opened["client"], "unix");
    assert_eq!(opened["upstream"], backend.name());
}

#[test]
fn a_second_listener_and_ipv6_on_both_sides() {
    if TcpListener::bind("[::1]:0").is_err() {
        // A machine without IPv6 has nothing to test.
        return;
    }
    let backend = Backend::on("[::1]:0".parse().unwrap(), Handshake::accept());
    let settings = format!(
        "listen: ['127.0.0.1:0', '[::1]:0']\nupstream: '{}'",
        backend.url()
    );
    let sidecar = Sidecar::start(&settings);
    let second = sidecar.log_event("listening", TIMEOUT);
    let address = second["address"].as_str().unwrap();
    assert!(address.starts_with("[::1]:"), "{address}");
    let mut client = Wire::connect(address.parse().unwrap());
    assert_eq!(client.ask(&Request::opening("/")).status, 101);
    let head = backend.accept().head;
    assert_eq!(head.header("x-forwarded-for"), Some("::1"));
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    assert_eq!(opened["upstream"], backend.name());
    assert_eq!(opened["client"], client.local_address().to_string());
    drop(Wire::open(&sidecar, &Request::opening("/")));
}

#[test]
fn a_backend_that_starts_between_two_tries() {
    let reserved = Backend::reserve("127.0.0.1:0".parse().unwrap());
    let address = reserved.local_addr().unwrap().as_socket().unwrap();
    let settings = format!(
        "upstream: {{url: 'ws://{address}', retry: {{attempts: 100, backoff: 100ms, max_backoff: 100ms}}}}\n\
         log: {{level: debug}}"
    );
    let sidecar = Sidecar::start(&settings);
    let mut client = Wire::connect(sidecar.address());
    client.send(&Request::opening("/").encode());
    sidecar.log_event("dial_failed", TIMEOUT);
    sidecar.log_event("dial_failed", TIMEOUT);
    let backend = Backend::on_reserved(reserved, Handshake::accept());
    assert_eq!(client.answer().status, 101);
    client.text("made it");
    backend.accept().wire.expect(&Frame::text("made it"));
}

#[test]
fn routes_take_what_they_match_and_the_first_one_wins() {
    let backends: Vec<Backend> = (0..5).map(|_| Backend::start()).collect();
    let settings = format!(
        "upstream: {}
routes:
  - {{match: {{path: /exact}}, upstream: {}}}
  - {{match: {{path_prefix: /pre}}, upstream: {}}}
  - {{match: {{host: '*.example.org'}}, upstream: {}}}
  - {{match: {{subprotocol: mqtt}}, upstream: {}}}
  - {{match: {{path: /exact}}, upstream: {}}}
",
        backends[0].url(),
        backends[1].url(),
        backends[2].url(),
        backends[3].url(),
        backends[4].url(),
        backends[0].url(),
    );
    let sidecar = Sidecar::start(&settings);
    let opening = Request::opening;
    let cases = [
        (opening("/"), 0),
        (opening("/exact"), 1),
        (opening("/exact?query"), 1),
        (opening("/exact/not"), 0),
        (opening("/pre"), 2),
        (opening("/pre/fix"), 2),
        (opening("/prefix"), 0),
        (opening("/").with("Host", "a.EXAMPLE.org:8080"), 3),
        (opening("/").with("Host", "example.org"), 0),
        (
            opening("/").header("Sec-WebSocket-Protocol", "amqp, mqtt"),
            4,
        ),
    ];
    for (request, expected) in cases {
        drop(Wire::open(&sidecar, &request));
        let opened = sidecar.log_event("connection_opened", TIMEOUT);
        assert_eq!(opened["upstream"], backends[expected].name(), "{opened}");
        drop(backends[expected].accept());
    }
}

#[test]
fn an_opening_after_plain_requests_on_the_same_connection() {
    let backend = Backend::answering(Handshake::raw(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    ));
    let sidecar = Sidecar::start(&format!("upstream: {}", backend.url()));
    let mut client = Wire::connect(sidecar.address());
    for _ in 0..2 {
        let plain = Request::line("GET /page HTTP/1.1").header("Host", "chat.example.com");
        let answer = client.ask(&plain);
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (200, b"hello".as_slice())
        );
        drop(backend.accept());
    }
    backend.answer_with(Handshake::accept());
    assert_eq!(client.ask(&Request::opening("/")).status, 101);
    let mut upstream = backend.accept().wire;
    upstream.send_frame(&Frame::new(op::BINARY, [0]));
    client.expect(&Frame::new(op::BINARY, [0]));
}
