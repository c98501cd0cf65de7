//! Addresses that are listened on: both families whatever the host is like, and the files of Unix sockets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Request, Sidecar, TIMEOUT, Wire, wait_until};
use rustix::process::Signal;
use socket2::{Domain, SockAddr, Socket, Type};

/// A network of its own, which needs user namespaces or root; none where the system has neither.
fn in_own_network(script: &str) -> Option<Output> {
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--net", "sh", "-ec", script])
            .env("SIDEBEAT", env!("CARGO_BIN_EXE_sidebeat"))
            .env_remove("SIDEBEAT_CONFIG")
            .output()
    };
    let possible = run("ip link set lo up; echo 0 > /proc/sys/net/ipv6/bindv6only");
    match possible {
        Ok(output) if output.status.success() => Some(run(script).unwrap()),
        _ => {
            eprintln!("not tested: this system lets a test have no network of its own");
            None
        }
    }
}

/// Starts a sidecar in a network whose settings `prepare` makes, and asks it over both families; the exit statuses of
/// that.
fn ask_over_both_families(listen: &str, prepare: &str) -> Option<[String; 2]> {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("proxy.yaml");
    let text = format!(
        "listen: 127.0.0.1:8080\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: {{listen: '{listen}', token: 0123456789abcdef}}\n"
    );
    fs::write(&config, text).unwrap();
    let script = format!(
        r#"
        ip link set lo up
        {prepare}
        timeout 60 "$SIDEBEAT" run -c "{config}" > "{log}" 2>&1 &
        ask() {{ "$SIDEBEAT" top --once --token 0123456789abcdef --admin "http://$1:9901" > /dev/null 2>&1; }}
        tries=0
        until grep -q '"admin_listening"' "{log}" || [ $tries = 150 ]; do tries=$((tries + 1)); sleep 0.1; done
        v4=0; ask 127.0.0.1 || v4=$?
        v6=0; ask '[::1]' || v6=$?
        "$SIDEBEAT" drain -c "{config}" > /dev/null
        wait
        echo $v4 $v6
        "#,
        config = config.display(),
        log = folder.path().join("log").display(),
    );
    let output = in_own_network(&script)?;
    let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let statuses: Vec<&str> = told.split_whitespace().collect();
    match statuses[..] {
        [v4, v6] => Some([v4.to_owned(), v6.to_owned()]),
        _ => panic!("{output:?}\n{log}"),
    }
}

#[test]
fn every_address_is_one_of_both_families_whatever_bindv6only_says() {
    for listen in [":9901", "[::]:9901"] {
        for only in [0, 1] {
            let prepare = format!("echo {only} > /proc/sys/net/ipv6/bindv6only");
            if let Some(statuses) = ask_over_both_families(listen, &prepare) {
                assert_eq!(statuses, ["0", "0"], "{listen} with bindv6only={only}");
            }
        }
    }
}

#[test]
fn every_address_is_ipv4_where_ipv6_is_off() {
    let prepare = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
    if let Some(statuses) = ask_over_both_families(":9901", prepare) {
        assert_eq!(statuses, ["0", "1"]);
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn get(path: &Path, target: &str) -> u16 {
    let request = Request::line(&format!("GET {target} HTTP/1.1")).header("Host", "localhost");
    Wire::connect_unix(path).ask(&request).status
}

#[test]
fn sockets_have_the_mode_that_is_written_and_follow_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (clients, metrics, admin) = (path("clients"), path("metrics"), path("admin"));
    let text = |modes: [&str; 3]| {
        let [c, m, a] = modes;
        format!(
            "listen: 'unix:{}{c}'\nmetrics: {{listen: 'unix:{}{m}'}}\nadmin: {{listen: 'unix:{}{a}'}}\nupstream: ws://127.0.0.1:9\n",
            clients.display(),
            metrics.display(),
            admin.display()
        )
    };
    let modes = || [&clients, &metrics, &admin].map(|path| mode(path));
    let sidecar = Sidecar::start(&text(["?mode=0666", "?mode=0660", "?mode=0600"]));
    sidecar.log_event("admin_listening", TIMEOUT);
    assert_eq!(modes(), [0o666, 0o660, 0o600]);

    // The same sockets, which were never closed.
    sidecar.write_config(&text(["?mode=0600", "?mode=0660", ""]));
    let record = sidecar.log_event("config_reloaded", TIMEOUT);
    assert_eq!(
        record["changed"],
        serde_json::json!(["listen", "admin.listen"])
    );
    assert_eq!(modes()[..2], [0o600, 0o660]);
    assert_ne!(modes()[2], 0o600, "the mode that the umask leaves");
    assert!(sidecar.logged("listening_ended").is_empty());
    assert_eq!(sidecar.logged("listening").len(), 1);
    assert_eq!(get(&metrics, "/livez"), 200);
    assert_eq!(get(&admin, "/api/summary"), 200);
    assert_eq!(get(&clients, "/"), 502);
}

#[test]
fn a_socket_file_that_another_process_has_replaced_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let text = format!(
        "listen: 'unix:{}'\nupstream: ws://127.0.0.1:9",
        path.display()
    );
    let old = Sidecar::start(&text);
    // A process manager that makes way for the next one.
    fs::remove_file(&path).unwrap();
    let new = Sidecar::start(&text);
    old.signal(Signal::TERM);
    assert_eq!(old.wait_for_exit(TIMEOUT).code(), Some(0));
    assert_eq!(get(&path, "/"), 502);
    new.signal(Signal::TERM);
    assert_eq!(new.wait_for_exit(TIMEOUT).code(), Some(0));
    assert!(!path.exists());
}

/// How a sidecar that cannot listen there ends.
fn refused(path: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "listen: 'unix:{}'\nupstream: ws://127.0.0.1:9",
        path.display()
    );
    let sidecar = Sidecar::spawn_in(folder, &text);
    assert_eq!(sidecar.wait_for_exit(TIMEOUT).code(), Some(1));
    let failed = sidecar.log_event("failed", TIMEOUT).to_string();
    let begin = format!("cannot listen on unix:{}: ", path.display());
    failed.split_once(&begin).unwrap().1.to_owned()
}

#[test]
fn a_unix_socket_is_taken_over_only_if_nothing_accepts_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let text = format!(
        "listen: 'unix:{}'\nupstream: ws://127.0.0.1:9",
        path.display()
    );
    let first = Sidecar::start(&text);
    assert!(refused(&path).starts_with("the address is in use"));
    assert_eq!(get(&path, "/"), 502);
    // Killed, it leaves its file behind.
    first.signal(Signal::KILL);
    first.wait_for_exit(TIMEOUT);
    assert!(path.exists());
    drop(Sidecar::start(&text));

    fs::remove_file(&path).unwrap();
    fs::write(&path, "somebody's notes").unwrap();
    assert!(refused(&path).starts_with("there is a file that is no socket"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's notes");
    assert!(refused(&folder.path().join("none/s")).contains("its folder must exist"));
}

#[test]
fn a_process_that_is_too_busy_to_answer_keeps_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    // Its queue is full, so that a connect would wait.
    let busy = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    busy.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    busy.listen(0).unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    assert!(refused(&path).starts_with("the address is in use"));
}

#[test]
fn a_client_in_the_queue_of_a_closing_socket_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let text = format!(
        "listen: 'unix:{}'\nupstream: ws://127.0.0.1:9",
        path.display()
    );
    let sidecar = Sidecar::start(&text);
    let admitted: Vec<UnixStream> = (0..100)
        .map(|_| UnixStream::connect(&path).unwrap())
        .collect();
    sidecar.write_config("listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9");
    let request = Request::line("GET / HTTP/1.1")
        .header("Host", "localhost")
        .encode();
    let ask = |socket: UnixStream| {
        let mut wire = Wire::new(socket.into(), true);
        wire.send(&request);
        wire
    };
    let asking: Vec<Wire> = admitted.into_iter().map(ask).collect();
    for mut wire in asking {
        assert_eq!(wire.answer().status, 502);
    }
    wait_until("the file is gone", || !path.exists());
}
