//! What the README says of the admin API.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::{READMES, blocks, names, table};
use crate::support::{
    Answer, Backend, Frame, Received, Request, Sidecar, TIMEOUT, Wire, op, wait_until,
};
use sidebeat::telemetry::EventKind;

fn start(backend: &Backend) -> (Sidecar, SocketAddr) {
    let settings = "admin: {listen: '127.0.0.1:0'}\ndrain: {spread: 0s, timeout: 1s}";
    let sidecar = Sidecar::start(&format!("upstream: {}\n{settings}", backend.url()));
    let listening = sidecar.log_event("admin_listening", TIMEOUT);
    let admin = listening["address"].as_str().unwrap().parse().unwrap();
    (sidecar, admin)
}

fn ask(admin: SocketAddr, method: &str, path: &str) -> Answer {
    let line = format!("{method} {path} HTTP/1.1");
    Wire::connect(admin).ask(&Request::line(&line).header("Host", &admin.to_string()))
}

/// Answers pings until it is closed.
fn answer_pings(mut client: Wire) {
    while let Received::Frame(frame) = client.receive() {
        match frame.opcode {
            op::PING => client.send_frame(&Frame::pong(&frame.payload)),
            _ => return,
        }
    }
}

/// `curl -s -X POST 'HOST/path'`: method and path.
fn call(command: &str) -> (&str, &str) {
    let mut words = command.split(' ').map(|word| word.trim_matches('\''));
    let (mut method, mut path) = ("GET", None);
    assert_eq!(words.next(), Some("curl"));
    while let Some(word) = words.next() {
        match word {
            "-s" | "-N" => {}
            "-X" => method = words.next().expect("a method"),
            url => path = url.strip_prefix("127.0.0.1:9901"),
        }
    }
    (method, path.expect("an address of the API's"))
}

#[test]
fn the_calls_work_as_shown() {
    for (file, readme) in READMES {
        let backend = Backend::echo();
        let (sidecar, admin) = start(&backend);
        let client = Wire::open(&sidecar, &Request::opening("/"));
        let client = std::thread::spawn(move || answer_pings(client));
        let mut conn = String::new();
        wait_until("it is established", || {
            let list = ask(admin, "GET", "/api/connections").json();
            let first = list["connections"][0]["conn"].as_str();
            conn = first.unwrap_or_default().to_owned();
            !conn.is_empty()
        });
        let commands = blocks(readme, "sh").into_iter().flat_map(str::lines);
        let calls: Vec<_> = commands
            .filter(|command| command.starts_with("curl "))
            .map(call)
            .collect();
        assert!(calls.len() >= 8, "{file}");
        for (method, path) in calls {
            let path = path.replace("01M804KJ4TJCV602SV67Z6EJ5Z", &conn);
            let answer = ask(admin, method, &path);
            assert!(answer.status < 300, "{file}: {method} {path}: {answer:?}");
        }
        client.join().unwrap();
        assert_eq!(sidecar.wait_for_exit(TIMEOUT).code(), Some(0), "drained");
    }
}

#[test]
fn the_table_of_calls_is_the_description_s() {
    let backend = Backend::echo();
    let (_sidecar, admin) = start(&backend);
    let description = ask(admin, "GET", "/api/openapi.json").json();
    let mut calls = BTreeMap::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().unwrap();
            let parameters = parameters.iter().filter(|it| it["in"] == "query");
            let parameters: Vec<String> = parameters
                .map(|it| it["name"].as_str().unwrap().to_owned())
                .collect();
            calls.insert(format!("{} {path}", method.to_uppercase()), parameters);
        }
    }
    for (file, readme) in READMES {
        let rows = table(readme, "calls");
        let told: BTreeSet<&str> = rows.iter().map(|row| names(&row[0])[0]).collect();
        assert_eq!(told, calls.keys().map(String::as_str).collect(), "{file}");
        for row in &rows {
            let told: Vec<&str> = names(&row[1])
                .iter()
                .filter_map(|name| name.split('=').next())
                .collect();
            for parameter in &calls[names(&row[0])[0]] {
                assert!(
                    told.contains(&parameter.as_str()),
                    "{file}: {parameter} in {row:?}"
                );
            }
        }
    }
}

#[test]
fn the_events_are_those_that_can_be_listened_to() {
    for (file, readme) in READMES {
        let rows = table(readme, "calls");
        let row = rows.iter().find(|row| row[0] == "`GET /api/events`");
        let named = names(&row.unwrap()[1]);
        let mut told: BTreeSet<String> = named.iter().map(|name| (*name).to_owned()).collect();
        // Words of the sentence that name no event.
        for word in ["log", "types", "dropped", "_ended"] {
            assert!(told.remove(word), "{file}: {word}");
        }
        for listening in ["listening", "metrics_listening", "admin_listening"] {
            told.insert(format!("{listening}_ended"));
        }
        let streamed = EventKind::streamed().map(|kind| kind.name().to_owned());
        assert_eq!(told, streamed.collect(), "{file}");
    }
}
