//! A file that cannot be used changes nothing, and says why and where.

use std::fs;

use rustix::process::Signal;

use super::*;

#[test]
fn a_bad_file_is_reported_with_line_and_column_and_changes_nothing() {
    let mut relayed = Relayed::start("log: {level: info}");
    let bad = "listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9\nheartbeat:\n  client: {idle_time: 1s, idle_tme: 2s}\n\
               limits: {max_frame: much}\n";
    relayed.sidecar.write_config(bad);
    let record = rejected(&relayed.sidecar);
    assert_eq!(record["level"], "ERROR");
    assert_eq!(record["trigger"], "file");
    let problems: Vec<&str> = record["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .filter(|problem| !problem.contains(": warning: "))
        .collect();
    let path = relayed.sidecar.config_path();
    let at = |line: u32, column: u32| format!("{}:{line}:{column}: error: ", path.display());
    assert_eq!(problems.len(), 2, "{record}");
    assert!(
        problems[0].starts_with(&at(4, 27)) && problems[0].contains("idle_time"),
        "{record}"
    );
    assert!(
        problems[1].starts_with(&at(5, 21)) && problems[1].contains("limits.max_frame"),
        "{record}"
    );

    // Not even the upstream, which was fine by itself.
    check_alive(&mut relayed.client, &mut relayed.upstream);
    let (mut client, mut upstream) = relayed.another();
    check_alive(&mut client, &mut upstream);
    assert!(relayed.sidecar.logged("config_reloaded").is_empty());
    relayed
        .client
        .expect_silence(std::time::Duration::from_millis(1500));

    // A good one afterwards is taken.
    assert_eq!(
        reload(&relayed, "log: {level: info}\nlimits: {max_frame: 1KiB}")["changed"],
        json!(["limits.max_frame"])
    );
}

#[test]
fn whatever_stands_in_place_of_the_file_is_survived() {
    let mut relayed = Relayed::start("");
    let path = relayed.sidecar.config_path();
    let good = fs::read(&path).unwrap();
    let mut huge = good.clone();
    huge.resize(2 * 1024 * 1024 + 1, b'#');
    let mut latin = good.clone();
    latin.extend_from_slice(b"# caf\xe9\n");
    for (content, complaint) in [
        (&b""[..], "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (&huge, "is larger than 1 MiB"),
        (&latin, ":5:6: error: this byte is not UTF-8"),
        (b"listen: [\n", "proxy.yaml:"),
        (b"\0\0\0", "proxy.yaml:"),
        (b"- a\n- b\n", "proxy.yaml:"),
        (b"a: &a [*a, *a]\n", "proxy.yaml:"),
    ] {
        fs::write(&path, content).unwrap();
        relayed.sidecar.signal(Signal::HUP);
        let record = relayed
            .sidecar
            .log_event_where("config_rejected", TIMEOUT, |record| {
                record["trigger"] == "signal"
            });
        let problem = record["problems"][0].as_str().unwrap();
        assert!(problem.contains(complaint), "{complaint}: {problem}");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    relayed.sidecar.signal(Signal::HUP);
    relayed
        .sidecar
        .log_event_where("config_rejected", TIMEOUT, |record| {
            record["problems"][0]
                .as_str()
                .unwrap()
                .contains("is a directory")
        });
    check_alive(&mut relayed.client, &mut relayed.upstream);

    fs::remove_dir(&path).unwrap();
    fs::write(&path, &good).unwrap();
    relayed.sidecar.signal(Signal::HUP);
    assert_eq!(reloaded(&relayed.sidecar)["detail"], "no key changed");
}

#[test]
fn a_flood_of_bad_files_and_hangups_costs_no_connection() {
    let mut relayed = Relayed::start("");
    for round in 0..50 {
        let bad = format!("listen: 127.0.0.1:0\nupstream: {round}\n");
        fs::write(relayed.sidecar.config_path(), bad).unwrap();
        relayed.sidecar.signal(Signal::HUP);
    }
    rejected(&relayed.sidecar);
    check_alive(&mut relayed.client, &mut relayed.upstream);
}
