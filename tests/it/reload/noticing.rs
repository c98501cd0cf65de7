//! How a change is noticed: whatever way the file came to have another content, and SIGHUP.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use super::*;

const FIRST: &str = "listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: off\nlimits: {max_connections: 1}\n";
const SECOND: &str = "listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: off\nlimits: {max_connections: 2}\n";

fn check_noticed(sidecar: &Sidecar, trigger: &str) {
    let record = reloaded(sidecar);
    assert_eq!(record["trigger"], trigger, "{record}");
    assert_eq!(record["changed"], json!(["limits.max_connections"]));
    assert_eq!(record["detail"], "limits.max_connections: 1 -> 2");
    assert!(sidecar.logged("config_rejected").is_empty());
}

#[test]
fn a_rename_is_noticed() {
    let sidecar = Sidecar::start(FIRST);
    sidecar.write_config(SECOND);
    check_noticed(&sidecar, "file");
}

#[test]
fn a_write_in_place_is_noticed() {
    let sidecar = Sidecar::start(FIRST);
    fs::write(sidecar.config_path(), SECOND).unwrap();
    check_noticed(&sidecar, "file");
}

#[test]
fn a_config_maps_symlinks_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let version = |folder: &Path, name: &str| {
        fs::create_dir(folder.join(name)).unwrap();
        let link = folder.join("..data_tmp");
        symlink(name, &link).unwrap();
        link
    };
    let link = version(folder.path(), "..2026_1");
    fs::rename(link, folder.path().join("..data")).unwrap();
    symlink("..data/proxy.yaml", folder.path().join("proxy.yaml")).unwrap();
    // Writes through both links.
    let sidecar = Sidecar::start_in(folder, FIRST);
    let folder = sidecar.folder();
    assert!(folder.join("..2026_1/proxy.yaml").is_file());

    let link = version(folder, "..2026_2");
    fs::write(folder.join("..2026_2/proxy.yaml"), SECOND).unwrap();
    fs::rename(link, folder.join("..data")).unwrap();
    fs::remove_dir_all(folder.join("..2026_1")).unwrap();
    check_noticed(&sidecar, "file");
}

#[test]
fn a_file_that_is_gone_for_a_moment_is_not_missed() {
    let sidecar = Sidecar::start(FIRST);
    fs::remove_file(sidecar.config_path()).unwrap();
    // Long enough to be looked for, and much less than what counts as gone.
    sleep(Duration::from_millis(300));
    sidecar.write_config(SECOND);
    check_noticed(&sidecar, "file");
}

#[test]
fn a_file_that_is_gone_is_reported_and_may_come_back() {
    let sidecar = Sidecar::start(FIRST);
    fs::remove_file(sidecar.config_path()).unwrap();
    let record = rejected(&sidecar);
    assert!(
        record["problems"][0]
            .as_str()
            .unwrap()
            .contains("no such file"),
        "{record}"
    );
    assert_eq!(ask(&sidecar).status, 502, "it still serves");
    sidecar.write_config(SECOND);
    let record = reloaded(&sidecar);
    assert_eq!(record["changed"], json!(["limits.max_connections"]));
}

#[test]
fn a_hangup_reads_the_file_even_if_it_is_the_same() {
    let sidecar = Sidecar::start(FIRST);
    sidecar.signal(Signal::HUP);
    let record = reloaded(&sidecar);
    assert_eq!(record["trigger"], "signal");
    assert_eq!(record["changed"], json!([]));
    assert_eq!(record["detail"], "no key changed");
}

#[test]
fn a_comment_is_no_change() {
    let sidecar = Sidecar::start(FIRST);
    sidecar.write_config(&format!("# new\n{FIRST}"));
    assert_eq!(reloaded(&sidecar)["changed"], json!([]));
}

#[test]
fn every_changed_key_is_named() {
    let sidecar = Sidecar::start(FIRST);
    sidecar.write_config(
        "listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:10\nlimits: {max_frame: 1MiB}\nroutes:\n  - match: {path: /a}\n",
    );
    let record = reloaded(&sidecar);
    let mut changed: Vec<&str> = record["changed"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    changed.sort_unstable();
    let keys = [
        "limits.max_connections",
        "limits.max_frame",
        "routes[0].match.path",
        "upstream",
    ];
    assert_eq!(changed, keys, "{record}");
    let detail = record["detail"].as_str().unwrap();
    assert!(
        detail.contains("upstream: ws://127.0.0.1:9 -> ws://127.0.0.1:10"),
        "{detail}"
    );
}

#[test]
fn of_thousands_of_changes_a_hundred_are_named() {
    let sidecar = Sidecar::start(FIRST);
    let routes: String = (0..3000)
        .map(|route| format!("- match: {{path: /{route}}}\n"))
        .collect();
    sidecar.write_config(&format!("{FIRST}routes:\n{routes}drain: {{spread: 1s}}\n"));
    let record = reloaded(&sidecar);
    assert_eq!(record["changed"][0], "drain.spread");
    assert_eq!(record["changed"].as_array().unwrap().len(), 100);
    let detail = record["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("; and 2901 more"),
        "{}",
        &detail[detail.len() - 100..]
    );
}
