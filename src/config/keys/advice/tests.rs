use super::super::KEYS;
use super::*;
use crate::config::engine::unknown_paths;

#[test]
fn a_value_where_a_block_belongs_names_the_block() {
    for (path, value, help) in [
        (&["upstream", "retry"][..], "5", "`retry: {attempts: 5}`"),
        (&["routes", "match"], "/chat", "`match: {path: /chat}`"),
        (
            &["routes", "match"],
            "a.example",
            "`match: {host: a.example}`",
        ),
        (
            &["heartbeat", "app", "match"],
            "ping it",
            "`match: {text: 'ping it'}`",
        ),
        (
            &["heartbeat", "client"],
            "60s",
            "`client: {idle_time: 60s}`",
        ),
        (&["close", "killed"], "4000", "`killed: {code: 4000}`"),
        (&["close", "killed"], "bye", "`killed: {reason: bye}`"),
        (&["metrics"], "9902", "`metrics: {listen: ':9902'}`"),
        (&["admin"], "true", "on unless it is `off`"),
        (&["log"], "debug", "`log: {level: debug}`"),
    ] {
        let advice = instead_of_block(&KeyPath::of(path), value).unwrap();
        assert!(advice.contains(help), "{path:?}: {advice}");
    }
    assert_eq!(instead_of_block(&KeyPath::of(&["limits"]), "5"), None);
}

#[test]
fn every_key_that_is_named_instead_exists() {
    let all = unknown_paths(&KEYS);
    for (name, ours) in OTHER_PROGRAMS {
        let exists = ours.contains(' ') || all.iter().any(|path| path == ours);
        assert!(exists, "{name}: {ours}");
    }
}
