//! Which route a request takes, however it is spelled: what a backend reads as the same path, host or offer must not
//! get round a route's rules.

use crate::support::refusal::{ask, failure};
use crate::support::{Backend, Handshake, Relayed, Request, Sidecar, TIMEOUT, Wire};

/// A sidecar that lets one origin into `/private`, and everybody in everywhere else.
fn guarded(backend: &Backend) -> Sidecar {
    let routes = "routes: [{match: {path: /private}, limits: {allowed_origins: ['https://chat.example.com']}}]";
    Sidecar::start(&format!("upstream: {}\n{routes}", backend.url()))
}

#[test]
fn no_spelling_of_a_path_gets_round_its_route() {
    let backend = Backend::start();
    let sidecar = guarded(&backend);
    for path in [
        "/private",
        "/%70rivate",
        "/%50rivate/../private",
        "//private",
        "/./private",
        "/x/../private",
        "/x/%2e%2E/private",
        "/%2e/private",
        "/%2Fprivate",
        "/private?x=/y",
        "http://chat.example.com//private",
    ] {
        let answer = ask(
            &sidecar,
            &Request::opening(path).header("Origin", "https://evil.example"),
        );
        assert_eq!(answer.status, 403, "{path}");
        let record = failure(&sidecar, "origin_denied", "sidecar", "INFO");
        assert_eq!(record["route"], "/private", "{record}");
    }
    assert_eq!(backend.dialled(), 0);
}

#[test]
fn the_path_is_forwarded_and_recorded_as_it_was_sent() {
    let backend = Backend::start();
    let sidecar = guarded(&backend);
    let path = "/x/..//%70rivate;v=1/../private";
    let request = Request::opening(&format!("{path}?token=secret"))
        .header("Origin", "https://chat.example.com");
    let client = Wire::open(&sidecar, &request);
    let head = backend.accept().head;
    assert_eq!(head.line, format!("GET {path}?token=secret HTTP/1.1"));
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    assert_eq!(opened["route"], "/private", "{opened}");
    assert_eq!(opened["path"], path, "{opened}");
    drop(client);
}

#[test]
fn paths_that_a_backend_distinguishes_are_not_the_same_path() {
    let backend = Backend::start();
    let sidecar = guarded(&backend);
    for path in [
        "/private/",
        "/Private",
        "/%2570rivate",
        "/private%00",
        "/private%2Fx",
        "/privat%zz",
        "/\\private",
        "/x/..;/private",
    ] {
        let request = Request::opening(path).header("Origin", "https://evil.example");
        let client = Wire::open(&sidecar, &request);
        let opened = sidecar.log_event("connection_opened", TIMEOUT);
        assert_eq!(opened["route"], "default", "{opened}");
        drop((client, backend.accept()));
    }
}

#[test]
fn a_path_of_other_letters_is_what_browsers_send() {
    let backend = Backend::start();
    let routes = "routes: [{match: {path: '/聊天'}}]";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{routes}", backend.url()));
    let client = Wire::open(&sidecar, &Request::opening("/%E8%81%8A%e5%a4%a9"));
    let opened = sidecar.log_event("connection_opened", TIMEOUT);
    assert_eq!(opened["route"], "/聊天", "{opened}");
    drop(client);
}

#[test]
fn a_host_is_compared_without_case_port_user_and_trailing_dot() {
    let backend = Backend::start();
    let routes = "routes: [{match: {host: chat.example.com}}]";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{routes}", backend.url()));
    for (path, host) in [
        ("/", "CHAT.example.com:8080"),
        ("/", "chat.example.com."),
        ("/", "chat.example.com.:8080"),
        ("http://Chat.example.com.:81/", "chat.example.com"),
        ("http://user:word@chat.example.com/", "chat.example.com"),
    ] {
        let client = Wire::open(&sidecar, &Request::opening(path).with("Host", host));
        let opened = sidecar.log_event("connection_opened", TIMEOUT);
        assert_eq!(opened["route"], "chat.example.com", "{opened}");
        assert!(!opened.to_string().contains("word"), "{opened}");
        drop((client, backend.accept()));
    }
}

#[test]
fn a_subprotocol_among_others_matches_its_route() {
    let backend = Backend::answering(Handshake::accept().header("Sec-WebSocket-Protocol", "mqtt"));
    let routes =
        "routes: [{match: {subprotocol: mqtt}, limits: {allowed_origins: [https://a.example]}}]";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{routes}", backend.url()));
    let junk: String = (0..200).map(|name| format!("junk{name},")).collect();
    for offer in [
        "mqtt".to_owned(),
        format!("{junk}mqtt"),
        "a,,  mqtt\t,b".to_owned(),
        "é, mqtt".to_owned(),
    ] {
        let request = Request::opening("/")
            .header("Sec-WebSocket-Protocol", &offer)
            .header("Origin", "https://evil.example");
        assert_eq!(ask(&sidecar, &request).status, 403, "{offer}");
        let record = failure(&sidecar, "origin_denied", "sidecar", "INFO");
        assert_eq!(record["route"], "[mqtt]", "{record}");
    }
}

#[test]
fn a_second_origin_does_not_let_the_first_one_in() {
    let backend = Backend::start();
    let sidecar = guarded(&backend);
    for origins in [
        ["https://chat.example.com", "https://evil.example"],
        ["https://evil.example", "https://chat.example.com"],
    ] {
        let request = origins
            .iter()
            .fold(Request::opening("/private"), |request, origin| {
                request.header("Origin", origin)
            });
        assert_eq!(ask(&sidecar, &request).status, 403, "{origins:?}");
    }
    assert_eq!(backend.dialled(), 0);
}

#[test]
fn a_live_connection_is_on_the_route_of_its_whole_path() {
    let relayed = Relayed::start("");
    let longest = "/..".repeat(2000);
    let paths = [
        format!("/x{longest}/%70rivate"),
        format!("/{}", "a/".repeat(2000)),
    ];
    let mut clients = paths.map(|path| Wire::open(&relayed.sidecar, &Request::opening(&path)));
    let settings = "heartbeat: {check_interval: 100ms}\nroutes:\n  - match: {path: /private}\n    \
                    heartbeat: {client: {idle_time: 500ms}}\n    limits: {close_timeout: 200ms}\n  \
                    - match: {path_prefix: /a/a/a}\n    heartbeat: {client: {idle_time: 300ms}}";
    let upstream = relayed.backend.url();
    let settings = format!("upstream: {upstream}\n{settings}");
    relayed.sidecar.write_config(&settings);
    relayed.sidecar.log_event("config_reloaded", TIMEOUT);
    for client in &mut clients {
        client.expect_close_with(1001, "idle timeout");
    }
}
