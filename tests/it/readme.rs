//! README.md and README.zh-CN.md: what they say is so.

use std::path::Path;
use std::process::Command;

use crate::support;
use crate::support::{Backend, Relayed, Sidecar};
use serde_json::Value;
use sidebeat::config::KeyDoc;
use sidebeat::session::{Cause, DefaultClose, Leg};
use sidebeat::telemetry::HandshakeFailure;
use sidebeat::telemetry::metrics::families;

mod api;
mod heartbeats;
mod links;
mod page;

/// Both languages.
const READMES: [(&str, &str); 2] = [
    ("README.md", include_str!("../../README.md")),
    ("README.zh-CN.md", include_str!("../../README.zh-CN.md")),
];

/// The cells of the table between `<!-- table: NAME -->` and `<!-- end -->`, without its two lines of heading.
fn table(readme: &str, name: &str) -> Vec<Vec<String>> {
    let begin = format!("<!-- table: {name} -->\n");
    let start = readme
        .find(&begin)
        .unwrap_or_else(|| panic!("no table {name}"))
        + begin.len();
    let length = readme[start..].find("<!-- end -->").unwrap();
    let cells = |line: &str| {
        let line = line.trim().trim_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    readme[start..start + length]
        .lines()
        .skip(2)
        .map(cells)
        .collect()
}

/// What stands in the backticks of a cell.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn name(cell: &str) -> &str {
    names(cell)
        .first()
        .copied()
        .unwrap_or_else(|| panic!("no name in {cell:?}"))
}

/// What code fences of a language hold.
fn blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    let mut found = Vec::new();
    let mut rest = readme;
    while let Some(start) = rest.find(&fence) {
        rest = &rest[start + fence.len()..];
        let end = rest.find("\n```").unwrap();
        found.push(&rest[..=end]);
        rest = &rest[end + 1..];
    }
    found
}

#[test]
fn the_tables_of_keys_are_the_keys() {
    for (file, readme) in READMES {
        let mut told: Vec<(String, Option<String>)> = Vec::new();
        for row in table(readme, "keys").iter().chain(&table(readme, "absent")) {
            assert_eq!(row.len(), 3, "{file}: {row:?}");
            assert!(!row[2].is_empty(), "{file}: {row:?}");
            let default = names(&row[1]).first().map(|default| (*default).to_owned());
            told.push((name(&row[0]).to_owned(), default));
        }
        // Two rows stand for the keys of every reason; their defaults are in the table of reasons.
        let before = told.len();
        told.retain(|(key, _)| !key.starts_with("close."));
        assert_eq!(before - told.len(), 2, "{file}");
        for row in table(readme, "reasons") {
            let cause = Cause::from_label(name(&row[0])).unwrap();
            if cause.configurable() {
                let (code, reason) = row[2].split_once(' ').unwrap();
                told.push((
                    format!("close.{}.code", cause.label()),
                    Some(code.to_owned()),
                ));
                told.push((
                    format!("close.{}.reason", cause.label()),
                    Some(name(reason).to_owned()),
                ));
            }
        }
        told.sort();
        let is_inherited = |key: &KeyDoc| {
            key.path.starts_with("routes[].") && !key.path.starts_with("routes[].match.")
        };
        let mut keys: Vec<(String, Option<String>)> = sidebeat::config::keys()
            .into_iter()
            .filter(|key| !is_inherited(key))
            .map(|key| (key.path, key.default))
            .collect();
        keys.sort();
        assert_eq!(told, keys, "{file}");
    }
}

#[test]
fn routes_take_what_the_readme_says() {
    let keys = sidebeat::config::keys();
    let top: Vec<&str> = keys.iter().map(|key| key.path.as_str()).collect();
    let in_routes: Vec<&str> = top
        .iter()
        .filter_map(|key| key.strip_prefix("routes[]."))
        .filter(|key| !key.starts_with("match."))
        .collect();
    let at_the_top_only = [
        "max_connections",
        "max_connections_per_ip",
        "max_http_connections",
        "max_http_connections_per_ip",
        "max_http_requests",
        "max_head",
        "handshake_timeout",
    ];
    let expected = top.iter().copied().filter(|key| {
        let (block, rest) = key.split_once('.').unwrap_or((key, ""));
        match block {
            "upstream" | "heartbeat" | "close" | "compression" => true,
            "limits" => !at_the_top_only.contains(&rest),
            _ => false,
        }
    });
    assert_eq!(in_routes, expected.collect::<Vec<_>>());
}

/// What a table says of a Close frame.
fn close_cell(close: DefaultClose, as_sent: &str) -> String {
    match close {
        DefaultClose::Fixed(code, reason) => format!("{code} `{reason}`"),
        DefaultClose::Same => as_sent.to_owned(),
        DefaultClose::None => "–".to_owned(),
    }
}

#[test]
fn the_table_of_reasons_is_the_enum() {
    for ((file, readme), as_sent) in READMES.into_iter().zip(["as sent", "原样转发"]) {
        let told: Vec<Vec<String>> = table(readme, "reasons");
        let labels: Vec<&str> = told.iter().map(|row| name(&row[0])).collect();
        assert_eq!(labels, Cause::ALL.map(Cause::label), "{file}");
        for (row, cause) in told.iter().zip(Cause::ALL) {
            assert_eq!(row.len(), 6, "{file}: {row:?}");
            assert_eq!(row[1], cause.initiator().label(), "{file}: {row:?}");
            for (cell, leg) in row[2..4].iter().zip(Leg::BOTH) {
                assert_eq!(
                    *cell,
                    close_cell(cause.default_close(leg), as_sent),
                    "{file}: {row:?}"
                );
            }
            assert!(!row[4].is_empty() && !row[5].is_empty(), "{file}: {row:?}");
        }
    }
}

#[test]
fn the_table_of_failed_handshakes_is_the_enum() {
    for (file, readme) in READMES {
        let told = table(readme, "handshakes");
        let labels: Vec<&str> = told.iter().map(|row| name(&row[0])).collect();
        assert_eq!(
            labels,
            HandshakeFailure::ALL.map(HandshakeFailure::label),
            "{file}"
        );
        for (row, failure) in told.iter().zip(HandshakeFailure::ALL) {
            assert_eq!(row.len(), 5, "{file}: {row:?}");
            assert_eq!(row[1], failure.initiator().label(), "{file}: {row:?}");
            let status = row[2].parse::<u16>().ok();
            assert_eq!(
                status,
                failure.status().map(|status| status.as_u16()),
                "{file}: {row:?}"
            );
        }
    }
}

#[test]
fn the_table_of_fields_is_the_record() {
    let relayed = Relayed::start("");
    drop(relayed.client);
    let record = relayed
        .sidecar
        .log_event("connection_closed", support::TIMEOUT);
    let record: Vec<&str> = record
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for (file, readme) in READMES {
        let rows = table(readme, "fields");
        let mut told: Vec<&str> = rows.iter().flat_map(|row| names(&row[0])).collect();
        let mut record = record.clone();
        told.sort_unstable();
        record.sort_unstable();
        assert_eq!(told, record, "{file}");
    }
}

#[test]
fn the_table_of_metrics_is_what_is_answered() {
    let answered: Vec<(String, &str)> = families()
        .map(|family| {
            let labels = match family.labels {
                [] => String::new(),
                labels => format!("{{{}}}", labels.join(",")),
            };
            (format!("{}{labels}", family.series()), family.kind.label())
        })
        .collect();
    for (file, readme) in READMES {
        let rows = table(readme, "metrics");
        let told: Vec<(String, &str)> = rows
            .iter()
            .map(|row| (name(&row[0]).to_owned(), row[1].as_str()))
            .collect();
        assert_eq!(told, answered, "{file}");
        assert!(rows.iter().all(|row| row.len() == 3 && !row[2].is_empty()));
    }
}

/// The environment of the examples.
fn variable(name: &str) -> Option<String> {
    (name == "SIDEBEAT_ADMIN_TOKEN").then(|| "0123456789abcdef".repeat(3))
}

#[test]
fn every_yaml_block_is_valid_and_warns_of_nothing() {
    let hardening = ("docs/hardening.md", include_str!("../../docs/hardening.md"));
    for (file, readme) in READMES.into_iter().chain([hardening]) {
        let blocks = blocks(readme, "yaml");
        assert!(
            blocks.len() >= if file == hardening.0 { 1 } else { 3 },
            "{file}"
        );
        for block in blocks {
            let whole = if block.contains("listen:") {
                block.to_owned()
            } else {
                format!("listen: :8080\nupstream: ws://127.0.0.1:9501\n{block}")
            };
            let loaded = sidebeat::config::parse(&whole, file, &variable)
                .unwrap_or_else(|problems| panic!("{problems:?} in\n{whole}"));
            assert!(
                loaded.warnings.is_empty(),
                "{:?} in\n{whole}",
                loaded.warnings
            );
        }
    }
}

/// Begin commands that need more than this test has: a compiler's minutes, an engine, a cluster, a journal.
const NOT_RUN: [&str; 5] = [
    "cargo ",
    "docker compose -f deploy/",
    "kubectl apply -k deploy/",
    "journalctl -u sidebeat ",
    "kill ",
];

#[test]
fn every_command_works() {
    let backend = Backend::echo();
    let settings = format!(
        "upstream: {}\nadmin: {{listen: '127.0.0.1:0'}}",
        backend.url()
    );
    let sidecar = Sidecar::start(&settings);
    let admin = |sidecar: &Sidecar| {
        let record = sidecar.log_event("admin_listening", support::TIMEOUT);
        record["address"].as_str().unwrap().to_owned()
    };
    let watched = admin(&sidecar);
    for (file, readme) in READMES {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("proxy.yaml"), blocks(readme, "yaml")[0]).unwrap();
        let deploy = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
        std::os::unix::fs::symlink(deploy, folder.path().join("deploy")).unwrap();
        let commands: Vec<&str> = blocks(readme, "sh")
            .into_iter()
            .flat_map(str::lines)
            .collect();
        assert!(commands.len() >= 10, "{file}");
        for command in commands {
            if NOT_RUN.iter().any(|begin| command.starts_with(begin)) {
                continue;
            }
            if command.starts_with("curl ") {
                continue; // as in `readme/api.rs`
            }
            assert!(
                command.starts_with("sidebeat"),
                "{file}: is `{command}` tried anywhere?"
            );
            if command == "sidebeat" || command.starts_with("sidebeat run ") {
                continue; // as `Sidecar` and `cli/without_file.rs` do
            }
            // It ends its sidecar.
            let to_drain = command.starts_with("sidebeat drain");
            let to_drain = to_drain.then(|| Sidecar::start(&settings));
            let asked = to_drain.as_ref().map_or_else(|| watched.clone(), admin);
            let command = command.replace("127.0.0.1:8080", &sidecar.address().to_string());
            let program = Path::new(env!("CARGO_BIN_EXE_sidebeat")).parent().unwrap();
            let output = Command::new("sh")
                .args(["-e", "-c", &command])
                .current_dir(folder.path())
                .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
                .env_remove("SIDEBEAT_CONFIG")
                .env("SIDEBEAT_ADMIN", asked)
                .output()
                .unwrap();
            assert!(output.status.success(), "{file}: {command}: {output:?}");
        }
    }
}

#[test]
fn both_languages_show_the_same_commands_and_files() {
    let [(_, english), (_, chinese)] = READMES;
    for language in ["sh", "json"] {
        assert_eq!(blocks(english, language), blocks(chinese, language));
    }
    let settings = |readme: &'static str| -> Vec<Value> {
        let read = |block: &str| serde_yaml::from_str(block).unwrap();
        blocks(readme, "yaml").into_iter().map(read).collect()
    };
    assert_eq!(settings(english), settings(chinese));
}

#[test]
fn the_rust_that_is_needed_is_named() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    for ((file, readme), needed) in READMES.into_iter().zip([
        format!("Rust {version} or later"),
        format!("Rust（{version} 以上）"),
    ]) {
        assert!(readme.contains(&needed), "{file}: {needed}");
    }
}
