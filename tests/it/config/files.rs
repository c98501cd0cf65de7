//! Whole files: what is valid, what is messages about what is not, and that nothing makes the reader panic.
//!
//! Beside each file of `tests/configs` stands an `.expected` file with all that is messages about it. After an intended
//! change, `SIDEBEAT_BLESS=1 cargo test --test it config::` writes them anew; read the difference before committing it.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sidebeat::config::{self, HostHeader, LoadError, Loaded, Severity, Target};
use sidebeat::session::policy::ProbeKind;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn parse(text: &str) -> Result<Loaded, Vec<config::Diagnostic>> {
    config::parse(text, "p.yaml", &|_| None)
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(ROOT).join("tests/configs").join(folder);
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml");
    let mut files: Vec<PathBuf> = entries.filter(is_yaml).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn valid(name: &str) -> Loaded {
    let path = Path::new(ROOT).join("tests/configs/valid").join(name);
    config::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

/// Everything that is messages about a file, with its name alone; whether it is usable.
fn messages(path: &Path) -> (String, bool) {
    let (problems, usable) = match config::load(path) {
        Ok(loaded) => (loaded.warnings, true),
        Err(LoadError::Invalid(problems)) => (problems, false),
        Err(other) => panic!("{other}"),
    };
    let lines: String = problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect();
    let folder = format!("{}/", path.parent().unwrap().display());
    (lines.replace(&folder, ""), usable)
}

fn compare_with_expected(folder: &str, should_be_usable: bool) {
    let bless = std::env::var_os("SIDEBEAT_BLESS").is_some();
    let mut wrong = String::new();
    for path in files(folder) {
        let (messages, usable) = messages(&path);
        assert_eq!(usable, should_be_usable, "{}:\n{messages}", path.display());
        let expected_path = path.with_extension("expected");
        if bless {
            fs::write(&expected_path, &messages).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if messages != expected {
            wrong += &format!(
                "{}\n--- expected\n{expected}--- messages\n{messages}\n",
                path.display()
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn valid_files_get_only_the_expected_warnings() {
    compare_with_expected("valid", true);
}

#[test]
fn invalid_files_get_all_their_errors_at_once() {
    compare_with_expected("invalid", false);
}

#[test]
fn the_example_is_valid_and_has_no_warnings() {
    let (messages, usable) = messages(&Path::new(ROOT).join("proxy.yaml"));
    assert!(usable && messages.is_empty(), "{messages}");
}

#[test]
fn the_defaults_written_out_change_nothing() {
    assert_eq!(valid("least.yaml").config, valid("defaults.yaml").config);
}

#[test]
fn routes_inherit_key_by_key() {
    let config = valid("everything.yaml").config;
    let names: Vec<&str> = config
        .routes
        .iter()
        .map(|(_, route)| &*route.name)
        .collect();
    assert_eq!(
        names,
        [
            "chat.example.com/chat[mqtt]",
            "/other",
            "*.example.com/other"
        ]
    );

    let chat = &config.routes[0].1;
    assert_eq!(chat.upstream.target, Target::Unix("/run/chat.sock".into()));
    assert_eq!(
        chat.upstream.host,
        HostHeader::Literal("backend.internal:81".into())
    );
    let probe = chat.policy.upstream.probe.as_ref().unwrap();
    assert_eq!(
        (&probe.kind, probe.interval.as_secs()),
        (&ProbeKind::Pong, 15)
    );
    assert_eq!(chat.policy.client, config.default.policy.client);

    let other = &config.routes[1].1;
    assert_eq!(other.upstream.target, config.default.upstream.target);
    assert_eq!(other.upstream.host, HostHeader::Upstream);
    assert!(other.allowed_origins.is_empty());
    let closes: Vec<String> = other
        .policy
        .close
        .iter()
        .map(|(cause, close)| format!("{} {close}", cause.label()))
        .collect();
    assert_eq!(
        closes,
        ["upstream_lost 1014 try again", "client_idle 4000 bye"]
    );
}

#[test]
fn requests_find_their_route() {
    let config = valid("everything.yaml").config;
    let name =
        |path, host, subprotocols: &[&str]| &*config.route_for(path, host, subprotocols).name;
    assert_eq!(
        name("/chat", "Chat.example.com:8080", &["json", "mqtt"]),
        "chat.example.com/chat[mqtt]"
    );
    assert_eq!(name("/chat", "chat.example.com", &[]), "default");
    assert_eq!(name("/other", "a.example.com", &[]), "/other");
    assert_eq!(name("/", "", &[]), "default");
}

#[test]
fn routes_with_the_same_match_are_distinguished() {
    let text =
        "{listen: ':1', upstream: ws://a, routes: [{match: {path: /a}}, {match: {path: /a}}]}";
    let loaded = parse(text).unwrap();
    let names: Vec<&str> = loaded
        .config
        .routes
        .iter()
        .map(|(_, route)| &*route.name)
        .collect();
    assert_eq!(names, ["/a", "/a#2"]);
}

#[test]
fn variables_reach_values_and_numbers() {
    let env = |name: &str| (name == "N").then(|| "7".to_owned());
    let text = "{listen: ':1', upstream: ws://a, limits: {max_connections: '${N}', close_timeout: '${N}s'}}";
    let loaded = config::parse(text, "p.yaml", &env).unwrap();
    assert_eq!(loaded.config.process.max_connections, Some(7));
    assert_eq!(
        loaded.config.default.policy.limits.close_timeout.as_secs(),
        7
    );
    let shown = config::effective(&loaded.tree);
    assert_eq!(shown["limits"]["close_timeout"], "7s");
}

#[test]
fn differences_name_the_keys_that_changed() {
    let old = parse("{listen: ':1', upstream: ws://a}").unwrap().tree;
    let new = parse("{listen: ':1', upstream: ws://b, heartbeat: {client: {idle_time: 5m}}}")
        .unwrap()
        .tree;
    let changes: Vec<String> = config::diff(&old, &new)
        .iter()
        .map(config::Change::to_string)
        .collect();
    assert_eq!(
        changes,
        [
            "upstream: ws://a -> ws://b",
            "heartbeat.client.idle_time: 60s (default) -> 5m"
        ]
    );
    let app = |app: &str| {
        let text = format!("{{listen: ':1', upstream: ws://a, heartbeat: {{app: {app}}}}}");
        parse(&text).unwrap().tree
    };
    let old = app("[{match: {json: {type: ping}}, reply: a}]");
    let new = app("[{match: {json: {type: hi}}, reply: b}, {preset: text}]");
    let changes = config::diff(&old, &new);
    let changes: Vec<String> = changes.iter().map(config::Change::to_string).collect();
    assert_eq!(
        changes,
        [
            "heartbeat.app[0].match.json.type: ping -> hi",
            "heartbeat.app[0].reply: a -> b",
            "heartbeat.app[1].preset: (unset) -> text"
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let error = config::load(&at("none.yaml")).unwrap_err();
    assert!(matches!(error, LoadError::NotFound { .. }) && error.to_string().contains("-c FILE"));
    let error = config::load(folder.path()).unwrap_err();
    assert!(matches!(error, LoadError::Directory { .. }), "{error}");
    fs::write(at("big.yaml"), "#".repeat(1024 * 1024 + 1)).unwrap();
    let error = config::load(&at("big.yaml")).unwrap_err();
    assert!(matches!(error, LoadError::TooBig { .. }), "{error}");
    fs::write(at("full.yaml"), "#".repeat(1024 * 1024)).unwrap();
    assert!(matches!(
        config::load(&at("full.yaml")),
        Err(LoadError::Invalid(_))
    ));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_problem() {
    let loaded = parse("\u{feff}listen: :1\r\nupstream: ws://a\r\n").unwrap();
    assert!(loaded.warnings.is_empty());
}

#[test]
fn every_key_is_in_a_file_of_the_tests() {
    let text: String = files("valid")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for key in config::keys() {
        let name = key.path.rsplit('.').next().unwrap();
        let is_cause = key.path.contains("close.");
        assert!(
            is_cause || text.contains(&format!("{name}:")),
            "{}",
            key.path
        );
    }
}

#[test]
fn lints_begin_exactly_where_settings_defeat_each_other() {
    let warnings = |rest: &str| {
        let loaded = parse(&format!("listen: ':8080'\n{rest}\n")).unwrap();
        let keys: Vec<String> = loaded
            .warnings
            .into_iter()
            .map(|problem| problem.path)
            .collect();
        keys.join(" ")
    };
    let client = |keys: &str| {
        warnings(&format!(
            "upstream: ws://a\nheartbeat: {{client: {{{keys}}}}}"
        ))
    };
    for (keys, messages) in [
        ("ping_interval: 59s, missed_pongs: 1", ""),
        ("idle_time: 25s", "heartbeat.client.idle_time"),
        ("idle_time: 26s, missed_pongs: 1", ""),
        ("idle_time: 30s", ""),
        ("idle_time: 25s, activity: message", ""),
        ("idle_time: 25s, ping_interval: off", ""),
        ("ping_interval: 11s", ""),
        ("ping_interval: 10s", "heartbeat.client.ping_interval"),
        ("ping_interval: 10s, pong_timeout: off", ""),
        // Against a check_interval of 1s.
        ("idle_time: 2s, ping_interval: off", ""),
        (
            "idle_time: 1999ms, ping_interval: off",
            "heartbeat.client.idle_time",
        ),
        ("ping_interval: 2s, pong_timeout: 1s", ""),
        (
            "ping_interval: 1999ms, pong_timeout: 1s",
            "heartbeat.client.ping_interval",
        ),
        ("pong_timeout: 1s", ""),
        ("pong_timeout: 999ms", "heartbeat.client.pong_timeout"),
        ("pong_timeout: 999ms, ping_interval: off", ""),
        (
            "idle_time: 1s, ping_interval: 900ms, pong_timeout: 800ms, missed_pongs: 1",
            "heartbeat.client.idle_time",
        ),
        ("idle_notice: {before: 1s, text: a}", ""),
        ("idle_notice: {before: off, text: a}", ""),
        (
            "idle_notice: {text: a}",
            "heartbeat.client.idle_notice.text",
        ),
        (
            "idle_notice: {before: 999ms, text: a}",
            "heartbeat.client.idle_notice.before",
        ),
        (
            "idle_time: 5m, ping_interval: 60s",
            "heartbeat.client.ping_interval",
        ),
        (
            "idle_time: 5m, ping_interval: 100s",
            "heartbeat.client.ping_interval",
        ),
        ("idle_time: 5m, ping_interval: 99s", ""),
        ("missed_pongs: 4", ""),
        ("missed_pongs: 5", "heartbeat.client.missed_pongs"),
        ("idle_notice: {before: 59s, text: a}", ""),
        ("idle_time: off", ""),
        (
            "idle_time: off, ping_interval: off",
            "heartbeat.client.idle_time",
        ),
        (
            "idle_time: off, idle_notice: {before: 5s, text: a}",
            "heartbeat.client.idle_notice.before",
        ),
        // An application ping is a ping to them.
        (
            "app_ping: {text: a, expect: {text: b}}, ping_interval: 9s",
            "heartbeat.client.ping_interval",
        ),
        (
            "app_ping: {text: a, expect: {text: b}}, idle_time: 25s",
            "heartbeat.client.idle_time",
        ),
        (
            "app_ping: {text: a, expect: {text: b}}, ping_interval: off",
            "heartbeat.client.app_ping",
        ),
        ("app_ping: off, ping_interval: off", ""),
    ] {
        assert_eq!(client(keys), messages, "{keys}");
    }
    for (rest, messages) in [
        ("upstream: ws://127.0.0.1:8080", "upstream"),
        ("upstream: {url: ws://localhost:8080}", "upstream.url"),
        ("upstream: ws://127.0.0.1:8081", ""),
        ("upstream: ws://10.0.0.1:8080", ""),
        ("upstream: ws://a\ndrain: {timeout: 15s}", ""),
        ("upstream: ws://a\ndrain: {timeout: 14s}", "drain.timeout"),
        ("upstream: ws://a\nlimits: {max_frame: 64MiB}", ""),
        (
            "upstream: ws://a\nlimits: {max_frame: 65MiB}",
            "limits.max_frame",
        ),
        ("upstream: ws://a\nlimits: {max_frame: off}", ""),
        (
            "upstream: ws://a\nheartbeat: {upstream: {keepalive: off}}",
            "heartbeat.upstream.keepalive",
        ),
        (
            "upstream: ws://a\nheartbeat: {client: {idle_notice: {before: 30s, text: a}}, upstream: {idle_time: 30s}}",
            "heartbeat.client.idle_notice.before",
        ),
        (
            "upstream: ws://a\nheartbeat: {client: {idle_time: off, idle_notice: {before: 29s, text: a}}, upstream: {idle_time: 30s}}",
            "",
        ),
        // A pong that nobody answers goes out on the grid too.
        (
            "upstream: ws://a\nheartbeat: {check_interval: 10s, upstream: {keepalive: pong}}",
            "",
        ),
        (
            "upstream: ws://a\nheartbeat: {check_interval: 11s, client: {pong_timeout: 11s}, upstream: {keepalive: pong}}",
            "heartbeat.check_interval",
        ),
        (
            "upstream: ws://a\nheartbeat: {check_interval: 11s, client: {pong_timeout: 11s}, upstream: {keepalive: off}}",
            "heartbeat.upstream.keepalive",
        ),
        (
            "upstream: ws://a\nheartbeat: {upstream: {ping_interval: off}}",
            "heartbeat.upstream.ping_interval",
        ),
        (
            "upstream: ws://a\nheartbeat: {client: {answer_pings: forward}, upstream: {keepalive: off}}",
            "",
        ),
        (
            "upstream: ws://a\nheartbeat: {upstream: {keepalive: pong}}",
            "",
        ),
    ] {
        assert_eq!(warnings(rest), messages, "{rest}");
    }
}

#[test]
fn a_large_file_that_is_wrong_throughout_is_refused_in_time() {
    // Not one block of unknown keys, which is messages short, but many problems in many places.
    let item = "  - {match: {path: a}, x: 1}\n";
    let text = format!(
        "listen: :1\nupstream: ws://a\nroutes:\n{}",
        item.repeat(4_000)
    );
    let started = std::time::SystemTime::now();
    let problems = parse(&text).unwrap_err();
    assert!(started.elapsed().unwrap().as_secs() < 60);
    let last = problems.last().unwrap();
    assert!(
        last.message.ends_with("more problems in this file"),
        "{last}"
    );
}

#[test]
fn a_block_of_unknown_keys_is_reported_briefly() {
    let keys: String = (0..300)
        .map(|number| format!("key_{number}: 1\n"))
        .collect();
    let problems = parse(&format!("listen: :1\nupstream: ws://a\n{keys}")).unwrap_err();
    assert_eq!(problems.len(), 201);
    assert_eq!(problems[200].message, "unknown key, and so are 99 more");
}

/// No text at all may panic, and whatever is messages has a place within the text.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let problems = match parse(text) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => {
            prop_assert!(
                problems
                    .iter()
                    .any(|problem| problem.severity == Severity::Error)
            );
            problems
        }
    };
    for problem in problems {
        prop_assert!(problem.line >= 1 && problem.column >= 1);
        prop_assert!(!problem.to_string().contains('\n'), "{problem}");
    }
    Ok(())
}

fn samples() -> Vec<String> {
    let all = files("valid").into_iter().chain(files("invalid"));
    all.filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        survives(&text)?;
    }

    #[test]
    fn text_of_yaml_characters_never_panics(text in r"[a-c:,\[\]{}&*!|>'#%@?<$~0-9\n\t -]{0,80}") {
        survives(&text)?;
    }

    #[test]
    fn damaged_files_never_panic(
        sample in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), r"[a-z0-9:,\[\]{}&*!'$\n -]{0,6}"), 1..6),
    ) {
        let samples = samples();
        let mut text: Vec<char> = sample.get(&samples).chars().collect();
        for (from, length, replacement) in cuts {
            let from = from.index(text.len() + 1);
            let to = (from + length.index(12)).min(text.len());
            text.splice(from..to, replacement.chars());
        }
        survives(&text.into_iter().collect::<String>())?;
    }
}
