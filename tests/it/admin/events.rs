//! What happens, as it happens.

use super::*;

/// One who listens; every event is waited for.
pub(super) struct Listening {
    wire: Wire,
    text: String,
}

pub(super) fn listen(admin: SocketAddr, query: &str) -> Listening {
    let mut wire = Wire::connect(admin);
    let answer = wire.ask(&request(admin, &format!("GET /api/events{query}")));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    Listening {
        wire,
        text: String::new(),
    }
}

impl Listening {
    /// The next event's name and data; its `id` is checked to be there where it has to.
    pub(super) fn next(&mut self) -> (String, Value) {
        let block = self.block().expect("an event before the end");
        let field = |name: &str| {
            let mut lines = block.lines().filter_map(|line| line.strip_prefix(name));
            lines.next().map(|value| value.trim_start().to_owned())
        };
        let event = field("event:").expect("a name");
        let id = field("id:").map(|id| id.parse::<u64>().expect("a number"));
        assert_eq!(id.is_some(), event != "dropped", "{block}");
        let data = serde_json::from_str(&field("data:").expect("data")).expect("JSON");
        (event, data)
    }

    /// The next block but comments; none: the stream ended in good order.
    fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if !block.starts_with(':') {
                    return Some(block);
                }
                continue;
            }
            let chunk = self.chunk();
            if chunk.is_empty() {
                return None;
            }
            self.text.push_str(&chunk);
        }
    }

    /// A chunk of the body (RFC 9112 section 7.1); empty: the last one.
    fn chunk(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.wire.read_exactly(1));
        }
        let len = std::str::from_utf8(&line).unwrap().trim();
        let len = usize::from_str_radix(len, 16).expect("a length");
        let bytes = self.wire.read_exactly(len + 2);
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    }
}

#[test]
fn events_are_the_log_s_and_only_those_that_were_asked_for() {
    let (relayed, admin) = start("");
    let first = only(admin);
    let mut all = listen(admin, "");
    let mut some = listen(admin, "?types=connection_closed,config_reloaded");
    let (mut client, upstream) = relayed.another();
    client.send_frame(&support::Frame::close(1000, "bye"));
    drop((client, upstream));
    let closed = relayed.sidecar.log_event("connection_closed", TIMEOUT);
    assert_eq!(ask(admin, "POST /api/reload").status, 200);
    let reloaded = relayed.sidecar.log_event("config_reloaded", TIMEOUT);
    let opened = relayed.sidecar.logged("connection_opened").pop().unwrap();
    for (event, data) in [
        ("connection_opened", opened),
        ("connection_closed", closed.clone()),
        ("config_reloaded", reloaded.clone()),
    ] {
        let mut heard = all.next();
        // The first connection may have been told of just now.
        while heard.1["conn"] == first || heard.0 == "upstream_up" {
            heard = all.next();
        }
        assert_eq!(heard, (event.to_owned(), data));
    }
    assert_eq!(some.next(), ("connection_closed".to_owned(), closed));
    assert_eq!(some.next(), ("config_reloaded".to_owned(), reloaded));
}

#[test]
fn a_reader_that_falls_behind_learns_what_it_missed_and_delays_no_other() {
    // Large events, so that few are enough: the stream is cut once its reader has taken nothing for 10 s.
    let names: Vec<String> = (0..8).map(|index| format!("x-{index}")).collect();
    let (relayed, admin) = start(&format!("log: {{headers: [{}]}}", names.join(", ")));
    let mut refused = Request::opening(&format!("/{}", "x".repeat(900)));
    refused = refused.with("Sec-WebSocket-Version", "12");
    for name in &names {
        // JSON writes each of these with a backslash.
        refused = refused.header(name, &"\"".repeat(256));
    }
    let mut slow = listen(admin, "?types=handshake_failed");
    // With a smaller buffer than this, reading them later takes minutes: one segment for each delayed acknowledgement.
    slow.wire.set_receive_buffer(64 << 10);
    let mut sent = 0;
    // The system's buffers take some, the queue 256, and what follows is dropped.
    while get(admin, "/api/summary")["events_dropped"] == 0 {
        for _ in 0..50 {
            sent += 1;
            let answer = Wire::connect(relayed.sidecar.address()).ask(&refused);
            assert_eq!(answer.status, 426);
        }
        assert!(sent <= 20_000, "nothing is dropped");
    }
    let (mut received, mut dropped) = (0, 0);
    while received + dropped < sent {
        match slow.next() {
            (event, _) if event == "handshake_failed" => received += 1,
            (_, data) => dropped += data["count"].as_u64().unwrap(),
        }
    }
    assert!(
        dropped > 0 && received >= 256,
        "{received} received, {dropped} dropped"
    );
    assert_eq!(received + dropped, sent);
    assert_eq!(get(admin, "/api/summary")["events_dropped"], dropped);
}

#[test]
fn listeners_are_few_and_places_are_given_back() {
    let (_relayed, admin) = start("");
    let mut listening: Vec<Listening> = (0..32).map(|_| listen(admin, "")).collect();
    let answer = ask(admin, "GET /api/events");
    problem(&answer, 503);
    assert!(answer.header("retry-after").is_some());
    listening.pop();
    support::wait_until("a place is free", || {
        ask(admin, "GET /api/events").status == 200
    });
}

#[test]
fn another_token_ends_the_streams_of_the_old_one() {
    let backend = support::Backend::start();
    let text = |token: &str, more: &str| {
        let upstream = backend.url();
        format!("upstream: {upstream}\nadmin: {{listen: '127.0.0.1:0', token: {token}}}\n{more}\n")
    };
    let sidecar = Sidecar::start(&text("old", ""));
    let admin = address(&sidecar);
    let listen = |token: &str, answer: u16| {
        let request = request(admin, "GET /api/events?types=config_reloaded");
        let request = request.header("Authorization", &format!("Bearer {token}"));
        let mut wire = Wire::connect(admin);
        assert_eq!(wire.ask(&request).status, answer);
        let text = String::new();
        Listening { wire, text }
    };
    let mut old = listen("old", 200);
    sidecar.write_config(&text("old", "limits: {max_connections: 7}"));
    let (event, data) = old.next();
    assert_eq!(event, "config_reloaded", "the same token: it goes on");
    assert_eq!(
        data["changed"],
        serde_json::json!(["limits.max_connections"])
    );
    // A call that is allowed already and not yet done.
    let slow = request(admin, "GET /api/events").header("Authorization", "Bearer old");
    let mut slowly = Wire::connect(admin);
    slowly.send(&slow.header("Content-Length", "1").encode());
    sidecar.write_config(&text("new", ""));
    assert_eq!(old.block(), None);
    slowly.send(b"x");
    assert_eq!(slowly.answer().status, 401);
    listen("old", 401);
    listen("new", 200);
}

#[test]
fn the_stream_ends_with_the_process_in_good_order() {
    let (mut relayed, admin) = start("drain: {spread: 0s}");
    let mut listening = listen(admin, "?types=draining,connection_closed,drained");
    relayed.sidecar.signal(rustix::process::Signal::TERM);
    relayed.client.answer_close();
    drop((relayed.client, relayed.upstream));
    let mut heard = Vec::new();
    while let Some(block) = listening.block() {
        let name = block.lines().next().unwrap_or_default().to_owned();
        heard.push(name.replace("event: ", ""));
    }
    assert_eq!(heard, ["draining", "connection_closed", "drained"]);
    assert_eq!(relayed.sidecar.wait_for_exit(TIMEOUT).code(), Some(0));
}
