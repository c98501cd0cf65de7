//! Every subcommand that ends by itself.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use super::*;

const GOOD: &str = "listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: off\n";

#[test]
fn a_good_file_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("proxy.yaml"), GOOD).unwrap();
    let told = run(sidebeat(folder.path()).arg("check"));
    assert_eq!(
        told,
        (Some(0), "proxy.yaml is valid\n".to_owned(), String::new())
    );
}

#[test]
fn check_prints_every_error() {
    let folder = tempfile::tempdir().unwrap();
    let bad = "lisen: 127.0.0.1:0\nupstream: ws://127.0.0.1:9\nheartbeat:\n  client: {idle_time: soon}\nlimits: {max_frame: -1}\n";
    fs::write(folder.path().join("proxy.yaml"), bad).unwrap();
    let problems = [
        "proxy.yaml:1:1: error: lisen: ",
        "proxy.yaml:4:23: error: heartbeat.client.idle_time: ",
        "proxy.yaml:5:21: error: limits.max_frame: ",
    ];
    let (code, stdout, _) = run(sidebeat(folder.path()).arg("check"));
    assert_eq!(code, Some(78));
    for problem in problems {
        assert!(stdout.contains(problem), "{problem} in {stdout}");
    }
    assert!(stdout.contains("did you mean listen"), "{stdout}");
    // `run` says the same where errors are looked for.
    let (code, stdout, stderr) = run(sidebeat(folder.path()).arg("run"));
    assert_eq!((code, &*stdout), (Some(78), ""));
    for problem in problems {
        assert!(stderr.contains(problem), "{problem} in {stderr}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_reported_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.yaml");
    let directory = folder.path().to_owned();
    for command in ["run", "check"] {
        for (path, sentence) in [(&missing, "no such file"), (&directory, "is a directory")] {
            let (code, stdout, stderr) =
                run(sidebeat(folder.path()).args([command, "-c"]).arg(path));
            assert_eq!(code, Some(78), "{stdout}{stderr}");
            let told = stdout + &stderr;
            assert!(told.contains(&path.display().to_string()), "{told}");
            assert!(
                told.contains(sentence) && !told.contains("panicked"),
                "{told}"
            );
        }
    }
}

#[test]
fn the_file_is_the_options_or_the_environments_or_the_folders() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["proxy.yaml", "environment.yaml", "option.yaml"] {
        fs::write(folder.path().join(name), GOOD).unwrap();
    }
    let checked = |command: &mut Command| {
        let (code, stdout, _) = run(command.arg("check"));
        assert_eq!(code, Some(0));
        stdout
    };
    let command = || sidebeat(folder.path());
    assert_eq!(checked(&mut command()), "proxy.yaml is valid\n");
    let environment = ("SIDEBEAT_CONFIG", "environment.yaml");
    assert_eq!(
        checked(command().env(environment.0, environment.1)),
        "environment.yaml is valid\n"
    );
    let (_, stdout, _) =
        run(command()
            .env(environment.0, environment.1)
            .args(["check", "-c", "option.yaml"]));
    assert_eq!(stdout, "option.yaml is valid\n");
}

#[test]
fn check_reads_a_named_file_or_standard_input_and_prints_json() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("my.yaml"), GOOD).unwrap();
    let (code, stdout, _) = run(sidebeat(folder.path()).args(["check", "my.yaml"]));
    assert_eq!((code, &*stdout), (Some(0), "my.yaml is valid\n"));
    let piped = |text: &str, arguments: &[&str]| {
        let mut child = sidebeat(folder.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), stdout)
    };
    assert_eq!(
        piped(GOOD, &["check", "-"]),
        (Some(0), "standard input is valid\n".to_owned())
    );
    let (code, stdout) = piped("listen: :1\nupstrem: ws://a\n", &["check", "--json", "-"]);
    assert_eq!(code, Some(78));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["file"], "standard input");
    assert_eq!(
        (&report["valid"], &report["errors"]),
        (&false.into(), &2.into())
    );
    let problem = &report["problems"][1];
    assert_eq!(
        (&problem["line"], &problem["column"]),
        (&2.into(), &1.into())
    );
    assert_eq!(problem["path"], "upstrem");
    assert_eq!(problem["severity"], "error");
    let (code, stdout, stderr) =
        run(sidebeat(folder.path()).args(["check", "my.yaml", "-c", "other.yaml"]));
    assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
}

#[test]
fn usage_is_exit_status_2() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [
        &["--nonsense"][..],
        &["nonsense"],
        &["run", "-c"],
        &["check", "a", "b"],
        &["probe", "ftp://127.0.0.1"],
        &["probe", "-n", "0"],
        &["completions", "dosbox"],
        &["drain", "--admin", "https://127.0.0.1"],
        &["drain", "--token", "a b"],
        &["drain", "--timeout", "soon"],
        &["top", "--sort", "age"],
        &["top", "--limit", "0"],
    ] {
        let (code, stdout, stderr) = run(sidebeat(folder.path()).args(wrong));
        assert_eq!((code, &*stdout), (Some(2), ""), "{wrong:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

#[test]
fn an_address_in_use_is_exit_status_1_and_a_clear_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (key, text) in [
        (
            "listen",
            format!("listen: [127.0.0.1:0, '{address}']\nmetrics: off\nadmin: off"),
        ),
        (
            "metrics.listen",
            format!("listen: 127.0.0.1:0\nmetrics: {{listen: '{address}'}}\nadmin: off"),
        ),
        (
            "admin.listen",
            format!("listen: 127.0.0.1:0\nmetrics: off\nadmin: {{listen: '{address}'}}"),
        ),
    ] {
        let text = format!("{text}\nupstream: ws://127.0.0.1:9\n");
        fs::write(folder.path().join("proxy.yaml"), text).unwrap();
        let (code, stdout, stderr) = run(&mut sidebeat(folder.path()));
        assert_eq!(code, Some(1));
        let sentence = format!(
            "cannot listen on {address}: the address is in use. Stop what uses it, or change `{key}`"
        );
        assert_eq!(stderr, "", "one line on one stream");
        let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["event"], &last["detail"]),
            (&"failed".into(), &sentence.into())
        );
        assert!(
            !stdout.contains("listening\""),
            "not even the one that was free: {stdout}"
        );
    }
}

#[test]
fn an_address_of_another_machine_is_reported_likewise() {
    let folder = tempfile::tempdir().unwrap();
    let text = "listen: 192.0.2.1:80\nupstream: ws://127.0.0.1:9\n";
    fs::write(folder.path().join("proxy.yaml"), text).unwrap();
    let (code, stdout, stderr) = run(&mut sidebeat(folder.path()));
    assert_eq!((code, &*stderr), (Some(1), ""));
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let detail = last["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("cannot listen on 192.0.2.1:80: "),
        "{detail}"
    );
}

#[test]
fn a_failing_start_leaves_whole_lines_where_both_outputs_are_one_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!(
        "listen: '{}'\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: off\n",
        taken.local_addr().unwrap()
    );
    fs::write(folder.path().join("proxy.yaml"), text).unwrap();
    for _ in 0..20 {
        let (mut both, end) = std::io::pipe().unwrap();
        let mut command = sidebeat(folder.path());
        command.stdout(end.try_clone().unwrap()).stderr(end);
        let mut process = Process::start(&mut command);
        // The command keeps the writing ends for as long as it lives.
        drop(command);
        let mut told = String::new();
        both.read_to_string(&mut told).unwrap();
        assert_eq!(process.status(), Some(1));
        let events: Vec<serde_json::Value> = told
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect();
        let failed = events.iter().filter(|record| record["event"] == "failed");
        assert_eq!(failed.count(), 1, "{told}");
    }
}

#[test]
fn a_failed_start_is_reported_on_stderr_if_stdout_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let text =
        format!("listen: '{address}'\nupstream: ws://127.0.0.1:9\nmetrics: off\nadmin: off\n");
    fs::write(folder.path().join("proxy.yaml"), text).unwrap();
    let mut command = sidebeat(folder.path());
    // Every write to it fails, as on a full disk.
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr,
        format!(
            "sidebeat: cannot listen on {address}: the address is in use. Stop what uses it, or change `listen`\n"
        )
    );
}

#[test]
fn the_schema_is_a_schema() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run(sidebeat(folder.path()).arg("schema"));
    assert_eq!((code, &*stderr), (Some(0), ""));
    let schema: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert!(
        schema["$schema"]
            .as_str()
            .unwrap()
            .contains("json-schema.org")
    );
    for key in [
        "listen",
        "upstream",
        "heartbeat",
        "limits",
        "close",
        "drain",
        "log",
        "routes",
    ] {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn completions_are_scripts() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, sign) in [
        ("bash", "complete -F _sidebeat"),
        ("zsh", "#compdef sidebeat"),
        ("fish", "complete -c sidebeat"),
    ] {
        let (code, script, stderr) = run(sidebeat(folder.path()).args(["completions", shell]));
        assert_eq!((code, &*stderr), (Some(0), ""), "{shell}");
        assert!(script.contains(sign), "{shell}: {script}");
        assert!(script.contains("schema"), "{shell}");
        if shell == "bash" {
            let file = folder.path().join("script");
            fs::write(&file, &script).unwrap();
            let (code, _, stderr) = run(Command::new("bash").arg("-n").arg(&file));
            assert_eq!(code, Some(0), "{stderr}");
        }
    }
}

#[test]
fn help_and_version_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (code, version, _) = run(sidebeat(folder.path()).arg("--version"));
    assert_eq!(
        (code, version),
        (Some(0), format!("sidebeat {}\n", env!("CARGO_PKG_VERSION")))
    );
    let (code, help, _) = run(sidebeat(folder.path()).arg("--help"));
    assert_eq!(code, Some(0));
    for word in [
        "run",
        "check",
        "schema",
        "demo",
        "probe",
        "top",
        "drain",
        "completions",
        "SIDEBEAT_CONFIG",
        "SIGHUP",
        "78 invalid",
    ] {
        assert!(help.contains(word), "{word} in {help}");
    }
    for command in [
        "run",
        "check",
        "schema",
        "demo",
        "probe",
        "top",
        "drain",
        "completions",
    ] {
        let (code, help, _) = run(sidebeat(folder.path()).args([command, "--help"]));
        assert_eq!(code, Some(0));
        assert!(
            help.contains(&format!("Usage: sidebeat {command}")),
            "{help}"
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_reason_to_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut bad = String::from(GOOD);
    for key in 0..2000 {
        bad.push_str(&format!("unknown_{key}: 1\n"));
    }
    fs::write(folder.path().join("proxy.yaml"), bad).unwrap();
    for (command, expected) in [
        (&["check"][..], 78),
        (&["schema"], 0),
        (&["completions", "zsh"], 0),
    ] {
        let mut child = sidebeat(folder.path())
            .args(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{command:?}: {stderr}");
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{command:?}: {stderr}"
        );
    }
}

#[test]
fn a_probe_says_whether_there_is_a_websocket() {
    let backend = support::Backend::echo();
    let sidecar = support::Sidecar::start(&format!("upstream: {}", backend.url()));
    let url = format!("ws://{}/chat", sidecar.address());
    let folder = tempfile::tempdir().unwrap();
    let probe = |url: &str| run(sidebeat(folder.path()).args(["probe", url, "--json"]));
    let (code, stdout, _) = probe(&url);
    assert_eq!(code, Some(0), "{stdout}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&report["status"], &report["pongs_received"]),
        (&101.into(), &1.into())
    );

    let sidecar = support::Sidecar::start("upstream: ws://127.0.0.1:9");
    let (code, stdout, _) = probe(&format!("ws://{}/chat", sidecar.address()));
    assert_eq!(code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["status"], 502);
}

#[test]
fn a_file_may_come_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let fed = |command: &str| {
        let mut child = sidebeat(folder.path())
            .args([command, "-c", "/dev/stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(GOOD.as_bytes()).unwrap();
        child
    };
    let output = fed("check").wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "/dev/stdin is valid\n"
    );

    let mut running = Process(fed("run"));
    let log = BufReader::new(running.0.stdout.take().unwrap());
    let mut lines = log.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"event\":\"listening\"")));
    running.signal(rustix::process::Signal::TERM);
    let rest: Vec<String> = lines.collect();
    assert_eq!(running.status(), Some(0));
    assert!(!rest.concat().contains("config_re"), "{rest:?}");
}
